package openswitcher

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/patchbay-io/patchbay/protocol/atem"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.NewReplacer(" ", "", "|", "").Replace(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The packets of the handshake; the first four are the examples of the relay's own document.
const (
	hello       = "00 08 | 00 08 00 00 2A 53 57 2A"
	loginWanted = "00 08 | 00 08 00 00 41 55 54 48"
	login       = "00 1d | 00 0d 00 00 2a 55 53 52 61 64 6d 69 6e | 00 10 00 00 2a 50 57 44 70 61 73 73 77 6f 72 64"
	choice      = "00 0c | 00 0c 00 00 2A 44 45 56 6d 69 6e 69"
	oneDevice   = "00 30 | 00 30 00 00 2a 48 57 2a 6d 69 6e 69 00000000000000000000000000000000 53 69 6d 75 6c 61 74 65 64 20 54 56 53 20 48 44 00000000"
)

func packet(t *testing.T, payload []byte) []byte {
	t.Helper()
	b, err := AppendPacket(nil, payload)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestExamplesOfTheDocument(t *testing.T) {
	mini := []Device{{"mini", "Simulated TVS HD"}}
	for name, row := range map[string]struct {
		payload []byte
		want    string
	}{
		"hello":        {AppendHello(nil), hello},
		"login wanted": {AppendLoginWanted(nil), loginWanted},
		"login":        {AppendLogin(nil, "admin", "password"), login},
		"choice":       {AppendChoice(nil, "mini"), choice},
		"one device":   {AppendDevices(nil, mini), oneDevice},
	} {
		if got := packet(t, row.payload); !bytes.Equal(got, unhex(t, row.want)) {
			t.Errorf("%s: %x", name, got)
		}
	}
	read := func(s string) []byte {
		p, err := NewReader(bytes.NewReader(unhex(t, s))).Next(MaxHandshake)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if err := ParseHello(read(hello)); err != nil {
		t.Error(err)
	}
	if _, wanted, err := ParseAnswer(read(loginWanted)); err != nil || !wanted {
		t.Error(wanted, err)
	}
	if user, password, err := ParseLogin(read(login)); err != nil || user != "admin" || password != "password" {
		t.Error(user, password, err)
	}
	if d, wanted, err := ParseAnswer(read(oneDevice)); err != nil || wanted || !slices.Equal(d, mini) {
		t.Error(d, wanted, err)
	}
	if id, err := ParseChoice(read(choice)); err != nil || id != "mini" {
		t.Error(id, err)
	}
}

// Names of twenty bytes have no end mark, longer ones are cut.
func TestLongNames(t *testing.T) {
	b := AppendDevices(nil, []Device{{strings.Repeat("i", 20), strings.Repeat("l", 25)}, {"b", ""}})
	if len(b) != 0x60 {
		t.Fatalf("%x", b)
	}
	d, _, err := ParseAnswer(b)
	if err != nil || !slices.Equal(d, []Device{{strings.Repeat("i", 20), strings.Repeat("l", 20)}, {"b", ""}}) {
		t.Errorf("%v %v", d, err)
	}
}

func field(code string, size int) []byte {
	c, _ := atem.ParseCode(code)
	b, _ := (&atem.Field{Code: c, Body: bytes.Repeat([]byte{'x'}, size)}).Append(nil)
	return b
}

// What is taken for which step, and what is not.
func TestHandshakeIsStrict(t *testing.T) {
	join := func(p ...[]byte) []byte { return bytes.Join(p, nil) }
	for _, row := range []struct {
		name    string
		payload []byte
		good    string // the steps that accept it
	}{
		{"nothing", nil, "answer"},
		{"seven bytes", make([]byte, 7), ""},
		{"length 0", make([]byte, 8), ""},
		{"hello", AppendHello(nil), "hello"},
		{"hello with a body", field("*SW*", 5), "hello"},
		{"hello with padding that is not zero", []byte{0, 8, 0xcf, 0x60, '*', 'S', 'W', '*'}, "hello"},
		{"two fields in the hello", join(AppendHello(nil), AppendHello(nil)), ""},
		{"hello and choice in one packet", join(AppendHello(nil), AppendChoice(nil, "mini")), ""},
		{"hello and rubbish", join(AppendHello(nil), []byte{1}), ""},
		{"login", AppendLogin(nil, "a", "b"), "login"},
		{"password first", join(field("*PWD", 3), field("*USR", 5)), "login"},
		{"user alone", field("*USR", 5), ""},
		{"password alone", field("*PWD", 5), ""},
		{"two users", join(field("*USR", 5), field("*USR", 5)), ""},
		{"login and more", join(AppendLogin(nil, "a", "b"), field("*DEV", 1)), ""},
		{"user of 255 bytes", AppendLogin(nil, strings.Repeat("u", 255), ""), "login"},
		{"user of 256 bytes", AppendLogin(nil, strings.Repeat("u", 256), ""), ""},
		{"password of 10 kB", AppendLogin(nil, "u", strings.Repeat("p", 10<<10)), ""},
		{"choice", AppendChoice(nil, "mini"), "choice"},
		{"empty choice", AppendChoice(nil, ""), "choice"},
		{"devices", AppendDevices(nil, []Device{{"a", "b"}, {"c", "d"}}), "answer"},
		{"login wanted", AppendLoginWanted(nil), "answer"},
		{"both", join(AppendLoginWanted(nil), AppendDevices(nil, []Device{{"a", "b"}})), ""},
		{"both, the other way round", join(AppendDevices(nil, []Device{{"a", "b"}}), AppendLoginWanted(nil)), ""},
		{"device of 39 bytes", field("*HW*", 39), ""},
		{"state", field("_ver", 4), ""},
	} {
		good := ""
		errs := []error{}
		if err := ParseHello(row.payload); err == nil {
			good += "hello"
		} else {
			errs = append(errs, err)
		}
		if _, _, err := ParseLogin(row.payload); err == nil {
			good += "login"
		} else {
			errs = append(errs, err)
		}
		if _, err := ParseChoice(row.payload); err == nil {
			good += "choice"
		} else {
			errs = append(errs, err)
		}
		if _, _, err := ParseAnswer(row.payload); err == nil {
			good += "answer"
		} else {
			errs = append(errs, err)
		}
		if good != row.good {
			t.Errorf("%s is accepted as %q, want %q", row.name, good, row.good)
		}
		for _, err := range errs {
			if !errors.Is(err, ErrHandshake) {
				t.Errorf("%s: %v", row.name, err)
			}
		}
	}
	if id, err := ParseChoice(field("*DEV", 0)); id != "" || err != nil {
		t.Error(id, err)
	}
	padded := append(AppendChoice(nil, "mini\x00\x00\x00"), nil...)
	if id, err := ParseChoice(padded); id != "mini" || err != nil {
		t.Errorf("%q %v", id, err)
	}
}

func TestReader(t *testing.T) {
	stream := bytes.Join([][]byte{packet(t, field("AAAA", 4)), packet(t, nil), packet(t, make([]byte, MaxPacket)), packet(t, field("BBBB", 0))}, nil)
	for name, r := range map[string]io.Reader{"at once": bytes.NewReader(stream), "byte by byte": iotest.OneByteReader(bytes.NewReader(stream)),
		"buffered": bufio.NewReader(iotest.HalfReader(bytes.NewReader(stream)))} {
		in := NewReader(r)
		for i, n := range []int{12, 0, MaxPacket, 8} {
			p, err := in.Next(MaxPacket)
			if err != nil || len(p) != n {
				t.Fatalf("%s: packet %d has %d bytes, %v", name, i, len(p), err)
			}
		}
		if _, err := in.Next(MaxPacket); err != io.EOF {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, row := range []struct {
		bytes string
		limit int
		want  error
	}{{"", 10, io.EOF}, {"00", 10, io.ErrUnexpectedEOF}, {"00 01", 10, io.ErrUnexpectedEOF}, {"00 03 01 02", 10, io.ErrUnexpectedEOF}, {"00 0b", 10, ErrTooLong}, {"ff ff", MaxHandshake, ErrTooLong}} {
		if _, err := NewReader(bytes.NewReader(unhex(t, row.bytes))).Next(row.limit); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.bytes, err, row.want)
		}
	}
	if _, err := AppendPacket(nil, make([]byte, MaxPacket+1)); !errors.Is(err, ErrTooLong) {
		t.Error(err)
	}
}

// A payload that is too long for one packet is cut between fields; a field alone always fits.
func TestPackets(t *testing.T) {
	payload := bytes.Join([][]byte{field("AAAA", 40000), field("BBBB", 30000), field("CCCC", 65535-8)}, nil)
	out, err := Packets(payload)
	if err != nil || len(out) != 3 || len(out[0]) != 2+40008 || len(out[2]) != 2+65535 {
		t.Fatalf("%d packets, %v", len(out), err)
	}
	if out, err := Packets(append(payload, 1)); err == nil || len(out) != 3 {
		t.Errorf("%d packets, %v", len(out), err)
	}
}

func TestUploads(t *testing.T) {
	piece := func(slot uint16, size uint32, data string) *atem.OSWUpload {
		return &atem.OSWUpload{Transfer: 7, Store: 1, Slot: slot, Upload: true, Name: "n", SendSize: size, RawSize: 100, Data: []byte(data)}
	}
	var u Uploads
	if f, done, err := u.Add(piece(1, 8, "abcd")); f != nil || done || err != nil {
		t.Error(f, done, err)
	}
	if _, done, err := u.Add(piece(2, 4, "wxyz")); !done || err != nil {
		t.Error(done, err)
	}
	f, done, err := u.Add(piece(1, 8, "efgh"))
	if err != nil || !done || string(f.Data) != "abcdefgh" || f.Slot != 1 || f.Transfer != 7 || f.Name != "n" || f.RawSize != 100 {
		t.Errorf("%+v %v %v", f, done, err)
	}
	bad := func(p *atem.OSWUpload) {
		t.Helper()
		if _, _, err := u.Add(p); !errors.Is(err, ErrUpload) {
			t.Error(err)
		}
	}
	bad(piece(1, 3, "four"))
	bad(piece(1, MaxUpload+1, "x"))
	down := piece(1, 10, "")
	down.Upload = false
	bad(down)
	for i := range uint16(MaxUploads) {
		if _, _, err := u.Add(piece(i, 10, "x")); err != nil {
			t.Error(err)
		}
	}
	bad(piece(100, 10, "x"))
	if got := AppendUploaded(nil, 1, 2); !bytes.Equal(got, unhex(t, "00 10 00 00 2a 58 46 43 00 01 00 02 01 00 00 00")) {
		t.Errorf("%x", got)
	}
	var back atem.OSWUpload
	if b := piece(3, 4, "data").Append(nil, 0); back.Parse(0, b[8:]) != nil || back.Slot != 3 || string(back.Data) != "data" {
		t.Errorf("%+v", back)
	}
}

func FuzzHandshake(f *testing.F) {
	for _, s := range []string{hello, loginWanted, login, choice, oneDevice} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := NewReader(bytes.NewReader(b))
		for {
			p, err := r.Next(MaxHandshake)
			if err != nil {
				return
			}
			_ = ParseHello(p)
			if u, pw, err := ParseLogin(p); err == nil && (len(u) > MaxCredential || len(pw) > MaxCredential) {
				t.Error("too long")
			}
			if id, err := ParseChoice(p); err == nil && strings.HasSuffix(id, "\x00") {
				t.Errorf("%q", id)
			}
			if d, _, err := ParseAnswer(p); err == nil {
				if again, _, err := ParseAnswer(AppendDevices(nil, d)); err != nil || !slices.Equal(again, d) {
					t.Errorf("%v, then %v", d, again)
				}
			}
		}
	})
}
