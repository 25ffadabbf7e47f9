package atem

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/atem/atemserver"
	"github.com/patchbay-io/patchbay/protocol/openswitcher/oswclient"
)

// BenchmarkServe measures one change on its way to an OpenSwitcher program over loopback: straight from the switcher's relay,
// through a relay that copies bytes and knows nothing, and through the server. All three hear the same change in the same
// run. It reports the medians and what relay and server add to the direct way, all in µs.
func BenchmarkServe(b *testing.B) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	listen := func() net.Listener {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		return ln
	}
	f := newFar(atemserver.Options{})
	ln := listen()
	wg.Go(func() { _ = f.serveRelay(ctx, ln) })
	log := slog.New(slog.DiscardHandler)
	opts := relayDefaults()
	opts.Password = driver.NewSecret("on air")
	s, err := Relay{}.Open(ctx, driver.Env{Dial: (&net.Dialer{}).DialContext, Log: log},
		driver.Target{Name: "studio", URL: &url.URL{Scheme: "openswitcher", User: url.User("operator"), Host: ln.Addr().String(), Path: "/device"}, Options: opts})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	front := listen()
	served := serveDefaults()
	served.ATEM, served.OpenSwitcher = "", "127.0.0.1:0"
	wg.Go(func() {
		_ = Relay{}.Serve(ctx, driver.ServeEnv{Upstreams: []driver.Upstream{still{s}}, Gate: &stage{}, Log: log,
			Listen: func(context.Context, string, string) (net.Listener, error) { return front, nil }}, served)
	})
	plain := listen()
	wg.Go(func() { copyAll(ctx, plain, ln.Addr().String()) })

	// What each of them hears comes as a time on its channel.
	hear := func(addr, device string) chan time.Time {
		heard := make(chan time.Time, 100)
		c, err := oswclient.Dial(ctx, (&net.Dialer{}).DialContext, addr, oswclient.Options{User: "operator", Password: "on air", Device: device, Handle: func(p []byte) {
			if f, _, err := atem.Next(p); err == nil && f.Code == atem.CodePrvI {
				heard <- time.Now()
			}
		}})
		if err != nil {
			b.Fatal(err)
		}
		context.AfterFunc(ctx, func() { c.Close() })
		<-c.Ready()
		return heard
	}
	ways := []chan time.Time{hear(ln.Addr().String(), "device"), hear(plain.Addr().String(), "device"), hear(front.Addr().String(), "studio")}
	took := make([][]time.Duration, len(ways))
	b.ResetTimer()
	for i := range b.N {
		time.Sleep(time.Millisecond)
		began := time.Now()
		f.say(&atem.PreviewSource{Source: atem.SourceID(1 + i%3)})
		for w, heard := range ways {
			took[w] = append(took[w], (<-heard).Sub(began))
		}
	}
	b.StopTimer()
	median := func(w int) float64 {
		slices.Sort(took[w])
		return float64(took[w][len(took[w])/2]) / 1e3
	}
	b.ReportMetric(median(0), "µs-direct")
	b.ReportMetric(median(1)-median(0), "µs-added-by-plain-relay")
	b.ReportMetric(median(2)-median(0), "µs-added-by-server")
}

// copyAll is a relay that copies bytes.
func copyAll(ctx context.Context, ln net.Listener, to string) {
	context.AfterFunc(ctx, func() { ln.Close() })
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		up, err := net.Dial("tcp", to)
		if err != nil {
			c.Close()
			continue
		}
		for _, x := range [][2]net.Conn{{c, up}, {up, c}} {
			go func() {
				_, _ = io.Copy(x[0], x[1])
				x[0].Close()
				x[1].Close()
			}()
		}
	}
}
