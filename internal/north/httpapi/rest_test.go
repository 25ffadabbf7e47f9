package httpapi

import (
	"net/http"
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/internal/north/northtest"
)

const api = "/api/v1"

func TestDevices(t *testing.T) {
	d := newDoor(t, Config{})
	list := into[DeviceList](t, d.do("GET", api+"/devices", ""), 200)
	if list.Epoch != d.gw.Tree.Epoch() || list.Version != "v0-test" || len(list.Devices) != 2 {
		t.Fatalf("got %+v", list)
	}
	up, down := list.Devices[0].Link, list.Devices[1].Link
	if up.State != "up" || up.RoundTripMS == nil || *up.RoundTripMS != 1.5 || up.LastData != "2026-03-14T15:09:26.535Z" {
		t.Errorf("link of the device that is up: %+v", up)
	}
	if down.State != "down" || down.ErrorClass != "refused" || down.Hint == "" || down.NextAttempt == "" || down.Error == "" {
		t.Errorf("link of the device that is down: %+v", down)
	}
	one := into[Device](t, d.do("GET", api+"/devices/"+northtest.Mill, ""), 200)
	if one.PointCount != list.Devices[0].PointCount || one.PointCount < 30 || one.Labels["site"] != "Ulm" {
		t.Errorf("got %+v", one)
	}
}

func TestSpecs(t *testing.T) {
	d := newDoor(t, Config{})
	all := into[SpecList](t, d.do("GET", api+"/devices/mill1/specs", ""), 200)
	if len(all.Commands) != 1 || len(all.LabelSets["execution"]) != 3 || len(all.LabelSets["on-off"]) != 2 {
		t.Errorf("got %+v", all)
	}
	by := map[string]Spec{}
	for _, s := range all.Specs {
		by[s.Path] = s
	}
	if s := by["int/override"]; !s.Writable || s.Min == nil || *s.Min != 0 || *s.Max != 200 || s.Step != 10 || s.Confirm != "notify" || s.WritableKey != "devices.mill1.writable" {
		t.Errorf("override: %+v", s)
	}
	if s := by["int/offset"]; s.Writable || s.Hazard != "hazard" {
		t.Errorf("a wildcard grants a hazard point: %+v", s)
	}
	if s := by["int/max"]; s.Writable || s.WritableKey != "" || s.Min != nil {
		t.Errorf("a read-only point: %+v", s)
	}
	some := into[SpecList](t, d.do("GET", api+"/devices/mill1/specs?under=bool&under=list/alarms", ""), 200)
	if len(some.Specs) != 2 || len(some.Specs[1].Columns) != 3 || len(some.Commands) != 0 {
		t.Errorf("got %+v", some)
	}
}

func TestPoints(t *testing.T) {
	d := newDoor(t, Config{})
	for target, want := range map[string]int{
		"/devices/mill1/points":                         39,
		"/devices/mill1/points?under=int":               4,
		"/points?role=cnc.execution":                    1,
		"/points?role=link.state&role=cnc.alarms":       3,
		"/points?device=press&under=count":              1,
		"/points?device=press&device=mill1&under=_link": 16,
	} {
		got := into[Snapshot](t, d.do("GET", api+target, ""), 200)
		if len(got.Points) != want || got.Seq == 0 || got.Epoch == "" {
			t.Errorf("%s: %d points, want %d", target, len(got.Points), want)
		}
	}
}

func TestValueAsText(t *testing.T) {
	d := newDoor(t, Config{})
	for path, want := range map[string]string{
		"int/min": "-9223372036854775808\n", "float/position": "123.4\n", "enum/execution": "ACTIVE\n", "enum/no-label": "77\n",
		"bytes/some": "000aff\n", "string/empty": "\n", "none/yet": "\n", "bool/yes": "true\n",
	} {
		r := d.do("GET", api+"/devices/mill1/value?path="+path, "", "Accept: text/plain")
		if got := text(t, r); got != want || r.StatusCode != 200 || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/plain") {
			t.Errorf("%s: %d %q, want %q", path, r.StatusCode, got, want)
		}
		if got := text(t, d.do("GET", api+"/devices/mill1/value?format=text&path="+path, "")); got != want {
			t.Errorf("%s with format=text: %q", path, got)
		}
	}
	p := into[Point](t, d.do("GET", api+"/devices/mill1/value?path=float/position", ""), 200)
	if p.Text != "123.400" || p.Quality != "good" || p.Received != "2026-03-14T15:09:26.535Z" {
		t.Errorf("got %+v", p)
	}
}

func TestPutValue(t *testing.T) {
	d := newDoor(t, Config{})
	put := api + "/devices/mill1/value?path="
	if got := text(t, d.do("PUT", put+"int/override", "120 %\n", "Content-Type: text/plain")); got != "120\n" {
		t.Errorf("got %q", got)
	}
	if got := text(t, d.do("PUT", put+"enum/switch", "on", "Content-Type: application/x-www-form-urlencoded")); got != "on\n" {
		t.Errorf("got %q", got)
	}
	w := into[Write](t, d.do("PUT", put+"int/override", `{"value": 130}`), 200)
	if w.Stage != "confirmed" || !w.Final || w.Items[0].Now.(interface{ String() string }).String() != "130" {
		t.Errorf("got %+v", w)
	}
	p := into[Problem](t, d.do("PUT", put+"no/thanks", "1", "Content-Type: text/plain"), 409)
	if p.Code != "refused" || p.Class != "device-said-no" || p.Hint == "" || p.Write == "" {
		t.Errorf("got %+v", p)
	}
}

func TestProblems(t *testing.T) {
	d := newDoor(t, Config{})
	for _, c := range []struct {
		method, target, body string
		status               int
		code, meant          string
	}{
		{"GET", "/nothing", "", 404, "not-found", ""},
		{"DELETE", "/devices", "", 405, "method-not-allowed", ""},
		{"GET", "/devices/mil1", "", 404, "unknown-device", "mill1"},
		{"GET", "/devices/mill1/value?path=int/overide", "", 404, "unknown-point", "int/override"},
		{"GET", "/devices/mill1/value", "", 422, "bad-request", ""},
		{"GET", "/devices/mill1/value?path=Int//x", "", 400, "bad-path", ""},
		{"GET", "/devices/mill1/points?under=A", "", 400, "bad-path", ""},
		{"GET", "/points?role=cnc.excution", "", 400, "unknown-role", "cnc.execution"},
		{"GET", "/points?device=pres", "", 404, "unknown-device", "press"},
		{"GET", "/events?except=audio.metr", "", 400, "unknown-role", "audio.meter"},
		{"GET", "/events?every=1ms", "", 400, "bad-every", ""},
		{"GET", "/events?every=often", "", 400, "bad-every", ""},
		{"GET", "/events?writes=perhaps", "", 400, "bad-writes", ""},
		{"GET", "/events?device=pres", "", 404, "unknown-device", "press"},
		{"GET", "/writes/w99", "", 404, "unknown-write", ""},
		{"GET", "/writes?since=-1", "", 422, "bad-request", ""},
		{"POST", "/writes", `{"writes": []}`, 422, "bad-request", ""},
		{"POST", "/writes", `{"writes": [{"device": "mill1", "path": "bool/yes", "valu": 1}]}`, 422, "bad-request", ""},
		{"POST", "/writes", `{"writes": 7`, 400, "bad-request", ""},
		{"POST", "/writes", `{"writes": [{"device": "mill1", "path": "bool/yes"}]}`, 422, "no-value", ""},
		{"POST", "/writes", `{"writes": [{"device": "mill1", "path": "bool/yes", "value": 1, "toggle": true}]}`, 422, "no-value", ""},
		{"POST", "/writes", `{"writes": [{"device": "mill1", "path": "bool/yes", "value": 1}], "deadline": "1h"}`, 400, "bad-deadline", ""},
		{"POST", "/writes", `{"writes": [{"device": "mil1", "path": "x", "value": 1}]}`, 404, "unknown-device", "mill1"},
		{"POST", "/writes", `{"writes": [{"device": "mill1", "path": "bool/ye", "value": 1}]}`, 404, "unknown-point", "bool/yes"},
		{"POST", "/writes", `{"writes": [{"device": "mill1", "path": "int/max", "value": 1}]}`, 403, "read-only", ""},
		{"POST", "/writes", `{"writes": [{"device": "mill1", "path": "int/offset", "value": 1}]}`, 403, "not-writable", ""},
		{"POST", "/writes", `{"writes": [{"device": "mill1", "path": "int/override", "value": 201}]}`, 422, "out-of-range", ""},
		{"POST", "/writes", `{"writes": [{"device": "mill1", "path": "int/override", "value": "fast"}]}`, 422, "wrong-type", ""},
		{"POST", "/writes", `{"writes": [{"device": "mill1", "path": "int/override", "value": 10, "if_value": 90}]}`, 412, "if-value", ""},
		{"POST", "/devices/mill1/commands", `{"path": "flus"}`, 404, "unknown-command", "flush"},
		{"PUT", "/devices/mill1/value?path=bool/yes", `{"value": null}`, 422, "no-value", ""},
		{"PUT", "/devices/mill1/value?path=bool/yes", `{`, 400, "bad-json", ""},
	} {
		r := d.do(c.method, api+c.target, c.body)
		if ct := r.Header.Get("Content-Type"); ct != "application/problem+json" {
			t.Errorf("%s %s %s: Content-Type %q", c.method, c.target, c.body, ct)
		}
		p := into[Problem](t, r, c.status)
		if p.Code != c.code || p.Status != c.status || p.Title != http.StatusText(c.status) || p.Detail == "" || p.DidYouMean != c.meant {
			t.Errorf("%s %s %s: %+v", c.method, c.target, c.body, p)
		}
	}
	big := `{"writes": "` + strings.Repeat("x", maxBody) + `"}`
	if p := into[Problem](t, d.do("POST", api+"/writes", big), 413); p.Code != "too-large" {
		t.Errorf("a large body: %+v", p)
	}
	hint := into[Problem](t, d.do("POST", api+"/writes", `{"writes": [{"device": "mill1", "path": "int/offset", "value": 1}]}`), 403)
	if !strings.Contains(hint.Hint, `devices: {mill1: {writable: ["int/offset"]}}`) || hint.Item == nil || *hint.Item != 0 || hint.Write == "" {
		t.Errorf("a refusal does not name the line of the configuration: %+v", hint)
	}
}
