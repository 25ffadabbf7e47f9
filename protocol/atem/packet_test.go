package atem

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// packetVectors are packets as switchers, the maker's software and other programs send them.
var packetVectors = []struct {
	name, bytes string
	want        Packet
	step        Handshake
}{
	{"open", "10 14 73 9c 00 00 00 00 00 14 00 00 | 01 00 00 00 00 00 00 00",
		Packet{Flags: FlagHandshake, Session: 0x739c, Unknown: 0x14}, Handshake{Step: StepOpen}},
	{"open of atem-connection", "10 14 53 ab 00 00 00 00 00 3a 00 00 | 01 00 00 00 00 00 00 00",
		Packet{Flags: FlagHandshake, Session: 0x53ab, Unknown: 0x3a}, Handshake{Step: StepOpen}},
	{"accept", "10 14 73 9c 00 00 00 00 00 c8 00 00 | 02 00 01 7d 00 00 00 00",
		Packet{Flags: FlagHandshake, Session: 0x739c, Unknown: 0xc8}, Handshake{Step: StepAccept, Given: 0x17d}},
	{"accept again", "30 14 73 9c 00 00 00 00 00 c8 00 00 | 02 00 01 7d 00 00 00 00",
		Packet{Flags: FlagHandshake | FlagResent, Session: 0x739c, Unknown: 0xc8}, Handshake{Step: StepAccept, Given: 0x17d}},
	{"reject", "10 14 73 9c 00 00 00 00 00 00 00 00 | 03 00 00 00 00 00 00 00",
		Packet{Flags: FlagHandshake, Session: 0x739c}, Handshake{Step: StepReject}},
	{"closing", "10 14 80 01 00 00 00 00 00 00 00 00 | 04 00 00 00 00 00 00 00",
		Packet{Flags: FlagHandshake, Session: 0x8001}, Handshake{Step: StepClosing}},
	{"closed", "10 14 80 01 00 00 00 00 00 00 00 00 | 05 00 00 00 00 00 00 00",
		Packet{Flags: FlagHandshake, Session: 0x8001}, Handshake{Step: StepClosed}},
	{"ack of the accept", "80 0c 73 9c 00 00 00 00 00 ec 00 00",
		Packet{Flags: FlagAck, Session: 0x739c, Unknown: 0xec}, Handshake{}},
	{"empty first packet", "08 0c 81 7d 00 00 00 00 00 00 00 01",
		Packet{Flags: FlagNumbered, Session: 0x817d, Number: 1}, Handshake{}},
	{"command", "08 18 80 02 00 00 00 00 00 00 00 01 | 00 0c 00 00 43 50 67 49 00 00 00 03",
		Packet{Flags: FlagNumbered, Session: 0x8002, Number: 1}, Handshake{}},
	{"data with an ack", "88 18 80 02 00 01 00 00 00 00 00 08 | 00 0c 00 00 50 72 67 49 00 00 00 03",
		Packet{Flags: FlagNumbered | FlagAck, Session: 0x8002, Ack: 1, Number: 8}, Handshake{}},
	{"request", "40 0c 80 02 00 00 00 09 01 00 00 00",
		Packet{Flags: FlagWanted, Session: 0x8002, Wanted: 9, Unknown: 0x100}, Handshake{}},
	{"numbers that no flag vouches for", "00 0c 80 02 00 01 00 02 00 03 00 04",
		Packet{Session: 0x8002, Ack: 1, Wanted: 2, Unknown: 3, Number: 4}, Handshake{}},
}

func TestPackets(t *testing.T) {
	for _, v := range packetVectors {
		t.Run(v.name, func(t *testing.T) {
			raw := unhex(t, v.bytes)
			p, err := ParsePacket(raw)
			if err != nil {
				t.Fatal(err)
			}
			again, err := p.Append([]byte{0xaa})
			if err != nil || again[0] != 0xaa || !bytes.Equal(again[1:], raw) {
				t.Errorf("written again: %x, %v", again, err)
			}
			if p.Flags&FlagHandshake != 0 {
				if p.Handshake() != v.step {
					t.Errorf("handshake %v, want %v", p.Handshake(), v.step)
				}
				if h := v.step.Append(nil, p.Session, p.Flags&FlagResent); p.Unknown == 0 && !bytes.Equal(h, raw) {
					t.Errorf("handshake written: %x", h)
				}
			}
			if !bytes.Equal(p.Payload, raw[12:]) {
				t.Errorf("payload %x", p.Payload)
			}
			p.Payload = nil
			if p.Flags != v.want.Flags || p.Session != v.want.Session || p.Ack != v.want.Ack || p.Wanted != v.want.Wanted ||
				p.Unknown != v.want.Unknown || p.Number != v.want.Number {
				t.Errorf("%+v, want %+v", p, v.want)
			}
		})
	}
}

func TestBadPackets(t *testing.T) {
	for _, row := range []struct {
		name string
		b    []byte
		want error
	}{
		{"nothing", nil, ErrPacketShort},
		{"eleven bytes", unhex(t, "80 0b 80 01 00 00 00 00 00 00 00"), ErrPacketShort},
		{"says more than there is", unhex(t, "80 0d 80 01 00 00 00 00 00 00 00 00"), ErrPacketLength},
		{"says less than there is", unhex(t, "80 0b 80 01 00 00 00 00 00 00 00 00"), ErrPacketLength},
		{"says 0", unhex(t, "80 00 80 01 00 00 00 00 00 00 00 00"), ErrPacketLength},
		{"handshake without a body", unhex(t, "10 0c 80 01 00 00 00 00 00 00 00 00"), ErrHandshake},
		{"handshake of 19 bytes", unhex(t, "10 13 80 01 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00"), ErrHandshake},
		{"2048 bytes", append([]byte{0x08, 0x00}, make([]byte, 2046)...), ErrPacketLength},
		{"more than a length can say", append([]byte{0x08, 0x0c}, make([]byte, 2048+10)...), ErrPacketLength},
	} {
		if _, err := ParsePacket(row.b); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
	}
	p := Packet{Payload: make([]byte, MaxPacket-PacketHeaderSize)}
	if b, err := p.Append(nil); err != nil || len(b) != MaxPacket {
		t.Errorf("the longest: %d bytes, %v", len(b), err)
	}
	p.Payload = append(p.Payload, 0)
	if b, err := p.Append([]byte{1}); !errors.Is(err, ErrPacketLong) || len(b) != 1 {
		t.Errorf("one more: %d bytes, %v", len(b), err)
	}
}

func TestPacketWords(t *testing.T) {
	for got, want := range map[string]string{
		Flags(0).String(): "none", (FlagNumbered | FlagAck | FlagResent).String(): "numbered+resent+ack",
		StepOpen.String(): "open", StepAccept.String(): "accept", StepReject.String(): "reject", StepClosing.String(): "closing",
		StepClosed.String(): "closed", Step(9).String(): "step 9",
		PhaseOpening.String(): "opening", PhaseUp.String(): "up", PhaseClosing.String(): "closing", PhaseOver.String(): "over",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func fieldOf(code string, size int) []byte {
	c, _ := ParseCode(code)
	f := Field{Code: c, Body: make([]byte, size-HeaderSize)}
	b, _ := f.Append(nil)
	return b
}

func TestSplit(t *testing.T) {
	for _, row := range []struct {
		name  string
		sizes []int
		tail  string
		limit int
		want  []int
		err   error
	}{
		{"nothing", nil, "", 100, []int{0}, nil},
		{"fits", []int{40, 60}, "", 100, []int{100}, nil},
		{"one byte too many", []int{40, 61}, "", 100, []int{40, 61}, nil},
		{"fills pieces", []int{50, 50, 50, 50, 8}, "", 100, []int{100, 100, 8}, nil},
		{"a field alone as long as the limit", []int{8, 100, 8}, "", 100, []int{8, 100, 8}, nil},
		{"a field too long", []int{8, 8, 101, 8}, "", 100, []int{16}, ErrFieldTooLong},
		{"a field too long at first", []int{101, 8}, "", 100, nil, ErrFieldTooLong},
		{"rubbish behind", []int{90, 90}, "rubbish", 100, []int{90, 90}, ErrShort},
	} {
		t.Run(row.name, func(t *testing.T) {
			var payload []byte
			for i, n := range row.sizes {
				payload = append(payload, fieldOf("F00"+string(rune('0'+i)), n)...)
			}
			payload = append(payload, row.tail...)
			out, err := Split(payload, row.limit)
			if !errors.Is(err, row.err) || (err == nil) != (row.err == nil) {
				t.Errorf("error %v, want %v", err, row.err)
			}
			var sizes []int
			for _, x := range out {
				sizes = append(sizes, len(x))
			}
			if len(sizes) != len(row.want) {
				t.Fatalf("pieces of %v, want %v", sizes, row.want)
			}
			for i := range sizes {
				if sizes[i] != row.want[i] {
					t.Fatalf("pieces of %v, want %v", sizes, row.want)
				}
			}
			if joined := bytes.Join(out, nil); !bytes.HasPrefix(payload, joined) {
				t.Error("the pieces are no start of the payload")
			}
		})
	}
}

func FuzzPacket(f *testing.F) {
	for _, v := range packetVectors {
		f.Add(unhex(f, v.bytes))
	}
	f.Add([]byte(strings.Repeat("\x08", 40)))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParsePacket(b)
		if err != nil {
			return
		}
		if again, err := p.Append(nil); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%x written again: %x, %v", b, again, err)
		}
		if p.Flags&FlagHandshake != 0 {
			_ = p.Handshake()
		}
		for _, limit := range []int{8, 100, MaxPayload} {
			out, _ := Split(p.Payload, limit)
			if !bytes.HasPrefix(p.Payload, bytes.Join(out, nil)) {
				t.Error("the pieces are no start of the payload")
			}
		}
	})
}
