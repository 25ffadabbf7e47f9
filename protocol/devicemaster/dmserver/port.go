package dmserver

import (
	"context"
	"net"
	"time"

	"github.com/patchbay-io/patchbay/protocol/devicemaster"
)

// port is one port of the box.
type port struct {
	number  int
	backend Backend
	opening bool // somebody is at it
	lease   *lease
}

// lease is a port that somebody has. What is not said otherwise is guarded by the server's lock.
type lease struct {
	srv  *Server
	port *port
	conn *Conn // nil: the connection is lost, and the port held
	addr net.Addr
	wire Wire // never changes after the opening
	done chan struct{}

	freed     bool
	settings  Settings
	unset     bool // settings that the wire does not have yet
	inputs    devicemaster.Inputs
	told      devicemaster.Inputs
	shown     bool // the opening was answered
	announced bool // the zeroed total was told, or need not be
	flow      devicemaster.Flow
	room      bell
	queue     []byte // of the client, for the wire
	spare     []byte
	queued    bell
	total     uint16
	flushes   int // of what is on its way to the client
	dropped   int // flushes of what is on its way to the wire
	in, out   uint64
	idle      *time.Timer
	holding   *time.Timer
}

// bell wakes all that wait for it; the server's lock guards it.
type bell struct{ c chan struct{} }

func (b *bell) wait() <-chan struct{} {
	if b.c == nil {
		b.c = make(chan struct{})
	}
	return b.c
}

func (b *bell) ring() {
	if b.c != nil {
		close(b.c)
		b.c = nil
	}
}

// open answers a client that wants a port.
func (s *Server) open(ctx context.Context, c *Conn, p *port) {
	s.mu.Lock()
	old := p.lease
	taken := old != nil && old.conn != c && (old.conn != nil || !sameHost(old.addr, c.RemoteAddr()))
	if taken || p.opening {
		s.stats.Refused++
		c.status(p.number, devicemaster.Busy, 0)
		s.mu.Unlock()
		return
	}
	p.opening = true
	s.mu.Unlock()
	if old != nil {
		s.free(old) // the same host again: from the beginning
	}
	l := &lease{srv: s, port: p, conn: c, addr: c.RemoteAddr(), done: make(chan struct{}), settings: DefaultSettings()}
	err := s.openBackend(ctx, c, l)
	s.mu.Lock()
	defer s.mu.Unlock()
	p.opening = false
	if err != nil {
		s.stats.Refused++
		c.status(p.number, devicemaster.Busy, 0)
		return
	}
	p.lease = l
	v := s.opts.Variations
	l.shown, l.told = true, l.inputs
	c.status(p.number, devicemaster.Opened, l.inputs)
	if v.InitialInputs {
		c.emit(p.number, devicemaster.OpInputs, devicemaster.AppendInputs(c.msg[:0], l.inputs))
	}
	if l.announced = v.Total != TotalAfterDone; v.Total == TotalWithOpen {
		c.emit(p.number, devicemaster.OpTotal, devicemaster.AppendTotal(c.msg[:0], 0))
	}
	s.pumps.Go(l.toWire)
	s.pumps.Go(l.toClient)
	s.changed()
}

func (s *Server) openBackend(ctx context.Context, c *Conn, l *lease) (err error) {
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	if s.opts.Permit != nil {
		if err := s.opts.Permit(ctx, c, Ask{Port: l.port.number}); err != nil {
			return err
		}
	}
	l.wire, err = l.port.backend.Open(ctx, l)
	return err
}

// sameHost reports whether two addresses are of one host, whatever the port.
func sameHost(a, b net.Addr) bool {
	ha, _, errA := net.SplitHostPort(a.String())
	hb, _, errB := net.SplitHostPort(b.String())
	return errA == nil && errB == nil && ha == hb
}

// close answers a client that gives a port back.
func (s *Server) close(c *Conn, p *port) {
	s.mu.Lock()
	l := p.lease
	if l == nil || l.conn != c {
		c.status(p.number, devicemaster.Released, 0)
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	s.free(l)
	s.mu.Lock()
	c.status(p.number, devicemaster.Closed, 0)
	s.mu.Unlock()
	s.changed()
}

// release answers a client that takes a port from whoever has it: exactly 62 pp 76 21.
func (s *Server) release(ctx context.Context, c *Conn, p *port) {
	if s.opts.Permit != nil {
		if err := s.opts.Permit(ctx, c, Ask{Port: p.number, Release: true}); err != nil {
			return
		}
	}
	s.mu.Lock()
	l := p.lease
	if l != nil && l.conn != c {
		l.evict()
	}
	s.mu.Unlock()
	if l != nil {
		s.free(l)
	}
	s.mu.Lock()
	c.status(p.number, devicemaster.Released, 0)
	s.mu.Unlock()
	s.changed()
}

// evict tells the owner that its port is gone; the lock is held.
func (l *lease) evict() {
	if c := l.conn; c != nil && !l.freed {
		c.status(l.port.number, devicemaster.Released, 0)
		c.later()
	}
}

// free ends a lease, and reports whether it was one.
func (s *Server) free(l *lease) bool {
	s.mu.Lock()
	if l.freed {
		s.mu.Unlock()
		return false
	}
	l.freed = true
	if l.port.lease == l {
		l.port.lease = nil
	}
	for _, t := range []*time.Timer{l.idle, l.holding} {
		if t != nil {
			t.Stop()
		}
	}
	l.room.ring()
	l.queued.ring()
	s.mu.Unlock()
	l.wire.Close()
	return true
}

// hold keeps the port while its owner's connection is lost; the lock is held.
func (l *lease) hold(d time.Duration) {
	l.conn = nil
	l.room.ring()
	l.queued.ring()
	l.holding = time.AfterFunc(d, func() {
		if l.srv.free(l) {
			l.srv.changed()
		}
	})
}

// zero makes the counters new, as at the start of a session; the lock is held.
func (l *lease) zero() {
	l.flow, l.total = devicemaster.Flow{}, 0
	l.room.ring()
}

// set takes one setting; the lock is held.
func (l *lease) set(m *devicemaster.Message, keepPrinted bool) {
	st := &l.settings
	switch m.Op {
	case devicemaster.OpBaud:
		st.Baud = m.Value
		st.Given |= GivenBaud
		if baud, slip := devicemaster.BaudSlip(m.Value); slip && !keepPrinted {
			st.Baud = baud
		}
	case devicemaster.OpLine:
		st.Line = devicemaster.LineSettings(m.Value)
		st.Given |= GivenLine
	case devicemaster.OpMode:
		st.Mode = devicemaster.Mode(m.Value)
		st.Given |= GivenMode
	case devicemaster.OpOutputs:
		st.Outputs = devicemaster.Outputs(m.Value)
		st.Given |= GivenOutputs
	case devicemaster.OpChars:
		st.Chars = m.Chars()
		st.Given |= GivenChars
	case devicemaster.OpIdleTimeout:
		st.Idle = m.Value
		st.Given |= GivenIdle
		if m.Value == 0 && l.idle != nil {
			l.idle.Stop()
		}
	}
	l.unset = true
}

// settle hands the settings to the wire.
func (l *lease) settle() {
	l.srv.mu.Lock()
	st, news := l.settings, l.unset && !l.freed
	l.unset = false
	l.srv.mu.Unlock()
	if news {
		l.wire.Set(st)
		l.srv.changed()
	}
}

// enqueue takes data of the client; the lock is held.
func (l *lease) enqueue(m *devicemaster.Message) {
	s, b := l.srv, m.Data
	if s.opts.Variations.SingleByteSeq {
		l.conn.emit(l.port.number, devicemaster.OpTotal, devicemaster.AppendTotal(l.conn.msg[:0], uint16(m.Value)))
	}
	if room := devicemaster.DeviceBuffer - len(l.queue); len(b) > room {
		// Nothing that keeps to the window gets here. What has no room is lost, as in a device, and counted as taken, so that
		// the window does not shrink for good.
		s.stats.Overruns += uint64(len(b) - room)
		l.total += uint16(len(b) - room)
		b = b[:room]
	}
	l.queue = append(l.queue, b...)
	l.queued.ring()
}

// flush carries out what it knows of an action.
func (l *lease) flush(a devicemaster.Action) {
	in, out := a&devicemaster.FlushInput != 0, a&devicemaster.FlushOutput != 0
	if !in && !out {
		return
	}
	s := l.srv
	s.mu.Lock()
	if in {
		l.flushes++
		l.room.ring()
	}
	if out {
		l.dropped++
	}
	if n := len(l.queue); out && n > 0 {
		l.total += uint16(n) // dropped is consumed, or the window would shrink for good (inferred)
		l.queue = l.queue[:0]
		l.tellTotal()
	}
	s.mu.Unlock()
	l.wire.Flush(in, out)
}

func (l *lease) tellTotal() {
	if l.conn != nil && !l.srv.opts.Variations.SingleByteSeq {
		l.conn.emit(l.port.number, devicemaster.OpTotal, devicemaster.AppendTotal(l.conn.msg[:0], l.total))
	}
}

// alive reports whether the pumps of a connection may go on; the lock is held.
func (l *lease) alive() bool { return !l.freed && l.conn != nil }

// toWire moves what the client sends to the wire, and acknowledges it.
func (l *lease) toWire() {
	s := l.srv
	s.mu.Lock()
	defer s.mu.Unlock()
	for l.alive() {
		if len(l.queue) == 0 {
			wait := l.queued.wait()
			s.mu.Unlock()
			<-wait
			s.mu.Lock()
			continue
		}
		whole := l.queue
		l.queue = l.spare[:0]
		b, dropped := whole, l.dropped
		for len(b) > 0 && l.alive() {
			s.mu.Unlock()
			n, err := l.wire.Send(b)
			s.mu.Lock()
			if err != nil || n <= 0 {
				l.fail()
				return
			}
			b = b[n:]
			l.total += uint16(n)
			l.out += uint64(n)
			if l.dropped != dropped { // dropped is consumed, as in flush
				l.total += uint16(len(b))
				b = nil
			}
			if l.alive() {
				l.tellTotal()
				l.conn.flush()
			}
		}
		l.spare = whole
	}
}

// toClient moves what the wire receives to the client, as far as the client has room.
func (l *lease) toClient() {
	s := l.srv
	buf := make([]byte, devicemaster.MaxBlock)
	for {
		n, err := l.wire.Recv(buf)
		s.mu.Lock()
		if err != nil {
			l.fail()
			s.mu.Unlock()
			return
		}
		flushes := l.flushes
		for at := 0; at < n && l.alive() && l.flushes == flushes; {
			k := min(l.flow.Room(), n-at)
			if k == 0 {
				wait := l.room.wait()
				s.mu.Unlock()
				<-wait
				s.mu.Lock()
				continue
			}
			l.conn.emit(l.port.number, devicemaster.OpData, devicemaster.AppendData(l.conn.msg[:0], buf[at:at+k]))
			l.flow.Sent(k)
			l.in += uint64(k)
			at += k
			if at == n {
				l.restartIdle()
			}
			l.conn.flush()
		}
		alive := l.alive()
		s.mu.Unlock()
		if !alive {
			return
		}
	}
}

// restartIdle tells the silence after the bytes that were just sent, when the client wants that; the lock is held.
func (l *lease) restartIdle() {
	d := time.Duration(l.settings.Idle) * time.Millisecond
	switch {
	case d == 0:
	case l.srv.opts.Variations.IdleGlued:
		l.conn.emit(l.port.number, devicemaster.OpIdle, devicemaster.AppendIdle(l.conn.msg[:0]))
	case l.idle == nil:
		l.idle = time.AfterFunc(d, func() {
			l.srv.mu.Lock()
			defer l.srv.mu.Unlock()
			if l.alive() {
				l.conn.emit(l.port.number, devicemaster.OpIdle, devicemaster.AppendIdle(l.conn.msg[:0]))
				l.conn.later()
			}
		})
	default:
		l.idle.Reset(d)
	}
}

// fail takes the port from its owner because the wire is broken; the lock is held, and given up for a moment.
func (l *lease) fail() {
	if l.freed {
		return
	}
	l.evict()
	l.srv.mu.Unlock()
	l.srv.free(l)
	l.srv.changed()
	l.srv.mu.Lock()
}

// SetInputs implements [Line].
func (l *lease) SetInputs(in devicemaster.Inputs) {
	l.srv.mu.Lock()
	defer l.srv.mu.Unlock()
	l.inputs = in
	if l.shown && in != l.told && l.alive() {
		l.told = in
		l.conn.emit(l.port.number, devicemaster.OpInputs, devicemaster.AppendInputs(l.conn.msg[:0], in))
		l.conn.later()
	}
}

// Report implements [Line].
func (l *lease) Report(e devicemaster.LineErrors) {
	l.srv.mu.Lock()
	defer l.srv.mu.Unlock()
	if l.shown && e != 0 && l.alive() {
		l.conn.emit(l.port.number, devicemaster.OpErrors, devicemaster.AppendErrors(l.conn.msg[:0], e))
		l.conn.later()
	}
}
