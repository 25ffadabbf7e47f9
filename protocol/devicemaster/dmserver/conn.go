package dmserver

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/internal/tcpserver"
)

// Conn is one connection of a client.
type Conn struct {
	srv *Server
	tcp *tcpserver.Conn
	wg  sync.WaitGroup // the flusher
	// told are the ports that the client was told in this burst not to own; unset is that settings have come since settle.
	told  map[int]bool
	unset bool

	// What follows is guarded by the server's lock.
	out, spare []byte
	msg        []byte // room for one message
	writing    bool
	selected   int
	gone       bool
	kick       chan struct{} // the flusher has something to do
	timeout    time.Duration
	timer      *time.Timer // of the link
	scanPeriod uint8
}

// ID is a number that is unique in the server, counted from 1.
func (c *Conn) ID() uint64 { return c.tcp.ID() }

// RemoteAddr is the client's address.
func (c *Conn) RemoteAddr() net.Addr { return c.tcp.RemoteAddr() }

// Close ends the connection without a word.
func (c *Conn) Close() error { return c.tcp.Close() }

// serveConn serves one connection until it ends.
func (s *Server) serveConn(ctx context.Context, t *tcpserver.Conn) {
	c := &Conn{srv: s, tcp: t, selected: -1, kick: make(chan struct{}, 1), timeout: DefaultLinkTimeout, told: map[int]bool{}}
	s.mu.Lock()
	s.conns[c] = struct{}{}
	c.timer = time.AfterFunc(c.timeout, c.silent)
	s.mu.Unlock()
	s.changed()
	ctx, cancel := context.WithCancel(ctx)
	c.wg.Go(func() { c.flusher(ctx) })

	dec := devicemaster.NewDecoder(devicemaster.ToDevice, devicemaster.DecoderOptions{SingleByteData: s.opts.Variations.SingleByteSeq})
	buf := make([]byte, 16<<10)
	for {
		t.NextMessage()
		n, err := t.Read(buf)
		dec.Feed(buf[:n])
		c.burst(ctx, dec)
		if err != nil {
			break
		}
	}
	cancel()
	c.Close()
	s.lost(c)
	c.wg.Wait()
	s.changed()
}

// burst takes the messages of one read and answers them in one write.
func (c *Conn) burst(ctx context.Context, dec *devicemaster.Decoder) {
	s := c.srv
	clear(c.told)
	before := dec.Stats()
	for {
		m, ok, err := dec.Next()
		if err == nil && !ok {
			break
		}
		if err == nil {
			c.message(ctx, &m)
		}
	}
	c.settle()
	s.mu.Lock()
	now := dec.Stats()
	s.stats.Unknown += now.Unknown - before.Unknown
	s.stats.Dropped += now.Dropped - before.Dropped
	s.stats.Zeros += now.Zeros - before.Zeros
	c.flush()
	s.mu.Unlock()
}

func (c *Conn) message(ctx context.Context, m *devicemaster.Message) {
	s := c.srv
	switch {
	case m.Op == devicemaster.ToolID:
		id := s.ID()
		s.mu.Lock()
		c.emit(-1, m.Op, id.Append(c.msg[:0]))
		s.mu.Unlock()
	case m.Op.Tool(): // never acted on: they load firmware, change addresses and reset
		s.mu.Lock()
		s.stats.Tools++
		s.mu.Unlock()
	case m.Op == devicemaster.OpPing:
		s.mu.Lock()
		c.timer.Reset(c.timeout)
		c.emit(-1, m.Op, devicemaster.AppendPing(c.msg[:0]))
		s.mu.Unlock()
	case m.Op == devicemaster.OpAssign:
		s.mu.Lock()
		for _, p := range s.ports {
			if l := p.lease; l != nil && l.conn == c {
				l.zero()
			}
		}
		c.emit(-1, devicemaster.OpAssigned, devicemaster.AppendAssigned(c.msg[:0]))
		s.mu.Unlock()
	case m.Op == devicemaster.OpLinkTimeout:
		s.mu.Lock()
		if m.Value > 0 && m.Value < 1<<30 {
			c.timeout = time.Duration(m.Value) * time.Second
			c.timer.Reset(c.timeout)
		}
		s.mu.Unlock()
	case m.Op == devicemaster.OpScanPeriod:
		s.mu.Lock()
		c.scanPeriod = uint8(m.Value)
		s.mu.Unlock()
	case m.Op.PortScope():
		if !m.Selected || int(m.Port) >= len(s.ports) {
			s.mu.Lock()
			s.stats.Strays++
			s.mu.Unlock()
			return
		}
		c.portMessage(ctx, s.ports[m.Port], m)
	}
}

// ScanPeriod is how often the client wants the ports to be looked at, in ms; 0: it did not say.
func (c *Conn) ScanPeriod() uint8 {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	return c.scanPeriod
}

func (c *Conn) portMessage(ctx context.Context, p *port, m *devicemaster.Message) {
	s := c.srv
	switch m.Op {
	case devicemaster.OpStatus:
		c.settle()
		switch devicemaster.Ask(m.Value) {
		case devicemaster.AskOpen:
			s.open(ctx, c, p)
		case devicemaster.AskClose:
			s.close(c, p)
		}
		return
	case devicemaster.OpRelease:
		c.settle()
		s.release(ctx, c, p)
		return
	}
	s.mu.Lock()
	l := p.lease
	if l == nil || l.conn != c {
		if !c.told[p.number] {
			c.told[p.number] = true
			c.status(p.number, devicemaster.Released, 0)
		}
		s.mu.Unlock()
		return
	}
	switch m.Op {
	case devicemaster.OpTotal:
		if _, ok := l.flow.Ack(uint16(m.Value)); !ok {
			s.stats.Resyncs++
		}
		l.room.ring()
	case devicemaster.OpData:
		s.mu.Unlock()
		l.settle() // the bytes go out with the settings that came before them
		s.mu.Lock()
		l.enqueue(m)
	case devicemaster.OpAction:
		s.mu.Unlock()
		l.settle()
		l.flush(devicemaster.Action(m.Value))
		s.mu.Lock()
		c.emit(p.number, devicemaster.OpActionDone, devicemaster.AppendActionDone(c.msg[:0], devicemaster.Action(m.Value)))
		if s.opts.Variations.Total == TotalAfterDone && !l.announced {
			l.announced = true
			c.emit(p.number, devicemaster.OpTotal, devicemaster.AppendTotal(c.msg[:0], l.total))
		}
	default:
		l.set(m, s.opts.Variations.KeepPrinted)
		c.unset = true
	}
	s.mu.Unlock()
}

// settle puts the settings of the burst into force that are not yet.
func (c *Conn) settle() {
	if !c.unset {
		return
	}
	c.unset = false
	s := c.srv
	for _, p := range s.ports {
		s.mu.Lock()
		l := p.lease
		mine := l != nil && l.conn == c && l.unset
		s.mu.Unlock()
		if mine {
			l.settle()
		}
	}
}

// silent is the end of the client's link timer: its ports are free.
func (c *Conn) silent() {
	s := c.srv
	var leases []*lease
	s.mu.Lock()
	for _, p := range s.ports {
		if p.lease != nil && p.lease.conn == c {
			leases = append(leases, p.lease)
		}
	}
	s.mu.Unlock()
	for _, l := range leases {
		s.free(l)
	}
	s.changed()
}

// status tells who has a port; the lock is held.
func (c *Conn) status(port int, st devicemaster.Status, in devicemaster.Inputs) {
	c.emit(port, devicemaster.OpStatus, devicemaster.AppendStatus(c.msg[:0], st, in))
}

// emit appends a message, about a port unless that is below 0; the lock is held.
func (c *Conn) emit(port int, op devicemaster.Op, message []byte) {
	if c.gone {
		return
	}
	if len(c.out) == 0 {
		c.selected = -1
	}
	if len(c.out) > maxOut { // it does not read
		c.gone = true
		c.Close()
		return
	}
	if tamper := c.srv.opts.Tamper; tamper != nil {
		if message = tamper(nil, op, message); len(message) == 0 {
			return
		}
	}
	if port >= 0 && c.selected != port {
		c.out = devicemaster.AppendSelect(c.out, uint8(port))
		c.selected = port
	}
	c.out = append(c.out, message...)
	c.msg = message[:0]
}

// flush writes what is there. The lock is held, and given up while writing; who finds somebody writing leaves it to them.
func (c *Conn) flush() {
	if c.writing {
		return
	}
	c.writing = true
	for len(c.out) > 0 && !c.gone {
		b := c.out
		c.out = c.spare[:0]
		c.srv.mu.Unlock()
		_, err := c.tcp.Write(b)
		c.srv.mu.Lock()
		c.spare = b
		if err != nil {
			c.gone = true
			c.Close()
		}
	}
	c.writing = false
}

// later has the flusher write what is there, for those who must not wait for this client; the lock is held.
func (c *Conn) later() {
	select {
	case c.kick <- struct{}{}:
	default:
	}
}

func (c *Conn) flusher(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.kick:
		}
		c.srv.mu.Lock()
		c.flush()
		c.srv.mu.Unlock()
	}
}

// lost is the end of a connection: its ports are free, or held for a while.
func (s *Server) lost(c *Conn) {
	var free []*lease
	s.mu.Lock()
	c.gone = true
	c.timer.Stop()
	delete(s.conns, c)
	for _, p := range s.ports {
		l := p.lease
		switch {
		case l == nil || l.conn != c:
		case s.opts.Variations.Hold:
			l.hold(c.timeout)
		default:
			free = append(free, l)
		}
	}
	s.mu.Unlock()
	for _, l := range free {
		s.free(l)
	}
}

func (s *Server) freeAll() {
	for _, p := range s.ports {
		s.mu.Lock()
		l := p.lease
		s.mu.Unlock()
		if l != nil {
			s.free(l)
		}
	}
}
