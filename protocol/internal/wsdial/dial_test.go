package wsdial

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/testnet"
)

// dial upgrades against a peer that reads a little and then says something.
func dial(t *testing.T, o Options, say string, patience time.Duration, f func(err error, after time.Duration)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := testnet.Listen()
		defer l.Close()
		done := make(chan struct{})
		go func() {
			defer close(done)
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			_, _ = c.Read(make([]byte, 4096))
			_, _ = io.WriteString(c, say)
			_, _ = io.Copy(io.Discard, c)
		}()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		began := time.Now()
		ws, raw, err := Dial(ctx, l.DialContext, "peer:1", o)
		if err == nil || ws != nil || raw != nil {
			t.Errorf("%q was taken for an upgrade", say)
		}
		f(err, time.Since(began))
		<-done // the connection is closed
	})
}

func TestPeersThatAreNone(t *testing.T) {
	for name, c := range map[string]struct {
		o    Options
		say  string
		want error
	}{
		"refuses":            {Options{}, "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone", ErrNotUpgraded},
		"sends elsewhere":    {Options{}, "HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\n\r\n", ErrNotUpgraded},
		"another protocol":   {Options{}, "Length=00000d <keep-alive/>\r\n\r\n", ErrNotUpgraded},
		"a wrong key":        {Options{}, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n", ErrNotUpgraded},
		"a head without end": {Options{}, "HTTP/1.1 101 Switching Protocols\r\nX: " + strings.Repeat("x", 2*maxHead), ErrNotUpgraded},
		"silent":             {Options{}, "", context.DeadlineExceeded},
		"half a head":        {Options{}, "HTTP/1.1 101 Swi", context.DeadlineExceeded},
		"silent in TLS":      {Options{TLS: &tls.Config{ServerName: "peer"}}, "", context.DeadlineExceeded},
	} {
		dial(t, c.o, c.say, 10*time.Second, func(err error, after time.Duration) {
			if !errors.Is(err, c.want) || errors.Is(c.want, context.DeadlineExceeded) != (after == 10*time.Second) {
				t.Errorf("%s: %v after %v, want %v", name, err, after, c.want)
			}
		})
	}
	const wrongKey = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n"
	dial(t, Options{}, wrongKey, time.Second, func(err error, after time.Duration) {
		if !errors.Is(err, ErrNotUpgraded) || after != time.Second {
			t.Errorf("a wrong key and little patience: %v after %v", err, after)
		}
	})
	dial(t, Options{}, "HTTP/1.1 404 Not Found\r\n\r\n", time.Second, func(err error, _ time.Duration) {
		var status *StatusError
		if !errors.As(err, &status) || status.Status != 404 || !strings.Contains(err.Error(), "HTTP 404") {
			t.Errorf("%v", err)
		}
	})
	dial(t, Options{TLS: &tls.Config{ServerName: "peer"}}, "this is no TLS", time.Second, func(err error, _ time.Duration) {
		var record tls.RecordHeaderError
		if !errors.As(err, &record) {
			t.Errorf("no TLS: %v", err)
		}
	})
}

func TestNobodyThere(t *testing.T) {
	refused := errors.New("refused")
	_, _, err := Dial(t.Context(), func(context.Context, string, string) (net.Conn, error) { return nil, refused }, "peer:1", Options{})
	if !errors.Is(err, refused) || errors.Is(err, ErrNotUpgraded) {
		t.Errorf("%v", err)
	}
}
