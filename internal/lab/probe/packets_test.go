package probe

import (
	"context"
	"encoding/json"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/atem"
	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/atem/atemsim"
)

const switcherAddr = "192.0.2.10:9910"

// probeSwitcher probes a host in the protocols of switchers; far is what answers on UDP, nil nobody.
func probeSwitcher(t *testing.T, port uint16, anyPort bool, far func(ctx context.Context, p net.PacketConn), check func(res Result, steps []Step, took time.Duration, n *testnet.Network)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := new(testnet.Network)
		ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
		done := make(chan struct{})
		go func() {
			defer close(done)
			if far == nil {
				return
			}
			p, err := n.ListenPacket(ctx, "udp", switcherAddr)
			if err != nil {
				t.Error(err)
				return
			}
			far(ctx, p)
			p.Close()
		}()
		synctest.Wait()
		p := &Prober{Drivers: []driver.Driver{atem.New(), atem.NewRelay()}, Dial: n.Dial, ListenPacket: n.ListenPacket, AnyPort: anyPort}
		var steps []Step
		start := time.Now()
		res, err := p.Run(ctx, "192.0.2.10", port, func(s Step) { steps = append(steps, s) })
		if err != nil {
			t.Error(err)
		}
		took := time.Since(start)
		synctest.Wait() // the far end has seen what was said last
		check(res, steps, took, n)
		cancel()
		<-done
	})
}

func TestASwitcher(t *testing.T) {
	var sim *atemsim.Switcher
	serve := func(ctx context.Context, p net.PacketConn) {
		var err error
		if sim, err = atemsim.New(atemsim.Options{Model: "mini"}); err != nil {
			t.Error(err)
			return
		}
		_ = sim.ServeUDP(ctx, p, atemsim.UDPOptions{MaxSessions: 1})
	}
	probeSwitcher(t, 0, false, serve, func(res Result, steps []Step, took time.Duration, n *testnet.Network) {
		if d := cmp.Diff([]string{"name ok", "connect refused", "atem ok"}, outcomes(steps)); d != "" {
			t.Fatal(d)
		}
		if !res.Match || res.URLs[0] != "atem://192.0.2.10" || !strings.Contains(res.Verdict, "speaks Blackmagic ATEM") {
			t.Errorf("%+v", res)
		}
		s := steps[2]
		if s.Network != "udp" || s.Protocol != "atem" || s.Found[0] != "ATEM Mini" || s.Sent.Bytes[0] != 0x10 || s.Received.Total < 1000 {
			t.Errorf("%+v", s)
		}
		if b, err := json.Marshal(s); err != nil || !strings.Contains(string(b), `"network":"udp"`) {
			t.Errorf("%s, %v", b, err)
		}
		if sim.Clients() != 0 {
			t.Error("the probe holds its session")
		}
		if took > 2*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestNoSwitcher(t *testing.T) {
	for _, tc := range []struct {
		name    string
		port    uint16
		any     bool
		far     func(ctx context.Context, p net.PacketConn)
		want    []string
		verdict string
		worst   Outcome
	}{
		{"nobody", 9910, false, nil, []string{"name ok", "atem timeout"}, "nothing comes back", NoAnswer},
		{"another protocol", 9910, false, func(ctx context.Context, p net.PacketConn) {
			stop := context.AfterFunc(ctx, func() { p.Close() })
			defer stop()
			for {
				_, from, err := p.ReadFrom(make([]byte, 2048))
				if err != nil {
					return
				}
				p.WriteTo([]byte("SIP/2.0 400 Bad Request\r\n\r\n"), from)
			}
		}, []string{"name ok", "atem timeout"}, "no whole answer", NoAnswer},
		{"a port of nobody", 7000, true, nil, []string{"name ok", "connect refused", "atem timeout"}, "nothing listens on its port", Refused},
	} {
		t.Run(tc.name, func(t *testing.T) {
			probeSwitcher(t, tc.port, tc.any, tc.far, func(res Result, steps []Step, _ time.Duration, _ *testnet.Network) {
				if d := cmp.Diff(tc.want, outcomes(steps)); d != "" {
					t.Errorf("%s", d)
				}
				if res.Match || res.Worst != tc.worst || !strings.Contains(res.Verdict, tc.verdict) {
					t.Errorf("%+v", res)
				}
				for _, s := range steps {
					if s.Meaning == "" {
						t.Errorf("%s says nothing about what it means", s.Name)
					}
				}
			})
		})
	}
}
