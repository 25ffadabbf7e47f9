package rfc6455

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"

	"github.com/patchbay-io/patchbay/transcript"
)

// maxPending is how many bytes of binary messages are held until somebody must know what they are.
const maxPending = 64

// data takes the payload of a data frame and hands on what is whole.
func (d *dissector) data(dir transcript.Direction, s *side, f Frame, out *transcript.Frame) (err error) {
	begins := f.Opcode != Continuation
	switch {
	case begins && s.open, !begins && !s.open && !s.afterGap:
		err = errOrder
	case !begins && !s.open:
		// its beginning is lost; what it is nobody can tell
		out.Inside = append(out.Inside, s.loosely(f.Payload, "binary", errMessage))
		return nil
	}
	s.afterGap = false
	if begins && len(s.message) > 0 {
		out.Inside = append(out.Inside, s.loosely(s.message, s.op.String(), errMessage))
	}
	if begins {
		s.op, s.packed, s.message, s.over = f.Opcode, f.Reserved&RSV1 != 0, nil, false
	} else if err != nil {
		s.op, s.packed = Binary, false
	}
	s.open = !f.Fin
	switch {
	case !begins && f.Fin:
		out.Summary = fmt.Sprintf("%v, ends, %d bytes", s.op, len(f.Payload))
	case !begins:
		out.Summary = fmt.Sprintf("%v, goes on, %d bytes", s.op, len(f.Payload))
	case !f.Fin:
		out.Summary = fmt.Sprintf("%v, begins, %d bytes", s.op, len(f.Payload))
	}
	if s.packed && begins {
		out.Summary += ", compressed"
	}
	if s.op == Binary && !s.packed {
		out.Inside = append(out.Inside, d.binary(dir, s, f.Payload)...)
		return err
	}
	if s.over = s.over || len(s.message)+len(f.Payload) > MaxPayload; s.over {
		out.Inside = append(out.Inside, s.loosely(append(s.message, f.Payload...), s.op.String(), errMessage))
		s.message = nil
		return err
	}
	s.message = append(s.message, f.Payload...)
	if f.Fin {
		out.Inside = append(out.Inside, d.whole(dir, s)...)
		s.message = nil
	}
	return err
}

// whole hands on a message that is complete.
func (d *dissector) whole(dir transcript.Direction, s *side) []transcript.Message {
	b := s.message
	if s.packed {
		var err error
		if b, err = s.unpack(b); err != nil {
			return []transcript.Message{s.loosely(s.message, s.op.String()+", compressed", err)}
		}
	}
	if s.op == Binary {
		return d.binary(dir, s, b)
	}
	in := d.known(Text, b)
	if in.d == nil {
		return []transcript.Message{s.loosely(b, "text", nil)}
	}
	return in.feed(&transcript.Event{Dir: dir, Kind: transcript.Datagram, Data: b})
}

// binary hands bytes of binary messages on. While nobody knows what they are, a few are held.
func (d *dissector) binary(dir transcript.Direction, s *side, b []byte) []transcript.Message {
	s.pending = append(s.pending, b...)
	in := d.known(Binary, s.pending)
	if in.d == nil {
		if len(s.pending) < maxPending {
			return nil
		}
		return s.flush()
	}
	b, s.pending = s.pending, nil
	return in.feed(&transcript.Event{Dir: dir, Kind: transcript.Data, Data: b})
}

// flush shows what is held as it is.
func (s *side) flush() []transcript.Message {
	if len(s.pending) == 0 {
		return nil
	}
	b := s.pending
	s.pending = nil
	return []transcript.Message{s.loosely(b, "binary", nil)}
}

// known is what is inside the messages of a kind; it asks when that is not known yet.
func (d *dissector) known(op Opcode, first []byte) *inner {
	in := &d.inner[op-Text]
	if in.d == nil && d.choose != nil && len(first) > 0 {
		if found := d.choose(d.conv, op, first); found.Open != nil {
			in.protocol, in.d = found.Protocol, transcript.NewDissection(found.Open)
		}
	}
	return in
}

// feed is what an event completes.
func (in *inner) feed(e *transcript.Event) []transcript.Message {
	out := in.d.Feed(e)
	for i := range out {
		if out[i].Level == 0 {
			out[i].Protocol = in.protocol
		}
	}
	return out
}

// loosely is a message of nobody's protocol.
func (s *side) loosely(b []byte, what string, err error) transcript.Message {
	f := plain(len(b), what, err)
	f.Offset = s.loose
	s.loose += int64(len(b))
	return transcript.Message{Frame: f, Raw: bytes.Clone(b)}
}

// windowSize is how far back compressed data reaches.
const windowSize = 32 << 10

// What is unpacked may be so many times as long as what was sent, over all messages of a side, and a little more: a file must not
// make much memory of a few bytes.
const (
	unpackRatio = 64
	unpackSpare = 4 << 10
)

var errUnpacked = fmt.Errorf("a compressed message is more than %d times as long as what was sent", unpackRatio)

// unpack is a message of permessage-deflate as it was. The end of it is kept: the next one may refer to it.
func (s *side) unpack(b []byte) ([]byte, error) {
	// RFC 7692 leaves the last four bytes out; the five behind them end the stream.
	tail := []byte{0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff}
	r := flate.NewReaderDict(io.MultiReader(bytes.NewReader(b), bytes.NewReader(tail)), s.window)
	s.budget = min(s.budget+unpackRatio*len(b), MaxPayload)
	limit := max(s.budget+unpackSpare, 0)
	out, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("a compressed message: %w", err)
	case len(out) > limit:
		return nil, errUnpacked
	}
	s.budget -= len(out)
	s.window = append(s.window, out...)
	s.window = bytes.Clone(s.window[max(0, len(s.window)-windowSize):])
	return out, nil
}

// End implements transcript.Dissector. The side may go on behind a gap, as frames.
func (d *dissector) End(dir transcript.Direction) []transcript.Frame {
	s := d.side(dir)
	f := transcript.Frame{Offset: s.off}
	if n := len(s.buf); n > 0 {
		err := errCut
		if s.mode == modeBody {
			err = nil // a body that is cut is a body all the same
		}
		f = plain(n, "the beginning of a frame", err)
		f.Offset = s.off
	}
	s.off += int64(f.Length)
	if len(s.message) > 0 {
		f.Inside = append(f.Inside, s.loosely(s.message, s.op.String(), errMessage))
	}
	f.Inside = append(f.Inside, s.flush()...)
	for i := range d.inner {
		if d.inner[i].d != nil {
			f.Inside = append(f.Inside, d.inner[i].feed(&transcript.Event{Dir: dir, Kind: transcript.Close})...)
		}
	}
	*s = side{off: s.off, mode: s.mode, loose: s.loose, afterGap: true}
	if s.mode == modeBody {
		s.mode = modeRest
	}
	if f.Length == 0 && len(f.Inside) == 0 {
		return nil
	}
	return []transcript.Frame{f}
}
