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

// faceOptions are those of a face.
type faceOptions struct {
	Listen string `yaml:"listen" doc:"where"`
	Secure bool   `yaml:"secure" doc:"over TLS"`
}

func (o *faceOptions) Encrypts() string {
	if o.Secure {
		return "secure"
	}
	return ""
}

func (o *faceOptions) Validate() error {
	if o.Listen == "" {
		return errors.New("listen: nowhere; give HOST:PORT")
	}
	return nil
}

// loadFaced loads devices of a driver with a server of its own and of one without; a face fits both, and not the third.
func loadFaced(text string) (*Config, error) {
	return Load(Input{File: "patchbay.yaml", Data: []byte(text), Drivers: []driver.Driver{servant{}, toy{"mill"}}, Faces: []Face{{
		Name: "mirror", Doc: "shows it", Options: func() any { return &faceOptions{Listen: "127.0.0.1:9"} },
		Fits: func(driver.Info) error { return nil },
	}, {
		Name: "lens", Doc: "shows it", Options: func() any { return &faceOptions{} },
		Fits: func(driver.Info) error { return errors.New("this is for eyes") },
	}}})
}

func TestFaces(t *testing.T) {
	scheme := "mill"
	for _, row := range []struct {
		name, url, serve, want string
		native                 bool
	}{
		{"a face of a device without a server", scheme, "{mirror: {listen: 127.0.0.1:5}}", "127.0.0.1:5", false},
		{"its defaults", scheme, "{mirror: }", "127.0.0.1:9", false},
		{"a face alone", "servant", "{mirror: {}}", "127.0.0.1:9", false},
		{"both", "servant", "{listen: 127.0.0.1:4, mirror: {listen: 127.0.0.1:5}}", "127.0.0.1:5", true},
		{"the server alone", "servant", "{}", "", true},
	} {
		c, err := loadFaced("devices:\n  a:\n    url: " + row.url + "://h\n    serve: " + row.serve + "\n")
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		again, err := loadFaced(c.Explain())
		if err != nil {
			t.Errorf("%s: what explain prints cannot be loaded again: %v\n%s", row.name, err, c.Explain())
			continue
		}
		for _, c := range []*Config{c, again} {
			d := c.Devices[0]
			got := ""
			if o, ok := d.Faces["mirror"].(*faceOptions); ok {
				got = o.Listen
			}
			if got != row.want || (d.Serve != nil) != row.native {
				t.Errorf("%s: %q, %v", row.name, got, d.Serve)
			}
		}
	}
	for text, want := range map[string]string{
		"serve: ":                          "it says for whom. Known here: mirror",
		"serve: {miror: {}}":               `Did you mean "mirror"?`,
		"serve: {mirror: {lissten: a}}":    `Did you mean "listen"?`,
		`serve: {mirror: {listen: ""}}`:    "serve.mirror.listen: nowhere",
		"serve: {lens: {}}":                "serve.lens: this is for eyes",
		"serve: {mirror: {}, listen: x:1}": `unknown key "listen"`,
	} {
		_, err := loadFaced("devices:\n  a:\n    url: " + scheme + "://h\n    " + text + "\n")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// What lets programs connect over TLS takes a certificate, which may stand anywhere in the file.
func TestServersOverTLS(t *testing.T) {
	const device = "devices:\n  a:\n    url: mill://h\n    serve:\n      mirror:\n        secure: true\n"
	_, err := loadFaced(device)
	for _, want := range []string{"patchbay.yaml:6:", "a.serve.mirror.secure: there is no certificate", "tls: auto"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	for _, text := range []string{device + "tls: auto\n", "tls: {cert: a, key: b}\n" + device, strings.Replace(device, "true", "false", 1)} {
		if _, err := loadFaced(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}
