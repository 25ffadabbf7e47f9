package cli

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/internal/config"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/all"
	"github.com/patchbay-io/patchbay/internal/lab/simulate"
)

// Every server says what it listens on in a way that the check of the configuration can compare: two of one driver, with the defaults,
// cannot be had.
func TestServersAreComparedByTheCheck(t *testing.T) {
	tagged := func(name string, options any) {
		o := reflect.TypeOf(options).Elem()
		for i := range o.NumField() {
			if f := o.Field(i); strings.Contains(f.Tag.Get("doc"), "HOST:PORT") && f.Tag.Get("listens") == "" {
				t.Errorf("%s: the option %s is an address, and has no tag that says of what network: `listens:\"tcp\"`", name, f.Tag.Get("yaml"))
			}
		}
	}
	for _, f := range faces() {
		tagged("the face "+f.Name, f.Options())
	}
	servers := 0
	for _, d := range all.Drivers() {
		s, ok := d.(driver.Server)
		if !ok || d.Info().Can&driver.CanServe == 0 {
			continue
		}
		servers++
		name := d.Info().Name
		tagged(name, s.ServeOptions())
		serve := "{}"
		if name == "openswitcher" {
			serve = "{openswitcher: 127.0.0.1:4532}"
		}
		url := d.Info().Schemes[0].Name + "://192.0.2.7"
		text := fmt.Sprintf("devices:\n  one:\n    url: %s\n    serve: %s\n  other:\n    url: %s\n    serve: %s\n", url, serve, url, serve)
		_, err := config.Load(config.Input{File: "patchbay.yaml", Data: []byte(text), Drivers: all.Drivers(), Twins: simulate.Settings(), Faces: faces()})
		if err == nil || !strings.Contains(err.Error(), "patchbay.yaml:7") || !strings.Contains(err.Error(), "is taken already by one.serve.") {
			t.Errorf("%s twice: %v", name, err)
		}
	}
	if servers < 6 {
		t.Errorf("%d servers", servers)
	}
}
