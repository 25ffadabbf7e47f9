package northtest

import (
	"context"
	"io"
	"net"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/gateway"
)

// BoxName is the device of [NewBox].
const BoxName = "box"

// Box is a device with serial ports in memory: ports/1 and ports/2 are a null modem pair, ports/3 echoes. It is a driver.
type Box struct {
	Gateway *gateway.Gateway

	mu    sync.Mutex
	cond  sync.Cond
	ports map[device.Path]*BoxPort
	kill  chan struct{}
}

// BoxPort is one port, and the stream of whoever has it open. Settings stay when it is closed.
type BoxPort struct {
	box   *Box
	peer  *BoxPort // who gets what is written
	open  bool
	in    []byte
	line  driver.Line
	fed   uint64 // counts changes of the input lines
	told  uint64
	brk   bool
	until time.Time
	timer *time.Timer
	taken bool   // by another host
	held  bool   // the line takes nothing
	way   []byte // what the device keeps meanwhile
}

// boxWindow is how many bytes a port keeps that the line does not take.
const boxWindow = 64

// boxBuffer is how many bytes may wait at a port.
const boxBuffer = 32 << 10

// NewBox makes a gateway over a box; run it with its Run. granted are the paths that doors may write.
func NewBox(granted ...string) (*Box, error) {
	b := &Box{ports: map[device.Path]*BoxPort{}, kill: make(chan struct{})}
	b.cond.L = &b.mu
	one, two, three := &BoxPort{box: b}, &BoxPort{box: b}, &BoxPort{box: b}
	one.peer, two.peer, three.peer = two, one, three
	for p, port := range map[device.Path]*BoxPort{"ports/1": one, "ports/2": two, "ports/3": three} {
		port.line = driver.Line{Baud: 9600, Data: 8, Parity: 'N', HalfStops: 2, Flow: driver.FlowNone}
		b.ports[p] = port
	}
	b.Gateway = gateway.New(gateway.Options{})
	return b, b.Gateway.SetDevices([]gateway.DeviceConfig{{Name: BoxName, Driver: b, Target: driver.Target{Name: BoxName, URL: &url.URL{}}, Display: "box:",
		Section: "1", Writable: granted, BackOff: gateway.BackOff{Min: 50 * time.Millisecond, Max: 50 * time.Millisecond}}})
}

// Port is one of the ports.
func (b *Box) Port(path device.Path) *BoxPort { return b.ports[path] }

// Cut ends the session as a broken link does.
func (b *Box) Cut() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.kill)
	b.kill = make(chan struct{})
	for _, p := range b.ports {
		p.open = false
	}
	b.cond.Broadcast()
}

// Release takes the port from whoever has it, as another host does with force.
func (p *BoxPort) Release() {
	p.box.mu.Lock()
	defer p.box.mu.Unlock()
	if p.open {
		p.open, p.taken = false, true
		p.box.cond.Broadcast()
	}
}

// Hold makes the line take nothing, as a machine does that has suspended it, or go on. Bytes that the device keeps meanwhile are lost
// when the port is closed.
func (p *BoxPort) Hold(on bool) {
	p.box.mu.Lock()
	defer p.box.mu.Unlock()
	if p.held = on; !on {
		p.peer.in, p.way = append(p.peer.in, p.way...), nil
	}
	p.box.cond.Broadcast()
}

// over is why the stream has ended; the lock is held.
func (p *BoxPort) over(op string) error {
	if p.taken {
		return &driver.Error{Op: op, Target: BoxName, Class: driver.Closed, Err: driver.ErrTaken}
	}
	return net.ErrClosed
}

// Line is what is in force.
func (p *BoxPort) Line() driver.Line {
	p.box.mu.Lock()
	defer p.box.mu.Unlock()
	return p.line
}

// IsOpen reports whether somebody has it.
func (p *BoxPort) IsOpen() bool {
	p.box.mu.Lock()
	defer p.box.mu.Unlock()
	return p.open
}

// Info describes the driver.
func (b *Box) Info() driver.Info {
	return driver.Info{Name: "box", Title: "Box", Can: driver.CanStream}
}

// Options are none.
func (b *Box) Options() any { return &struct{}{} }

// Open starts a session.
func (b *Box) Open(context.Context, driver.Env, driver.Target) (driver.Session, error) {
	return &boxSession{b}, nil
}

type boxSession struct{ b *Box }

func (s *boxSession) Abilities() driver.Abilities { return driver.Abilities{Streamer: s} }
func (s *boxSession) Close() error                { return nil }
func (s *boxSession) Read(context.Context, []device.Path) ([]device.Sample, error) {
	return nil, nil
}

func (s *boxSession) Watch(ctx context.Context, _ driver.Interest, sink driver.Sink) error {
	s.b.mu.Lock()
	kill := s.b.kill
	s.b.mu.Unlock()
	sink.Apply(&driver.Change{Full: true, Streams: []device.Path{"ports/1", "ports/2", "ports/3"}})
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-kill:
		return &driver.Error{Op: "read", Target: BoxName, Class: driver.Closed, Err: io.EOF}
	}
}

func (s *boxSession) OpenStream(_ context.Context, path device.Path, line driver.Line) (driver.Stream, error) {
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	p := s.b.ports[path]
	if p == nil {
		return nil, &driver.Error{Op: "open", Target: string(path), Class: driver.Unsupported, Err: os.ErrNotExist}
	}
	if p.open {
		return nil, &driver.Error{Op: "open", Target: string(path), Class: driver.Busy, Err: os.ErrExist}
	}
	p.open, p.taken, p.in, p.way, p.told = true, false, nil, nil, p.fed-1
	p.set(line)
	return p, nil
}

// set changes the line and tells the peer; the lock is held.
func (p *BoxPort) set(line driver.Line) {
	before := p.line
	p.line = line.Over(p.line)
	if line.Break != nil && *line.Break && (before.Break == nil || !*before.Break) {
		p.peer.brk = true
	}
	if line.RTS != nil || line.DTR != nil || line.Break != nil {
		p.peer.fed++
		p.box.cond.Broadcast()
	}
}

func isOn(b *bool) bool { return b != nil && *b }

func (p *BoxPort) Read(b []byte) (int, error) {
	p.box.mu.Lock()
	defer p.box.mu.Unlock()
	for len(p.in) == 0 {
		switch {
		case !p.open:
			return 0, p.over("read")
		case !p.until.IsZero() && !time.Now().Before(p.until):
			return 0, os.ErrDeadlineExceeded
		}
		p.box.cond.Wait()
	}
	n := copy(b, p.in)
	p.in = append(p.in[:0], p.in[n:]...)
	p.box.cond.Broadcast()
	return n, nil
}

func (p *BoxPort) Write(b []byte) (n int, err error) {
	p.box.mu.Lock()
	defer p.box.mu.Unlock()
	for n < len(b) {
		switch {
		case !p.open:
			return n, p.over("write")
		case !p.peer.open: // nobody listens on the other end of the cable
			return len(b), nil
		}
		if p.held && len(p.way) < boxWindow {
			k := min(len(b)-n, boxWindow-len(p.way))
			p.way = append(p.way, b[n:n+k]...)
			n += k
			continue
		}
		k := min(len(b)-n, boxBuffer-len(p.peer.in))
		if k <= 0 || p.held {
			p.box.cond.Wait()
			continue
		}
		p.peer.in = append(p.peer.in, b[n:n+k]...)
		n += k
		p.box.cond.Broadcast()
	}
	return n, nil
}

// Close gives the port back.
func (p *BoxPort) Close() error {
	p.box.mu.Lock()
	defer p.box.mu.Unlock()
	p.open = false
	if p.timer != nil {
		p.timer.Stop()
	}
	p.box.cond.Broadcast()
	return nil
}

// SetDeadline bounds Read.
func (p *BoxPort) SetDeadline(t time.Time) error {
	p.box.mu.Lock()
	defer p.box.mu.Unlock()
	p.until = t
	if p.timer != nil {
		p.timer.Stop()
	}
	p.timer = time.AfterFunc(time.Until(t), func() { // with the lock: no reader is between its look at the clock and its wait
		p.box.mu.Lock()
		defer p.box.mu.Unlock()
		p.box.cond.Broadcast()
	})
	return nil
}

// Unacked is what the line has not taken while it is held; else the other end of a null modem has everything.
func (p *BoxPort) Unacked() int {
	p.box.mu.Lock()
	defer p.box.mu.Unlock()
	return len(p.way)
}

// Set changes what line names. As a DeviceMaster it knows 7 and 8 data bits.
func (p *BoxPort) Set(_ context.Context, line driver.Line) (driver.Line, error) {
	p.box.mu.Lock()
	defer p.box.mu.Unlock()
	if line.Data == 5 || line.Data == 6 {
		line.Data = 0
	}
	p.set(line)
	return p.line, nil
}

// Flush drops what waits.
func (p *BoxPort) Flush(_ context.Context, in, _ bool) error {
	p.box.mu.Lock()
	defer p.box.mu.Unlock()
	if in {
		p.in = nil
		p.box.cond.Broadcast()
	}
	return nil
}

// Drain waits while the line is held.
func (p *BoxPort) Drain(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		p.box.mu.Lock()
		defer p.box.mu.Unlock()
		p.box.cond.Broadcast()
	})
	defer stop()
	p.box.mu.Lock()
	defer p.box.mu.Unlock()
	for len(p.way) > 0 && p.open && ctx.Err() == nil {
		p.box.cond.Wait()
	}
	return ctx.Err()
}

// Event tells the lines as a null modem cable connects them: RTS to CTS, DTR to DSR and CD.
func (p *BoxPort) Event(ctx context.Context) (driver.LineEvent, error) {
	stop := context.AfterFunc(ctx, func() {
		p.box.mu.Lock()
		defer p.box.mu.Unlock()
		p.box.cond.Broadcast()
	})
	defer stop()
	p.box.mu.Lock()
	defer p.box.mu.Unlock()
	for p.told == p.fed {
		if ctx.Err() != nil || !p.open {
			return driver.LineEvent{}, net.ErrClosed
		}
		p.box.cond.Wait()
	}
	p.told = p.fed
	l := p.peer.line
	e := driver.LineEvent{CTS: isOn(l.RTS), DSR: isOn(l.DTR), CD: isOn(l.DTR), Break: p.brk}
	p.brk = false
	return e, nil
}
