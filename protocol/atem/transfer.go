package atem

import (
	"crypto/md5"
	"errors"
	"fmt"
)

// Limits of transfers.
const (
	MaxTransfer  = 64 << 20 // bytes of a file, coded or not; a frame of 4320 lines has 132 MB and is refused
	transferData = 1392     // bytes in a piece when the switcher asks for more
)

// Why a transfer failed. What the switcher says is a [TransferErrorCode].
var (
	ErrTransferSize   = errors.New("more data than a transfer may have")
	ErrTransferWindow = errors.New("the switcher asks for pieces that are too small")
)

// Error is what the switcher says of a failed transfer.
func (e TransferErrorCode) Error() string {
	switch e {
	case TransferErrorCodeTryAgain:
		return "the switcher says: try again"
	case TransferErrorCodeNotFound:
		return "the switcher says: not found"
	case TransferErrorCodeNotLocked:
		return "the switcher says: the store is not locked"
	}
	return fmt.Sprintf("the switcher says: error %d", uint8(e))
}

// Kinds of files that are asked for, as public programs write them.
const (
	DownloadStill uint16 = 0x00f9
	DownloadMacro uint16 = 0x03fe
)

// File is what is sent to a switcher.
type File struct {
	Store Store
	Slot  uint16
	Mode  TransferMode
	Name  string // of a still or clip frame; empty for other files
	Text  string
	Data  []byte // as it is kept, not run-length coded
}

// Transfer is the client's side of one transfer: it says what to send and takes what comes, and has no clock and no network.
// Fields of other transfers do nothing. A Transfer is not safe for concurrent use.
//
// An upload goes LOCK, LKOB back, FTSD, FTCD back, FTFD and FTDa, again FTCD …, FTDC back, LOCK off. A download goes LOCK,
// LKOB back, FTSU, FTDa back, each answered by FTUA, FTDC back, LOCK off. Stores that need no lock begin with the second step.
// Stills and clip frames are run-length coded on the way.
type Transfer struct {
	id        uint16
	ver       Version
	store     Store
	slot      uint16
	upload    bool
	kind      uint16 // of a download
	file      File
	coded     []byte // what is still to be sent, or what has come
	total     int    // of an upload
	runs      bool
	locked    bool
	granted   bool
	described bool
	size      int // of a piece
	window    int // pieces that may be sent
	done      bool
	err       error
	data      []byte
}

// NewUpload is the transfer of a file to the switcher under a number that no other running transfer of the session has.
func NewUpload(id uint16, f File, ver Version) (*Transfer, error) {
	t := &Transfer{id: id, ver: ver, store: f.Store, slot: f.Slot, upload: true, file: f, coded: f.Data, runs: coded(f.Store)}
	if t.runs {
		t.coded = AppendRuns(nil, f.Data)
	}
	t.total = len(t.coded)
	if len(f.Data) > MaxTransfer {
		return nil, fmt.Errorf("%d bytes: %w", len(f.Data), ErrTransferSize)
	}
	return t, nil
}

// NewDownload asks the switcher for a file.
func NewDownload(id uint16, store Store, slot, kind uint16, ver Version) *Transfer {
	return &Transfer{id: id, ver: ver, store: store, slot: slot, kind: kind, runs: coded(store)}
}

func coded(s Store) bool { return s != StoreMacrosAndLabels }

// ID is the number of the transfer.
func (t *Transfer) ID() uint16 { return t.id }

// Done reports whether the transfer has ended, well or not.
func (t *Transfer) Done() bool { return t.done }

// Err is why the transfer failed; nil when it did not, or has not ended.
func (t *Transfer) Err() error { return t.err }

// Data is what was downloaded, no longer run-length coded.
func (t *Transfer) Data() []byte { return t.data }

// Progress is how many bytes have gone or come, and how many there are; total is 0 when it is not known.
func (t *Transfer) Progress() (n, total int) {
	if t.upload {
		return t.total - len(t.coded), t.total
	}
	return len(t.coded), 0
}

// Start is the first payload to send.
func (t *Transfer) Start() []byte {
	if t.store != StoreMacrosAndLabels {
		t.locked = true
		return (&Lock{Store: uint16(t.store), Locked: true}).Append(nil, t.ver)
	}
	return t.begin()
}

func (t *Transfer) begin() []byte {
	t.granted = true
	if !t.upload {
		return (&StartDownload{Transfer: t.id, Store: uint16(t.store), Slot: t.slot, Kind: t.kind}).Append(nil, t.ver)
	}
	return (&StartUpload{Transfer: t.id, Store: uint16(t.store), Slot: t.slot, Size: int32(len(t.file.Data)), Mode: t.file.Mode}).Append(nil, t.ver)
}

// Cancel ends the transfer and is what to send for that; nil when nothing is to be said.
func (t *Transfer) Cancel(why error) []byte {
	if t.done {
		return nil
	}
	t.err = why
	if !t.granted {
		return t.finish(nil)
	}
	return t.finish((&AbortTransfer{Transfer: t.id}).Append(nil, t.ver))
}

// finish ends the transfer; the lock goes back.
func (t *Transfer) finish(b []byte) []byte {
	t.done = true
	if t.locked {
		t.locked = false
		b = (&Lock{Store: uint16(t.store)}).Append(b, t.ver)
	}
	return b
}

// Handle takes a field from the switcher, and returns what to send; nil: nothing. More may be waiting, see [Transfer.Next].
func (t *Transfer) Handle(f *Field) []byte {
	if t.done {
		return nil
	}
	switch f.Code {
	case CodeLKOB:
		var v LockObtained
		if !t.granted && v.Parse(t.ver, f.Body) == nil && v.Store == uint16(t.store) {
			return t.begin()
		}
	case CodeFTCD:
		var v UploadWindow
		if t.upload && v.Parse(t.ver, f.Body) == nil && v.Transfer == t.id {
			return t.allowed(&v)
		}
	case CodeFTDa:
		var v TransferData
		if !t.upload && v.Parse(t.ver, f.Body) == nil && v.Transfer == t.id {
			if len(t.coded)+len(v.Data) > MaxTransfer {
				return t.Cancel(ErrTransferSize)
			}
			t.coded = append(t.coded, v.Data...)
			return (&TransferDataAck{Transfer: t.id, Slot: uint8(t.slot)}).Append(nil, t.ver)
		}
	case CodeFTDC:
		var v TransferComplete
		if v.Parse(t.ver, f.Body) == nil && v.Transfer == t.id {
			if t.data = t.coded; !t.upload && t.runs {
				t.data, t.err = ExpandRuns(nil, t.coded, MaxTransfer)
			}
			return t.finish(nil)
		}
	case CodeFTDE:
		var v TransferError
		if v.Parse(t.ver, f.Body) == nil && v.Transfer == t.id {
			t.err = v.Error
			return t.finish(nil)
		}
	}
	return nil
}

func (t *Transfer) allowed(v *UploadWindow) []byte {
	t.size = min(int(v.ChunkSize), transferData) / blockSize * blockSize
	if t.size < runSize {
		return t.Cancel(ErrTransferWindow)
	}
	t.window = int(v.ChunkCount)
	if t.described {
		return nil
	}
	t.described = true
	return (&FileDescription{Transfer: t.id, Name: t.file.Name, Description: t.file.Text, MD5: md5.Sum(t.file.Data)}).Append(nil, t.ver)
}

// Next is the next piece of an upload that may be sent, as a payload; nil when none may. Between bursts of a dozen pieces a
// pause of some milliseconds is wise: switchers have small buffers.
func (t *Transfer) Next() []byte {
	if t.done || t.window == 0 || len(t.coded) == 0 {
		return nil
	}
	n := min(t.size, len(t.coded))
	if t.runs {
		n = CutRuns(t.coded, t.size)
	}
	piece := t.coded[:n]
	t.coded = t.coded[n:]
	t.window--
	return (&TransferData{Transfer: t.id, Data: piece}).Append(nil, t.ver)
}
