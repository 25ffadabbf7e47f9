package devicemaster

import (
	"bytes"
	"testing"
)

// Every Append function writes what its message is on the wire, and the message is read back as what was written.
func TestAppend(t *testing.T) {
	for _, row := range []struct {
		dir  Direction
		got  []byte
		hex  string
		text string
	}{
		{c, AppendSelect(nil, 31), "62 1f", "select port 31"},
		{c, AppendTotal(AppendSelect(nil, 2), 0xfff0), "62 02 60 f0 ff", "port 2: total 65520"},
		{c, AppendData(AppendSelect(nil, 2), []byte("hi")), "62 02 61 02 00 68 69", "port 2: data 2 bytes"},
		{c, AppendLine(AppendSelect(nil, 2), Stop2|Data7|ParityEven|RTSCTS), "62 02 63 97 00", "port 2: line 7E2 rts/cts"},
		{c, AppendOutputs(AppendSelect(nil, 2), RTS|Break), "62 02 64 09 00", "port 2: outputs rts break"},
		{d, AppendInputs(AppendSelect(nil, 2), RI|CD), "62 02 65 48 00", "port 2: inputs cd ri"},
		{c, AppendAction(AppendSelect(nil, 2), Flush|NoRxFIFO), "62 02 66 03 02", "port 2: action flush-input flush-output no-rx-fifo"},
		{d, AppendActionDone(AppendSelect(nil, 2), FlushInput), "62 02 67 01 00", "port 2: action-done flush-input"},
		{c, AppendBaud(AppendSelect(nil, 2), 921600), "62 02 70 00 10 0e 00", "port 2: baud 921600"},
		{c, AppendChars(AppendSelect(nil, 2), DefaultChars()), "62 02 71 11 13 11 13 00 00", "port 2: chars 11 13 11 13 00 00"},
		{d, AppendErrors(AppendSelect(nil, 2), FramingError|BreakError), "62 02 72 09 00", "port 2: errors framing break"},
		{c, AppendAssign(nil), "73", "assign"},
		{d, AppendAssigned(nil), "74", "assigned"},
		{c, AppendMode(AppendSelect(nil, 2), RS485Master), "62 02 75 87", "port 2: mode rs-485-master"},
		{c, AppendAsk(AppendSelect(nil, 2), AskOpen), "62 02 76 01", "port 2: status open"},
		{c, AppendAsk(AppendSelect(nil, 2), 7), "62 02 76 07", "port 2: status ask(0x07)"},
		{d, AppendStatus(AppendSelect(nil, 2), Opened, AllInputs), "62 02 76 10 38 00", "port 2: status opened, cd dsr cts"},
		{d, AppendStatus(AppendSelect(nil, 2), Released, AllInputs), "62 02 76 21", "port 2: status released"},
		{c, AppendLinkTimeout(nil, 120), "77 78 00 00 00", "link-timeout 120 s"},
		{c, AppendRelease(AppendSelect(nil, 2)), "62 02 78", "port 2: release"},
		{c, AppendIdleTimeout(AppendSelect(nil, 2), 1000), "62 02 79 e8 03 00 00", "port 2: idle-timeout 1000 ms"},
		{d, AppendIdle(AppendSelect(nil, 2)), "62 02 7a", "port 2: idle"},
		{c, AppendScanPeriod(nil, 10), "7b 0a", "scan-period 10 ms"},
		{c, AppendRetransmit(nil, 200), "7c c8", "retransmit 200 ms"},
		{c, AppendPing(nil), "fd", "ping"},
	} {
		if want := unhex(t, row.hex); !bytes.Equal(row.got, want) {
			t.Errorf("%s: % x, want %s", row.text, row.got, row.hex)
		}
		dec := NewDecoder(row.dir, DecoderOptions{Strict: true})
		texts, errs := all(dec, row.got)
		if errs != nil || texts[len(texts)-1] != row.text {
			t.Errorf("%s is read as %q, %v", row.hex, texts, errs)
		}
		if port, ok := dec.Selected(); ok != (row.got[0] == byte(OpSelect)) || ok && port != row.got[1] {
			t.Errorf("%s: port %d, %v", row.hex, port, ok)
		}
	}
}

// A message made by hand, without the bytes that it came from.
func TestMessagesByHand(t *testing.T) {
	if got := (&Message{Op: OpChars, Data: []byte{1, 2}}).Chars(); got != (Chars{}) {
		t.Errorf("two bytes are the characters %v", got)
	}
	if got := (&Message{Op: OpChars, Data: []byte{1, 2, 3, 4, 5, 6}}).Chars(); got != (Chars{1, 2, 3, 4, 5, 6}) {
		t.Errorf("%v", got)
	}
	for hex, m := range map[string]Message{
		"05 00 08 00 00 00 00 00":       {Op: ToolID},
		"01 00 0a 00 88 11 61 00 01 02": {Op: ToolLoad, Value: 0x00611188, Data: []byte{1, 2}},
		"76 10 38 00":                   {Op: OpStatus, Value: uint32(Opened), Inputs: AllInputs},
		"61 01 00 41":                   {Op: OpData, Data: []byte("A")},
		"fd":                            {Op: OpPing},
	} {
		if got := m.Append(nil); !bytes.Equal(got, unhex(t, hex)) {
			t.Errorf("%v: % x, want %s", m.Op, got, hex)
		}
	}
}

// Names for people; what has none is a number, so that nothing is hidden.
func TestNames(t *testing.T) {
	for _, row := range []struct{ got, want string }{
		{Opened.String(), "opened"}, {Busy.String(), "busy"}, {Closed.String(), "closed"}, {Released.String(), "released"}, {Status(0x35).String(), "status(0x35)"},
		{AskOpen.String(), "open"}, {AskClose.String(), "close"},
		{RS232.String(), "rs-232"}, {RS422.String(), "rs-422"}, {RS485.String(), "rs-485"}, {RS485Slave.String(), "rs-485-slave"}, {ModeOff.String(), "off"}, {Mode(1).String(), "mode(0x01)"},
		{Outputs(0x107).String(), "rts dtr loopback 0x100"}, {Inputs(0x81).String(), "tx-flowed-off break"}, {Action(0x7c).String(), "force-xoff clear-xoff send-xon send-xoff modem-reset"},
		{LineErrors(0).String(), "none"}, {LineSettings(0xff6e).String(), "7O1 xon/xoff rts-on-transmit rts-off-transmit dtr-auto dsr-flow cd-flow strip-null rts-override any-xon"},
		{ToDevice.String(), "to device"}, {FromDevice.String(), "from device"},
	} {
		if row.got != row.want {
			t.Errorf("%q, want %q", row.got, row.want)
		}
	}
	dec := NewDecoder(FromDevice, DecoderOptions{})
	dec.Feed([]byte{0x6e})
	if _, _, err := dec.Next(); err == nil || err.Error() != "unknown message: where the next one begins cannot be told: 0x6e from device" {
		t.Errorf("%v", err)
	}
}
