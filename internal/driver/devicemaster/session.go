package devicemaster

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmclient"
)

// session is one link to one box.
type session struct {
	link   *dmclient.Link
	target string
	opts   *Options
	began  time.Time
	news   chan struct{} // of size 1: something has changed
	ports  []*port
}

// port is what a session keeps of a port between two openings.
type port struct {
	number int

	mu       sync.Mutex
	settings dmclient.Settings // in force, or for the next opening
	stream   *stream           // nil while it is not open here
	lost     bool
	past     dmclient.Counts // of the openings before
}

// changed is called by the link.
func (s *session) changed() {
	select {
	case s.news <- struct{}{}:
	default:
	}
}

func (s *session) Abilities() driver.Abilities {
	return driver.Abilities{Writer: s, Commander: s, Streamer: s, Raise: s.opts.Raise}
}

// Close gives the ports back and closes the connection.
func (s *session) Close() error { return s.link.Close() }

// Read asks the box for a sign of life and gives what it has said so far: the protocol has no questions about ports.
func (s *session) Read(ctx context.Context, paths []device.Path) ([]device.Sample, error) {
	if err := s.link.Sync(ctx); err != nil {
		return nil, wrap("read", s.target, err)
	}
	now := time.Now()
	all := map[device.Path]device.Sample{}
	for _, x := range s.samples(now) {
		all[x.Path] = x
	}
	out := make([]device.Sample, len(paths))
	for i, p := range paths {
		x, ok := all[p]
		if !ok {
			x = device.Sample{Path: p, Received: now, Quality: device.Bad, Reason: device.ReasonUnsupported}
		}
		out[i] = x
	}
	return out, nil
}

// Changes of ports are told at once, but not more often than settleTime; counters every countTime.
const (
	settleTime = 20 * time.Millisecond
	countTime  = time.Second
)

// Watch tells what changes, until the link ends.
func (s *session) Watch(ctx context.Context, _ driver.Interest, sink driver.Sink) error {
	if err := s.link.Err(); err != nil {
		return wrap("watch", s.target, err)
	}
	told := map[device.Path]device.Sample{}
	all := s.samples(time.Now())
	for _, x := range all {
		told[x.Path] = x
	}
	sink.Apply(&driver.Change{Full: true, Labels: labelSets(), Specs: s.specs(), Commands: s.commands(), Streams: s.streams(), Samples: all})
	tick := time.NewTicker(countTime)
	defer tick.Stop()
	pause := time.NewTimer(0)
	defer pause.Stop()
	var news <-chan struct{}
	for {
		counters := false
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.link.Done():
			return wrap("watch", s.target, s.link.Err())
		case <-tick.C:
			counters = true
		case <-pause.C:
			news = s.news
			continue
		case <-news:
			news = nil
			pause.Reset(settleTime)
		}
		s.tell(told, counters, sink)
	}
}

// tell applies what differs from what was told; counters only when it is their time.
func (s *session) tell(told map[device.Path]device.Sample, counters bool, sink driver.Sink) {
	var out []device.Sample
	for _, x := range s.samples(time.Now()) {
		old := told[x.Path]
		if old.Value.Equal(x.Value) && old.Quality == x.Quality && old.Reason == x.Reason || !counters && counter(x.Path) {
			continue
		}
		told[x.Path] = x
		out = append(out, x)
	}
	if len(out) > 0 {
		sink.Apply(&driver.Change{Samples: out})
	}
}

// counter reports whether a point counts all the time.
func counter(p device.Path) bool {
	last := string(p[strings.LastIndexByte(string(p), '/')+1:])
	return strings.HasPrefix(last, "bytes-") || last == "outstanding" || p.Under("_link")
}

// portOf finds a port and the rest of a path below it.
func (s *session) portOf(path device.Path) (p *port, rest string, ok bool) {
	word, ok := strings.CutPrefix(string(path), "ports/")
	if !ok {
		return nil, "", false
	}
	number, rest, _ := strings.Cut(word, "/")
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > len(s.ports) || strconv.Itoa(n) != number {
		return nil, "", false
	}
	return s.ports[n-1], rest, true
}

// view is the port now.
func (p *port) view(s *session) view {
	p.mu.Lock()
	st, lost, past, settings := p.stream, p.lost, p.past, p.settings
	p.mu.Unlock()
	v := view{line: lineOf(settings), counts: past}
	switch {
	case st != nil:
		v.counts = sum(past, st.port.Counts())
		v.outstanding = st.port.Unacked()
		if err := st.port.Err(); errors.Is(err, dmclient.ErrLost) {
			v.state = stateLost
			break
		}
		v.state, v.owner, v.inputs = stateOpen, "this gateway", st.port.Inputs()
	case s.link.Busy(p.number):
		v.state, v.owner = stateBusy, "another host"
	case lost:
		v.state = stateLost
	}
	return v
}

func sum(a, b dmclient.Counts) dmclient.Counts {
	return dmclient.Counts{In: a.In + b.In, Out: a.Out + b.Out, Framing: a.Framing + b.Framing, Parity: a.Parity + b.Parity,
		Overrun: a.Overrun + b.Overrun, Breaks: a.Breaks + b.Breaks}
}
