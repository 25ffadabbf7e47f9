package replay

import (
	"bytes"
	"errors"
	"time"

	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/openswitcher"
	"github.com/patchbay-io/patchbay/transcript"
)

// ATEM is what a switcher said in a recording: the state that its dump tells, and what changed later and when. It comes from
// the first session that has a whole dump, over UDP or over an OpenSwitcher relay. A switcher pushes, so a recording cannot
// answer by request; a simulated switcher can begin with the state and take the changes at their time.
type ATEM struct {
	State   *atem.State
	Changes []ATEMChange
}

// ATEMChange is the fields of one packet, and how long after the dump they came.
type ATEMChange struct {
	After  time.Duration
	Fields []atem.Field
}

// ErrNoDump is the cause when no session of a recording has a whole dump.
var ErrNoDump = errors.New("the recording has no session in which a switcher says everything that it is (from _ver to InCm)")

// ReadATEM reads a recording from a file.
func ReadATEM(name string) (*ATEM, error) {
	return readFile(name, NewATEM)
}

// NewATEM learns from a recording.
func NewATEM(t *transcript.Transcript) (*ATEM, error) {
	if err := mustBe(t, "a switcher", "atem", "openswitcher"); err != nil {
		return nil, err
	}
	sides := map[uint32]*switcherSide{}
	for i := range t.Events {
		e := &t.Events[i]
		if e.Dir != transcript.FromServer || e.Kind != transcript.Data && e.Kind != transcript.Datagram {
			continue
		}
		s := sides[e.Flow]
		if s == nil {
			s = &switcherSide{}
			sides[e.Flow] = s
		}
		s.feed(e)
	}
	for _, flow := range t.Flows() {
		if s := sides[flow]; s != nil && s.state.Complete() {
			return &ATEM{State: &s.state, Changes: s.changes}, nil
		}
	}
	return nil, ErrNoDump
}

// switcherSide is what the switcher says in one session.
type switcherSide struct {
	state   atem.State
	changes []ATEMChange
	began   time.Duration
	stream  []byte // of a relay
	next    uint16 // number of the packet that comes next over UDP, when it is known
	known   bool
}

func (s *switcherSide) feed(e *transcript.Event) {
	if e.Kind == transcript.Datagram {
		p, err := atem.ParsePacket(e.Data)
		if err != nil || p.Flags&atem.FlagHandshake != 0 || p.Flags&atem.FlagNumbered == 0 || s.known && p.Number&atem.NumberMask != s.next {
			return // sent again, or out of order: it comes again in its place
		}
		s.known, s.next = true, (p.Number+1)&atem.NumberMask
		s.take(e.Offset, p.Payload)
		return
	}
	s.stream = append(s.stream, e.Data...)
	for {
		r := bytes.NewReader(s.stream)
		payload, err := openswitcher.NewReader(r).Next(openswitcher.MaxPacket)
		if err != nil {
			return // the rest is to come
		}
		s.take(e.Offset, payload)
		s.stream = s.stream[len(s.stream)-r.Len():]
	}
}

// take takes the fields of a packet in.
func (s *switcherSide) take(at time.Duration, payload []byte) {
	var list []atem.Field
	complete := s.state.Complete()
	for f, err := range atem.Fields(payload) {
		if err != nil {
			return
		}
		if info, ok := atem.Lookup(f.Code); ok && info.OSW {
			continue
		}
		if !complete {
			s.state.Apply(&f)
			s.began = at
			complete = s.state.Complete()
			continue
		}
		f.Body = bytes.Clone(f.Body)
		list = append(list, f)
	}
	if len(list) > 0 {
		s.changes = append(s.changes, ATEMChange{at - s.began, list})
	}
}
