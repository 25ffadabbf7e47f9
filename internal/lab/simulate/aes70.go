package simulate

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"

	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaclient"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaserver"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocasim"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaws"
)

// aes70Kind is how the simulated AES70 audio interface is made by name.
func aes70Kind() Kind {
	return Kind{
		Driver: "aes70", Settings: []string{"inputs", "outputs", "mixes", "objects", "seed", "ev1"},
		New: func(settings url.Values) (Device, error) {
			o, err := AES70Options(settings)
			if err != nil {
				return Device{}, err
			}
			return AES70Device(o), nil
		},
		Replay: replayAES70,
	}
}

// aes70PortWS is where the interface speaks over WebSocket.
const aes70PortWS = 80

// AES70Options reads the settings of a simulated audio interface: inputs, outputs, mixes and objects are how many there are, seed
// is that of the meters, ev1 leaves out the events of the second kind.
func AES70Options(settings url.Values) (o ocasim.Options, err error) {
	for _, n := range []struct {
		name string
		to   *int
	}{{"inputs", &o.Inputs}, {"outputs", &o.Outputs}, {"mixes", &o.Mixes}, {"objects", &o.Objects}} {
		if s := settings.Get(n.name); s != "" {
			if *n.to, err = strconv.Atoi(s); err != nil {
				return o, fmt.Errorf("%s: %q is no whole number", n.name, s)
			}
		}
	}
	if s := settings.Get("seed"); s != "" {
		if o.Seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			return o, fmt.Errorf("seed: %q is no whole number from 0", s)
		}
	}
	if s := settings.Get("ev1"); s != "" {
		if o.EV1, err = strconv.ParseBool(s); err != nil {
			return o, fmt.Errorf("ev1: %q is neither true nor false", s)
		}
	}
	return o, o.Check()
}

// AES70Device is a simulated audio interface over TCP and over WebSocket.
func AES70Device(o ocasim.Options) Device {
	_, d := AES70Sim(o)
	return d
}

// AES70Sim is [AES70Device] with the interface to act on.
func AES70Sim(o ocasim.Options) (*ocasim.Sim, Device) {
	sim := ocasim.New(o)
	return sim, Device{Run: sim.Run, Services: aes70Services(sim.Server)}
}

// aes70Services is a server over TCP and over WebSocket.
func aes70Services(srv *ocaserver.Server) []Service {
	ws := ocaws.New(func(ctx context.Context, c net.Conn) { _ = srv.ServeConn(ctx, c) }, ocaws.Options{})
	return []Service{{Network: "tcp", Port: ocaclient.Port, Stream: srv.Serve}, {Network: "tcp", Port: aes70PortWS, Stream: ws.Serve}}
}
