package config

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
)

// servant is a driver with a native server.
type servant struct{ toy }

type servantOptions struct {
	Listen string        `yaml:"listen" doc:"where"`
	Allow  []string      `yaml:"allow" doc:"what"`
	Window time.Duration `yaml:"window" jsonschema:"type=string" doc:"how long"`
}

func (o *servantOptions) Validate() error {
	if o.Window < 0 {
		return errors.New("window: less than nothing; give 0s or more")
	}
	return nil
}

func (servant) Info() driver.Info {
	return driver.Info{Name: "servant", Title: "Servant", Schemes: []driver.Scheme{{Name: "servant", Network: "tcp", Port: 1}}, Can: driver.CanServe}
}
func (servant) ServeOptions() any {
	return &servantOptions{Listen: "127.0.0.1:1", Window: time.Second}
}
func (servant) Serve(context.Context, driver.ServeEnv, any) error { return nil }

func loadServant(text string) (*Config, error) {
	return Load(Input{File: "patchbay.yaml", Data: []byte(text), Drivers: []driver.Driver{servant{}}})
}

func TestServeSection(t *testing.T) {
	load := func(serve string) Device {
		t.Helper()
		c, err := loadServant("devices:\n  a:\n    url: servant://h\n" + serve)
		if err != nil {
			t.Fatal(err)
		}
		again, err := loadServant(c.Explain())
		if err != nil || again.Devices[0].ServeFingerprint == "" != (c.Devices[0].ServeFingerprint == "") {
			t.Errorf("what explain prints cannot be loaded again: %v\n%s", err, c.Explain())
		}
		return c.Devices[0]
	}
	none, bare := load(""), load("    serve:\n")
	full := load("    serve: {listen: 192.0.2.1:5, allow: [x, 7], window: 20ms}\n")
	if none.Serve != nil || none.ServeFingerprint != "" {
		t.Errorf("without a section: %v", none.Serve)
	}
	if o := bare.Serve.(*servantOptions); o.Listen != "127.0.0.1:1" || o.Window != time.Second {
		t.Errorf("defaults: %+v", o)
	}
	if o := full.Serve.(*servantOptions); o.Listen != "192.0.2.1:5" || o.Window != 20*time.Millisecond || len(o.Allow) != 2 {
		t.Errorf("%+v", o)
	}
	if bare.ServeFingerprint == full.ServeFingerprint || bare.ServeFingerprint == "" {
		t.Error("the fingerprints do not differ")
	}
	if none.Fingerprint != full.Fingerprint {
		t.Error("a server touches the connection to the device")
	}
}

func TestServeSectionProblems(t *testing.T) {
	for text, want := range map[string]string{
		"serve: {lissten: a}":    `Did you mean "listen"?`,
		"serve: 5":               "serve must be a mapping",
		"serve: {window: -5s}":   "serve.window: less than nothing",
		"serve: {window: often}": "window",
	} {
		_, err := loadServant("devices:\n  a:\n    url: servant://h\n    " + text + "\n")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "patchbay.yaml:4") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
