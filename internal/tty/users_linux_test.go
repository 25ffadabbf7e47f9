package tty

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// Programs that open or close the PTY faster than anybody looks are counted all the same. Where two closings counted as one, a port was
// in use for good.
func TestUsersAreCountedHoweverFastTheyAre(t *testing.T) {
	p, err := OpenPTY(filepath.Join(t.TempDir(), "link"))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var open []*os.File
	var want []int
	for n := range 5 {
		f, err := os.OpenFile(p.Name(), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		open, want = append(open, f), append(want, n+1)
	}
	for n, f := range open {
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		want = append(want, len(open)-n-1)
	}
	until := func(at time.Time) {
		if err := p.watch.SetReadDeadline(at); err != nil {
			t.Fatal(err)
		}
	}
	until(time.Now().Add(time.Minute)) // when something is missing
	var got []int
	err = p.Users(func(n int) {
		if got = append(got, n); len(got) == len(want) {
			until(time.Unix(1, 0))
		}
	})
	if !errors.Is(err, os.ErrDeadlineExceeded) || !slices.Equal(got, want) {
		t.Errorf("it counts %v and not %v (%v)", got, want, err)
	}
}
