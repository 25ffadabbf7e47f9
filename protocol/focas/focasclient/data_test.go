package focasclient

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// answers is a peer that answers each block with the payload that f gives.
func answers(f func(q focas.Request) []byte) *peer {
	return &peer{answer: func(qs []focas.Request) (out []focas.Reply) {
		for _, q := range qs {
			out = append(out, echo(q, f(q)))
		}
		return out
	}}
}

func TestMacrosAreSplit(t *testing.T) {
	var asked [][2]int32
	c := dial(t, answers(func(q focas.Request) (b []byte) {
		asked = append(asked, [2]int32{q.Args[0], q.Args[1]})
		for n := q.Args[0]; n <= q.Args[1]; n++ {
			b = focas.Decimal(n, 0).Append(b)
		}
		return b
	}))
	vs, err := c.Path(1).Macros(t.Context(), 100, 499)
	if err != nil || len(vs) != 400 {
		t.Fatalf("%d values, %v", len(vs), err)
	}
	for i, v := range vs {
		if v.Mantissa != int32(100+i) {
			t.Fatalf("value %d is %v", i, v)
		}
	}
	if d := cmp.Diff([][2]int32{{100, 278}, {279, 457}, {458, 499}}, asked); d != "" {
		t.Error(d)
	}
	for _, r := range [][2]int32{{1, 0}, {-1, 5}, {1, 401}, {1<<31 - 5, 1<<31 - 1}, {-1 << 31, 1<<31 - 1}} {
		if vs, err := c.Path(1).Macros(t.Context(), r[0], r[1]); err == nil {
			t.Errorf("%v: no error, %d values", r, len(vs))
		}
	}
}

func TestWriteMacrosIsSplit(t *testing.T) {
	var sizes []int
	c := dial(t, answers(func(q focas.Request) []byte {
		if l, err := focas.ParseValues(q.Data); err != nil || int32(len(l.Items)) != q.Args[1]-q.Args[0]+1 || l.Items[0].Mantissa != q.Args[0] {
			t.Errorf("write of %d to %d has %d values", q.Args[0], q.Args[1], len(l.Items))
		}
		sizes = append(sizes, q.Size())
		return nil
	}))
	var vs []focas.Value
	for n := range int32(400) {
		vs = append(vs, focas.Decimal(500+n, 0))
	}
	if err := c.Path(1).WriteMacros(t.Context(), 500, vs...); err != nil {
		t.Fatal(err)
	}
	if want := []int{28 + 177*8, 28 + 177*8, 28 + 46*8}; !slices.Equal(sizes, want) {
		t.Errorf("blocks of %v bytes, want %v", sizes, want)
	}
	for _, vs := range [][]focas.Value{nil, make([]focas.Value, 401)} {
		if err := c.Path(1).WriteMacros(t.Context(), 500, vs...); err == nil {
			t.Errorf("%d values: no error", len(vs))
		}
	}
}

// An answer with another number of items than asked for is an error, never a panic.
func TestAnswersOfTheWrongSize(t *testing.T) {
	for _, size := range []int{0, 7, 24, 1000} {
		c := dial(t, answers(func(focas.Request) []byte { return make([]byte, size) }))
		p, ctx := c.Path(1), t.Context()
		for name, call := range map[string]func() error{
			"Macro":        func() error { _, err := p.Macro(ctx, 1); return err },
			"Macros":       func() error { _, err := p.Macros(ctx, 1, 2); return err },
			"MacroDoubles": func() error { _, err := p.MacroDoubles(ctx, 1, 2); return err },
			"NamedMacros":  func() error { _, err := p.NamedMacros(ctx, 1, 2); return err },
			"ToolOffset":   func() error { _, err := p.ToolOffset(ctx, 1, 0); return err },
			"ToolOffsets":  func() error { _, err := p.ToolOffsets(ctx, 1, 2, 0); return err },
			"WorkOffset":   func() error { _, err := p.WorkOffset(ctx, 1, 1); return err },
			"PMC":          func() error { _, err := c.PMC(1).Read(ctx, focas.PMCRange{Area: 9, Last: 1}); return err },
		} {
			if err := call(); err == nil {
				t.Errorf("%s with %d bytes: no error", name, size)
			}
		}
	}
}

func TestPMCIsSplit(t *testing.T) {
	memory := make([]byte, 4000)
	for i := range memory {
		memory[i] = byte(i * 7)
	}
	var parts []int
	c := dial(t, answers(func(q focas.Request) []byte {
		r := focas.ParsePMCRange(q)
		parts = append(parts, r.Len())
		if q.Func == focas.FuncWritePMC {
			copy(memory[r.First:], q.Data)
			return nil
		}
		return memory[r.First : r.Last+1]
	}))
	for _, row := range []struct {
		typ         focas.PMCType
		read, write []int
	}{
		{focas.PMCByte, []int{1432, 1432, 136}, []int{1420, 1420, 160}},
		{focas.PMCFloat64, []int{1432, 1432, 136}, []int{1416, 1416, 168}},
	} {
		r := focas.PMCRange{Area: 9, Type: row.typ, First: 8, Last: 3007}
		parts = nil
		got, err := c.PMC(1).Read(t.Context(), r)
		if err != nil || !slices.Equal(got, memory[8:3008]) || !slices.Equal(parts, row.read) {
			t.Errorf("read of %v: parts %v, %v", row.typ, parts, err)
		}
		parts = nil
		data := make([]byte, 3000)
		if err := c.PMC(1).Write(t.Context(), r, data); err != nil || !slices.Equal(memory[8:3008], data) || !slices.Equal(parts, row.write) {
			t.Errorf("write of %v: parts %v, %v", row.typ, parts, err)
		}
	}
	for _, r := range []focas.PMCRange{{First: 5, Last: 4}, {First: -1, Last: 4}, {Last: 1 << 20}, {First: 1<<31 - 2, Last: 1<<31 - 1}} {
		if _, err := c.PMC(1).Read(t.Context(), r); err == nil {
			t.Errorf("%+v: no error", r)
		}
	}
	if err := c.PMC(1).Write(t.Context(), focas.PMCRange{Last: 3}, []byte{1}); err == nil {
		t.Error("a write with too few bytes was sent")
	}
}

func TestPMCItems(t *testing.T) {
	memory := make([]byte, 64)
	c := dial(t, answers(func(q focas.Request) []byte {
		r := focas.ParsePMCRange(q)
		if q.Func == focas.FuncWritePMC {
			copy(memory[r.First:], q.Data)
			return nil
		}
		return memory[r.First : r.Last+1]
	}))
	memory[10] = 0xa0
	for _, row := range []struct {
		address string
		write   float64
	}{{"R10.3", 1}, {"R10.7", 0}, {"D20:word", -5}, {"D24:long", 70000}, {"D32:float64", 2.5}, {"D40:float32", -0.5}, {"K1", 255}} {
		a, err := focas.ParsePMCAddress(row.address)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.PMC(1).WriteItem(t.Context(), a, row.write); err != nil {
			t.Errorf("%s: %v", row.address, err)
		}
		if f, err := c.PMC(1).ReadItem(t.Context(), a); err != nil || f != row.write {
			t.Errorf("%s: %v, %v, want %v", row.address, f, err, row.write)
		}
	}
	if memory[10] != 0x28 {
		t.Errorf("R10 is %#x, want 0x28: the other bits stay", memory[10])
	}
	bit, _ := focas.ParsePMCAddress("R10.3")
	if err := c.PMC(1).WriteItem(t.Context(), bit, 2); err == nil {
		t.Error("2 was written to a bit")
	}
}

func TestWriteParamChecksFirst(t *testing.T) {
	wrote := 0
	c := dial(t, answers(func(q focas.Request) []byte {
		if q.Func == focas.FuncWriteParam {
			wrote++
			return nil
		}
		typ := focas.ParamByte
		if q.Args[0] == 5 {
			typ = 7
		}
		return focas.NumberInfos2{List: focas.List[focas.NumberInfo2]{Items: []focas.NumberInfo2{{Number: q.Args[0] / 10 * 10, Size: uint16(typ)}}}}.Append(nil)
	}))
	for _, row := range []struct {
		number int32
		value  focas.Value
		code   focas.Code
	}{
		{21, focas.RawValue(1), focas.EWNumber}, // the control described another number
		{20, focas.RawValue(1000), 0},           // does not fit a byte
		{20, focas.Decimal(15, 1), 0},
	} {
		err := c.Path(1).WriteParam(t.Context(), row.number, 0, row.value)
		if err == nil || row.code != 0 && !errors.Is(err, &focas.Error{Code: row.code}) {
			t.Errorf("parameter %d = %v: %v", row.number, row.value, err)
		}
	}
	if wrote != 0 {
		t.Errorf("%d writes were sent", wrote)
	}
	if err := c.Path(1).WriteParam(t.Context(), 20, 0, focas.RawValue(100)); err != nil || wrote != 1 {
		t.Errorf("a good write: %v, %d sent", err, wrote)
	}
}

// folders answers the directory calls of a 30i from a map of folder → names; names with a slash at the end are folders.
func folders(tree map[string][]string) *peer {
	return answers(func(q focas.Request) (b []byte) {
		dir := focas.PathText(q.Data).String()
		names := tree[dir]
		switch q.Func {
		case focas.FuncReadPDFCurDir:
			return focas.MakePathText("//CNC_MEM/")
		case focas.FuncReadPDFSubDirNum:
			return focas.DirCount{Files: uint32(len(names))}.Append(nil)
		case focas.FuncReadPDFAllDir:
			for _, n := range names[min(int(q.Args[0]), len(names)):min(int(q.Args[0]+q.Args[1]), len(names))] {
				e := focas.DirEntry{Kind: focas.EntryFile, Size: 7, Name: focas.MakeProgramName(strings.TrimSuffix(n, "/"))}
				if strings.HasSuffix(n, "/") {
					e.Kind = focas.EntryDir
				}
				b = e.Append(b)
			}
		}
		return b
	})
}

func TestProgramsOf30i(t *testing.T) {
	tree := map[string][]string{"//CNC_MEM/": {"USER/", "O1", "../"}, "//CNC_MEM/USER/": {"A/"}}
	for i := range 25 {
		tree["//CNC_MEM/USER/A/"] = append(tree["//CNC_MEM/USER/A/"], fmt.Sprintf("O%d", 100+i))
	}
	c := dial(t, folders(tree))
	list, err := c.Path(1).Programs(t.Context(), "")
	if err != nil || len(list) != 26 {
		t.Fatalf("%d programs, %v", len(list), err)
	}
	if list[0].Path != "//CNC_MEM/USER/A/O100" || list[24].Path != "//CNC_MEM/USER/A/O124" || list[25].Path != "//CNC_MEM/O1" || list[25].Size != 7 {
		t.Errorf("%+v ... %+v", list[0], list[25])
	}
	if list, err := c.Path(1).Programs(t.Context(), "//CNC_MEM/USER"); err != nil || len(list) != 25 {
		t.Errorf("%d programs, %v", len(list), err)
	}
	if _, err := c.Path(1).Programs(t.Context(), strings.Repeat("x", 256)); err == nil {
		t.Error("a path that does not fit was sent")
	}
}

func TestProgramsEnd(t *testing.T) {
	loop := map[string][]string{}
	for dir := "/"; len(dir) < 100; dir += "A/" {
		loop[dir] = []string{"A/"}
	}
	c := dial(t, folders(loop))
	if _, err := c.Path(1).Programs(t.Context(), "/"); !errors.Is(err, errEndless) {
		t.Errorf("folders without end: %v", err)
	}
	silly := dial(t, answers(func(q focas.Request) []byte { return focas.DirCount{Files: 1 << 31}.Append(nil) }))
	if list, err := silly.Path(1).Programs(t.Context(), "/"); err != nil || len(list) != 0 {
		t.Errorf("a count without entries: %d programs, %v", len(list), err)
	}
}

func classicPeer(f func(q focas.Request) focas.Reply) *peer {
	return &peer{version: 2, open: &focas.OpenReply{Version: 2, MaxAxes: 8, ControlledPaths: 1, Records: []focas.PathRecord{{System: 1, Axes: 3, Spindles: 1}}},
		answer: func(qs []focas.Request) (out []focas.Reply) {
			for _, q := range qs {
				out = append(out, f(q))
			}
			return out
		}}
}

func TestProgramsOfClassic(t *testing.T) {
	var tops []int32
	list := func(total int32) *peer {
		tops = nil
		return classicPeer(func(q focas.Request) focas.Reply {
			tops = append(tops, q.Args[0])
			var b []byte
			for n := max(q.Args[0], 1); n <= total && n < max(q.Args[0], 1)+q.Args[1]; n++ {
				e := focas.MakeProgramEntry(focas.DirDates, n, 10*n, "(P)", focas.Date{Year: 2026})
				b = e.Append(b)
			}
			if b == nil {
				return focas.Reply{Class: q.Class, Path: q.Path, Func: q.Func, Code: focas.EWData}
			}
			return echo(q, b)
		})
	}
	c := dial(t, list(38))
	got, err := c.Path(1).Programs(t.Context(), "")
	if err != nil || len(got) != 38 || got[37] != (Program{"O38", 380, "(P)", focas.Date{Year: 2026}}) {
		t.Errorf("%d programs, %v", len(got), err)
	}
	if !slices.Equal(tops, []int32{0, 20, 39}) {
		t.Errorf("asked from %v", tops)
	}
	if _, err := c.Path(1).Programs(t.Context(), "//CNC_MEM/"); err == nil {
		t.Error("a classic control has no folders")
	}
	same := dial(t, classicPeer(func(q focas.Request) focas.Reply {
		return echo(q, slices.Repeat(focas.MakeProgramEntry(focas.DirDates, 5, 1, "", focas.Date{}).Append(nil), 19))
	}))
	if _, err := same.Path(1).Programs(t.Context(), ""); !errors.Is(err, errEndless) {
		t.Errorf("the same program again and again: %v", err)
	}
}

func TestClassicRecords(t *testing.T) {
	record, err := focas.ParamRecord(focas.Classic, 8, 1320, focas.EveryAxis, focas.ParamTwoWord, focas.RawValue(5), focas.RawValue(-6))
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, classicPeer(func(q focas.Request) focas.Reply {
		b := record.Append(nil)
		if q.Args[0] != q.Args[1] {
			b = record.Append(b)
		}
		return echo(q, b)
	}))
	if c.ParamRecordSize() != 40 {
		t.Errorf("%d bytes for a record, want 40", c.ParamRecordSize())
	}
	ctx := context.Background()
	for name, call := range map[string]func() ([]focas.Record, error){
		"params": func() ([]focas.Record, error) { return c.Path(1).Params(ctx, 1320, 1321, focas.EveryAxis) },
		"diags":  func() ([]focas.Record, error) { return c.Path(1).Diags(ctx, 1320, 1321, focas.EveryAxis) },
	} {
		if l, err := call(); err != nil || len(l) != 2 || l[1].Slots[1].Mantissa != -6 {
			t.Errorf("%s: %d records, %v", name, len(l), err)
		}
	}
	if r, err := c.Path(1).Setting(ctx, 1320, focas.EveryAxis); err != nil || r.Slots[0].Mantissa != 5 {
		t.Errorf("setting: %+v, %v", r, err)
	}
}
