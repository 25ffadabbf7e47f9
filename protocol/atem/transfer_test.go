package atem

import (
	"bytes"
	"crypto/md5"
	"errors"
	"image"
	"image/color"
	"slices"
	"strings"
	"testing"
)

func TestRuns(t *testing.T) {
	block := func(b byte) []byte { return bytes.Repeat([]byte{b}, 8) }
	for _, row := range []struct {
		name  string
		frame []byte
		coded string
	}{
		{"nothing", nil, ""},
		{"three of a kind stay", bytes.Repeat(block(1), 3), strings.Repeat("0101010101010101", 3)},
		{"four are a run", bytes.Repeat(block(1), 4), "fefefefefefefefe 0000000000000004 0101010101010101"},
		{"what looks like the mark is a run", block(0xfe), "fefefefefefefefe 0000000000000001 fefefefefefefefe"},
		{"mixed", slices.Concat(block(1), bytes.Repeat(block(2), 300), block(3)), "0101010101010101 fefefefefefefefe 000000000000012c 0202020202020202 0303030303030303"},
	} {
		coded := AppendRuns(nil, row.frame)
		if !bytes.Equal(coded, unhex(t, row.coded)) {
			t.Errorf("%s: %x", row.name, coded)
		}
		frame, err := ExpandRuns(nil, coded, len(row.frame))
		if err != nil || !bytes.Equal(frame, row.frame) {
			t.Errorf("%s: expanded %x, %v", row.name, frame, err)
		}
		if len(row.frame) > 0 {
			if _, err := ExpandRuns(nil, coded, len(row.frame)-1); !errors.Is(err, ErrRuns) {
				t.Errorf("%s: beyond the limit: %v", row.name, err)
			}
		}
	}
	for _, bad := range []string{"01", "fefefefefefefefe 00000000", "fefefefefefefefe ffffffffffffffff 0101010101010101"} {
		if _, err := ExpandRuns(nil, unhex(t, bad), 1<<20); !errors.Is(err, ErrRuns) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	coded := AppendRuns(nil, slices.Concat(block(1), bytes.Repeat(block(2), 9), block(3)))
	for limit, want := range map[int]int{7: 0, 8: 8, 31: 8, 32: 32, 39: 32, 40: 40, 100: 40} {
		if n := CutRuns(coded, limit); n != want {
			t.Errorf("cut at %d: %d, want %d", limit, n, want)
		}
	}
}

func FuzzExpandRuns(f *testing.F) {
	f.Add(AppendRuns(nil, bytes.Repeat([]byte{1, 2, 3, 4, 5, 6, 7, 8}, 9)))
	f.Fuzz(func(t *testing.T, data []byte) {
		frame, err := ExpandRuns(nil, data, 1<<16)
		if len(frame) > 1<<16 {
			t.Fatal("more than the limit")
		}
		if err != nil {
			return
		}
		again, err := ExpandRuns(nil, AppendRuns(nil, frame), len(frame))
		if err != nil || !bytes.Equal(again, frame) {
			t.Fatalf("%x became %x, %v", frame, again, err)
		}
		for rest := data; len(rest) > 0; {
			n := CutRuns(rest, 24)
			if n == 0 {
				t.Fatalf("nothing fits of %x", rest)
			}
			rest = rest[n:]
		}
	})
}

func TestPicture(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 6, 2))
	colours := []color.NRGBA{{0, 0, 0, 255}, {255, 255, 255, 255}, {255, 0, 0, 255}, {0, 255, 0, 128}, {0, 0, 255, 0}, {100, 150, 200, 255}}
	for i, c := range colours {
		for y := range 2 {
			m.SetNRGBA(i, y, c)
		}
	}
	flat := image.NewNRGBA(image.Rect(0, 0, 2, 1))
	flat.SetNRGBA(0, 0, color.NRGBA{255, 0, 0, 255})
	flat.SetNRGBA(1, 0, color.NRGBA{255, 0, 0, 255})
	// Red in BT.709: luma 250, Cb 409, Cr 960, alpha 4095.
	if b := AppendPicture(nil, flat); !bytes.Equal(b, unhex(t, "fff664fa fff f00fa")) {
		t.Errorf("red is %x", b)
	}
	b := AppendPicture(nil, m)
	if len(b) != 6*2*4 {
		t.Fatalf("%d bytes", len(b))
	}
	back, err := Picture(b, 6, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []int{0, 1} { // two pixels share their colour; grey ones keep theirs
		if got := back.NRGBAAt(x, 0); got != colours[x] {
			t.Errorf("pixel %d: %v", x, got)
		}
	}
	if a := back.NRGBAAt(3, 1).A; a < 126 || a > 129 {
		t.Errorf("alpha %d", a)
	}
	for _, size := range [][2]int{{6, 1}, {5, 2}, {0, 0}, {-6, -2}, {12, 2}} {
		if _, err := Picture(b, size[0], size[1]); !errors.Is(err, ErrPicture) {
			t.Errorf("%v: %v", size, err)
		}
	}
}

// talk lets a transfer speak with a switcher of a few lines, which answers by say.
func talk(t *testing.T, tr *Transfer, say func(f Field) []Message) (heard []Field) {
	t.Helper()
	queue := [][]byte{tr.Start()}
	for rounds := 0; rounds < 10000; rounds++ {
		if len(queue) == 0 {
			p := tr.Next()
			if p == nil {
				return heard
			}
			queue = append(queue, p)
		}
		payload := queue[0]
		queue = queue[1:]
		for f, err := range Fields(payload) {
			if err != nil {
				t.Fatal(err)
			}
			heard = append(heard, Field{Code: f.Code, Body: bytes.Clone(f.Body)})
			for _, m := range say(f) {
				answer, _, _ := Next(m.Append(nil, 0))
				if p := tr.Handle(&answer); p != nil {
					queue = append(queue, p)
				}
			}
		}
	}
	t.Fatal("it does not end")
	return nil
}

func codesOf(fields []Field) string {
	var s []string
	for _, f := range fields {
		if n := len(s); n > 0 && s[n-1] == f.Code.String() {
			continue
		}
		s = append(s, f.Code.String())
	}
	return strings.Join(s, " ")
}

func TestUpload(t *testing.T) {
	data := slices.Concat(bytes.Repeat([]byte("ABCDEFGH"), 1000), AppendPicture(nil, image.NewNRGBA(image.Rect(0, 0, 64, 2))), []byte("12345678abcdefgh"))
	tr, err := NewUpload(7, File{Store: StoreStills, Slot: 3, Mode: TransferModeStill, Name: "Logo", Data: data}, MakeVersion(2, 30))
	if err != nil {
		t.Fatal(err)
	}
	var got []byte
	window := 0
	heard := talk(t, tr, func(f Field) []Message {
		switch f.Code {
		case CodeLOCK:
			return []Message{&LockObtained{Store: 1}, &LockObtained{Store: 0}, &LockObtained{Store: 0}}
		case CodeFTSD:
			window = 2
			return []Message{&UploadWindow{Transfer: 8, ChunkSize: 1396, ChunkCount: 9}, &UploadWindow{Transfer: 7, ChunkSize: 30, ChunkCount: 2}}
		case CodeFTDa:
			var v TransferData
			if err := v.Parse(0, f.Body); err != nil || v.Transfer != 7 || len(v.Data) > 24 {
				t.Fatalf("%+v, %v", v, err)
			}
			got = append(got, v.Data...)
			window--
			if window == 0 {
				if frame, err := ExpandRuns(nil, got, len(data)); err == nil && len(frame) == len(data) {
					return []Message{&TransferComplete{Transfer: 7}}
				}
				window = 2
				return []Message{&UploadWindow{Transfer: 7, ChunkSize: 30, ChunkCount: 2}}
			}
			if window < 0 {
				t.Fatal("more pieces than may come")
			}
			if frame, err := ExpandRuns(nil, got, len(data)); err == nil && len(frame) == len(data) {
				return []Message{&TransferComplete{Transfer: 7}}
			}
		}
		return nil
	})
	if want := "LOCK FTSD FTFD FTDa LOCK"; codesOf(heard) != want || !tr.Done() || tr.Err() != nil {
		t.Errorf("%s, done %t, %v", codesOf(heard), tr.Done(), tr.Err())
	}
	var start StartUpload
	var about FileDescription
	var back Lock
	if start.Parse(0, heard[1].Body) != nil || start.Slot != 3 || int(start.Size) != len(data) || start.Mode != TransferModeStill ||
		about.Parse(0, heard[2].Body) != nil || about.Name != "Logo" || about.MD5 != md5.Sum(data) ||
		back.Parse(0, heard[len(heard)-1].Body) != nil || back.Locked {
		t.Errorf("%+v %+v %+v", start, about, back)
	}
	if n, total := tr.Progress(); n != total || total != len(got) {
		t.Errorf("%d of %d bytes", n, total)
	}
}

// No more pieces go than the switcher allows, and none is larger than a packet takes.
func TestUploadWindow(t *testing.T) {
	tr, _ := NewUpload(1, File{Store: StoreMacrosAndLabels, Mode: TransferModeMacro, Data: make([]byte, 9000)}, 0)
	tr.Start()
	if tr.Next() != nil {
		t.Error("a piece goes before any may")
	}
	for _, window := range []UploadWindow{{Transfer: 1, ChunkSize: 60000, ChunkCount: 2}, {Transfer: 1, ChunkSize: 1000, ChunkCount: 1}} {
		f, _, _ := Next(window.Append(nil, 0))
		tr.Handle(&f)
		for n := range window.ChunkCount + 1 {
			switch p := tr.Next(); {
			case n == window.ChunkCount:
				if p != nil {
					t.Errorf("%d pieces go where %d may", n+1, window.ChunkCount)
				}
			case len(p) != HeaderSize+4+min(int(window.ChunkSize), transferData):
				t.Errorf("a piece of %d bytes", len(p))
			}
		}
	}
}

func TestDownload(t *testing.T) {
	frame := bytes.Repeat([]byte("ABCDEFGH"), 500)
	coded := AppendRuns(nil, frame)
	tr := NewDownload(9, StoreStills, 4, DownloadStill, MakeVersion(2, 30))
	heard := talk(t, tr, func(f Field) []Message {
		switch f.Code {
		case CodeLOCK:
			return []Message{&LockObtained{}}
		case CodeFTSU:
			return []Message{&TransferData{Transfer: 1, Data: []byte("not mine")}, &TransferData{Transfer: 9, Data: coded[:8]}, &TransferData{Transfer: 9, Data: coded[8:]}, &TransferComplete{Transfer: 9}}
		}
		return nil
	})
	if codesOf(heard) != "LOCK FTSU FTUA LOCK" || tr.Err() != nil || !bytes.Equal(tr.Data(), frame) {
		t.Errorf("%s, %v, %d bytes", codesOf(heard), tr.Err(), len(tr.Data()))
	}
	macro := NewDownload(10, StoreMacrosAndLabels, 4, DownloadMacro, 0)
	heard = talk(t, macro, func(f Field) []Message {
		if f.Code == CodeFTSU {
			return []Message{&TransferData{Transfer: 10, Data: []byte("raw")}, &TransferComplete{Transfer: 10}}
		}
		return nil
	})
	if codesOf(heard) != "FTSU FTUA" || string(macro.Data()) != "raw" {
		t.Errorf("%s, %q", codesOf(heard), macro.Data())
	}
}

func TestTransferFails(t *testing.T) {
	refuse := func(m Message) error {
		tr, _ := NewUpload(1, File{Mode: TransferModeStill, Data: make([]byte, 64)}, 0)
		heard := talk(t, tr, func(f Field) []Message {
			switch f.Code {
			case CodeLOCK:
				return []Message{&LockObtained{}}
			case CodeFTSD:
				return []Message{m}
			}
			return nil
		})
		if last := heard[len(heard)-1]; !tr.Done() || last.Code != CodeLOCK {
			t.Errorf("the store stays locked: %s", codesOf(heard))
		}
		return tr.Err()
	}
	err := refuse(&TransferError{Transfer: 1, Error: TransferErrorCodeNotLocked})
	if !errors.Is(err, TransferErrorCodeNotLocked) {
		t.Error(err)
	}
	err = refuse(&UploadWindow{Transfer: 1, ChunkSize: 23, ChunkCount: 9})
	if !errors.Is(err, ErrTransferWindow) {
		t.Error(err)
	}
	if _, err := NewUpload(1, File{Store: StoreMacrosAndLabels, Data: make([]byte, MaxTransfer+1)}, 0); !errors.Is(err, ErrTransferSize) {
		t.Error(err)
	}
	tr, _ := NewUpload(1, File{Data: make([]byte, 8)}, 0)
	tr.Start()
	unlock := (&Lock{}).Append(nil, 0)
	if b := tr.Cancel(errors.New("enough")); !bytes.Equal(b, unlock) || !tr.Done() || tr.Cancel(nil) != nil {
		t.Errorf("cancelled: %x", b)
	}
	for e, text := range map[TransferErrorCode]string{TransferErrorCodeTryAgain: "the switcher says: try again", 9: "the switcher says: error 9"} {
		if e.Error() != text {
			t.Error(e.Error())
		}
	}
}
