package focas

import (
	"encoding/binary"
	"fmt"

	"github.com/patchbay-io/patchbay/wire"
)

// TransferKind is what a transfer on channel 1 carries. 0 is seen; the names of the others are from public
// documentation of the API.
type TransferKind uint16

// The transfer kinds.
const (
	TransferProgram    TransferKind = 0
	TransferToolOffset TransferKind = 1
	TransferParam      TransferKind = 2
	TransferPitchError TransferKind = 3
	TransferMacro      TransferKind = 4
	TransferWorkOffset TransferKind = 5
)

// TransferVerify, added to the kind of a download, compares instead of storing. Seen as 0x8006 in a verify.
const TransferVerify TransferKind = 0x8006

// String is the name, or the number when there is none.
func (k TransferKind) String() string {
	switch k {
	case TransferProgram:
		return "program"
	case TransferToolOffset:
		return "tool-offset"
	case TransferParam:
		return "parameter"
	case TransferPitchError:
		return "pitch-error"
	case TransferMacro:
		return "macro"
	case TransferWorkOffset:
		return "work-offset"
	case TransferVerify:
		return "verify"
	}
	return fmt.Sprintf("kind(%#04x)", uint16(k))
}

// Sizes of transfer frames in bytes.
const (
	TransferStartSize = 516  // body of a start frame
	FileSpecSize      = 512  // file specification in it
	MaxTransferData   = 1280 // body of a data frame: what FANUC's library sends at most, and what a 30i was reported to send
	CancelSize        = 8    // body of an upload cancel, all zero
)

// TransferStart is the body of a download start and of an upload start: u16 kind, u16 path, 512 bytes file
// specification. Seen.
type TransferStart struct {
	Kind TransferKind
	Path uint16 // path number, 1-based
	File [FileSpecSize]byte
}

// MakeTransferStart pads the specification with NUL. One that does not fit is an error.
//
//	N:dir/            download into a folder (cnc_dwnstart4)
//	N:dir/O1234       upload of a program (cnc_upstart4)
//	O1234-O1234       upload of programs by number (cnc_upstart, cnc_upstart3)
//	(empty)           download into the current folder (cnc_dwnstart, cnc_dwnstart3)
func MakeTransferStart(kind TransferKind, path uint16, spec string) (TransferStart, error) {
	s := TransferStart{Kind: kind, Path: path}
	if len(spec) >= FileSpecSize {
		return s, fmt.Errorf("file specification of %d bytes, at most %d fit", len(spec), FileSpecSize-1)
	}
	copy(s.File[:], spec)
	return s, nil
}

// NamedFile is the file specification of a path on the control, for the calls whose names end in 4.
func NamedFile(path string) string { return "N:" + path }

// NumberedFiles is the file specification of the programs from O number from to to. For a kind that has no programs it
// is the range of numbers.
func NumberedFiles(from, to int32) string { return fmt.Sprintf("O%d-O%d", from, to) }

// ParseTransferStart reads the body; another length than 516 is an error.
func ParseTransferStart(body []byte) (TransferStart, error) {
	if len(body) != TransferStartSize {
		return TransferStart{}, &wire.Error{Message: "transfer start", Field: "body", Err: fmt.Errorf("%d bytes, want %d", len(body), TransferStartSize)}
	}
	return TransferStart{TransferKind(u16(body)), u16(body[2:]), [FileSpecSize]byte(body[4:])}, nil
}

// Spec is the file specification up to its first NUL.
func (s *TransferStart) Spec() string { return wire.Text(s.File[:]) }

// Append appends the body.
func (s *TransferStart) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(s.Kind))
	b = binary.BigEndian.AppendUint16(b, s.Path)
	return append(b, s.File[:]...)
}

// AppendDownloadStart appends a whole frame that starts a download (PC to control).
func AppendDownloadStart(b []byte, s *TransferStart) []byte {
	return s.Append(AppendHeader(b, Version(RequestVersion), TypeDownloadStart, DirRequest, TransferStartSize))
}

// AppendUploadStart appends a whole frame that starts an upload (control to PC).
func AppendUploadStart(b []byte, s *TransferStart) []byte {
	return s.Append(AppendHeader(b, Version(RequestVersion), TypeUploadStart, DirRequest, TransferStartSize))
}

// AppendDownloadData appends a whole frame with a piece of the data, at most [MaxTransferData] bytes; it is not answered.
func AppendDownloadData(b, data []byte) []byte {
	b = AppendHeader(b, Version(RequestVersion), TypeDownloadData, DirPush, len(data))
	return append(b, data...)
}

// AppendDownloadEnd appends the whole frame that ends a download; the control answers with an empty reply or an error.
func AppendDownloadEnd(b []byte) []byte {
	return AppendHeader(b, Version(RequestVersion), TypeDownloadEnd, DirRequest, 0)
}

// AppendUploadEnd appends the whole frame with which a client answers the control's end of an upload.
func AppendUploadEnd(b []byte) []byte {
	return AppendHeader(b, Version(RequestVersion), TypeUploadEnd, DirReply, 0)
}

// AppendUploadCancel appends the whole frame that stops an upload; it is not answered.
func AppendUploadCancel(b []byte) []byte {
	b = AppendHeader(b, Version(RequestVersion), TypeUploadCancel, DirPush, CancelSize)
	return wire.AppendZero(b, CancelSize)
}
