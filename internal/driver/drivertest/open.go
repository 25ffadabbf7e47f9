package drivertest

import (
	"context"
	"io"
	"net"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/testnet"
)

// failOpen demands that Open fails in time with one of the classes and leaves nothing open.
func (w *world) failOpen(options any, classes ...driver.Class) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), w.target.Patience)
	defer cancel()
	var err error
	w.within(w.target.Patience+time.Second, "Open", func() { _, err = w.tryOpen(ctx, options) })
	w.wantClass("Open", err, classes...)
	w.wantClosed()
}

func openChecks() []check {
	outcome := func(o testnet.Outcome, c driver.Class) func(*world) {
		return func(w *world) {
			w.net.SetOutcome(w.addr, o)
			if w.udp && c == driver.RefusedConn { // only a socket with one peer hears of it
				w.failOpen(w.options(), c, driver.Timeout)
				return
			}
			w.failOpen(w.options(), c)
		}
	}
	return []check{
		{"refused", outcome(testnet.Refused, driver.RefusedConn)},
		{"unreachable", outcome(testnet.Unreachable, driver.Unreachable)},
		{"hanging", outcome(testnet.Hang, driver.Timeout)},
		{"silent", func(w *world) {
			w.streams()
			w.peer(func(c net.Conn) { io.Copy(io.Discard, c) })
			w.failOpen(w.options(), driver.Timeout, driver.NotThisProtocol)
		}},
		{"closes-at-once", func(w *world) {
			w.streams()
			w.peer(func(net.Conn) {})
			w.failOpen(w.options(), driver.Closed, driver.NotThisProtocol)
		}},
		{"another-protocol", func(w *world) {
			w.streams()
			w.peer(func(c net.Conn) {
				io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html>no</html>\r\n")
				io.Copy(io.Discard, c)
			})
			w.failOpen(w.options(), driver.NotThisProtocol)
		}},
		{"noise", func(w *world) {
			w.streams()
			w.peer(func(c net.Conn) {
				c.(*testnet.Conn).Out().Garble(true)
				c.Write(make([]byte, 64))
				io.Copy(io.Discard, c)
			})
			w.failOpen(w.options(), driver.NotThisProtocol)
		}},
		{"wrong-login", func(w *world) {
			if w.target.BadLogin == nil {
				w.Skip("the device knows no login")
			}
			w.serve()
			w.failOpen(w.target.BadLogin(), driver.Auth)
		}},
		{"cancelled", func(w *world) {
			w.peer(func(c net.Conn) { io.Copy(io.Discard, c) })
			ctx, cancel := context.WithCancel(w.Context())
			time.AfterFunc(time.Millisecond, cancel)
			var err error
			w.within(time.Second, "Open after its context ended", func() { _, err = w.tryOpen(ctx, w.options()) })
			if err == nil {
				w.Error("Open succeeded with a peer that says nothing")
			}
			w.wantClosed()
		}},
		{"again", func(w *world) {
			for range 3 {
				s := w.openOnce()
				if err := s.Close(); err != nil {
					w.Errorf("Close: %v", err)
				}
			}
		}},
	}
}

func (w *world) openOnce() driver.Session {
	w.Helper()
	if len(w.sessions) == 0 {
		return w.open()
	}
	return w.reopen()
}
