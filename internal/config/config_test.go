package config

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/internal/driver"
)

// toy is a driver that is only configured, never opened.
type toy struct{ name string }

type toyOptions struct {
	Poll     time.Duration `yaml:"poll" doc:"period of reading"`
	Size     int           `yaml:"size" doc:"bytes of one reply"`
	Names    []string      `yaml:"names" doc:"names to show"`
	Title    string        `yaml:"title" doc:"a title"`
	Password driver.Secret `yaml:"password" doc:"login"`
	Fast     bool          `yaml:"fast" doc:"hurry"`
}

func (o *toyOptions) Validate() error {
	if o.Poll < 10*time.Millisecond {
		return fmt.Errorf("poll: %v is out of range; give 10ms to 1h", o.Poll)
	}
	return nil
}

func (t toy) Info() driver.Info {
	return driver.Info{Name: t.name, Title: "Toy " + t.name, Schemes: []driver.Scheme{{Name: t.name, Network: "tcp", Port: 7}, {Name: t.name + "+tls", Network: "tcp", Port: 7, NoTwin: true}}}
}
func (toy) Options() any { return &toyOptions{Poll: 250 * time.Millisecond, Size: 1450} }
func (toy) Open(context.Context, driver.Env, driver.Target) (driver.Session, error) {
	return nil, errors.New("a toy cannot be opened")
}

func input(yaml string) Input {
	return Input{
		File: "patchbay.yaml", Data: []byte(yaml),
		Drivers: []driver.Driver{toy{"mill"}, toy{"desk"}},
		Twins:   map[string][]string{"mill": {"profile", "seed"}},
		Getenv: func(name string) (string, bool) {
			v, ok := map[string]string{"PW": "hunter2", "POLL": "40ms", "SIZE": "99"}[name]
			return v, ok
		},
	}
}

func load(t *testing.T, in Input) *Config {
	t.Helper()
	c, err := Load(in)
	if err != nil {
		t.Fatalf("Load:\n%v", err)
	}
	return c
}

func TestShortAndExpandedFormsAreTheSame(t *testing.T) {
	a := load(t, input(`devices: {m: "mill://192.0.2.1:99?poll=100ms&size=5&names=a,b&fast=true"}`)).Devices[0]
	b := load(t, input(`
version: 1
devices:
  m:
    url: mill://192.0.2.1:99
    poll: 100ms
    size: 5
    names: [a, b]
    fast: true
`)).Devices[0]
	if diff := cmp.Diff(b.Target.Options, a.Target.Options, cmp.AllowUnexported(driver.Secret{})); diff != "" {
		t.Error(diff)
	}
	o := b.Target.Options.(*toyOptions)
	if o.Poll != 100*time.Millisecond || o.Size != 5 || !o.Fast || !cmp.Equal(o.Names, []string{"a", "b"}) {
		t.Errorf("options %+v", o)
	}
	if a.Target.URL.String() != "mill://192.0.2.1:99" || a.Target.Name != "m" || a.Twin != "" {
		t.Errorf("target %v %q, twin %q", a.Target.URL, a.Target.Name, a.Twin)
	}
}

func TestOrderOfSources(t *testing.T) {
	in := input("listen: 127.0.0.1:1\nlog: {level: debug}\nhosts: [shop.example]")
	c := load(t, in)
	if c.Listen != "127.0.0.1:1" || c.Log.Level != "debug" || c.Log.Format != "auto" || !cmp.Equal(c.Hosts, []string{"shop.example"}) {
		t.Errorf("from file: %+v", c)
	}
	in.Getenv = func(n string) (string, bool) {
		v, ok := map[string]string{"PATCHBAY_LISTEN": "127.0.0.1:2", "PATCHBAY_LOG_LEVEL": "warn", "PATCHBAY_HOSTS": "a, b"}[n]
		return v, ok
	}
	c = load(t, in)
	if c.Listen != "127.0.0.1:2" || c.Log.Level != "warn" || !cmp.Equal(c.Hosts, []string{"a", "b"}) {
		t.Errorf("from environment: %+v", c)
	}
	in.Flags = Flags{Listen: ":3", LogLevel: "error", LogFormat: "json", Hosts: []string{"c"}}
	c = load(t, in)
	if c.Listen != "127.0.0.1:3" || c.Log.Level != "error" || c.Log.Format != "json" || !cmp.Equal(c.Hosts, []string{"c"}) {
		t.Errorf("from flags: %+v", c)
	}
}

func TestDevicesKeepTheOrderOfTheFile(t *testing.T) {
	c := load(t, input("devices:\n  z: mill://a\n  a: desk://b\n  m: mill://c\n"))
	var names []string
	for _, d := range c.Devices {
		names = append(names, d.Name+":"+d.Driver.Info().Name)
	}
	if diff := cmp.Diff([]string{"z:mill", "a:desk", "m:mill"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestCommandLineDevices(t *testing.T) {
	in := input("devices: {mill1: mill://a}")
	in.URLs = []string{"mill://b?poll=1s", "front=desk://c", "sim+mill:?profile=30i&seed=4"}
	c := load(t, in)
	var got []string
	for _, d := range c.Devices {
		got = append(got, d.Name+" "+d.Display)
	}
	want := []string{"mill1 mill://a", "mill2 mill://b?poll=1s", "front desk://c", "mill3 sim+mill:?profile=30i&seed=4"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if d := c.Devices[3]; d.Twin != "sim" || !cmp.Equal(d.TwinArg, url.Values{"profile": {"30i"}, "seed": {"4"}}) || d.Target.URL.Scheme != "mill" {
		t.Errorf("twin %q %v %v", d.Twin, d.TwinArg, d.Target.URL)
	}
	in.URLs = []string{"mill1=desk://c"}
	if _, err := Load(in); err == nil || !strings.Contains(err.Error(), `device "mill1" is named twice`) {
		t.Errorf("duplicate name: %v", err)
	}
}

func TestRecording(t *testing.T) {
	for raw, want := range map[string]string{"replay+mill:show.transcript?poll=20ms": "show.transcript", "replay+mill:a/b%20c.transcript": "a/b c.transcript",
		"replay+mill:/var/x.transcript": "/var/x.transcript", "replay+mill:///var/x.transcript": "/var/x.transcript"} {
		d := load(t, input("devices: {m: '"+raw+"'}")).Devices[0]
		if d.Twin != TwinReplay || d.TwinArg.Get("file") != want || d.Target.URL.String() != "mill:" || d.Display != raw {
			t.Errorf("%s: %q %v %v %s", raw, d.Twin, d.TwinArg, d.Target.URL, d.Display)
		}
	}
	a, b := load(t, input("devices: {m: 'replay+mill:a'}")), load(t, input("devices: {m: 'replay+mill:b'}"))
	if a.Devices[0].Fingerprint == b.Devices[0].Fingerprint {
		t.Error("the same fingerprint for two recordings")
	}
}

func TestTwinExpanded(t *testing.T) {
	d := load(t, input("devices:\n  m:\n    url: 'sim+mill:'\n    profile: 30i\n    poll: 20ms\n")).Devices[0]
	if d.Twin != "sim" || d.TwinArg.Get("profile") != "30i" || d.Target.Options.(*toyOptions).Poll != 20*time.Millisecond {
		t.Errorf("%+v %+v", d, d.Target.Options)
	}
}

// What stands behind the ? of a URL as text is that text, also where YAML would see a number or a word of its own in it.
func TestTextInAURL(t *testing.T) {
	for _, text := range []string{"12", "22003", "0x10", "1e5", "true", "null", "~", "- x", "a: b", "'q'", `"q"`, "Grüße", " x ", "#x"} {
		c := load(t, input("devices:\n  m: 'mill://a?password="+url.QueryEscape(text)+"&names="+url.QueryEscape(text+",b")+"&title="+url.QueryEscape(text)+"'"))
		o := c.Devices[0].Target.Options.(*toyOptions)
		if o.Title != text || o.Password.Reveal() != text {
			t.Errorf("title %q and password %q, want %q", o.Title, o.Password.Reveal(), text)
		}
		if want := []string{strings.TrimSpace(text), "b"}; !cmp.Equal(o.Names, want) {
			t.Errorf("names %q, want %q", o.Names, want)
		}
	}
}

func TestSecrets(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pw"), []byte("from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in := input(`
devices:
  a: {url: "desk://ann:${env:PW}@192.0.2.1", password: "${file:pw}", size: "${env:SIZE}", poll: "${env:POLL}"}
  b: {url: "desk://bob:topsecret@192.0.2.1", password: literal-one}
  c: desk://192.0.2.1?password=in-query
`)
	in.File = filepath.Join(dir, "patchbay.yaml")
	c := load(t, in)
	o := c.Devices[0].Target.Options.(*toyOptions)
	if o.Password.Reveal() != "from-file" || o.Size != 99 || o.Poll != 40*time.Millisecond {
		t.Errorf("options %+v, password %q", o, o.Password.Reveal())
	}
	if p, _ := c.Devices[0].Target.URL.User.Password(); p != "hunter2" {
		t.Errorf("password of the URL is %q", p)
	}
	shown := c.Explain()
	for _, d := range c.Devices {
		shown += d.Display + "\n"
	}
	for _, secret := range []string{"hunter2", "from-file", "topsecret", "literal-one", "in-query"} {
		if strings.Contains(shown, secret) {
			t.Errorf("%q is shown:\n%s", secret, shown)
		}
		if !cmp.Equal(contains(c.Secrets(), secret), true) {
			t.Errorf("%q is not registered: %q", secret, c.Secrets())
		}
	}
	if !strings.Contains(shown, "${env:SIZE}") {
		t.Errorf("a reference is not shown as such:\n%s", shown)
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func TestFingerprint(t *testing.T) {
	print := func(yaml string) string { return load(t, input(yaml)).Devices[0].Fingerprint }
	base := print("devices: {m: {url: mill://a, names: [x, y], password: one, writable: [a/b]}}")
	if again := print("# moved\ndevices:\n  m:\n    writable: [a/b]\n    names: [x, y] # why\n    url: mill://a\n    password: one\n"); again != base {
		t.Error("a comment or another order changes the fingerprint")
	}
	for _, same := range []string{
		"devices: {m: {url: mill://a, names: [x, y], password: one, writable: [a/c]}}",
		"devices: {m: {url: mill://a, names: [x, y], password: one, labels: {site: s}}}",
	} {
		if print(same) != base {
			t.Errorf("another fingerprint for %s", same)
		}
	}
	for _, other := range []string{
		"devices: {m: {url: mill://b, names: [x, y], password: one, writable: [a/b]}}",
		"devices: {m: {url: mill://a, names: [x], password: one, writable: [a/b]}}",
		"devices: {m: {url: mill://a, names: [x, y], password: two, writable: [a/b]}}",
		"devices: {m: {url: mill://a, names: [x, y], password: '${env:PW}', writable: [a/b]}}",
	} {
		if print(other) == base {
			t.Errorf("the same fingerprint for %s", other)
		}
	}
}

func TestExplainLoadsAgain(t *testing.T) {
	in := input(`
listen: 127.0.0.1:0
devices:
  m: {url: "mill://192.0.2.1", labels: {site: "Halle: 4", cell: c1}, writable: ["macros/*", path/1/x], names: ["${env:PW}", b]}
  s: sim+mill:?profile=30i
`)
	in.Flags.LogLevel = "debug"
	c := load(t, in)
	text := c.Explain()
	for _, want := range []string{"# patchbay.yaml:4", "# default", "# flag --log-level", "poll: 250ms", `cell: c1`} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
	again, err := Load(input(text))
	if err != nil {
		t.Fatalf("%v\nin:\n%s", err, text)
	}
	if diff := cmp.Diff(c.Devices[0].Target.Options, again.Devices[0].Target.Options, cmp.AllowUnexported(driver.Secret{})); diff != "" {
		t.Error(diff)
	}
	if again.Listen != c.Listen || again.Log != c.Log || !cmp.Equal(again.Devices[0].Writable, c.Devices[0].Writable) || !cmp.Equal(again.Devices[0].Labels, c.Devices[0].Labels) {
		t.Errorf("not the same:\n%s", again.Explain())
	}
}
