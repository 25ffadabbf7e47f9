package atem

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/patchbay-io/patchbay/transcript"
)

// Dissector takes recorded conversations over UDP apart, one flow each; each datagram is a frame. It implements
// [transcript.Dissector]. Layouts follow the version that _ver told.
type Dissector struct {
	offsets [2]int64
	fields  FieldDissector
}

// NewDissector starts a flow.
func NewDissector() transcript.Dissector { return new(Dissector) }

// Feed implements [transcript.Dissector].
func (d *Dissector) Feed(dir transcript.Direction, b []byte) []transcript.Frame {
	side := 0
	if dir == transcript.FromServer {
		side = 1
	}
	fr := transcript.Frame{Offset: d.offsets[side], Length: len(b)}
	d.offsets[side] += int64(len(b))
	d.packet(&fr, b)
	return []transcript.Frame{fr}
}

// End implements [transcript.Dissector]; a datagram never ends in the middle.
func (d *Dissector) End(transcript.Direction) []transcript.Frame { return nil }

func (d *Dissector) packet(fr *transcript.Frame, b []byte) {
	p, err := ParsePacket(b)
	if err != nil {
		fr.Err = err
		fr.Summary = "no packet of ATEM"
		return
	}
	number := func(name string, at int, v uint16, text string) {
		fr.Fields = append(fr.Fields, transcript.Field{Name: name, Offset: at, Length: 2, Value: strconv.Itoa(int(v)), Text: text, Grade: transcript.GradeSeen})
	}
	fr.Fields = append(fr.Fields, transcript.Field{Name: "flags", Offset: 0, Length: 1, Value: strconv.Itoa(int(p.Flags)), Text: p.Flags.String(), Grade: transcript.GradeSeen})
	number("length", 0, uint16(len(b)), "")
	number("session", 2, p.Session, fmt.Sprintf("0x%04x", p.Session))
	number("ack", 4, p.Ack, "")
	number("wanted", 6, p.Wanted, "")
	if p.Unknown != 0 { // its place is known, and nobody knows what it means
		fr.Unknown = append(fr.Unknown, transcript.Range{Offset: 8, Length: 2})
	}
	number("number", 10, p.Number, "")
	if p.Flags&FlagHandshake != 0 {
		h := p.Handshake()
		fr.Fields = append(fr.Fields, transcript.Field{Name: "step", Offset: PacketHeaderSize, Length: 1, Value: strconv.Itoa(int(h.Step)), Text: h.Step.String(), Grade: transcript.GradeSeen})
		number("given", PacketHeaderSize+2, h.Given, "")
		fr.Summary = handshakeText(p.Session, h)
	} else {
		summary, err := d.fields.Dissect(fr, p.Payload, PacketHeaderSize)
		fr.Summary, fr.Err = packetText(&p, summary), err
	}
	if p.Flags&FlagResent != 0 {
		fr.Summary += " (sent again)"
	}
}

func handshakeText(session uint16, h Handshake) string {
	switch h.Step {
	case StepAccept:
		return fmt.Sprintf("accept: session 0x%04x", h.Given)
	case StepReject:
		return "reject: all sessions are taken"
	}
	return fmt.Sprintf("%v 0x%04x", h.Step, session)
}

// packetText is a packet in a line: its number, its fields, what it acknowledges and asks for.
func packetText(p *Packet, fields string) string {
	var parts []string
	if p.Flags&FlagNumbered != 0 {
		text := fmt.Sprintf("packet %d", p.Number)
		if fields == "" {
			text += ", empty"
		}
		parts = append(parts, text)
	}
	if fields != "" {
		parts = append(parts, fields)
	}
	if p.Flags&FlagWanted != 0 {
		parts = append(parts, fmt.Sprintf("wants packet %d", p.Wanted&NumberMask))
	}
	if p.Flags&FlagAck != 0 {
		parts = append(parts, fmt.Sprintf("ack %d", p.Ack))
	}
	if parts == nil {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// FieldDissector takes fields apart by the tables of the catalogue, whatever transport they came over. The zero value is
// ready. Values that are secrets are not shown.
type FieldDissector struct{ ver Version }

// Dissect adds the fields of a payload to a frame in which the payload begins at offset at. The summary names them. The error
// is about the payload's end.
func (d *FieldDissector) Dissect(fr *transcript.Frame, payload []byte, at int) (summary string, err error) {
	var codes []string
	n, last := 0, ""
	for rest := payload; len(rest) > 0; {
		f, next, err := Next(rest)
		if err != nil {
			fr.Unknown = append(fr.Unknown, transcript.Range{Offset: at, Length: len(rest)})
			return strings.Join(codes, " "), err
		}
		n++
		last = d.field(fr, &f, n, at)
		if len(codes) < maxCodes {
			codes = append(codes, f.Code.String())
		}
		at += len(rest) - len(next)
		rest = next
	}
	switch {
	case n == 1:
		return last, nil
	case n > maxCodes:
		return fmt.Sprintf("%s … (%d fields)", strings.Join(codes, " "), n), nil
	}
	return strings.Join(codes, " "), nil
}

// maxCodes is how many codes a summary names, maxValues how many values it shows of a field that is alone.
const (
	maxCodes  = 8
	maxValues = 6
)

// field adds the n-th field of a frame and returns it in a line.
func (d *FieldDissector) field(fr *transcript.Frame, f *Field, n, at int) string {
	info, known := Lookup(f.Code)
	prefix := "field " + strconv.Itoa(n)
	grade := info.Grade
	if !known {
		grade = transcript.GradeGuess
	}
	fr.Fields = append(fr.Fields,
		transcript.Field{Name: prefix + ".length", Offset: at, Length: 2, Value: strconv.Itoa(f.Size()), Grade: transcript.GradeSeen},
		transcript.Field{Name: prefix + ".padding", Offset: at + 2, Length: 2, Value: hex.EncodeToString(f.Pad[:]), Text: "without meaning", Grade: transcript.GradeSeen},
		transcript.Field{Name: prefix + ".code", Offset: at + 4, Length: 4, Value: f.Code.String(), Text: info.Name, Grade: grade})
	at += HeaderSize
	var v ProtocolVersion
	if f.Code == CodeVer && v.Parse(0, f.Body) == nil {
		d.ver = MakeVersion(v.Major, v.Minor)
	}
	line := f.Code.String()
	if info.Name != "" {
		line += " " + info.Name
	}
	layout, ok := LayoutOf(f.Code, d.ver, f.Body)
	if !ok {
		if len(f.Body) > 0 {
			fr.Unknown = append(fr.Unknown, transcript.Range{Offset: at, Length: len(f.Body)})
		}
		return line
	}
	named := make([]bool, len(f.Body))
	shown := 0
	for val := range layout.Values(f.Body) {
		for i := val.Offset; i < val.Offset+val.Length; i++ {
			named[i] = true
		}
		out := transcript.Field{Name: prefix + "." + val.Name(), Offset: at + val.Offset, Length: val.Length, Value: val.String(), Text: val.Text(), Grade: val.Grade()}
		if Secret(f.Code, val.Name()) && out.Value != "" {
			out.Value, out.Text = "***", "a secret"
		}
		fr.Fields = append(fr.Fields, out)
		if shown < maxValues && !val.IsLength() && val.Index < 0 {
			line += " " + val.Name() + "=" + brief(&out)
			shown++
		}
	}
	for i := 0; i < len(named); i++ {
		j := i
		for j < len(named) && !named[j] {
			j++
		}
		if j > i {
			fr.Unknown = append(fr.Unknown, transcript.Range{Offset: at + i, Length: j - i})
			i = j
		}
	}
	return line
}

// brief is a value for a line.
func brief(f *transcript.Field) string {
	s := f.Value
	if f.Text != "" {
		s = f.Text
	}
	if len(s) > 40 {
		s = s[:40] + "…"
	}
	if strings.ContainsAny(s, " \t\n") || s == "" {
		return strconv.Quote(s)
	}
	return s
}

// Secret reports whether an item opens something to whoever knows it: the key of a stream, a password.
func Secret(c Code, item string) bool {
	switch c {
	case CodeSRSU, CodeCRSS:
		return strings.Contains(item, "key")
	case CodeSAth, CodeOSWPWD:
		return true
	}
	return false
}

// LooksLikePackets says how much datagrams that follow one another without a gap look like this protocol: 0 not at all, 100
// beyond doubt.
func LooksLikePackets(b []byte) int {
	n := 0
	for len(b) >= PacketHeaderSize && n < 8 {
		size := int(binary.BigEndian.Uint16(b) & MaxPacket)
		if size < PacketHeaderSize || size > len(b) {
			break
		}
		p, err := ParsePacket(b[:size])
		if err != nil || p.Flags&FlagHandshake == 0 && !wholeFields(p.Payload) || p.Flags&FlagHandshake != 0 && (size != HandshakeSize || p.Handshake().Step > StepClosed) {
			return 0
		}
		n++
		b = b[size:]
	}
	return min(30*n, 90)
}

// wholeFields reports whether a payload is fields and nothing else.
func wholeFields(payload []byte) bool {
	for _, err := range Fields(payload) {
		if err != nil {
			return false
		}
	}
	return true
}
