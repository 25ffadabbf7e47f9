package mdns

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"
)

// both is a host with two addresses of IPv6 beside one of IPv4.
var both = []netip.Prefix{netip.MustParsePrefix("192.0.2.5/24"), netip.MustParsePrefix("fe80::5/64"), netip.MustParsePrefix("2001:db8::5/64")}

// dual runs a responder over both families. fails says why the socket of one cannot be opened; nil: none fails.
func (c *cable) dual(t *testing.T, fails func(v6 bool) error, services ...Service) (stop func()) {
	r := New(Options{Host: "rack", Links: func() ([]Link, error) {
		return []Link{{Index: 1, Prefixes: both}, {Index: 1, V6: true, Prefixes: both}}, nil
	}, Open: func(_ context.Context, links []Link) (Socket, error) {
		if len(links) != 1 {
			t.Errorf("a socket for %+v", links)
		}
		if fails != nil {
			if err := fails(links[0].V6); err != nil {
				return nil, err
			}
		}
		if links[0].V6 {
			return c.plug("[fe80::5]:5353"), nil
		}
		return c.plug("192.0.2.5:5353"), nil
	}})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for _, s := range services {
		wg.Go(func() { _ = r.Announce(ctx, s) })
	}
	synctest.Wait()
	wg.Go(func() {
		if err := r.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	return func() {
		cancel()
		wg.Wait()
	}
}

// addresses are those in the records of messages, in order.
func addresses(list []heard) []string {
	var out []string
	for _, h := range list {
		for _, of := range [][]dnsmessage.Resource{h.m.Answers, h.m.Additionals, h.m.Authorities} {
			for _, r := range of {
				switch body := r.Body.(type) {
				case *dnsmessage.AResource:
					out = append(out, netip.AddrFrom4(body.A).String())
				case *dnsmessage.AAAAResource:
					out = append(out, netip.AddrFrom16(body.AAAA).String())
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// A service is told of over both families, with the addresses that it listens on, and questions are answered over the one they came in on.
func TestBothFamilies(t *testing.T) {
	for _, row := range []struct{ listens, want string }{
		{"0.0.0.0:65000", "192.0.2.5"},
		{"[::]:65000", "192.0.2.5 2001:db8::5 fe80::5"},
		{"[2001:db8::5]:65000", "2001:db8::5"},
		{"[fe80::5%eth0]:65000", "fe80::5"},
		{"[2001:db8::77]:65000", ""}, // of another interface
	} {
		synctest.Test(t, func(t *testing.T) {
			c := &cable{}
			s := desk(65000)
			s.Addr = netip.MustParseAddrPort(row.listens)
			stop := c.dual(t, nil, s)
			time.Sleep(10 * time.Second)
			all := c.said()
			if got := strings.Join(addresses(all), " "); got != row.want {
				t.Errorf("%s: told of %s, want %s", row.listens, got, row.want)
			}
			count := map[bool]int{}
			for _, h := range all {
				count[h.from.Addr().Is6()]++
			}
			want := map[bool]int{false: 5, true: 5} // three probes and two announcements each
			if row.want == "" {
				want = map[bool]int{}
			}
			if d := cmp.Diff(want, count); d != "" {
				t.Errorf("%s: messages by family: %s", row.listens, d)
			}
			for from, v6 := range map[string]bool{"192.0.2.9:5353": false, "[fe80::9]:5353": true, "[2001:db8::9]:5353": true, "[2001:db8:1::9]:5353": true} {
				beyond := strings.HasPrefix(from, "[2001:db8:1:")
				for _, q := range []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA} {
					time.Sleep(2 * time.Second)
					c.ask(t, from, dnsmessage.Message{Questions: []dnsmessage.Question{question("rack.local.", q)}}).Close()
					time.Sleep(mostDelay)
					all := c.said()
					switch {
					case row.want == "" || beyond:
						if len(all) != 0 {
							t.Errorf("%s: %s is answered: %+v", row.listens, from, all)
						}
					case len(all) != 1 || all[0].from.Addr().Is6() != v6 || strings.Join(addresses(all), " ") != row.want:
						t.Errorf("%s: %s gets %+v", row.listens, from, all)
					}
				}
			}
			// A resolver that knows nothing of multicast DNS.
			e := c.ask(t, "[fe80::9]:40000", dnsmessage.Message{Header: dnsmessage.Header{ID: 7}, Questions: []dnsmessage.Question{question("rack.local.", dnsmessage.TypeAAAA)}})
			if got := len(e.take()); (got == 1) != (row.want != "") {
				t.Errorf("%s: %d answers to a resolver", row.listens, got)
			}
			e.Close()
			stop()
			bye := map[bool]int{}
			for _, h := range c.said() {
				bye[h.from.Addr().Is6()] += len(h.m.Answers)
			}
			if row.want != "" && (bye[false] != 3 || bye[true] != 3) || len(c.ends) != 0 {
				t.Errorf("%s: goodbyes %v, %d sockets", row.listens, bye, len(c.ends))
			}
		})
	}
}

// Without one of the families the other one serves; without both it is tried again.
func TestOneFamily(t *testing.T) {
	no := errors.New("address family not supported")
	for _, row := range []struct {
		broken map[bool]error
		want   map[bool]bool
	}{
		{map[bool]error{true: no}, map[bool]bool{false: true}},
		{map[bool]error{false: no}, map[bool]bool{true: true}},
		{map[bool]error{false: no, true: no}, map[bool]bool{}},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := &cable{}
			var mended atomic.Bool
			stop := c.dual(t, func(v6 bool) error {
				if mended.Load() {
					return nil
				}
				return row.broken[v6]
			}, desk(65000))
			time.Sleep(10 * time.Second)
			got := map[bool]bool{}
			for _, h := range c.said() {
				got[h.from.Addr().Is6()] = true
			}
			if d := cmp.Diff(row.want, got); d != "" {
				t.Errorf("without %v: %s", row.broken, d)
			}
			mended.Store(true)
			time.Sleep(openAgain + 5*time.Second)
			if len(row.want) == 0 && len(c.said()) == 0 {
				t.Error("it is not tried again")
			}
			stop()
		})
	}
}

// Somebody else with the name of this computer and an address of IPv6 that is not its own is a conflict.
func TestConflictOverIPv6(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cable{}
		s := desk(65000)
		s.Addr = netip.MustParseAddrPort("[::]:65000")
		defer c.dual(t, nil, s)()
		time.Sleep(10 * time.Second)
		c.said()
		for addr, conflict := range map[string]bool{"2001:db8::5": false, "2001:db8::66": true} {
			r := resource("rack.local.", classFlush, ttlHost, &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr(addr).As16()})
			c.ask(t, "[fe80::66]:5353", dnsmessage.Message{Header: dnsmessage.Header{Response: true}, Answers: []dnsmessage.Resource{r}}).Close()
			time.Sleep(10 * time.Second)
			if renamed := len(c.said()) > 0; renamed != conflict {
				t.Errorf("%s: renamed %v", addr, renamed)
			}
		}
	})
}
