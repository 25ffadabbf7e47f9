package ocaserver

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
)

// Controllers are served over TLS. Who says nothing in the handshake, or something else, is no controller, and is gone in time.
func TestTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var came atomic.Int32
		s := New(newDesk().Device, Options{MessageTimeout: 3 * time.Second, Connected: func(*Conn) error { came.Add(1); return nil }})
		ln := testnet.Listen()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			done <- s.Serve(ctx, tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{testnet.MustCertificate()}}))
		}()
		dial := func() net.Conn {
			c, err := ln.Dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		silent, plain := dial(), dial()
		if _, err := plain.Write(ocp1.AppendKeepAliveSeconds(nil, 1, time.Second)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := len(s.Conns()) + int(came.Load()); n != 0 {
			t.Errorf("%d controllers, and none has come", n)
		}
		began := time.Now()
		_, _ = io.Copy(io.Discard, plain)
		if took := time.Since(began); took != 0 {
			t.Errorf("what is no TLS is closed after %v, want at once", took)
		}
		_, _ = io.Copy(io.Discard, silent)
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("who says nothing is closed after %v, want 3s", took)
		}

		raw := dial()
		c := tls.Client(raw, &tls.Config{InsecureSkipVerify: true})
		r := ocp1.NewReader(c, 0)
		if _, err := c.Write(ocp1.AppendCommands(nil, 1, true, ocp1.Command{Handle: 7, Target: 4100, Method: ocp1.ID{Level: 1, Index: 5}})); err != nil {
			t.Fatal(err)
		}
		m, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		q := m.PDUs()
		if a, ok := q.Response(); !ok || a.Handle != 7 || a.Status != ocp1.StatusOK || string(a.Params) != "\x00\x04Name" {
			t.Errorf("%+v", a)
		}
		time.Sleep(time.Hour) // a controller has all the time, once it has come
		if came.Load() != 1 || len(s.Conns()) != 1 {
			t.Errorf("%d have come, %d are there", came.Load(), len(s.Conns()))
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}
