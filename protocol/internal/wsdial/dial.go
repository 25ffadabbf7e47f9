// Package wsdial is the client's half of a WebSocket upgrade over a connection that comes from outside, for the protocols that run over
// WebSocket. It uses no http.Transport: one connection is made and used, nothing is kept or logged, and the peer's answer is bounded.
package wsdial

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

// Opener makes the connection below; (*net.Dialer).DialContext is one.
type Opener = func(ctx context.Context, network, addr string) (net.Conn, error)

// Options say how. The zero value is good.
type Options struct {
	Path   string      // "" is "/"
	TLS    *tls.Config // nil: no TLS
	Header http.Header // sent with the upgrade
}

// ErrNotUpgraded is why a peer is none: it answered the upgrade with a refusal, or with what is no HTTP.
var ErrNotUpgraded = errors.New("no WebSocket")

// StatusError is the refusal of a peer that speaks HTTP. It satisfies errors.Is(err, ErrNotUpgraded).
type StatusError struct {
	Status int // of HTTP
	Err    error
}

// Error says both.
func (e *StatusError) Error() string {
	return fmt.Sprintf("%v: HTTP %d: %v", ErrNotUpgraded, e.Status, e.Err)
}

// Unwrap gives the causes.
func (e *StatusError) Unwrap() []error { return []error{ErrNotUpgraded, e.Err} }

// maxHead is the longest answer to an upgrade in bytes.
const maxHead = 64 << 10

// Dial connects to addr and upgrades. ctx bounds that, not the connection. A peer that refuses the upgrade is a *[StatusError]. raw is what lies below the WebSocket, for its addresses and deadlines.
func Dial(ctx context.Context, open Opener, addr string, o Options) (ws *websocket.Conn, raw net.Conn, err error) {
	conn, err := open(ctx, "tcp", addr)
	if err != nil {
		return nil, nil, err
	}
	t := &trip{conn: conn}
	defer func() {
		if err != nil {
			conn.Close()
		}
	}()
	scheme := "ws"
	if o.TLS != nil {
		scheme = "wss"
		secure := tls.Client(conn, o.TLS)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, nil, fmt.Errorf("TLS: %w", err)
		}
		t.conn = secure
	}
	if o.Path == "" {
		o.Path = "/"
	}
	// After a bad answer the library reads on for up to 3 seconds, whatever ctx says.
	stop := context.AfterFunc(ctx, func() { _ = t.conn.SetDeadline(time.Unix(1, 0)) })
	//nolint:bodyclose // Dial says that the body of its response need not be closed
	ws, resp, err := websocket.Dial(ctx, scheme+"://"+addr+o.Path, &websocket.DialOptions{HTTPHeader: o.Header, CompressionMode: websocket.CompressionDisabled,
		HTTPClient: &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}})
	if !stop() && err == nil {
		_ = ws.CloseNow()
		return nil, nil, ctx.Err()
	}
	switch {
	case err == nil:
		return ws, t.conn, nil
	case resp != nil:
		return nil, nil, &StatusError{resp.StatusCode, err}
	case t.heard > 0:
		return nil, nil, fmt.Errorf("%w: %w", ErrNotUpgraded, err)
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	}
	return nil, nil, err
}

// trip is one request over one connection.
type trip struct {
	conn  net.Conn
	heard int64 // bytes that came
}

// Read counts.
func (t *trip) Read(p []byte) (int, error) {
	n, err := t.conn.Read(p)
	t.heard += int64(n)
	return n, err
}

// RoundTrip implements http.RoundTripper.
func (t *trip) RoundTrip(req *http.Request) (*http.Response, error) {
	stop := context.AfterFunc(req.Context(), func() { _ = t.conn.SetDeadline(time.Unix(1, 0)) })
	if err := req.Write(t.conn); err != nil {
		stop()
		return nil, err
	}
	head := &io.LimitedReader{R: t, N: maxHead}
	in := bufio.NewReader(head)
	resp, err := http.ReadResponse(in, req)
	// ctx has ended, and with it the connection: by this func, or by the one of Dial, which can come first.
	if !stop() || req.Context().Err() != nil {
		if err == nil {
			resp.Body.Close()
		}
		return nil, context.Cause(req.Context())
	}
	if err != nil {
		return nil, err
	}
	head.N = 1<<63 - 1
	if resp.StatusCode == http.StatusSwitchingProtocols {
		resp.Body = &body{in: in, conn: t.conn}
	} else {
		resp.Body = http.NoBody // the text of a refusal is nobody's
	}
	return resp, nil
}

// body is the connection after the upgrade, with what came along with the answer.
type body struct {
	in   *bufio.Reader
	conn net.Conn
}

func (b *body) Read(p []byte) (int, error)  { return b.in.Read(p) }
func (b *body) Write(p []byte) (int, error) { return b.conn.Write(p) }
func (b *body) Close() error                { return b.conn.Close() }
