package ocaws

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaclient"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaserver"
)

// serve runs f with a server inside a bubble of simulated time.
func serve(t *testing.T, handle func(context.Context, net.Conn), o Options, f func(t *testing.T, ln *testnet.Listener)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ln := testnet.Listen()
		s := New(handle, o)
		done := make(chan error)
		go func() { done <- s.Serve(t.Context(), ln) }()
		f(t, ln)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		<-done
	})
}

func echo(_ context.Context, c net.Conn) { _, _ = io.Copy(c, c) }

// A device over WebSocket is a device: tree, values, events.
func TestOverWebSocket(t *testing.T) {
	d := ocaserver.NewDevice(ocaserver.Info{})
	gain := d.Root().Gain("Gain", 0, -80, 6)
	s := ocaserver.New(d, ocaserver.Options{})
	serve(t, func(ctx context.Context, c net.Conn) { _ = s.ServeConn(ctx, c) }, Options{}, func(t *testing.T, ln *testnet.Listener) {
		conn, err := Dial(t.Context(), ln.DialContext, ln.Addr().String(), DialOptions{})
		if err != nil {
			t.Fatal(err)
		}
		events := make(chan ocp1.ONo, 1)
		c := ocaclient.New(conn, "desk", ocaclient.Options{Events: func(e ocaclient.Event) { events <- e.Source.Emitter }})
		root, err := c.Tree(t.Context())
		if err != nil || len(root.Members) != 1 {
			t.Fatalf("%+v, %v", root, err)
		}
		if errs, err := c.Subscribe(t.Context(), gain.ONo()); err != nil || errs[0] != nil {
			t.Fatal(errs, err)
		}
		if err := c.Gain(gain.ONo()).Set(t.Context(), -6); err != nil {
			t.Fatal(err)
		}
		if e := <-events; e != gain.ONo() || gain.Get() != -6 {
			t.Errorf("event of %d, gain %v", e, gain.Get())
		}
		time.Sleep(time.Minute) // keep-alives go both ways
		if err := c.Err(); err != nil {
			t.Error(err)
		}
		start := time.Now()
		c.Close()
		if d := time.Since(start); d > closeWait {
			t.Errorf("closed after %v", d)
		}
	})
}

// Frames are a stream: any cut is good, text is passed over, and one Write is one frame.
func TestFrames(t *testing.T) {
	serve(t, echo, Options{}, func(t *testing.T, ln *testnet.Listener) {
		ws, _, err := websocket.Dial(t.Context(), "ws://"+ln.Addr().String(), &websocket.DialOptions{HTTPClient: &http.Client{Transport: &http.Transport{DialContext: ln.DialContext}}})
		if err != nil {
			t.Fatal(err)
		}
		defer ws.CloseNow()
		ws.SetReadLimit(-1)
		big := bytes.Repeat([]byte{0x3b}, 100_000)
		for _, f := range []struct {
			kind websocket.MessageType
			b    []byte
		}{{websocket.MessageText, []byte(`{"messageType":0}`)}, {websocket.MessageBinary, nil}, {websocket.MessageBinary, big[:1]}, {websocket.MessageText, big}, {websocket.MessageBinary, big[1:]}} {
			if err := ws.Write(t.Context(), f.kind, f.b); err != nil {
				t.Fatal(err)
			}
		}
		n := 0
		for n < len(big) {
			kind, b, err := ws.Read(t.Context())
			if err != nil || kind != websocket.MessageBinary || len(b) == 0 {
				t.Fatalf("%v, %d bytes, %v", kind, len(b), err)
			}
			n += len(b)
		}
		if n != len(big) {
			t.Errorf("%d bytes, want %d", n, len(big))
		}
	})
}

// What is no upgrade is refused in HTTP; so is what Allow refuses, and a page of another host.
func TestRefusals(t *testing.T) {
	o := Options{Allow: func(r *http.Request) int {
		if r.URL.Path != "/oca" {
			return http.StatusNotFound
		}
		return 0
	}, Origins: []string{"*.example.com"}}
	upgrade := "Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
	for _, row := range []struct{ name, say, want string }{
		{"another path", "GET / HTTP/1.1\r\n" + upgrade + "\r\n", "HTTP/1.1 404 "},
		{"plain HTTP", "GET /oca HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 426 "},
		{"a page of another host", "GET /oca HTTP/1.1\r\n" + upgrade + "Origin: http://evil.test\r\n\r\n", "HTTP/1.1 403 "},
		{"a page of a host that may", "GET /oca HTTP/1.1\r\n" + upgrade + "Origin: http://studio.example.com\r\n\r\n", "HTTP/1.1 101 "},
		{"no HTTP", "\x3b\x00\x01\x00\x00\x00\x0b\x04\x00\x01\x00\x01\r\n\r\n", "HTTP/1.1 400 "},
		{"endless head", "GET /oca HTTP/1.1\r\nX: " + strings.Repeat("x", 20<<10), "HTTP/1.1 400 "},
		{"nothing", "", ""},
	} {
		serve(t, echo, o, func(t *testing.T, ln *testnet.Listener) {
			c, err := ln.Dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			start := time.Now()
			io.WriteString(c, row.say)
			c.SetReadDeadline(time.Now().Add(time.Minute))
			b := make([]byte, 4096)
			n, err := c.Read(b)
			if !strings.HasPrefix(string(b[:n]), row.want) || row.want == "" && (err != io.EOF && !errors.Is(err, net.ErrClosed) || time.Since(start) != 10*time.Second) {
				t.Errorf("%s: %q, %v after %v", row.name, b[:n], err, time.Since(start))
			}
		})
	}
	serve(t, echo, o, func(t *testing.T, ln *testnet.Listener) {
		if _, err := Dial(t.Context(), ln.DialContext, ln.Addr().String(), DialOptions{}); !errors.Is(err, ErrNotUpgraded) {
			t.Errorf("%v", err)
		}
		refused := errors.New("refused")
		if _, err := Dial(t.Context(), func(context.Context, string, string) (net.Conn, error) { return nil, refused }, "x:1", DialOptions{}); !errors.Is(err, refused) || errors.Is(err, ErrNotUpgraded) {
			t.Errorf("%v", err)
		}
	})
}

// The ends of a connection, as each side sees them.
func TestEnds(t *testing.T) {
	ended := make(chan error, 1)
	serve(t, func(_ context.Context, c net.Conn) {
		_, err := io.ReadAll(c)
		ended <- err
	}, Options{}, func(t *testing.T, ln *testnet.Listener) {
		dial := func() *Conn {
			c, err := Dial(t.Context(), ln.DialContext, ln.Addr().String(), DialOptions{Path: "/x"})
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		c := dial()
		c.Close()
		c.Close()
		if err := <-ended; err != nil {
			t.Errorf("after a goodbye: %v", err)
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read after Close: %v", err)
		}
		if _, err := c.Write([]byte{1}); !errors.Is(err, net.ErrClosed) {
			t.Errorf("write after Close: %v", err)
		}
		c = dial()
		c.SetReadDeadline(time.Now().Add(time.Second))
		start := time.Now()
		if _, err := c.Read(make([]byte, 1)); err == nil || time.Since(start) != time.Second {
			t.Errorf("read with a deadline: %v after %v", err, time.Since(start))
		}
		c.Close()
		<-ended
		c = dial()
		c.raw.(*testnet.Conn).Reset()
		if err := <-ended; err == nil {
			t.Error("a reset is an orderly end")
		}
		c.Close()
		for what, say := range map[string][]byte{"without a goodbye": nil, "in the middle of a frame": {0x82, 0x84, 1, 2, 3, 4, 5}} {
			c = dial()
			c.raw.Write(say)
			c.raw.Close()
			if err := <-ended; err == nil || !strings.HasPrefix(err.Error(), "the connection ended "+what) {
				t.Errorf("%s: %v", what, err)
			}
			c.Close()
		}
		if c.LocalAddr() == nil || c.RemoteAddr() == nil || c.SetDeadline(time.Time{}) == nil {
			t.Error("addresses or deadlines of a closed connection")
		}
	})
}
