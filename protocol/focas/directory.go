package focas

import (
	"encoding/binary"

	"github.com/patchbay-io/patchbay/wire"
)

// Kinds of program directory that [ProgramDirRequest] asks for. They are what goes over the wire: cnc_rdprogdir3 sends
// its type 2 as 3. Seen.
const (
	DirNumbers  int32 = 0 // numbers alone; the layout of the answer is unknown
	DirComments int32 = 1 // numbers and comments; the layout of the answer is unknown
	DirSizes    int32 = 2 // cnc_rdprogdir2 type 2: number, size, comment
	DirDates    int32 = 3 // cnc_rdprogdir3 type 2: number, size, comment, date
)

// ProgramDirRequest asks for count programs in rising order from the first one that has number top or more:
// cnc_rdprogdir2 and cnc_rdprogdir3, answered by a list of [ProgramEntry]. Seen.
func ProgramDirRequest(path uint16, top, count, kind int32) Request {
	return cncRequest(path, FuncReadProgramDir, top, count, kind)
}

// ProgramEntrySize is the size of a [ProgramEntry] in bytes.
const ProgramEntrySize = 72

// ProgramEntry is one program of a directory: i32 number, i32 size, 64 bytes that end in a date for [DirDates] and are
// all comment otherwise. Seen.
type ProgramEntry struct {
	Number int32
	Size   int32 // in characters
	Text   [64]byte
}

// Comment is the comment, in the control's code page, as an answer to a request of this kind.
func (p *ProgramEntry) Comment(kind int32) string {
	if kind == DirDates {
		return wire.Text(p.Text[:52])
	}
	return wire.Text(p.Text[:])
}

// Date is when the program was changed; only with [DirDates].
func (p *ProgramEntry) Date() Date { return dateAt(p.Text[52:]) }

// MakeProgramEntry is the entry that answers a request of kind; the comment is cut to what fits.
func MakeProgramEntry(kind, number, size int32, comment string, date Date) ProgramEntry {
	p := ProgramEntry{Number: number, Size: size}
	if kind == DirDates {
		copy(p.Text[:52], comment)
		copy(p.Text[52:], date.Append(nil))
	} else {
		copy(p.Text[:], comment)
	}
	return p
}

// Append appends the 72 bytes.
func (p ProgramEntry) Append(b []byte) []byte {
	return append(appendI32(appendI32(b, p.Number), p.Size), p.Text[:]...)
}

// ParseProgramDir reads the payload of function 0x06, kinds 2 and 3. No programs is an empty payload.
func ParseProgramDir(payload []byte) (List[ProgramEntry], error) {
	return parseList(payload, ProgramEntrySize, func(b []byte) ProgramEntry {
		return ProgramEntry{i32(b), i32(b[4:]), [64]byte(b[8:])}
	}), nil
}

// DriveName is the name of a drive, such as CNC_MEM, padded with NUL.
type DriveName [12]byte

// String is the name up to its first NUL.
func (n DriveName) String() string { return wire.Text(n[:]) }

// Append appends the 12 bytes.
func (n DriveName) Append(b []byte) []byte { return append(b, n[:]...) }

// DriveRequest asks for the drives, cnc_rdpdf_drive, answered by a list of [DriveName]. Seen.
func DriveRequest(path uint16) Request { return cncRequest(path, FuncReadPDFDrive) }

// ParseDrives reads the payload of cnc_rdpdf_drive.
func ParseDrives(payload []byte) (List[DriveName], error) {
	return parseList(payload, 12, func(b []byte) DriveName { return DriveName(b) }), nil
}

// Which current folder [CurrentDirRequest] means.
const (
	Foreground int32 = 1
	Background int32 = 2
)

// CurrentDirRequest asks for a current folder, cnc_rdpdf_curdir, answered by [PathText]. Seen.
func CurrentDirRequest(path uint16, which int32) Request {
	return cncRequest(path, FuncReadPDFCurDir, which)
}

func pathRequest(path uint16, f Func, name string, args ...int32) Request {
	q := cncRequest(path, f, args...)
	q.Data = MakePathText(name)
	return q
}

// SetCurrentDirRequest sets a current folder, cnc_wrpdf_curdir. Seen.
func SetCurrentDirRequest(path uint16, which int32, dir string) Request {
	return pathRequest(path, FuncWritePDFCurDir, dir, which)
}

// SubDirsRequest asks for count folders of a folder from index first (0 and up), cnc_rdpdf_subdir, answered by a list of
// [SubDir]. Seen.
func SubDirsRequest(path uint16, dir string, first, count int32) Request {
	return pathRequest(path, FuncReadPDFSubDir, dir, first, count)
}

// SubDirSize is the size of a [SubDir] in bytes.
const SubDirSize = 4 + ProgramNameSize

// SubDir is one folder. Seen.
type SubDir struct {
	HasSubDirs uint32 // 1: there are folders below it
	Name       ProgramName
}

// Append appends the 40 bytes.
func (s SubDir) Append(b []byte) []byte { return append(appendU32(b, s.HasSubDirs), s.Name[:]...) }

// ParseSubDirs reads the payload of cnc_rdpdf_subdir.
func ParseSubDirs(payload []byte) (List[SubDir], error) {
	return parseList(payload, SubDirSize, func(b []byte) SubDir { return SubDir{u32(b), ProgramName(b[4:])} }), nil
}

// AllDirRequest asks for count entries of a folder, folders and files, from index first (0 and up), cnc_rdpdf_alldir,
// answered by a list of [DirEntry]. kind 1 asks for sizes, comments and dates; sizeKind is the unit of sizes. Seen with
// 1 for both; other values are FANUC's type and size_kind words.
func AllDirRequest(path uint16, dir string, first, count, kind, sizeKind int32) Request {
	return pathRequest(path, FuncReadPDFAllDir, dir, first, count, kind, sizeKind)
}

// DirEntrySize is the size of a [DirEntry] in bytes.
const DirEntrySize = 128

// Kinds of a [DirEntry].
const (
	EntryDir  uint16 = 0
	EntryFile uint16 = 1
)

// DirEntry is one folder or file. Seen.
type DirEntry struct {
	Kind      uint16 // EntryDir or EntryFile
	Date      Date
	Skip      [6]byte // unknown
	Size      uint32
	Attribute uint32 // unknown
	Name      ProgramName
	Comment   [52]byte // in the control's code page
	Time      [12]byte // unknown; FANUC calls it processing time
}

// CommentText is the comment up to its first NUL.
func (e *DirEntry) CommentText() string { return wire.Text(e.Comment[:]) }

// Append appends the 128 bytes.
func (e DirEntry) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, e.Kind)
	b = append(e.Date.Append(b), e.Skip[:]...)
	b = appendU32(appendU32(b, e.Size), e.Attribute)
	b = append(append(b, e.Name[:]...), e.Comment[:]...)
	return append(b, e.Time[:]...)
}

// ParseAllDir reads the payload of cnc_rdpdf_alldir.
func ParseAllDir(payload []byte) (List[DirEntry], error) {
	return parseList(payload, DirEntrySize, func(b []byte) DirEntry {
		return DirEntry{Kind: u16(b), Date: dateAt(b[2:]), Skip: [6]byte(b[14:]), Size: u32(b[20:]), Attribute: u32(b[24:]),
			Name: ProgramName(b[28:]), Comment: [52]byte(b[64:]), Time: [12]byte(b[116:])}
	}), nil
}

// DirCountRequest asks how many folders and files a folder has, cnc_rdpdf_subdirn, answered by [DirCount]. Seen.
func DirCountRequest(path uint16, dir string) Request {
	return pathRequest(path, FuncReadPDFSubDirNum, dir)
}

// DirCount is the payload of cnc_rdpdf_subdirn. Seen.
type DirCount struct {
	Dirs, Files uint32
	Rest        []byte // aliases the payload
}

// ParseDirCount reads the payload.
func ParseDirCount(payload []byte) (DirCount, error) {
	if len(payload) < 8 {
		return DirCount{}, short("folder count", payload, 8)
	}
	return DirCount{u32(payload), u32(payload[4:]), rest(payload, 8)}, nil
}

// Append appends the payload.
func (d DirCount) Append(b []byte) []byte {
	return append(appendU32(appendU32(b, d.Dirs), d.Files), d.Rest...)
}

// AddFileRequest makes a folder or a program, cnc_pdf_add; a folder's name ends in a slash (guess). Seen as a request.
func AddFileRequest(path uint16, name string) Request { return pathRequest(path, FuncAddPDF, name) }

// DeleteFileRequest deletes a folder or a program, cnc_pdf_del. It cannot be undone. Seen.
func DeleteFileRequest(path uint16, name string) Request {
	return pathRequest(path, FuncDeletePDF, name)
}

// MainProgramRequest asks for the path of the main program, cnc_pdf_rdmain, answered by [PathText]. Seen.
func MainProgramRequest(path uint16) Request { return cncRequest(path, FuncReadPDFMain) }

// SelectMainRequest makes a program the main one, cnc_pdf_slctmain. Seen.
func SelectMainRequest(path uint16, name string) Request {
	return pathRequest(path, FuncSelectPDFMain, name)
}
