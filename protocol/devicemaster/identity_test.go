package devicemaster

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
)

func TestIDResponse(t *testing.T) {
	b := unhex(t, idSample)
	if len(b) != 147 {
		t.Fatalf("the sample has %d bytes", len(b))
	}
	r, err := ParseIDResponse(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ got, want any }{
		{r.IP.String(), "10.141.122.8"}, {r.Gateway.String(), "10.141.122.1"}, {r.BootServer, IPv4{}}, {r.Mask.String(), "255.255.255.192"},
		{r.MemAddress, uint32(0x00611188)}, {r.MemLength, uint32(1764984)}, {r.FirmwareText(), "SocketServer 11.34"}, {r.MAC.String(), "00:c0:4e:08:37:f5"},
		{r.Model, uint32(5002110)}, {r.Architecture, uint8(3)}, {r.Ports, uint8(8)}, {r.Program, ProgramNSLink}, {r.BoardRevision, uint8(7)},
		{r.BootMajor, uint8(0)}, {r.BootMinor, uint8(0)}, {fmt.Sprint(r.Apps), "[{255 11 34}]"},
		{fmt.Sprint(r.Extended), "[{2 [1]} {3 [45]} {4 [0]} {5 [0 0 0 0]} {6 [0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0]}]"}, {len(r.Rest), 0}, {r.Size, 0},
	} {
		if row.got != row.want {
			t.Errorf("got %v, want %v", row.got, row.want)
		}
	}
	if got := r.Append(nil); !bytes.Equal(got, b) {
		t.Errorf("written back:\n% x", got)
	}
	if s, ok := r.State(); !ok || s != 0 {
		t.Errorf("state %#x, %v", s, ok)
	}
	b[144] = 2
	if r, _ := ParseIDResponse(b); r.Append(nil)[144] != 2 {
		t.Error("byte 144 is lost")
	} else if s, _ := r.State(); s != 2 {
		t.Errorf("state %#x", s)
	}
}

// A response is complete at its last byte and never before, however much is there.
func TestScanIDResponse(t *testing.T) {
	b := unhex(t, idSample)
	for i := range b {
		if n, done := ScanIDResponse(b[:i]); done || n != i {
			t.Errorf("after %d bytes: %d, %v", i, n, done)
		}
	}
	if n, done := ScanIDResponse(append(b, 0x74)); !done || n != 147 {
		t.Errorf("%d, %v", n, done)
	}
	for name, change := range map[string]func([]byte){
		"other mark": func(b []byte) { b[110], b[111] = 7, 7 },
		"long tag":   func(b []byte) { b[113] = 255 },
		"many apps":  func(b []byte) { b[105] = 255 },
	} {
		b := unhex(t, idSample)
		change(b)
		if n, done := ScanIDResponse(b); done || n != len(b) {
			t.Errorf("%s: %d, %v", name, n, done)
		}
	}
}

// Old boxes end early, and whatever follows the known part is kept.
func TestIDResponsesOfOtherBoxes(t *testing.T) {
	whole := unhex(t, idSample)
	for n := range len(whole) + 1 {
		r, err := ParseIDResponse(whole[:n])
		switch {
		case n < MinIDResponse || n >= idFixed && n < idFixed+4:
			if !errors.Is(err, ErrShort) {
				t.Errorf("%d bytes: %v, want ErrShort", n, err)
			}
			continue
		case err != nil:
			t.Errorf("%d bytes: %v", n, err)
			continue
		}
		if got := r.Append(nil); !bytes.Equal(got, whole[:n]) {
			t.Errorf("%d bytes come back as %d:\n% x\n% x", n, len(got), got, whole[:n])
		}
		if n < idFixed && r.Size != n || n >= idFixed && r.Size != 0 {
			t.Errorf("%d bytes: Size %d", n, r.Size)
		}
		if r.MAC.String() != "00:c0:4e:08:37:f5" {
			t.Errorf("%d bytes: MAC %v", n, r.MAC)
		}
	}
	for _, tail := range []string{"", "01", "07 07 07", "00 ff", "00 ff 02 01 01", "00 ff 02 09 01", "00 ff 00 05", "00 ff 00 00 01 02 03", "00 ff 02"} {
		b := append(append([]byte(nil), whole[:110]...), unhex(t, tail)...)
		r, err := ParseIDResponse(b)
		if err != nil {
			t.Errorf("tail %q: %v", tail, err)
		} else if got := r.Append(nil); !bytes.Equal(got, b) {
			t.Errorf("tail %q comes back as % x", tail, got[110:])
		}
	}
}

// What a simulator says is the recorded response but for its address.
func TestIdentity(t *testing.T) {
	r := Identity(8, 0)
	sample, err := ParseIDResponse(unhex(t, idSample))
	if err != nil {
		t.Fatal(err)
	}
	r.IP, r.Gateway, r.Mask, r.MAC = sample.IP, sample.Gateway, sample.Mask, sample.MAC
	if got := r.Append(nil); !bytes.Equal(got, unhex(t, idSample)) {
		t.Errorf("got\n% x", got)
	}
	if r := Identity(8, 2); r.Append(nil)[144] != 2 {
		t.Error("the state is not at byte 144")
	}
}

func TestDiscovery(t *testing.T) {
	if got := AppendScan(nil, 0x2c); !bytes.Equal(got, unhex(t, scanSample)) {
		t.Errorf("scan: % x", got)
	}
	mac := MAC{0x00, 0xc0, 0x4e, 0x08, 0x37, 0xf5}
	if got := AppendRefresh(nil, 0x3d, mac); !bytes.Equal(got, unhex(t, refreshSample)) {
		t.Errorf("refresh: % x", got)
	}
	for name, hex := range map[string]string{"scan": scanSample, "refresh": refreshSample, "response": answerSample,
		"unknown tags": scanSample[:41] + " 99 02 01 02 98 00", "cut tag": scanSample[:41] + " 16 06 01 02", "strange header": "a9 8d fd 53 7a 1c b0 de 01 02 2c 00 0c 01 01"} {
		b := unhex(t, hex)
		m, err := ParseDiscovery(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := m.Append(nil); !bytes.Equal(got, b) {
			t.Errorf("%s comes back as % x", name, got)
		}
	}
	b := unhex(t, answerSample)
	if len(b) != 225 {
		t.Fatalf("the sample has %d bytes", len(b))
	}
	m, err := ParseDiscovery(b)
	if err != nil {
		t.Fatal(err)
	}
	gotMAC, ok := m.MAC()
	ip, _ := m.IPv4(TagIP)
	model, _ := m.Uint(TagModel)
	ports, _ := m.Uint(TagPorts)
	if !ok || gotMAC != mac || ip.String() != "10.141.122.8" || model != 5002110 || ports != 8 || m.Seq != 0x2c || m.Function != DiscoveryResponse ||
		m.Text(TagFirmware) != "SocketServer 11.34" || m.Text(TagBoot) != "4.31" || m.Text(0x99) != "" {
		t.Errorf("%+v", m)
	}
	r, err := ParseIDResponse(unhex(t, idSample))
	if err != nil {
		t.Fatal(err)
	}
	ours := Discovery{Seq: 0x2c, Function: DiscoveryResponse, Tags: ResponseTags(&r)}
	if v := ours.Tags[16]; v.Tag != TagStaticIP || !bytes.Equal(ours.Append(nil), b) {
		t.Errorf("a simulator's response:\n% x", ours.Append(nil))
	}
	for n := range DiscoveryHeaderSize {
		_, err := ParseDiscovery(b[:n])
		if want := ErrShort; n < 8 && !errors.Is(err, ErrNotDiscovery) || n >= 8 && !errors.Is(err, want) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	if _, ok := m.Uint(TagFirmware); ok {
		t.Error("a text is read as a number")
	}
	if _, ok := m.IPv4(TagPorts); ok {
		t.Error("a number is read as an address")
	}
}

// A box without the tag of the state has none, and a value that no tag can hold is cut.
func TestTags(t *testing.T) {
	r := Identity(8, 2)
	r.Extended = nil
	if s, ok := r.State(); ok || s != 0 {
		t.Errorf("state %d, %v", s, ok)
	}
	d := Discovery{Tags: []TLV{{Tag: TagProduct, Value: bytes.Repeat([]byte("x"), 300)}}}
	got, err := ParseDiscovery(d.Append(nil))
	if err != nil || len(got.Text(TagProduct)) != 255 {
		t.Errorf("%d bytes, %v", len(got.Text(TagProduct)), err)
	}
}
