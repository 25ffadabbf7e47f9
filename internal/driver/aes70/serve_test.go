package aes70

import (
	"errors"
	"syscall"
	"testing"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/testnet"
)

type namedUpstream struct{ driver.Upstream }

func (namedUpstream) Name() string { return "desk" }

// Of several addresses the error names the one that is taken, whichever stands first.
func TestServeNamesTheBusyAddress(t *testing.T) {
	for name, listen := range map[string]string{"beside TCP": "127.0.0.1:65000", "alone": ""} {
		t.Run(name, func(t *testing.T) {
			opts := serveDefaults()
			opts.Listen, opts.TLS = listen, "127.0.0.1:65001"
			n := new(testnet.Network)
			defer n.MustListen(opts.TLS).Close()
			env := driver.ServeEnv{Upstreams: []driver.Upstream{namedUpstream{}}, Gate: struct{ driver.Gate }{}, Listen: n.Listen}
			err := Driver{}.Serve(t.Context(), env, opts)
			var de *driver.Error
			if !errors.As(err, &de) || de.Target != opts.TLS || !errors.Is(err, syscall.EADDRINUSE) {
				t.Errorf("got %v", err)
			}
			if want := "another program may use the address: choose another port with serve.tls"; driver.HintOf(err) != want {
				t.Errorf("hint %q, want %q", driver.HintOf(err), want)
			}
		})
	}
}
