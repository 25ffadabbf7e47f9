package decode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/patchbay-io/patchbay/protocol/rfc6455"
	"github.com/patchbay-io/patchbay/transcript"
)

// ErrDamaged is the cause when an input cannot be read to its end. What stands before the damage has been shown.
var ErrDamaged = errors.New("the rest cannot be read")

// item is one thing that an input holds: an event that carries no bytes, a gap, or a message.
type item struct {
	rec *record // nil for a message; valid until the next call
	msg *transcript.Message
	by  *Protocol // of a message; nobodys when what carries it is known and it is not
}

// nobodys is the protocol of carried bytes of which none is known; never changed.
var nobodys Protocol

// stream takes one input apart. Each flow of a capture has a protocol of its own; in a transcript or in hex all flows have
// the same.
type stream struct {
	src     source
	o       Options
	only    *Protocol // of all flows; nil for a capture
	head    []record  // read ahead for a guess, with data of their own
	flows   map[uint32]*streamFlow
	order   []uint32 // of flows, as they began
	queue   []item
	at      int
	ended   error
	result  *Result
	others  map[string]*other
	decoded map[string]bool
}

// other is traffic of a capture that is no protocol we know.
type other struct {
	flows int
	bytes int64
}

// What is held of a flow of a capture until its protocol is known.
const (
	undecidedBytes  = 1024
	undecidedEvents = 16
)

// maxOthers is how many kinds of other traffic are told apart.
const maxOthers = 64

type streamFlow struct {
	open     record
	decided  bool
	protocol *Protocol // nil: none that is known
	other    *other    // where it is counted then
	d        *transcript.Dissection
	held     []record
	bytes    int
	ended    int // directions
}

// openStream reads ahead as far as the choice of a protocol needs.
func openStream(r io.Reader, o Options, res *Result) (*stream, error) {
	src, err := openSource(r, o.Limits)
	if err != nil {
		return nil, err
	}
	s := &stream{src: src, o: o, flows: map[uint32]*streamFlow{}, result: res, others: map[string]*other{}, decoded: map[string]bool{}}
	if src.capture() {
		if o.Protocol != "" && find(o.Protocol) == nil {
			return nil, unknownProtocol(o.Protocol)
		}
		res.Capture = true
		res.Protocol, res.Guessed = o.Protocol, o.Protocol == ""
		return s, nil
	}
	if err := s.readAhead(); err != nil {
		return nil, err
	}
	s.only, res.Guessed, err = choose(o.Protocol, src.header().Protocol, s.head)
	if err != nil {
		if s.ended != nil && res.Guessed {
			return nil, s.ended // what cannot be read may be why nothing is recognised
		}
		return nil, err
	}
	res.Protocol = s.only.Name
	return s, nil
}

// readAhead reads as many events as a guess needs. An error behind the first event is kept for its place.
func (s *stream) readAhead() error {
	for n := 0; n < guessBytes && len(s.head) < guessEvents; {
		r, err := s.src.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			if n == 0 {
				return err
			}
			s.ended = err
			return nil
		}
		r.Data = slices.Clone(r.Data)
		n += len(r.Data)
		s.head = append(s.head, r)
	}
	return nil
}

// next is the next thing; io.EOF at the end. Errors about the input satisfy [ErrDamaged].
func (s *stream) next(ctx context.Context) (item, error) {
	for s.at == len(s.queue) {
		clear(s.queue)
		s.queue, s.at = s.queue[:0], 0
		if err := ctx.Err(); err != nil {
			return item{}, err
		}
		if s.flows == nil {
			return item{}, s.ended
		}
		if len(s.head) > 0 {
			s.take(&s.head[0])
			s.head = s.head[1:]
			continue
		}
		if s.ended == nil {
			r, err := s.src.next()
			if err == nil {
				s.take(&r)
				continue
			}
			s.ended = err
		}
		if s.ended != io.EOF {
			s.ended = fmt.Errorf("%w: %w", ErrDamaged, s.ended)
		}
		s.finish()
	}
	s.at++
	return s.queue[s.at-1], nil
}

// finish ends all flows.
func (s *stream) finish() {
	for _, id := range s.order {
		if f := s.flows[id]; f != nil {
			s.end(f)
		}
	}
	s.flows = nil
	if s.result.Capture && len(s.decoded) > 0 {
		var names []string
		for n := range s.decoded {
			names = append(names, n)
		}
		slices.Sort(names)
		s.result.Protocol = strings.Join(names, ", ")
	}
}

func (s *stream) end(f *streamFlow) {
	if !f.decided {
		s.decide(f, true)
	}
	if f.d != nil {
		s.messages(f, f.d.End())
		f.d = nil
	}
}

func (s *stream) take(r *record) {
	if r.Kind == transcript.Comment {
		s.remark(r)
		return
	}
	f := s.flows[r.Flow]
	if f == nil {
		f = &streamFlow{}
		s.flows[r.Flow] = f
		s.order = append(s.order, r.Flow)
		if len(s.order) > 2*maxFlows {
			s.order = slices.DeleteFunc(s.order, func(id uint32) bool { return s.flows[id] == nil })
		}
		if s.only != nil {
			f.decided, f.protocol = true, s.only
			f.d = transcript.NewDissection(s.only.opener(&s.o))
		}
	}
	if r.Kind == transcript.Open {
		f.open = *r
	}
	if !f.decided {
		held := *r
		held.Data = slices.Clone(r.Data)
		f.held = append(f.held, held)
		f.bytes += len(r.Data)
		s.decide(f, r.gone)
	} else {
		s.feed(f, r)
	}
	switch {
	case r.Kind == transcript.Close:
		f.ended++
	case r.Kind == transcript.Reset:
		f.ended = 2
	}
	if r.gone || f.ended >= 2 && s.result.Capture {
		s.end(f)
		delete(s.flows, r.Flow)
	}
}

// decide finds the protocol of a flow of a capture once there is enough to tell, or now when last is set.
func (s *stream) decide(f *streamFlow, last bool) {
	p := s.guess(f)
	switch {
	case last:
	case p == nil && (f.bytes < undecidedBytes && len(f.held) < undecidedEvents || s.unfinishedHead(f)),
		p != nil && p.carried && (f.bytes == 0 || s.unfinishedHead(f)): // it may come in a WebSocket
		return
	}
	f.decided, f.protocol = true, p
	if p == nil {
		s.other(f)
	} else {
		f.d = transcript.NewDissection(p.opener(&s.o))
		s.decoded[p.Name] = true
		s.result.Flows++
	}
	held := f.held
	f.held = nil
	for i := range held {
		s.feed(f, &held[i])
	}
}

func (s *stream) guess(f *streamFlow) *Protocol {
	client, server := firstBytes(f.held)
	if s.o.Port != 0 && f.open.port == s.o.Port && s.o.Protocol != "" {
		return within(find(s.o.Protocol), client, server)
	}
	var best *Protocol
	most := 0
	for i := range protocols {
		p := &protocols[i]
		if !p.on(f.open.network) || !s.wants(p) || s.o.Port != 0 && f.open.port != s.o.Port {
			continue
		}
		n := p.looks(client, server)
		if p.owns(f.open.network, f.open.port) {
			n += 50
		}
		if n > most {
			best, most = p, n
		}
	}
	return best
}

// unfinishedHead reports whether a flow begins with a request of HTTP that is not whole: only its end tells what it asks for.
func (s *stream) unfinishedHead(f *streamFlow) bool {
	if f.open.network == "udp" || f.bytes >= guessBytes || len(f.held) >= guessEvents {
		return false
	}
	client, _ := firstBytes(f.held)
	_, _, err := rfc6455.ParseHead(client)
	return len(client) > 0 && errors.Is(err, rfc6455.ErrShort)
}

// wants reports whether flows of a protocol were asked for. What is carried in WebSockets is found there.
func (s *stream) wants(p *Protocol) bool {
	return s.o.Protocol == "" || p.Name == s.o.Protocol || p.Name == "websocket" && find(s.o.Protocol).carried
}

// other counts a flow that is none of ours.
func (s *stream) other(f *streamFlow) {
	key := f.open.network
	if f.open.port != 0 {
		key = fmt.Sprintf("%s port %d", f.open.network, f.open.port)
	}
	if s.others[key] == nil && len(s.others) >= maxOthers {
		key = "further ports"
	}
	o := s.others[key]
	if o == nil {
		o = &other{}
		s.others[key] = o
	}
	o.flows++
	f.other = o
	s.result.OtherFlows++
}

func (s *stream) feed(f *streamFlow, r *record) {
	if f.protocol == nil {
		n := int64(len(r.Data))
		s.result.OtherBytes += n
		f.other.bytes += n
		return
	}
	if r.missing > 0 {
		s.gap(f, r)
		return
	}
	if r.Kind != transcript.Data && r.Kind != transcript.Datagram && !r.gone {
		s.remark(r)
	}
	s.messages(f, f.d.Feed(&r.Event))
}

// gap ends what a direction had begun, so that the bytes behind the gap are not taken for its rest.
func (s *stream) gap(f *streamFlow, r *record) {
	s.result.Gaps++
	s.result.Missing += r.missing
	rest := f.d.Feed(&transcript.Event{Flow: r.Flow, Dir: r.Dir, Offset: r.Offset, Kind: transcript.Close})
	for i := range rest {
		rest[i].Frame.Err = fmt.Errorf("cut by a gap: %s bytes are missing behind it", thousands(r.missing))
	}
	s.messages(f, rest)
	s.remark(r)
}

func (s *stream) remark(r *record) {
	c := *r
	s.queue = append(s.queue, item{rec: &c})
}

func (s *stream) messages(f *streamFlow, messages []transcript.Message) {
	for i := range messages {
		m := &messages[i]
		s.result.Frames++
		s.result.Share.Add(&m.Frame)
		if m.Frame.Err != nil {
			s.result.Faulty++
		}
		by := f.protocol
		switch {
		case m.Level == 0 && by.with != nil:
			by = find("websocket") // which carries the flow's protocol
		case m.Level > 0:
			if by = find(m.Protocol); by == nil {
				by = &nobodys
			} else {
				s.decoded[by.Name] = true
			}
		}
		s.queue = append(s.queue, item{msg: m, by: by})
	}
}
