package focasclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focasclient"
	"github.com/patchbay-io/patchbay/protocol/focas/focassim"
)

// session runs f with a session on a simulated control, under simulated time.
func session(t *testing.T, o focassim.Options, f func(t *testing.T, s *focassim.Sim, c *focasclient.Client)) {
	synctest.Test(t, func(t *testing.T) {
		s, err := focassim.New(o)
		if err != nil {
			t.Fatal(err)
		}
		ln := testnet.Listen()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Serve(ctx, ln) }()
		c, err := focasclient.Dial(t.Context(), ln.DialContext, "cnc:8193", focasclient.Options{})
		if err != nil {
			t.Fatal(err)
		}
		f(t, s, c)
		c.Close(context.Background())
		cancel()
		<-done
	})
}

// everyProfile is session on each control, in the middle of its first program.
func everyProfile(t *testing.T, f func(t *testing.T, s *focassim.Sim, c *focasclient.Client)) {
	for _, name := range focassim.Profiles() {
		t.Run(name, func(t *testing.T) {
			session(t, focassim.Options{Profile: name}, func(t *testing.T, s *focassim.Sim, c *focasclient.Client) {
				s.Advance(25 * time.Second)
				f(t, s, c)
			})
		})
	}
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// Time stands still under synctest, so calls that read the same thing in different ways must agree to the last digit.
func TestCallsAgree(t *testing.T) {
	everyProfile(t, func(t *testing.T, s *focassim.Sim, c *focasclient.Client) {
		ctx := t.Context()
		for _, n := range c.Paths() {
			p := c.Path(n)
			position := must(p.Positions(ctx))(t)
			machine, distance := must(p.Machine(ctx))(t), must(p.Distance(ctx))(t)
			names := must(p.AxisNames(ctx))(t)
			if len(position) != p.AxisCount() || len(machine) != p.AxisCount() || len(names) != p.AxisCount() {
				t.Fatalf("path %d: %d positions, %d machine positions, %d names; %d axes", n, len(position), len(machine), len(names), p.AxisCount())
			}
			dynamic := must(p.Dynamic(ctx, focas.AllAxes))(t)
			loads := must(p.ServoMeter(ctx))(t)
			for i := range position {
				one := must(p.Axis(ctx, focas.AxisMachine, i+1))(t)
				if one != machine[i] || position[i].Machine.Value != machine[i] || position[i].Distance.Value != distance[i] {
					t.Errorf("path %d axis %d: %v alone, %v of all, %+v on the screen", n, i+1, one, machine[i], position[i])
				}
				if got := position[i].Absolute.Name; got != names[i] {
					t.Errorf("path %d axis %d is %v on the screen, %v by name", n, i+1, got, names[i])
				}
				if loads[i].Name != names[i] {
					t.Errorf("path %d: load %d is of %v, want %v", n, i+1, loads[i].Name, names[i])
				}
			}
			feed, rpm := must(p.ActualFeed(ctx))(t), must(p.ActualSpindle(ctx))(t)
			speeds := must(p.Speeds(ctx))(t)
			meter := must(p.SpindleMeter(ctx))(t)
			if speeds.Feed.Value != feed || speeds.Spindle.Value != rpm || len(meter) < 1 || meter[0].Speed != rpm {
				t.Errorf("path %d: feed %v and %v, spindle %v, %v and %+v", n, feed, speeds.Feed.Value, rpm, speeds.Spindle.Value, meter)
			}
			for what, get := range map[string]func(context.Context, int32) ([]focas.Value, error){
				"speeds": p.SpindleSpeeds, "loads": p.SpindleLoads, "largest": p.SpindleMaxRPM, "gears": p.SpindleGears} {
				if vs := must(get(ctx, focas.AllAxes))(t); len(vs) != p.SpindleCount() {
					t.Errorf("path %d: %s of %d spindles, want %d", n, what, len(vs), p.SpindleCount())
				} else if one := must(get(ctx, 1))(t); len(one) != 1 || one[0] != vs[0] {
					t.Errorf("path %d: %s %v alone, %v of all", n, what, one, vs)
				}
			}
			num, seq := must(p.ProgramNum(ctx))(t), must(p.SequenceNum(ctx))(t)
			if dynamic.Program.Running != num.Running || dynamic.Program.Main != num.Main || dynamic.Sequence != seq || dynamic.Machine[0] != machine[0] {
				t.Errorf("path %d: dynamic %+v; programs %+v, sequence %d", n, dynamic, num, seq)
			}
			name, where := must(p.ExecProgram(ctx))(t), must(p.ExecProgramPath(ctx))(t)
			if name.Number != num.Running || !strings.HasSuffix(where, "/"+name.Name.String()) {
				t.Errorf("path %d: runs %v in %s, number %d", n, name, where, num.Running)
			}
			st := must(p.StatInfo(ctx))(t)
			if st.Run != 3 || st.Aut != 1 || st.Emergency != 0 {
				t.Errorf("path %d: %+v", n, st)
			}
			programs := must(p.Programs(ctx, ""))(t)
			info := must(p.ProgramInfo(ctx))(t)
			total := int64(0)
			for _, x := range programs {
				total += x.Size
			}
			if len(programs) != int(info.Registered) || total != int64(info.UsedMemory) {
				t.Errorf("path %d: %d programs of %d bytes are listed, the control says %d of %d", n, len(programs), total, info.Registered, info.UsedMemory)
			}
			if sys := must(p.SysInfo())(t); sys.Axes != [2]byte{'0', byte('0' + p.AxisCount())} {
				t.Errorf("path %d: %q axes by system information, %d by the open reply", n, sys.Axes[:], p.AxisCount())
			}
		}
	})
}

// What is written is read back, alone and among its neighbours, in both dialects.
func TestWritesAreReadBack(t *testing.T) {
	everyProfile(t, func(t *testing.T, s *focassim.Sim, c *focasclient.Client) {
		ctx, p := t.Context(), c.Path(1)
		check := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, f := range []float64{0, 1, -1, 0.001, -0.001, 1.5, 123456.789, -99999.999, 999999999, -999999999} {
			v := must(focas.DecimalOf(f))(t)
			check(p.WriteMacro(ctx, 150, v))
			got := must(p.Macro(ctx, 150))(t)
			if math.Abs(got.Float()-f) > math.Abs(f)*1e-9 || got.IsVacant() {
				t.Errorf("wrote %v, read %v", f, got)
			}
			check(p.WritePMacro(ctx, 10100, v))
			if again := must(p.PMacro(ctx, 10100))(t); again != got {
				t.Errorf("P-code variable %v, common variable %v", again, got)
			}
		}
		for no, v := range map[int32]int32{6710: 98, 6711: 123456, 20: -5, 0: 255, 3105: 6} {
			check(p.WriteParam(ctx, no, focas.NoAxis, focas.Decimal(v, 0)))
			r := must(p.Param(ctx, no, focas.NoAxis))(t)
			if got := focas.ParamType(r.Type).Of(r.Slots[0]); got.Mantissa != v {
				t.Errorf("parameter %d: wrote %d, read %v", no, v, got)
			}
			if typ := must(p.ParamType(ctx, no))(t); typ != focas.ParamType(r.Type) {
				t.Errorf("parameter %d is %v by information, %v in its record", no, typ, focas.ParamType(r.Type))
			}
		}
		for kind := range int32(4) {
			check(p.WriteToolOffset(ctx, 7, kind, -1234-kind))
			check(p.WriteToolOffsets(ctx, 8, kind, 10+kind, 20+kind, 30+kind))
			if got := must(p.ToolOffset(ctx, 7, kind))(t); got.Mantissa != -1234-kind {
				t.Errorf("tool offset of kind %d is %v", kind, got)
			}
			list := must(p.ToolOffsets(ctx, 7, 10, kind))(t)
			if len(list) != 4 || list[0].Mantissa != -1234-kind || list[3].Mantissa != 30+kind {
				t.Errorf("tool offsets of kind %d: %v", kind, list)
			}
		}
		if all := must(p.ToolOffsets(ctx, 7, 8, focas.OffsetKindAll))(t); len(all) != 8 || all[3].Mantissa != -1237 || all[4].Mantissa != 10 {
			t.Errorf("every kind of two offsets: %v", all)
		}
		last := must(p.WorkOffsetMax(ctx))(t)
		check(p.WriteWorkOffset(ctx, 0, 1, 1, 2, 3, 4, 5, 6, 7))
		if list := must(p.WorkOffsets(ctx, 0, last, 1))(t); last != 6 || len(list) != 7 || list[6].Mantissa != 7 || list[0].Mantissa != 1 {
			t.Errorf("work offsets 0 to %d: %v", last, list)
		}
		if v := must(p.WorkOffset(ctx, 3, 1))(t); v != focas.Decimal(4, 3) {
			t.Errorf("work offset 3 is %v", v)
		}
		for which := range int32(5) {
			want := focas.NewTimer(time.Duration(which+1)*time.Hour + 3*time.Second)
			check(p.WriteTimer(ctx, which, want))
			if got := must(p.Timer(ctx, which))(t); got.Duration() != want.Duration() {
				t.Errorf("timer %d: wrote %v, read %v", which, want.Duration(), got.Duration())
			}
		}
		check(p.SetClock(ctx, focas.ClockDate, focas.Clock{Year: 2031, Month: 2, Day: 28}))
		check(p.SetClock(ctx, focas.ClockTime, focas.Clock{Hour: 23, Minute: 58, Second: 57}))
		if got, want := must(p.DateTime(ctx, time.UTC))(t), time.Date(2031, 2, 28, 23, 58, 57, 0, time.UTC); !got.Equal(want) {
			t.Errorf("the clock is %v, want %v", got, want)
		}
		for _, a := range []struct {
			address string
			value   float64
		}{{"D100", 200}, {"D101:word", -2}, {"D104:long", -100000}, {"D108:float32", 0.5}, {"D112:float64", -1e100}, {"R5.7", 1}, {"R5.0", 1}, {"R5.7", 0}, {"E9999", 1}} {
			addr := must(focas.ParsePMCAddress(a.address))(t)
			check(c.PMC(1).WriteItem(ctx, addr, a.value))
			if got := must(c.PMC(1).ReadItem(ctx, addr))(t); got != a.value {
				t.Errorf("%s: wrote %v, read %v", a.address, a.value, got)
			}
		}
		if b := must(c.PMC(1).ReadItem(ctx, must(focas.ParsePMCAddress("R5"))(t)))(t); b != 1 {
			t.Errorf("R5 is %v after bit 0 was set and bit 7 set and cleared", b)
		}
	})
}

// Calls that are too large for one frame are cut at the limit, and what comes back has no seam.
func TestSplitCallsOnAControl(t *testing.T) {
	session(t, focassim.Options{Manual: true}, func(t *testing.T, _ *focassim.Sim, c *focasclient.Client) {
		ctx, p, pmc := t.Context(), c.Path(1), c.PMC(1)
		frames := func(f func() error) uint64 {
			t.Helper()
			before := c.Stats().FramesSent
			if err := f(); err != nil {
				t.Error(err)
			}
			return c.Stats().FramesSent - before
		}
		vs := make([]focas.Value, 400)
		for i := range vs {
			vs[i] = focas.Decimal(int32(i)-200, 2)
		}
		for _, row := range []struct {
			count       int32
			read, write uint64 // frames
		}{{1, 1, 1}, {177, 1, 1}, {178, 1, 2}, {179, 1, 2}, {180, 2, 2}, {354, 2, 2}, {355, 2, 3}, {358, 2, 3}, {359, 3, 3}, {400, 3, 3}} {
			if got := frames(func() error { return p.WriteMacros(ctx, 500, vs[:row.count]...) }); got != row.write {
				t.Errorf("%d variables are written in %d frames, want %d", row.count, got, row.write)
			}
			var got []focas.Value
			if n := frames(func() (err error) { got, err = p.Macros(ctx, 500, 499+row.count); return err }); n != row.read {
				t.Errorf("%d variables are read in %d frames, want %d", row.count, n, row.read)
			}
			if diff := cmp.Diff(vs[:row.count], got); diff != "" {
				t.Errorf("%d variables: %s", row.count, diff)
			}
		}
		data := make([]byte, 5000)
		for i := range data {
			data[i] = byte(i * 7)
		}
		for _, row := range []struct {
			size        int32
			typ         focas.PMCType
			read, write uint64
		}{
			{1, focas.PMCByte, 1, 1}, {1420, focas.PMCByte, 1, 1}, {1421, focas.PMCByte, 1, 2}, {1432, focas.PMCByte, 1, 2},
			{1433, focas.PMCByte, 2, 2}, {2864, focas.PMCLong, 2, 3}, {2868, focas.PMCLong, 3, 3}, {4296, focas.PMCFloat64, 3, 4}, {4304, focas.PMCFloat64, 4, 4},
		} {
			r := focas.PMCRange{Area: 9, Type: row.typ, First: 100, Last: 99 + row.size}
			if n := frames(func() error { return pmc.Write(ctx, r, data[:row.size]) }); n != row.write {
				t.Errorf("%d bytes of %v are written in %d frames, want %d", row.size, row.typ, n, row.write)
			}
			var got []byte
			if n := frames(func() (err error) { got, err = pmc.Read(ctx, r); return err }); n != row.read {
				t.Errorf("%d bytes of %v are read in %d frames, want %d", row.size, row.typ, n, row.read)
			}
			if diff := cmp.Diff(data[:row.size], got); diff != "" {
				t.Errorf("%d bytes of %v: %s", row.size, row.typ, diff)
			}
		}
	})
}

// Questions that no control can answer are refused before anything is sent, and say what is allowed.
func TestRefusedBeforeSending(t *testing.T) {
	session(t, focassim.Options{Manual: true}, func(t *testing.T, _ *focassim.Sim, c *focasclient.Client) {
		ctx, p, pmc := t.Context(), c.Path(1), c.PMC(1)
		long := "//" + strings.Repeat("N", focas.PathSize)
		many := func(n int) []int32 { return make([]int32, n) }
		bit := must(focas.ParsePMCAddress("R5.3"))(t)
		for _, row := range []struct {
			name, says string
			call       func() error
		}{
			{"no variables", "1 to 400 can be asked for", func() error { _, err := p.Macros(ctx, 100, 99); return err }},
			{"401 variables", "1 to 400 can be asked for", func() error { _, err := p.Macros(ctx, 100, 500); return err }},
			{"variables from -1", "1 to 400 can be asked for", func() error { _, err := p.Macros(ctx, -1, 5); return err }},
			{"every variable there could be", "1 to 400", func() error { _, err := p.Macros(ctx, math.MinInt32, math.MaxInt32); return err }},
			{"writing no variable", "1 to 400", func() error { return p.WriteMacros(ctx, 100) }},
			{"writing 401 variables", "1 to 400", func() error { return p.WriteMacros(ctx, 100, make([]focas.Value, 401)...) }},
			{"no doubles", "1 to 179", func() error { _, err := p.MacroDoubles(ctx, 100, 0); return err }},
			{"180 doubles", "1 to 179", func() error { _, err := p.MacroDoubles(ctx, 100, 180); return err }},
			{"writing no double", "1 to 177", func() error { return p.WriteMacroDoubles(ctx, 100) }},
			{"writing 178 doubles", "1 to 177", func() error { return p.WriteMacroDoubles(ctx, 100, make([]float64, 178)...) }},
			{"no named variable", "1 to 35", func() error { _, err := p.NamedMacros(ctx, 100, 0); return err }},
			{"36 named variables", "1 to 35", func() error { _, err := p.NamedMacros(ctx, 100, 36); return err }},
			{"no tool offset", "1 to 179", func() error { _, err := p.ToolOffsets(ctx, 2, 1, 0); return err }},
			{"180 tool offsets", "1 to 179", func() error { _, err := p.ToolOffsets(ctx, 1, 180, 0); return err }},
			{"tool offset -1", "1 to 179", func() error { _, err := p.ToolOffsets(ctx, -1, 1, 0); return err }},
			{"writing no tool offset", "1 to 177", func() error { return p.WriteToolOffsets(ctx, 1, 0) }},
			{"writing 178 tool offsets", "1 to 177", func() error { return p.WriteToolOffsets(ctx, 1, 0, many(178)...) }},
			{"no work offset", "1 to 179", func() error { _, err := p.WorkOffsets(ctx, 2, 1, 1); return err }},
			{"writing 178 work offsets", "1 to 177", func() error { return p.WriteWorkOffset(ctx, 1, 1, many(178)...) }},
			{"no PMC bytes", "1 to 65536 bytes", func() error { _, err := pmc.Read(ctx, focas.PMCRange{First: 1}); return err }},
			{"PMC bytes from -1", "1 to 65536 bytes", func() error { _, err := pmc.Read(ctx, focas.PMCRange{First: -1}); return err }},
			{"too many PMC bytes", "1 to 65536 bytes", func() error { _, err := pmc.Read(ctx, focas.PMCRange{Last: 65536}); return err }},
			{"writing no PMC bytes", "1 to 65536 bytes", func() error { return pmc.Write(ctx, focas.PMCRange{First: 1}, nil) }},
			{"one PMC byte for two", "1 bytes for a range of 2", func() error { return pmc.Write(ctx, focas.PMCRange{Last: 1}, []byte{1}) }},
			{"two in a bit", "2 is no bit: 0 or 1", func() error { return pmc.WriteItem(ctx, bit, 2) }},
			{"half a bit", "0.5 does not fit", func() error { return pmc.WriteItem(ctx, bit, 0.5) }},
			{"a data type without size", "type(3)", func() error { return pmc.WriteItem(ctx, focas.PMCAddress{Letter: 'D', Code: 9, Bit: -1, Type: 3}, 1) }},
			{"folder name", "at most 255 bytes", func() error { return p.SetCurrentDir(ctx, focas.Foreground, long) }},
			{"folder to list", "at most 255 bytes", func() error { _, err := p.SubDirs(ctx, long, 0, 1); return err }},
			{"folder to list whole", "at most 255 bytes", func() error { _, err := p.AllDir(ctx, long, 0, 1); return err }},
			{"folder to count", "at most 255 bytes", func() error { _, err := p.DirCount(ctx, long); return err }},
			{"NUL in a name", "none of them NUL", func() error { return p.DeleteFile(ctx, "//CNC_MEM/\x00") }},
			{"file to add", "at most 255 bytes", func() error { return p.AddFile(ctx, long) }},
			{"main program", "at most 255 bytes", func() error { return p.SelectMain(ctx, long) }},
			{"file to send", "512", func() error {
				_, err := p.Upload(ctx, focasclient.Transfer{File: strings.Repeat("N", 512)}, io.Discard)
				return err
			}},
			{"no blocks", "1 block at least", func() error { _, err := c.Exchange(ctx, nil); return err }},
			{"too many blocks", "1450 bytes at most", func() error { _, err := c.Exchange(ctx, make([]focas.Request, 52)); return err }},
		} {
			before := c.Stats()
			err := row.call()
			if err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("%s: %v, want it to say %q", row.name, err, row.says)
			}
			if c.Stats() != before {
				t.Errorf("%s: something was sent", row.name)
			}
		}
		if err := c.Err(); err != nil {
			t.Errorf("the session ended: %v", err)
		}
	})
}

// What the control refuses names the call, the address, the code and what to do; the session goes on.
func TestRefusalsOfTheControl(t *testing.T) {
	session(t, focassim.Options{Manual: true}, func(t *testing.T, s *focassim.Sim, c *focasclient.Client) {
		ctx, p, pmc := t.Context(), c.Path(1), c.PMC(1)
		for _, row := range []struct {
			call string
			code focas.Code
			do   func() error
		}{
			{"cnc_rdmacro", focas.EWNumber, func() error { _, err := p.Macro(ctx, 4000); return err }},
			{"cnc_wrmacro", focas.EWProt, func() error { return p.WriteMacro(ctx, 3001, focas.Decimal(1, 0)) }},
			{"cnc_rdmacror2", focas.EWNumber, func() error { _, err := p.MacroDoubles(ctx, 999, 2); return err }},
			{"cnc_wrmacror2", focas.EWNumber, func() error { return p.WriteMacroDoubles(ctx, 999, 1, 2) }},
			{"cnc_rdparam", focas.EWNumber, func() error { _, err := p.Param(ctx, 1, 0); return err }},
			{"cnc_diagnoss", focas.EWNumber, func() error { _, err := p.Diag(ctx, 1, 0); return err }},
			{"cnc_rdset", focas.EWNumber, func() error { _, err := p.Setting(ctx, 6711, 0); return err }},
			{"cnc_rdtofs", focas.EWNumber, func() error { _, err := p.ToolOffset(ctx, 401, 0); return err }},
			{"cnc_wrzofs", focas.EWAttrib, func() error { return p.WriteWorkOffset(ctx, 1, 9, 1) }},
			{"cnc_rdtimer", focas.EWNumber, func() error { _, err := p.Timer(ctx, 9); return err }},
			{"cnc_search", focas.EWData, func() error { return p.Search(ctx, 4711) }},
			{"cnc_delete", focas.EWMode, func() error { return p.DeleteProgram(ctx, 8000) }},
			{"cnc_pdf_del", focas.EWMode, func() error { return p.DeleteFile(ctx, "//CNC_MEM/USER/PATH1/O8000") }},
			{"cnc_pdf_add", focas.EWNoOpt, func() error { return p.AddFile(ctx, "//CNC_MEM/NEW/") }},
			{"cnc_pdf_slctmain", focas.EWData, func() error { return p.SelectMain(ctx, "//CNC_MEM/USER/PATH1/O4711") }},
			{"cnc_rdpdf_subdirn", focas.EWData, func() error { _, err := p.DirCount(ctx, "//CNC_MEM/NO/"); return err }},
			{"cnc_rdmdiprog", focas.EWFunc, func() error { _, err := p.MDIText(ctx); return err }},
			{"cnc_wractpt", focas.EWFunc, func() error { return p.WriteActPoint(ctx, 1000, 1) }},
			{"pmc_rdpmcrng", focas.EWNumber, func() error { _, err := pmc.Read(ctx, focas.PMCRange{Area: 7, Last: 100}); return err }},
			{"pmc_wrpmcrng", focas.EWProt, func() error { return pmc.Write(ctx, focas.PMCRange{Area: 1}, []byte{1}) }},
			{"pmc_rdpmcinfo", focas.EWAttrib, func() error { _, err := pmc.Info(ctx, 99); return err }},
			{"pmc_rdpmctitle", focas.EWFunc, func() error { _, err := pmc.Title(ctx); return err }},
			{"pmc_rdalmmsg", focas.EWFunc, func() error { _, err := pmc.Alarms(ctx, 0, 1); return err }},
			{"pmc_select_pmc_unit", focas.EWNumber, func() error { return c.PMC(2).Select(ctx) }},
			{"pmc_rdpmcrng", focas.EWFunc, func() error { _, err := c.PMC(2).Read(ctx, focas.PMCRange{Area: 9}); return err }},
			{"cnc_statinfo", focas.EWPath, func() error { _, err := c.Path(2).StatInfo(ctx); return err }},
		} {
			err := row.do()
			var e *focas.Error
			if !errors.As(err, &e) || e.Code != row.code || e.Frame {
				t.Errorf("%s: %v, want %v", row.call, err, row.code)
				continue
			}
			for _, part := range []string{row.call, "cnc:8193", row.code.String(), row.code.Meaning()} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%s: %q does not say %q", row.call, err, part)
				}
			}
		}
		if err := pmc.Select(ctx); err != nil {
			t.Error(err)
		}
		if n, err := pmc.Count(ctx); n != 1 || err != nil {
			t.Errorf("%d PMC units, %v", n, err)
		}
		if types, err := pmc.UnitTypes(ctx, 3); len(types) != 1 || err != nil {
			t.Errorf("types of PMC units: %v, %v", types, err)
		}
		if err := c.Err(); err != nil {
			t.Errorf("the session ended: %v", err)
		}
	})
}

// The counters count frames, blocks and bytes of both channels, and round trips by the clock.
func TestStatsCount(t *testing.T) {
	session(t, focassim.Options{Manual: true}, func(t *testing.T, s *focassim.Sim, c *focasclient.Client) {
		ctx := t.Context()
		before := c.Stats()
		if before.FramesSent != 2 || before.FramesReceived != 2 || before.Exchanges != 1 || before.BlocksSent != 1 || before.BytesSent != 12+10+2+28 {
			t.Errorf("after the open: %+v", before)
		}
		q := []focas.Request{focas.StatusRequest(1), focas.AxisRequest(1, focas.AxisMachine, 1), focas.SequenceNumRequest(1)}
		for i, delay := range []time.Duration{30 * time.Millisecond, 10 * time.Millisecond, 50 * time.Millisecond, 10 * time.Millisecond} {
			s.SetFaults(focassim.Faults{Delay: delay})
			must(c.Exchange(ctx, q))(t)
			st := c.Stats()
			if st.LastRoundTrip != delay || st.Exchanges != uint64(i+2) || st.BlocksSent != uint64(1+3*(i+1)) {
				t.Errorf("exchange %d: %+v, want a round trip of %v", i, st, delay)
			}
		}
		st := c.Stats()
		if st.MaxRoundTrip != 50*time.Millisecond || st.MeanRoundTrip != 20*time.Millisecond {
			t.Errorf("longest %v, mean %v of 0, 30, 10, 50 and 10 ms", st.MaxRoundTrip, st.MeanRoundTrip)
		}
		if sent, got := st.BytesSent-before.BytesSent, st.BytesReceived-before.BytesReceived; sent != 4*(12+3*28) || got != 4*(12+16+14+16+8+16+4) {
			t.Errorf("%d bytes sent and %d received in four exchanges", sent, got)
		}
		s.SetFaults(focassim.Faults{})
		var text strings.Builder
		must(c.Path(1).Upload(ctx, focasclient.Transfer{File: focas.NumberedFiles(1000, 1000)}, &text))(t)
		after := c.Stats()
		if after.Exchanges != st.Exchanges || after.FramesSent != st.FramesSent+4 || after.BytesReceived-st.BytesReceived < uint64(text.Len()) {
			t.Errorf("an upload of %d bytes counts from %+v to %+v", text.Len(), st, after)
		}
	})
}

// Callers share one session: each gets the answer to its own question, in frames that never mix.
func TestCallersShareASession(t *testing.T) {
	session(t, focassim.Options{Manual: true}, func(t *testing.T, _ *focassim.Sim, c *focasclient.Client) {
		var wg sync.WaitGroup
		for n := range int32(16) {
			wg.Go(func() {
				for i := range int32(20) {
					no := 100 + 40*n + i
					if err := c.Path(1).WriteMacro(t.Context(), no, focas.Decimal(no*1000+i, 3)); err != nil {
						t.Error(err)
					}
					if v, err := c.Path(1).Macro(t.Context(), no); err != nil || v != focas.Decimal(no*1000+i, 3) {
						t.Errorf("#%d is %v, %v", no, v, err)
					}
				}
			})
		}
		wg.Wait()
		if st := c.Stats(); st.Exchanges != 1+16*20*2 {
			t.Errorf("%d exchanges", st.Exchanges)
		}
	})
}

// A context that has ended before anything was sent costs the caller its answer and nobody else the session; one that ends
// while the control thinks costs the session.
func TestCancelBeforeAndDuring(t *testing.T) {
	session(t, focassim.Options{Manual: true}, func(t *testing.T, s *focassim.Sim, c *focasclient.Client) {
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		before := c.Stats()
		for what, call := range map[string]func() error{
			"read":    func() error { _, err := c.Path(1).StatInfo(ended); return err },
			"split":   func() error { _, err := c.Path(1).Macros(ended, 500, 899); return err },
			"write":   func() error { return c.Path(1).WriteMacro(ended, 500, focas.Decimal(1, 0)) },
			"listing": func() error { _, err := c.Path(1).Programs(ended, ""); return err },
			"upload":  func() error { _, err := c.Path(1).Upload(ended, focasclient.Transfer{}, io.Discard); return err },
			"download": func() error {
				_, err := c.Path(1).Download(ended, focasclient.Transfer{}, strings.NewReader("%"))
				return err
			},
		} {
			if err := call(); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if c.Stats() != before || c.Err() != nil {
			t.Errorf("something was sent, or the session ended: %v", c.Err())
		}
		s.SetFaults(focassim.Faults{Silent: true})
		ctx, cancel := context.WithTimeoutCause(t.Context(), 700*time.Millisecond, fmt.Errorf("enough"))
		defer cancel()
		began := time.Now()
		if _, err := c.Path(1).StatInfo(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 700*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		<-c.Done()
		s.SetFaults(focassim.Faults{})
		if _, err := c.Path(1).StatInfo(t.Context()); err == nil || c.Err() == nil {
			t.Error("a session that lost its answer works on")
		}
	})
}
