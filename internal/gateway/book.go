package gateway

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/audit"
	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// maxWrites is how many writes the book keeps.
const maxWrites = 1000

// book remembers the newest writes with every step, and puts each end into the log.
type book struct {
	prefix string
	log    *slog.Logger
	record *audit.Log // nil: none
	scrub  func(string) string

	mu      sync.Mutex
	seq     uint64
	count   uint64
	ring    []*entry // oldest first
	byID    map[string]*entry
	changed chan struct{}
	endings map[string]map[ending]uint64 // by device; of those that are configured, so that made-up names take no room
}

// entry is one write; its state is guarded by the book's lock.
type entry struct {
	state north.WriteState
	open  int           // items that have not ended
	done  chan struct{} // closed when all have
}

func newBook(epoch string, log *slog.Logger, a *audit.Log, scrub func(string) string) *book {
	return &book{prefix: epoch[:min(6, len(epoch))], log: log, record: a, scrub: scrub, byID: make(map[string]*entry), changed: make(chan struct{}), endings: make(map[string]map[ending]uint64)}
}

// begin notes a write whose items have no step yet.
func (b *book) begin(who driver.Who, items []north.ItemState) *entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count++
	e := &entry{open: len(items), done: make(chan struct{})}
	if e.open == 0 {
		close(e.done)
	}
	e.state = north.WriteState{ID: fmt.Sprintf("%s-%d", b.prefix, b.count), At: time.Now(), Who: who, Items: items}
	b.ring = append(b.ring, e)
	if len(b.ring) > maxWrites {
		delete(b.byID, b.ring[0].state.ID)
		b.ring = slices.Delete(b.ring, 0, 1)
	}
	b.byID[e.state.ID] = e
	return e
}

// step adds a step to item i, after change (which may be nil) has brought the item up to date. Steps after the last one
// are dropped.
func (b *book) step(e *entry, i int, s north.Step, change func(*north.ItemState)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	it := &e.state.Items[i]
	if it.Last().Final {
		return
	}
	if change != nil {
		change(it)
	}
	s.At, s.Text = time.Now(), b.scrub(s.Text)
	s.Final = s.Final || s.Stage.Ended()
	it.Steps = append(it.Steps, s)
	b.seq++
	e.state.Seq = b.seq
	close(b.changed)
	b.changed = make(chan struct{})
	if s.Final {
		b.audit(e, it, s)
		if n := b.endings[it.Device]; n != nil {
			n[ending{whatOf(it), s.Stage}]++
		}
		if e.open--; e.open == 0 {
			close(e.done)
		}
	}
}

// update brings an item up to date without a step.
func (b *book) update(e *entry, i int, change func(*north.ItemState)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&e.state.Items[i])
}

// audit writes the one line that says who changed what and what became of it.
func (b *book) audit(e *entry, it *north.ItemState, s north.Step) {
	what := whatOf(it)
	who := e.state.Who
	args := []any{"id", e.state.ID, "user", who.User, "door", who.Door, "from", who.Addr, "device", it.Device, "path", string(it.Path),
		"outcome", string(s.Stage)}
	if it.Command {
		args = append(args, "args", fmt.Sprint(it.Args))
	} else {
		args = append(args, "old", it.Old.String(), "new", it.New.String())
	}
	if s.Text != "" {
		args = append(args, "why", s.Text)
	}
	b.log.Info(what, args...)
	if b.record == nil {
		return
	}
	line := audit.Entry{What: what, User: who.User, Door: who.Door, Addr: who.Addr, ID: e.state.ID, Device: it.Device, Path: string(it.Path),
		Outcome: string(s.Stage), Why: s.Text}
	if it.Command {
		line.New = fmt.Sprint(it.Args)
	} else {
		line.Old, line.New = it.Old.String(), it.New.String()
	}
	b.record.Add(line)
}

func whatOf(it *north.ItemState) string {
	if it.Command {
		return "command"
	}
	return "write"
}

// copyOf is what a caller may keep.
func (e *entry) copyOf() north.WriteState {
	s := e.state
	s.Items = slices.Clone(s.Items)
	for i := range s.Items {
		s.Items[i].Steps = slices.Clone(s.Items[i].Steps)
	}
	return s
}

func (b *book) get(e *entry) north.WriteState {
	b.mu.Lock()
	defer b.mu.Unlock()
	return e.copyOf()
}

// WriteByID finds one of the newest thousand writes.
func (g *Gateway) WriteByID(id string) (north.WriteState, bool) {
	b := g.book
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.byID[id]; e != nil {
		return e.copyOf(), true
	}
	return north.WriteState{}, false
}

// WriteLog lists writes with a step after seq since, in the order of their newest step, at most most (0: all that are
// kept), of one device or of all (""). With since 0 the list is cut at its beginning, so that it holds the newest; else
// at its end, so that nothing between two calls is missed.
func (g *Gateway) WriteLog(dev string, since uint64, most int) []north.WriteState {
	b := g.book
	b.mu.Lock()
	defer b.mu.Unlock()
	var hits []*entry
	for _, e := range b.ring {
		if e.state.Seq > since && (dev == "" || slices.ContainsFunc(e.state.Items, func(i north.ItemState) bool { return i.Device == dev })) {
			hits = append(hits, e)
		}
	}
	slices.SortFunc(hits, func(a, b *entry) int { return cmp.Compare(a.state.Seq, b.state.Seq) })
	if most > 0 && len(hits) > most {
		if since == 0 {
			hits = hits[len(hits)-most:]
		} else {
			hits = hits[:most]
		}
	}
	out := make([]north.WriteState, len(hits))
	for i, e := range hits {
		out[i] = e.copyOf()
	}
	return out
}

// WriteLogChanged is closed at the next step of any write.
func (g *Gateway) WriteLogChanged() <-chan struct{} {
	g.book.mu.Lock()
	defer g.book.mu.Unlock()
	return g.book.changed
}

func failed(stage north.Stage, err error) north.Step {
	return north.Step{Stage: stage, Class: driver.ClassOf(err), Text: err.Error(), Hint: driver.HintOf(err)}
}

func isGood(s *device.Sample) bool { return s.Quality == device.Good && !s.Value.IsZero() }
