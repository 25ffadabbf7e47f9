package device

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// filled makes a tree of devices with points each, in paths as long as real ones.
func filled(devices, points int) (*Tree, []string, [][]Sample) {
	t := NewTree()
	var names []string
	var samples [][]Sample
	for d := range devices {
		name := fmt.Sprintf("mill%d", d)
		delta := Delta{Full: true}
		for p := range points {
			path := Path(fmt.Sprintf("path/%d/axes/a%d/absolute", p/32+1, p%32))
			delta.Specs = append(delta.Specs, Spec{Path: path, Kind: Float, Rate: Fast, Access: R, Unit: "mm", Title: "Absolute",
				Doc: "position in the work coordinate system", Role: "cnc.position.absolute", Grade: GradeSeen, Decimals: 3})
			delta.Samples = append(delta.Samples, Sample{Path: path, Value: OfFloat(0), Received: time.Unix(1, 0)})
		}
		t.Apply(name, &delta)
		names, samples = append(names, name), append(samples, delta.Samples)
	}
	return t, names, samples
}

// BenchmarkApply is the cost of one changed value without readers.
func BenchmarkApply(b *testing.B) {
	for _, size := range []int{1, 50} {
		b.Run(fmt.Sprintf("%dPerDelta", size), func(b *testing.B) {
			tree, names, samples := filled(100, 1000)
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				part := samples[n%100][n/100*size%1000:][:size]
				for i := range part {
					part[i].Value = OfFloat(float64(n))
				}
				tree.Apply(names[n%100], &Delta{Samples: part})
				n++
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n*size), "ns/change")
		})
	}
}

// BenchmarkToOneSubscriber carries 100,000 changes of 100,000 points to a reader that looks ten times meanwhile: one
// operation is a second of the load that the tree is built for, so its time is the share of a core.
func BenchmarkToOneSubscriber(b *testing.B) {
	tree, names, samples := filled(100, 1000)
	s := tree.Subscribe(Filter{}, 0)
	defer s.Close()
	if _, err := s.Next(context.Background()); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	v, got := 0.0, 0
	for b.Loop() {
		for range 10 {
			for d := range names {
				v++
				part := samples[d][int(v)%10*100:][:100]
				for i := range part {
					part[i].Value = OfFloat(v)
				}
				tree.Apply(names[d], &Delta{Samples: part})
			}
			batch, err := s.Next(context.Background())
			if err != nil {
				b.Fatal(err)
			}
			got += len(batch.Updates)
		}
	}
	b.ReportMetric(float64(got)/float64(b.N), "updates/op")
	b.ReportMetric(100*b.Elapsed().Seconds()/float64(b.N), "%core")
}

// BenchmarkMemory reports what 100,000 points hold.
func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		before := heap()
		tree, names, samples := filled(100, 1000)
		clear(samples)
		b.ReportMetric(float64(heap()-before)/1e6, "MB")
		b.ReportMetric(float64(heap()-before)/1e5, "B/point")
		runtime.KeepAlive(tree)
		runtime.KeepAlive(names)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkThousandSubscribers gives 1,000 readers, one of which never looks, ten looks each at one device of 100 changed
// points: one operation is a second of such a load.
func BenchmarkThousandSubscribers(b *testing.B) {
	tree, names, samples := filled(100, 1000)
	subs := make([]Subscription, 1000)
	for i := range subs {
		subs[i] = tree.Subscribe(Filter{Devices: names[i%100 : i%100+1]}, tree.Seq())
		defer subs[i].Close()
	}
	b.ReportAllocs()
	v := 0.0
	var got atomic.Int64
	for b.Loop() {
		for range 10 {
			v++
			for d := range names {
				part := samples[d][:100]
				for i := range part {
					part[i].Value = OfFloat(v)
				}
				tree.Apply(names[d], &Delta{Samples: part})
			}
			var wg sync.WaitGroup
			for w := range 2 {
				wg.Go(func() {
					for i := 1 + w; i < len(subs); i += 2 { // subs[0] is stalled
						batch, err := subs[i].Next(context.Background())
						if err != nil {
							b.Error(err)
							return
						}
						got.Add(int64(len(batch.Updates)))
					}
				})
			}
			wg.Wait()
		}
	}
	b.ReportMetric(float64(got.Load())/float64(b.N), "updates/op")
	b.ReportMetric(100*b.Elapsed().Seconds()/float64(b.N), "%second")
}

// BenchmarkSnapshot reads all of 100,000 points.
func BenchmarkSnapshot(b *testing.B) {
	tree, _, _ := filled(100, 1000)
	b.ReportAllocs()
	for b.Loop() {
		if p, _ := tree.Points(Filter{}); len(p) != 100000 {
			b.Fatal(len(p))
		}
	}
}
