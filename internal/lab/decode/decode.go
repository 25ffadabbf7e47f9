// Package decode shows recorded bytes beside what they mean. It reads transcripts and pasted hex, finds out which protocol
// they are unless it is told, and writes text for people or JSON lines for programs. It never stops at bytes that it does
// not understand: it shows them and counts them.
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
	JSON     bool              // JSON lines instead of text
	Brief    bool              // one line for each frame, no fields
	Limits   transcript.Limits // of the input
}

// Result sums up what was decoded.
type Result struct {
	Protocol string
	Guessed  bool // the protocol was neither named nor in the file
	Frames   int
	Faulty   int // frames that are no proper messages
	Share    transcript.Share
}

// ErrProtocol is the cause when no protocol is known by the name, or none fits the bytes.
var ErrProtocol = errors.New("no such protocol")

// ErrInput is the cause when the input is in no format that can be read.
var ErrInput = errors.New("the input is neither a transcript nor hex")

// guessBytes is how many bytes a guess looks at in each direction, guessEvents how many events at most.
const (
	guessBytes  = 4096
	guessEvents = 256
)

// Decode reads r to its end, or until ctx ends, and writes to out as it goes.
func Decode(ctx context.Context, r io.Reader, out io.Writer, o Options) (Result, error) {
	var res Result
	src, err := openSource(r, o.Limits)
	if err != nil {
		return res, err
	}
	head, err := ahead(src)
	if err != nil {
		return res, err
	}
	p, guessed, err := choose(o.Protocol, src.header().Protocol, head)
	if err != nil {
		return res, err
	}
	res.Protocol, res.Guessed = p.Name, guessed
	var w printer = &textPrinter{w: out, brief: o.Brief}
	if o.JSON {
		w = newJSONPrinter(out, o.Brief)
	}
	if err := w.begin(src.header(), &res); err != nil {
		return res, err
	}
	d := transcript.NewDissection(p.Open)
	show := func(messages []transcript.Message) error {
		for i := range messages {
			m := &messages[i]
			res.Frames++
			res.Share.Add(&m.Frame)
			if m.Frame.Err != nil {
				res.Faulty++
			}
			if err := w.message(m); err != nil {
				return err
			}
		}
		return nil
	}
	step := func(e *transcript.Event) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.event(e); err != nil {
			return err
		}
		return show(d.Feed(e))
	}
	for i := range head {
		if err := step(&head[i]); err != nil {
			return res, err
		}
	}
	for {
		e, err := src.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return res, err
		}
		if err := step(&e); err != nil {
			return res, err
		}
	}
	if err := show(d.End()); err != nil {
		return res, err
	}
	return res, w.end(&res)
}

// ahead reads as many events as a guess needs.
func ahead(src source) ([]transcript.Event, error) {
	var head []transcript.Event
	n := 0
	for n < guessBytes && len(head) < guessEvents {
		e, err := src.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		n += len(e.Data)
		head = append(head, e)
	}
	return head, nil
}

func choose(named, recorded string, head []transcript.Event) (p Protocol, guessed bool, err error) {
	for _, name := range []string{named, recorded} {
		if name == "" {
			continue
		}
		for _, p := range protocols {
			if p.Name == name {
				return p, false, nil
			}
		}
		return p, false, fmt.Errorf("%w: %q; known are %s", ErrProtocol, name, strings.Join(Names(), ", "))
	}
	var client, server []byte
	for i := range head {
		switch e := &head[i]; e.Dir {
		case transcript.FromClient:
			client = append(client, e.Data...)
		case transcript.FromServer:
			server = append(server, e.Data...)
		}
	}
	best := 0
	for _, q := range protocols {
		if n := q.looks(client, server); n > best {
			best, p = n, q
		}
	}
	if best == 0 {
		return p, true, fmt.Errorf("%w: the bytes look like none; name one of %s", ErrProtocol, strings.Join(Names(), ", "))
	}
	return p, true, nil
}
