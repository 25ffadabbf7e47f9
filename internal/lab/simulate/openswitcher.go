package simulate

import (
	"context"
	"errors"
	"net"
	"net/url"
	"slices"

	"github.com/patchbay-io/patchbay/protocol/openswitcher"
	"github.com/patchbay-io/patchbay/protocol/openswitcher/oswserver"
)

// openswitcherKind is the simulated switcher behind a relay.
func openswitcherKind() Kind {
	return Kind{
		Driver: "openswitcher", Settings: slices.Clone(atemSettings),
		New: func(settings url.Values) (Device, error) {
			o, err := ATEMOptionsOf(settings)
			if err != nil {
				return Device{}, err
			}
			d, err := NewATEM(o)
			if err != nil {
				return Device{}, err
			}
			return d.RelayDevice(), nil
		},
		Replay: func(file string) (Device, error) { return replayATEM(file, (*ATEM).RelayDevice) },
	}
}

// RelayDevice is what the switcher serves through an OpenSwitcher relay that wants no login.
func (d *ATEM) RelayDevice() Device {
	return Device{Services: []Service{d.RelayService("", "")}, Run: d.Run}
}

// RelayService is the switcher behind an OpenSwitcher relay. With a user it wants a login.
func (d *ATEM) RelayService(user, password string) Service {
	r := relay{d, user, password}
	return Service{Network: "tcp", Port: openswitcher.Port, Stream: r.serve}
}

// relay is the handler of a relay in front of one switcher.
type relay struct {
	*ATEM
	user, password string
}

// relayDevice is the name of the switcher at the relay.
const relayDevice = "simulated"

func (r relay) serve(ctx context.Context, l net.Listener) error {
	clock, stop := context.WithCancel(ctx)
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = r.Switcher.Run(clock) // it ends with its context, for no other reason
	}()
	err := oswserver.New(r, oswserver.Options{Logins: r.user != ""}).Serve(ctx, l)
	stop()
	<-over
	return err
}

// Login implements oswserver.Handler.
func (r relay) Login(_ context.Context, _ *oswserver.Conn, user, password string) error {
	if user != r.user || password != r.password {
		return errors.New("wrong user or password")
	}
	return nil
}

// Devices implements oswserver.Handler.
func (r relay) Devices(*oswserver.Conn) []openswitcher.Device {
	return []openswitcher.Device{{ID: relayDevice, Label: "Simulated switcher"}}
}

// Opened implements oswserver.Handler.
func (r relay) Opened(c *oswserver.Conn) error {
	r.Switcher.Join(relayClient{c})
	return nil
}

// Command implements oswserver.Handler.
func (r relay) Command(c *oswserver.Conn, payload []byte) {
	r.Switcher.Command(relayClient{c}, payload)
}

// Closed implements oswserver.Handler.
func (r relay) Closed(c *oswserver.Conn, _ error) { r.Switcher.Leave(relayClient{c}) }

// relayClient is a connection to the relay as the switcher sees it.
type relayClient struct{ c *oswserver.Conn }

// Send implements atemsim.Client.
func (r relayClient) Send(payloads ...[]byte) error {
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
