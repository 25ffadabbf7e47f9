package gateway

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// BenchmarkWriteUnderLoad writes and waits for the confirmation while other devices change 100,000 points a second and one
// reader takes them all.
func BenchmarkWriteUnderLoad(b *testing.B) {
	const devices, points, every = 10, 1000, 100 * time.Millisecond
	loads := make([]*toy, devices)
	quiet := newToy()
	list := []DeviceConfig{conf("m", quiet)}
	for i := range loads {
		loads[i] = newToy()
		for p := range points {
			path := device.Path(fmt.Sprintf("axes/a%d/absolute", p))
			loads[i].specs = append(loads[i].specs, device.Spec{Path: path, Kind: device.Int})
		}
		list = append(list, conf(fmt.Sprintf("d%d", i), loads[i]))
	}
	g := New(Options{})
	if err := g.SetDevices(list); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{}, 3)
	go func() { _ = g.Run(ctx); ended <- struct{}{} }()
	s := g.Tree().Subscribe(device.Filter{}, 0)
	go func() {
		for {
			if _, err := s.Next(ctx); err != nil {
				ended <- struct{}{}
				return
			}
		}
	}()
	go func() {
		defer func() { ended <- struct{}{} }()
		tick := time.NewTicker(every)
		defer tick.Stop()
		for n := int64(1); ; n++ {
			for _, d := range loads {
				c := &driver.Change{}
				for _, sp := range d.specs[len(d.specs)-points:] {
					c.Samples = append(c.Samples, device.Sample{Path: sp.Path, Value: device.OfInt(n)})
				}
				d.say(c)
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	for up := 0; up <= devices; {
		up = 0
		for _, c := range list {
			if _, err := g.link(c.Name).current(); err == nil {
				up++
			}
		}
		time.Sleep(time.Millisecond)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		st, err := g.Write(ctx, tester, []north.WriteItem{set("m", "gain", n%70-60)}, north.WriteOptions{Wait: true})
		if err != nil || st.Items[0].Last().Stage != north.StageConfirmed {
			b.Fatal(err, stages(&st.Items[0]))
		}
		time.Sleep(2 * time.Millisecond) // spread over the load
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)-2000, "µs/write")
	cancel()
	s.Close()
	for range 3 {
		<-ended
	}
}
