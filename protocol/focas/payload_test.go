package focas

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/wire"
)

// appender is what every payload type is.
type appender interface{ Append([]byte) []byte }

// payloadCase is one payload that must parse as want and append as the same bytes.
type payloadCase struct {
	name  string
	bytes string
	parse func([]byte) (appender, error)
	want  appender
	fixed int // size below which parsing is an error; 0: any size is good
}

// as makes a parser fit the table.
func as[T appender](parse func([]byte) (T, error)) func([]byte) (appender, error) {
	return func(b []byte) (appender, error) { return parse(b) }
}

// withRest is a payload with bytes behind the known ones.
const surplus = "c0ffee"

func checkPayload(t *testing.T, row payloadCase) {
	t.Helper()
	b := unhex(t, row.bytes)
	got, err := row.parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(row.want, got); d != "" {
		t.Error(d)
	}
	if out := got.Append(nil); !bytes.Equal(out, b) {
		t.Errorf("appended %x\nwant     %x", out, b)
	}
	longer := append(bytes.Clone(b), unhex(t, surplus)...)
	if got, err := row.parse(longer); err != nil {
		t.Errorf("with surplus: %v", err)
	} else if out := got.Append(nil); !bytes.Equal(out, longer) {
		t.Errorf("with surplus appended %x\nwant                  %x", out, longer)
	}
	for n := range len(b) + 1 {
		_, err := row.parse(b[:n:n])
		if want := n < row.fixed; want != (err != nil) {
			t.Errorf("cut to %d of %d bytes: error %v", n, row.fixed, err)
		} else if err != nil && !errors.Is(err, wire.ErrShort) {
			t.Errorf("cut to %d bytes: %v does not wrap wire.ErrShort", n, err)
		}
	}
}

func TestPayloads(t *testing.T) {
	field := func(text string, n int) []byte { return wire.AppendText(nil, text, n) }
	alarms32 := func(b []byte) (Alarms, error) { return ParseAlarms(b, AlarmText32) }
	alarms64 := func(b []byte) (Alarms, error) { return ParseAlarms(b, AlarmText64) }
	autoTimer := func(b []byte) (Timer, error) { return ParseTimer(b, TimerAuto) }
	for _, row := range []payloadCase{
		{"word", "0003", as(ParseWord), Word{Value: 3}, 2},
		{"words", "0100 0002", as(ParseWords), Words{Items: []U16{0x100, 2}}, 0},
		{"longs", "00000003 80000001", as(ParseLongs), Longs{Items: []U32{3, 0x80000001}}, 0},
		{"status", "0001 0003 0001 0000 0002 0001 0007", as(ParseStatus),
			Status{Aut: 1, Run: 3, Motion: 1, Emergency: 2, Alarm: 1, Edit: 7}, StatusSize},
		{"status 2", "0001 0003 0001 0000 0002 0001 0007 0001 0002 0003 0004", as(ParseStatus2),
			Status2{Status: Status{Aut: 1, Run: 3, Motion: 1, Emergency: 2, Alarm: 1, Edit: 7}, Warning: 1, O3DCheck: 2, ExtOpt: 3, Restart: 4}, Status2Size},
		{"system information", "0442 0020 2030 204d 44344631 33302e30 3033", as(ParseSysInfo),
			SysInfo{AddInfo: 0x442, MaxAxis: 32, Type: [2]byte{' ', '0'}, Kind: [2]byte{' ', 'M'}, Series: [4]byte{'D', '4', 'F', '1'},
				Edition: [4]byte{'3', '0', '.', '0'}, Axes: [2]byte{'0', '3'}}, SysInfoSize},
		{"id", "3c7b5d01 da91ac76 5e31c389 4b92c469", as(ParseCNCID), CNCID{ID: [4]uint32{0x3c7b5d01, 0xda91ac76, 0x5e31c389, 0x4b92c469}}, 16},
		{"model", "0000 0007", as(ParseCNCModel), CNCModel{Model: 7}, 4},
		{"Ethernet", "0001 0002", as(ParseEthernetInfo), EthernetInfo{Type: 1, Device: 2}, 4},
		{"names", "58000000 59310000", as(ParseNames), Names{Items: []Name{NewName("X"), NewName("Y1")}}, 0},
		{"name sets", "58000000 58000000 58310000 55000000", as(ParseNameSets),
			NameSets{Items: []NameSet{{NewName("X"), NewName("X"), NewName("X1"), NewName("U")}}}, 0},
		{"units", "0000 0001 0003 0005", as(ParseUnitPairs), UnitPairs{Items: []UnitPair{{UnitMM, UnitInch}, {UnitMMPerMinute, UnitRPM}}}, 0},
		{"figures", "00000002 0003 0004 0005 0006", as(ParseFigures), Figures{2, List[Figure]{Items: []Figure{{3, 4}, {5, 6}}}}, 4},
		{"alarm bits", "00000041", as(ParseAlarmBits), AlarmBits{Bits: 0x41}, 4},
		{"no alarm", "", as(alarms32), Alarms{}, 0},
		{"alarm, 32 bytes of text", "000001a1 00000006 00000002 0000000b 534552564f20414c41524d 000000000000000000000000000000000000000000", as(alarms32),
			Alarms{Items: []Alarm{{417, 6, 2, 11, field("SERVO ALARM", 32)}}}, 0},
		{"alarm, 64 bytes of text", "000001a1 00000006 ffffffff 0000000b 534552564f20414c41524d" + "000000000000000000000000000000000000000000" +
			"0000000000000000000000000000000000000000000000000000000000000000", as(alarms64),
			Alarms{Items: []Alarm{{417, 6, -1, 11, field("SERVO ALARM", 64)}}}, 0},
		{"timer", "0003f5a2 0000a122", as(autoTimer), Timer{Minute: 259490, MSec: 41250}, TimerSize},
		{"timer, little-endian", "a2f50300 22a10000", as(autoTimer), Timer{Minute: 259490, MSec: 41250, Little: true}, TimerSize},
		{"timer without milliseconds", "0003f5a2 00000000", as(autoTimer), Timer{Minute: 259490}, TimerSize},
		{"timer, out of range both ways", "00000001 7fffff7f", as(autoTimer), Timer{Minute: 1, MSec: 0x7fffff7f}, TimerSize},
		{"date", "07ea 0005 000e 0000 0000 0000", as(ParseClock), Clock{Year: 2026, Month: 5, Day: 14}, ClockSize},
		{"time", "0000 0000 0000 000c 0022 0038", as(ParseClock), Clock{Hour: 12, Minute: 34, Second: 56}, ClockSize},
		{"operator's panel", "0001 0002 0003 0004 0005 0006 0007 0008 0009 000a 000b 000c 000d", as(ParseOpSignal),
			OpSignal{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, nil}, OpSignalSize},
		{"aux codes", "00000c80 0040 0001", as(ParseAuxes), Auxes{Items: []Aux{{3200, 0x40, 1}}}, 0},
		{"G codes", "0000 0000 00000001 00000000 000d 0001 0000021d 00000001", as(ParseGCodes), GCodes{Items: []GCode{{0, 0, 1, 0}, {13, 1, 541, 1}}}, 0},
		{"commands", "53 00 0000 00000c80 00000000 4d 02 0001 00003a98 00000001", as(ParseCommands),
			Commands{Items: []Command{{'S', 0, 0, 3200, 0}, {'M', 2, 1, 15000, 1}}}, 0},
	} {
		t.Run(row.name, func(t *testing.T) { checkPayload(t, row) })
	}
	t.Run("operator message", func(t *testing.T) {
		m := NewOpMessage(2001, 4, "TOOL CHANGE!")
		b := m.Append(nil)
		if len(b) != OpMessageSize {
			t.Fatalf("%d bytes, want %d", len(b), OpMessageSize)
		}
		list, err := ParseOpMessages(append(bytes.Clone(b), b...))
		if err != nil || len(list.Items) != 2 || list.Rest != nil {
			t.Fatalf("%d messages, %v", len(list.Items), err)
		}
		if d := cmp.Diff(m, list.Items[1]); d != "" {
			t.Error(d)
		}
		if list.Items[0].Text() != "TOOL CHANGE!" {
			t.Errorf("text %q", list.Items[0].Text())
		}
	})
}

// A text field is taken up to its length, its NUL or its end; a length that lies does no harm.
func TestFieldText(t *testing.T) {
	for _, row := range []struct {
		field  string
		length int32
		want   string
	}{
		{"ABC\x00\x00", 3, "ABC"}, {"ABC\x00\x00", 2, "AB"}, {"ABC\x00\x00", 99, "ABC"}, {"ABC\x00\x00", -1, "ABC"},
		{"ABC  ", 5, "ABC"}, {"ABC", 3, "ABC"}, {"", 4, ""}, {"ABC", 0, ""},
	} {
		if got := fieldText([]byte(row.field), row.length); got != row.want {
			t.Errorf("%q with length %d is %q, want %q", row.field, row.length, got, row.want)
		}
	}
	long := NewAlarm(1, 2, 3, "a text that is longer than a field of 32 bytes", AlarmText32)
	if len(long.Field) != 32 || long.Length != 32 || long.Text() != "a text that is longer than a fie" {
		t.Errorf("long text: %+v", long)
	}
	if _, err := ParseAlarms(nil, -17); err == nil {
		t.Error("a negative text size is accepted")
	}
}

func TestRequests(t *testing.T) {
	for _, row := range []struct {
		name string
		q    Request
		want string // from the function code on
	}{
		{"alarms", AlarmsRequest(1, AllAlarms, 10, AlarmText64), "0023 ffffffff 0000000a 00000002 00000040 0000 0000"},
		{"alarm information", AlarmInfoRequest(1, 3, 5, 1), "0023 00000003 00000005 00000001 00000020 0000 0000"},
		{"messages", OpMessages3Request(1, 4, 2), "00d0 00000000 00000004 00000002 00000000 0000 0000"},
		{"all axes", AxisRequest(1, AxisDistance, AllAxes), "0026 00000003 ffffffff 00000000 00000000 0000 0000"},
		{"display flags", DisplayFlagsRequest(1), "00a3 00000000 ffffffff 00000000 00000000 0000 0000"},
		{"write timer", WriteTimerRequest(1, TimerFree, Timer{Minute: 2, MSec: 3}), "0121 00000004 00000000 00000000 00000000 0000 0008 00000002 00000003"},
		{"set date", SetClockRequest(1, ClockDate, Clock{2026, 5, 14, 1, 2, 3, nil}), "0046 00000000 00000000 00000000 00000000 0000 000c 07ea 0005 000e 0000 0000 0000"},
		{"set time", SetClockRequest(1, ClockTime, Clock{2026, 5, 14, 1, 2, 3, nil}), "0046 00000001 00000000 00000000 00000000 0000 000c 0000 0000 0000 0001 0002 0003"},
	} {
		if got := row.q.Append(nil)[6:]; !bytes.Equal(got, unhex(t, row.want)) {
			t.Errorf("%s: %x, want %s", row.name, got, row.want)
		}
	}
}
