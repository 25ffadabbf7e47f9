package rfc2217

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// vectors are messages of option 44 with their bytes, as RFC 2217 has them; those marked seen were sent by pyserial 3.5.
var vectors = []struct {
	name, hex string
	m         Message
}{
	{"signature, asked", "ff fa 2c 00 ff f0", Message{Code: Signature}},
	{"signature of a server", "ff fa 2c 64 68 69 ff f0", Message{Code: Signature, Server: true, Text: []byte("hi")}},
	{"baud rate (seen)", "ff fa 2c 01 00 00 e1 00 ff f0", Message{Code: SetBaudRate, Value: 57600}},
	{"baud rate with 255 in it", "ff fa 2c 01 00 ff ff 00 ff ff ff f0", Message{Code: SetBaudRate, Value: 0x00ff00ff}},
	{"baud rate in force", "ff fa 2c 65 00 01 c2 00 ff f0", Message{Code: SetBaudRate, Server: true, Value: 115200}},
	{"data size (seen)", "ff fa 2c 02 08 ff f0", Message{Code: SetDataSize, Value: 8}},
	{"parity (seen)", "ff fa 2c 03 01 ff f0", Message{Code: SetParity, Value: uint32(ParityNone)}},
	{"stop size (seen)", "ff fa 2c 04 01 ff f0", Message{Code: SetStopSize, Value: uint32(Stop1)}},
	{"control (seen)", "ff fa 2c 05 08 ff f0", Message{Code: SetControl, Value: uint32(ControlDTROn)}},
	{"control answered", "ff fa 2c 69 0b ff f0", Message{Code: SetControl, Server: true, Value: uint32(ControlRTSOn)}},
	{"line state", "ff fa 2c 6a 10 ff f0", Message{Code: NotifyLineState, Server: true, Value: uint32(LineBreak)}},
	{"modem state", "ff fa 2c 6b b0 ff f0", Message{Code: NotifyModemState, Server: true, Value: uint32(ModemCD | ModemDSR | ModemCTS)}},
	{"modem state with all bits", "ff fa 2c 6b ff ff ff f0", Message{Code: NotifyModemState, Server: true, Value: 255}},
	{"modem state, asked", "ff fa 2c 07 ff f0", Message{Code: NotifyModemState, Empty: true}},
	{"modem state, asked with a byte", "ff fa 2c 07 00 ff f0", Message{Code: NotifyModemState}},
	{"line state, asked", "ff fa 2c 06 ff f0", Message{Code: NotifyLineState, Empty: true}},
	{"suspend", "ff fa 2c 08 ff f0", Message{Code: FlowControlSuspend}},
	{"resume", "ff fa 2c 09 ff f0", Message{Code: FlowControlResume}},
	{"resume by a server", "ff fa 2c 6d ff f0", Message{Code: FlowControlResume, Server: true}},
	{"line state mask", "ff fa 2c 0a 00 ff f0", Message{Code: SetLineStateMask}},
	{"modem state mask (255 is doubled)", "ff fa 2c 0b ff ff ff f0", Message{Code: SetModemStateMask, Value: 255}},
	{"purge (seen)", "ff fa 2c 0c 01 ff f0", Message{Code: PurgeData, Value: uint32(PurgeReceive)}},
	{"what stands behind a number is kept", "ff fa 2c 0c 01 02 03 ff f0", Message{Code: PurgeData, Value: 1, Text: []byte{2, 3}}},
}

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			raw := unhex(t, v.hex)
			var d Decoder
			it, rest := d.Next(bytes.Clone(raw))
			if it.Kind != Sub || it.Option != OptComPort || len(rest) != 0 {
				t.Fatalf("%+v, %d bytes left", it, len(rest))
			}
			m, err := ParseMessage(it.Data)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(v.m, m); diff != "" {
				t.Error(diff)
			}
			if got := m.AppendTo(nil); !bytes.Equal(got, raw) {
				t.Errorf("% x becomes % x", raw, got)
			}
		})
	}
}

func TestMessagesThatAreNone(t *testing.T) {
	for _, row := range []struct{ hex, want string }{
		{"", "without a sub-command"},
		{"0d", "sub-command 13 of option 44 is not known"},
		{"63", "sub-command 99"}, {"71", "sub-command 113"}, {"ff", "sub-command 255"},
		{"01", "SET-BAUDRATE has 0 bytes; it needs 4"}, {"01000000", "SET-BAUDRATE has 3 bytes"}, {"65 0000", "SET-BAUDRATE has 2 bytes"},
		{"05", "SET-CONTROL has 0 bytes; it needs 1"}, {"0c", "PURGE-DATA has 0"}, {"6b", "NOTIFY-MODEMSTATE has 0 bytes"},
	} {
		m, err := ParseMessage(unhex(t, row.hex))
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %+v, %v; want %q", row.hex, m, err, row.want)
		}
	}
}

func TestModemStateSince(t *testing.T) {
	for _, row := range []struct{ was, now, want ModemState }{
		{0, 0, 0}, {0, ModemCTS, ModemCTS | ModemDeltaCTS}, {ModemCTS, 0, ModemDeltaCTS},
		{0, ModemRI, ModemRI}, {ModemRI, 0, ModemTrailRI}, {ModemRI, ModemRI, ModemRI},
		{ModemCD | ModemDSR, ModemDSR, ModemDSR | ModemDeltaCD}, {0xf0, 0, 0x0f}, {0x0f, 0x0f, 0},
		{0, ModemDSR | ModemCD, ModemDSR | ModemCD | ModemDeltaDSR | ModemDeltaCD},
	} {
		if got := row.now.Since(row.was); got != row.want {
			t.Errorf("%v after %v: %v, want %v", row.now, row.was, got, row.want)
		}
	}
}

func TestTopics(t *testing.T) {
	want := map[Control]string{ControlFlowAsk: "0123hj", ControlBreakAsk: "456", ControlDTRAsk: "789", ControlRTSAsk: "abc", ControlInAsk: "defgi"}
	for topic, all := range want {
		for _, c := range all {
			v := Control(strings.IndexRune("0123456789abcdefghij", c))
			if v.Topic() != topic {
				t.Errorf("%v is about %v", v, v.Topic())
			}
			if strings.HasSuffix(v.String(), "?") != (v == topic) {
				t.Errorf("%d is called %v", v, v)
			}
		}
	}
}

func TestNames(t *testing.T) {
	for _, row := range []struct{ got, want string }{
		{Code(12).String(), "PURGE-DATA"}, {Code(112).String(), "PURGE-DATA"}, {Code(13).String(), "sub-command 13"}, {Code(113).String(), "sub-command 113"},
		{VerbName(255), "IAC"}, {VerbName(240), "SE"}, {VerbName(7), "command 7"}, {OptionName(44), "COM-PORT-OPTION"}, {OptionName(200), "option 200"},
		{Parity(9).String(), "9"}, {Stop1Half.String(), "1.5"}, {LineState(0).String(), "none"}, {(LineOverrun | LineBreak).String(), "overrun, break"},
		{(ModemCD | ModemDeltaCTS).String(), "CTS changed, CD"}, {Purge(3).String(), "receive and transmit"}, {Control(20).String(), "20"},
		{(&Message{Code: SetBaudRate}).ValueText(), "which?"}, {(&Message{Code: SetBaudRate, Value: 5}).ValueText(), ""}, {(&Message{Code: Signature}).ValueText(), ""},
		{(&Message{Code: SetModemStateMask, Value: 16}).ValueText(), "CTS"}, {(&Message{Code: SetLineStateMask, Value: 2}).ValueText(), "overrun"},
		{(&Message{Code: PurgeData, Value: 1}).ValueText(), "receive"}, {(&Message{Code: SetStopSize, Value: 2}).ValueText(), "2"},
		{(&Message{Code: SetParity, Value: 2}).ValueText(), "odd"}, {(&Message{Code: SetControl, Value: 8}).ValueText(), "DTR on"},
	} {
		if row.got != row.want {
			t.Errorf("%q, want %q", row.got, row.want)
		}
	}
}
