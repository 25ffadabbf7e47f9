package discover

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/focas"
	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/focas/focassim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestSubnet searches a /24 with two controls, a silent host, an unreachable one, and nobody else.
func TestSubnet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &testnet.Network{}
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan struct{})
		for _, addr := range []string{"192.0.2.21:8193", "192.0.2.5:8193"} {
			sim, err := focassim.New(focassim.Options{})
			if err != nil {
				t.Fatal(err)
			}
			l := n.MustListen(addr)
			go func() {
				_ = sim.Serve(ctx, l)
				served <- struct{}{}
			}()
		}
		silent := n.MustListen("192.0.2.77:8193")
		defer silent.Close()
		n.SetOutcome("192.0.2.99:8193", testnet.Hang)
		var at []time.Time
		f := &Finder{Drivers: []driver.Driver{focas.New()}, Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			at = append(at, time.Now())
			return n.Dial(ctx, network, addr)
		}, Workers: 1}
		hosts, err := Hosts(netip.MustParsePrefix("192.0.2.0/24"))
		if err != nil {
			t.Fatal(err)
		}
		var found []Found
		start := time.Now()
		looked, err := f.Search(ctx, f.Targets(hosts), func(x Found) { found = append(found, x) })
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(Looked{Asked: 254, Open: 3, Refused: 250, Silent: 1}, looked); d != "" {
			t.Error(d)
		}
		Sort(found)
		want := []Found{{Addr: netip.MustParseAddrPort("192.0.2.5:8193"), Protocol: "focas", URL: "focas://192.0.2.5"},
			{Addr: netip.MustParseAddrPort("192.0.2.21:8193"), Protocol: "focas", URL: "focas://192.0.2.21"}}
		if d := cmp.Diff(want, found, cmpopts.IgnoreFields(Found{}, "Reasons"), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); d != "" {
			t.Error(d)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("took %v", took)
		}
		if len(at) != 254 || at[50].Sub(at[0]) < 50*10*time.Millisecond {
			t.Errorf("%d connections, the first 50 in %v", len(at), at[50].Sub(at[0]))
		}
		cancel()
		<-served
		<-served
	})
}

func TestCancelledSearch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &testnet.Network{}
		ctx, cancel := context.WithTimeout(t.Context(), 55*time.Millisecond)
		defer cancel()
		f := &Finder{Drivers: []driver.Driver{focas.New()}, Dial: n.Dial}
		hosts, _ := Hosts(netip.MustParsePrefix("192.0.2.0/24"))
		looked, err := f.Search(ctx, f.Targets(hosts), nil)
		if err != context.DeadlineExceeded || looked.Asked < 4 || looked.Asked > 8 {
			t.Errorf("%+v, %v", looked, err)
		}
	})
}

func TestHosts(t *testing.T) {
	for prefix, want := range map[string]int{"192.0.2.7/32": 1, "192.0.2.6/31": 2, "192.0.2.9/30": 2, "192.0.2.0/24": 254, "2001:db8::/126": 4} {
		got, err := Hosts(netip.MustParsePrefix(prefix))
		if err != nil || len(got) != want {
			t.Errorf("%s: %d hosts, %v", prefix, len(got), err)
		}
	}
	for _, prefix := range []string{"10.0.0.0/8", "2001:db8::/64"} {
		if _, err := Hosts(netip.MustParsePrefix(prefix)); err == nil {
			t.Errorf("%s is searched", prefix)
		}
	}
}

func TestParseListening(t *testing.T) {
	const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2001 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
   2: 0100007F:2002 0100007F:C000 01 00000000:00000000 00:00000000 00000000     0        0 3 1 0 100 0 0 10 0
`
	got, err := ParseListening(strings.NewReader(tcp), "tcp")
	if err != nil {
		t.Fatal(err)
	}
	want := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:8193"), netip.MustParseAddrPort("127.0.0.1:22")}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%v", got)
	}
	const udp = "head\n 0: 0100007F:26B6 00000000:0000 07\n 1: 0100007F:26B7 0100007F:0001 01\n"
	if got, err := ParseListening(strings.NewReader(udp), "udp"); err != nil || len(got) != 1 || got[0].String() != "127.0.0.1:9910" {
		t.Errorf("%v, %v", got, err)
	}
	const tcp6 = "head\n 0: 00000000000000000000000001000000:2001 00000000000000000000000000000000:0000 0A\n 1: 00000000000000000000000000000000:2001 x 0A\n"
	got, err = ParseListening(strings.NewReader(tcp6), "tcp")
	if err != nil || len(got) != 2 || got[0].String() != "[::1]:8193" || got[1].String() != "127.0.0.1:8193" {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"head\n0: x:2001 x 0A\n", "head\n0: 0100007F x 0A\n", "head\n0: 01007F:1 x 0A\n", "head\n0: 0100007F:12345 x 0A\n"} {
		if _, err := ParseListening(strings.NewReader(bad), "tcp"); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestParseNeighbours(t *testing.T) {
	const arp = `IP address       HW type     Flags       HW address            Mask     Device
192.0.2.21       0x1         0x2         00:e0:e4:00:00:01     *        eth0
192.0.2.22       0x1         0x0         00:00:00:00:00:00     *        eth0
`
	got, err := ParseNeighbours(strings.NewReader(arp))
	if err != nil || len(got) != 1 || got[0].String() != "192.0.2.21" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := ParseNeighbours(strings.NewReader("head\nx y 0x2 z\n")); err == nil {
		t.Error("nonsense is read")
	}
}

func FuzzTables(f *testing.F) {
	f.Add("head\n 0: 0100007F:2001 00000000:0000 0A\n")
	f.Fuzz(func(_ *testing.T, s string) {
		_, _ = ParseListening(strings.NewReader(s), "tcp")
		_, _ = ParseListening(strings.NewReader(s), "udp")
		_, _ = ParseNeighbours(strings.NewReader(s))
	})
}

// TestThisMachine finds sockets of its own in the tables of this machine, where it has them.
func TestThisMachine(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	list, err := Listening()
	if err != nil {
		t.Skipf("no tables here: %v", err)
	}
	for _, want := range []Target{{"tcp", netip.MustParseAddrPort(l.Addr().String())}, {"udp", netip.MustParseAddrPort(p.LocalAddr().String())}} {
		if !slices.Contains(list, want) {
			t.Errorf("%v is not among %v", want, list)
		}
	}
}
