package devicemaster

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/serving"
	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmclient"
)

// A box at one address is found by the broadcast of the maker's tool, under the address where it listens and a MAC of its own.
func TestServeIsFound(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a socket hears broadcasts there")
	}
	onBench(t, "echo", func(b *bench) {
		o := serveDefaults()
		o.Listen, o.From, o.Discovery = "192.0.2.50:4606", serving.Networks{netip.MustParsePrefix("192.0.2.0/24")}, true
		ctx, cancel := context.WithCancel(b.Context())
		done := make(chan error, 1)
		env := driver.ServeEnv{Listen: b.net.Listen, ListenPacket: b.net.ListenPacket, Upstreams: []driver.Upstream{upstream{b.s}}, Gate: new(gate), Log: slog.New(slog.DiscardHandler),
			OpenStream: func(context.Context, string, device.Path, driver.Line) (driver.Stream, error) {
				return nil, net.ErrClosed
			}}
		go func() { done <- Driver{}.Serve(ctx, env, o) }()
		synctest.Wait()
		p, err := b.net.ListenPacket(ctx, "udp", "192.0.2.99:0")
		if err != nil {
			b.Fatal(err)
		}
		defer p.Close()
		during, stop := context.WithTimeout(ctx, time.Second)
		defer stop()
		mine, _ := o.mac("box")
		other, _ := o.mac("front")
		found := 0
		if err := dmclient.Discover(during, p, []net.Addr{testnet.Addr{Net: "udp", Name: "255.255.255.255:4606"}}, func(f dmclient.Found) {
			found++
			if mac, _ := f.Response.MAC(); f.From.String() != "192.0.2.50:4606" || mac != mine || mac == other || mac[0] != 2 {
				b.Errorf("%v says that it is %v", f.From, mac)
			}
		}); err != nil || found != 1 {
			b.Errorf("found %d, %v", found, err)
		}
		cancel()
		<-done
	})
}
