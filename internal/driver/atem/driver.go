// Package atem is the drivers for Blackmagic ATEM video switchers: one over their own UDP protocol, and one over the
// OpenSwitcher relay, which carries the same fields over TCP. Both make the same points.
//
// A switcher pushes: it sends everything that it is when a session begins, and then what changes. Nothing is polled. Points
// come from fields alone, writes and commands are confirmed by the fields that come back, and tally is what the switcher
// itself says. The package holds no wire format; that is protocol/atem and protocol/openswitcher.
package atem

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/atem/atemclient"
)

// Options of an atem device.
type Options struct {
	Timeout time.Duration `yaml:"timeout" jsonschema:"type=string" doc:"longest wait for everything that the switcher says when a session begins"`
}

func defaults() *Options { return &Options{Timeout: 10 * time.Second} }

// Validate says what is wrong with the options and what would be right.
func (o *Options) Validate() error { return checkTimeout(o.Timeout) }

func checkTimeout(d time.Duration) error {
	if d < 100*time.Millisecond || d > 5*time.Minute {
		return fmt.Errorf("timeout: %v is out of range; give 100ms to 5m", d)
	}
	return nil
}

// Driver makes sessions with switchers over UDP.
type Driver struct{}

// New is the driver of switchers over UDP.
func New() driver.Driver { return Driver{} }

// Info describes the driver.
func (Driver) Info() driver.Info {
	return driver.Info{
		Name:    "atem",
		Title:   "Blackmagic ATEM",
		Panel:   "switcher",
		Schemes: []driver.Scheme{{Name: "atem", Network: "udp", Port: atem.Port}},
		Can:     driver.CanWrite | driver.CanCommand | driver.CanServe | driver.CanProbe,
	}
}

// Options are the defaults.
func (Driver) Options() any { return defaults() }

// Open asks the switcher for a session and waits until it has said what it is.
func (Driver) Open(ctx context.Context, env driver.Env, target driver.Target) (driver.Session, error) {
	opts, ok := target.Options.(*Options)
	if !ok || opts == nil {
		opts = defaults()
	}
	addr, err := address(target.URL, atem.Port)
	if err != nil {
		return nil, &driver.Error{Op: "open", Target: target.Name, Class: driver.Internal, Err: err}
	}
	s := newSession(addr)
	c, err := dialUDP(ctx, env, addr, s.handle)
	if err != nil {
		return nil, wrap("open", addr, err)
	}
	if err := s.begin(ctx, udpLink{c}, opts.Timeout); err != nil {
		return nil, wrap("open", addr, err)
	}
	return s, nil
}

func dialUDP(ctx context.Context, env driver.Env, addr string, handle func([]byte)) (*atemclient.Client, error) {
	return atemclient.Dial(ctx, atemclient.Opener(env.ListenPacket), addr, atemclient.Options{Handle: handle, Rand: env.Rand, Opens: 1})
}

// address is host and port of a device URL.
func address(u *url.URL, port int) (string, error) {
	if u == nil || u.Hostname() == "" {
		return "", errors.New("the URL has no host; write atem://192.0.2.10")
	}
	p := u.Port()
	if p == "" {
		p = strconv.Itoa(port)
	}
	return net.JoinHostPort(u.Hostname(), p), nil
}

// udpLink is a session over UDP as the points need it.
type udpLink struct{ *atemclient.Client }

// heard counts what has come, pings too, so that it shows whether the switcher is there.
func (l udpLink) heard() (uint64, bool) { return l.Stats().Received, true }
