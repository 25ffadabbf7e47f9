package openswitcher

import (
	"errors"
	"fmt"

	"github.com/patchbay-io/patchbay/protocol/atem"
)

// Limits of an upload. The largest picture that a switcher holds has 33 MB before it is coded.
const (
	MaxUpload  = 64 << 20 // bytes of one file
	MaxUploads = 4        // files that a client may send at the same time
)

// ErrUpload says that a piece of a file is not what was announced.
var ErrUpload = errors.New("the piece does not fit the upload")

// Upload is a file that a client has sent in pieces (*XFR), for the server to send to the switcher. Data is coded in runs, as
// the switcher wants it.
type Upload struct {
	Transfer, Store, Slot uint16
	Name, Text            string
	MD5                   [16]byte // of the picture before coding
	RawSize               uint32   // the same
	Data                  []byte
}

// Uploads joins the pieces of the files that one client sends. The zero value is ready. It is not safe for concurrent use.
type Uploads struct{ open map[uploadKey]*Upload }

type uploadKey struct {
	store, slot uint16
	upload      bool
}

// Add takes a piece; the file is complete when done is true. A piece that does not fit drops what there is of its file.
func (u *Uploads) Add(p *atem.OSWUpload) (file *Upload, done bool, err error) {
	key := uploadKey{p.Store, p.Slot, p.Upload}
	file = u.open[key]
	switch {
	case !p.Upload:
		return nil, false, fmt.Errorf("a download: %w", ErrUpload) // there is no answer that could carry it
	case file == nil && len(u.open) >= MaxUploads:
		return nil, false, fmt.Errorf("more than %d at a time: %w", MaxUploads, ErrUpload)
	case p.SendSize > MaxUpload || p.RawSize > MaxUpload:
		return nil, false, fmt.Errorf("%d bytes, %d before coding; %d at most: %w", p.SendSize, p.RawSize, MaxUpload, ErrUpload)
	}
	if file == nil {
		if u.open == nil {
			u.open = map[uploadKey]*Upload{}
		}
		file = &Upload{Transfer: p.Transfer, Store: p.Store, Slot: p.Slot, Name: p.Name, Text: p.Text, MD5: p.MD5, RawSize: p.RawSize}
		u.open[key] = file
	}
	file.Data = append(file.Data, p.Data...)
	switch n := len(file.Data); {
	case n > int(p.SendSize):
		delete(u.open, key)
		return nil, false, fmt.Errorf("%d bytes of %d: %w", n, p.SendSize, ErrUpload)
	case n < int(p.SendSize):
		return nil, false, nil
	}
	delete(u.open, key)
	return file, true, nil
}

// AppendUploaded adds the payload that tells a client that its file has been sent (*XFC).
func AppendUploaded(b []byte, store, slot uint16) []byte {
	return (&atem.OSWUploaded{Store: store, Slot: slot, Upload: true}).Append(b, 0)
}
