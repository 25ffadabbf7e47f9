package devicemaster

import (
	"bytes"
	"errors"
	"testing"
)

// all decodes b in one piece, with the errors in between.
func all(dec *Decoder, b []byte) (texts []string, errs []error) {
	dec.Feed(b)
	for {
		m, ok, err := dec.Next()
		if err != nil {
			errs = append(errs, err)
			if len(errs) > 3 {
				return texts, errs
			}
			continue
		}
		if !ok {
			return texts, errs
		}
		texts = append(texts, m.String())
	}
}

// What cannot be understood ends a strict decoder, and costs a tolerant one the rest of the read.
func TestUnknownMessages(t *testing.T) {
	for name, row := range map[string]struct {
		dir Direction
		hex string
		err error
	}{
		"unknown byte":            {c, "fd 80 62 00", ErrUnknownOp},
		"6e":                      {c, "fd 6e", ErrUnknownOp},
		"fe":                      {d, "fd fe", ErrUnknownOp},
		"answer from a client":    {c, "fd 74 fd", ErrUnknownOp},
		"inputs from a client":    {c, "fd 65 38 00", ErrUnknownOp},
		"settings from a device":  {d, "fd 63 00 00", ErrUnknownOp},
		"request from a device":   {d, "fd 05 00 08 00 00 00 00 00", ErrUnknownOp},
		"tool request too short":  {c, "fd 05 00 07 00 00 00 00 00", ErrToolSize},
		"tool request of no size": {c, "fd 05 00 00 00", ErrToolSize},
	} {
		t.Run(name, func(t *testing.T) {
			b := unhex(t, row.hex)
			dec := NewDecoder(row.dir, DecoderOptions{})
			texts, errs := all(dec, b)
			if len(texts) != 1 || len(errs) != 1 || !errors.Is(errs[0], row.err) {
				t.Errorf("tolerant: %q, %v", texts, errs)
			}
			if s := dec.Stats(); s.Unknown != 1 || s.Dropped != uint64(len(b)-1) || s.Messages != 1 || dec.Pending() != 0 {
				t.Errorf("tolerant: %+v", s)
			}
			if texts, errs := all(dec, []byte{0xfd}); len(texts) != 1 || errs != nil {
				t.Errorf("after that: %q, %v", texts, errs)
			}
			dec = NewDecoder(row.dir, DecoderOptions{Strict: true})
			if texts, errs := all(dec, b); len(texts) != 1 || len(errs) != 4 || !errors.Is(errs[3], row.err) {
				t.Errorf("strict: %q, %v", texts, errs)
			}
			if _, errs := all(dec, []byte{0xfd}); len(errs) != 4 {
				t.Errorf("strict goes on: %v", errs)
			}
		})
	}
}

// Zero bytes between messages are passed over; zero bytes inside are what they are.
func TestZerosBetweenMessages(t *testing.T) {
	dec := NewDecoder(ToDevice, DecoderOptions{Strict: true})
	texts, errs := all(dec, unhex(t, "00 00 62 00 00 63 00 00 00 fd 00"))
	if len(texts) != 3 || errs != nil || dec.Stats().Zeros != 5 || dec.Pending() != 0 {
		t.Errorf("%q, %v, %+v", texts, errs, dec.Stats())
	}
}

// The longest block that the wire can carry passes the tolerant mode; the strict one has a limit of its own.
func TestLongBlocks(t *testing.T) {
	long := AppendData([]byte{0x62, 1}, make([]byte, 65535))
	texts, errs := all(NewDecoder(FromDevice, DecoderOptions{}), long)
	if len(texts) != 2 || texts[1] != "port 1: data 65535 bytes" || errs != nil {
		t.Errorf("tolerant: %q, %v", texts, errs)
	}
	for n, ok := range map[int]bool{4096: true, 4097: false, 65535: false} {
		_, errs := all(NewDecoder(FromDevice, DecoderOptions{Strict: true}), AppendData([]byte{0x62, 1}, make([]byte, n)))
		if (errs == nil) != ok || errs != nil && !errors.Is(errs[0], ErrTooLong) {
			t.Errorf("strict, %d bytes: %v", n, errs)
		}
	}
	if _, errs := all(NewDecoder(FromDevice, DecoderOptions{Strict: true, MaxBlock: 10}), unhex(t, "62 00 61 0b 00")); errs == nil {
		t.Error("the limit is not the one that was set, or waits for the block")
	}
	if b := AppendData(nil, make([]byte, 70000)); len(b) != 3+65535 || b[1] != 0xff || b[2] != 0xff {
		t.Errorf("a block of 70000 bytes is written as %d", len(b))
	}
}

// The reading of a first published description: every block is a sequence number and one byte.
func TestSingleByteData(t *testing.T) {
	dec := NewDecoder(ToDevice, DecoderOptions{SingleByteData: true})
	dec.Feed(unhex(t, "62 00 61 01 00 41 61 02 00 42"))
	var got []byte
	for {
		m, ok, err := dec.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		if m.Op == OpData {
			got = append(append(got, byte(m.Value)), m.Data...)
		}
	}
	if !bytes.Equal(got, []byte{1, 'A', 2, 'B'}) {
		t.Errorf("% x", got)
	}
}

func TestToolRequest(t *testing.T) {
	b := ToolRequest{Command: ToolLoad, Index: 3, Address: 0x00611188, Data: []byte{1, 2, 3}}.Append(nil)
	if !bytes.Equal(b, unhex(t, "01 03 0b 00 88 11 61 00 01 02 03")) {
		t.Fatalf("% x", b)
	}
	dec := NewDecoder(ToDevice, DecoderOptions{})
	dec.Feed(append(b, 0x73))
	m, _, _ := dec.Next()
	if m.Op != ToolLoad || m.Value != 0x00611188 || !bytes.Equal(m.Data, []byte{1, 2, 3}) || !bytes.Equal(m.Append(nil), b) {
		t.Errorf("%+v", m)
	}
	if m, _, _ := dec.Next(); m.Op != OpAssign {
		t.Errorf("then %v", m.Op)
	}
}

func TestFlow(t *testing.T) {
	var f Flow
	if f.Room() != 1999 {
		t.Fatalf("room %d at the start", f.Room())
	}
	f.Sent(1999)
	if f.Room() != 0 || f.Outstanding() != 1999 {
		t.Errorf("full: room %d, outstanding %d", f.Room(), f.Outstanding())
	}
	if lost, ok := f.Ack(999); lost != 0 || !ok || f.Outstanding() != 1000 || f.Room() != 999 {
		t.Errorf("one total for many blocks: %d, %v, %+v", lost, ok, f)
	}
	for _, row := range []struct {
		name            string
		put, acked      uint16
		total           uint16
		lost, remaining int
		ok              bool
	}{
		{"across the wrap", 0x0010, 0xfff0, 0x0010, 0, 0, true},
		{"in the middle of the wrap", 0x0010, 0xfff0, 0x0000, 0, 16, true},
		{"nothing new", 100, 50, 50, 0, 50, true},
		{"ahead of what was sent", 100, 50, 101, 50, 0, false},
		{"the whole buffer behind", 3000, 2000, 1000, 0, 2000, true},
		{"more than the buffer behind", 3000, 2000, 999, 1000, 0, false},
		{"half the circle away", 100, 100, 100 + 0x8000, 0, 0, false},
	} {
		f := Flow{put: row.put, acked: row.acked}
		lost, ok := f.Ack(row.total)
		if lost != row.lost || ok != row.ok || f.Outstanding() != row.remaining {
			t.Errorf("%s: lost %d, %v, outstanding %d", row.name, lost, ok, f.Outstanding())
		}
		if !ok && f.Put() != row.total {
			t.Errorf("%s: goes on from %d", row.name, f.Put())
		}
	}
}

func TestFormats(t *testing.T) {
	for _, row := range []struct {
		data   uint8
		parity byte
		stop   uint8
		text   string
		bits   int
	}{{8, 'N', 1, "8N1", 10}, {7, 'E', 1, "7E1", 10}, {7, 'O', 2, "7O2", 11}, {8, 'E', 2, "8E2", 12}, {8, 'O', 1, "8O1", 11}} {
		s, ok := Format(row.data, row.parity, row.stop)
		if !ok || s.String() != row.text || s.Bits() != row.bits || s.Data() != row.data || s.Parity() != row.parity || s.Stop() != row.stop {
			t.Errorf("%s: %v, %v, %d bits", row.text, s, ok, s.Bits())
		}
	}
	if s, _ := Format(7, 'E', 2); s != 0x0007 {
		t.Errorf("7E2 is %#x", uint16(s))
	}
	for _, row := range []struct {
		data   uint8
		parity byte
		stop   uint8
	}{{5, 'N', 1}, {6, 'N', 1}, {9, 'N', 1}, {8, 'M', 1}, {8, 'S', 1}, {8, 0, 1}, {8, 'N', 0}, {8, 'N', 3}} {
		if s, ok := Format(row.data, row.parity, row.stop); ok {
			t.Errorf("%d%c%d is %v", row.data, row.parity, row.stop, s)
		}
	}
	s := LineSettings(0x6000) | RTSCTS
	if f, _ := Format(7, 'E', 1); s.WithFormat(f) != 0x6000|RTSCTS|Data7|ParityEven {
		t.Errorf("format: %v", s.WithFormat(f))
	}
	if got := s.WithFlow(XonXoff); got != 0x6000|XonXoff {
		t.Errorf("flow: %v", got)
	}
	if RTSCTS != 0x0090 || XonXoff != 0x1800 {
		t.Errorf("%#x %#x", uint16(RTSCTS), uint16(XonXoff))
	}
}

func TestBaudSlip(t *testing.T) {
	for v, want := range map[uint32]uint32{0x258000: 9600, 57600 * 256: 57600, 9600: 9600, 921600: 921600, 2457601: 2457601, 1000 * 1024: 1000 * 1024, 1500000: 1500000} {
		if got, slip := BaudSlip(v); got != want || slip != (got != v) {
			t.Errorf("%d: %d, %v", v, got, slip)
		}
	}
}

func TestWords(t *testing.T) {
	for got, want := range map[string]string{
		Op(0x68).String(): "op(0x68)", OpData.MakerName(): "DATA_BLK", Op(0x68).MakerName(): "", ToDevice.String(): "to device", FromDevice.String(): "from device",
		Mode(0x22).String(): "rs-422", Mode(0x85).String(): "rs-485", Mode(0x86).String(): "rs-485-slave", Mode(0x87).String(): "rs-485-master",
		Mode(0xde).String(): "off", Mode(1).String(): "mode(0x01)", Ask(9).String(): "ask(0x09)", Program(0).String(): "boot loader",
		Program(2).String(): "SocketServer", Program(7).String(): "program(7)", Inputs(0x108).String(): "cd 0x100", Action(0x27c).String(): "force-xoff clear-xoff send-xon send-xoff modem-reset no-rx-fifo",
		LineErrors(0xb).String(): "framing parity break", LineSettings(0xe76c).String(): "8O1 rts-on-transmit rts-off-transmit dtr-auto dsr-flow cd-flow strip-null rts-override any-xon",
		DiscoveryFunction(9).String(): "function(0x0009)", TagName(0x16): "mac", TagName(0x99): "",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestDecoderDoesNotAllocate(t *testing.T) {
	b := unhex(t, "62 00 60 01 00 62 01 61 05 00 68 65 6c 6c 6f 7a 76 10 38 00 65 38 00 fd 61")
	dec := NewDecoder(FromDevice, DecoderOptions{})
	rest := []byte{1, 0, 'x'}
	run := func() {
		for _, p := range [][]byte{b, rest} {
			dec.Feed(p)
			for {
				if _, ok, err := dec.Next(); err != nil || !ok {
					break
				}
			}
		}
	}
	run()
	if n := testing.AllocsPerRun(100, run); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
