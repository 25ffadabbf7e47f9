package serial

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Programs open the PTY, read fast, slowly or not at all, and close it in the middle: each gets all bytes from the line in their order
// while it has the port.
func TestPTYChurn(t *testing.T) {
	t.Parallel()
	link := filepath.Join(t.TempDir(), "one")
	r := newRig(t, Config{}, ptyPort("1", link))
	f := startFeed(t, r)
	until(t, "the link", func() bool { _, err := os.Stat(link); return err == nil })
	for range 15 {
		tty := openTTY(t, link)
		until(t, "having the port", func() bool { st, err := f.state(); return err == nil && st.Owner != "" }) // what came before is dropped then
		var got records
		buf := make([]byte, 4096)
		read := func(most int) {
			n, err := tty.Read(buf[:most])
			if err := errors.Join(got.take(buf[:n]), err); err != nil {
				t.Fatal(err)
			}
		}
		for got.seen == 0 {
			read(64)
		}
		switch rand.IntN(3) {
		case 0:
			for range rand.IntN(500) {
				read(len(buf))
			}
		case 1:
			for range rand.IntN(500) {
				read(1 + rand.IntN(100))
				for range rand.IntN(20) {
					runtime.Gosched()
				}
			}
		case 2: // it takes nothing more
			for range 200 {
				if _, err := f.state(); err != nil {
					t.Fatal(err)
				}
			}
		}
		for range rand.IntN(20) { // nothing is lost behind what was full
			read(len(buf))
		}
		tty.Close()
		until(t, "giving the port back", func() bool { st, err := f.state(); return err == nil && st.Owner == "" })
	}
	f.check(f.end())
}
