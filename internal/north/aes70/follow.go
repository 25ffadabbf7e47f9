package aes70

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// meterRole is of points that cost a device something while anybody looks at them.
const meterRole = "audio.meter"

// metersEvery is how soon a meter moves that a controller has subscribed to.
const metersEvery = 250 * time.Millisecond

// follow keeps the mirror true but for meters.
func (f *face) follow(ctx context.Context) {
	f.read(ctx, device.Filter{Devices: []string{f.name}, Except: []string{meterRole}})
}

// read brings what a filter selects into the mirror until ctx ends.
func (f *face) read(ctx context.Context, filter device.Filter) {
	sub := f.door.cfg.Tree.Subscribe(filter, 0)
	defer sub.Close()
	for {
		b, err := sub.Next(ctx)
		if err != nil {
			return // ctx has ended
		}
		if len(filter.Under) == 0 && (b.Reset || slices.ContainsFunc(b.Updates, func(u device.Update) bool { return u.Gone || u.SpecChanged })) {
			f.survey()
			continue
		}
		points := make([]device.Point, 0, len(b.Updates))
		for _, u := range b.Updates {
			if !u.Gone {
				points = append(points, u.Point)
			}
		}
		f.mu.Lock()
		f.mirror.Apply(&driver.Change{Samples: f.newer(points)})
		f.mu.Unlock()
	}
}

// survey brings in everything that the device has, meters too.
func (f *face) survey() {
	f.mu.Lock()
	defer f.mu.Unlock()
	points, _ := f.door.cfg.Tree.Points(device.Filter{Devices: []string{f.name}})
	points = slices.DeleteFunc(points, func(p device.Point) bool { return strings.HasPrefix(string(p.Spec.Path), "_") })
	c := &driver.Change{Full: true, Specs: make([]device.Spec, 0, len(points))}
	for _, set := range f.door.cfg.Tree.LabelSets(f.name) {
		c.Labels = append(c.Labels, *set)
	}
	for i := range points {
		c.Specs = append(c.Specs, *points[i].Spec)
	}
	clear(f.seqs) // points may be others under the same paths
	c.Samples = f.newer(points)
	f.mirror.Apply(c)
}

// newer are the samples of points that the mirror does not have yet: what a write has brought in is not taken back by what was read
// before it. The lock is held.
func (f *face) newer(points []device.Point) []device.Sample {
	out := make([]device.Sample, 0, len(points))
	for i := range points {
		p := &points[i]
		if seq, known := f.seqs[p.Spec.Path]; known && p.Seq < seq {
			continue
		}
		f.seqs[p.Spec.Path] = p.Seq
		s := p.Sample
		s.Path = p.Spec.Path
		out = append(out, s)
	}
	return out
}

// followMeters has the meters produced that controllers have subscribed to, and no others. It also sees meters come and go, which follow
// does not.
func (f *face) followMeters(ctx context.Context) {
	tick := time.NewTicker(metersEvery)
	defer tick.Stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	var watched []device.Path
	stop := context.CancelFunc(func() {})
	defer func() { stop() }()
	count := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if n := f.door.cfg.Tree.Count(f.name); n != count {
			count = n
			f.survey()
		}
		want := slices.Sorted(maps.Keys(f.mirror.Watched()))
		if slices.Equal(want, watched) {
			continue
		}
		stop()
		wg.Wait()
		watched = want
		if len(watched) > 0 {
			mine, cancel := context.WithCancel(ctx)
			stop = cancel
			wg.Go(func() { f.read(mine, device.Filter{Devices: []string{f.name}, Under: watched}) })
		}
	}
}
