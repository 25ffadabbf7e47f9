package tunnel

import (
	"bytes"
	"crypto/rand"
	"errors"
	"net"
	"testing"
	"testing/synctest"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/fc2"
)

// A tunnel that ends for a changed record says so to who reads and to who writes.
func TestWhyItEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, err := fc2.NewIdentity(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := fc2.NewIdentity(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		a, b := testnet.Pipe(1 << 20)
		far := make(chan error, 1)
		go func() {
			_, err := Open(t.Context(), b, theirs, ours.Public(), fc2.Server, rand.Reader)
			far <- err
		}()
		c, err := Open(t.Context(), a, ours, theirs.Public(), fc2.Client, rand.Reader)
		if err := errors.Join(err, <-far); err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		if _, err := b.Write(bytes.Repeat([]byte{1}, 64<<10)); err != nil { // past the tunnel, a record of made-up bytes
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, fc2.ErrRecord) {
			t.Errorf("read: %v", err)
		}
		if _, err := c.Write([]byte("x")); !errors.Is(err, fc2.ErrRecord) || errors.Is(err, net.ErrClosed) {
			t.Errorf("write: %v", err)
		}
	})
}
