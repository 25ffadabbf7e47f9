package simulate

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focasclient"
)

const night = `
profile: 31i
seed: 7
speed: 2
sessions: 3
period: 60s
faults: {delay: 1ms, corrupt: 0}
events:
  - {at: 10s, alarm: {type: EX, number: 1005, text: COOLANT LEVEL LOW}}
  - {at: 20s, clear-alarms: true}
  - {at: 5s, message: {number: 2011, text: CHECK CLAMPING}}
  - {at: 6s, hide-message: 2011}
  - {at: 25s, feed-hold: true}
  - {at: 26s, feed-hold: false}
  - {at: 27s, feed-override: 50}
  - {at: 27s, rapid-override: 25}
  - {at: 27s, spindle-override: 120}
  - {at: 28s, mode: edit}
  - {at: 29s, emergency-stop: true}
  - {at: 30s, emergency-stop: false}
  - {at: 31s, program: O1001, path: 2}
  - {at: 32s, reset: true}
  - {at: 33s, start: true}
  - at: 40s
    faults: {stale: true, split: 1}
    for: 10s
  - {at: 55s, power-cycle: true}
`

func TestScenarioFile(t *testing.T) {
	s, err := ParseFOCASScenario("night.yaml", []byte(night))
	if err != nil {
		t.Fatal(err)
	}
	o := s.Options()
	if o.Profile != "31i" || o.Seed != 7 || o.Speed != 2 || o.MaxSessions != 3 || s.Period != time.Minute {
		t.Errorf("%+v", o)
	}
	if s.Events[0].At != 5*time.Second || len(s.Events) != 17 {
		t.Errorf("%d events, the first at %v", len(s.Events), s.Events[0].At)
	}
	if n := len(s.changes()); n != 3 {
		t.Errorf("%d changes that are not the machine's", n)
	}
}

func TestWrongScenarios(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"seed: 2\nfaults: {delay: fast}\n", `x.yaml:2: "fast": the value is of the wrong type; expected a time such as`},
		{"events:\n  - {at: 5s, start: true}\n  - {at: later, reset: true}\n", `x.yaml:3: "later": the value`},
		{"profile: 30i\nsped: 2\n", `x.yaml:2:1: unknown field "sped"`},
		{"speed: fast\n", "x.yaml:1:8: the value is of the wrong type; expected a number"},
		{"speed: 0\n", "x.yaml:1: speed: 0 is no number above 0"},
		{"events:\n  - at: 5\n    reset: true\n", "expected a time such as"},
		{"events:\n  - at: 5s\n", "x.yaml:2: event 1: nothing happens in it"},
		{"events:\n  - {at: 5s, reset: true}\n  - at: 6s\n    reset: true\n    start: true\n", "x.yaml:3: event 2: start and reset stand in one event"},
		{"events:\n  - {at: 5s, alarm: {type: XX}}\n", `type "XX" is unknown; known: EX, OH, OT, PS, SP, SV`},
		{"events:\n  - {at: 5s, mode: FAST}\n", "known: EDIT, HANDLE, JOG, MDI, MEMORY, REFERENCE"},
		{"events:\n  - {at: 5s, feed-override: 300}\n", "not between 0 and 254"},
		{"events:\n  - {at: 5s, reset: true, for: 1s}\n", "for: says how long faults last"},
		{"events:\n  - {at: 5s, reset: true, path: 1}\n", "path: is the number"},
		{"events:\n  - {at: -5s, reset: true}\n", "before the start"},
		{"period: 4s\nevents:\n  - {at: 5s, reset: true}\n", "beyond the period"},
		{"events:\n  - {at: 5s, faults: {stall: 3}}\n", "expected true or false"},
		{"events:\n  - {at: 5s, faults: {corrupt: 3}}\n", "faults: corrupt: 3 is not between 0 and 1"},
		{"faults: {error-frame: EW_NONE}\n", `"EW_NONE" is no FOCAS error`},
		{"faults: {split: -1}\n", "x.yaml:1: faults: split"},
		{"faults: {silent: true, silent: true}\n", "already defined"},
		{"events: [\n", "x.yaml:1:"},
		{"sessions: -1\n", "not below 0"},
	} {
		_, err := ParseFOCASScenario("x.yaml", []byte(tc.text))
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q:\n got %v\nwant %s", tc.text, err, tc.want)
		}
	}
}

func FuzzScenario(f *testing.F) {
	f.Add([]byte(night))
	f.Add([]byte("events:\n  - at: 5s\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ParseFOCASScenario("x.yaml", text)
		if err == nil {
			s.changes()
		}
	})
}

func TestTurn(t *testing.T) {
	var f FOCASFaults
	for _, arg := range []string{"stale", "split=2", "gap=3ms", "error-frame", "corrupt=0.5"} {
		if err := f.Turn(arg); err != nil {
			t.Error(err)
		}
	}
	if c, _ := f.code(); !f.Stale || f.Connection.Split != 2 || f.Connection.Gap != 3*time.Millisecond || c != focas.EWFunc {
		t.Errorf("%+v", f)
	}
	if err := f.Turn("error-frame=EW_BUSY"); err != nil {
		t.Error(err)
	}
	if c, _ := f.code(); c != focas.EWBusy {
		t.Errorf("%v", c)
	}
	for arg, want := range map[string]string{"loud": "known: corrupt, cut-after, cut-frame", "split=two": "--fault split=two: the value is of the wrong type; expected a whole number",
		"delay=5": "expected a time", "split": "expected a whole number", "corrupt=2": "--fault corrupt=2: 2 is not"} {
		if err := f.Turn(arg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", arg, err)
		}
	}
}

// TestFaultsAtTimes plays the scenario in simulated time: faults come, go, and come again in the next period.
func TestFaultsAtTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := ParseFOCASScenario("night.yaml", []byte(night))
		if err != nil {
			t.Fatal(err)
		}
		d, err := NewFOCAS(s.Options(), s)
		if err != nil {
			t.Fatal(err)
		}
		l, err := NewLocalDevice(d.Device())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- l.Run(ctx) }()
		at := func(machine time.Duration) FOCASFaults { // 2 seconds of the machine in one
			time.Sleep(time.Until(d.began.Add(machine/2 + time.Millisecond)))
			synctest.Wait()
			return d.Faults()
		}
		always := s.Faults
		for _, step := range []struct {
			at    time.Duration
			stale bool
		}{{39 * time.Second, false}, {40 * time.Second, true}, {49 * time.Second, true}, {50 * time.Second, false}, {101 * time.Second, true}, {111 * time.Second, false}} {
			got := at(step.at)
			if got.Stale != step.stale || !step.stale && got != always {
				t.Errorf("at %v: %+v", step.at, got)
			}
		}

		// the power goes off at 55 s of the next period
		c, err := focasclient.Dial(ctx, l.Dial, Host, focasclient.Options{})
		if err != nil {
			t.Fatal(err)
		}
		at(116 * time.Second)
		if _, err := c.Path(1).StatInfo(ctx); err == nil {
			t.Error("the session lives on after the power was off")
		}
		_ = c.Close(ctx)

		// another scenario from now on
		other, err := ParseFOCASScenario("b.yaml", []byte("profile: 31i\nseed: 7\nspeed: 2\nsessions: 3\nprotect: true\nevents:\n  - {at: 10s, faults: {silent: true}}\n"))
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Reload(other); err != nil {
			t.Fatal(err)
		}
		if got := at(117*time.Second + 8*time.Second); got.Silent {
			t.Error("faults come too early after a reload")
		}
		if got := at(117*time.Second + 12*time.Second); !got.Silent {
			t.Error("no faults after a reload")
		}
		other.Profile = "0i-F"
		if err := d.Reload(other); err == nil || !strings.Contains(err.Error(), "profile cannot change") {
			t.Error(err)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestConnectionFaultsReachTheClient: the same client, the same control, one fault after the other.
func TestConnectionFaultsReachTheClient(t *testing.T) {
	d, err := NewFOCAS((&FOCASScenario{Profile: "30i", Seed: 1, Speed: 1}).Options(), nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := NewLocalDevice(d.Device())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	for _, tc := range []struct {
		fault string
		ok    bool
	}{{"split: 1", true}, {"delay: 1ms", true}, {"cut-after: 200", false}, {"reset: true", false}, {"corrupt: 1", false}, {"error-frame: EW_BUSY", false}, {"{}", true}} {
		d.SetFaults(FOCASFaults{})
		if _, err := d.PatchFaults([]byte(tc.fault)); err != nil {
			t.Fatal(err)
		}
		c, err := focasclient.Dial(ctx, l.Dial, Host, focasclient.Options{})
		if err == nil {
			for range 10 {
				if _, e := c.Path(1).StatInfo(ctx); e != nil && err == nil {
					err = e
				}
			}
			_ = c.Close(ctx)
		}
		if (err == nil) != tc.ok {
			t.Errorf("%s: %v", tc.fault, err)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestControl(t *testing.T) {
	d, err := NewFOCAS((&FOCASScenario{Profile: "30i", Seed: 1, Speed: 1}).Options(), nil)
	if err != nil {
		t.Fatal(err)
	}
	h := ControlHandler(d)
	ask := func(method, path, body, host string, head ...string) (int, string) {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Host = host
		for i := 0; i+1 < len(head); i += 2 {
			r.Header.Set(head[i], head[i+1])
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	const here = "127.0.0.1:4711"
	for _, tc := range []struct {
		method, path, body string
		code               int
		want               string
	}{
		{"GET", "/faults", "", 200, "{}"},
		{"PATCH", "/faults", `{"stall": true, "delay": "50ms"}`, 200, `"stall": true`},
		{"PATCH", "/faults", `stall: false`, 200, `"delay": "50ms"`},
		{"GET", "/faults", "", 200, `{"delay": "50ms"}`},
		{"PATCH", "/faults", `{"stal": true}`, 422, "unknown field"},
		{"PATCH", "/faults", `{"corrupt": 7}`, 422, "not between 0 and 1"},
		{"PATCH", "/faults", strings.Repeat(" ", maxControl+1), 413, "too large"},
		{"POST", "/events", `{"alarm": {"type": "SV", "number": 401}}`, 204, ""},
		{"POST", "/events", `{"power-cycle": true}`, 204, ""},
		{"POST", "/events", `{"faults": {"stall": true}}`, 422, "PATCH /faults"},
		{"POST", "/events", `{"at": "5s", "reset": true}`, 422, "happens now"},
		{"POST", "/events", `{}`, 422, "nothing happens"},
		{"GET", "/", "", 404, "PATCH /faults"},
	} {
		if code, body := ask(tc.method, tc.path, tc.body, here); code != tc.code || !strings.Contains(body, tc.want) {
			t.Errorf("%s %s %.60s: %d %s", tc.method, tc.path, tc.body, code, body)
		}
	}
	if d.Faults().Connection.Stall || d.Faults().Connection.Delay != 50*time.Millisecond {
		t.Errorf("%+v", d.Faults())
	}
	if code, _ := ask("PATCH", "/faults", `{}`, "evil.example"); code != http.StatusMisdirectedRequest {
		t.Errorf("another host name: %d", code)
	}
	if code, _ := ask("PATCH", "/faults", `{"stall": true}`, here, "Origin", "http://evil.example"); code != http.StatusForbidden {
		t.Errorf("a page of another origin: %d", code)
	}
}

func TestControlServes(t *testing.T) {
	d, err := NewFOCAS((&FOCASScenario{Profile: "30i", Speed: 1}).Options(), nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Control(ctx, l, d) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + l.Addr().String() + "/faults")
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(resp.Body); strings.TrimSpace(string(b)) != "{}" {
		t.Errorf("%s", b)
	}
	resp.Body.Close()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	for addr, ok := range map[string]bool{"127.0.0.1:0": true, "localhost:1": true, "[::1]:0": true, "0.0.0.0:0": false, ":80": false, "192.0.2.1:1": false, "x": false} {
		if err := CheckControlAddress(addr); (err == nil) != ok {
			t.Errorf("%s: %v", addr, err)
		}
	}
}

func TestScenarioFileInURL(t *testing.T) {
	name := filepath.Join(t.TempDir(), "night.yaml")
	if err := os.WriteFile(name, []byte(night), 0o600); err != nil {
		t.Fatal(err)
	}
	o, s, err := FOCASOptions(url.Values{"scenario": {name}, "profile": {"30i"}})
	if err != nil || s == nil || o.Profile != "30i" || o.Seed != 7 {
		t.Errorf("%+v, %v, %v", o, s, err)
	}
	if _, _, err := FOCASOptions(url.Values{"scenario": {"none.yaml"}}); err == nil || !strings.Contains(err.Error(), "none.yaml") {
		t.Error(err)
	}
}
