package focassim

import (
	"strings"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

func (a *asked) programNum() ([]byte, focas.Code) {
	return focas.ProgramNum{Running: int32(a.path.prog.number), Main: int32(a.path.main.prog.number)}.Append(nil), 0
}

func (a *asked) sequenceNum() ([]byte, focas.Code) {
	return focas.Counter{N: a.path.sequence()}.Append(nil), 0
}

func (a *asked) blockCount() ([]byte, focas.Code) {
	return focas.Counter{N: a.path.blocks}.Append(nil), 0
}

func (a *asked) execName() ([]byte, focas.Code) {
	return focas.ExecProgram{Number: int32(a.path.prog.number), Name: focas.MakeProgramName(a.path.running())}.Append(nil), 0
}

func (a *asked) execPath() ([]byte, focas.Code) {
	return focas.MakePathText(a.path.store.dir + a.path.running()).Append(nil), 0
}

// execText is the text from the executing block on.
func (a *asked) execText() ([]byte, focas.Code) {
	n := int(a.arg(1))
	if n < 1 {
		return nil, focas.EWLength
	}
	n = min(n, a.room(1)-4)
	var text strings.Builder
	at := 0
	if a.path.cur.block != nil {
		at = a.path.cur.index
	}
	for i := min(at, len(a.path.prog.blocks)); i < len(a.path.prog.blocks) && text.Len() < n; i++ {
		text.WriteString(a.path.prog.blocks[i].text)
		text.WriteByte('\n')
	}
	s := text.String()
	return focas.ExecText{Block: a.path.blocks, Text: []byte(s[:min(n, len(s))])}.Append(nil), 0
}

func (a *asked) mdiPointer() ([]byte, focas.Code) { return focas.MDIPointer{}.Append(nil), 0 }

func (a *asked) actPoint() ([]byte, focas.Code) {
	return focas.ActPoint{Program: int32(a.path.prog.number), Block: int32(a.path.cur.index)}.Append(nil), 0
}

func (a *asked) programInfo() ([]byte, focas.Code) {
	s := a.path.store
	return focas.ProgramInfo{Registered: int32(len(s.files)), Free: int32(maxPrograms - len(s.files)),
		UsedMemory: int32(s.used()), FreeMemory: int32(storeBytes - s.used())}.Append(nil), 0
}

// programDir lists the programs with a number from top on. Numbers alone (0) and numbers with comments (1) have layouts
// that are not known, so they are refused.
func (a *asked) programDir() ([]byte, focas.Code) {
	top, count, kind := a.arg(1), a.arg(2), a.arg(3)
	if kind != focas.DirSizes && kind != focas.DirDates {
		return nil, focas.EWAttrib
	}
	if count < 1 {
		return nil, focas.EWLength
	}
	count = min(count, int32(a.room(focas.ProgramEntrySize)))
	l := focas.List[focas.ProgramEntry]{}
	for _, f := range a.path.store.sorted() {
		if n := int32(f.prog.number); n != 0 && n >= top && int32(len(l.Items)) < count {
			d := date(f.changed)
			d.Second = 0
			l.Items = append(l.Items, focas.MakeProgramEntry(kind, n, int32(len(f.text)), f.prog.comment, d))
		}
	}
	return l.Append(nil), 0
}

// edit reports whether programs may be changed now.
func (a *asked) edit() focas.Code {
	switch {
	case a.m.protect:
		return focas.EWProt
	case a.m.mode != ModeEdit:
		return focas.EWMode
	}
	return 0
}

// choose makes f the main program.
func (a *asked) choose(f *stored) focas.Code {
	switch {
	case f == nil:
		return focas.EWData
	case a.path.run == runStart || a.path.run == runHold:
		return focas.EWReject
	}
	a.path.main = f
	a.path.reset(false)
	return 0
}

func (a *asked) search() ([]byte, focas.Code) {
	return nil, a.choose(a.path.store.byNumber(int(a.arg(1))))
}

func (a *asked) rewindProgram() ([]byte, focas.Code) {
	if a.path.run == runStart || a.path.run == runHold {
		return nil, focas.EWReject
	}
	a.path.reset(false)
	return nil, 0
}

func (a *asked) remove(f *stored) focas.Code {
	code := a.edit()
	switch {
	case f == nil:
		return focas.EWData
	case code != 0:
		return code
	case f == a.path.main || f.prog == a.path.prog:
		return focas.EWReject
	}
	for _, c := range a.path.stack {
		if c.prog == f.prog {
			return focas.EWReject
		}
	}
	delete(a.path.store.files, f.name)
	return 0
}

func (a *asked) deleteProgram() ([]byte, focas.Code) {
	return nil, a.remove(a.path.store.byNumber(int(a.arg(1))))
}

// folders is the tree of folders: it is fixed, with one folder per path.
var folders = []string{"//CNC_MEM/", "//CNC_MEM/SYSTEM/", "//CNC_MEM/MTB1/", "//CNC_MEM/USER/", "//CNC_MEM/USER/LIBRARY/"}

// tree are all folders of this control.
func (a *asked) tree() []string {
	all := folders[:len(folders):len(folders)]
	for _, p := range a.m.paths {
		all = append(all, p.store.dir)
	}
	return all
}

// folder is the folder that the request names; ok is false when there is none.
func (a *asked) folder() (name string, ok bool) {
	want := a.text()
	if !strings.HasSuffix(want, "/") {
		want += "/"
	}
	for _, d := range a.tree() {
		if strings.EqualFold(d, want) {
			return d, true
		}
	}
	return "", false
}

// below are the names of the folders in dir.
func (a *asked) below(dir string) []string {
	var names []string
	for _, d := range a.tree() {
		if rest, ok := strings.CutPrefix(d, dir); ok && strings.Count(rest, "/") == 1 {
			names = append(names, strings.TrimSuffix(rest, "/"))
		}
	}
	return names
}

// files are the programs in dir.
func (a *asked) files(dir string) []*stored {
	for _, p := range a.m.paths {
		if p.store.dir == dir {
			return p.store.sorted()
		}
	}
	return nil
}

// file is the program that a full path names, and the path that holds it.
func (a *asked) file(name string) (*pathState, *stored) {
	for _, p := range a.m.paths {
		if strings.HasPrefix(strings.ToUpper(name), p.store.dir) {
			return p, p.store.lookup(name)
		}
	}
	return nil, nil
}

// Details of a refused call about folders and files. (guess, but for 2 which FANUC's manual has for a wrong name)
const noSuchFile int16 = 2

func (a *asked) drives() ([]byte, focas.Code) {
	l := focas.List[focas.DriveName]{Items: make([]focas.DriveName, 1)}
	copy(l.Items[0][:], "CNC_MEM")
	return l.Append(nil), 0
}

func (a *asked) currentDir() ([]byte, focas.Code) {
	if k := a.arg(1); k != focas.Foreground && k != focas.Background {
		return nil, focas.EWNumber
	}
	dir, ok := a.s.dirs[a.conn]
	if !ok {
		dir = a.path.store.dir
	}
	return focas.MakePathText(dir).Append(nil), 0
}

// setCurrentDir sets the folder of this connection.
func (a *asked) setCurrentDir() ([]byte, focas.Code) {
	if k := a.arg(1); k != focas.Foreground && k != focas.Background {
		return nil, focas.EWNumber
	}
	dir, ok := a.folder()
	if !ok {
		return nil, focas.EWData
	}
	a.s.dirs[a.conn] = dir
	return nil, 0
}

func (a *asked) subDirs() ([]byte, focas.Code) {
	dir, ok := a.folder()
	if !ok {
		return nil, focas.EWData
	}
	first, count := int(a.arg(1)), int(a.arg(2))
	if first < 0 || count < 1 {
		return nil, focas.EWNumber
	}
	l := focas.List[focas.SubDir]{}
	for i, name := range a.below(dir) {
		if i < first || len(l.Items) >= min(count, a.room(focas.SubDirSize)) {
			continue
		}
		d := focas.SubDir{Name: focas.MakeProgramName(name)}
		if len(a.below(dir+name+"/")) > 0 {
			d.HasSubDirs = 1
		}
		l.Items = append(l.Items, d)
	}
	return l.Append(nil), 0
}

func (a *asked) allDir() ([]byte, focas.Code) {
	dir, ok := a.folder()
	if !ok {
		return nil, focas.EWData
	}
	first, count := int(a.arg(1)), int(a.arg(2))
	if first < 0 || count < 1 {
		return nil, focas.EWNumber
	}
	var all []focas.DirEntry
	for _, name := range a.below(dir) {
		all = append(all, focas.DirEntry{Kind: focas.EntryDir, Date: date(a.m.powerOn), Name: focas.MakeProgramName(name)})
	}
	for _, f := range a.files(dir) {
		e := focas.DirEntry{Kind: focas.EntryFile, Date: date(f.changed), Size: uint32(len(f.text)), Name: focas.MakeProgramName(f.name)}
		copy(e.Comment[:len(e.Comment)-1], f.prog.comment)
		all = append(all, e)
	}
	first = min(first, len(all))
	all = all[first:min(first+min(count, a.room(focas.DirEntrySize)), len(all))]
	return focas.List[focas.DirEntry]{Items: all}.Append(nil), 0
}

func (a *asked) dirCount() ([]byte, focas.Code) {
	dir, ok := a.folder()
	if !ok {
		return nil, focas.EWData
	}
	return focas.DirCount{Dirs: uint32(len(a.below(dir))), Files: uint32(len(a.files(dir)))}.Append(nil), 0
}

// addFile makes an empty program. Folders cannot be made: the option is missing.
func (a *asked) addFile() ([]byte, focas.Code) {
	name := a.text()
	if strings.HasSuffix(name, "/") {
		return nil, focas.EWNoOpt
	}
	p, f := a.file(name)
	if p == nil || f != nil {
		return nil, focas.EWData
	}
	if code := a.edit(); code != 0 {
		return nil, code
	}
	base := name[strings.LastIndexByte(name, '/')+1:]
	head := "<" + base + ">"
	if strings.HasPrefix(base, "O") && strings.Trim(base[1:], "0123456789") == "" && len(base) > 1 {
		head = base
	}
	if _, err := p.store.add(head+"\n", a.m.now()); err != nil {
		return nil, focas.EWData
	}
	return nil, 0
}

func (a *asked) deleteFile() ([]byte, focas.Code) {
	p, f := a.file(a.text())
	if p == nil {
		return nil, focas.EWData
	}
	b := *a
	b.path = p
	return nil, b.remove(f)
}

func (a *asked) mainProgram() ([]byte, focas.Code) {
	return focas.MakePathText(a.path.store.dir + a.path.main.name).Append(nil), 0
}

func (a *asked) selectMain() ([]byte, focas.Code) {
	p, f := a.file(a.text())
	if p != a.path {
		return nil, focas.EWData
	}
	return nil, a.choose(f)
}
