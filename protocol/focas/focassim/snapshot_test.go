package focassim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// snapshot is everything that a client may write, as text.
func snapshot(s *Sim) string {
	var b strings.Builder
	s.do(func(m *machine) {
		for _, n := range slices.Sorted(maps.Keys(m.macros.common)) {
			fmt.Fprintf(&b, "#%d=%v ", n, m.macros.common[n])
		}
		for _, n := range m.params.all {
			for i := range n.count() {
				fmt.Fprintf(&b, "%d/%d=%d ", n.number, i, n.value(i))
			}
		}
		for _, a := range m.pmc.areas {
			sum := 0
			for i, v := range a.data {
				sum = sum*31 + i*int(v)
			}
			fmt.Fprintf(&b, "%c=%x ", a.letter, sum)
		}
		for _, p := range m.paths {
			fmt.Fprintf(&b, "%v %v %s ", p.work, p.tools, p.main.name)
			for _, f := range p.store.sorted() {
				fmt.Fprintf(&b, "%s:%d ", f.name, len(f.text))
			}
		}
		fmt.Fprintf(&b, "%v %v", m.timers, m.clock)
	})
	return b.String()
}
