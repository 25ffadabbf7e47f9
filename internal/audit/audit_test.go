package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func lines(t *testing.T, name string) (out []Entry) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var e Entry
		if err := json.Unmarshal(s.Bytes(), &e); err != nil {
			t.Fatalf("%s: %v in %s", name, err, s.Text())
		}
		out = append(out, e)
	}
	return out
}

func TestRing(t *testing.T) {
	l, err := Open(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 * maxKept {
		l.Add(Entry{What: Write, ID: fmt.Sprint(i + 1)})
	}
	all := l.Since(0, 0)
	if n := len(all); n < maxKept*9/10 || n > maxKept || all[n-1].Seq != 3*maxKept || all[0].Seq != uint64(3*maxKept-n+1) {
		t.Errorf("%d kept, %d to %d", n, all[0].Seq, all[n-1].Seq)
	}
	for _, e := range all {
		if e.ID != fmt.Sprint(e.Seq) || e.At.IsZero() || e.At.Location().String() != "UTC" {
			t.Fatalf("%+v", e)
		}
	}
	if got := l.Since(0, 2); len(got) != 2 || got[1].Seq != 3*maxKept {
		t.Errorf("the newest two: %+v", got)
	}
	if got := l.Since(3*maxKept-5, 2); len(got) != 2 || got[0].Seq != 3*maxKept-4 {
		t.Errorf("the next two: %+v", got)
	}
	if got := l.Since(3*maxKept, 0); got == nil || len(got) != 0 {
		t.Errorf("nothing new: %+v", got)
	}
}

func TestFileGetsEverythingAndRotates(t *testing.T) {
	name := filepath.Join(t.TempDir(), "audit.jsonl")
	l, err := Open(Options{File: name, MaxSize: 2000, Keep: 3})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- l.Run(ctx) }()
	const n = 100
	for i := range n {
		l.Add(Entry{What: Write, User: "anna", Device: "mill1", Path: "macros/500", New: strings.Repeat("x", i%7)})
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	next := uint64(n)
	for i := range 4 {
		file := name
		if i > 0 {
			file = fmt.Sprintf("%s.%d", name, i)
		}
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > 2000 || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %d bytes, mode %o", file, info.Size(), info.Mode().Perm())
		}
		got := lines(t, file)
		for k := len(got) - 1; k >= 0; k-- {
			if got[k].Seq != next {
				t.Fatalf("%s: entry %d, want %d: one is missing or stands twice", file, got[k].Seq, next)
			}
			next--
		}
	}
	if _, err := os.Stat(name + ".4"); err == nil {
		t.Error("more than three old files")
	}
	// The next start goes on where this one ended.
	size := len(lines(t, name))
	if l, err = Open(Options{File: name, MaxSize: 2000, Keep: 3}); err != nil {
		t.Fatal(err)
	}
	l.Add(Entry{What: Login})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := lines(t, name); len(got) != size+1 && len(got) != 1 {
		t.Errorf("%d lines after %d", len(got), size)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(Options{File: filepath.Join(dir, "no", "such")}); err == nil || !strings.Contains(err.Error(), "audit file") {
		t.Error(err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	open := filepath.Join(dir, "open")
	if err := os.WriteFile(open, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o604); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{File: open}); err == nil || !strings.Contains(err.Error(), "run: chmod 600 "+open) {
		t.Error(err)
	}
}

// A disk that takes nothing blocks nobody; what did not get into the file is counted there later.
func TestLostEntriesAreCounted(t *testing.T) {
	name := filepath.Join(t.TempDir(), "audit.jsonl")
	var log bytes.Buffer
	l, err := Open(Options{File: name, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	for range maxQueue + 7 {
		l.Add(Entry{What: Write})
	}
	if err := l.file.f.Close(); err != nil { // the next write fails
		t.Fatal(err)
	}
	l.drain()
	if !strings.Contains(log.String(), "cannot be written") {
		t.Errorf("log: %s", log.String())
	}
	l.file.f = nil // it is opened again
	l.Add(Entry{What: Login})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	got := lines(t, name)
	if len(got) != 2 || got[0].What != Login || got[1].What != Lost || !strings.HasPrefix(got[1].Why, fmt.Sprint(maxQueue+7)) {
		t.Errorf("%+v", got)
	}
}

func BenchmarkAdd(b *testing.B) {
	l, err := Open(Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		l.Add(Entry{What: Write, User: "anna", Device: "mill1", Path: "macros/500", Old: "1", New: "2", Outcome: "confirmed"})
	}
}
