package drivertest

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net"
	"net/url"
	"testing"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/testnet"
)

// Bench measures one Read of Target.Points against the far end over the network in memory, and reports how many bytes
// travel for it in each direction.
func Bench(b *testing.B, far func() Far, target Target) {
	u, err := url.Parse(target.URL)
	if err != nil {
		b.Fatal(err)
	}
	l := testnet.Listen()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- far().Serve(ctx, l) }()
	defer func() {
		cancel()
		l.Close()
		<-done
	}()
	var conn *testnet.Conn
	env := driver.Env{Rand: rand.Reader, Log: slog.New(slog.DiscardHandler), Keys: newKeys(target.Keys),
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			c, err := l.Dial(ctx)
			if err == nil && conn == nil {
				conn = c.(*testnet.Conn)
			}
			return c, err
		}}
	options := target.Driver.Options()
	if target.Options != nil {
		options = target.Options()
	}
	s, err := target.Driver.Open(ctx, env, driver.Target{Name: "bench", URL: u, Options: options})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	var paths []device.Path
	for _, p := range target.Points {
		paths = append(paths, p.Path)
	}
	_, in := conn.In().Counts()
	_, out := conn.Out().Counts()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Read(ctx, paths); err != nil {
			b.Fatal(err)
		}
	}
	_, in2 := conn.In().Counts()
	_, out2 := conn.Out().Counts()
	b.ReportMetric(float64(in2-in)/float64(b.N), "B-in/op")
	b.ReportMetric(float64(out2-out)/float64(b.N), "B-out/op")
}
