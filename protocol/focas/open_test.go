package focas

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	openClassic = "0000 0003 0008 0002 0002 0001 0011 0001" +
		"0001 0002 0003 0001" + "0000 0000 0000 0000"
	open30i = "00a1 00a2 00a3 0020 0008 0002 000a 00a4 0007 0006 0002 0002 0001 00a5 0001 0042 00a6 00a7 00a8 00a9" +
		"0001 0002 0003 0004 00b0 0001 0001 00b1 00b2 00b3 00b4 00b5 00b6 00b7 00b8 00b9" +
		"0001 0001 0000 0003 0003 0001 0001 0000 0000 0000 0000 0000 0000 0000 0000 0000"
)

func TestParseOpenReply(t *testing.T) {
	for _, row := range []struct {
		name    string
		version Version
		body    string
		want    OpenReply
		paths   []uint16
		count   int
	}{
		{"classic", 2, openClassic, OpenReply{Version: 2, Family: 3, MaxAxes: 8, MaxSpindles: 2, ControlledPaths: 1, MorePaths: 1,
			Unknown: [9]uint16{0, 0x11},
			Records: []PathRecord{{System: 1, Attribute: 2, Axes: 3, Spindles: 1}, {}}}, []uint16{1}, 2},
		{"30i", 3, open30i, OpenReply{Version: 3, MaxAxes: 32, MaxSpindles: 8, MaxGroups: 10, Axes: 7, ServoAxes: 6, Spindles: 2,
			ControlledPaths: 2, Groups: 1, Options: 1, Additional: 0x42,
			Unknown: [9]uint16{0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9},
			Records: []PathRecord{
				{System: 1, Group: 2, Attribute: 3, Axes: 4, Spindles: 1, MachineGroup: 1,
					Unknown: [10]uint16{0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9}},
				{System: 1, Group: 1, Axes: 3, Spindles: 1, MachineGroup: 1, Unknown: [10]uint16{3}}}}, []uint16{1, 2}, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			body := unhex(t, row.body)
			got, err := ParseOpenReply(row.version, body)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(row.want, got); d != "" {
				t.Error(d)
			}
			if b := got.Append(nil); !bytes.Equal(b, body) {
				t.Errorf("appended %x\nwant %x", b, body)
			}
			var paths []uint16
			for n, r := range got.Paths() {
				paths = append(paths, n)
				if r2, ok := got.Path(n); !ok || r2 != r {
					t.Errorf("Path(%d) = %+v, %v", n, r2, ok)
				}
			}
			if !cmp.Equal(paths, row.paths) || got.PathCount() != row.count || !got.Extended() {
				t.Errorf("paths %v, count %d, extended %v", paths, got.PathCount(), got.Extended())
			}
			f, rest, err := ParseFrame(got.AppendFrame(nil))
			if err != nil || len(rest) != 0 || f.Type != TypeOpen || f.Dir != DirReply || f.Version != row.version {
				t.Errorf("frame %+v, %v", f.Header, err)
			}
			if _, ok := got.Path(0); ok {
				t.Error("there is a path 0")
			}
			if _, ok := got.Path(99); ok {
				t.Error("there is a path 99")
			}
			for n := range body {
				if _, err := ParseOpenReply(row.version, body[:n]); !errors.Is(err, ErrOpenReply) {
					t.Fatalf("cut to %d bytes: %v, want ErrOpenReply", n, err)
				}
			}
			if _, err := ParseOpenReply(row.version, append(bytes.Clone(body), 0)); !errors.Is(err, ErrOpenReply) {
				t.Errorf("one byte more: %v, want ErrOpenReply", err)
			}
		})
	}
}

// A real 0i-F answered version 3 with 360 bytes: ten paths by the formula.
func TestOpenReplySizeOfPublicCapture(t *testing.T) {
	o := OpenReply{Version: 3, Records: make([]PathRecord, 10)}
	if n := len(o.Append(nil)); n != 360 {
		t.Errorf("%d bytes, want 360", n)
	}
}

// A body that claims many paths is refused by its size before anything is made for them.
func TestOpenReplyOversizedCount(t *testing.T) {
	body := unhex(t, open30i)
	body[10], body[11] = 0xff, 0xff
	if n := testing.AllocsPerRun(10, func() { ParseOpenReply(3, body) }); n > 10 {
		t.Errorf("%v allocations for a lying count", n)
	}
	if _, err := ParseOpenReply(3, body); !errors.Is(err, ErrOpenReply) {
		t.Errorf("%v, want ErrOpenReply", err)
	}
}

func TestExtended(t *testing.T) {
	for _, row := range []struct {
		o    OpenReply
		want bool
	}{
		{OpenReply{Version: 1, Family: 0}, false},
		{OpenReply{Version: 2, Family: 2}, false},
		{OpenReply{Version: 2, Family: 3}, true},
		{OpenReply{Version: 2, Options: 1}, false},
		{OpenReply{Version: 3, Family: 3}, false},
		{OpenReply{Version: 3, Options: 0xfffe}, false},
		{OpenReply{Version: 4, Options: 1}, true},
	} {
		if got := row.o.Extended(); got != row.want {
			t.Errorf("%+v: %v", row.o, got)
		}
	}
}

func TestOpenRequest(t *testing.T) {
	b := AppendOpenRequest(nil, ChannelData)
	if !bytes.Equal(b, unhex(t, "a0a0a0a0 0001 0101 0002 0002")) {
		t.Errorf("open request %x", b)
	}
	if n, err := ParseOpenRequest(b[HeaderSize:]); n != ChannelData || err != nil {
		t.Errorf("channel %d, %v", n, err)
	}
	for _, body := range [][]byte{nil, {1}, {0, 1, 0}} {
		if _, err := ParseOpenRequest(body); err == nil {
			t.Errorf("a body of %d bytes is accepted", len(body))
		}
	}
	if b := AppendCloseRequest(nil); !bytes.Equal(b, unhex(t, "a0a0a0a0 0001 0201 0000")) {
		t.Errorf("close request %x", b)
	}
}

func TestErrorBody(t *testing.T) {
	want := unhex(t, "a0a0a0a0 0003 2103 0008 0001 0005 0006 fff9")
	e := ErrorBody{Location: 1, Code: EWData, Detail: [2]int16{6, -7}}
	if b := AppendErrorFrame(nil, 3, TypeData, e); !bytes.Equal(b, want) {
		t.Errorf("error frame %x", b)
	}
	got, err := ParseErrorBody(want[HeaderSize:])
	if err != nil || got != e {
		t.Errorf("parsed %+v, %v", got, err)
	}
	if _, err := ParseErrorBody(want[HeaderSize : len(want)-1]); !errors.Is(err, ErrShort) {
		t.Errorf("seven bytes: %v, want ErrShort", err)
	}
	if msg := got.Err(FuncAlarm).Error(); msg != "cnc_alarm: EW_DATA (5): data is wrong, detail 6, -7" {
		t.Error(msg)
	}
}
