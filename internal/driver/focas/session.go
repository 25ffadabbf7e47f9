package focas

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focasclient"
)

// closeWait bounds the polite goodbye.
const closeWait = time.Second

// maxBatches bounds how many plans are kept: the same few sets of points come due together again and again.
const maxBatches = 32

// session is one conversation with one control.
type session struct {
	client *focasclient.Client
	target string
	opts   *Options

	changes atomic.Uint64 // requests that may have changed what reads show
	units   atomic.Int32  // PMC units; 0: not asked yet

	mu      sync.Mutex // one sweep or write at a time; guards what follows
	table   *table
	batches map[string]*plan
	amended []device.Spec // specs that changed while decoding, not yet told
	link    linkMeter
	got     *samples
	key     []byte            // scratch of planOf
	alive   []int             // scratch of sweep
	again   []int             // sources of the running sweep that are to be asked once more
	asked   *plan             // by the running sweep
	takeAll func(reads []int) // takeReads, bound once

	readings []*reading
}

// plan is a batch with the sources behind its items.
type plan struct {
	batch   *focasclient.Batch
	sources []int
}

func (s *session) Abilities() driver.Abilities { return driver.Abilities{Writer: s} }

// Close says goodbye and closes the connection.
func (s *session) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeWait)
	defer cancel()
	return s.client.Close(ctx)
}

// Read asks for the sources of the given points, in as few frames as the control's limits allow.
func (s *session) Read(ctx context.Context, paths []device.Path) ([]device.Sample, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.read(ctx, paths, nil)
}

// read puts the samples into the room of out where that is enough.
func (s *session) read(ctx context.Context, paths []device.Path, out []device.Sample) ([]device.Sample, error) {
	got := s.got
	got.begin()
	r := s.readingOf(paths)
	if err := s.sweep(ctx, s.withBackground(r.sources), got); err != nil {
		return nil, wrap("read", s.target, err)
	}
	s.link.fill(s.client.Stats(), got)
	out = slices.Grow(out[:0], len(paths))[:len(paths)]
	for i, p := range paths {
		if sample := got.get(p, &r.places[i]); sample != nil {
			out[i] = *sample
		} else {
			out[i] = r.unasked[i]
			out[i].Received = got.now
		}
	}
	return out, nil
}

// unasked is the sample of a point that no answer of a sweep is about.
func (s *session) unasked(p device.Path) device.Sample {
	if v, ok := s.table.said[p]; ok {
		return device.Sample{Path: p, Value: v}
	}
	out := device.Sample{Path: p, Quality: device.Bad, Reason: device.ReasonNotReported}
	if _, known := s.table.byPoint[p]; !known && !isLinkPoint(p) {
		out.Reason = device.ReasonUnsupported
	}
	return out
}

// reading is what is known of a set of points that is asked for again and again.
type reading struct {
	paths   []device.Path
	sources []int           // behind the points, each once, in the order of the table
	places  []int           // of the points in samples; -1: not known yet
	unasked []device.Sample // of the points that no answer is about
}

// maxReadings bounds how many are kept.
const maxReadings = 16

func (s *session) readingOf(paths []device.Path) *reading {
	for _, r := range s.readings {
		if slices.Equal(r.paths, paths) {
			return r
		}
	}
	if len(s.readings) >= maxReadings {
		s.readings = nil
	}
	r := &reading{paths: slices.Clone(paths), places: make([]int, len(paths)), unasked: make([]device.Sample, len(paths))}
	for k, p := range paths {
		r.places[k], r.unasked[k] = -1, s.unasked(p)
		if i, ok := s.table.byPoint[p]; ok {
			r.sources = append(append(r.sources, i), s.table.sources[i].needs...)
		}
	}
	slices.Sort(r.sources)
	r.sources = slices.Compact(r.sources)
	s.readings = append(s.readings, r)
	return r
}

// withBackground adds the sources that have no points of their own (units, display flags, the date) when their period
// has passed.
func (s *session) withBackground(sources []int) []int {
	if len(sources) == 0 {
		return nil
	}
	now, out := time.Now(), sources
	for i, src := range s.table.sources {
		if len(src.points) == 0 && (src.lastAsked.IsZero() || now.Sub(src.lastAsked) >= s.period(src.rate)) {
			src.lastAsked = now
			out = append(slices.Clip(out), i)
		}
	}
	if len(out) > len(sources) {
		slices.Sort(out)
		out = slices.Compact(out)
	}
	return out
}

// sweep asks the sources and decodes what comes back. A source that the control does not have is replaced by its other
// way to ask, once and for the rest of the session, and asked again in the same sweep.
func (s *session) sweep(ctx context.Context, sources []int, got *samples) error {
	s.alive = s.alive[:0]
	for _, i := range sources {
		if src := s.table.sources[i]; src.dead != "" {
			for _, p := range src.points {
				got.bad(p, src.dead)
			}
			continue
		}
		s.alive = append(s.alive, i)
	}
	if len(s.alive) == 0 {
		return nil
	}
	s.asked, s.again = s.planOf(s.alive), s.again[:0]
	if err := s.asked.batch.DoEach(ctx, s.client, s.takeAll); err != nil {
		return err
	}
	if len(s.again) > 0 {
		again := slices.Clone(s.again)
		clear(s.batches)
		s.readings = nil
		return s.sweep(ctx, again, got)
	}
	return nil
}

// takeReads decodes the reads of the running sweep that have just been answered.
func (s *session) takeReads(reads []int) {
	s.got.now = time.Now()
	for _, k := range reads {
		if s.take(s.asked, k, s.got) {
			s.again = append(s.again, s.asked.sources[k])
		}
	}
}

// take decodes read k of a plan. It reports whether its source has been replaced and is to be asked again.
func (s *session) take(pl *plan, k int, got *samples) bool {
	i := pl.sources[k]
	src := s.table.sources[i]
	payload, err := pl.batch.Payload(k)
	if err == nil {
		err = src.take(payload, got)
	}
	switch {
	case err == nil:
	case reasonOf(err) != device.ReasonUnsupported:
		got.fail(src, err)
	case src.other != nil:
		s.table.sources[i] = src.other
		return true
	default:
		src.dead = device.ReasonUnsupported
		got.fail(src, err)
	}
	return false
}

// planOf keeps no reference to sources.
func (s *session) planOf(sources []int) *plan {
	s.key = s.key[:0]
	for _, i := range sources {
		s.key = binary.AppendUvarint(s.key, uint64(i))
	}
	if pl, ok := s.batches[string(s.key)]; ok {
		return pl
	}
	if len(s.batches) >= maxBatches {
		clear(s.batches)
	}
	pl := &plan{batch: s.client.Batch(), sources: slices.Clone(sources)}
	for k := 0; k < len(sources); {
		group := s.table.sources[sources[k]].group
		var parts []focasclient.Part
		for ; k < len(sources); k++ {
			src := s.table.sources[sources[k]]
			if len(parts) > 0 && (group == 0 || src.group != group) {
				break
			}
			parts = append(parts, focasclient.Part{Request: src.request, Payload: src.payload})
		}
		pl.batch.AddTogether(parts...)
	}
	s.batches[string(s.key)] = pl
	return pl
}

// Watch polls what anyone wants. Specs that change while reading (units, decimals) are told before the samples that show
// them.
func (s *session) Watch(ctx context.Context, want driver.Interest, sink driver.Sink) error {
	// The full change comes after the first read, which may have changed specs already.
	full := false
	first := driver.AmendFull(sink, func(c *driver.Change) {
		c.Specs, full = s.allSpecs(), true
		s.mu.Lock()
		defer s.mu.Unlock()
		c.Labels = slices.Clone(s.table.labels)
	})
	err := driver.Poll(ctx, s.allSpecs(), s.period, s.readAndTell(sink, &full), want, first)
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return err
	}
	return wrap("watch", s.target, err)
}

func (s *session) allSpecs() []device.Spec {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(slices.Clone(s.table.specs), linkSpecs()...)
}

func (s *session) period(r device.Rate) time.Duration {
	switch r {
	case device.Fast, device.Meter:
		return s.opts.Poll
	case device.Slow:
		return s.opts.Slow
	}
	return s.opts.Normal
}

func (s *session) readAndTell(sink driver.Sink, full *bool) func(context.Context, []device.Path) ([]device.Sample, error) {
	var out []device.Sample // used again by each read: a sink keeps nothing
	return func(ctx context.Context, paths []device.Path) (_ []device.Sample, err error) {
		s.mu.Lock()
		out, err = s.read(ctx, paths, out)
		news := s.amended
		s.amended = nil
		s.mu.Unlock()
		if len(news) > 0 && *full {
			sink.Apply(&driver.Change{Specs: news})
		}
		return out, err
	}
}

// amend changes how a point is shown and remembers to tell.
func (s *session) amend(p device.Path, to look) {
	if spec, news := s.table.amend(p, to); news {
		s.amended = append(s.amended, spec)
	}
}

func codeOf(err error) (focas.Code, bool) {
	var fe *focas.Error
	if errors.As(err, &fe) {
		return fe.Code, true
	}
	return 0, false
}
