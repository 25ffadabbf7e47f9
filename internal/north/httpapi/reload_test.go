package httpapi

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/internal/north"
)

type reloader struct {
	err  error
	asks []bool
}

func (r *reloader) Reload(_ context.Context, dryRun bool) (north.Reload, error) {
	r.asks = append(r.asks, dryRun)
	return north.Reload{Applied: !dryRun, Devices: []north.ReloadDevice{{Name: "mill1", What: "restarted", Keys: []string{"poll"}}, {Name: "press", What: "unchanged"}}}, r.err
}

func TestReload(t *testing.T) {
	r := &reloader{}
	d := newDoor(t, Config{Reloader: r})
	want := Reload{Devices: []ReloadDevice{{"mill1", "restarted", []string{"poll"}}, {"press", "unchanged", []string{}}}, Restart: []string{}}
	if diff := cmp.Diff(want, into[Reload](t, d.do("POST", api+"/reload?dry_run=true", ""), 200)); diff != "" {
		t.Error(diff)
	}
	want.Applied = true
	if diff := cmp.Diff(want, into[Reload](t, d.do("POST", api+"/reload", ""), 200)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]bool{true, false}, r.asks); diff != "" {
		t.Error(diff)
	}
	r.err = &north.ReloadError{Code: "bad-configuration", Text: "it is wrong", Hint: "mend it", Each: []string{"shop.yaml:3:5: unknown key"}}
	if p := into[Problem](t, d.do("POST", api+"/reload", ""), 422); p.Code != "bad-configuration" || p.Hint != "mend it" || len(p.Errors) != 1 {
		t.Errorf("%+v", p)
	}
	r.err = errors.New("oops")
	into[Problem](t, d.do("POST", api+"/reload", ""), 500)
	if p := into[Problem](t, newDoor(t, Config{}).do("POST", api+"/reload", ""), 409); p.Code != "no-file" {
		t.Errorf("without a file: %+v", p)
	}
	if r := d.do("POST", api+"/reload", "", "Origin: https://evil.example", "Sec-Fetch-Site: cross-site"); r.StatusCode != 403 {
		t.Errorf("from a page elsewhere: %d", r.StatusCode)
	}
}
