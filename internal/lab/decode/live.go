package decode

import (
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"time"

	"github.com/patchbay-io/patchbay/transcript"
)

// Live shows a conversation while it is recorded: messages where a protocol is known, counts where none is. It is not safe
// for concurrent use. Its output is not buffered beyond the event at hand.
type Live struct {
	o      Options
	out    io.Writer
	w      printer
	s      *stream
	result Result
	counts map[uint32]*liveCount
	broken bool
}

// liveCount is what is shown of a flow that cannot be decoded.
type liveCount struct {
	bytes, pieces [2]int64
	shown         time.Duration
	dirty         bool
}

// countEvery is the least time between two lines of counts of a flow.
const countEvery = time.Second

// NewLive writes to out. With o.Protocol every flow is taken for that protocol, else each is guessed.
func NewLive(out io.Writer, o Options) (*Live, error) {
	l := &Live{o: o, out: out, counts: map[uint32]*liveCount{}}
	if o.Protocol != "" && find(o.Protocol) == nil {
		return nil, unknownProtocol(o.Protocol)
	}
	l.result.Capture = true
	l.s = &stream{o: o, flows: map[uint32]*streamFlow{}, result: &l.result, others: map[string]*other{}, decoded: map[string]bool{}}
	if o.JSON {
		l.w = &jsonPrinter{enc: newEncoder(out), brief: o.Brief, capture: true}
	} else {
		l.w = &textPrinter{w: out, brief: o.Brief}
	}
	return l, nil
}

// Result is what was shown so far.
func (l *Live) Result() Result { return l.result }

// Event shows the next event. port is the server's. The error is the writer's; a decoder that fails is reported in the
// output and not used any more.
func (l *Live) Event(network string, port uint16, e *transcript.Event) error {
	if !l.broken {
		failure, err := l.decode(&record{Event: *e, network: network, port: port})
		if err != nil {
			return err
		}
		if failure != "" {
			l.broken = true
			if err := l.w.event(&record{Event: transcript.Event{Kind: transcript.Comment, Text: "the decoder failed, counts follow: " + failure}}); err != nil {
				return err
			}
		}
	}
	return l.count(e)
}

// decode returns what a decoder said when it broke down. A decoder reads what a stranger sent; its faults must not end a
// recording.
func (l *Live) decode(r *record) (failure string, err error) {
	defer func() {
		if p := recover(); p != nil {
			place := "?"
			if lines := strings.Split(string(debug.Stack()), "\n"); len(lines) > 8 {
				place = strings.TrimSpace(lines[8])
			}
			failure = fmt.Sprintf("%v, at %s", p, place)
		}
	}()
	if r.Kind == transcript.Open {
		if f := l.s.flows[r.Flow]; f != nil {
			l.s.end(f)
			delete(l.s.flows, r.Flow)
		}
	}
	l.s.take(r)
	return "", l.drain()
}

func (l *Live) drain() error {
	defer func() {
		clear(l.s.queue)
		l.s.queue = l.s.queue[:0]
	}()
	for _, it := range l.s.queue {
		var err error
		if it.rec != nil {
			err = l.w.event(it.rec)
		} else {
			err = l.w.message(it.msg, it.by)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// count shows how much a flow said that cannot be decoded, now and then and at its end.
func (l *Live) count(e *transcript.Event) error {
	f := l.s.flows[e.Flow]
	if f != nil && !l.broken && f.protocol != nil {
		delete(l.counts, e.Flow)
		return nil
	}
	c := l.counts[e.Flow]
	if c == nil && len(e.Data) > 0 && (f != nil || l.broken) {
		c = &liveCount{shown: e.Offset}
		l.counts[e.Flow] = c
	}
	if c == nil {
		return nil
	}
	if e.Kind == transcript.Data || e.Kind == transcript.Datagram {
		side := 0
		if e.Dir == transcript.FromServer {
			side = 1
		}
		c.bytes[side] += int64(len(e.Data))
		c.pieces[side]++
		c.dirty = true
	}
	over := e.Kind == transcript.Close || e.Kind == transcript.Reset
	if !c.dirty || !over && e.Offset-c.shown < countEvery {
		return nil
	}
	c.shown, c.dirty = e.Offset, false
	if over && f == nil {
		delete(l.counts, e.Flow)
	}
	return l.w.event(&record{Event: transcript.Event{Flow: e.Flow, Dir: transcript.Neither, Kind: transcript.Note, Offset: e.Offset,
		Text: fmt.Sprintf("%s bytes in %s pieces from the client, %s bytes in %s pieces from the server", thousands(c.bytes[0]), thousands(c.pieces[0]),
			thousands(c.bytes[1]), thousands(c.pieces[1]))}})
}
