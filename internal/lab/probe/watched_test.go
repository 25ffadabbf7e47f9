package probe

import (
	"errors"
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/testnet"
)

// A step ends at its time, also when its user gives the connection longer.
func TestWatchedEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := testnet.Pipe(0)
		defer b.Close()
		start := time.Now()
		w := watch(a, start.Add(5*time.Second))
		defer w.Close()
		for _, set := range []func(time.Time) error{w.SetDeadline, w.SetReadDeadline} {
			for _, by := range []time.Time{{}, start.Add(time.Hour)} {
				if err := set(by); err != nil {
					t.Fatal(err)
				}
			}
		}
		if _, err := w.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestWatchedTakesSoMuch(t *testing.T) {
	a, b := testnet.Pipe(2 * maxBytes)
	defer b.Close()
	w := watch(a, time.Now().Add(time.Hour))
	defer w.Close()
	if _, err := b.Write(make([]byte, maxBytes+1)); err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, w)
	if n != maxBytes || !errors.Is(err, errFlood) {
		t.Errorf("%d bytes, %v", n, err)
	}
	if _, in := w.heads(); in.Total != maxBytes || len(in.Bytes) != headSize {
		t.Errorf("%d bytes, %d kept", in.Total, len(in.Bytes))
	}
}
