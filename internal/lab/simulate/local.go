package simulate

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/patchbay-io/patchbay/internal/testnet"
)

// Host is the name that an in-process simulator has in addresses. One that is reached over datagrams has a number instead,
// since there the users of addresses resolve names by themselves; see [Local.Host].
const Host = "simulator"

// hostNumber is an address of nobody (RFC 5737).
const hostNumber = "192.0.2.1"

// Local is a simulated device inside this process. Make it with [NewLocal], run it with [Local.Run], reach it with
// [Local.Dial] and [Local.ListenPacket].
type Local struct {
	device  Device
	net     *testnet.Network
	sockets []Socket
}

// NewLocal makes a simulated device of a driver; it starts nothing.
func NewLocal(kind string, settings url.Values) (*Local, error) {
	d, err := New(kind, settings)
	if err != nil {
		return nil, err
	}
	return NewLocalDevice(d)
}

// NewLocalDevice puts any device behind the in-memory network of this process; it starts nothing. Its sockets are there at
// once, so that what comes before Run waits.
func NewLocalDevice(d Device) (*Local, error) {
	l := &Local{device: d, net: new(testnet.Network)}
	for _, s := range d.Services {
		var at Socket
		var err error
		addr := net.JoinHostPort(l.Host(), strconv.Itoa(int(s.Port)))
		if s.Packets != nil {
			at.Packets, err = l.net.ListenPacket(context.Background(), s.Network, addr)
		} else {
			at.Listener, err = l.net.Listen(context.Background(), s.Network, addr)
		}
		if err != nil {
			return nil, err
		}
		l.sockets = append(l.sockets, at)
	}
	return l, nil
}

// Host is the host that the device has in addresses.
func (l *Local) Host() string {
	for _, s := range l.device.Services {
		if s.Packets != nil {
			return hostNumber
		}
	}
	return Host
}

// Page is the device's screen; nil when it has none.
func (l *Local) Page() http.Handler { return l.device.Page }

// Keys are what the device's key store holds at first.
func (l *Local) Keys() map[string][]byte { return l.device.Keys }

// Run serves the device until ctx ends; then nothing of it is left and it returns nil.
func (l *Local) Run(ctx context.Context) error {
	err := l.device.Serve(ctx, l.sockets)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// at is the address of the service that is meant by an address: the one on its port, else the first of its network,
// whatever host and port are asked for. It is empty when the device has none.
func (l *Local) at(network, addr string) string {
	network = strings.TrimRight(network, "46")
	_, port, _ := net.SplitHostPort(addr)
	best := ""
	for i, s := range l.device.Services {
		if s.Network != network {
			continue
		}
		if strconv.Itoa(int(s.Port)) == port {
			return l.sockets[i].Addr().String()
		}
		if best == "" {
			best = l.sockets[i].Addr().String()
		}
	}
	return best
}

// Dial connects to the device, over a stream or, with "udp", over datagrams. It has the form of driver.Env.Dial.
func (l *Local) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if at := l.at(network, addr); at != "" {
		addr = at
	}
	return l.net.Dial(ctx, network, addr)
}

// ListenPacket opens a packet connection from which the device is reached at every host and at the broadcast addresses, on
// the ports of its services. It has the form of driver.Env.ListenPacket.
func (l *Local) ListenPacket(ctx context.Context, network, _ string) (net.PacketConn, error) {
	p, err := l.net.ListenPacket(ctx, network, "")
	if err != nil {
		return nil, err
	}
	return &localPackets{PacketConn: p, local: l, asked: map[string]net.Addr{}}, nil
}

// localPackets sends to the device what is sent to any host, and gives its answers the address that was asked.
type localPackets struct {
	net.PacketConn
	local *Local

	mu    sync.Mutex
	asked map[string]net.Addr // by the address of the service
}

func (p *localPackets) WriteTo(b []byte, to net.Addr) (int, error) {
	at := p.local.at("udp", to.String())
	if ip := hostOf(to); !ip.IsMulticast() && !ip.Equal(net.IPv4bcast) {
		p.mu.Lock()
		p.asked[at] = to
		p.mu.Unlock()
	}
	return p.PacketConn.WriteTo(b, testnet.Addr{Net: "udp", Name: at})
}

// hostOf is the IP address in a; nil when there is none.
func hostOf(a net.Addr) net.IP {
	host, _, _ := net.SplitHostPort(a.String())
	return net.ParseIP(host)
}

func (p *localPackets) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := p.PacketConn.ReadFrom(b)
	if err == nil {
		p.mu.Lock()
		if a, ok := p.asked[from.String()]; ok {
			from = a
		}
		p.mu.Unlock()
	}
	return n, from, err
}
