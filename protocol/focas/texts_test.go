package focas

import (
	"testing"
	"time"
)

func TestStatusText(t *testing.T) {
	for _, row := range []struct {
		word   StatusWord
		value  uint16
		family Family
		lathe  bool
		want   string
	}{
		{WordAut, 1, Family30i, false, "MEM"}, {WordAut, 1, Family15i, false, "MDI"}, {WordAut, 10, Family16i, false, "REMOTE"},
		{WordRun, 3, Family30i, false, "START"}, {WordRun, 3, Family15i, false, "MSTR"}, {WordRun, 13, Family15i, false, "HPCC"},
		{WordRun, 10, Family15i, false, "10"}, {WordMotion, 2, Family30i, false, "DWELL"}, {WordMSTB, 1, Family16i, false, "FIN"},
		{WordEmergency, 1, Family30i, false, "EMERGENCY"}, {WordAlarm, 8, Family30i, false, "PMC ALARM"},
		{WordEdit, 7, Family30i, false, "RESTART"}, {WordEdit, 7, Family30i, true, "WORK SHIFT"}, {WordEdit, 4, Family15i, true, "CONDENSE"},
		{WordEdit, 42, Family30i, false, "42"}, {WordAut, 65535, Family30i, false, "65535"}, {StatusWord(99), 3, Family30i, false, "3"},
	} {
		if got := StatusText(row.word, row.value, row.family, row.lathe); got != row.want {
			t.Errorf("word %d value %d of %v: %q, want %q", row.word, row.value, row.family, got, row.want)
		}
	}
	texts := StatusTexts(WordRun, Family30i, false)
	texts[3] = "changed"
	if StatusText(WordRun, 3, Family30i, false) != "START" {
		t.Error("a caller can change the table")
	}
}

func TestFamilyOf(t *testing.T) {
	for _, row := range []struct {
		o    OpenReply
		typ  string
		want Family
	}{
		{OpenReply{Version: 2}, "16", Family16i}, {OpenReply{Version: 1, Family: 2}, "", Family15i}, {OpenReply{Version: 2}, "15", Family15i},
		{OpenReply{Version: 3, Family: 2}, "31", Family30i}, {OpenReply{Version: 4}, " 0", Family30i},
	} {
		var s SysInfo
		copy(s.Type[:], row.typ)
		if got := FamilyOf(&row.o, s); got != row.want {
			t.Errorf("%+v of type %q: %v, want %v", row.o, row.typ, got, row.want)
		}
	}
}

func TestAlarmFormat(t *testing.T) {
	for _, row := range []struct {
		alarm  Alarm
		family Family
		axis   string
		want   string
	}{
		{NewAlarm(401, 6, 1, "VRDY OFF", 32), Family30i, "X", "SV0401 (X) VRDY OFF"},
		{NewAlarm(100, 0, 0, "PARAMETER ENABLE SWITCH ON", 64), Family30i, "", "SW0100 PARAMETER ENABLE SWITCH ON"},
		{NewAlarm(1001, 15, 0, "DOOR OPEN", 64), Family30i, "", "EX1001 DOOR OPEN"},
		{NewAlarm(5, 77, 0, "", 64), Family30i, "", "0005"},
		{NewAlarm(401, 6, 1, "SERVO ALARM: X AXIS VRDY OFF", 32), Family16i, "X", "401 SERVO ALARM: X AXIS VRDY OFF"},
		{NewAlarm(0, 1, 0, "TURN OFF POWER", 32), Family16i, "", "000 TURN OFF POWER"},
		{NewAlarm(8, 12, 2, "EXCESS ERROR", 32), Family15i, "Y", "SV008 (Y) EXCESS ERROR"},
	} {
		if got := row.alarm.Format(row.family, row.axis); got != row.want {
			t.Errorf("%q, want %q", got, row.want)
		}
	}
	for typ, want := range map[int32]string{-1: "", 0: "SW", 14: "", 19: "PC", 20: "", 1 << 30: ""} {
		if got := AlarmTypeName(Family30i, typ); got != want {
			t.Errorf("type %d is %q, want %q", typ, got, want)
		}
	}
}

func TestModel(t *testing.T) {
	for _, row := range []struct {
		add  uint16
		typ  string
		want string
	}{{0x0242, "31", "31i-B"}, {0x0442, " 0", "0i-D"}, {0x0040, "16", "16"}, {0x0002, "18", "18i"}, {0xff02, "30", "30i"}} {
		var s SysInfo
		s.AddInfo = row.add
		copy(s.Type[:], row.typ)
		if got := s.Model(); got != row.want {
			t.Errorf("%q, want %q", got, row.want)
		}
	}
}

func TestGCodeText(t *testing.T) {
	for _, row := range []struct {
		g    GCode
		want string
	}{{GCode{Code: 1}, "G01"}, {GCode{Code: 90}, "G90"}, {GCode{Code: 541, Decimals: 1}, "G54.1"}, {GCode{Code: 51, Decimals: 1}, "G05.1"},
		{GCode{Code: 100}, "G100"}, {GCode{Code: 7, Decimals: -3}, "G07"}, {GCode{Code: 7, Decimals: 1 << 30}, "G07"}} {
		if got := row.g.String(); got != row.want {
			t.Errorf("%+v is %q, want %q", row.g, got, row.want)
		}
	}
}

func TestCommandText(t *testing.T) {
	c := Command{Letter: 'F', Value: 15000, Decimals: 1}
	if c.Address() != "F" || c.Float() != 1500 {
		t.Errorf("%s %v", c.Address(), c.Float())
	}
	if c := (Command{Letter: 'M', Number: 2, Value: 8, Decimals: -9}); c.Address() != "M2" || c.Float() != 8 {
		t.Errorf("%s %v", c.Address(), c.Float())
	}
}

func TestAuxAddress(t *testing.T) {
	for letter, want := range map[string]int32{"A": 0, "F": 5, "M": 11, "M3": 13, "N": 16, "S": 21, "T": 22, "Z": 28} {
		if n, ok := AuxAddress(letter); !ok || n != want || AuxLetter(n) != letter {
			t.Errorf("%s is %d (%v), want %d", letter, n, ok, want)
		}
	}
	for _, letter := range []string{"", "G", "s", "M4"} {
		if n, ok := AuxAddress(letter); ok {
			t.Errorf("%q is %d", letter, n)
		}
	}
	for _, n := range []int32{-1, 14, 29} {
		if AuxLetter(n) != "" {
			t.Errorf("%d is %q", n, AuxLetter(n))
		}
	}
}

func TestTimerOrders(t *testing.T) {
	b := unhex(t, "0000003c 0000ea5f")
	for _, row := range []struct {
		order TimerOrder
		want  Timer
	}{{TimerAuto, Timer{Minute: 60, MSec: 59999}}, {TimerBigEndian, Timer{Minute: 60, MSec: 59999}},
		{TimerLittleEndian, Timer{Minute: 0x3c000000, MSec: 0x5fea0000, Little: true}}} {
		got, err := ParseTimer(b, row.order)
		if err != nil || got.Minute != row.want.Minute || got.MSec != row.want.MSec || got.Little != row.want.Little {
			t.Errorf("order %d: %+v, %v", row.order, got, err)
		}
	}
	d := 61*time.Minute + 1500*time.Millisecond
	if x := NewTimer(d); x.Minute != 61 || x.MSec != 1500 || x.Duration() != d {
		t.Errorf("NewTimer: %+v", x)
	}
}

func TestClockIn(t *testing.T) {
	got, err := Clock{2026, 5, 14, 12, 34, 56, nil}.In(time.UTC)
	if want := time.Date(2026, 5, 14, 12, 34, 56, 0, time.UTC); err != nil || !got.Equal(want) {
		t.Errorf("%v, %v", got, err)
	}
	for _, c := range []Clock{{}, {2026, 13, 1, 0, 0, 0, nil}, {2026, 2, 30, 0, 0, 0, nil}, {2026, 2, 3, 24, 0, 0, nil}, {2026, 2, 3, 1, 60, 0, nil}, {2026, 2, 3, 1, 1, 61, nil}} {
		if got, err := c.In(time.UTC); err == nil {
			t.Errorf("%+v is %v", c, got)
		}
	}
}

func TestDisplayFlags(t *testing.T) {
	for _, row := range []struct {
		flags DisplayFlags
		want  [4]bool // absolute, machine, relative, distance
	}{
		{0, [4]bool{}}, {1 << 0, [4]bool{1: true}}, {1 << 11, [4]bool{1: true}}, {1 << 1, [4]bool{0: true, 2: true}},
		{1 << 2, [4]bool{3: true}}, {1 << 3, [4]bool{0: true, 2: true, 3: true}}, {3, [4]bool{true, true, true, false}},
	} {
		for k, want := range row.want {
			if got := row.flags.Shows(AxisKind(k)); got != want {
				t.Errorf("flags %#x kind %d: %v", uint32(row.flags), k, got)
			}
		}
	}
	if DisplayFlags(0xffffffff).Shows(AxisSkip) {
		t.Error("the position screen shows no skip positions")
	}
}

func TestUnitText(t *testing.T) {
	for u, want := range map[Unit]string{UnitMM: "mm", UnitDegree: "deg", UnitAmpere: "A", 99: "unit(99)"} {
		if u.String() != want {
			t.Errorf("%q, want %q", u.String(), want)
		}
	}
}

func TestNames(t *testing.T) {
	for want, n := range map[string]Name{"X": {'X'}, "X1": {'X', '1'}, "S1": {'S', '1', ' ', ' '}, "": {}} {
		if n.String() != want {
			t.Errorf("%q, want %q", n.String(), want)
		}
	}
	if got := NewName("TOO LONG"); got.String() != "TOO" && got.String() != "TOO " {
		t.Errorf("%q", got)
	}
}
