package atem

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/atem/atemserver"
	"github.com/patchbay-io/patchbay/protocol/atem/atemsim"
	"github.com/patchbay-io/patchbay/protocol/openswitcher"
	"github.com/patchbay-io/patchbay/protocol/openswitcher/oswserver"
)

// simulated is a simulated switcher that counts what changes something.
type simulated struct {
	*atemsim.Switcher
	writes atomic.Int64
}

func newSimulated(t *testing.T, model string) *simulated {
	t.Helper()
	sim, err := atemsim.New(atemsim.Options{Model: model, Seed: 1, Dirty: true})
	if err != nil {
		t.Fatal(err)
	}
	return &simulated{Switcher: sim}
}

// simulatedState is the dump of a simulated switcher.
func simulatedState() ([][]byte, error) {
	sim, err := atemsim.New(atemsim.Options{Model: "mini-extreme-iso"})
	if err != nil {
		return nil, err
	}
	return sim.State().Dump(1400), nil
}

func (f *simulated) command(c atemsim.Client, payload []byte) {
	for field := range atem.Fields(payload) {
		switch field.Code {
		case atem.CodeSALN, atem.CodeSFLN, atem.CodeTiRq:
		default:
			f.writes.Add(1)
		}
	}
	f.Command(c, payload)
}

// withClock runs serve while time passes for the switcher.
func (f *simulated) withClock(ctx context.Context, serve func() error) error {
	clock, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { f.Run(clock) })
	err := serve()
	stop()
	wg.Wait()
	return err
}

// simUDP is the switcher over UDP.
type simUDP struct{ *simulated }

func (u simUDP) Opened(c *atemserver.Conn)                  { u.Join(c) }
func (u simUDP) Command(c *atemserver.Conn, payload []byte) { u.command(c, payload) }
func (u simUDP) Closed(c *atemserver.Conn, _ error)         { u.Leave(c) }

func (f *simulated) servePackets(sessions int) func(ctx context.Context, p net.PacketConn) error {
	return func(ctx context.Context, p net.PacketConn) error {
		return f.withClock(ctx, func() error {
			return atemserver.New(simUDP{f}, atemserver.Options{MaxSessions: sessions}).Serve(ctx, p)
		})
	}
}

// simRelay is the switcher behind a relay that wants a login.
type simRelay struct{ *simulated }

func (r simRelay) Login(_ context.Context, _ *oswserver.Conn, user, password string) error {
	if user != "operator" || password != "on air" {
		return errors.New("no")
	}
	return nil
}

func (r simRelay) Devices(*oswserver.Conn) []openswitcher.Device {
	return []openswitcher.Device{{ID: "studio", Label: "Studio"}, {ID: "spare", Label: "Spare"}}
}

func (r simRelay) Opened(c *oswserver.Conn) error {
	r.Join(relayed{c})
	return nil
}

func (r simRelay) Command(c *oswserver.Conn, payload []byte) { r.command(relayed{c}, payload) }
func (r simRelay) Closed(c *oswserver.Conn, _ error)         { r.Leave(relayed{c}) }

// relayed is a client of the relay as the switcher sees it.
type relayed struct{ c *oswserver.Conn }

func (r relayed) Send(payloads ...[]byte) error {
	for _, p := range payloads {
		packets, err := openswitcher.Packets(p)
		if err == nil {
			err = r.c.Send(packets...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *simulated) serveRelay(ctx context.Context, l net.Listener) error {
	return f.withClock(ctx, func() error { return oswserver.New(simRelay{f}, oswserver.Options{Logins: true}).Serve(ctx, l) })
}
