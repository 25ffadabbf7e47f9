package prom

import (
	"slices"

	"github.com/patchbay-io/patchbay/internal/device"
)

// weight is how many series a point has while it is good.
func weight(p *device.Point) int {
	if linkMetricOf(p.Spec.Path) != nil {
		return 0
	}
	switch p.Spec.Kind {
	case device.Bool, device.Int, device.Float:
		return 1
	case device.Enum:
		if p.Labels == nil {
			return 1
		}
		return max(1, len(p.Labels.Items))
	}
	return 0
}

// limit fills s.keep: which points have series when there may be most of them. It goes by what points are, not by what they
// hold, so the choice stays the same from scrape to scrape. Devices get equal shares; what one does not need goes to the
// others. Within a device points with a role come first, then the others, both in the order of their paths. It returns how
// many series of each device are left out.
func (s *scrape) limit(points []device.Point, most int) map[string]int {
	s.keep = slices.Grow(s.keep[:0], len(points))[:len(points)]
	type part struct {
		from, to, weight, share int
	}
	var parts []part // devices, which stand together
	total := 0
	for i := range points {
		if i == 0 || points[i].Device != points[i-1].Device {
			parts = append(parts, part{from: i})
		}
		w := weight(&points[i])
		s.keep[i] = w > 0
		p := &parts[len(parts)-1]
		p.to = i + 1
		p.weight += w
		total += w
	}
	out := map[string]int{}
	if total <= most {
		return out
	}
	order := make([]int, len(parts))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return parts[a].weight - parts[b].weight })
	for left, n := most, len(order); n > 0; n-- {
		p := &parts[order[len(order)-n]]
		p.share = min(p.weight, left/n)
		left -= p.share
	}
	for _, p := range parts {
		room := p.share
		for _, withRole := range []bool{true, false} {
			for i := p.from; i < p.to; i++ {
				w := weight(&points[i])
				if w == 0 || (points[i].Spec.Role != "") != withRole {
					continue
				}
				if s.keep[i] = w <= room; s.keep[i] {
					room -= w
				}
			}
		}
		if n := p.weight - p.share + room; n > 0 {
			out[points[p.from].Device] = n
		}
	}
	return out
}
