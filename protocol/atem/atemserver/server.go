package atemserver

import (
	"container/list"
	"context"
	"errors"
	"math"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/patchbay-io/patchbay/protocol/atem"
)

// Handler is what stands behind a server. Calls about one client come one after the other, calls about different ones may
// come at the same time. None of them may wait for long: all clients share what calls them.
type Handler interface {
	// Opened is told of a new client. Its answer is the dump, by [Conn.Send]; an empty packet, which comes first, has been
	// queued already.
	Opened(c *Conn)
	// Command gets a packet of a client: the fields that are to be carried out together. The payload is valid until it
	// returns.
	Command(c *Conn, payload []byte)
	// Closed is told that a client which was Opened is gone, and why; nil: it was closed from here. Nothing can be sent to it
	// any more.
	Closed(c *Conn, why error)
}

// Options of a server. The zero value works.
type Options struct {
	// MaxSessions is how many clients there may be; one more is told that all sessions are taken. Openings that their client
	// has not confirmed make room for new ones, the oldest first. 0: 1000.
	MaxSessions int
	// Admit, when set, is asked about each new opening; what it does not admit is told that all sessions are taken.
	Admit func(from net.Addr) bool
	// Session bounds each session.
	Session atem.SessionOptions
}

// Server serves clients over one packet connection. All methods may be called at the same time.
type Server struct {
	handler Handler
	opts    Options
	conn    net.PacketConn // of Serve

	mu      sync.Mutex
	conns   map[uint16]*Conn // by number, with atem.EstablishedBit
	opening map[opener]*Conn // by what the client opened with, as long as the session lives
	half    list.List        // of *Conn that are being opened, the oldest first
	live    int              // sessions that have not ended
	lastID  uint16           // the number that was given last
	count   uint64
	closing bool

	wakeAt atomic.Int64 // when the goroutine of timers wakes, in Unix nanoseconds
	poke   chan struct{}

	opened, rejected, halfOpen, malformed, strangers, unsent atomic.Uint64
}

// opener is what an open is recognized by when it comes again.
type opener struct {
	peer   peer
	client uint16
}

// peer is an address that can be compared: as numbers where it has some, else as a text.
type peer struct {
	addr netip.AddrPort
	name string
}

func peerOf(a net.Addr) peer {
	if u, ok := a.(*net.UDPAddr); ok {
		ap := u.AddrPort()
		return peer{addr: netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())}
	}
	return peer{name: a.String()}
}

// New makes a server; it starts nothing.
func New(h Handler, o Options) *Server {
	if o.MaxSessions <= 0 {
		o.MaxSessions = 1000
	}
	return &Server{handler: h, opts: o, conns: map[uint16]*Conn{}, opening: map[opener]*Conn{}, poke: make(chan struct{}, 1)}
}

// Stats are counters since the server was made.
type Stats struct {
	Active    int    // sessions now, those that are being opened included
	Opened    uint64 // sessions that came to life
	Rejected  uint64 // opens that were told that all sessions are taken
	HalfOpen  uint64 // openings that had to make room for others
	Malformed uint64 // datagrams that are no packets
	Strangers uint64 // packets of sessions that do not exist, or that belong to another address
	Unsent    uint64 // datagrams that the network did not take; they count as lost
}

// Stats are the counters now.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	active := len(s.conns)
	s.mu.Unlock()
	return Stats{Active: active, Opened: s.opened.Load(), Rejected: s.rejected.Load(), HalfOpen: s.halfOpen.Load(),
		Malformed: s.malformed.Load(), Strangers: s.strangers.Load(), Unsent: s.unsent.Load()}
}

// Serve serves pc until ctx ends or pc fails; then it closes every session, gives the clients 400 ms to answer, and closes
// pc. The error is ctx's or pc's. A server serves once.
func (s *Server) Serve(ctx context.Context, pc net.PacketConn) error {
	s.conn = pc
	stopTimers := make(chan struct{})
	var timers, reader sync.WaitGroup
	failed := make(chan error, 1)
	timers.Go(func() { s.runTimers(stopTimers) })
	reader.Go(func() { failed <- s.read() })
	var err error
	select {
	case <-ctx.Done():
		err = ctx.Err()
	case err = <-failed:
	}
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	s.CloseAll()
	s.emptied()
	pc.Close()
	reader.Wait()
	close(stopTimers)
	timers.Wait()
	for _, c := range s.all(nil) {
		c.abandon()
		c.settle()
	}
	return err
}

// emptied waits until every session is over; the sessions see to it that this ends soon.
func (s *Server) emptied() {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(3 * atem.ResendAfter); time.Now().Before(end); <-tick.C {
		s.mu.Lock()
		n := len(s.conns)
		s.mu.Unlock()
		if n == 0 {
			return
		}
	}
}

// CloseAll tells every client that its session ends. It does not wait.
func (s *Server) CloseAll() {
	for _, c := range s.all(nil) {
		c.Close()
	}
}

// Forget drops every session without a word, as a switcher does that loses its power.
func (s *Server) Forget() {
	for _, c := range s.all(nil) {
		c.abandon()
	}
}

// all appends the sessions to list.
func (s *Server) all(list []*Conn) []*Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		list = append(list, c)
	}
	return list
}

// maxFailures is how many reads may fail one after the other.
const maxFailures = 100

// astray reports whether a read failed because an earlier datagram found nobody, or because one came that is too long: some
// systems say so there, and nothing is wrong with the socket.
func astray(err error) bool {
	var number syscall.Errno
	if !errors.As(err, &number) {
		return false
	}
	switch number {
	case syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EMSGSIZE, 10040, 10052, 10054: // the last three are those of Windows
		return true
	}
	return false
}

func (s *Server) read() error {
	buf := make([]byte, 1<<12)
	failures := 0
	for {
		n, from, err := s.conn.ReadFrom(buf)
		switch {
		case err == nil:
			failures = 0
			s.receive(buf[:n], from)
		case errors.Is(err, os.ErrDeadlineExceeded):
		default:
			if !astray(err) {
				failures++
			}
			if failures > maxFailures || errors.Is(err, net.ErrClosed) {
				return err
			}
		}
	}
}

func (s *Server) receive(b []byte, from net.Addr) {
	p, err := atem.ParsePacket(b)
	if err != nil {
		s.malformed.Add(1)
		return
	}
	who := peerOf(from)
	if p.Flags&atem.FlagHandshake != 0 && p.Handshake().Step == atem.StepOpen {
		s.open(&p, from, who)
		return
	}
	s.mu.Lock()
	c := s.conns[p.Session|atem.EstablishedBit]
	if p.Session&atem.EstablishedBit == 0 {
		// The acknowledgement of an accept has the client's own number; a closing with a number that lacks the bit is
		// somebody's mistake.
		if own := s.opening[opener{who, p.Session}]; own != nil {
			c = own
		} else if p.Flags&atem.FlagHandshake == 0 {
			c = nil
		}
	}
	s.mu.Unlock()
	if c == nil || c.peer != who {
		s.strangers.Add(1)
		return
	}
	c.receive(&p)
}

// openAgainAfter is how old a living session must be for an open with its number to be a new one and no late copy.
const openAgainAfter = time.Second

// open gives a session to a client, or repeats what was said.
func (s *Server) open(p *atem.Packet, from net.Addr, who peer) {
	now := time.Now()
	key := opener{who, p.Session}
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return
	}
	old := s.opening[key]
	s.mu.Unlock()
	if old != nil {
		switch phase, _ := old.state(); {
		case phase == atem.PhaseOpening:
			old.receive(p)
			return
		case phase == atem.PhaseUp && now.Sub(old.since) < openAgainAfter:
			return
		}
		old.abandon() // the client has begun anew
		old.settle()
	}
	var c, oldest *Conn
	if s.opts.Admit == nil || s.opts.Admit(from) {
		c, oldest = s.admit(now, key, from)
	}
	if oldest != nil {
		s.halfOpen.Add(1)
		s.write(atem.Handshake{Step: atem.StepClosing}.Append(nil, oldest.id, 0), oldest.addr)
		oldest.abandon()
		oldest.settle()
	}
	if c == nil {
		s.rejected.Add(1)
		s.write(atem.Handshake{Step: atem.StepReject}.Append(nil, p.Session, 0), from)
		return
	}
	c.flush()
}

// admit makes a session; nil when all are taken. oldest is an opening that has to make room.
func (s *Server) admit(now time.Time, key opener, from net.Addr) (c, oldest *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live >= s.opts.MaxSessions {
		first := s.half.Front()
		if first == nil {
			return nil, nil
		}
		oldest = first.Value.(*Conn)
		s.endedLocked(oldest)
	}
	if len(s.conns) >= atem.NumberMask { // every number is taken
		return nil, oldest
	}
	id := s.lastID
	for {
		id = id%atem.NumberMask + 1 // 1 to 0x7fff, then 1 again
		if s.conns[id|atem.EstablishedBit] == nil {
			break
		}
	}
	s.lastID = id
	s.count++
	c = &Conn{srv: s, addr: from, peer: key.peer, client: key.client, number: s.count, since: now,
		s: atem.AcceptSession(now, key.client, id, s.opts.Session)}
	c.id = c.s.ID()
	s.conns[c.id] = c
	s.opening[key] = c
	s.live++
	c.half = s.half.PushBack(c)
	return c, oldest
}

// isOpen takes a session out of those that are being opened.
func (s *Server) isOpen(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isOpenLocked(c)
}

func (s *Server) isOpenLocked(c *Conn) {
	if c.half != nil {
		s.half.Remove(c.half)
		c.half = nil
	}
}

// ended makes room: the session has ended, though it may still wait for its client's answer.
func (s *Server) ended(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endedLocked(c)
}

func (s *Server) endedLocked(c *Conn) {
	s.isOpenLocked(c)
	if !c.ended {
		c.ended = true
		s.live--
	}
}

// remove forgets a session that is over.
func (s *Server) remove(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns[c.id] == c {
		delete(s.conns, c.id)
	}
	if key := (opener{c.peer, c.client}); s.opening[key] == c {
		delete(s.opening, key)
	}
}

func (s *Server) write(b []byte, to net.Addr) {
	if _, err := s.conn.WriteTo(b, to); err != nil {
		s.unsent.Add(1)
	}
}

// wake makes the goroutine of timers run at t at the latest.
func (s *Server) wake(t time.Time) {
	if t.UnixNano() < s.wakeAt.Load() {
		select {
		case s.poke <- struct{}{}:
		default:
		}
	}
}

// longest is how long the goroutine of timers sleeps when there is nothing to do.
const longest = time.Minute

// runTimers does what time alone brings about: resends, pings, ends.
func (s *Server) runTimers(stop <-chan struct{}) {
	timer := time.NewTimer(longest)
	defer timer.Stop()
	var all []*Conn
	for {
		s.wakeAt.Store(math.MaxInt64) // whoever has something new meanwhile pokes
		all = s.all(all[:0])
		now := time.Now()
		next := now.Add(longest)
		for _, c := range all {
			if due := c.tick(now); !due.IsZero() && due.Before(next) {
				next = due
			}
		}
		clear(all)
		s.wakeAt.Store(next.UnixNano())
		timer.Reset(time.Until(next))
		select {
		case <-timer.C:
		case <-s.poke:
		case <-stop:
			return
		}
	}
}
