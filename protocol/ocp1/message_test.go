package ocp1

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func str(s string) []byte { return AppendString(nil, s) }

// vector is one message: how it looks on the wire and what it holds.
type vector struct {
	name    string
	wire    string
	version uint16
	typ     Type
	pdus    []any // Command, Response, Notification, Notification2, or a time.Duration for a keep-alive
}

// vectors feed decoding, encoding, the dissector and the fuzz tests. All but those that say so were exchanged between
// independent programs (AES70.js, a C device, the phone app of Focusrite).
var vectors = []vector{
	{"KeepAlive 1 s", "3b 0001 0000000b 04 0001 0001", 1, TypeKeepAlive, []any{time.Second}},
	{"KeepAlive 1500 ms", "3b 0004 0000000d 04 0001 000005dc", 4, TypeKeepAlive, []any{1500 * time.Millisecond}},
	{"GetModelDescription", "3b 0004 0000001a 01 0001 00000011 00000001 00000001 0003 0006 00", 4, TypeCommandRrq,
		[]any{Command{1, 1, ID{3, 6}, 0, nil}}},
	{"its response", "3b 0004 00000029 03 0001 00000020 00000001 00 01 0007 53637261746368 0008 4c6f6f706261636b 0001 31", 4, TypeResponse,
		[]any{Response{1, StatusOK, 1, AppendModelDescription(nil, ModelDescription{"Scratch", "Loopback", "1"})}}},
	{"three in one", `3b 0001 00000051 01 0003
		00000011 00000000 00000001 0003 0006 00
		00000026 00000001 00000004 0003 0001 05 00000064 0001 0001 0000041f 0001 0001 0000 01 0000
		00000011 00000002 00000064 0003 0005 00`, 1, TypeCommandRrq,
		[]any{Command{0, 1, ID{3, 6}, 0, nil},
			Command{1, 4, ID{3, 1}, 5, Subscription{Event: Event{100, PropertyChanged}, Subscriber: SubscriberMethod, Delivery: 1}.Append(nil)},
			Command{2, 100, ID{3, 5}, 0, nil}}},
	{"GetGain", "3b 0004 0000001a 01 0001 00000011 00000005 00001016 0004 0001 00", 4, TypeCommandRrq,
		[]any{Command{5, 0x1016, ID{4, 1}, 0, nil}}},
	{"its response", "3b 0004 0000001f 03 0001 00000016 00000005 00 03 c1f00000 c2a00000 40c00000", 4, TypeResponse,
		[]any{Response{5, StatusOK, 3, AppendF32(AppendF32(AppendF32(nil, -30), -80), 6)}}},
	{"SetGain", "3b 0004 0000001e 01 0001 00000015 0000000a 00001016 0004 0002 01 c1c40000", 4, TypeCommandRrq,
		[]any{Command{10, 0x1016, ID{4, 2}, 1, AppendF32(nil, -24.5)}}},
	{"its response", "3b 0004 00000013 03 0001 0000000a 0000000a 00 00", 4, TypeResponse, []any{Response{10, StatusOK, 0, nil}}},
	{"out of range", "3b 0004 00000013 03 0001 0000000a 0000000e 07 00", 4, TypeResponse, []any{Response{14, StatusParameterOutOfRange, 0, nil}}},
	{"AddSubscription2", "3b 0004 00000025 01 0001 0000001c 00000006 00000004 0003 0008 03 00001016 0001 0001 01 0000", 4, TypeCommandRrq,
		[]any{Command{6, 4, ID{3, 8}, 3, Subscription2{Event: Event{0x1016, PropertyChanged}, Delivery: 1}.Append(nil)}}},
	{"EV1 gain changed", "3b 0001 00000029 02 0001 00000020 0000041f 0001 0001 02 0000 00001016 0001 0001 0004 0001 c1c40000 01", 1, TypeNotification,
		[]any{Notification{0x41f, ID{1, 1}, 2, nil, Event{0x1016, PropertyChanged}, PropertyChange{ID{4, 1}, AppendF32(nil, -24.5), CurrentChanged}.Append(nil)}}},
	{"EV2 gain changed", "3b 0001 0000001f 05 0001 00000016 00001016 0001 0001 00 0004 0001 c1c40000 01", 1, TypeNotification2,
		[]any{Notification2{Event{0x1016, PropertyChanged}, 0, PropertyChange{ID{4, 1}, AppendF32(nil, -24.5), CurrentChanged}.Append(nil)}}},
	{"unknown object", "3b 0004 00000013 03 0001 0000000a 00000002 05 00", 4, TypeResponse, []any{Response{2, StatusBadONo, 0, nil}}},
	{"unknown method", "3b 0004 00000013 03 0001 0000000a 00000001 0b 00", 4, TypeResponse, []any{Response{1, StatusBadMethod, 0, nil}}},
	{"short parameters", "3b 0004 00000013 03 0001 0000000a 00000004 04 00", 4, TypeResponse, []any{Response{4, StatusBadFormat, 0, nil}}},
	// What Focusrite's phone app sends to a Scarlett Solo, and what comes back.
	{"set air on", "3b 0001 0000001b 01 0001 00000012 00000007 00001023 0005 0002 01 01", 1, TypeCommandRrq,
		[]any{Command{7, 0x1023, ID{5, 2}, 1, []byte{1}}}},
	{"set air mode", "3b 0001 0000001c 01 0001 00000013 00000008 00001024 0004 0002 01 0001", 1, TypeCommandRrq,
		[]any{Command{8, 0x1024, ID{4, 2}, 1, []byte{0, 1}}}},
	{"air notified", "3b 0001 00000026 02 0001 0000001d 0000041f 0001 0001 02 0000 00001023 0001 0001 0005 0001 01 01", 1, TypeNotification,
		[]any{Notification{0x41f, ID{1, 1}, 2, nil, Event{0x1023, PropertyChanged}, PropertyChange{ID{5, 1}, []byte{1}, CurrentChanged}.Append(nil)}}},
	{"air mode notified", "3b 0001 00000027 02 0001 0000001e 0000041f 0001 0001 02 0000 00001024 0001 0001 0004 0001 0001 01", 1, TypeNotification,
		[]any{Notification{0x41f, ID{1, 1}, 2, nil, Event{0x1024, PropertyChanged}, PropertyChange{ID{4, 1}, []byte{0, 1}, CurrentChanged}.Append(nil)}}},
	// The pairing agent of Focusrite Control 2.
	{"GetMembers of the onboarding root", "3b 0004 0000001a 01 0001 00000011 00000000 00000064 0003 0005 00", 4, TypeCommandRrq,
		[]any{Command{0, 100, ID{3, 5}, 0, nil}}},
	{"its response", "3b 0004 00000029 03 0001 00000020 00000000 00 01 0001 00001000 0006 0001 0002 ffff 0000 130e 0001 0001", 4, TypeResponse,
		[]any{Response{0, StatusOK, 1, AppendList(nil, []ObjectIdentification{{4096, ClassIdentification{ClassOf(1, 2, 0xffff, 0, 0x130e, 1), 1}}}, AppendObjectIdentification)}}},
	{"GetApiVersion", "3b 0004 0000001a 01 0001 00000011 00000001 00001000 0003 0004 00", 4, TypeCommandRrq,
		[]any{Command{1, 4096, ID{3, 4}, 0, nil}}},
	{"its response", "3b 0004 00000015 03 0001 0000000c 00000001 00 01 0001", 4, TypeResponse, []any{Response{1, StatusOK, 1, []byte{0, 1}}}},
	{"GetOnboardingState", "3b 0004 0000001a 01 0001 00000011 00000002 00001000 0003 0003 00", 4, TypeCommandRrq,
		[]any{Command{2, 4096, ID{3, 3}, 0, nil}}},
	{"approved", "3b 0004 0000001d 03 0001 00000014 00000003 00 01 0008 617070726f766564", 4, TypeResponse,
		[]any{Response{3, StatusOK, 1, str("approved")}}},
	{"SendQRData", "3b 0004 0000002c 01 0001 00000023 00000005 00001000 0003 0002 01 0010 00112233445566778899aabbccddeeff", 4, TypeCommandRrq,
		[]any{Command{5, 4096, ID{3, 2}, 1, AppendBlob(nil, []byte{0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff})}}},
	{"the code is approved", "3b 0004 0000001d 03 0001 00000014 00000005 00 01 0008 617070726f766564", 4, TypeResponse,
		[]any{Response{5, StatusOK, 1, str("approved")}}},
	{"SetSetting inside the tunnel", "3b 0001 0000001b 01 0001 00000012 00000001 00001015 0005 0002 01 01", 1, TypeCommandRrq,
		[]any{Command{1, 0x1015, ID{5, 2}, 1, []byte{1}}}},
	{"its response of the onboarding state", "3b 0004 0000001a 03 0001 00000011 00000002 00 01 0005 7265616479", 4, TypeResponse,
		[]any{Response{2, StatusOK, 1, str("ready")}}},
	// By the standard alone.
	{"Command without response", "3b 0001 0000001a 00 0001 00000011 00000000 00000001 0003 0006 00", 1, TypeCommand,
		[]any{Command{0, 1, ID{3, 6}, 0, nil}}},
	{"two responses", "3b 0001 0000001e 03 0002 0000000a 00000001 00 00 0000000b 00000002 00 01 05", 1, TypeResponse,
		[]any{Response{1, StatusOK, 0, nil}, Response{2, StatusOK, 1, []byte{5}}}},
}

// pdusOf reads all PDUs of a message.
func pdusOf(m Message) ([]any, error) {
	if m.Type == TypeKeepAlive {
		d, _, err := m.KeepAlive()
		return []any{d}, err
	}
	var out []any
	p := m.PDUs()
	for {
		var v any
		var ok bool
		switch m.Type {
		case TypeCommand, TypeCommandRrq:
			v, ok = p.Command()
		case TypeResponse:
			v, ok = p.Response()
		case TypeNotification:
			v, ok = p.Notification()
		case TypeNotification2:
			v, ok = p.Notification2()
		}
		if !ok {
			return out, p.Err()
		}
		out = append(out, v)
	}
}

// appendPDU appends one of what pdusOf returns.
func appendPDU(b []byte, pdu any) []byte {
	switch v := pdu.(type) {
	case Command:
		return v.Append(b)
	case Response:
		return v.Append(b)
	case Notification:
		return v.Append(b)
	case Notification2:
		return v.Append(b)
	}
	panic("no PDU")
}

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		b := unhex(t, v.wire)
		m, rest, err := ParseMessage(append(bytes.Clone(b), 0x3b), 0)
		if err != nil || len(rest) != 1 || m.Version != v.version || m.Type != v.typ || int(m.Count) != len(v.pdus) || m.Total() != int64(len(b)) {
			t.Errorf("%s: %+v, %d bytes left, %v", v.name, m.Header, len(rest), err)
			continue
		}
		got, err := pdusOf(m)
		if err != nil || len(got) != len(v.pdus) {
			t.Errorf("%s: %d PDUs, %v, want %d", v.name, len(got), err, len(v.pdus))
			continue
		}
		for i := range got {
			if d, ok := v.pdus[i].(time.Duration); ok {
				if got[i] != d {
					t.Errorf("%s: %v, want %v", v.name, got[i], d)
				}
				if again := AppendKeepAlive(nil, v.version, d); !bytes.Equal(again, b) {
					t.Errorf("%s: appends as %x", v.name, again)
				}
				continue
			}
			if a, want := appendPDU(nil, got[i]), appendPDU(nil, v.pdus[i]); !bytes.Equal(a, want) {
				t.Errorf("%s: PDU %d is %+v, want %+v", v.name, i, got[i], v.pdus[i])
			}
		}
		if again := m.Append(nil); !bytes.Equal(again, b) {
			t.Errorf("%s: appends as %x", v.name, again)
		}
		if v.typ == TypeKeepAlive {
			continue
		}
		out, at := BeginMessage([]byte("x"), v.version, v.typ)
		for _, pdu := range v.pdus {
			out = appendPDU(out, pdu)
		}
		if out = EndMessage(out, at, len(v.pdus)); !bytes.Equal(out[1:], b) {
			t.Errorf("%s: made anew it is %x", v.name, out[1:])
		}
	}
}

// The appending functions for whole messages.
func TestAppendMessages(t *testing.T) {
	c := Command{Handle: 7, Target: 0x1023, Method: ID{5, 2}, Count: 1, Params: []byte{1}}
	n1 := Notification{Subscriber: 9, Method: ID{1, 1}, Count: 2, Context: []byte{1, 2, 3}, Event: Event{5, PropertyChanged}, Data: []byte{9}}
	n2 := Notification2{Event: Event{5, PropertyChanged}, Data: []byte{9}}
	for _, row := range []struct {
		got  []byte
		typ  Type
		want []any
	}{
		{AppendCommands(nil, 1, true, c, c), TypeCommandRrq, []any{c, c}},
		{AppendCommands(nil, 1, false, c), TypeCommand, []any{c}},
		{AppendResponses(nil, 1, Response{Handle: 3}), TypeResponse, []any{Response{Handle: 3, Params: []byte{}}}},
		{AppendNotifications(nil, 1, n1, n1), TypeNotification, []any{n1, n1}},
		{AppendNotifications2(nil, 1, n2), TypeNotification2, []any{n2}},
	} {
		m, rest, err := ParseMessage(row.got, 0)
		got, perr := pdusOf(m)
		if err != nil || perr != nil || len(rest) != 0 || m.Type != row.typ || len(got) != len(row.want) {
			t.Errorf("%v: %v, %v, %d PDUs", row.typ, err, perr, len(got))
			continue
		}
		for i := range got {
			if !bytes.Equal(appendPDU(nil, got[i]), appendPDU(nil, row.want[i])) {
				t.Errorf("%v: %+v, want %+v", row.typ, got[i], row.want[i])
			}
		}
	}
}

func TestKeepAlives(t *testing.T) {
	for _, row := range []struct {
		d, want time.Duration
		millis  bool
	}{
		{time.Second, time.Second, false}, {65535 * time.Second, 65535 * time.Second, false},
		{65536 * time.Second, 65536 * time.Second, true}, {500 * time.Millisecond, 500 * time.Millisecond, true},
		{0, time.Millisecond, true}, {-time.Hour, time.Millisecond, true}, {1 << 62, (1<<32 - 1) * time.Millisecond, true},
	} {
		m, _, err := ParseMessage(AppendKeepAlive(nil, 1, row.d), 0)
		if err != nil {
			t.Fatal(err)
		}
		if d, millis, err := m.KeepAlive(); d != row.want || millis != row.millis || err != nil {
			t.Errorf("%v: %v, %v, %v", row.d, d, millis, err)
		}
	}
	if m, _, err := ParseMessage(AppendKeepAliveSeconds(nil, 1, 300*time.Millisecond), 0); err != nil || !bytes.Equal(m.Body, []byte{0, 1}) {
		t.Errorf("300 ms in seconds: %x, %v", m.Body, err)
	}
	if _, _, err := (Message{Body: make([]byte, 3)}).KeepAlive(); !errors.Is(err, ErrPDU) {
		t.Errorf("a keep-alive of 3 bytes: %v", err)
	}
}

// Bad messages: each by the error that a reader of a stream and a parser of bytes give.
func TestBadMessages(t *testing.T) {
	for _, row := range []struct {
		name, wire string
		want       error
	}{
		{"wrong sync", "3c 0001 0000000b 04 0001 0001", ErrSync},
		{"wrong sync, short", "00", ErrSync},
		{"text", "474554202f20485454502f312e310d0a", ErrSync},
		{"size 8", "3b 0001 00000008 04 0001", ErrSize},
		{"size 0", "3b 0001 00000000 04 0001", ErrSize},
		{"over the limit", "3b 0001 00100000 01 0001", ErrTooLong},
		{"far over the limit", "3b 0001 ffffffff 01 0001", ErrTooLong},
		{"cut in the header", "3b 0001 0000", ErrShort},
		{"cut in the body", "3b 0001 0000000b 04 0001 00", ErrShort},
	} {
		b := unhex(t, row.wire)
		if _, _, err := ParseMessage(b, 0); !errors.Is(err, row.want) {
			t.Errorf("%s: parse: %v", row.name, err)
		}
		want := row.want
		if want == ErrShort {
			want = io.ErrUnexpectedEOF
		}
		if _, err := NewReader(bytes.NewReader(b), 0).Next(); !errors.Is(err, want) {
			t.Errorf("%s: read: %v", row.name, err)
		}
	}
	if _, err := NewReader(bytes.NewReader(nil), 0).Next(); err != io.EOF {
		t.Errorf("nothing: %v", err)
	}
	limit := len(AppendKeepAlive(nil, 1, time.Second))
	if _, _, err := ParseMessage(AppendKeepAlive(nil, 1, time.Second), limit); err != nil {
		t.Errorf("a message as long as the limit: %v", err)
	}
	if _, _, err := ParseMessage(AppendKeepAlive(nil, 1, time.Second), limit-1); !errors.Is(err, ErrTooLong) {
		t.Errorf("a message longer than the limit: %v", err)
	}
}

func TestBadPDUs(t *testing.T) {
	for _, row := range []struct {
		name string
		typ  Type
		n    int
		body string
		want error
	}{
		{"size 0", TypeCommandRrq, 1, "00000000 00000001 00000001 0003 0006 00", ErrPDU},
		{"one less than a command", TypeCommandRrq, 1, "00000010 00000001 00000001 0003 0006 00", ErrPDU},
		{"one more than is there", TypeCommandRrq, 1, "00000012 00000001 00000001 0003 0006 00", ErrPDU},
		{"huge", TypeCommandRrq, 1, "ffffffff 00000001 00000001 0003 0006 00", ErrPDU},
		{"no room for a size", TypeCommandRrq, 1, "000000", ErrPDU},
		{"count too large", TypeCommandRrq, 2, "00000011 00000001 00000001 0003 0006 00", ErrPDU},
		{"count too small", TypeCommandRrq, 0, "00000011 00000001 00000001 0003 0006 00", ErrCount},
		{"bytes behind", TypeCommandRrq, 1, "00000011 00000001 00000001 0003 0006 00 ff", ErrCount},
		{"response", TypeResponse, 1, "00000009 00000001 00 00", ErrPDU},
		{"EV1", TypeNotification, 1, "00000016 0000041f 0001 0001 02 0000 00001016 0001 00", ErrPDU},
		{"EV1 context too long", TypeNotification, 1, "00000017 0000041f 0001 0001 02 0001 00001016 0001 0001", ErrPDU},
		{"EV2", TypeNotification2, 1, "0000000c 00001016 0001 0001", ErrPDU},
	} {
		m := Message{Header: Header{Type: row.typ, Count: uint16(row.n)}, Body: unhex(t, row.body)}
		if _, err := pdusOf(m); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
	}
}

// A stream gives its messages whole, however it is cut, and one buffer serves them all.
// A walk knows what is to come, and after a failure goes no further.
func TestWalk(t *testing.T) {
	m, _, err := ParseMessage(AppendResponses(nil, 1, Response{Handle: 1}, Response{Handle: 2}), 0)
	if err != nil {
		t.Fatal(err)
	}
	m.Body[ResponseSize] = 0xff // the size of the second one
	p := m.PDUs()
	if p.Left() != 2 {
		t.Errorf("%d to come", p.Left())
	}
	if r, ok := p.Response(); !ok || r.Handle != 1 || p.Left() != 1 {
		t.Errorf("%+v, %v, %d to come", r, ok, p.Left())
	}
	for range 2 {
		if r, ok := p.Response(); ok || !errors.Is(p.Err(), ErrPDU) {
			t.Errorf("%+v, %v", r, p.Err())
		}
	}
	if got := ChangeType(9).String(); got != "change 9" {
		t.Error(got)
	}
}

func TestReader(t *testing.T) {
	big := AppendResponses(nil, 1, Response{Handle: 1, Count: 1, Params: bytes.Repeat([]byte{7}, 300_000)})
	var stream []byte
	for _, v := range vectors {
		stream = append(stream, unhex(t, v.wire)...)
	}
	stream = append(append(stream, big...), stream...)
	for name, r := range map[string]io.Reader{"whole": bytes.NewReader(stream), "halves": iotest.HalfReader(bytes.NewReader(stream)),
		"bytes": iotest.OneByteReader(bytes.NewReader(stream)), "error with data": iotest.DataErrReader(bytes.NewReader(stream))} {
		var got []byte
		n := 0
		for mr := NewReader(r, 0); ; n++ {
			m, err := mr.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got = m.Append(got)
		}
		if n != 2*len(vectors)+1 || !bytes.Equal(got, stream) {
			t.Errorf("%s: %d messages, or not the same bytes", name, n)
		}
	}
}

// A header that announces much and a peer that sends little cost little.
func TestReaderDoesNotTrustTheSize(t *testing.T) {
	b := unhex(t, "3b 0001 000ffffe 01 0001 00")
	r := NewReader(bytes.NewReader(b), 0)
	if _, err := r.Next(); err != io.ErrUnexpectedEOF {
		t.Fatal(err)
	}
	if c := cap(r.buf); c > 2*readPiece {
		t.Errorf("%d bytes for a message of which 11 have come", c)
	}
}

func TestPDUsDoNotAllocate(t *testing.T) {
	m, _, err := ParseMessage(unhex(t, vectors[4].wire), 0)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() {
		p := m.PDUs()
		for {
			c, ok := p.Command()
			if !ok {
				break
			}
			out = c.Append(out[:0])
		}
		out = AppendCommands(out[:0], 1, true, Command{Target: 1, Method: ID{3, 6}})
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
