package testnet

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
)

// Outcome is what happens to a dial.
type Outcome uint8

// The outcomes.
const (
	Connect     Outcome = iota // to the listener; refused when nobody listens
	Refused                    // ECONNREFUSED at once
	Unreachable                // EHOSTUNREACH at once
	Hang                       // nothing until the context ends
)

// Network is a set of listeners, packet connections and dial outcomes. The zero Network is empty and ready; it must not be
// copied. All methods are safe for concurrent use.
type Network struct {
	Buffer int // bytes that each direction of a connection holds; 0: DefaultBuffer

	mu        sync.Mutex
	listeners map[string]*Listener
	packets   map[string]*PacketConn
	outcomes  map[string]Outcome
	port      int
}

// SetOutcome decides what dials of addr ("host:port") meet from now on.
func (n *Network) SetOutcome(addr string, o Outcome) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.outcomes == nil {
		n.outcomes = map[string]Outcome{}
	}
	n.outcomes[addr] = o
}

// nextPort is called with mu held.
func (n *Network) nextPort() int {
	n.port++
	return 40000 + n.port
}

// name completes addr; port 0 or an empty addr get a free port. It is called with mu held.
func (n *Network) name(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		host, port = addr, "0"
	}
	if host == "" {
		host = "192.0.2.1"
	}
	if port == "0" || port == "" {
		port = fmt.Sprint(n.nextPort())
	}
	return net.JoinHostPort(host, port)
}

// Listen opens a listener on addr; port 0 chooses a free one. It has the shape of net.ListenConfig.Listen.
func (n *Network) Listen(_ context.Context, network, addr string) (net.Listener, error) {
	return n.listen(network, addr)
}

// MustListen is [Network.Listen] for tests: it panics when addr is taken.
func (n *Network) MustListen(addr string) *Listener {
	l, err := n.listen("tcp", addr)
	if err != nil {
		panic("testnet: " + err.Error())
	}
	return l
}

func (n *Network) listen(network, addr string) (*Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	name := n.name(addr)
	if n.listeners == nil {
		n.listeners = map[string]*Listener{}
	}
	if n.listeners[name] != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Addr: Addr{"tcp", name}, Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}
	}
	l := &Listener{net: n, addr: Addr{"tcp", name}, queue: make(chan *Conn, backlog), done: make(chan struct{})}
	n.listeners[name] = l
	return l, nil
}

// Dial connects to addr, or meets the outcome that was set for it. It has the shape of net.Dialer.DialContext. The result
// is a *[Conn], or a *[PacketLink] for the network "udp".
func (n *Network) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	udp := strings.HasPrefix(network, "udp")
	n.mu.Lock()
	l, o := n.listeners[addr], n.outcomes[addr]
	client := Addr{"tcp", fmt.Sprintf("192.0.2.200:%d", n.nextPort())}
	n.mu.Unlock()
	fail := func(err error) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: Addr{"tcp", addr}, Err: err}
	}
	switch {
	case ctx.Err() != nil:
		return fail(ctx.Err())
	case o == Unreachable:
		return fail(os.NewSyscallError("connect", syscall.EHOSTUNREACH))
	case udp:
		return n.dialPacket(network, Addr{"udp", addr})
	case o == Hang:
		<-ctx.Done()
		return fail(ctx.Err())
	case o == Refused || l == nil:
		return fail(os.NewSyscallError("connect", syscall.ECONNREFUSED))
	}
	c, s := pipe(n.Buffer, client, l.addr)
	select {
	case l.queue <- s:
		return c, nil
	case <-l.done:
		return fail(os.NewSyscallError("connect", syscall.ECONNREFUSED))
	case <-ctx.Done():
		return fail(ctx.Err())
	}
}

// backlog is how many dialled connections wait for Accept before a dial waits too.
const backlog = 128

// Listener is a net.Listener in memory.
type Listener struct {
	net   *Network
	addr  Addr
	queue chan *Conn
	done  chan struct{}
	once  sync.Once
}

// Listen opens a listener on a network of its own.
func Listen() *Listener { return new(Network).MustListen("") }

// Accept implements net.Listener; the connection is a *[Conn].
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case <-l.done:
	default:
		select {
		case c := <-l.queue:
			return c, nil
		case <-l.done:
		}
	}
	return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.addr, Err: net.ErrClosed}
}

// Close implements net.Listener. Connections that nobody accepted are reset. It may be called again.
func (l *Listener) Close() error {
	l.once.Do(func() {
		l.net.mu.Lock()
		delete(l.net.listeners, l.addr.Name)
		l.net.mu.Unlock()
		close(l.done)
		for {
			select {
			case c := <-l.queue:
				c.Reset()
			default:
				return
			}
		}
	})
	return nil
}

// Addr implements net.Listener.
func (l *Listener) Addr() net.Addr { return l.addr }

// Dial connects to this listener.
func (l *Listener) Dial(ctx context.Context) (net.Conn, error) {
	return l.net.Dial(ctx, "tcp", l.addr.Name)
}

// DialContext connects to this listener whatever the address, so that it serves as the dial function of a client.
func (l *Listener) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	return l.Dial(ctx)
}

// Network is the network that the listener belongs to.
func (l *Listener) Network() *Network { return l.net }
