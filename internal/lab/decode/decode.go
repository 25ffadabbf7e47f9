// Package decode shows recorded bytes beside what they mean. It reads transcripts, pcap and pcapng captures, and hex as
// tools print it and people paste it; it finds out which protocol the bytes are unless it is told, and writes text for
// people or JSON lines for programs. It can sum up how much of a recording is understood, and compare two of them. It never
// stops at bytes that it does not understand: it shows them and counts them.
package decode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/patchbay-io/patchbay/transcript"
)

// Options say how to decode. The zero Options guess the protocol and write text with all fields.
type Options struct {
	Protocol string            // a name of Protocols; empty: the file's own, else a guess
	Port     uint16            // of a capture, decode only flows whose server has this port; with Protocol, whatever they look like
	Name     string            // of the input, for JSON; may be empty
	JSON     bool              // JSON lines instead of text
	Brief    bool              // one line for each frame, no fields
	Stats    bool              // what is understood and what is not, instead of frames
	Keys     Keys              // that encrypted conversations are opened with
	Limits   transcript.Limits // of the input
}

// Result sums up what was decoded.
type Result struct {
	Protocol string // of a capture, all that were found, with commas between them
	Guessed  bool   // the protocol was neither named nor in the file
	Frames   int
	Faulty   int // frames that are no proper messages
	Share    transcript.Share

	Capture    bool  // the input holds what passed on a network; the fields below are for such inputs
	Flows      int   // that were decoded
	Gaps       int   // places where bytes are missing
	Missing    int64 // bytes in all gaps
	OtherFlows int   // that are no protocol we know
	OtherBytes int64
}

// ErrProtocol is the cause when no protocol is known by the name, or none fits the bytes.
var ErrProtocol = errors.New("no such protocol")

// ErrInput is the cause when the input is in no format that can be read.
var ErrInput = errors.New("the input is neither a transcript, a capture nor hex")

// guessBytes is how many bytes a guess looks at in each direction, guessEvents how many events at most.
const (
	guessBytes  = 4096
	guessEvents = 256
)

// Decode reads r to its end, or until ctx ends, and writes to out as it goes. When the input is damaged, everything before
// the damage is shown and the error satisfies [ErrDamaged]. Its memory does not grow with the length of the input.
func Decode(ctx context.Context, r io.Reader, out io.Writer, o Options) (Result, error) {
	var res Result
	s, err := openStream(r, o, &res)
	if err != nil {
		return res, err
	}
	var w printer
	switch {
	case o.Stats:
		w = newStatsPrinter(out, o)
	case o.JSON:
		w = newJSONPrinter(out, o)
	default:
		w = &textPrinter{w: out, brief: o.Brief}
	}
	if err := w.begin(s.src.header(), &res); err != nil {
		return res, err
	}
	for {
		it, err := s.next(ctx)
		switch {
		case err == io.EOF:
			if res.Capture && res.Flows == 0 {
				return res, s.nothing()
			}
			return res, w.end(&res, s.otherTexts(), nil)
		case errors.Is(err, ErrDamaged):
			return res, errors.Join(err, w.end(&res, s.otherTexts(), err))
		case err != nil:
			return res, err
		case it.rec != nil:
			err = w.event(it.rec)
		default:
			err = w.message(it.msg, it.by)
		}
		if err != nil {
			return res, err
		}
	}
}

// nothing is the error of a capture in which no flow was decoded.
func (s *stream) nothing() error {
	what := "it holds no TCP or UDP at all"
	if texts := s.otherTexts(); len(texts) > 0 {
		what = "it holds " + strings.Join(texts, "; ")
	}
	if s.o.Protocol != "" {
		return fmt.Errorf("%w: no flow of the capture looks like %s: %s", ErrProtocol, s.o.Protocol, what)
	}
	return fmt.Errorf("%w: no flow of the capture looks like one of %s: %s", ErrProtocol, strings.Join(Names(), ", "), what)
}

func unknownProtocol(name string) error {
	return fmt.Errorf("%w: %q; known are %s", ErrProtocol, name, strings.Join(Names(), ", "))
}

// within is the protocol that was asked for, or WebSocket where it is carried in that.
func within(p *Protocol, client, server []byte) *Protocol {
	if p.carried && p.with == nil && looksLikeWebSocket(client, server) > 0 {
		return find("websocket")
	}
	return p
}

// firstBytes are what the two sides sent, as far as it was read ahead.
func firstBytes(head []record) (client, server []byte) {
	for i := range head {
		switch e := &head[i]; e.Dir {
		case transcript.FromClient:
			client = append(client, e.Data...)
		case transcript.FromServer:
			server = append(server, e.Data...)
		}
	}
	return client, server
}

func choose(named, recorded string, head []record) (p *Protocol, guessed bool, err error) {
	client, server := firstBytes(head)
	for _, name := range []string{named, recorded} {
		if name == "" {
			continue
		}
		p := find(name)
		if p == nil {
			return nil, false, unknownProtocol(name)
		}
		return within(p, client, server), false, nil
	}
	best := 0
	for i := range protocols {
		if n := protocols[i].looks(client, server); n > best {
			best, p = n, &protocols[i]
		}
	}
	if best == 0 {
		return nil, true, fmt.Errorf("%w: the bytes look like none; name one of %s", ErrProtocol, strings.Join(Names(), ", "))
	}
	return p, true, nil
}
