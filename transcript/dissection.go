package transcript

import (
	"fmt"
	"slices"
	"time"
)

// Message is one frame with where it came from.
type Message struct {
	Flow     uint32
	Dir      Direction
	Offset   time.Duration // of the event that completed it
	Frame    Frame         // its Inside is nil: those are messages of their own, behind this one
	Raw      []byte        // the frame's bytes
	Level    int           // how many protocols carry it; 0: it is one of the flow's own
	Protocol string        // of a carried message, its protocol; empty: none that is known
	Carries  bool          // it completes messages of Level+1, which follow
}

// Dissection takes the events of a recording apart, with one [Dissector] for each flow. It holds the bytes of incomplete
// frames and nothing else, and is not safe for concurrent use.
type Dissection struct {
	open  func() Dissector
	flows map[uint32]*flowState
	order []uint32
}

type flowState struct {
	d       Dissector
	sides   [2]sideState
	lastOff time.Duration
}

type sideState struct {
	base int64 // offset of the first byte of held
	held []byte
	done bool
}

// NewDissection uses open for each new flow.
func NewDissection(open func() Dissector) *Dissection {
	return &Dissection{open: open, flows: map[uint32]*flowState{}}
}

func sideOf(d Direction) int {
	if d == FromServer {
		return 1
	}
	return 0
}

// Feed takes the next event and returns the messages that it completes. A close or reset ends the direction. A frame that
// does not follow the one before it is a fault of the dissector: it comes back with Err set and without bytes.
func (d *Dissection) Feed(e *Event) []Message {
	if e.Kind == Comment || e.Dir == Neither {
		return nil
	}
	f := d.flows[e.Flow]
	if f == nil {
		f = &flowState{d: d.open()}
		d.flows[e.Flow] = f
		d.order = append(d.order, e.Flow)
	}
	f.lastOff = e.Offset
	s := &f.sides[sideOf(e.Dir)]
	switch e.Kind {
	case Data, Datagram:
		s.held = append(s.held, e.Data...)
		s.done = false
		return f.messages(e.Flow, e.Dir, f.d.Feed(e.Dir, e.Data))
	case Close, Reset:
		return f.end(e.Flow, e.Dir)
	}
	return nil
}

// End returns what is left of every flow.
func (d *Dissection) End() []Message {
	var out []Message
	for _, flow := range d.order {
		f := d.flows[flow]
		out = append(out, f.end(flow, FromClient)...)
		out = append(out, f.end(flow, FromServer)...)
	}
	return out
}

func (f *flowState) end(flow uint32, dir Direction) []Message {
	s := &f.sides[sideOf(dir)]
	if s.done {
		return nil
	}
	s.done = true
	return f.messages(flow, dir, f.d.End(dir))
}

func (f *flowState) messages(flow uint32, dir Direction, frames []Frame) []Message {
	s := &f.sides[sideOf(dir)]
	out := make([]Message, 0, len(frames))
	for _, fr := range frames {
		m := Message{Flow: flow, Dir: dir, Offset: f.lastOff, Frame: fr}
		if fr.Offset != s.base || fr.Length < 0 || fr.Length > len(s.held) {
			m.Frame.Err = fmt.Errorf("the dissector gave bytes %d to %d of the %v's, and %d to %d were to come", fr.Offset,
				fr.Offset+int64(fr.Length), dir, s.base, s.base+int64(len(s.held)))
		} else {
			m.Raw = slices.Clone(s.held[:fr.Length])
			s.held = s.held[fr.Length:]
			s.base += int64(fr.Length)
		}
		m.Carries, m.Frame.Inside = len(fr.Inside) > 0, nil
		if fr.Length > 0 || !m.Carries || m.Frame.Err != nil {
			out = append(out, m)
		}
		for _, in := range fr.Inside {
			in.Flow, in.Dir, in.Offset = flow, dir, f.lastOff
			in.Level++
			out = append(out, in)
		}
	}
	return out
}
