package simulate

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/patchbay-io/patchbay/protocol/fcxml"
	"github.com/patchbay-io/patchbay/protocol/fcxml/fcserver"
	"github.com/patchbay-io/patchbay/protocol/fcxml/fcsim"
)

// fcxmlKind is how the simulated Focusrite Control is made by name. Nobody can approve programs in it, so that everybody is
// approved unless the settings say no.
func fcxmlKind() Kind {
	return Kind{
		Driver: "fcxml", Settings: []string{"model", "serial", "seed", "approved"},
		New: func(settings url.Values) (Device, error) {
			o, err := FCXMLOptions(settings)
			if err != nil {
				return Device{}, err
			}
			sim, err := fcsim.New(o)
			if err != nil {
				return Device{}, err
			}
			return FCXMLDevice(sim), nil
		},
		Replay: replayFCXML,
	}
}

const fcxmlPort = 49152

// FCXMLOptions reads the settings of a simulated Focusrite Control: model, serial, seed, approved.
func FCXMLOptions(settings url.Values) (o fcsim.Options, err error) {
	o.Model, o.Serial, o.Approved = settings.Get("model"), settings.Get("serial"), true
	if s := settings.Get("seed"); s != "" {
		if o.Seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			return o, fmt.Errorf("seed: %q is no whole number from 0", s)
		}
	}
	if s := settings.Get("approved"); s != "" {
		if o.Approved, err = strconv.ParseBool(s); err != nil {
			return o, fmt.Errorf("approved: %q is neither true nor false", s)
		}
	}
	return o, nil
}

// FCXMLDevice is the TCP side of a simulated Focusrite Control, and its discovery, which says where that is.
func FCXMLDevice(sim *fcsim.Sim) Device {
	var port = struct {
		once  sync.Once
		known chan uint16
	}{known: make(chan uint16, 1)}
	return Device{Services: []Service{
		{Network: "tcp", Port: fcxmlPort, Stream: func(ctx context.Context, l net.Listener) error {
			port.once.Do(func() { port.known <- portOf(l.Addr()) })
			return sim.Serve(ctx, l)
		}},
		{Network: "udp", Port: fcxml.DiscoveryPorts()[0], Packets: func(ctx context.Context, p net.PacketConn) error {
			select {
			case n := <-port.known:
				return sim.Announce(ctx, p, n)
			case <-ctx.Done():
				p.Close()
				return ctx.Err()
			}
		}},
	}}
}

func portOf(a net.Addr) uint16 {
	_, port, _ := net.SplitHostPort(a.String())
	n, _ := strconv.ParseUint(port, 10, 16)
	return uint16(n)
}

// FCXMLFaults reads names of mistakes that servers have made, such as "join" or "cut=997".
func FCXMLFaults(args []string) (f fcserver.Faults, err error) {
	for _, arg := range args {
		name, value, has := strings.Cut(arg, "=")
		n, convErr := strconv.Atoi(value)
		switch {
		case name == "join" && !has:
			f.Join = true
		case name == "characters" && !has:
			f.Characters = true
		case name == "upper" && !has:
			f.Upper = true
		case name == "cut" && convErr == nil && n > 0:
			f.Cut = n
		case name == "reset" && convErr == nil && n > 0:
			f.ResetAfter = n
		default:
			return f, fmt.Errorf("fault %q is none; known: %s", arg, strings.Join(FCXMLFaultNames(), ", "))
		}
	}
	return f, nil
}

// FCXMLFaultNames are the faults with what they take.
func FCXMLFaultNames() []string {
	return []string{"join", "cut=BYTES", "characters", "upper", "reset=FRAMES"}
}
