package httpapi

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Every operation of the OpenAPI document is asked, and its answer has the form that the document says.
func TestOpenAPI(t *testing.T) {
	d := newDoor(t, Config{Reloader: &reloader{}})
	raw := text(t, d.do("GET", api+"/openapi.json", ""))
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	var spec struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string
			Responses   map[string]struct {
				Content map[string]struct{ Schema any }
			}
		}
	}
	if err := json.Unmarshal([]byte(raw), &spec); err != nil || !strings.HasPrefix(spec.OpenAPI, "3.1") {
		t.Fatalf("version %q, %v", spec.OpenAPI, err)
	}
	for _, bad := range []string{"ErrorModel", "unpkg", "cdn"} {
		if strings.Contains(raw, bad) {
			t.Errorf("the document speaks of %s", bad)
		}
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	write := `{"writes": [{"device": "mill1", "path": "bool/yes", "toggle": true}], "deadline": "1s"}`
	asked := map[string]struct{ target, body string }{
		"devices": {"/devices", ""}, "device": {"/devices/mill1", ""}, "specs": {"/devices/mill1/specs", ""},
		"device-points": {"/devices/mill1/points", ""}, "points": {"/points", ""}, "value": {"/devices/mill1/value?path=float/nan", ""},
		"set-value": {"/devices/mill1/value?path=int/override", `{"value": 10}`}, "write": {"/writes", write},
		"writes": {"/writes", ""}, "write-by-id": {"/writes/w1", ""}, "me": {"/me", ""}, "audit": {"/audit", ""}, "reload": {"/reload?dry_run=true", ""}, "healthz": {"", ""}, "readyz": {"", ""},
		"command": {"/devices/mill1/commands", `{"path": "flush", "args": {"side": 1}}`},
	}
	d.do("POST", api+"/writes", write)
	var ids []string
	for path, item := range spec.Paths {
		for method, op := range item {
			ids = append(ids, op.OperationID)
			q, ok := asked[op.OperationID]
			if !ok {
				continue
			}
			target := api + q.target
			if q.target == "" {
				target = path
			}
			r := d.do(strings.ToUpper(method), target, q.body)
			body := text(t, r)
			if r.StatusCode != 200 {
				t.Errorf("%s: %d %s", op.OperationID, r.StatusCode, body)
				continue
			}
			pointer := "#/paths/" + strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(path) + "/" + method + "/responses/200/content/application~1json/schema"
			conforms(t, compiler, op.OperationID, "openapi.json"+pointer, body)
		}
	}
	want := append(slices.Collect(maps.Keys(asked)), "events", "login", "logout", "probe") // which have tests of their own
	slices.Sort(want)
	slices.Sort(ids)
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("operations that nobody tests (-tested +there):\n%s", diff)
	}
	conforms(t, compiler, "problem", "openapi.json#/components/schemas/Problem", text(t, d.do("GET", api+"/devices/x", "")))
}

func conforms(t *testing.T, c *jsonschema.Compiler, what, location, body string) {
	t.Helper()
	schema, err := c.Compile(location)
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(body)))
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	if err := schema.Validate(v); err != nil {
		t.Errorf("%s: %v", what, err)
	}
}
