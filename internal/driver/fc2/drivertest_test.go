package fc2

import (
	"bytes"
	"context"
	"encoding/hex"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/drivertest"
	"github.com/patchbay-io/patchbay/internal/driver/serving"
	"github.com/patchbay-io/patchbay/protocol/fc2"
	"github.com/patchbay-io/patchbay/protocol/fc2/fc2server"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaserver"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocasim"
)

func identityOf(t testing.TB, b byte) fc2.Identity {
	t.Helper()
	id, err := fc2.IdentityOf(bytes.Repeat([]byte{b}, fc2.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// only is a store that knows one program.
type only fc2.PublicKey

func (o only) Approved(k fc2.PublicKey) bool     { return k == fc2.PublicKey(o) }
func (only) Approve(fc2.PublicKey, string) error { return nil }

// The driver, paired, against a simulated interface behind the tunnel.
func TestDriverWithSimulator(t *testing.T) {
	server, own := identityOf(t, 0x22), identityOf(t, 0x11)
	secret := func(id fc2.Identity) []byte { return []byte(hex.EncodeToString(id.Secret())) }
	drivertest.Run(t, drivertest.Target{
		Driver:  New(),
		URL:     "fc2://192.0.2.50",
		Options: func() any { o := defaults(); o.ServerKey = server.Public().String(); return o },
		// Our own server has the key of the simulated one, so that a session finds the key that it expects at both, and has let the same
		// program in.
		Keys: map[string][]byte{IdentityName: secret(own), OwnServerName: secret(server), ClientPrefix + own.Public().String(): []byte("patchbay")},
		Far: func(t *testing.T) drivertest.Far {
			sim := ocasim.New(ocasim.Options{Serial: "SIM0000002", Seed: 7})
			var writes atomic.Int64
			air := sim.Inputs[0].Air
			air.OnSet(func(_ context.Context, _ *ocaserver.Conn, v bool) error { writes.Add(1); air.Set(v); return nil })
			gain := sim.Inputs[1].Gain
			gain.OnSet(func(_ context.Context, _ *ocaserver.Conn, v float32) error { writes.Add(1); gain.Set(v); return nil })
			srv := fc2server.New(sim.Device, fc2server.Options{Identity: server, Store: only(own.Public())})
			return drivertest.Far{
				Serve: func(ctx context.Context, l net.Listener) error {
					done := make(chan struct{})
					go func() { defer close(done); _ = sim.Run(ctx) }()
					err := srv.ServeSecure(ctx, l)
					<-done
					return err
				},
				Change: func() (device.Path, device.Value) {
					sim.Monitoring.Dim.Set(true)
					return "monitoring/dim", device.OfBool(true)
				},
				ChangeSpecs: func() { sim.Inputs[0].Block.Boolean("Pad", false) },
				Writes:      func() int { return int(writes.Load()) },
			}
		},
		Points: []driver.Write{
			{Path: "serial", Value: device.OfString("SIM0000002")},
			{Path: "inputs/analogue-1/air", Value: device.OfBool(false)},
			{Path: "inputs/analogue-2/gain", Value: device.OfFloat(20)},
			{Path: "monitoring/level", Value: device.OfFloat(-30)},
			{Path: "clock/locked", Value: device.OfBool(true)},
		},
		Writes: []driver.Write{
			{Path: "inputs/analogue-1/air", Value: device.OfBool(true)},
			{Path: "inputs/analogue-2/gain", Value: device.OfFloat(32)},
		},
		BadLogin: func() any { o := defaults(); o.ServerKey = own.Public().String(); return o },
		ServeOptions: func(listen string) any {
			o := serveDefaults()
			o.Secure, o.Onboarding = listen, "192.0.2.30:58323"
			o.Allow, o.From = []string{"inputs/*"}, serving.Networks{netip.MustParsePrefix("192.0.2.0/24")}
			return o
		},
		Refused: &driver.Write{Path: "monitoring/level", Value: device.OfFloat(0)},
	})
}
