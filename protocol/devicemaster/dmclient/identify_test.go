package dmclient

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/devicemaster"
)

// An ID response may come in any pieces, and slowly; only one whose rest never comes is none.
func TestIdentifyInPieces(t *testing.T) {
	whole := devicemaster.IDResponse{Ports: 4, Apps: []devicemaster.App{{ID: 1, Major: 2, Minor: 3}, {ID: 4}}, Extended: []devicemaster.TLV{{Tag: 2, Value: []byte("x")}}}
	copy(whole.Firmware[:], "SocketServer 11.34")
	b := whole.Append(nil)
	for at := devicemaster.MinIDResponse + 1; at <= len(b); at++ {
		synctest.Test(t, func(t *testing.T) {
			near, far := testnet.Pipe(4096)
			defer far.Close()
			done := make(chan struct{})
			defer func() { <-done }()
			go func() {
				defer close(done)
				far.Read(make([]byte, 16))
				far.Write(b[:at])
				if at > 105 { // what is shorter may be the whole response of an old box
					time.Sleep(quiet + quiet/2)
				}
				far.Write(b[at:])
			}()
			id, err := Identify(t.Context(), func(context.Context, string, string) (net.Conn, error) { return near, nil }, "box", time.Second)
			cut := at > 105 && at < 106+4*len(whole.Apps)
			if cut && (err != nil || len(id.Apps) != 2) || !cut && err != nil {
				t.Errorf("after %d of %d bytes: %+v, %v", at, len(b), id, err)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		near, far := testnet.Pipe(4096)
		defer far.Close()
		go func() {
			far.Read(make([]byte, 16))
			far.Write(b[:108])
		}()
		if id, err := Identify(t.Context(), func(context.Context, string, string) (net.Conn, error) { return near, nil }, "box", time.Second); !errors.Is(err, devicemaster.ErrShort) || !errors.Is(err, ErrNotDeviceMaster) {
			t.Errorf("a response without its end: %+v, %v", id, err)
		}
	})
}

// Bytes that drip for ever do not make the wait longer than it may be.
func TestIdentifyThatDrips(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := testnet.Pipe(4096)
		var wg sync.WaitGroup
		defer wg.Wait()
		defer far.Close()
		wg.Go(func() {
			for {
				if _, err := far.Write([]byte{0}); err != nil {
					return
				}
				time.Sleep(quiet / 2)
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, err := Identify(ctx, func(context.Context, string, string) (net.Conn, error) { return near, nil }, "box", time.Second)
		if !errors.Is(err, ErrNotDeviceMaster) || ctx.Err() != nil {
			t.Errorf("%v, context %v", err, ctx.Err())
		}
	})
}
