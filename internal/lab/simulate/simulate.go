// Package simulate is the simulators of every kind of device by name: inside this process behind an in-memory network, as
// the far end of a sim+ device URL, or on a real listener for other programs. The far end of a replay+ device URL, a
// recording that answers by request, is found here too.
package simulate

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/patchbay-io/patchbay/internal/lab/replay"
	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/focas/focassim"
)

// Settings names what the simulator of each driver takes in a sim+ URL, by driver name.
func Settings() map[string][]string {
	return map[string][]string{"focas": {"profile", "scenario", "seed", "speed"}}
}

// Host is the name that an in-process simulator has in addresses.
const Host = "simulator"

// Server is a simulated device. Serve blocks until ctx ends and closes the listener.
type Server interface {
	Serve(ctx context.Context, l net.Listener) error
}

// New makes the simulator of a driver; it starts nothing, and reads the scenario file when the settings name one. With the
// setting "file" it is the recording in that file instead.
func New(kind string, settings url.Values) (Server, error) {
	if kind != "focas" {
		return nil, fmt.Errorf("there is no simulator for %q; known: %s", kind, strings.Join(slices.Sorted(maps.Keys(Settings())), ", "))
	}
	if name := settings.Get("file"); name != "" {
		return replay.ReadFOCAS(name)
	}
	o, sc, err := FOCASOptions(settings)
	if err != nil {
		return nil, err
	}
	return NewFOCAS(o, sc)
}

// IsFile tells a scenario file from the name of a scenario: it ends in .yaml or .yml.
func IsFile(scenario string) bool {
	return strings.HasSuffix(scenario, ".yaml") || strings.HasSuffix(scenario, ".yml")
}

// FOCASOptions reads the settings of a simulated FANUC control: profile, seed, speed, and scenario, which is a name or a
// file. Other settings win over what the file says. The scenario is nil unless it came from a file.
func FOCASOptions(settings url.Values) (o focassim.Options, sc *Scenario, err error) {
	if s := settings.Get("scenario"); IsFile(s) {
		if sc, err = ReadScenario(s); err != nil {
			return o, nil, err
		}
		o = sc.Options()
	} else if o.Scenario, err = focassim.ScenarioOf(s); err != nil {
		return o, nil, fmt.Errorf("scenario: %w; or the name of a file that ends in .yaml", err)
	}
	if s := settings.Get("profile"); s != "" {
		o.Profile = s
	}
	if s := settings.Get("seed"); s != "" {
		if o.Seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			return o, nil, fmt.Errorf("seed: %q is no whole number from 0", s)
		}
	}
	if s := settings.Get("speed"); s != "" {
		if o.Speed, err = strconv.ParseFloat(s, 64); err != nil || !(o.Speed > 0 && o.Speed <= 1000) {
			return o, nil, fmt.Errorf("speed: %q is no number above 0, at most 1000", s)
		}
	}
	return o, sc, nil
}

// Local is a simulated device inside this process. Make it with [NewLocal], run it with [Local.Run], reach it with
// [Local.Dial].
type Local struct {
	server   Server
	listener *testnet.Listener
}

// NewLocal makes a simulated device of a driver; it starts nothing.
func NewLocal(kind string, settings url.Values) (*Local, error) {
	s, err := New(kind, settings)
	if err != nil {
		return nil, err
	}
	return NewLocalServer(s), nil
}

// NewLocalServer puts any server behind the in-memory network of this process; it starts nothing.
func NewLocalServer(s Server) *Local { return &Local{server: s, listener: testnet.Listen()} }

// Run serves the device until ctx ends; then nothing of it is left and it returns nil.
func (l *Local) Run(ctx context.Context) error {
	err := l.server.Serve(ctx, l.listener)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// Dial connects to the device, whatever address is asked for. It has the form of driver.Env.Dial.
func (l *Local) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	return l.listener.DialContext(ctx, network, addr)
}
