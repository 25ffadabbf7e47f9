package atemsim

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"testing"

	"github.com/patchbay-io/patchbay/protocol/atem"
)

// carry lets a transfer of a client run to its end.
func (b *bench) carry(w *watcher, tr *atem.Transfer) error {
	b.Helper()
	w.forget()
	b.sw.Command(w, tr.Start())
	for range 100000 {
		if len(w.heard) > 0 {
			f := w.heard[0]
			w.heard = w.heard[1:]
			if p := tr.Handle(&f); p != nil {
				b.sw.Command(w, p)
			}
			continue
		}
		p := tr.Next()
		if p == nil {
			break
		}
		b.sw.Command(w, p)
	}
	if !tr.Done() {
		b.Fatal("the transfer does not end")
	}
	return tr.Err()
}

func newUpload(t *testing.T, id uint16, f atem.File, ver atem.Version) *atem.Transfer {
	t.Helper()
	tr, err := atem.NewUpload(id, f, ver)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func TestTransfers(t *testing.T) {
	b := newBench(t, Options{})
	ver := b.w.st.Version()
	m := image.NewNRGBA(image.Rect(0, 0, 1280, 360))
	for i := range 1280 * 360 {
		m.SetNRGBA(i%1280, i/1280, color.NRGBA{byte(i / 5000), byte(i), 7, 255})
	}
	still := atem.AppendPicture(nil, m)
	if err := b.carry(b.w, newUpload(t, 1, atem.File{Slot: 9, Mode: atem.TransferModeStill, Name: "Sunset", Data: still}, ver)); err != nil {
		t.Fatal(err)
	}
	if s := get[atem.MediaPoolStill](b, 0, 9); !s.Used || s.Name != "Sunset" {
		t.Errorf("%+v", s)
	}
	down := atem.NewDownload(2, atem.StoreStills, 9, atem.DownloadStill, ver)
	if err := b.carry(b.w, down); err != nil || !bytes.Equal(down.Data(), still) {
		t.Errorf("%v, %d bytes of %d", err, len(down.Data()), len(still))
	}
	if l := get[atem.LockState](b, 0); l.Locked {
		t.Error("the stills stay locked")
	}
	b.do(&atem.ClearStill{Slot: 9})
	if s := get[atem.MediaPoolStill](b, 0, 9); s.Used {
		t.Errorf("%+v", s)
	}
	if err := b.carry(b.w, atem.NewDownload(3, atem.StoreStills, 9, atem.DownloadStill, ver)); !errors.Is(err, atem.TransferErrorCodeNotFound) {
		t.Errorf("a still that is none: %v", err)
	}

	// A macro goes out and comes back under another number, and works.
	down = atem.NewDownload(4, atem.StoreMacrosAndLabels, 2, atem.DownloadMacro, ver)
	if err := b.carry(b.w, down); err != nil {
		t.Fatal(err)
	}
	if err := b.carry(b.w, newUpload(t, 5, atem.File{Store: atem.StoreMacrosAndLabels, Slot: 40, Mode: atem.TransferModeMacro, Name: "Copy", Data: down.Data()}, ver)); err != nil {
		t.Fatal(err)
	}
	b.do(&atem.MacroAction{Macro: 40})
	if r := get[atem.MacroRunState](b); !r.Waiting || r.Macro != 40 {
		t.Errorf("%+v", r)
	}

	label := bytes.Repeat([]byte{1, 2, 3}, 5000)
	if err := b.carry(b.w, newUpload(t, 6, atem.File{Store: atem.StoreMacrosAndLabels, Slot: 3, Mode: atem.TransferModeLabel, Name: "Label", Data: label}, ver)); err != nil {
		t.Fatal(err)
	}
	if got := b.sw.m.store.labels[3]; !bytes.Equal(got, label) {
		t.Errorf("%d bytes of %d", len(got), len(label))
	}
	if err := b.carry(b.w, newUpload(t, 7, atem.File{Store: atem.StoreMacrosAndLabels, Slot: 999, Mode: atem.TransferModeLabel, Data: label}, ver)); !errors.Is(err, atem.TransferErrorCodeNotFound) {
		t.Errorf("a label of no source: %v", err)
	}
	b.same()
}

func TestLocks(t *testing.T) {
	b := newBench(t, Options{})
	other := &watcher{}
	b.sw.Join(other)
	other.forget()
	b.do(&atem.Lock{Locked: true})
	if n := len(all[atem.LockObtained](b.w)); n != 1 {
		t.Errorf("told %d times that it has the lock", n)
	}
	if l := all[atem.LockState](other); len(l) != 1 || !l[0].Locked || len(all[atem.LockObtained](other)) != 0 {
		t.Errorf("the other hears %+v", other.heard)
	}
	ver := b.w.st.Version()
	lock := (&atem.Lock{Locked: true}).Append(nil, ver)
	b.sw.Command(other, lock)
	b.sw.Command(other, (&atem.Lock{}).Append(nil, ver))
	b.sw.Command(other, (&atem.StartUpload{Transfer: 3, Size: 8, Mode: atem.TransferModeStill}).Append(nil, ver))
	if e := all[atem.TransferError](other); len(all[atem.LockObtained](other)) != 0 || len(e) != 1 || e[0].Error != atem.TransferErrorCodeNotLocked {
		t.Errorf("the other hears %+v", other.heard)
	}
	b.sw.Leave(b.w) // with it goes its lock
	other.forget()
	b.sw.Command(other, lock)
	if len(all[atem.LockObtained](other)) != 1 {
		t.Errorf("the other hears %+v", other.heard)
	}
}

// What needs no lock is small.
func TestLargeMacro(t *testing.T) {
	b := newBench(t, Options{})
	start := &atem.StartUpload{Transfer: 1, Store: uint16(atem.StoreMacrosAndLabels), Slot: 9, Size: maxSmall + 1, Mode: atem.TransferModeMacro}
	b.do(start)
	if len(all[atem.TransferError](b.w)) != 1 {
		t.Errorf("%+v", b.w.heard)
	}
	b.w.forget()
	start.Size = 10
	b.do(start)
	piece := &atem.TransferData{Transfer: 1, Data: make([]byte, pieceSize)}
	for range maxSmall/pieceSize + 2 {
		b.do(piece)
	}
	if len(all[atem.TransferError](b.w)) != 1 {
		t.Error("more than announced has no end")
	}
}

// A transfer that is not what it says it is ends, and costs no more than a file may.
func TestBadTransfers(t *testing.T) {
	b := newBench(t, Options{})
	run := []byte("\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\x7f\xff\xff\xff\xff\xff\xff\xffABCDEFGH")
	for _, row := range []struct {
		name string
		size int32
		data []byte
		hash byte
	}{{"a run of everything", 64, run, 0}, {"a run that counts over", 64, []byte("\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\x20\x00\x00\x00\x00\x00\x00\x00ABCDEFGH"), 0}, {"another hash", 8, []byte("ABCDEFGH"), 1}, {"too large", 1 << 30, nil, 0}, {"below nothing", -1, nil, 0}} {
		b.do(&atem.Lock{Locked: true})
		b.w.forget()
		b.do(&atem.StartUpload{Transfer: 1, Size: row.size, Mode: atem.TransferModeStill}, &atem.FileDescription{Transfer: 1, MD5: [16]byte{row.hash}})
		b.do(&atem.TransferData{Transfer: 1, Data: row.data})
		if len(all[atem.TransferError](b.w)) != 1 || len(all[atem.TransferComplete](b.w)) != 0 {
			t.Errorf("%s: %+v", row.name, b.w.heard)
		}
	}
}
