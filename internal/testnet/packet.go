package testnet

import (
	"context"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// inbox is how many datagrams wait at a packet connection; more are dropped and counted, as UDP does.
const inbox = 256

// maxDatagram is the most that one datagram carries, in bytes.
const maxDatagram = 65507

// PacketConn is a net.PacketConn in memory. Datagrams arrive in order and whole; one that does not fit into the reader's
// buffer is cut, as UDP does. Dropping, repeating and reordering are the business of [PacketConn.Filter].
type PacketConn struct {
	net  *Network
	addr Addr

	mu      sync.Mutex
	cond    *sync.Cond
	queue   []datagram
	dropped int
	closed  bool
	readBy  time.Time
	writeBy time.Time
	timer   *time.Timer
	filter  func(b []byte, to net.Addr) [][]byte
	refused error // of the next ReadFrom
}

type datagram struct {
	from Addr
	data []byte
}

// ListenPacket opens a packet connection on addr; port 0 chooses a free one.
func (n *Network) ListenPacket(_ context.Context, network, addr string) (net.PacketConn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	name := n.name(addr)
	if n.packets == nil {
		n.packets = map[string]*PacketConn{}
	}
	if n.packets[name] != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Addr: Addr{"udp", name}, Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}
	}
	p := &PacketConn{net: n, addr: Addr{"udp", name}}
	p.cond = sync.NewCond(&p.mu)
	n.packets[name] = p
	return p, nil
}

// Filter is asked about each datagram that p sends: what it returns is delivered in its place, nothing drops it. The
// filter runs inside WriteTo; nil ends it.
func (p *PacketConn) Filter(f func(b []byte, to net.Addr) [][]byte) {
	p.mu.Lock()
	p.filter = f
	p.mu.Unlock()
}

// Dropped is how many datagrams found the inbox full.
func (p *PacketConn) Dropped() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dropped
}

func (p *PacketConn) opError(op string, to net.Addr, err error) error {
	return &net.OpError{Op: op, Net: "udp", Source: p.addr, Addr: to, Err: err}
}

// ReadFrom implements net.PacketConn.
func (p *PacketConn) ReadFrom(b []byte) (int, net.Addr, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.closed:
			return 0, nil, p.opError("read", nil, net.ErrClosed)
		case !p.readBy.IsZero() && !time.Now().Before(p.readBy):
			return 0, nil, p.opError("read", nil, os.ErrDeadlineExceeded)
		case p.refused != nil:
			err := p.refused
			p.refused = nil
			return 0, nil, err
		case len(p.queue) > 0:
			d := p.queue[0]
			p.queue = p.queue[1:]
			return copy(b, d.data), d.from, nil
		}
		p.cond.Wait()
	}
}

// WriteTo implements net.PacketConn. A datagram to an address where nobody listens is lost without an error; one to an address
// that was set to be unreachable fails.
func (p *PacketConn) WriteTo(b []byte, to net.Addr) (int, error) {
	p.mu.Lock()
	closed, late, filter := p.closed, !p.writeBy.IsZero() && !time.Now().Before(p.writeBy), p.filter
	p.mu.Unlock()
	switch {
	case closed:
		return 0, p.opError("write", to, net.ErrClosed)
	case late:
		return 0, p.opError("write", to, os.ErrDeadlineExceeded)
	case len(b) > maxDatagram:
		return 0, p.opError("write", to, os.NewSyscallError("sendto", syscall.EMSGSIZE))
	}
	out := [][]byte{b}
	if filter != nil {
		out = filter(b, to)
	}
	p.net.mu.Lock()
	dst, outcome := p.net.packets[to.String()], p.net.outcomes[to.String()]
	p.net.mu.Unlock()
	switch outcome {
	case Unreachable:
		return 0, p.opError("write", to, os.NewSyscallError("sendto", syscall.EHOSTUNREACH))
	case Refused, Hang: // a socket that is bound to no peer does not hear of it
		return len(b), nil
	}
	if dst != nil {
		for _, d := range out {
			dst.deliver(datagram{p.addr, append([]byte(nil), d...)})
		}
	}
	return len(b), nil
}

func (p *PacketConn) deliver(d datagram) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
	case len(p.queue) >= inbox:
		p.dropped++
	default:
		p.queue = append(p.queue, d)
		p.cond.Broadcast()
	}
}

// refuse makes the next ReadFrom fail once.
func (p *PacketConn) refuse(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused = err
	p.cond.Broadcast()
}

// Closed reports whether Close was called.
func (p *PacketConn) Closed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// Close implements net.PacketConn and may be called again.
func (p *PacketConn) Close() error {
	p.net.mu.Lock()
	if p.net.packets[p.addr.Name] == p {
		delete(p.net.packets, p.addr.Name)
	}
	p.net.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed, p.queue = true, nil
	p.stopTimer()
	p.cond.Broadcast()
	return nil
}

func (p *PacketConn) stopTimer() {
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
}

// LocalAddr implements net.PacketConn.
func (p *PacketConn) LocalAddr() net.Addr { return p.addr }

// SetDeadline implements net.PacketConn.
func (p *PacketConn) SetDeadline(t time.Time) error {
	if err := p.SetReadDeadline(t); err != nil {
		return err
	}
	return p.SetWriteDeadline(t)
}

// SetReadDeadline implements net.PacketConn.
func (p *PacketConn) SetReadDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return p.opError("set", nil, net.ErrClosed)
	}
	p.stopTimer()
	p.readBy = t
	if wait := time.Until(t); !t.IsZero() && wait > 0 {
		p.timer = time.AfterFunc(wait, func() {
			p.mu.Lock()
			p.cond.Broadcast()
			p.mu.Unlock()
		})
	}
	p.cond.Broadcast()
	return nil
}

// SetWriteDeadline implements net.PacketConn. Writes never wait, so only a time in the past matters.
func (p *PacketConn) SetWriteDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return p.opError("set", nil, net.ErrClosed)
	}
	p.writeBy = t
	return nil
}
