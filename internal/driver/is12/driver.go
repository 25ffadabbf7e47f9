// Package is12 is the driver for devices that speak NMOS IS-12 (MS-05-02) over WebSocket.
//
// A session asks for the device's tree of objects and, of each class, what its class manager says about the properties: every property
// becomes a point, so classes of a maker's own are shown as well as those of the standard. Structures and sequences are shown as JSON and
// can only be read. The package holds no wire format; that is protocol/is12.
package is12

import (
	"context"
	"errors"
	"net"
	"strconv"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/is12/is12client"
)

// Port is that of HTTP: the WebSocket's own is in the device's IS-04 node.
const Port = 80

// Driver makes IS-12 sessions.
type Driver struct{}

// New is the driver.
func New() driver.Driver { return Driver{} }

// Info describes the driver.
func (Driver) Info() driver.Info {
	return driver.Info{Name: "is12", Title: "NMOS IS-12", Panel: "audio", Schemes: []driver.Scheme{{Name: "is12+ws", Network: "tcp", Port: Port}},
		Can: driver.CanWrite | driver.CanProbe}
}

// Options are the defaults.
func (Driver) Options() any { return defaults() }

// Open connects, and asks for the tree of objects, their classes and all values.
func (Driver) Open(ctx context.Context, env driver.Env, target driver.Target) (driver.Session, error) {
	opts, ok := target.Options.(*Options)
	if !ok || opts == nil {
		opts = defaults()
	}
	if target.URL == nil || target.URL.Hostname() == "" {
		return nil, &driver.Error{Op: "open", Target: target.Name, Class: driver.Internal, Err: errors.New("the URL has no host; write is12+ws://192.0.2.50:8080")}
	}
	port := target.URL.Port()
	if port == "" {
		port = strconv.Itoa(Port)
	}
	addr := net.JoinHostPort(target.URL.Hostname(), port)
	s := &session{target: addr, poll: opts.Poll, wake: make(chan struct{}, 1), stale: map[*point]bool{}}
	c, err := is12client.Dial(ctx, is12client.Opener(env.Dial), addr, is12client.Options{Path: opts.Path, Timeout: opts.Timeout, Events: s.event})
	if err != nil {
		return nil, wrap("open", addr, err)
	}
	s.client = c
	if err := s.survey(ctx); err != nil {
		return nil, errors.Join(unanswered(addr, err), s.Close())
	}
	return s, nil
}
