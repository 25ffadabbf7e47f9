package fcxml

import (
	"bytes"
	"context"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/fcxml/fcserver"
	"github.com/patchbay-io/patchbay/protocol/fcxml/fcsim"
)

// A server that counts characters cuts what has others than ASCII. The log says so once, what was cut is not confirmed, and
// everything else goes on.
func TestGarbledMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, err := fcsim.New(fcsim.Options{Model: "2i2", Approved: true, Faults: fcserver.Faults{Characters: true}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		network := new(testnet.Network)
		l := network.MustListen("192.0.2.40:49152")
		wg.Go(func() { _ = sim.Serve(ctx, l) })
		u, _ := url.Parse("fcxml://192.0.2.40:49152")
		var log bytes.Buffer
		opts := defaults()
		opts.ClientKey = driver.NewSecret("key-1")
		s, err := New().Open(ctx, driver.Env{Dial: network.Dial, Log: slog.New(slog.NewTextHandler(&log, nil))}, driver.Target{Name: "desk", URL: u, Options: opts})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		name, air := device.Path("inputs/analogue-1/name"), device.Path("inputs/analogue-1/air")
		write := func(path device.Path, v device.Value) driver.Outcome {
			out, err := s.Abilities().Writer.Write(ctx, []driver.Write{{Path: path, Value: v}})
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			synctest.Wait()
			return out[0]
		}
		for range 3 {
			if o := write(name, device.OfString("Björk")); o.Stage != driver.Uncertain {
				t.Errorf("what is cut: %+v", o)
			}
		}
		if o := write(air, device.OfBool(true)); o.Err != nil {
			t.Errorf("what comes after it: %+v", o)
		}
		if n := strings.Count(log.String(), "cannot be read"); n != 1 {
			t.Errorf("it is said %d times\n%s", n, log.String())
		}
	})
}
