//go:build unix

package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/north"
	"github.com/patchbay-io/patchbay/internal/north/northtest"
)

// BenchmarkFanOut has 1,000 clients on real connections, one of which has stopped reading, and changes a device of 20
// points ten times a second. One operation is one such change, so 100 ms is the time it may take at most. last-ms is the
// time from the change until the last of the other clients has it, core the share of one core that server and clients
// need together, MB what both hold.
func BenchmarkFanOut(b *testing.B) {
	const clients, points, tick = 1000, 20, 100 * time.Millisecond
	gw := northtest.New()
	fleet := device.Delta{Full: true}
	for i := range points {
		fleet.Specs = append(fleet.Specs, device.Spec{Path: device.Path(fmt.Sprintf("path/1/axes/a%d/absolute", i)), Kind: device.Int})
	}
	fleet.Specs = append(fleet.Specs, device.Spec{Path: "long", Kind: device.String})
	gw.Tree.Apply("fleet", &fleet)
	change := func(v int64) {
		d := device.Delta{}
		for _, s := range fleet.Specs[:points] {
			d.Samples = append(d.Samples, device.Sample{Path: s.Path, Value: device.OfInt(v), Received: time.Unix(v, 0)})
		}
		gw.Tree.Apply("fleet", &d)
	}
	change(0)

	s, err := New(Config{Listen: "127.0.0.1:0", Streams: clients}, gw.Tree, fleetOf{gw}, gw, nil)
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Run(ctx); err != nil {
			b.Error(err)
		}
	})
	var conns []net.Conn
	dial := func(query string) net.Conn {
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		if _, err := fmt.Fprintf(c, "GET /api/v1/events?%s HTTP/1.1\r\nHost: localhost\r\n\r\n", query); err != nil {
			b.Fatal(err)
		}
		conns = append(conns, c)
		return c
	}
	defer func() {
		stop()
		for _, c := range conns {
			c.Close()
		}
		wg.Wait()
	}()

	before := held()
	dial("every=10ms&device=fleet") // never reads; the long value fills what the system buffers for it
	for i := range 100 {
		gw.Tree.Apply("fleet", &device.Delta{Samples: []device.Sample{{Path: "long", Value: device.OfString(strings.Repeat("x", 100_000+i))}}})
		time.Sleep(12 * time.Millisecond)
	}
	arrived := make(chan time.Time, clients)
	for range clients - 1 {
		c := dial("every=100ms&device=fleet&under=path")
		wg.Go(func() { follow(c, arrived) })
	}
	for range clients - 1 {
		<-arrived
	}

	b.ReportAllocs()
	var last, all []time.Duration
	ticker := time.NewTicker(tick + tick/20)
	defer ticker.Stop()
	cpu, wall := cpuTime(), time.Now()
	for v := int64(1); b.Loop(); v++ {
		<-ticker.C
		start := time.Now()
		change(v)
		var d time.Duration
		for range clients - 1 {
			d = (<-arrived).Sub(start)
			all = append(all, d)
		}
		last = append(last, d)
	}
	core := float64(cpuTime()-cpu) / float64(time.Since(wall))
	slices.Sort(last)
	slices.Sort(all)
	b.ReportMetric(float64(last[len(last)/2].Microseconds())/1000, "last-ms")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(100*core, "%core")
	b.ReportMetric(float64(held()-before)/1e6, "MB")
	if n := s.streams.Load(); n != clients {
		b.Errorf("%d of %d streams are left", n, clients)
	}
}

// fleetOf adds a device without settings to the two of northtest.
type fleetOf struct{ *northtest.Gateway }

func (g fleetOf) Device(name string) (north.Device, bool) {
	if name == "fleet" {
		return north.Device{Name: name}, true
	}
	return g.Gateway.Device(name)
}

// follow tells when each change has arrived: when the first value of the last point of an event came.
func follow(c net.Conn, arrived chan<- time.Time) {
	in := bufio.NewReaderSize(c, 8<<10)
	points := false
	for {
		line, err := in.ReadSlice('\n')
		for err == bufio.ErrBufferFull { // only the beginning of a line matters
			_, err = in.ReadSlice('\n')
		}
		switch {
		case err != nil:
			return
		case bytes.HasPrefix(line, []byte("event: ")):
			points = bytes.Equal(line, []byte("event: points\n"))
		case points && len(line) == 1:
			arrived <- time.Now()
			points = false
		}
	}
}

// held is the memory of the process for data and stacks.
func held() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
