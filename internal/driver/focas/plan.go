package focas

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// Plan opens the control, reads everything once to learn what it has, and says which reads travel together in which frame,
// a line each, for people. It leaves nothing open.
func (d Driver) Plan(ctx context.Context, env driver.Env, target driver.Target) (lines []string, err error) {
	opened, err := d.Open(ctx, env, target)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	s, ok := opened.(*session)
	if !ok {
		return nil, fmt.Errorf("plan of %s: %T is no FOCAS session", target.Name, opened)
	}
	var paths []device.Path
	for _, spec := range s.allSpecs() {
		paths = append(paths, spec.Path)
	}
	if _, err := s.Read(ctx, paths); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []int
	for _, rate := range []device.Rate{device.Fast, device.Normal, device.Slow} {
		var due []int
		for i, src := range s.table.sources {
			if src.dead == "" && src.rate == rate {
				due = append(due, i)
			}
		}
		if len(due) > 0 {
			lines = append(lines, s.planLines(fmt.Sprintf("every %v", s.period(rate)), due, true)...)
		}
		all = append(all, due...)
	}
	return append(lines, s.planLines("when all of it is due at once", all, false)...), nil
}

// planLines describes the frames of a set of sources; the lock is held.
func (s *session) planLines(when string, sources []int, frames bool) []string {
	pl := s.planOf(sources)
	out := []string{fmt.Sprintf("%s: %s in %s", when, amount(pl.batch.Len(), "read"), amount(len(pl.batch.Plan()), "frame"))}
	if !frames {
		return out
	}
	for i, frame := range pl.batch.Plan() {
		size := 0
		var names []string
		for _, k := range frame {
			src := s.table.sources[pl.sources[k]]
			size += src.payload
			names = append(names, src.name)
		}
		out = append(out, fmt.Sprintf("  frame %d, about %d bytes of answers: %s", i+1, size, strings.Join(names, ", ")))
	}
	return out
}

func amount(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
