package atem

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/atem/atemclient"
	"github.com/patchbay-io/patchbay/protocol/atem/atemserver"
)

// lossy is a packet connection that loses, repeats and holds back one datagram in twenty each of what it sends.
type lossy struct {
	net.PacketConn

	mu   sync.Mutex
	r    *rand.Rand
	held []func()
}

// WriteTo sends, or not.
func (l *lossy) WriteTo(b []byte, to net.Addr) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	x := l.r.Float64()
	send := func() { _, _ = l.PacketConn.WriteTo(b, to) }
	switch {
	case x < 0.05:
		return len(b), nil
	case x < 0.10:
		send()
	case x < 0.15:
		b := append([]byte(nil), b...)
		l.held = append(l.held, func() { _, _ = l.PacketConn.WriteTo(b, to) })
		return len(b), nil
	}
	send()
	for _, late := range l.held {
		late()
	}
	l.held = nil
	return len(b), nil
}

// poor makes a network of which every packet connection is lossy.
func poor(open driver.Opener[net.PacketConn]) driver.Opener[net.PacketConn] {
	var mu sync.Mutex
	seed := uint64(0)
	return func(ctx context.Context, network, addr string) (net.PacketConn, error) {
		pc, err := open(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		mu.Lock()
		defer mu.Unlock()
		seed++
		return &lossy{PacketConn: pc, r: rand.New(rand.NewPCG(seed, 1))}, nil
	}
}

// A minute of changes and commands, with a poor network between switcher and server and between server and programs: nothing
// is lost, and everybody hears everything in the same order. With -full it takes place on real sockets.
func TestPoorNetwork(t *testing.T) {
	if *full {
		minute(t, poor(func(ctx context.Context, network, addr string) (net.PacketConn, error) {
			if addr != ":0" {
				addr = "127.0.0.1:0"
			}
			return (&net.ListenConfig{}).ListenPacket(ctx, network, addr)
		}), func() {})
		return
	}
	synctest.Test(t, func(t *testing.T) {
		var n testnet.Network
		minute(t, poor(n.ListenPacket), synctest.Wait)
	})
}

func minute(t *testing.T, open driver.Opener[net.PacketConn], settle func()) {
	const clients, changes = 6, 1500
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	log := slog.New(slog.DiscardHandler)
	f := newFar(atemserver.Options{})
	pc, err := open(ctx, "udp", farAddr)
	if err != nil {
		t.Fatal(err)
	}
	wg.Go(func() { _ = f.server.Serve(ctx, pc) })
	s, err := Driver{}.Open(ctx, driver.Env{ListenPacket: open, Log: log},
		driver.Target{Name: "studio", URL: &url.URL{Scheme: "atem", Host: pc.LocalAddr().String()}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	front, err := open(ctx, "udp", udpFront)
	if err != nil {
		t.Fatal(err)
	}
	opts := serveDefaults()
	opts.Allow = commands(t, "CAuS")
	wg.Go(func() {
		_ = Driver{}.Serve(ctx, driver.ServeEnv{Upstreams: []driver.Upstream{still{s}}, Gate: &stage{}, Log: log,
			ListenPacket: func(context.Context, string, string) (net.PacketConn, error) { return front, nil }}, opts)
	})
	var all []*atemclient.Client
	ears := make([]*heardInOrder, clients)
	for i := range clients {
		ears[i] = &heardInOrder{}
		c := dialUntil(t, open, front.LocalAddr().String(), ears[i].hear)
		defer c.Close()
		<-c.Ready()
		all = append(all, c)
	}
	for i := range changes {
		f.say(&atem.PreviewSource{Source: atem.SourceID(firstChange + i)})
		if i%50 == 0 {
			for n, c := range all {
				if err := c.SendPayload(payload(&atem.SetAuxSource{Mask: 1, Source: atem.SourceID(1000*(n+1) + i/50)})); err != nil {
					t.Fatal(err)
				}
			}
		}
		time.Sleep(40 * time.Millisecond)
	}
	time.Sleep(4 * time.Second)
	settle()
	first := ears[0].text()
	for i, e := range ears {
		e.mu.Lock()
		if e.changes != changes || e.disorder != 0 || e.echoes != clients*changes/50 {
			t.Errorf("client %d heard %d changes of %d, %d of them out of order, and %d of %d commands", i, e.changes, changes, e.disorder, e.echoes, clients*changes/50)
		}
		e.mu.Unlock()
		if e.text() != first {
			t.Errorf("client %d heard another order than client 0", i)
		}
		if st := all[i].Stats(); st.Gaps == 0 || st.Repeated == 0 {
			t.Errorf("the network was too good: %+v", st)
		}
	}
}

// dialUntil dials as long as it takes, since an open may go wrong on such a network.
func dialUntil(t *testing.T, open driver.Opener[net.PacketConn], addr string, hear func([]byte)) *atemclient.Client {
	for range 20 {
		c, err := atemclient.Dial(t.Context(), atemclient.Opener(open), addr, atemclient.Options{Handle: hear, Opens: 3})
		if err == nil {
			return c
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("no session")
	return nil
}

// heardInOrder keeps the order of what a client hears.
type heardInOrder struct {
	mu                        sync.Mutex
	changes, echoes, disorder int
	all                       []byte
}

func (o *heardInOrder) hear(payload []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for f, err := range atem.Fields(payload) {
		if err != nil || len(f.Body) < 4 {
			return
		}
		v := int(f.Body[2])<<8 | int(f.Body[3])
		switch {
		case f.Code == atem.CodePrvI && v >= firstChange:
			if v != firstChange+o.changes {
				o.disorder++
			}
			o.changes++
		case f.Code == atem.CodeAuxS && v >= 1000:
			o.echoes++
		default:
			continue
		}
		o.all = fmt.Appendf(o.all, "%d ", v)
	}
}

func (o *heardInOrder) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.all)
}
