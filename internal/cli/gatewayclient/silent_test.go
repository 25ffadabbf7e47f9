package gatewayclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/patchbay-io/patchbay/internal/testnet"
)

// withGateway runs f with a client of what h serves, in a network that breaks without a word when f says so.
func withGateway(t *testing.T, h http.HandlerFunc, f func(t *testing.T, c *Client, silence func())) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := testnet.Listen()
		var handlers sync.WaitGroup
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			handlers.Add(1)
			defer handlers.Done()
			h(w, r)
		})}
		served := make(chan error, 1)
		go func() { served <- srv.Serve(l) }()
		var conns []*testnet.Conn
		transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (conn net.Conn, err error) {
			c, err := l.DialContext(ctx, network, addr)
			if err == nil {
				conns = append(conns, c.(*testnet.Conn))
			}
			return c, err
		}}
		c, err := New("http://127.0.0.1:8620", transport)
		if err != nil {
			t.Fatal(err)
		}
		f(t, c, func() {
			for _, c := range conns {
				c.In().Stall()
				c.Out().Stall()
			}
		})
		for _, c := range conns {
			c.Close()
			c.Out().Resume()
		}
		c.Close()
		srv.Close()
		<-served
		handlers.Wait()
	})
}

// A gateway that falls silent is given up in time; one that has nothing to tell is not, nor one whose reader takes its time.
func TestEventsOfASilentGateway(t *testing.T) {
	withGateway(t, func(w http.ResponseWriter, r *http.Request) {
		out := http.NewResponseController(w)
		for range time.Tick(2 * time.Second) {
			if _, err := fmt.Fprint(w, "event: ping\ndata: {}\n\n"); err != nil || out.Flush() != nil || r.Context().Err() != nil {
				return
			}
		}
	}, func(t *testing.T, c *Client, silence func()) {
		began, last := time.Now(), time.Time{}
		err := c.Events(t.Context(), Selection{}, func(*Event) error {
			last = time.Now()
			switch n := last.Sub(began); {
			case n > time.Hour:
				silence()
			case n > 30*time.Minute && n < 31*time.Minute:
				time.Sleep(5 * time.Minute) // somebody has stopped the terminal
			}
			return nil
		})
		var gone *NoGateway
		if !errors.As(err, &gone) || !errors.Is(err, errSilent) || last.Sub(began) < time.Hour {
			t.Errorf("%v after %v", err, last.Sub(began))
		}
		if took := time.Since(last); took > eventSilence+2*time.Second {
			t.Errorf("noticed after %v", took)
		}
	})
}

func TestPortOfASilentGateway(t *testing.T) {
	withGateway(t, func(w http.ResponseWriter, r *http.Request) {
		s, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer s.CloseNow()
		ctx := s.CloseRead(context.Background())
		for range time.Tick(20 * time.Second) {
			if err := s.Ping(ctx); err != nil {
				return
			}
		}
	}, func(t *testing.T, c *Client, silence func()) {
		began := time.Now()
		p, err := c.Port(t.Context(), "box", "ports/1", PortOptions{})
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Hour, silence)
		_, _, err = p.Next(t.Context())
		var gone *NoGateway
		if !errors.As(err, &gone) || !errors.Is(err, errSilent) {
			t.Error(err)
		}
		if took := time.Since(began) - time.Hour; took < 0 || took > portSilence {
			t.Errorf("noticed after %v", took)
		}
	})
}
