package atem

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/transcript"
)

func datagram(t *testing.T, p Packet) []byte {
	t.Helper()
	b, err := p.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDissect(t *testing.T) {
	ver := (&ProtocolVersion{Major: 2, Minor: 30}).Append(nil, 0)
	for _, tc := range []struct {
		name    string
		dir     transcript.Direction
		b       []byte
		summary string
		fields  []string // name=value, or name=text
		unknown int      // bytes
		err     error
	}{
		{"open", transcript.FromClient, Handshake{Step: StepOpen}.Append(nil, 0x53ab, 0), "open 0x53ab", []string{"step=open"}, 0, nil},
		{"accept", transcript.FromServer, Handshake{Step: StepAccept, Given: 2}.Append(nil, 0x53ab, FlagResent), "accept: session 0x0002 (sent again)", []string{"given=2"}, 0, nil},
		{"full", transcript.FromServer, Handshake{Step: StepReject}.Append(nil, 0x53ab, 0), "reject: all sessions are taken", nil, 0, nil},
		{"ping", transcript.FromServer, datagram(t, Packet{Flags: FlagNumbered | FlagAck, Session: 0x8002, Number: 11, Ack: 3}), "packet 11, empty, ack 3", []string{"flags=numbered+ack"}, 0, nil},
		{"gap", transcript.FromClient, datagram(t, Packet{Flags: FlagWanted, Session: 0x8002, Wanted: 0x8000}), "wants packet 0", nil, 0, nil},
		{"version", transcript.FromServer, datagram(t, Packet{Flags: FlagNumbered, Number: 1, Payload: ver}), "packet 1, _ver ProtocolVersion major=2 minor=30", []string{"field 1.minor=30"}, 0, nil},
		{"command", transcript.FromClient, datagram(t, Packet{Flags: FlagNumbered, Number: 2, Payload: (&SetProgramSource{ME: 0, Source: 3010}).Append(nil, 0)}),
			"packet 2, CPgI SetProgramSource me=0 source=media-player-1", []string{"field 1.code=CPgI", "field 1.source=3010"}, 1, nil},
		{"several", transcript.FromServer, datagram(t, Packet{Flags: FlagNumbered, Number: 3, Payload: append((&ProgramSource{Source: 1}).Append(nil, 0), (&PreviewSource{Source: 2}).Append(nil, 0)...)}),
			"packet 3, PrgI PrvI", []string{"field 2.source=2"}, 6, nil},
		{"unknown code", transcript.FromServer, datagram(t, Packet{Flags: FlagNumbered, Number: 4, Payload: []byte{0, 10, 0, 0, 'X', 'y', 'Z', '0', 1, 2}}), "packet 4, XyZ0", []string{"field 1.code=XyZ0"}, 2, nil},
		{"cut", transcript.FromServer, datagram(t, Packet{Flags: FlagNumbered, Number: 5, Payload: []byte{0, 99, 0, 0, 'P', 'r', 'g', 'I'}}), "packet 5", nil, 8, ErrShort},
		{"stranger", transcript.FromServer, []byte("SIP/2.0"), "no packet of ATEM", nil, 0, ErrPacketShort},
		{"secret", transcript.FromServer, datagram(t, Packet{Flags: FlagNumbered, Number: 6, Payload: (&StreamingService{Service: "Example", URL: "rtmp://example.com", StreamKey: "abcd-efgh"}).Append(nil, 0)}),
			"packet 6, SRSU StreamingService", []string{"field 1.stream_key=***"}, 0, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			frames := NewDissector().Feed(tc.dir, tc.b)
			if len(frames) != 1 {
				t.Fatalf("%d frames of a datagram", len(frames))
			}
			f := &frames[0]
			if !strings.HasPrefix(f.Summary, tc.summary) {
				t.Errorf("summary %q, want %q", f.Summary, tc.summary)
			}
			if !errors.Is(f.Err, tc.err) || tc.err == nil && f.Err != nil {
				t.Errorf("error %v, want %v", f.Err, tc.err)
			}
			unknown := 0
			for _, u := range f.Unknown {
				unknown += u.Length
			}
			if unknown != tc.unknown {
				t.Errorf("%d bytes are unknown, want %d", unknown, tc.unknown)
			}
			for _, want := range tc.fields {
				found := false
				for _, x := range f.Fields {
					found = found || x.Name+"="+x.Value == want || x.Name+"="+x.Text == want
					if strings.Contains(x.Value+x.Text, "abcd") {
						t.Errorf("%s shows a secret", x.Name)
					}
				}
				if !found {
					t.Errorf("no field %s in %+v", want, f.Fields)
				}
			}
			if strings.Contains(f.Summary, "abcd") {
				t.Error("the summary shows a secret")
			}
		})
	}
}

// TestDissectOffsets holds frames and fields to the bytes that they are about.
func TestDissectOffsets(t *testing.T) {
	d := NewDissector()
	first := datagram(t, Packet{Flags: FlagNumbered, Number: 1, Payload: (&ProgramSource{Source: 7}).Append(nil, 0)})
	d.Feed(transcript.FromServer, first)
	f := d.Feed(transcript.FromServer, first)[0]
	if f.Offset != int64(len(first)) || f.Length != len(first) {
		t.Errorf("frame at %d of %d bytes", f.Offset, f.Length)
	}
	for _, x := range f.Fields {
		if x.Name == "field 1.source" && !bytes.Equal(first[x.Offset:x.Offset+x.Length], []byte{0, 7}) {
			t.Errorf("source lies at %d", x.Offset)
		}
	}
	if rest := d.End(transcript.FromServer); rest != nil {
		t.Errorf("%v is left", rest)
	}
}

func TestLooksLikePackets(t *testing.T) {
	open := Handshake{Step: StepOpen}.Append(nil, 0x53ab, 0)
	ping := datagram(t, Packet{Flags: FlagNumbered, Session: 0x8001, Number: 1})
	for _, tc := range []struct {
		b         []byte
		low, high int
	}{
		{nil, 0, 0}, {open, 30, 30}, {append(bytes.Clone(open), ping...), 60, 60}, {[]byte("GET / HTTP/1.1\r\nHost: example"), 0, 0},
		{bytes.Repeat(ping, 20), 90, 90}, {make([]byte, 100), 0, 0},
	} {
		if got := LooksLikePackets(tc.b); got < tc.low || got > tc.high {
			t.Errorf("%x: %d", tc.b, got)
		}
	}
}

func FuzzDissect(f *testing.F) {
	f.Add([]byte{0x08, 12, 0x80, 1, 0, 0, 0, 0, 0, 0, 0, 1})
	f.Add(Handshake{Step: StepAccept, Given: 1}.Append(nil, 1, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		LooksLikePackets(b)
		for _, fr := range NewDissector().Feed(transcript.FromServer, b) {
			for _, x := range fr.Fields {
				if x.Offset < 0 || x.Length < 0 || x.Offset+x.Length > len(b) {
					t.Fatalf("%s lies at %d to %d of %d bytes", x.Name, x.Offset, x.Offset+x.Length, len(b))
				}
			}
			for _, u := range fr.Unknown {
				if u.Offset < 0 || u.Length <= 0 || u.Offset+u.Length > len(b) {
					t.Fatalf("unknown bytes at %d to %d of %d", u.Offset, u.Offset+u.Length, len(b))
				}
			}
		}
	})
}
