package devicemaster

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"github.com/patchbay-io/patchbay/transcript"
)

const (
	gradeSpec     = transcript.GradeSpec
	gradeSeen     = transcript.GradeSeen
	gradeInferred = transcript.GradeInferred
	gradeGuess    = transcript.GradeGuess
)

// Dissector takes recorded conversations apart: connections on TCP 4606, where the answer to a [ToolID] request is read as an
// [IDResponse], and datagrams of the discovery on UDP 4606. It implements [transcript.Dissector].
type Dissector struct {
	sides [2]dissectSide
	asked int  // ID requests without a response
	moved bool // the client has gone on while a response was coming
}

type dissectSide struct {
	dec Decoder
	off int64
	buf []byte // bytes of an ID response
}

// NewDissector starts a flow.
func NewDissector() transcript.Dissector {
	d := new(Dissector)
	d.sides[0].dec.Reset(ToDevice, DecoderOptions{})
	d.sides[1].dec.Reset(FromDevice, DecoderOptions{})
	return d
}

func (d *Dissector) side(dir transcript.Direction) (*dissectSide, Direction) {
	if dir == transcript.FromServer {
		return &d.sides[1], FromDevice
	}
	return &d.sides[0], ToDevice
}

// Feed implements [transcript.Dissector].
func (d *Dissector) Feed(dir transcript.Direction, b []byte) []transcript.Frame {
	s, way := d.side(dir)
	if s.dec.Pending() == 0 && len(s.buf) == 0 && bytes.HasPrefix(b, discoveryMagic[:]) {
		return []transcript.Frame{s.discovery(b)}
	}
	var out []transcript.Frame
	if way == FromDevice && d.moved {
		out = d.identityEnds()
	}
	if way == FromDevice && d.asked > 0 {
		s.buf = append(s.buf, b...)
		n, done := ScanIDResponse(s.buf)
		if !done && len(s.buf) > maxIDResponse {
			return append(out, d.identityEnds()...)
		}
		if !done {
			return out // more may come, or the client speaks, or the recording ends
		}
		out = append(out, s.identity(s.buf[:n]))
		b, s.buf = bytes.Clone(s.buf[n:]), nil
		d.asked--
	}
	return append(out, d.messages(s, way, b)...)
}

// maxIDResponse is how much is kept of what may be an ID response: one that never ends fills no memory.
const maxIDResponse = 64 << 10

// identityEnds takes what came as the whole ID response, because the client has gone on or the recording ends. What is too
// short for one is messages of a device that ignores the request.
func (d *Dissector) identityEnds() []transcript.Frame {
	s := &d.sides[1]
	if len(s.buf) == 0 {
		return nil
	}
	b := s.buf
	s.buf, d.asked, d.moved = nil, 0, false
	if len(b) < MinIDResponse {
		return d.messages(s, FromDevice, b)
	}
	return []transcript.Frame{s.identity(b)}
}

func (d *Dissector) messages(s *dissectSide, way Direction, b []byte) []transcript.Frame {
	var out []transcript.Frame
	zeros := s.dec.Stats().Zeros
	s.dec.Feed(b)
	for {
		m, ok, err := s.dec.Next()
		if z := s.dec.Stats().Zeros; z > zeros {
			out = append(out, s.noise(int(z-zeros), fmt.Errorf("%d zero bytes between messages", z-zeros)))
			zeros = z
		}
		switch {
		case err != nil:
			out = append(out, s.noise(len(m.Raw), err))
			continue
		case !ok:
			return out
		}
		switch {
		case way == FromDevice:
		case m.Op == ToolID:
			d.asked++
		case !m.Op.Tool() && len(d.sides[1].buf) > 0:
			d.moved = true
		}
		out = append(out, s.message(&m, way))
	}
}

// End implements [transcript.Dissector].
func (d *Dissector) End(dir transcript.Direction) []transcript.Frame {
	s, way := d.side(dir)
	var out []transcript.Frame
	if way == FromDevice {
		out = d.identityEnds()
	}
	n := s.dec.Pending()
	if n == 0 {
		return out
	}
	s.dec.Reset(way, DecoderOptions{})
	return append(out, s.noise(n, fmt.Errorf("the recording ends inside a message: %w", ErrShort)))
}

// frame begins a frame of n bytes.
func (s *dissectSide) frame(n int, summary string) transcript.Frame {
	f := transcript.Frame{Offset: s.off, Length: n, Summary: summary}
	s.off += int64(n)
	return f
}

func (s *dissectSide) noise(n int, err error) transcript.Frame {
	f := s.frame(n, "no message")
	f.Err, f.Unknown = err, []transcript.Range{{Offset: 0, Length: n}}
	return f
}

func put(f *transcript.Frame, name string, at, n int, value, text, grade string) {
	f.Fields = append(f.Fields, transcript.Field{Name: name, Offset: at, Length: n, Value: value, Text: text, Grade: grade})
}

// shownData is how many bytes of a line stand in the summary of a block.
const shownData = 40

func (s *dissectSide) message(m *Message, way Direction) transcript.Frame {
	f := s.frame(len(m.Raw), m.String())
	text := m.Op.String()
	if maker := m.Op.MakerName(); maker != "" {
		text += " (" + maker + ")"
	}
	put(&f, "type", 0, 1, fmt.Sprintf("%#02x", uint8(m.Op)), text, gradeSpec)
	number := func(name string, n int, text, grade string) {
		put(&f, name, 1, n, strconv.FormatUint(uint64(m.Value), 10), text, grade)
	}
	switch m.Op {
	case OpTotal:
		number("total", 2, "", gradeSpec)
	case OpData:
		number("length", 2, "", gradeSpec)
		put(&f, "data", 3, len(m.Data), fmt.Sprintf("%x", m.Data), strconv.QuoteToASCII(string(m.Data)), gradeSpec)
		if n := len(m.Data); n > shownData {
			f.Summary += " " + strconv.QuoteToASCII(string(m.Data[:shownData])) + "…"
		} else if n > 0 {
			f.Summary += " " + strconv.QuoteToASCII(string(m.Data))
		}
	case OpSelect:
		number("port", 1, fmt.Sprintf("counted from 0; on the box it is printed %d", m.Value+1), gradeSpec)
	case OpLine:
		number("line settings", 2, LineSettings(m.Value).String(), gradeSpec)
	case OpOutputs:
		number("outputs", 2, Outputs(m.Value).String(), gradeSpec)
	case OpInputs:
		number("inputs", 2, Inputs(m.Value).String(), gradeSpec)
	case OpAction, OpActionDone:
		number("actions", 2, Action(m.Value).String(), gradeSpec)
	case OpErrors:
		number("errors", 2, LineErrors(m.Value).String(), gradeSpec)
	case OpBaud:
		text := "bits per second"
		if b, slip := BaudSlip(m.Value); slip {
			text = fmt.Sprintf("perhaps %d, one byte out of place", b)
		}
		number("baud", 4, text, gradeSpec)
	case OpChars:
		for i, n := range []string{"xon when receiving", "xoff when receiving", "xon when sending", "xoff when sending", "error character", "event character"} {
			grade := gradeSpec
			if i > 3 {
				grade = gradeInferred
			}
			put(&f, n, 1+i, 1, fmt.Sprintf("%#02x", m.Data[i]), "", grade)
		}
	case OpMode:
		number("mode", 1, Mode(m.Value).String(), gradeSpec)
	case OpStatus:
		if way == ToDevice {
			number("request", 1, Ask(m.Value).String(), gradeSpec)
			break
		}
		number("status", 1, Status(m.Value).String(), gradeSpec)
		if len(m.Raw) == 4 {
			put(&f, "inputs", 2, 2, strconv.Itoa(int(m.Inputs)), m.Inputs.String(), gradeSpec)
		}
	case OpLinkTimeout:
		number("seconds", 4, "", gradeSpec)
	case OpIdleTimeout:
		number("milliseconds", 4, "", gradeInferred)
	case OpScanPeriod, OpRetransmit:
		number("milliseconds", 1, "", gradeSpec)
	}
	if m.Op.Tool() {
		put(&f, "index", 1, 1, strconv.Itoa(int(m.Raw[1])), "", gradeSpec)
		put(&f, "length", 2, 2, strconv.Itoa(len(m.Raw)), "", gradeSpec)
		put(&f, "address", 4, 4, fmt.Sprintf("%#08x", m.Value), "", gradeSpec)
		if n := len(m.Data); n > 0 {
			f.Unknown = []transcript.Range{{Offset: ToolHeaderSize, Length: n}}
		}
	}
	return f
}

func (s *dissectSide) identity(b []byte) transcript.Frame {
	r, err := ParseIDResponse(b)
	if err != nil {
		return s.noise(len(b), err)
	}
	f := s.frame(len(b), fmt.Sprintf("ID response: %s, %d ports, %v, %v", r.FirmwareText(), r.Ports, r.MAC, r.Program))
	put(&f, "type", 0, 0, "id", "ID response", gradeSpec)
	fields := []struct {
		at, n       int
		name, value string
		text        string
	}{
		{0, 4, "address", r.IP.String(), ""}, {4, 4, "gateway", r.Gateway.String(), ""}, {8, 4, "boot server", r.BootServer.String(), ""},
		{12, 4, "mask", r.Mask.String(), ""}, {16, 4, "memory address", fmt.Sprintf("%#08x", r.MemAddress), ""},
		{20, 4, "memory length", strconv.Itoa(int(r.MemLength)), ""}, {24, 64, "firmware", r.FirmwareText(), ""}, {88, 6, "mac", r.MAC.String(), ""},
		{94, 4, "model", strconv.Itoa(int(r.Model)), ""}, {98, 1, "architecture", strconv.Itoa(int(r.Architecture)), ""},
		{99, 1, "ports", strconv.Itoa(int(r.Ports)), ""}, {100, 2, "program", strconv.Itoa(int(r.Program)), r.Program.String()},
		{102, 1, "board revision", strconv.Itoa(int(r.BoardRevision)), ""},
		{103, 2, "boot revision", fmt.Sprintf("%d.%d", r.BootMajor, r.BootMinor), ""}, {105, 1, "applications", strconv.Itoa(len(r.Apps)), ""},
	}
	for _, x := range fields {
		if x.at+x.n <= len(b) {
			put(&f, x.name, x.at, x.n, x.value, x.text, gradeSpec)
		} else if x.at < len(b) {
			f.Unknown = append(f.Unknown, transcript.Range{Offset: x.at, Length: len(b) - x.at})
		}
	}
	at := idFixed
	for i, a := range r.Apps {
		put(&f, fmt.Sprintf("application %d", i+1), at, 4, fmt.Sprintf("%#04x", a.ID), fmt.Sprintf("version %d.%d", a.Major, a.Minor), gradeSpec)
		at += 4
	}
	if r.Extended != nil {
		put(&f, "mark", at, 2, "00ff", "", gradeInferred)
		at += 2
		for _, t := range r.Extended {
			put(&f, fmt.Sprintf("tag %d", t.Tag), at, 2+len(t.Value), fmt.Sprintf("%x", t.Value), "meaning is not known", gradeInferred)
			if len(t.Value) > 0 {
				f.Unknown = append(f.Unknown, transcript.Range{Offset: at + 2, Length: len(t.Value)})
			}
			at += 2 + len(t.Value)
		}
		if !r.open {
			put(&f, "end", at, 2, "0000", "", gradeInferred)
			at += 2
		}
	}
	if len(r.Rest) > 0 {
		f.Unknown = append(f.Unknown, transcript.Range{Offset: at, Length: len(r.Rest)})
	}
	return f
}

func (s *dissectSide) discovery(b []byte) transcript.Frame {
	d, err := ParseDiscovery(b)
	if err != nil {
		return s.noise(len(b), err)
	}
	f := s.frame(len(b), fmt.Sprintf("discovery %v, sequence %d", d.Function, d.Seq))
	put(&f, "magic", 0, 8, fmt.Sprintf("%x", discoveryMagic), "", gradeSeen)
	if d.Unknown == [2]byte{} {
		put(&f, "zero", 8, 2, "0000", "", gradeSeen)
	} else {
		f.Unknown = append(f.Unknown, transcript.Range{Offset: 8, Length: 2})
	}
	put(&f, "sequence", 10, 2, strconv.Itoa(int(d.Seq)), "", gradeSeen)
	put(&f, "type", 12, 2, fmt.Sprintf("%#04x", uint16(d.Function)), "discovery "+d.Function.String(), gradeSeen)
	at := DiscoveryHeaderSize
	for _, t := range d.Tags {
		info := tagInfos[t.Tag]
		name, grade := info.name, info.grade
		if name == "" {
			name, grade = fmt.Sprintf("tag %#02x", t.Tag), gradeSeen
			if len(t.Value) > 0 {
				f.Unknown = append(f.Unknown, transcript.Range{Offset: at + 2, Length: len(t.Value)})
			}
		}
		put(&f, name, at, 2+len(t.Value), fmt.Sprintf("%x", t.Value), d.tagText(t), grade)
		at += 2 + len(t.Value)
	}
	if mac, ok := d.MAC(); ok {
		f.Summary += ", " + mac.String()
	}
	if name := d.Text(TagFirmware); name != "" {
		f.Summary += ", " + name
	}
	switch {
	case len(d.Rest) == 0:
	case len(bytes.Trim(d.Rest, "\x00")) == 0:
		put(&f, "padding", at, len(d.Rest), "", "", gradeInferred)
	default:
		f.Unknown = append(f.Unknown, transcript.Range{Offset: at, Length: len(d.Rest)})
		f.Err = errors.New("bytes behind the tags that are no padding")
	}
	return f
}

// tagText is a tag's value for people; empty when nobody knows how to read it.
func (d *Discovery) tagText(t TLV) string {
	switch t.Tag {
	case TagMAC:
		if m, ok := d.MAC(); ok {
			return m.String()
		}
	case TagIP, TagMask, TagGateway, TagStaticIP, TagStaticMask, TagStaticGW:
		if a, ok := d.IPv4(t.Tag); ok {
			return a.String()
		}
	case TagVendor, TagProduct, TagFirmware, TagBoot, 0x10:
		return d.Text(t.Tag)
	case TagModel, TagPorts, TagArchitecture, TagDHCP:
		if n, ok := d.Uint(t.Tag); ok {
			return strconv.FormatUint(uint64(n), 10)
		}
	}
	return ""
}
