package fc2

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"

	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/secretstream"
	"github.com/patchbay-io/patchbay/transcript"
)

// Keys are what recorded tunnels are opened with: identities of programs, for which the public key of the server is needed
// too, and identities of servers, which are enough.
type Keys struct {
	Identities []Identity
	Servers    []PublicKey
}

// sessions are the keys that the tunnel of a client may have.
func (k Keys) sessions(client PublicKey) (out [][KeySize]byte) {
	add := func(id Identity, peer PublicKey, side Side) {
		if key, err := id.SessionKey(peer, side); err == nil {
			out = append(out, key)
		}
	}
	for _, id := range k.Identities {
		if id.Public() != client {
			add(id, client, Server)
			continue
		}
		for _, server := range k.Servers {
			add(id, server, Client)
		}
	}
	return out
}

// NewDissector takes the streams of a recorded tunnel apart: header and records of each side, and the OCP.1 inside when one of
// the keys opens it. client is the key in the path of the upgrade. Without a key, what can be seen is how long each record is.
func NewDissector(client PublicKey, keys Keys) transcript.Dissector {
	return &dissector{sessions: keys.sessions(client), inside: transcript.NewDissection(ocp1.NewDissector)}
}

type dissector struct {
	sessions [][KeySize]byte // those that may open it; one, once a record was opened
	sides    [2]dissectSide
	inside   *transcript.Dissection
}

type dissectSide struct {
	buf     []byte
	off     int64
	header  []byte
	pull    *secretstream.Puller // nil until a key is found
	records int
	gone    bool // a length was wrong, or a record was changed: what follows cannot be read
}

// Feed implements transcript.Dissector.
func (d *dissector) Feed(dir transcript.Direction, b []byte) []transcript.Frame {
	s := d.side(dir)
	s.buf = append(s.buf, b...)
	var out []transcript.Frame
	for len(s.buf) > 0 {
		f, ok := d.next(dir, s)
		if !ok {
			break
		}
		f.Offset = s.off
		s.off += int64(f.Length)
		s.buf = s.buf[f.Length:]
		out = append(out, f)
	}
	return out
}

func (d *dissector) side(dir transcript.Direction) *dissectSide {
	if dir == transcript.FromServer {
		return &d.sides[1]
	}
	return &d.sides[0]
}

func seen(name string, at, n int, value, text string) transcript.Field {
	return transcript.Field{Name: name, Offset: at, Length: n, Value: value, Text: text, Grade: transcript.GradeSeen}
}

// next is the next part of a stream; false when more must come.
func (d *dissector) next(dir transcript.Direction, s *dissectSide) (transcript.Frame, bool) {
	if s.gone {
		n := len(s.buf)
		return transcript.Frame{Length: n, Summary: fmt.Sprintf("%d bytes", n), Unknown: []transcript.Range{{Length: n}}, Err: ErrRecord}, true
	}
	if s.header == nil {
		const n = secretstream.HeaderSize
		if len(s.buf) < n {
			return transcript.Frame{}, false
		}
		s.header = append([]byte(nil), s.buf[:n]...)
		return transcript.Frame{Length: n, Summary: "header of the stream", Fields: []transcript.Field{seen("header", 0, n, fmt.Sprintf("%x", s.header), "random, begins the stream")}}, true
	}
	if len(s.buf) < 2 {
		return transcript.Frame{}, false
	}
	n := int(binary.BigEndian.Uint16(s.buf))
	if n < secretstream.Overhead || n > MaxRecord {
		s.gone = true
		err := ErrShort
		if n > MaxRecord {
			err = ErrLong
		}
		return transcript.Frame{Length: len(s.buf), Summary: fmt.Sprintf("a record of %d bytes", n), Unknown: []transcript.Range{{Length: len(s.buf)}}, Err: err}, true
	}
	if len(s.buf) < 2+n {
		return transcript.Frame{}, false
	}
	return d.record(dir, s, s.buf[2:2+n]), true
}

// record explains a record.
func (d *dissector) record(dir transcript.Direction, s *dissectSide, c []byte) transcript.Frame {
	s.records++
	size := len(c) - secretstream.Overhead
	what := "OCP.1"
	switch s.records {
	case 1:
		what = "nonce"
	case 2:
		what = "echo of the nonce"
	}
	f := transcript.Frame{Length: 2 + len(c), Summary: fmt.Sprintf("record %d, %s, %d bytes inside", s.records, what, size),
		Fields: []transcript.Field{seen("length", 0, 2, strconv.Itoa(len(c)), ""), seen("record", 2, len(c), strconv.Itoa(s.records), what)}}
	plain, tag, opened, err := d.open(s, c)
	switch {
	case err != nil:
		f.Err, s.gone = err, true
	case !opened:
		f.Summary += ", encrypted"
		f.Unknown = []transcript.Range{{Offset: 2, Length: len(c)}}
	default:
		f.Fields = append(f.Fields, seen("tag", 2, 1, strconv.Itoa(int(tag)), tag.String()))
		if s.records <= 2 {
			f.Fields = append(f.Fields, seen("nonce", 3, size, fmt.Sprintf("%x", plain), "decrypted"))
			break
		}
		f.Carried = size
		f.Inside = d.feed(&transcript.Event{Dir: dir, Kind: transcript.Data, Data: plain})
	}
	return f
}

// open decrypts a record when a key is known, or can be found.
func (d *dissector) open(s *dissectSide, c []byte) (plain []byte, tag secretstream.Tag, opened bool, err error) {
	if s.pull != nil {
		if plain, tag, err = s.pull.Pull(nil, c, nil); err != nil {
			return nil, 0, false, ErrRecord
		}
		return plain, tag, true, nil
	}
	if s.records > 1 {
		return nil, 0, false, nil // each record changes the state of the stream
	}
	for _, key := range d.sessions {
		pull, err := secretstream.NewPuller(key[:], s.header)
		if err != nil {
			continue
		}
		if plain, tag, err = pull.Pull(nil, c, nil); err == nil {
			s.pull, d.sessions = pull, [][KeySize]byte{key}
			return plain, tag, true, nil
		}
	}
	return nil, 0, false, nil
}

func (d *dissector) feed(e *transcript.Event) []transcript.Message {
	out := d.inside.Feed(e)
	for i := range out {
		if out[i].Level == 0 {
			out[i].Protocol = "aes70"
		}
	}
	return out
}

// errCut is the Err of what the end of a recording cuts.
var errCut = errors.New("the recording ends inside a record")

// End implements transcript.Dissector.
func (d *dissector) End(dir transcript.Direction) []transcript.Frame {
	s := d.side(dir)
	f := transcript.Frame{Offset: s.off, Length: len(s.buf)}
	if f.Length > 0 {
		f.Summary, f.Err = "the beginning of a record", errCut
		f.Unknown = []transcript.Range{{Length: f.Length}}
		s.buf, s.off = nil, s.off+int64(f.Length)
	}
	f.Inside = d.feed(&transcript.Event{Dir: dir, Kind: transcript.Close})
	s.gone = true // the state of the stream is lost with what is missing
	if f.Length == 0 && len(f.Inside) == 0 {
		return nil
	}
	return []transcript.Frame{f}
}
