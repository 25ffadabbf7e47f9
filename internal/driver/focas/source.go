package focas

import (
	"bytes"
	"context"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/focas"
)

// source is one request block that fills one or more points. A point has exactly one source.
type source struct {
	name    string // what the plan shows: the FOCAS call and its object
	request focas.Request
	payload int // estimate of the answer in bytes
	rate    device.Rate
	points  []device.Path
	// decode reads the answer. It sets samples of its own points only; those that it leaves out are not-reported.
	decode func(payload []byte, out *samples) error
	// group: sources of one group that are due together travel in one frame where they fit it; 0 is none.
	group int
	// needs are sources that are asked whenever this one is, by their index.
	needs []int
	// lastAsked paces a source without points, which is read along with others once in its period.
	lastAsked time.Time
	// steady: the same answer means the same samples, so that texts and lists are not made again. What the answer depends on
	// beside its bytes (units, the date) forbids it.
	steady  bool
	answer  []byte // the last one decoded, when steady
	decoded uint64 // the sweep whose samples stand for it
	places  []int  // of the points in samples; nil: not looked up yet
	// other is the way to ask when the control does not have this function; nil: there is none.
	other *source
	// dead is why the source is not asked any more.
	dead string
}

// take decodes an answer, or renews what it stood for when it is the same as before.
func (src *source) take(payload []byte, got *samples) error {
	if src.steady && src.decoded != 0 && bytes.Equal(payload, src.answer) {
		got.renew(src)
		return nil
	}
	src.decoded = 0
	err := src.decode(payload, got)
	if err == nil && src.steady {
		src.answer, src.decoded = append(src.answer[:0], payload...), got.round
	}
	return err
}

// samples holds the newest sample of each point, and which of them the running sweep has renewed.
type samples struct {
	now   time.Time
	index map[device.Path]int // place of a point in list
	list  []device.Sample
	round uint64   // number of the running sweep
	seen  []uint64 // by place: the last sweep that renewed it
	next  int      // the place that is likely noted next: sweeps note the same points in the same order
}

func newSamples() *samples { return &samples{index: map[device.Path]int{}} }

// begin starts a sweep.
func (s *samples) begin() { s.round, s.now = s.round+1, time.Now() }

func (s *samples) set(p device.Path, v device.Value) { s.note(p, v, device.Good, "") }

func (s *samples) bad(p device.Path, reason string) { s.note(p, device.Value{}, device.Bad, reason) }

func (s *samples) note(p device.Path, v device.Value, q device.Quality, reason string) {
	i := s.next
	if i >= len(s.list) || s.list[i].Path != p {
		i = s.place(p)
	}
	to := &s.list[i] // has its path, and no point has a time of its own
	to.Value, to.Quality, to.Reason, to.Received = v, q, reason, s.now
	s.seen[i] = s.round
	s.next = i + 1
}

// place finds or makes the place of a point. It stays the same from then on.
func (s *samples) place(p device.Path) int {
	i, ok := s.index[p]
	if !ok {
		i = len(s.list)
		s.index[p] = i
		s.list, s.seen = append(s.list, device.Sample{Path: p}), append(s.seen, 0)
	}
	return i
}

// get is the sample of a point if the running sweep has renewed it, else nil. at is what is known of the point's place, -1
// for nothing; get learns it.
func (s *samples) get(p device.Path, at *int) *device.Sample {
	if *at < 0 {
		i, ok := s.index[p]
		if !ok {
			return nil
		}
		*at = i
	}
	if s.seen[*at] != s.round {
		return nil
	}
	return &s.list[*at]
}

// renew says that the points of a source still hold what they held when its answer was the same.
func (s *samples) renew(src *source) {
	if src.places == nil {
		for _, p := range src.points {
			src.places = append(src.places, s.place(p))
		}
	}
	for _, i := range src.places {
		if s.seen[i] == src.decoded {
			s.list[i].Received, s.seen[i] = s.now, s.round
			s.next = i + 1
		}
	}
	src.decoded = s.round
}

// fail marks all points of a source with the reason that an error gives.
func (s *samples) fail(src *source, err error) {
	for _, p := range src.points {
		s.bad(p, reasonOf(err))
	}
}

// reasonOf is the quality reason of a refused read. What the control does not have is "unsupported"; another refusal
// carries the control's code behind the word, as in "refused: EW_NUMBER".
func reasonOf(err error) string {
	code, ok := codeOf(err)
	switch {
	case !ok:
		return device.ReasonInvalid
	case classOfCode(code) == driver.Unsupported:
		return device.ReasonUnsupported
	}
	return device.ReasonRefused + ": " + code.String()
}

// table is everything that a session reads, and what it says about it.
type table struct {
	sources []*source
	byPoint map[device.Path]int // index of the point's source
	specs   []device.Spec
	bySpec  map[device.Path]int
	labels  []device.LabelSet
	said    map[device.Path]device.Value // points that need no asking
	writes  map[device.Path]writer
}

// writer changes one point. It runs under the session's lock.
type writer func(ctx context.Context, v device.Value) error

func newTable() *table {
	return &table{byPoint: map[device.Path]int{}, bySpec: map[device.Path]int{}, labels: standardLabels(),
		said: map[device.Path]device.Value{}, writes: map[device.Path]writer{}}
}

// add puts a source and its points into the table. A point whose path is taken is left out, so that a device with odd
// names still works.
func (t *table) add(src *source, specs ...device.Spec) int {
	for _, sp := range specs {
		if _, taken := t.byPoint[sp.Path]; taken {
			continue
		}
		if sp.Rate == 0 {
			sp.Rate = src.rate
		}
		t.tell(sp)
		t.byPoint[sp.Path] = len(t.sources)
		src.points = append(src.points, sp.Path)
	}
	if src.other != nil {
		src.other.points, src.other.rate, src.other.group = src.points, src.rate, src.group
	}
	t.sources = append(t.sources, src)
	return len(t.sources) - 1
}

// tell adds a spec. What can be written by a writer says so; the rest is read-only.
func (t *table) tell(sp device.Spec) {
	if sp.Access == 0 {
		sp.Access = device.R
	}
	if sp.Grade == "" {
		sp.Grade = device.GradeSeen
	}
	t.bySpec[sp.Path] = len(t.specs)
	t.specs = append(t.specs, sp)
}

// canWrite makes a point that was added writable; the control's answer to a read confirms a write.
func (t *table) canWrite(p device.Path, hazard string, w writer) {
	i, ok := t.bySpec[p]
	if !ok {
		return
	}
	t.specs[i].Access, t.specs[i].Confirm, t.specs[i].Hazard = device.RW, device.ByReadBack, hazard
	t.writes[p] = w
}

// look is what the control can change about a point while it runs.
type look struct {
	unit     string
	decimals int
	step     float64
}

// amend changes how a point is shown and reports whether that was news.
func (t *table) amend(p device.Path, to look) (device.Spec, bool) {
	i, ok := t.bySpec[p]
	if !ok {
		return device.Spec{}, false
	}
	sp := &t.specs[i]
	if sp.Unit == to.unit && sp.Decimals == to.decimals && sp.Step == to.step {
		return device.Spec{}, false
	}
	sp.Unit, sp.Decimals, sp.Step = to.unit, to.decimals, to.step
	return *sp, true
}
