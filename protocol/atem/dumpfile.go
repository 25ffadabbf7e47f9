package atem

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
)

// MaxDumpFile is the most that [ReadDump] reads, in bytes.
const MaxDumpFile = 16 << 20

// ErrNoDump says that a file is no dump.
var ErrNoDump = errors.New("no dump of a switcher: it begins with _ver")

// ReadDump reads the state of a switcher from a file: one packet payload a line in hex; empty lines and those that begin with
// # are passed over.
func ReadDump(r io.Reader) (*State, error) {
	s := new(State)
	sc := bufio.NewScanner(io.LimitReader(r, MaxDumpFile))
	sc.Buffer(nil, 2*MaxField+2)
	for n := 1; sc.Scan(); n++ {
		line := strings.TrimSpace(sc.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		payload, err := hex.DecodeString(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		for f, err := range Fields(payload) {
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
			s.Apply(&f)
		}
		if s.Version() == 0 {
			return nil, fmt.Errorf("line %d: %w", n, ErrNoDump)
		}
	}
	if err := sc.Err(); err != nil {
		return nil, err
	}
	if s.Version() == 0 {
		return nil, ErrNoDump
	}
	s.complete = true
	return s, nil
}

// WriteDump writes the state as [ReadDump] reads it. With redact, texts of people are taken out, see [Redact].
func (s *State) WriteDump(w io.Writer, redact bool) error {
	if redact {
		r := new(State)
		for f := range s.Fields() {
			Redact(&f, s.ver)
			r.Apply(&f)
		}
		s = r
	}
	b := bufio.NewWriter(w)
	for _, p := range s.Dump(1410) {
		fmt.Fprintf(b, "%x\n", p)
	}
	return b.Flush()
}

// Redact takes out of a field what may say something about people and networks: every letter and digit of texts becomes x,
// but for the product's name and the software's version; addresses, hashes and stream data become zero, and so do bytes that
// the layout does not name, where switchers leave parts of other texts. In a body without a layout every stretch of three
// printable bytes or more becomes x, but for what tells instances apart. The body is replaced, not changed.
func Redact(f *Field, ver Version) {
	f.Pad = [2]byte{}
	l, ok := LayoutOf(f.Code, ver, f.Body)
	if !ok {
		f.Body = redactRaw(f.Code, f.Body)
		return
	}
	keep := f.Code == CodePin || f.Code == CodeSwVr
	body := make([]byte, len(f.Body))
	for v := range l.Values(f.Body) {
		out := body[v.Offset : v.Offset+v.Length]
		switch v.item.kind {
		case kindStr:
			text, _, _ := strings.Cut(string(v.Bytes()), "\x00")
			if !keep {
				text = crossed(text)
			}
			copy(out, text)
		case kindBool:
			v.item.put(out, v.Int())
		case kindBytes:
			if f.Code == CodeTlC {
				copy(out, v.Bytes())
			}
		case kindIpv4:
		case kindCamera:
			if t, _ := l.Value(f.Body, "type"); CameraType(t.Int()) != CameraTypeString {
				copy(out, v.Bytes())
			}
		default:
			copy(out, v.Bytes())
		}
	}
	f.Body = body
}

func crossed(text string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || strings.ContainsRune(".:/-_,()@", r) {
			return r
		}
		return 'x'
	}, strings.ToValidUTF8(text, "x"))
}

func redactRaw(c Code, body []byte) []byte {
	out := make([]byte, len(body))
	copy(out, body)
	for i := 0; i < len(out); {
		n := i
		for n < len(out) && out[n] >= 0x20 && out[n] < 0x7f {
			n++
		}
		if n-i >= 3 {
			for j := i; j < n; j++ {
				out[j] = 'x'
			}
		}
		i = n + 1
	}
	if row := find(c); row != nil && row.layouts == 0 {
		for r := range strings.FieldsSeq(row.rawKey) {
			if off, n := int(r[0]-'0'), int(r[2]-'0'); len(r) == 3 && off+n <= len(body) {
				copy(out[off:off+n], body[off:])
			}
		}
	}
	return out
}
