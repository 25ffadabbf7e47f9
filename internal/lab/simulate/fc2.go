package simulate

import (
	"fmt"
	"net/url"
	"strconv"

	"github.com/patchbay-io/patchbay/protocol/fc2"
	"github.com/patchbay-io/patchbay/protocol/fc2/fc2sim"
)

// fc2Kind is how the simulated Focusrite Control 2 is made by name.
func fc2Kind() Kind {
	return Kind{
		Driver: "fc2", Settings: []string{"inputs", "serial", "seed", "approve", "ev1"},
		New: func(settings url.Values) (Device, error) {
			o, err := FC2Options(settings)
			if err != nil {
				return Device{}, err
			}
			return FC2Device(fc2sim.New(o)), nil
		},
	}
}

// FC2Options reads the settings of a simulated Focusrite Control 2: inputs, serial, seed, approve, ev1.
func FC2Options(settings url.Values) (o fc2sim.Options, err error) {
	o.Serial = settings.Get("serial")
	if s := settings.Get("inputs"); s != "" {
		if o.Inputs, err = strconv.Atoi(s); err != nil || o.Inputs < 1 || o.Inputs > 64 {
			return o, fmt.Errorf("inputs: %q is no number from 1 to 64", s)
		}
	}
	if s := settings.Get("seed"); s != "" {
		if o.Seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			return o, fmt.Errorf("seed: %q is no whole number from 0", s)
		}
	}
	for name, to := range map[string]*bool{"approve": &o.Approve, "ev1": &o.EV1} {
		if s := settings.Get(name); s != "" {
			if *to, err = strconv.ParseBool(s); err != nil {
				return o, fmt.Errorf("%s: %q is neither true nor false", name, s)
			}
		}
	}
	return o, nil
}

// FC2Device is both endpoints of a simulated Focusrite Control 2, the screen of its computer as a page, and the server's public
// key, which the real one announces on the network.
func FC2Device(sim *fc2sim.Sim) Device {
	return Device{
		Services: []Service{
			{Network: "tcp", Port: fc2.FirstPort, Stream: sim.ServeSecure},
			{Network: "tcp", Port: fc2.FirstPort + 1, Stream: sim.ServeOnboarding},
		},
		Run:  sim.Run,
		Page: FC2Page(sim),
		Keys: map[string][]byte{"fc2-server-" + Host: []byte(sim.PublicKey().String())},
	}
}
