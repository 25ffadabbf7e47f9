package focassim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// Everything that is not understood says the line and why.
func TestSyntaxErrorsSayWhere(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"", "line 1: no O number"},
		{"\n\n%\n%\n", "line 1: no O number"},
		{"G0 X1.\n", "line 1: no O number before the first block"},
		{"%\n(COMMENT)\n", "line 2: no O number before the first block"},
		{"O0\n", "line 1: program number 0 is not in 1 to 99999999"},
		{"O100000000\n", "line 1: program number 100000000 is not in 1 to 99999999"},
		{"O1\nX\n", "line 2: X has no number that makes sense"},
		{"O1\nG0\nX1.2.3\n", "line 3: X has no number that makes sense"},
		{"O1\nX-\n", "line 2: X has no number that makes sense"},
		{"O1\nX.\n", "line 2: X has no number that makes sense"},
		{"O1\nX1234567890123\n", "line 2: X has no number that makes sense"},
		{"O1\n#100=1\n", `line 2: "#" is no address`},
		{"O1\nX1. ?\n", `line 2: "?" is no address`},
		{"O1\nX1.\xc4\n", "line 2: \"Ä\" is no address"},
		{"O1\n(OPEN\n", "line 2: comment is not closed"},
		{"O1\nG77\n", "line 2: G77 is not a code of this control"},
		{"O1\nG33\n", "line 2: G33 is not a code of this control"},
		{"O1\nG41.1\n", "line 2: G41.1 is not a code of this control"},
		{"O1\nG-0.1\n", "line 2: G-0.1 is not a code of this control"},
		{"O1\nM-3\n", "line 2: M must not be negative"},
		{"O1\nF-100.\n", "line 2: F must not be negative"},
		{"O1\nN-1\n", "line 2: N must not be negative"},
		{"O1\n" + strings.Repeat("X", 257) + "\n", "line 2: block of 257 characters, at most 256"},
		{"O1\n" + strings.Repeat("X1", 25) + "\n", "line 2: more than 24 words"},
		{"<NAME\n", "line 1: < without >"},
		{"<>\n", "line 1: program name is not closed, empty, or longer than 32 characters"},
		{"<" + strings.Repeat("N", 33) + ">\n", "line 1: program name is not closed, empty, or longer than 32 characters"},
		{"O1\n" + strings.Repeat("G0\n", maxProgram), fmt.Sprintf("line %d: more than %d blocks", maxProgram+1, maxProgram)},
	} {
		_, err := parseProgram(row.text)
		if !errors.Is(err, ErrSyntax) || err.Error() != ErrSyntax.Error()+": "+row.want {
			t.Errorf("%.40q: %v, want %s", row.text, err, row.want)
		}
	}
}

// What programs may look like, word by word.
func TestWordsOfABlock(t *testing.T) {
	for _, row := range []struct {
		line  string
		words string // letter and value
		n     int
		skip  bool
	}{
		{"N10 G0 X1.5", "N10 G0 X1.5", 10, false},
		{"g1x-.5y+2.z3", "G1 X-0.5 Y2 Z3", 0, false},
		{"/N5M8;", "N5 M8", 5, true},
		{"X 1. Y  -2.", "X1 Y-2", 0, false},
		{"(ONLY A COMMENT)", "", 0, false},
		{"X1.(IN)Y2.(BETWEEN)", "X1 Y2", 0, false},
		{"G40.1 G54", "G40.1 G54", 0, false},
		{"M03S01000", "M3 S1000", 0, false},
		{"N99999", "N99999", 99999, false},
		{"X000000000001", "X1", 0, false},
		{"\tX1.\t;", "X1", 0, false},
		{"<NAME>X1.", "X1", 0, false},
	} {
		b, _, err := parseBlock(row.line, 1)
		var words []string
		for _, w := range b.words {
			words = append(words, fmt.Sprintf("%c%v", w.letter, w.value))
		}
		if got := strings.Join(words, " "); err != nil || got != row.words || b.n != row.n || b.skip != row.skip {
			t.Errorf("%q: %q N%d skip %v, %v; want %q N%d", row.line, got, b.n, b.skip, err, row.words, row.n)
		}
	}
	for _, row := range []struct {
		text string
		want float64
	}{{"X1.", 1}, {"X1", 0.001}, {"X1000", 1}, {"X-.5", -0.5}, {"X-500", -0.5}, {"X0", 0}} {
		b, _, err := parseBlock(row.text, 1)
		if err != nil || b.words[0].length() != row.want {
			t.Errorf("%s is %v mm, want %v; %v", row.text, b.words[0].length(), row.want, err)
		}
	}
	p, err := parseProgram("rubbish before is no block\n")
	if err == nil {
		t.Errorf("%+v", p)
	}
	if p, err = parseProgram("%\r\nO7 (FIRST)\r\n\r\n  G0 X1. \r\n%\r\nO8\n"); err != nil || p.number != 7 || p.comment != "(FIRST)" || len(p.blocks) != 2 || p.blocks[1].text != "G0 X1." {
		t.Errorf("with carriage returns: %+v, %v", p, err)
	}
	name := strings.Repeat("N", 32)
	if p, err = parseProgram("<" + name + ">\n"); err != nil || p.name != name || p.number != 0 {
		t.Errorf("the longest name: %+v, %v", p, err)
	}
}

// No code is in two groups, and what is known is one-shot or in a group.
func TestCodeGroups(t *testing.T) {
	seen := map[int]int{}
	for g := range gGroups {
		for i, c := range gGroups[g].codes {
			if other, ok := seen[c]; ok {
				t.Errorf("%d is in groups %d and %d", c, other, g)
			}
			seen[c] = g
			if gg, ii, ok := groupOf(c); !ok || gg != g || ii != i {
				t.Errorf("%d is found in group %d at %d", c, gg, ii)
			}
		}
		if c := gGroups[g].codes[gGroups[g].initial]; unsupportedG(c) {
			t.Errorf("group %d begins with %d, which the machine cannot run", g, c)
		}
	}
	for _, c := range oneShot {
		if _, ok := seen[c]; ok || !knownG(c) {
			t.Errorf("one-shot %d is modal, or unknown", c)
		}
	}
	for c := range 2000 {
		if knownG(c) && unsupportedG(c) {
			t.Errorf("%d is known and cannot run", c)
		}
	}
}

func TestLookup(t *testing.T) {
	s, _ := newSim(t, Options{Manual: true})
	if err := s.AddProgram(1, "<BRACKET>\nM30\n"); err != nil {
		t.Fatal(err)
	}
	st := s.m.paths[0].store
	for _, row := range []struct{ spec, want string }{
		{"O1000", "O1000"}, {"1000", "O1000"}, {"O1000-O1000", "O1000"}, {"1000-1000", "O1000"}, {"N:O1000", "O1000"},
		{"//CNC_MEM/USER/PATH1/O1000", "O1000"}, {"N://CNC_MEM/USER/PATH1/O1000", "O1000"}, {"//cnc_mem/user/path1/O1000", "O1000"},
		{"BRACKET", "BRACKET"}, {"//CNC_MEM/USER/PATH1/BRACKET", "BRACKET"}, {"O01000", "O1000"},
		{"", ""}, {"O", ""}, {"0", ""}, {"-1", ""}, {"O4711", ""}, {"O1000-O1001", ""}, {"//CNC_MEM/USER/PATH2/O1000", ""},
		{"//CNC_MEM/USER/PATH1/", ""}, {"/O1000", ""}, {"bracket", ""}, {"99999999999999999999", ""},
	} {
		f := st.lookup(row.spec)
		got := ""
		if f != nil {
			got = f.name
		}
		if got != row.want {
			t.Errorf("%q is %q, want %q", row.spec, got, row.want)
		}
	}
}

func TestAddProgram(t *testing.T) {
	s, _ := newSim(t, Options{Manual: true})
	for _, row := range []struct {
		name, text string
		path       int
		code       focas.Code
		detail     int16
	}{
		{"path 0", "O1\n", 0, focas.EWPath, 0}, {"path 2", "O1\n", 2, focas.EWPath, 0},
		{"not understood", "O1\n?\n", 1, focas.EWData, syntaxDetail},
		{"exists", "O1000\n", 1, focas.EWData, existsDetail},
		{"exists by number", "%\nO01000\n%", 1, focas.EWData, existsDetail},
	} {
		err := s.AddProgram(row.path, row.text)
		var e *focas.Error
		if !errors.As(err, &e) || e.Code != row.code || e.Detail[0] != row.detail {
			t.Errorf("%s: %v, want %v with detail %d", row.name, err, row.code, row.detail)
		}
	}
	if err := s.AddProgram(1, "%\r\nO2(X)\nM30\n%\nthe reader has stopped"); err != nil {
		t.Fatal(err)
	}
	if f := s.m.paths[0].store.files["O0002"]; f == nil || f.text != "O2(X)\nM30\n" {
		t.Errorf("stored as %+v", f)
	}
	for i := 0; ; i++ {
		if err := s.AddProgram(1, fmt.Sprintf("O%d\n", 20000+i)); err != nil {
			wantCode(t, "a full directory", err, focas.EWOvrFlow)
			if n := len(s.m.paths[0].store.files); n != maxPrograms {
				t.Errorf("full with %d programs", n)
			}
			break
		}
	}
}

func TestDirectories(t *testing.T) {
	s, clock := newSim(t, Options{Profile: "31i", Manual: true})
	clock.add(26 * time.Hour)
	if err := s.AddProgram(2, "<ZZ>(NAMED)\nM30\n"); err != nil {
		t.Fatal(err)
	}
	subs := func(dir string, first, count int32) string {
		var names []string
		for _, d := range read(t, s, focas.SubDirsRequest(1, dir, first, count), focas.ParseSubDirs).Items {
			names = append(names, fmt.Sprintf("%s:%d", d.Name, d.HasSubDirs))
		}
		return strings.Join(names, " ")
	}
	for _, row := range []struct {
		dir          string
		first, count int32
		want         string
	}{
		{"//CNC_MEM/", 0, 10, "SYSTEM:0 MTB1:0 USER:1"}, {"//CNC_MEM", 0, 10, "SYSTEM:0 MTB1:0 USER:1"},
		{"//cnc_mem/user/", 0, 10, "LIBRARY:0 PATH1:0 PATH2:0"}, {"//CNC_MEM/", 1, 1, "MTB1:0"},
		{"//CNC_MEM/", 3, 1, ""}, {"//CNC_MEM/USER/PATH1/", 0, 10, ""}, {"//CNC_MEM/", 0, 1 << 30, "SYSTEM:0 MTB1:0 USER:1"},
	} {
		if got := subs(row.dir, row.first, row.count); got != row.want {
			t.Errorf("%s from %d, %d: %q, want %q", row.dir, row.first, row.count, got, row.want)
		}
	}
	list := func(dir string, first, count int32) []focas.DirEntry {
		return read(t, s, focas.AllDirRequest(1, dir, first, count, 1, 1), focas.ParseAllDir).Items
	}
	const path2 = "//CNC_MEM/USER/PATH2/"
	all := list(path2, 0, 100)
	var text []string
	for _, e := range all {
		text = append(text, fmt.Sprintf("%s %s %d", e.Name, e.CommentText(), e.Size))
	}
	want := []string{fmt.Sprintf("ZZ (NAMED) %d", len("<ZZ>(NAMED)\nM30\n"))}
	for _, n := range []string{"O1001 (HOLE)", "O4000 (CROSS HOLES)", "O8000 (WARM UP)"} {
		want = append(want, fmt.Sprintf("%s %d", n, len(sample[n[:5]])))
	}
	if diff := cmp.Diff(want, text); diff != "" {
		t.Error(diff)
	}
	if d := all[0].Date; d.Day != 15 || d.Hour != 14 || d.Minute != 34 || all[1].Date.Day != 14 {
		t.Errorf("dates %+v and %+v", d, all[1].Date)
	}
	for first := range int32(6) {
		part := list(path2, first, 2)
		if want := all[min(int(first), 4):min(int(first)+2, 4)]; cmp.Diff(want, part, cmp.Transformer("empty", func(l []focas.DirEntry) string { return fmt.Sprint(l) })) != "" {
			t.Errorf("from %d: %d entries, want %d", first, len(part), len(want))
		}
	}
	for dir, want := range map[string]focas.DirCount{"//CNC_MEM/": {Dirs: 3}, "//CNC_MEM/USER/": {Dirs: 3}, path2: {Files: 4}, "//CNC_MEM/MTB1/": {}} {
		if got := read(t, s, focas.DirCountRequest(1, dir), focas.ParseDirCount); got.Dirs != want.Dirs || got.Files != want.Files {
			t.Errorf("%s: %+v, want %+v", dir, got, want)
		}
	}
	if d := read(t, s, focas.DriveRequest(1), focas.ParseDrives); len(d.Items) != 1 || d.Items[0].String() != "CNC_MEM" {
		t.Errorf("drives %v", d)
	}
	// The list by number leaves the named one out; with dates the comment is shorter.
	for _, kind := range []int32{focas.DirSizes, focas.DirDates} {
		l := read(t, s, focas.ProgramDirRequest(2, 1002, 2, kind), focas.ParseProgramDir).Items
		if len(l) != 2 || l[0].Number != 4000 || l[0].Comment(kind) != "(CROSS HOLES)" || int(l[1].Size) != len(sample["O8000"]) {
			t.Errorf("kind %d: %+v", kind, l)
		}
		if l := read(t, s, focas.ProgramDirRequest(2, 0, 100, kind), focas.ParseProgramDir).Items; len(l) != 3 {
			t.Errorf("kind %d: %d programs", kind, len(l))
		}
	}
}

// Each connection has its own current folder.
func TestCurrentFolderByConnection(t *testing.T) {
	s, _ := newSim(t, Options{Manual: true})
	addr := serve(t, s)
	a, b := connect(t, addr), connect(t, addr)
	if err := a.Path(1).SetCurrentDir(t.Context(), focas.Background, "//CNC_MEM/MTB1"); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		got  func() (string, error)
		want string
	}{
		{func() (string, error) { return a.Path(1).CurrentDir(t.Context(), focas.Foreground) }, "//CNC_MEM/MTB1/"},
		{func() (string, error) { return b.Path(1).CurrentDir(t.Context(), focas.Background) }, "//CNC_MEM/USER/PATH1/"},
	} {
		if got, err := row.got(); err != nil || got != row.want {
			t.Errorf("%q, %v; want %q", got, err, row.want)
		}
	}
}

// Files are added and deleted by name or by number, and what runs is kept.
func TestFilesComeAndGo(t *testing.T) {
	s, _ := newSim(t, Options{Manual: true, Profile: "31i"})
	s.Do(Event{Kind: SetMode, Value: int(ModeEdit)})
	const dir = "//CNC_MEM/USER/PATH2/"
	do := func(q focas.Request) {
		t.Helper()
		if r := ask(s, q); r.Code != 0 {
			t.Fatalf("%v %q: %v", q.Func, q.Data, r.Code)
		}
	}
	files := s.m.paths[1].store.files
	do(focas.AddFileRequest(1, dir+"O77"))
	do(focas.AddFileRequest(1, dir+"NAMED"))
	do(focas.AddFileRequest(1, dir+"O7X"))
	if files["O0077"].prog.number != 77 || files["NAMED"].prog.name != "NAMED" || files["O7X"].prog.name != "O7X" {
		t.Errorf("files are %v", files)
	}
	do(focas.DeleteFileRequest(1, dir+"NAMED"))
	do(focas.DeleteRequest(2, 77))
	if files["NAMED"] != nil || files["O0077"] != nil {
		t.Errorf("still there: %v", files)
	}
	checkRefusals(t, s, []refusal{
		{"the main program", focas.DeleteFileRequest(1, dir+"O4000"), focas.EWReject},
		{"gone already", focas.DeleteRequest(2, 77), focas.EWData},
		{"a name that is too long", focas.AddFileRequest(1, dir+strings.Repeat("N", 33)), focas.EWData},
	})
	do(focas.SelectMainRequest(2, dir+"O8000"))
	if m := read(t, s, focas.MainProgramRequest(2), focas.ParsePathText); m.String() != dir+"O8000" {
		t.Errorf("main program %s", m)
	}
	s.Advance(time.Second)
	do(focas.DeleteFileRequest(1, dir+"O4000"))
	do(focas.RewindRequest(2))
	// A subprogram that is being executed cannot be deleted, nor the program that called it.
	busy, _ := newSim(t, Options{Manual: true})
	if err := busy.AddProgram(1, "O6001\nG4 X60.\nM99\n"); err != nil {
		t.Fatal(err)
	}
	p := runProgram(t, busy, "O5000\nM98 P6001\nM30\n")
	busy.Advance(time.Second)
	p.main = p.store.byNumber(1000)
	busy.Do(Event{Kind: SetMode, Value: int(ModeEdit)})
	checkRefusals(t, busy, []refusal{
		{"the subprogram", focas.DeleteRequest(1, 6001), focas.EWReject},
		{"the caller", focas.DeleteRequest(1, 5000), focas.EWReject},
	})
}

// What a transfer names decides before the first byte goes.
func TestTransferStarts(t *testing.T) {
	for _, row := range []struct {
		name  string
		kind  focas.TransferKind
		path  uint16
		spec  string
		up    focas.Code // of the upload, 0 when it begins
		text  string     // how it begins
		down  focas.Code
		guard bool
	}{
		{name: "by number", path: 1, spec: "O3000-O3000", text: "\nO3000(SHAFT)\n"},
		{name: "by path", path: 1, spec: "N://CNC_MEM/USER/PATH1/O3000", text: "\nO3000(SHAFT)\n"},
		{name: "another path's folder", path: 1, spec: "N://CNC_MEM/USER/PATH2/O4000", text: "\nO4000(CROSS HOLES)\n"},
		{name: "a program that is not there", path: 1, spec: "O4711-O4711"},
		{name: "a folder that is not there", path: 1, spec: "N://CNC_MEM/NO/O3000", up: focas.EWData, down: focas.EWData},
		{name: "path 0", path: 0, spec: "O3000-O3000", up: focas.EWPath, down: focas.EWPath},
		{name: "path 3", path: 3, spec: "O3000-O3000", up: focas.EWPath, down: focas.EWPath},
		{name: "macros", kind: focas.TransferMacro, path: 1, up: focas.EWNoOpt, down: focas.EWNoOpt},
		{name: "an unknown kind", kind: 99, path: 1, up: focas.EWNoOpt, down: focas.EWNoOpt},
		{name: "under protection", path: 1, spec: "O3000-O3000", text: "\nO3000", down: focas.EWProt, guard: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, _ := newSim(t, Options{Profile: "31i", Manual: true, Protect: row.guard})
			start, err := focas.MakeTransferStart(row.kind, row.path, row.spec)
			if err != nil {
				t.Fatal(err)
			}
			r, err := (*handler)(s).Upload(t.Context(), nil, start)
			if row.up != 0 {
				wantCode(t, "upload", err, row.up)
			} else if b, e := io.ReadAll(r); err != nil || e != nil || !strings.HasPrefix(string(b), row.text) || row.text == "" != (len(b) == 0) {
				t.Errorf("upload: %q, %v, %v", b, err, e)
			}
			d, err := (*handler)(s).Download(t.Context(), nil, start)
			if row.down != 0 {
				wantCode(t, "download", err, row.down)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			d.Abort()
		})
	}
}

// A mistake is reported with the piece that completes its line; an aborted program leaves nothing behind.
func TestPiecesOfADownload(t *testing.T) {
	s, _ := newSim(t, Options{Manual: true})
	start, _ := focas.MakeTransferStart(focas.TransferProgram, 1, "")
	for _, row := range []struct {
		name   string
		pieces []string
		write  int // the piece that is refused, -1 when none is
		commit focas.Code
	}{
		{"whole", []string{"%\nO61\nG0 X1.\n%"}, -1, 0},
		{"in bytes", strings.Split("%\nO62\nG0 X1.\nM30\n%", ""), -1, 0},
		{"a bad word in two pieces", []string{"%\nO63\nG0 ", "X1..\n"}, 1, 0},
		{"a bad word in a line that never ends", []string{"%\nO64\nG0 ", "X1.."}, -1, focas.EWData},
		{"a line that is too long", []string{"%\nO65\n", "(" + strings.Repeat("C", 255) + ")\n"}, 1, 0},
		{"no number", []string{"%\nG0 X1.\n%"}, -1, focas.EWData},
		{"exists", []string{"%\nO1000\n%"}, -1, focas.EWData},
		{"empty", nil, -1, focas.EWData},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := snapshot(s)
			d, err := (*handler)(s).Download(t.Context(), nil, start)
			if err != nil {
				t.Fatal(err)
			}
			for i, piece := range row.pieces {
				if _, err := d.Write([]byte(piece)); (err != nil) != (i == row.write) {
					t.Fatalf("piece %d: %v", i, err)
				} else if err != nil {
					wantCode(t, "piece", err, focas.EWData)
					d.Abort()
					if snapshot(s) != before {
						t.Error("an aborted program left something behind")
					}
					return
				}
			}
			if err := d.Commit(context.Background()); row.commit == 0 && err != nil {
				t.Error(err)
			} else if row.commit != 0 {
				wantCode(t, "commit", err, row.commit)
			}
		})
	}
}
