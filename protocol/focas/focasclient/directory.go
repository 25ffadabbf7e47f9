package focasclient

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// ProgramDir lists up to count programs in rising order from O number top on (cnc_rdprogdir2, cnc_rdprogdir3). kind is
// [focas.DirSizes] or [focas.DirDates].
func (p Path) ProgramDir(ctx context.Context, top, count, kind int32) ([]focas.ProgramEntry, error) {
	l, err := call(ctx, p.c, "cnc_rdprogdir", focas.ProgramDirRequest(p.n, top, count, kind), focas.ParseProgramDir)
	return l.Items, err
}

// Drives are the drives of the control (cnc_rdpdf_drive).
func (p Path) Drives(ctx context.Context) ([]string, error) {
	l, err := call(ctx, p.c, "cnc_rdpdf_drive", focas.DriveRequest(p.n), focas.ParseDrives)
	names := make([]string, len(l.Items))
	for i, n := range l.Items {
		names[i] = n.String()
	}
	return names, err
}

// CurrentDir is the current folder, [focas.Foreground] or [focas.Background] (cnc_rdpdf_curdir).
func (p Path) CurrentDir(ctx context.Context, which int32) (string, error) {
	s, err := call(ctx, p.c, "cnc_rdpdf_curdir", focas.CurrentDirRequest(p.n, which), focas.ParsePathText)
	return s.String(), err
}

// named sends a request that carries a path, after checking that it fits.
func (p Path) named(ctx context.Context, op, name string, q focas.Request) error {
	if err := checkName(name); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return order(ctx, p.c, op, q)
}

func checkName(name string) error {
	if len(name) >= focas.PathSize || strings.IndexByte(name, 0) >= 0 {
		return fmt.Errorf("path %q: at most %d bytes, none of them NUL", name, focas.PathSize-1)
	}
	return nil
}

// SetCurrentDir sets a current folder (cnc_wrpdf_curdir).
func (p Path) SetCurrentDir(ctx context.Context, which int32, dir string) error {
	return p.named(ctx, "cnc_wrpdf_curdir", dir, focas.SetCurrentDirRequest(p.n, which, dir))
}

// SubDirs lists count folders of a folder from index first, from 0 (cnc_rdpdf_subdir).
func (p Path) SubDirs(ctx context.Context, dir string, first, count int32) ([]focas.SubDir, error) {
	if err := checkName(dir); err != nil {
		return nil, fmt.Errorf("cnc_rdpdf_subdir: %w", err)
	}
	l, err := call(ctx, p.c, "cnc_rdpdf_subdir", focas.SubDirsRequest(p.n, dir, first, count), focas.ParseSubDirs)
	return l.Items, err
}

// AllDir lists count entries of a folder from index first, from 0 (cnc_rdpdf_alldir).
func (p Path) AllDir(ctx context.Context, dir string, first, count int32) ([]focas.DirEntry, error) {
	if err := checkName(dir); err != nil {
		return nil, fmt.Errorf("cnc_rdpdf_alldir: %w", err)
	}
	l, err := call(ctx, p.c, "cnc_rdpdf_alldir", focas.AllDirRequest(p.n, dir, first, count, 1, 1), focas.ParseAllDir)
	return l.Items, err
}

// DirCount says how many folders and files a folder has (cnc_rdpdf_subdirn).
func (p Path) DirCount(ctx context.Context, dir string) (focas.DirCount, error) {
	if err := checkName(dir); err != nil {
		return focas.DirCount{}, fmt.Errorf("cnc_rdpdf_subdirn: %w", err)
	}
	return call(ctx, p.c, "cnc_rdpdf_subdirn", focas.DirCountRequest(p.n, dir), focas.ParseDirCount)
}

// AddFile makes a folder or a program (cnc_pdf_add).
func (p Path) AddFile(ctx context.Context, name string) error {
	return p.named(ctx, "cnc_pdf_add", name, focas.AddFileRequest(p.n, name))
}

// DeleteFile deletes a folder or a program (cnc_pdf_del). It cannot be undone.
func (p Path) DeleteFile(ctx context.Context, name string) error {
	return p.named(ctx, "cnc_pdf_del", name, focas.DeleteFileRequest(p.n, name))
}

// MainProgram is the path of the main program (cnc_pdf_rdmain).
func (p Path) MainProgram(ctx context.Context) (string, error) {
	s, err := call(ctx, p.c, "cnc_pdf_rdmain", focas.MainProgramRequest(p.n), focas.ParsePathText)
	return s.String(), err
}

// SelectMain makes a program the main one (cnc_pdf_slctmain).
func (p Path) SelectMain(ctx context.Context, name string) error {
	return p.named(ctx, "cnc_pdf_slctmain", name, focas.SelectMainRequest(p.n, name))
}

// Program is one program of a control.
type Program struct {
	Path    string // full path on a 30i, such as //CNC_MEM/USER/PATH1/O3000; O3000 on a classic control
	Size    int64  // in the control's unit, characters as a rule
	Comment string // in the control's code page
	Date    focas.Date
}

// Limits of a listing, so that a control that answers nonsense cannot keep it going.
const (
	maxPrograms  = 20000
	maxDirDepth  = 16
	maxPages     = maxPrograms
	dirPage      = 10 // entries per request: 1280 bytes
	programsPage = 19 // what FANUC's library asks for at once
)

// errEndless stops a listing that does not end.
var errEndless = errors.New("the control's listing does not end")

// Programs lists the programs: on a 30i those of folder dir and all folders below it (empty dir: the current folder in
// the foreground), on a classic control all of them, where dir must be empty.
func (p Path) Programs(ctx context.Context, dir string) ([]Program, error) {
	if p.c.Dialect() == focas.Classic {
		if dir != "" {
			return nil, fmt.Errorf("programs of %s: a control of this series has no folders", dir)
		}
		return p.classicPrograms(ctx)
	}
	if dir == "" {
		var err error
		if dir, err = p.CurrentDir(ctx, focas.Foreground); err != nil {
			return nil, err
		}
	}
	w := walk{path: p}
	err := w.folder(ctx, dir, 0)
	return w.found, err
}

func (p Path) classicPrograms(ctx context.Context) ([]Program, error) {
	var out []Program
	for top := int32(0); len(out) < maxPrograms; {
		entries, err := p.ProgramDir(ctx, top, programsPage, focas.DirDates)
		if len(out) > 0 && (errors.Is(err, &focas.Error{Code: focas.EWNumber}) || errors.Is(err, &focas.Error{Code: focas.EWData})) {
			return out, nil // no program from top on (guess: a control may also answer nothing)
		}
		if err != nil {
			return out, err
		}
		for i := range entries {
			e := &entries[i]
			if e.Number < top {
				return out, fmt.Errorf("cnc_rdprogdir3: O%d came after O%d: %w", e.Number, top-1, errEndless)
			}
			out = append(out, Program{Path: fmt.Sprintf("O%d", e.Number), Size: int64(e.Size), Comment: e.Comment(focas.DirDates), Date: e.Date()})
			top = e.Number + 1
		}
		if len(entries) < programsPage {
			return out, nil
		}
	}
	return out, errEndless
}

// walk collects the programs below a folder.
type walk struct {
	path  Path
	pages int
	found []Program
}

func (w *walk) folder(ctx context.Context, dir string, depth int) error {
	if depth > maxDirDepth {
		return fmt.Errorf("folder %s is deeper than %d: %w", dir, maxDirDepth, errEndless)
	}
	if !strings.HasSuffix(dir, "/") {
		dir += "/"
	}
	n, err := w.path.DirCount(ctx, dir)
	if err != nil {
		return err
	}
	total := int64(n.Dirs) + int64(n.Files)
	for first := int64(0); first < total; {
		if w.pages++; w.pages > maxPages || len(w.found) > maxPrograms {
			return errEndless
		}
		entries, err := w.path.AllDir(ctx, dir, int32(first), int32(min(dirPage, total-first)))
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			return nil
		}
		first += int64(len(entries))
		for i := range entries {
			if err := w.entry(ctx, dir, &entries[i], depth); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *walk) entry(ctx context.Context, dir string, e *focas.DirEntry, depth int) error {
	name := e.Name.String()
	if e.Kind == focas.EntryDir {
		if name == "" || name == "." || name == ".." || strings.Contains(name, "/") {
			return nil
		}
		return w.folder(ctx, dir+name+"/", depth+1)
	}
	w.found = append(w.found, Program{Path: dir + name, Size: int64(e.Size), Comment: e.CommentText(), Date: e.Date})
	return nil
}
