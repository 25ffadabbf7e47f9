package tty

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/internal/driver"
)

// What is in the way and not a link to a terminal that is gone is left alone.
func TestWhatIsInTheWayOfALink(t *testing.T) {
	dir := t.TempDir()
	file, other, live, stale, empty := filepath.Join(dir, "file"), filepath.Join(dir, "other"), filepath.Join(dir, "live"), filepath.Join(dir, "stale"), filepath.Join(dir, "empty")
	err := errors.Join(os.WriteFile(file, []byte("mine"), 0o600), os.Symlink(file, other), os.Symlink("/dev/pts/ptmx", live), os.Symlink("/dev/pts/999999", stale),
		os.Symlink(filepath.Join(dir, "not-there-yet"), empty)) // somebody's, and no terminal
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{file, other, live, empty, dir} {
		before, _ := os.Readlink(at)
		err := Link("/dev/pts/0", at)
		if driver.ClassOf(err) != driver.Busy || !strings.Contains(err.Error(), "in the way") || driver.HintOf(err) == "" {
			t.Errorf("%s: %v", at, err)
		}
		if after, _ := os.Readlink(at); after != before {
			t.Errorf("%s leads to %q now", at, after)
		}
	}
	if text, _ := os.ReadFile(file); string(text) != "mine" {
		t.Error("the file was changed")
	}
	if err := Link("/dev/pts/0", stale); err != nil {
		t.Error(err)
	}
	if to, _ := os.Readlink(stale); to != "/dev/pts/0" {
		t.Errorf("a stale link leads to %q", to)
	}
	if err := Link("/dev/pts/0", filepath.Join(file, "folder", "x")); driver.ClassOf(err) != driver.Auth || driver.HintOf(err) == "" {
		t.Errorf("a folder that cannot be made: %v", err)
	}
}

// A PTY removes its own link and no other, and everything ends with it.
func TestPTYEnds(t *testing.T) {
	link := filepath.Join(t.TempDir(), "link")
	p, err := OpenPTY(link)
	if err != nil {
		t.Fatal(err)
	}
	if to, _ := os.Readlink(link); to != p.Name() {
		t.Errorf("the link leads to %q, not %q", to, p.Name())
	}
	if _, err := OpenPTY(link); driver.ClassOf(err) != driver.Busy {
		t.Errorf("a second one at the same place: %v", err)
	}
	ended := make(chan error, 2)
	go func() { ended <- p.Users(func(int) {}) }()
	go func() { _, err := p.Master.Read(make([]byte, 1)); ended <- err }()
	if err := p.Show(driver.Line{Baud: 250000}); err != nil {
		t.Error(err)
	}
	for _, d := range [][2]bool{{true, false}, {false, true}, {true, true}, {false, false}} {
		if err := p.Drop(d[0], d[1]); err != nil {
			t.Error(err)
		}
	}
	if err := errors.Join(os.Remove(link), os.Symlink("/elsewhere", link)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	for range 2 {
		if err := <-ended; !errors.Is(err, os.ErrClosed) {
			t.Errorf("%v", err)
		}
	}
	if to, _ := os.Readlink(link); to != "/elsewhere" {
		t.Error("somebody else's link was removed")
	}
	if err := errors.Join(os.Remove(link), p.Link()); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a link that is made after the end: %v", err)
	}
	if _, err := os.Lstat(link); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a link to a PTY that has ended: %v", err)
	}
	if p.Show(driver.Line{Baud: 1}) == nil || p.Drop(true, true) == nil {
		t.Error("a PTY that is closed takes settings")
	}
}
