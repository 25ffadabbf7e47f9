package focas

import (
	"context"
	"slices"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
)

// build makes the table of points from what the control says it has, then reads all of it once: static data stays, units
// and decimals are known before the first change, and what the control lacks is not asked again.
func (s *session) build(ctx context.Context) error {
	ctl, err := survey(ctx, s.client)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := newTable()
	s.table = t
	for i, p := range ctl.paths {
		if i == 0 {
			s.addIdentity(t, p)
		}
		s.addStatus(t, ctl, p)
		s.addAxes(t, ctl, p)
		s.addFeed(t, ctl, p)
		s.addSpindles(t, p)
		s.addProgram(t, ctl, p)
		s.addParts(t, ctl, p)
		s.addModal(t, p)
		s.addOverrides(t, p)
		s.addPanel(t, p)
		s.addMemory(t, p)
	}
	if len(ctl.paths) > 0 {
		s.addAlarms(t, ctl)
		s.addTimers(t, ctl.paths[0])
		if err := s.addConfigured(ctx, t, ctl); err != nil {
			return err
		}
	}
	all := make([]int, len(t.sources))
	for i := range all {
		all[i] = i
		t.sources[i].lastAsked = time.Now()
	}
	s.got = newSamples()
	s.got.begin()
	if err := s.sweep(ctx, all, s.got); err != nil {
		return err
	}
	// Once more for what hangs on the first answers: positions by their units, the comment by the running program.
	if err := s.sweep(ctx, all, s.got); err != nil {
		return err
	}
	for _, p := range s.staticPoints() {
		unknown := -1
		if sample := s.got.get(p, &unknown); sample != nil && sample.Quality == device.Good {
			t.said[p] = sample.Value
			delete(t.byPoint, p)
		}
	}
	s.amended = nil
	return nil
}

func (s *session) staticPoints() []device.Path {
	var out []device.Path
	for _, sp := range s.table.specs {
		if _, asked := s.table.byPoint[sp.Path]; asked && sp.Rate == device.Static {
			out = append(out, sp.Path)
		}
	}
	return slices.Clip(out)
}
