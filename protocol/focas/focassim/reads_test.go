package focassim

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// cutting gives a control in the middle of a known block: N30 of O5000 at F1500 and S2000 with tool 2.
func cutting(t *testing.T, profile string) *Sim {
	t.Helper()
	s, _ := newSim(t, Options{Manual: true, Profile: profile})
	runProgram(t, s, "O5000(CUT)\nN10 G90 G54 G0 X0. Y0. Z0.\nN20 T2 M6\nS2000 M3\nN30 G43 H1 D3 G1 X-90. F1500\nN40 M30\n")
	for range int(time.Minute / tick) {
		if s.Advance(tick); s.m.paths[0].cuttingNow() && s.m.paths[0].feed() > 1499 {
			return s
		}
	}
	t.Fatal("never cuts")
	return nil
}

// System variables say what the machine does; numbers between them do not exist.
func TestSystemVariables(t *testing.T) {
	for _, profile := range []string{"30i", "16i"} {
		t.Run(profile, func(t *testing.T) {
			s := cutting(t, profile)
			p := s.m.paths[0]
			now := s.m.now()
			for _, row := range []struct {
				number int32
				want   float64
			}{
				{3000, 0}, {3001, float64(s.m.elapsed().Milliseconds() % 65536)},
				{3011, float64(now.Year()*10000 + int(now.Month())*100 + now.Day())},
				{3012, float64(now.Hour()*10000 + now.Minute()*100 + now.Second())},
				{3901, 137}, {3902, 500},
				{4001, 1}, {4002, 17}, {4003, 90}, {4005, 94}, {4007, 40}, {4008, 43}, {4014, 54}, {4021, 13.1}, {4019, 40.1},
				{4109, 1500}, {4113, 3}, {4114, 30}, {4115, 5000}, {4119, 2000}, {4120, 2},
				{5021, p.pos[0]}, {5022, p.pos[1]}, {5023, p.pos[2]},
				{5041, p.absolute()[0]}, {5042, 0}, {5043, p.absolute()[2]},
				{5201, 0}, {5221, -400}, {5222, -250}, {5223, -350}, {5241, -200}, {5323, 0},
			} {
				l := read(t, s, focas.MacroRequest(1, row.number, row.number), focas.ParseValues)
				if len(l.Items) != 1 || !near(l.Items[0].Float(), row.want, 0.0011) {
					t.Errorf("#%d is %v, want %v", row.number, l.Items, row.want)
				}
				if base := l.Items[0].Base; profile == "16i" && base != 2 || profile == "30i" && base != 10 {
					t.Errorf("#%d has base %d on a %s", row.number, base, profile)
				}
			}
			for _, n := range []int32{-1, 0, 34, 99, 1000, 2999, 3002, 3903, 4000, 4022, 5020, 5024, 5044, 5200, 5204, 5220, 5324, 5341, 1 << 30} {
				if r := ask(s, focas.MacroRequest(1, n, n)); r.Code != focas.EWNumber {
					t.Errorf("#%d: %v, want EW_NUMBER", n, r.Code)
				}
			}
		})
	}
}

// What several functions say about the same thing is the same.
func TestReadsAgree(t *testing.T) {
	for _, profile := range Profiles() {
		t.Run(profile, func(t *testing.T) {
			s := cutting(t, profile)
			p := s.m.paths[0]
			d := s.prof.dialect()
			classic := d == focas.Classic
			axis := func(k focas.AxisKind, n int32) []focas.Value {
				return read(t, s, focas.AxisRequest(1, k, n), focas.ParseValues).Items
			}
			for k := range focas.AxisKind(11) {
				if k == 5 {
					continue
				}
				all := axis(k, focas.AllAxes)
				if len(all) != s.prof.pad {
					t.Fatalf("kind %d: %d values, want %d", k, len(all), s.prof.pad)
				}
				for i := range p.cfg.axes {
					if one := axis(k, int32(i+1)); len(one) != 1 || one[0] != all[i] {
						t.Errorf("kind %d axis %d: %v alone, %v among all", k, i+1, one, all[i])
					}
				}
				for _, v := range all[len(p.cfg.axes):] {
					if v.Mantissa != 0 {
						t.Errorf("kind %d: padding %v", k, v)
					}
				}
			}
			abs, old, mach, dist := axis(0, 1)[0].Float(), axis(4, 1)[0].Float(), axis(1, 1)[0].Float(), axis(3, 1)[0].Float()
			if !near(abs+dist, -90, 0.002) || !near(mach-p.work[1][0], abs, 0.002) || abs != old || axis(7, 1)[0].Float() != dist {
				t.Errorf("X: absolute %v, old %v, machine %v, to go %v", abs, old, mach, dist)
			}
			z := p.cfg.axis('Z')
			if tip, spindle := axis(0, int32(z+1))[0].Float(), axis(4, int32(z+1))[0].Float(); !near(spindle-tip, 95, 0.002) {
				t.Errorf("Z: absolute %v with the tool, %v without; the tool has 95", tip, spindle)
			}
			feed, rpm := read(t, s, focas.FeedRequest(1), focas.ParseValues).Items[0], read(t, s, focas.SpindleSpeedRequest(1), focas.ParseValues).Items[0]
			if feed.Float() != 1500 || rpm.Float() != 2000 {
				t.Errorf("feed %v, spindle %v", feed, rpm)
			}
			for _, kind := range []int32{focas.SpindleSpeed, focas.SpindleMeterSpeed} {
				l := read(t, s, focas.SpindleRequest(1, kind, -1), focas.ParseValues)
				if l.Items[0] != rpm || len(l.Items) != map[bool]int{true: 2, false: 1}[classic] {
					t.Errorf("spindle kind %d: %v", kind, l.Items)
				}
			}
			if l := read(t, s, focas.SpindleRequest(1, focas.SpindleMaxRPM, 1), focas.ParseValues); l.Items[0].Float() != s.prof.maxRPM[0] {
				t.Errorf("largest speed %v, want %v", l.Items, s.prof.maxRPM)
			}
			if l := read(t, s, focas.SpindleRequest(1, focas.SpindleGear, 1), focas.ParseValues); l.Items[0].Float() != 1 {
				t.Errorf("gear %v", l.Items)
			}
			if l := read(t, s, focas.ServoRequest(1, focas.ServoLoad), focas.ParseValues); len(l.Items) != s.prof.pad || l.Items[0].Float() == 0 && l.Items[1].Float() == 0 {
				t.Errorf("loads %v", l.Items)
			}
			num := read(t, s, focas.ProgramNumRequest(1), focas.ParseProgramNum)
			name := read(t, s, focas.ExecProgramRequest(1), focas.ParseExecProgram)
			path := read(t, s, focas.ExecProgramPathRequest(1), focas.ParsePathText)
			if num.Running != 5000 || num.Main != 5000 || name.Number != 5000 || name.Name.String() != "O5000" || path.String() != "//CNC_MEM/USER/PATH1/O5000" {
				t.Errorf("%+v, %v, %s", num, name, path)
			}
			if seq := read(t, s, focas.SequenceNumRequest(1), focas.ParseCounter); seq.N != 30 {
				t.Errorf("sequence %d", seq.N)
			}
			text := read(t, s, focas.ExecTextRequest(1, 200), focas.ParseExecText)
			if got := string(text.Text); got != "N30 G43 H1 D3 G1 X-90. F1500\nN40 M30\n" || text.Block != 5 {
				t.Errorf("block %d, text %q", text.Block, got)
			}
			if cut := read(t, s, focas.ExecTextRequest(1, 7), focas.ParseExecText); string(cut.Text) != "N30 G43" {
				t.Errorf("seven bytes of text: %q", cut.Text)
			}
			point := read(t, s, focas.ActPointRequest(1), focas.ParseActPoint)
			if point.Program != 5000 || point.Block != 4 {
				t.Errorf("%+v", point)
			}
			if n := read(t, s, focas.BlockCountRequest(1), focas.ParseCounter); n.N != 5 {
				t.Errorf("%d blocks", n.N)
			}
			info := read(t, s, focas.ProgramInfoRequest(1), focas.ParseProgramInfo)
			files := p.store.sorted()
			if int(info.Registered) != len(files) || info.Registered+info.Free != maxPrograms || info.UsedMemory+info.FreeMemory != storeBytes {
				t.Errorf("%+v for %d programs", info, len(files))
			}
		})
	}
}

// The modal state in each of the forms in which the control writes it.
func TestModalReads(t *testing.T) {
	for _, profile := range []string{"30i", "16i"} {
		t.Run(profile, func(t *testing.T) {
			s := cutting(t, profile)
			all := read(t, s, focas.ModalGRequest(1, focas.ModalAll, 0), focas.ParseWords).Items
			codes := read(t, s, focas.GCodesRequest(1, focas.ModalAll, 0), focas.ParseGCodes).Items
			if len(all) != 21 || len(codes) != 21 {
				t.Fatalf("%d groups and %d codes", len(all), len(codes))
			}
			for g := range int32(21) {
				one := read(t, s, focas.ModalGRequest(1, g, 1), focas.ParseWords).Items
				code := read(t, s, focas.GCodesRequest(1, g, 2), focas.ParseGCodes).Items
				if len(one) != 1 || one[0] != all[g] || len(code) != 1 || code[0] != codes[g] || code[0].Group != uint16(g) {
					t.Errorf("group %d: %v and %v alone, %v and %v among all", g, one, code, all[g], codes[g])
				}
				if want := gGroups[g].codes[focas.GroupCode(all[g])]; int(codes[g].Code) != want/10 && int(codes[g].Code) != want {
					t.Errorf("group %d: place %d is %d, the code is %v", g, focas.GroupCode(all[g]), want, codes[g])
				}
			}
			for g, want := range map[int]string{0: "G01", 1: "G17", 2: "G90", 7: "G43", 13: "G54", 18: "G40.1"} {
				if got := codes[g].String(); got != want {
					t.Errorf("group %d is %s, want %s", g, got, want)
				}
			}
			for which, n := range map[int32]int{focas.ModalSecond: 4, 100: 1, 103: 1} {
				if got := read(t, s, focas.ModalGRequest(1, which, 0), focas.ParseWords); len(got.Items) != n {
					t.Errorf("one-shot codes %d: %v", which, got)
				}
			}
			aux := read(t, s, focas.ModalAuxRequest(1, focas.ModalAll, 0), focas.ParseAuxes).Items
			if len(aux) != 29 {
				t.Fatalf("%d addresses", len(aux))
			}
			for letter, want := range map[string]int32{"F": 1500, "S": 2000, "T": 2, "M": 3, "H": 1, "D": 3, "N": 30, "O": 5000} {
				n, ok := focas.AuxAddress(letter)
				if !ok || aux[n].Value != want || aux[n].Flag1&0x40 == 0 {
					t.Errorf("%s is %+v, want %d and commanded", letter, aux[n], want)
				}
				if one := read(t, s, focas.ModalAuxRequest(1, n, 0), focas.ParseAuxes).Items; len(one) != 1 || one[0] != aux[n] {
					t.Errorf("%s alone is %+v", letter, one)
				}
			}
			for _, letter := range []string{"M2", "M3", "B"} {
				if n, ok := focas.AuxAddress(letter); ok && aux[n].Flag1&0x40 != 0 {
					t.Errorf("%s is commanded: %+v", letter, aux[n])
				}
			}
			axes := read(t, s, focas.ModalAuxRequest(1, focas.ModalSecond, 0), focas.ParseAuxes).Items
			if len(axes) != 3 || axes[0].Value != -90000 || axes[0].Flag1 != 0x43 {
				t.Errorf("commanded axes %+v, want X-90.000", axes)
			}
			if one := read(t, s, focas.ModalAuxRequest(1, 100, 0), focas.ParseAuxes).Items; len(one) != 1 || one[0] != axes[0] {
				t.Errorf("X alone is %+v", one)
			}
			got := map[string]float64{}
			for _, c := range read(t, s, focas.CommandsRequest(1, focas.ModalAll, 0), focas.ParseCommands).Items {
				got[c.Address()] = c.Float()
			}
			want := map[string]float64{"S": 2000, "F": 1500, "T": 2, "M": 3, "H": 1, "D": 3, "N": 30, "O": 5000}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Names, units, figures and counts by profile.
func TestDescriptionsOfAxes(t *testing.T) {
	for _, row := range []struct {
		profile string
		path    uint16
		names   string // absolute
		sets    string // first, absolute, machine, relative of every axis
		units   string
		padded  int
	}{
		{"30i", 1, "X Y Z", "X,X,X1,U Y,Y,Y1,V Z,Z,Z1,W", "mm mm mm", 3},
		{"16i", 1, "X Y Z", "X,X,X1,U Y,Y,Y1,V Z,Z,Z1,W", "mm mm mm", 8},
		{"31i", 1, "X Z", "X,X,X1,U Z,Z,Z1,W", "mm mm", 2},
		{"31i", 2, "X Y Z C", "X,X,X1,U Y,Y,Y1,V Z,Z,Z1,W C,C,C1,H", "mm mm mm deg", 4},
	} {
		s, _ := newSim(t, Options{Profile: row.profile, Manual: true})
		var names, sets, units []string
		for _, n := range read(t, s, focas.AxisNamesRequest(row.path), focas.ParseNames).Items {
			names = append(names, n.String())
		}
		for _, n := range read(t, s, focas.NameSetsRequest(row.path), focas.ParseNameSets).Items {
			sets = append(sets, strings.Join([]string{n.First.String(), n.Absolute.String(), n.Machine.String(), n.Relative.String()}, ","))
		}
		for _, u := range read(t, s, focas.UnitsRequest(row.path, focas.UnitsMachine), focas.ParseUnitPairs).Items {
			units = append(units, u.Second.String())
		}
		if len(names) != row.padded || len(sets) != row.padded || len(units) != row.padded {
			t.Errorf("%s: %d names, %d sets, %d units; want %d", row.profile, len(names), len(sets), len(units), row.padded)
		}
		n := len(strings.Fields(row.names))
		if got := strings.Join(names[:n], " "); got != row.names {
			t.Errorf("%s: names %q", row.profile, got)
		}
		if got := strings.Join(sets[:n], " "); got != row.sets {
			t.Errorf("%s: sets %q", row.profile, got)
		}
		if got := strings.Join(units[:n], " "); got != row.units {
			t.Errorf("%s: units %q", row.profile, got)
		}
		for kind, decimals := range map[int32][2]uint16{focas.FigureAxis: {uint16(n), 3}, focas.FigureWorkOffset: {uint16(n), 3},
			focas.FigureToolOffset: {1, 3}, focas.FigureMacro: {1, 4}, focas.FigureFeed: {1, 0}} {
			f := read(t, s, focas.FigureRequest(row.path, kind), focas.ParseFigures)
			if f.Valid != uint32(decimals[0]) || len(f.Items) != int(decimals[0]) || f.Items[0] != (focas.Figure{In: decimals[1], Out: decimals[1]}) {
				t.Errorf("%s: figures of kind %d: %+v", row.profile, kind, f)
			}
		}
		if row.profile == "16i" {
			if l := read(t, s, focas.UnitsRequest(1, focas.UnitsClassicSpeed), focas.ParseUnitPairs); len(l.Items) != 3 {
				t.Errorf("classic units of speeds: %+v", l)
			}
			continue
		}
		for kind, want := range map[int32]uint16{focas.CountPosition: uint16(n), focas.CountServo: uint16(n), focas.CountSpindles: 1, focas.CountSpeed: 1} {
			if w := read(t, s, focas.CountRequest(row.path, kind), focas.ParseWord); w.Value != want {
				t.Errorf("%s: count %d is %d, want %d", row.profile, kind, w.Value, want)
			}
		}
		if l := read(t, s, focas.DisplayFlagsRequest(row.path), focas.ParseLongs); len(l.Items) != n || !focas.DisplayFlags(l.Items[0]).Shows(focas.AxisDistance) {
			t.Errorf("%s: display flags %+v", row.profile, l)
		}
		feed, rpm := read(t, s, focas.UnitsRequest(row.path, focas.UnitsFeed), focas.ParseUnitPairs), read(t, s, focas.UnitsRequest(row.path, focas.UnitsSpindle), focas.ParseUnitPairs)
		if feed.Items[0].First != focas.UnitMMPerMinute || rpm.Items[0].First != focas.UnitRPM {
			t.Errorf("%s: units of speeds %v %v", row.profile, feed, rpm)
		}
	}
}

// The words of the status by what the machine does.
func TestStatusWords(t *testing.T) {
	for _, row := range []struct {
		name string
		to   func(*Sim)
		want focas.Status
	}{
		{"reset", func(*Sim) {}, focas.Status{Aut: 1}},
		{"MDI", func(s *Sim) { s.Do(Event{Kind: SetMode, Value: int(ModeMDI)}) }, focas.Status{}},
		{"edit", func(s *Sim) { s.Do(Event{Kind: SetMode, Value: int(ModeEdit)}) }, focas.Status{Aut: 3, Edit: 1}},
		{"handle", func(s *Sim) { s.Do(Event{Kind: SetMode, Value: int(ModeHandle)}) }, focas.Status{Aut: 4}},
		{"jog", func(s *Sim) { s.Do(Event{Kind: SetMode, Value: int(ModeJog)}) }, focas.Status{Aut: 5}},
		{"reference", func(s *Sim) { s.Do(Event{Kind: SetMode, Value: int(ModeRef)}) }, focas.Status{Aut: 9}},
		{"moving", func(s *Sim) { runProgram(t, s, "O5000\nG53 G0 X-500.\nM0\n"); s.Advance(time.Second) }, focas.Status{Aut: 1, Run: 3, Motion: 1}},
		{"dwelling", func(s *Sim) { runProgram(t, s, "O5000\nG4 X9.\nM0\n"); s.Advance(time.Second) }, focas.Status{Aut: 1, Run: 3, Motion: 2}},
		{"changing the tool", func(s *Sim) { runProgram(t, s, "O5000\nT1 M6\nM0\n"); s.Advance(time.Second) }, focas.Status{Aut: 1, Run: 3, MSTB: 1}},
		{"program stop", func(s *Sim) { runProgram(t, s, "O5000\nM0\n"); s.Advance(time.Second) }, focas.Status{Aut: 1, Run: 1}},
		{"feed hold", func(s *Sim) {
			runProgram(t, s, "O5000\nG53 G0 X-500.\nM0\n")
			s.Do(Event{Kind: FeedHoldOn})
			s.Advance(2 * time.Second)
		}, focas.Status{Aut: 1, Run: 2}},
		{"emergency", func(s *Sim) { s.Do(Event{Kind: EmergencyOn}) }, focas.Status{Aut: 1, Emergency: 1}},
		{"alarm", func(s *Sim) { s.Do(Event{Kind: RaiseAlarm, Alarm: Alarm{Type: AlarmOT, Number: 500, Axis: 1}}) }, focas.Status{Aut: 1, Alarm: 1}},
		{"alarm while moving", func(s *Sim) {
			runProgram(t, s, "O5000\nG53 G0 X-500.\nM0\n")
			s.Advance(200 * time.Millisecond)
			s.Do(Event{Kind: RaiseAlarm, Alarm: Alarm{Type: AlarmOT, Number: 500, Axis: 1}})
			s.Advance(2 * time.Second)
		}, focas.Status{Aut: 1, Run: 1, Alarm: 1}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, _ := newSim(t, Options{Manual: true})
			row.to(s)
			got := read(t, s, focas.StatusRequest(1), focas.ParseStatus)
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Error(diff)
			}
			if got2 := read(t, s, focas.Status2Request(1), focas.ParseStatus2); got2.Status.Run != got.Run || got2.Status.Aut != got.Aut {
				t.Errorf("statinfo2 says %+v", got2)
			}
		})
	}
}

// The lathe and the mill differ in their T/M word.
func TestMachineKind(t *testing.T) {
	s, _ := newSim(t, Options{Profile: "31i", Manual: true})
	for path, want := range map[uint16]uint16{1: 0, 2: 1} {
		if w := read(t, s, focas.TMModeRequest(path), focas.ParseWord); w.Value != want {
			t.Errorf("path %d: T/M %d, want %d", path, w.Value, want)
		}
		kind := map[uint16]string{1: "T", 2: "M"}[path]
		if x := read(t, s, focas.SysInfoRequest(path), focas.ParseSysInfo); x.KindText() != kind {
			t.Errorf("path %d: kind %q, want %q", path, x.KindText(), kind)
		}
	}
}
