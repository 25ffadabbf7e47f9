package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/patchbay-io/patchbay/internal/north/northtest"
)

// portDoor is a door with serial ports behind a real listener.
type portDoor struct {
	box *northtest.Box
	url string
}

func newPortDoor(t *testing.T, cfg Config) *portDoor {
	t.Helper()
	box, err := northtest.NewBox("ports/1", "ports/2")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- box.Gateway.Run(ctx) }()
	for len(box.Gateway.Streams(northtest.BoxName)) == 0 {
		time.Sleep(time.Millisecond)
	}
	cfg.Ports = box.Gateway
	s, err := New(cfg, box.Gateway.Tree(), box.Gateway, box.Gateway, nil)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		close(s.closing)
		s.active.Wait()
		srv.Close()
		http.DefaultClient.CloseIdleConnections()
		cancel()
		<-done
	})
	return &portDoor{box, srv.URL}
}

type portClient struct {
	*websocket.Conn
	t *testing.T
}

func (d *portDoor) dial(t *testing.T, query string) *portClient {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), d.url+base+"/devices/box/stream?"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow() })
	return &portClient{c, t}
}

// until reads messages until one satisfies ok.
func (c *portClient) until(what string, ok func(kind websocket.MessageType, b []byte, e map[string]any) bool) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
	defer cancel()
	for {
		kind, b, err := c.Read(ctx)
		if err != nil {
			c.t.Fatalf("waiting for %s: %v", what, err)
		}
		var e map[string]any
		if kind == websocket.MessageText {
			if err := json.Unmarshal(b, &e); err != nil {
				c.t.Fatal(err)
			}
		}
		if ok(kind, b, e) {
			return
		}
	}
}

func (c *portClient) say(kind websocket.MessageType, text string) {
	c.t.Helper()
	if err := c.Write(c.t.Context(), kind, []byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

func TestPortWebSocket(t *testing.T) {
	d := newPortDoor(t, Config{})
	looker := d.dial(t, "path=ports/1")
	looker.until("the state", func(_ websocket.MessageType, _ []byte, e map[string]any) bool {
		return e["type"] == "line" && e["open"] == false
	})
	if d.box.Port("ports/1").IsOpen() {
		t.Error("looking has opened the port")
	}
	one := d.dial(t, "path=ports/1&mode=own&line=115200e72")
	two := d.dial(t, "path=ports/2&mode=own")
	one.until("open", func(_ websocket.MessageType, _ []byte, e map[string]any) bool {
		return e["type"] == "line" && e["open"] == true && e["baud"] == 115200.0 && e["format"] == "7E2" && e["mine"] == true
	})
	two.until("open", func(_ websocket.MessageType, _ []byte, e map[string]any) bool {
		return e["type"] == "line" && e["open"] == true
	})
	looker.until("the owner", func(_ websocket.MessageType, _ []byte, e map[string]any) bool {
		return e["type"] == "owner" && strings.HasPrefix(e["who"].(string), "http 127.0.0.1:")
	})
	two.say(websocket.MessageBinary, "hi\x00\xff")
	is := func(want string) func(websocket.MessageType, []byte, map[string]any) bool {
		return func(kind websocket.MessageType, b []byte, _ map[string]any) bool {
			return kind == websocket.MessageBinary && string(b) == want
		}
	}
	one.until("bytes", is("hi\x00\xff"))
	looker.until("bytes", is("hi\x00\xff"))

	one.say(websocket.MessageText, `{"type":"set","line":"300","rts":true,"dtr":true,"flow":"rts-cts"}`)
	two.until("the lines", func(_ websocket.MessageType, _ []byte, e map[string]any) bool {
		return e["cts"] == true && e["dsr"] == true
	})
	one.until("the setting", func(_ websocket.MessageType, _ []byte, e map[string]any) bool {
		return e["baud"] == 300.0 && e["flow"] == "rts-cts"
	})
	one.say(websocket.MessageText, `{"type":"break","ms":1}`)
	two.until("a break", func(_ websocket.MessageType, _ []byte, e map[string]any) bool {
		h, _ := e["happened"].([]any)
		return len(h) == 1 && h[0] == "break"
	})
	one.say(websocket.MessageText, `{"type":"flush","in":true}`)
	for text, want := range map[string]string{`{"type":"set","line":"fast"}`: "fast", `{"type":"set","flow":"x"}`: "rts-cts", `{"type":"shout"}`: "shout", `no`: "invalid"} {
		one.say(websocket.MessageText, text)
		one.until(text, func(_ websocket.MessageType, _ []byte, e map[string]any) bool {
			return e["type"] == "error" && strings.Contains(e["text"].(string), want)
		})
	}
	looker.say(websocket.MessageBinary, "x")
	looker.until("the refusal", func(_ websocket.MessageType, _ []byte, e map[string]any) bool {
		return e["type"] == "error" && e["code"] == "not-owner"
	})

	third := d.dial(t, "path=ports/1&mode=own&take=true")
	third.until("open", func(_ websocket.MessageType, _ []byte, e map[string]any) bool {
		return e["type"] == "line" && e["open"] == true
	})
	for {
		if _, _, err := one.Read(t.Context()); err != nil {
			if websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
				t.Errorf("the owner that was turned out: %v", err)
			}
			break
		}
	}
}

func TestPortRefusals(t *testing.T) {
	d := newPortDoor(t, Config{})
	holder := d.dial(t, "path=ports/2&mode=own")
	holder.until("open", func(_ websocket.MessageType, _ []byte, e map[string]any) bool { return e["open"] == true })
	for _, row := range []struct {
		query, origin string
		status        int
		code          string
	}{
		{"path=ports/3&mode=own", "", 403, "not-writable"},
		{"path=ports/9", "", 404, "unknown-stream"},
		{"path=ports/2&mode=own", "", 409, "busy"},
		{"path=ports/1&mode=steal", "", 400, "bad-mode"},
		{"path=ports/1&line=fast", "", 400, "bad-line"},
		{"path=//", "", 400, "bad-path"},
		{"path=ports/1", "http://evil.example", 403, "cross-origin"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.url+base+"/devices/box/stream?"+row.query, nil)
		if err != nil {
			t.Fatal(err)
		}
		if row.origin != "" {
			r.Header.Set("Origin", row.origin)
		}
		w, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		var p Problem
		err = json.NewDecoder(w.Body).Decode(&p)
		w.Body.Close()
		if err != nil || w.StatusCode != row.status || p.Code != row.code {
			t.Errorf("%s: %d %q %v, want %d %s", row.query, w.StatusCode, p.Code, err, row.status, row.code)
		}
	}
}

// Whoever signs out, or is taken out of the configuration, has no port any more: a page that is left open somewhere must not
// go on writing to a machine.
func TestPortEndsWithItsSession(t *testing.T) {
	a, tokens, set := people(t)
	d := newPortDoor(t, Config{Access: a})
	post := func(path, body string, header http.Header) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), "POST", d.url+base+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = header
		r.Header.Set("Content-Type", "application/json")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer
	}
	cookie, _, _ := strings.Cut(post("/login", `{"user": "the-admin", "password": "words and more"}`, http.Header{}).Header.Get("Set-Cookie"), ";")
	session := http.Header{"Cookie": {cookie}}
	viewer, _, err := websocket.Dial(t.Context(), d.url+base+"/devices/box/stream?path=ports/1", &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + tokens["viewer"]}}})
	if err != nil {
		t.Fatal(err)
	}
	defer viewer.CloseNow()
	(&portClient{viewer, t}).until("who may not own", func(_ websocket.MessageType, _ []byte, e map[string]any) bool {
		return e["type"] == "line" && e["writable"] == false && e["writable_key"] == "tokens.bot-viewer.role"
	})
	for _, tt := range []struct {
		name   string
		header http.Header
		end    func()
	}{
		{"logout", session, func() { post("/logout", "", session.Clone()) }},
		{"token removed", http.Header{"Authorization": {"Bearer " + tokens["admin"]}}, func() {
			set.Tokens = set.Tokens[:2]
			if err := a.Set(set); err != nil {
				t.Error(err)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn, _, err := websocket.Dial(t.Context(), d.url+base+"/devices/box/stream?path=ports/1&mode=own", &websocket.DialOptions{HTTPHeader: tt.header})
			if err != nil {
				t.Fatal(err)
			}
			defer conn.CloseNow()
			c := &portClient{conn, t}
			c.until("open", func(_ websocket.MessageType, _ []byte, e map[string]any) bool {
				return e["type"] == "line" && e["open"] == true && e["mine"] == true && e["writable"] == true
			})
			tt.end()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			for err == nil {
				_, _, err = c.Read(ctx)
			}
			if websocket.CloseStatus(err) != websocket.StatusGoingAway || !strings.Contains(err.Error(), errSignedOut.Error()) {
				t.Errorf("the stream of a session that has ended: %v", err)
			}
		})
	}
}
