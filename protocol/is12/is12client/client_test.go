package is12client

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/is12"
)

// with runs f with a client of a device that answers each frame by a function, inside a bubble of simulated time.
func with(t *testing.T, o Options, device func(ctx context.Context, ws *websocket.Conn, m is12.Message), f func(t *testing.T, c *Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := testnet.Listen()
		var wg sync.WaitGroup
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			wg.Add(1)
			defer wg.Done()
			ws, err := websocket.Accept(w, r, nil)
			if err != nil {
				return
			}
			defer ws.CloseNow()
			ws.SetReadLimit(is12.MaxMessage)
			for {
				_, b, err := ws.Read(context.Background())
				if err != nil {
					return
				}
				m, err := is12.Parse(b, 0)
				if err != nil {
					t.Errorf("%s: %v", b, err)
					return
				}
				device(r.Context(), ws, m)
			}
		})}
		done := make(chan error)
		go func() { done <- srv.Serve(l) }()
		c, err := Dial(t.Context(), l.DialContext, l.Addr().String(), o)
		if err != nil {
			t.Fatal(err)
		}
		f(t, c)
		c.Close()
		c.Close()
		srv.Close()
		wg.Wait()
		<-done
	})
}

func say(ctx context.Context, ws *websocket.Conn, m is12.Message) {
	b, _ := m.Marshal()
	_ = ws.Write(ctx, websocket.MessageText, b)
}

// Answers go to who asked, in any order; a refusal is the device's own error; events arrive; subscriptions say what was agreed to.
func TestConversation(t *testing.T) {
	events := make(chan is12.Notification, 1)
	var held []is12.Command
	with(t, Options{Events: func(n is12.Notification) { events <- n }}, func(ctx context.Context, ws *websocket.Conn, m is12.Message) {
		switch m.Type {
		case is12.TypeSubscription:
			say(ctx, ws, is12.Message{Type: is12.TypeSubscriptionResponse, Subscriptions: m.Subscriptions[:1]})
			say(ctx, ws, is12.Message{Type: is12.TypeNotification, Notifications: []is12.Notification{{Oid: 7, EventID: is12.PropertyChanged, EventData: is12.EventData{Value: json.RawMessage("1")}}}})
		case is12.TypeCommand:
			if held = append(held, m.Commands...); len(held) < 2 {
				return
			}
			a := is12.Message{Type: is12.TypeCommandResponse}
			for i := len(held) - 1; i >= 0; i-- {
				r := is12.Result{Status: is12.StatusOk, Value: json.RawMessage(`"` + string(rune('a'+held[i].Oid)) + `"`)}
				if held[i].Oid == 9 {
					r = is12.Result{Status: is12.StatusReadonly, ErrorMessage: "no"}
				}
				a.Responses = append(a.Responses, is12.Response{Handle: held[i].Handle, Result: r})
			}
			held = nil
			say(ctx, ws, a)
		}
	}, func(t *testing.T, c *Client) {
		got, err := c.Subscribe(t.Context(), 1, 2)
		if err != nil || len(got) != 1 || got[0] != 1 {
			t.Errorf("%v, %v", got, err)
		}
		if n := <-events; n.Oid != 7 {
			t.Errorf("%+v", n)
		}
		var wg sync.WaitGroup
		for _, oid := range []uint32{1, 2} {
			wg.Go(func() {
				var s string
				if err := c.Get(t.Context(), oid, is12.PropertyUserLabel, &s); err != nil || s != string(rune('a'+oid)) {
					t.Errorf("%d: %q, %v", oid, s, err)
				}
			})
		}
		wg.Wait()
		wg.Go(func() { _ = c.Set(t.Context(), 8, is12.PropertyUserLabel, "x") })
		err = c.Set(t.Context(), 9, is12.PropertyUserLabel, "x")
		wg.Wait()
		var no *is12.Error
		if !errors.As(err, &no) || no.Status != is12.StatusReadonly || no.Message != "no" || no.Oid != 9 {
			t.Errorf("%v", err)
		}
	})
}

// What a device says before it hangs up counts.
func TestAnswersBeforeTheEnd(t *testing.T) {
	with(t, Options{}, func(ctx context.Context, ws *websocket.Conn, m is12.Message) {
		a := is12.Message{Type: is12.TypeCommandResponse}
		for _, cmd := range m.Commands {
			a.Responses = append(a.Responses, is12.Response{Handle: cmd.Handle, Result: is12.Result{Status: is12.StatusOk}})
		}
		say(ctx, ws, a)
		_ = ws.CloseNow()
	}, func(t *testing.T, c *Client) {
		if got, err := c.Do(t.Context(), make([]is12.Command, 100)...); err != nil || len(got) != 100 || got[99].Status != is12.StatusOk {
			t.Errorf("%d results, %v", len(got), err)
		}
		<-c.Done()
	})
}

// Answers that have come before the caller loses patience count, also when he has not looked at them yet.
func TestAnswersBeforeACancel(t *testing.T) {
	var cancel context.CancelFunc
	with(t, Options{Events: func(is12.Notification) { cancel() }}, func(ctx context.Context, ws *websocket.Conn, m is12.Message) {
		a := is12.Message{Type: is12.TypeCommandResponse}
		for _, cmd := range slices.Backward(m.Commands) { // the one that is waited for first comes last
			a.Responses = append(a.Responses, is12.Response{Handle: cmd.Handle, Result: is12.Result{Status: is12.StatusOk}})
		}
		say(ctx, ws, a)
		say(ctx, ws, is12.Message{Type: is12.TypeNotification, Notifications: make([]is12.Notification, 1)})
	}, func(t *testing.T, c *Client) {
		for range 15 { // a select takes either
			var ctx context.Context
			ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
			if got, err := c.Do(ctx, make([]is12.Command, 1000)...); err != nil || len(got) != 1000 {
				t.Errorf("%d results, %v", len(got), err)
				return
			}
			<-ctx.Done()
		}
	})
}

// A call without an answer fails in time and the session goes on; the caller's deadline counts before.
func TestNoAnswer(t *testing.T) {
	with(t, Options{Timeout: time.Second}, func(context.Context, *websocket.Conn, is12.Message) {}, func(t *testing.T, c *Client) {
		start := time.Now()
		if _, err := c.Members(t.Context(), 1, true); !errors.Is(err, ErrNoAnswer) || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start = time.Now()
		if _, err := c.Subscribe(ctx, 1); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if len(c.pending) != 0 || c.Err() != nil {
			t.Errorf("%d commands are kept, %v", len(c.pending), c.Err())
		}
	})
}

// The ends of a session: each with its cause.
func TestEnds(t *testing.T) {
	for _, row := range []struct {
		name  string
		do    func(ctx context.Context, ws *websocket.Conn)
		want  error
		frame bool // the device is taken for none
	}{
		{"goodbye", func(_ context.Context, ws *websocket.Conn) { go ws.Close(websocket.StatusNormalClosure, "") }, io.EOF, false},
		{"no JSON", func(ctx context.Context, ws *websocket.Conn) { _ = ws.Write(ctx, websocket.MessageText, []byte("{")) }, ErrFrame, true},
		{"a device that could not read", func(ctx context.Context, ws *websocket.Conn) {
			say(ctx, ws, is12.Message{Type: is12.TypeError, Status: is12.StatusBadCommandFormat})
		}, &is12.Error{Status: is12.StatusBadCommandFormat}, false},
		{"a huge frame", func(ctx context.Context, ws *websocket.Conn) {
			_ = ws.Write(ctx, websocket.MessageText, []byte(strings.Repeat(" ", is12.MaxMessage+1)))
		}, nil, true},
	} {
		with(t, Options{}, func(ctx context.Context, ws *websocket.Conn, _ is12.Message) { row.do(ctx, ws) }, func(t *testing.T, c *Client) {
			_, err := c.Members(t.Context(), 1, true)
			if !errors.Is(err, net.ErrClosed) || row.want != nil && !errors.Is(err, row.want) || errors.Is(err, ErrFrame) != row.frame {
				t.Errorf("%s: %v", row.name, err)
			}
			<-c.Done()
			if _, err := c.Subscribe(t.Context(), 1); !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: afterwards %v", row.name, err)
			}
		})
	}
}

// A device that gives no sign of life ends the session.
func TestSilent(t *testing.T) {
	with(t, Options{}, func(context.Context, *websocket.Conn, is12.Message) {}, func(t *testing.T, c *Client) {
		time.Sleep(time.Minute)
		if c.Err() != nil {
			t.Fatalf("a quiet device that answers pings: %v", c.Err())
		}
		c.raw.(*testnet.Conn).In().Stall()
		start := time.Now()
		<-c.Done()
		if d := time.Since(start); !errors.Is(c.Err(), ErrSilent) || d > DefaultPing+DefaultTimeout {
			t.Errorf("%v after %v", c.Err(), d)
		}
	})
}

func TestDialFails(t *testing.T) {
	refused := errors.New("refused")
	if _, err := Dial(t.Context(), func(context.Context, string, string) (net.Conn, error) { return nil, refused }, "x:1", Options{}); !errors.Is(err, refused) || errors.Is(err, ErrNotUpgraded) {
		t.Errorf("%v", err)
	}
	for _, answer := range []string{"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "SSH-2.0-x\r\n"} {
		synctest.Test(t, func(t *testing.T) {
			near, far := testnet.Pipe(4096)
			io.WriteString(far, answer)
			if _, err := Dial(t.Context(), func(context.Context, string, string) (net.Conn, error) { return near, nil }, "x:1", Options{}); !errors.Is(err, ErrNotUpgraded) {
				t.Errorf("%q: %v", answer, err)
			}
			if !near.Closed() {
				t.Error("the connection is open")
			}
			far.Close()
		})
	}
}

// Handles come round: neither 0 nor one that waits for its answer is given again, and there are never more than can be told apart.
func TestHandles(t *testing.T) {
	var got []uint16
	with(t, Options{}, func(ctx context.Context, ws *websocket.Conn, m is12.Message) {
		for _, cmd := range m.Commands {
			got = append(got, cmd.Handle)
		}
	}, func(t *testing.T, c *Client) {
		var wg sync.WaitGroup
		ask := func() { wg.Go(func() { _, _ = c.Do(t.Context(), is12.Command{Oid: 1}) }) }
		ask()
		synctest.Wait()
		c.mu.Lock()
		c.next = 65534
		c.mu.Unlock()
		ask()
		synctest.Wait()
		ask()
		synctest.Wait()
		if !slices.Equal(got, []uint16{1, 65535, 2}) {
			t.Errorf("%v", got)
		}
		if _, err := c.Do(t.Context(), make([]is12.Command, maxPending)...); err == nil || errors.Is(err, ErrNoAnswer) || c.Err() != nil {
			t.Errorf("too many: %v", err)
		}
		wg.Wait()
	})
}
