package focas

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/focas"
)

func TestServeOptionsFromYAML(t *testing.T) {
	o := serveDefaults()
	text := `{listen: "192.0.2.5:8193", from: [192.0.2.7, 192.0.2.77/24], allow: [cnc_wrparam, 0x16, 9, download, download-parameter], window: 20ms, max_clients: 3, idle: 1m}`
	if err := yaml.UnmarshalWithOptions([]byte(text), o, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	if err := o.Validate(); err != nil {
		t.Error(err)
	}
	for _, f := range []focas.Func{focas.FuncWriteParam, focas.FuncWriteParamClassic, focas.FuncWriteMacro, focas.FuncWriteToolOffset} {
		if !o.Allow.funcs[f] {
			t.Errorf("%v is not allowed", f)
		}
	}
	if len(o.Allow.funcs) != 4 || len(o.Allow.downloads) != 2 || !o.Allow.downloads[focas.TransferProgram] || !o.Allow.downloads[focas.TransferParam] {
		t.Errorf("allow is %+v", o.Allow)
	}
	again := serveDefaults()
	b, err := yaml.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalWithOptions(b, again, yaml.Strict()); err != nil || len(again.Allow.funcs) != 4 || len(again.From) != 2 || again.Window != 20*time.Millisecond {
		t.Errorf("%v: %s gives %+v", err, b, again)
	}
}

func TestServeOptionsThatAreWrong(t *testing.T) {
	for text, want := range map[string]string{
		"allow: [cnc_wrmacroo]":              `did you mean "cnc_wrmacro`,
		"allow: [everything-there-is]":       "is no call that this program knows",
		"allow: [0x10000]":                   "is no call that this program knows",
		"allow: [-1]":                        "is no call that this program knows",
		"allow: {a: b}":                      "is no number and no text",
		"from: [somewhere]":                  "is no address and no network",
		"from: [192.0.2.0/33]":               "is no address and no network",
		"listen: 8193":                       "listen: ",
		"listen: 127.0.0.1:port":             "write HOST:PORT",
		"window: -1s":                        "window: ",
		"window: 2m":                         "give 0s to 1m",
		"max_clients: 0":                     "max_clients: 0 is out of range",
		"max_clients: 100000":                "give 1 to 1000",
		"idle: -1s":                          "idle: ",
		"{listen: ':8193', allow: download}": "FOCAS has no passwords",
		"{listen: '0.0.0.0:1', allow: 0x16}": "from: [192.0.2.10]",
	} {
		o := serveDefaults()
		err := yaml.UnmarshalWithOptions([]byte(text), o, yaml.Strict())
		if err == nil {
			err = o.Validate()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q in it", text, err, want)
		}
	}
	for _, text := range []string{"listen: 0.0.0.0:8193", "{listen: 'localhost:0', allow: 0x16}", "{listen: '[::1]:0', allow: 0x16}", "{listen: ':1', allow: 1, from: 192.0.2.1}", "allow: []"} {
		o := serveDefaults()
		if err := yaml.UnmarshalWithOptions([]byte(text), o, yaml.Strict()); err != nil || o.Validate() != nil {
			t.Errorf("%s: %v %v", text, err, o.Validate())
		}
	}
}

// What keeps a server from serving is an error that says what to do.
func TestServeThatCannot(t *testing.T) {
	taken := func(context.Context, string, string) (net.Listener, error) {
		return nil, &net.OpError{Op: "listen", Err: syscall.EADDRINUSE}
	}
	good := driver.ServeEnv{Listen: taken, Upstreams: []driver.Upstream{&upstream{}}, Gate: new(gate), Log: slog.New(slog.DiscardHandler)}
	noGate, noUpstream := good, good
	noGate.Gate, noUpstream.Upstreams = nil, nil
	wrong := serveDefaults()
	wrong.MaxClients = -1
	for name, row := range map[string]struct {
		env  driver.ServeEnv
		opts any
		want string
	}{
		"taken": {good, nil, "listen"}, "no gate": {noGate, nil, "no gate"}, "no upstream": {noUpstream, nil, "0 upstreams"},
		"wrong": {good, wrong, "max_clients"},
	} {
		err := Driver{}.Serve(t.Context(), row.env, row.opts)
		var de *driver.Error
		if !errors.As(err, &de) || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := (Driver{}).Serve(t.Context(), good, nil); driver.HintOf(err) == "" {
		t.Error("a taken address comes without advice")
	}
}
