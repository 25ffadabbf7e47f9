package config

import (
	"context"
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/internal/driver"
)

// stall is a driver whose server listens in several ways.
type stall struct{ toy }

type stallOptions struct {
	Listen string `yaml:"listen" listens:"tcp" doc:"where"`
	Packet string `yaml:"packet" listens:"udp" doc:"where over UDP"`
	Search bool   `yaml:"search" listens:"udp listen" doc:"at listen over UDP as well"`
}

func (stall) Info() driver.Info {
	return driver.Info{Name: "stall", Title: "Stall", Schemes: []driver.Scheme{{Name: "stall", Network: "tcp", Port: 1}}, Can: driver.CanServe}
}
func (stall) Serve(context.Context, driver.ServeEnv, any) error { return nil }
func (stall) ServeOptions() any                                 { return &stallOptions{Listen: "127.0.0.1:700"} }

func loadStalls(devices, rest string) (*Config, error) {
	return Load(Input{File: "patchbay.yaml", Data: []byte("insecure: true\ndevices:\n" + devices + rest), Drivers: []driver.Driver{stall{}, toy{"mill"}}})
}

// What two parts of a file take for themselves is told, with both places, and nothing that goes together.
func TestTakenTwice(t *testing.T) {
	const stalls = "  a:\n    url: stall://h\n    serve: {%a}\n  b:\n    url: stall://h\n    serve: {%b}\n  c: mill://h\n"
	serial := func(lines ...string) string { return "serial:\n  ports:\n    " + strings.Join(lines, "\n    ") + "\n" }
	for _, row := range []struct {
		name, a, b, rest string
		want             []string // parts of the one problem; none: it is in order
		note             string
	}{
		{name: "two by default", want: []string{"patchbay.yaml:8", "b.serve.listen: 127.0.0.1:700 is taken already by a.serve.listen (patchbay.yaml:5)"}},
		{name: "each its own", b: "listen: 127.0.0.1:701"},
		{name: "any free one", a: "listen: 127.0.0.1:0", b: "listen: 127.0.0.1:0"},
		{name: "other addresses", a: "listen: 192.0.2.1:9", b: "listen: 192.0.2.2:9"},
		{name: "one of all", a: "listen: 127.0.0.1:9", b: "listen: '[::]:9'", want: []string{"b.serve.listen: 127.0.0.1:9 is taken"}},
		{name: "all of IPv4", a: "listen: 0.0.0.0:9", b: "listen: '[::1]:9'", want: []string{"[::1]:9 is taken"}},
		{name: "one way to write it", a: "listen: localhost:9", b: "listen: '[::ffff:127.0.0.1]:9'", want: []string{":9 is taken"}},
		{name: "the other transport", a: "listen: 127.0.0.1:9", b: "listen: 127.0.0.1:8, packet: 127.0.0.1:9"},
		{name: "beside itself", a: "listen: 127.0.0.1:9, search: true", b: "listen: 127.0.0.1:8, packet: 127.0.0.1:9",
			want: []string{"b.serve.packet: 127.0.0.1:9 is taken already by a.serve.search (patchbay.yaml:5)"}},
		{name: "not searched", a: "listen: 127.0.0.1:9, search: false", b: "listen: 127.0.0.1:8, packet: 127.0.0.1:9"},
		{name: "the page", a: "listen: 127.0.0.1:8620", b: "", want: []string{"patchbay.yaml:5", "a.serve.listen: 127.0.0.1:8620 is taken already by listen (by default)"}},
		{name: "the page elsewhere", a: "listen: 127.0.0.1:8620", b: "", rest: "listen: 127.0.0.1:8000\n"},
		{name: "a serial port", a: "listen: 127.0.0.1:4001", rest: serial("c/1: {raw: 4001}"),
			want: []string{"patchbay.yaml:12", "serial: c/ports/1 raw: 127.0.0.1:4001 is taken already by a.serve.listen (patchbay.yaml:5)"}},
		{name: "two ways to one port", a: "listen: 127.0.0.1:1", rest: serial("c/1: {raw: 4001, rfc2217: 4001}"), want: []string{"c/ports/1 raw: 127.0.0.1:4001 is taken already by serial: c/ports/1 rfc2217"}},
		{name: "two bases", a: "listen: 127.0.0.1:1", rest: serial("a/*: {raw: 4001+}", "c/*: {rfc2217: 4001+}"), want: []string{"4001 is taken already by serial: a/* raw"}},
		{name: "bases that may meet", a: "listen: 127.0.0.1:1", rest: serial("a/*: {raw: 4001+}", "c/*: {raw: 4009+}"),
			note: "patchbay.yaml:13: serial: c/* raw and serial: a/* raw (patchbay.yaml:12) both come to 127.0.0.1:4009 when the device has as many ports"},
		{name: "bases that do not", a: "listen: 127.0.0.1:1", rest: serial("a/*: {raw: 4001+}", "c/*: {raw: 4033+}")},
		{name: "a port in place of that of all", a: "listen: 127.0.0.1:1", rest: serial("c/*: {raw: 4001+}", "c/3: {raw: 4003}", "c/1: {raw: 5001}")},
		{name: "a port beside those of all", a: "listen: 127.0.0.1:1", rest: serial("c/*: {raw: 4001+}", "c/3: {raw: 4004}"), note: "both come to 127.0.0.1:4004"},
		{name: "in the way of the first", a: "listen: 127.0.0.1:4001", rest: serial("c/*: {raw: 4001+}"), want: []string{"4001 is taken already by a.serve.listen"}},
		{name: "in the way of a later one", a: "listen: 127.0.0.1:4005", rest: serial("c/*: {raw: 4001+}"), note: "c/* raw and a.serve.listen"},
		{name: "one name", a: "listen: 127.0.0.1:1", rest: serial("c/1: {pty: /dev/x}", "c/2: {pty: /dev/./x}"), want: []string{"serial: c/ports/2 pty: /dev/x is taken already by serial: c/ports/1 pty"}},
	} {
		c, err := loadStalls(strings.NewReplacer("%a", row.a, "%b", row.b).Replace(stalls), row.rest)
		if len(row.want) == 0 {
			if err != nil {
				t.Errorf("%s: %v", row.name, err)
			} else if got := strings.Join(c.Notes, "\n"); (row.note == "") != (got == "") || !strings.Contains(got, row.note) {
				t.Errorf("%s: notes %q; want %q", row.name, got, row.note)
			}
			continue
		}
		if err == nil || len(err.(Problems)) != 1 {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		for _, want := range row.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v; want %q", row.name, err, want)
			}
		}
	}
}

// What the command line takes is told as well.
func TestTakenByAFlag(t *testing.T) {
	_, err := Load(Input{File: "patchbay.yaml", Data: []byte("devices:\n  a:\n    url: stall://h\n    serve: {}\n"), Drivers: []driver.Driver{stall{}}, Flags: Flags{Listen: "127.0.0.1:700"}})
	if err == nil || !strings.Contains(err.Error(), "a.serve.listen: 127.0.0.1:700 is taken already by listen (flag --listen)") {
		t.Error(err)
	}
}
