package httpapi

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/testnet"
)

type event struct{ name, id, data string }

// reader is one client of the event stream.
type reader struct {
	t    *testing.T
	body io.ReadCloser
	in   *bufio.Reader
	last string
}

func (r *reader) next() event {
	r.t.Helper()
	var e event
	for {
		line, err := r.in.ReadString('\n')
		if err != nil {
			r.t.Fatalf("event stream: %v", err)
		}
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			r.last = e.id
			return e
		}
		field, value, _ := strings.Cut(line, ": ")
		switch field {
		case "event":
			e.name = value
		case "id":
			e.id = value
		case "data":
			e.data = value
		}
	}
}

// want reads the next event, which must have the name.
func (r *reader) want(name string) event {
	r.t.Helper()
	e := r.next()
	if e.name != name {
		r.t.Fatalf("event %s %s, want %s", e.name, e.data, name)
	}
	return e
}

// live is a door in simulated time and on a network in memory.
type live struct {
	*door
	net    *testnet.Listener
	client *http.Client
	stop   context.CancelFunc
	ended  chan error
}

func newLive(t *testing.T, cfg Config) *live {
	t.Helper()
	l := new(testnet.Network).MustListen("127.0.0.1:8620")
	cfg.Listener = l
	d := newDoor(t, cfg)
	ctx, stop := context.WithCancel(t.Context())
	v := &live{d, l, &http.Client{Transport: &http.Transport{DialContext: l.DialContext}}, stop, make(chan error, 1)}
	go func() { v.ended <- d.s.Run(ctx) }()
	return v
}

func (v *live) end() {
	v.t.Helper()
	defer v.client.CloseIdleConnections()
	v.stop()
	if err := <-v.ended; err != nil {
		v.t.Errorf("Run: %v", err)
	}
}

func (v *live) events(query string, headers ...string) *reader {
	v.t.Helper()
	r, err := http.NewRequest("GET", "http://localhost/api/v1/events?"+query, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	resp, err := v.client.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
		v.t.Fatalf("status %d, %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	return &reader{t: v.t, body: resp.Body, in: bufio.NewReader(resp.Body)}
}

func (v *live) set(path device.Path, n int64) {
	v.gw.Tree.Apply("mill1", &device.Delta{Samples: []device.Sample{{Path: path, Value: device.OfInt(n)}}})
}

type pointsData struct {
	Points []struct {
		Point
		Merged uint32 `json:"merged"`
	} `json:"points"`
}

func decode[T any](t *testing.T, e event) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(e.data), &v); err != nil {
		t.Fatalf("%v in %s", err, e.data)
	}
	return v
}

func TestEventsFromTheBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newLive(t, Config{})
		defer v.end()
		r := v.events("")
		defer r.body.Close()
		if e := r.want("hello"); !strings.Contains(e.data, `"version":"v0-test"`) || e.id != v.gw.Tree.Epoch()+".0" {
			t.Errorf("hello %s, id %s", e.data, e.id)
		}
		if e := r.want("reset"); e.data != `{"reason":"first"}` || e.id != v.gw.Tree.Epoch()+".0" {
			t.Errorf("reset %s, id %s", e.data, e.id)
		}
		specs := decode[specEvent](t, r.want("specs"))
		e := r.want("points")
		points := decode[pointsData](t, e)
		_, seq := v.gw.Tree.Points(device.Filter{})
		_, pos, _, _ := parsePosition(e.id)
		if len(specs.Specs) != len(points.Points) || len(points.Points) != 48 || pos.points != seq {
			t.Errorf("%d specs, %d points, position %s", len(specs.Specs), len(points.Points), e.id)
		}
		if len(specs.LabelSets["mill1"]["execution"]) != 3 {
			t.Errorf("label sets %v", specs.LabelSets)
		}
		start := time.Now()
		r.want("ping")
		if d := time.Since(start); d != pingEvery {
			t.Errorf("ping after %v", d)
		}
	})
}

func TestEventsAreMerged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newLive(t, Config{})
		defer v.end()
		r := v.events("under=int/override&device=mill1&every=250ms")
		defer r.body.Close()
		for _, name := range []string{"hello", "reset", "specs", "points"} {
			r.want(name)
		}
		start := time.Now()
		for i := range 11 {
			v.set("int/override", int64(10*i))
			v.set("int/max", int64(i)) // not selected
		}
		got := decode[pointsData](t, r.want("points"))
		if d := time.Since(start); d != 250*time.Millisecond {
			t.Errorf("delivered after %v", d)
		}
		if len(got.Points) != 1 || got.Points[0].Text != "100" || got.Points[0].Merged != 10 {
			t.Errorf("got %+v", got)
		}
	})
}

func TestEventsByRole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newLive(t, Config{})
		defer v.end()
		r := v.events("role=cnc.execution&role=cnc.alarms")
		defer r.body.Close()
		r.want("hello")
		r.want("reset")
		r.want("specs")
		var paths []string
		for _, p := range decode[pointsData](t, r.want("points")).Points {
			paths = append(paths, p.Path)
		}
		if d := cmp.Diff([]string{"enum/execution", "list/alarms"}, paths); d != "" {
			t.Error(d)
		}
	})
}

func TestEventsExcept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newLive(t, Config{})
		defer v.end()
		r := v.events("role=cnc.execution&role=cnc.alarms&except=cnc.alarms")
		defer r.body.Close()
		for r.next().name != "specs" {
		}
		points := decode[pointsData](t, r.want("points")).Points
		if len(points) != 1 || points[0].Path != "enum/execution" {
			t.Errorf("%v, want the execution alone", points)
		}
	})
}

func TestEventsResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newLive(t, Config{})
		defer v.end()
		r := v.events("device=mill1")
		for r.next().name != "points" {
		}
		r.body.Close()
		v.set("int/override", 50)
		v.gw.Tree.Apply("mill1", &device.Delta{
			Gone:  []device.Path{"list"},
			Specs: []device.Spec{{Path: "new", Kind: device.Int, Access: device.R}}, Samples: []device.Sample{{Path: "new", Value: device.OfInt(1)}},
		})
		for name, again := range map[string]*reader{
			"Last-Event-ID": v.events("device=mill1", "Last-Event-ID: "+r.last), "since": v.events("device=mill1&since=" + r.last),
		} {
			if e := again.want("hello"); e.id != r.last {
				t.Errorf("%s: hello moves the position from %s to %s", name, r.last, e.id)
			}
			gone := again.want("gone")
			if !strings.Contains(gone.data, `"path":"list/alarms"`) || !strings.Contains(gone.data, `"path":"list/empty"`) || gone.id != r.last {
				t.Errorf("%s: gone %s, id %s", name, gone.data, gone.id)
			}
			if s := decode[specEvent](t, again.want("specs")); len(s.Specs) != 1 || s.Specs[0].Path != "new" {
				t.Errorf("%s: specs %+v", name, s)
			}
			got := decode[pointsData](t, again.want("points"))
			if len(got.Points) != 2 || got.Points[0].Path != "int/override" || got.Points[1].Path != "new" {
				t.Errorf("%s: points %+v", name, got)
			}
			again.body.Close()
		}
	})
}

func TestEventsReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newLive(t, Config{})
		defer v.end()
		for id, reason := range map[string]string{
			"ffff.7": "new-epoch", "rubbish": "unknown-position", v.gw.Tree.Epoch() + ".x": "unknown-position",
			v.gw.Tree.Epoch() + ".99999999": "too-old", v.gw.Tree.Epoch() + ".1.x": "unknown-position",
		} {
			r := v.events("device=press", "Last-Event-ID: "+id)
			r.want("hello")
			if e := r.want("reset"); e.data != `{"reason":"`+reason+`"}` {
				t.Errorf("%s: %s, want %s", id, e.data, reason)
			}
			r.want("specs")
			r.want("points")
			r.body.Close()
		}
	})
}

// A delivery that needs several events is repeated as a whole when the connection breaks before the last of them: the spec
// of a point may be older than a position in the middle.
func TestEventsResumeInTheMiddle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newLive(t, Config{})
		defer v.end()
		const many = 3*perEvent + 7
		change := func(add int64, doc string) {
			var d device.Delta
			for i := range many {
				p := device.Join("many", string(rune('a'+i%26)), strings.Repeat("x", i/26+1))
				d.Specs = append(d.Specs, device.Spec{Path: p, Kind: device.Int, Access: device.R, Doc: doc})
				d.Samples = append(d.Samples, device.Sample{Path: p, Value: device.OfInt(int64(i) + add)})
			}
			v.gw.Tree.Apply("mill1", &d)
		}
		id := ""
		for _, doc := range []string{"first", "second"} {
			change(int64(len(doc)), doc)
			before := id
			for _, cut := range []int{1, 3, 0} { // after how many points events the connection breaks; 0: never
				seen, specs, resets := map[string]bool{}, map[string]string{}, 0
				r := v.events("under=many", "Last-Event-ID: "+id)
				for n := 0; len(seen) < many && (cut == 0 || n < cut); {
					e := r.next()
					switch e.name {
					case "reset":
						resets++
					case "specs":
						for _, s := range decode[specEvent](t, e).Specs {
							specs[s.Path] = s.Doc
						}
					case "points":
						n++
						for _, p := range decode[pointsData](t, e).Points {
							if specs[p.Path] != doc {
								t.Fatalf("%s came before its spec", p.Path)
							}
							seen[p.Path] = true
						}
					}
					id = e.id
				}
				r.body.Close()
				if (resets == 1) != (doc == "first") {
					t.Errorf("%s, cut after %d: %d resets", doc, cut, resets)
				}
				if moved := id != before && !strings.HasSuffix(id, ".0"); moved != (cut == 0) {
					t.Errorf("%s, cut after %d: position %s", doc, cut, id)
				}
			}
		}
	})
}

func TestEventsOfWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newLive(t, Config{})
		defer v.end()
		v.post(t, `{"writes": [{"device": "mill1", "path": "slow/confirm", "value": 4}]}`)
		r := v.events("writes=true&under=none")
		for _, name := range []string{"hello", "reset", "specs", "points"} {
			r.want(name)
		}
		v.gw.Release()
		e := r.want("write")
		if w := decode[Write](t, e); w.Stage != "confirmed" || len(w.Items[0].Steps) != 3 || w.Who.Door != "http" {
			t.Errorf("got %+v", w)
		}
		r.body.Close()
		v.post(t, `{"writes": [{"device": "mill1", "path": "bool/yes", "toggle": true}]}`)
		again := v.events("writes=true&under=none&since=" + e.id)
		defer again.body.Close()
		again.want("hello")
		if w := decode[Write](t, again.want("write")); w.ID != "w2" || w.Items[0].Old != true || w.Items[0].New != false {
			t.Errorf("a returning reader misses a write: %+v", w)
		}
	})
}

func (v *live) post(t *testing.T, body string) Write {
	t.Helper()
	return into[Write](t, v.do("POST", api+"/writes", body), map[bool]int{true: 202, false: 200}[strings.Contains(body, "slow/confirm")])
}

// A client that reads nothing is dropped, and nobody else notices.
func TestStalledReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newLive(t, Config{Streams: 2})
		defer v.end()
		conn, err := v.net.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "GET /api/v1/events?every=10ms HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		r := v.events("under=int/max&every=10ms")
		defer r.body.Close()
		for r.next().name != "points" {
		}
		synctest.Wait() // both are served
		long := strings.Repeat("y", 50_000)
		start := time.Now()
		for i := 0; v.s.streams.Load() == 2; i++ {
			if time.Since(start) > time.Minute {
				t.Fatal("the stalled client is still there")
			}
			v.gw.Tree.Apply("mill1", &device.Delta{Samples: []device.Sample{
				{Path: "string/long", Value: device.OfString(long[:40_000+i])}, {Path: "int/max", Value: device.OfInt(int64(i))},
			}})
			if got := decode[pointsData](t, r.want("points")); got.Points[0].Value != float64(i) {
				t.Fatalf("change %d: %+v", i, got)
			}
			time.Sleep(20 * time.Millisecond)
		}
		if d := time.Since(start); d < streamTimeout || d > streamTimeout+5*time.Second {
			t.Errorf("dropped after %v", d)
		}
		if n := measures(v.s, "http_streams_dropped_total")[""]; n != 1 {
			t.Errorf("%v streams counted as dropped, want 1", n)
		}
	})
}

func TestTooManyStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newLive(t, Config{Streams: 1})
		defer v.end()
		r := v.events("")
		p := into[Problem](t, v.do("GET", api+"/events", ""), 503)
		if p.Code != "too-many-streams" {
			t.Errorf("got %+v", p)
		}
		r.body.Close()
		synctest.Wait()
		v.events("").body.Close()
	})
}

// The end comes at once for streams, and after a while for clients that keep a request open.
func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newLive(t, Config{})
		r := v.events("")
		for r.next().name != "points" {
		}
		start := time.Now()
		v.end()
		if d := time.Since(start); d > time.Second {
			t.Errorf("took %v with an open stream", d)
		}
		if _, err := io.Copy(io.Discard, r.body); err != nil {
			t.Errorf("the stream was cut: %v", err)
		}
		r.body.Close()
		if err := v.s.Run(t.Context()); err == nil {
			t.Error("Run can be called twice")
		}
	})
}

func TestShutdownCutsWhatDoesNotDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newLive(t, Config{})
		conn, err := v.net.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "POST /api/v1/writes HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		start := time.Now()
		v.end()
		if d := time.Since(start); d > drainTimeout+time.Second {
			t.Errorf("took %v", d)
		}
	})
}

func TestRealListener(t *testing.T) {
	d := newDoor(t, Config{Listen: "127.0.0.1:0"})
	if d.s.Addr() != nil {
		t.Error("New has done I/O")
	}
	if err := d.s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.s.Run(ctx) }()
	client := &http.Client{Transport: &http.Transport{}}
	resp, err := client.Get("http://" + d.s.Addr().(*net.TCPAddr).String() + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	if h := into[Health](t, resp, 200); h.Status != "ok" {
		t.Errorf("got %+v", h)
	}
	resp.Body.Close()
	client.CloseIdleConnections()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
