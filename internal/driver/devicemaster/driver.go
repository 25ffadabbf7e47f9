// Package devicemaster is the driver for DeviceMaster serial device servers (Comtrol, Pepperl+Fuchs; TCP 4606).
//
// One session is one link to a box with all its ports. A port is taken when somebody opens its stream, and given back with
// it: the box tells nothing about ports that are not ours, so their lines have no values then. The package holds no wire
// format; that is protocol/devicemaster.
package devicemaster

import (
	"context"
	"errors"
	"net"
	"strconv"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmclient"
)

// Driver makes sessions with boxes.
type Driver struct{}

// New is the driver.
func New() driver.Driver { return Driver{} }

// Info describes the driver.
func (Driver) Info() driver.Info {
	return driver.Info{
		Name:    "devicemaster",
		Title:   "DeviceMaster serial server",
		Speaks:  "the DeviceMaster protocol",
		Panel:   "serial",
		Schemes: []driver.Scheme{{Name: "devicemaster", Network: "tcp", Port: devicemaster.Port}, {Name: boxScheme, Network: driver.LocalNetwork, Path: "name"}},
		Can:     driver.CanWrite | driver.CanCommand | driver.CanStream | driver.CanServe | driver.CanProbe,
	}
}

// Options are the defaults.
func (Driver) Options() any { return defaults() }

// Open connects to the box, asks who it is and begins a session. It opens no port. A box of the scheme devicemaster-box needs
// no connection.
func (Driver) Open(ctx context.Context, env driver.Env, target driver.Target) (driver.Session, error) {
	if target.URL != nil && target.URL.Scheme == boxScheme {
		return &nobox{name: target.Name, closed: make(chan struct{})}, nil
	}
	opts, ok := target.Options.(*Options)
	if !ok || opts == nil {
		opts = defaults()
	}
	addr, err := address(target)
	if err == nil {
		err = opts.Validate()
	}
	if err != nil {
		return nil, &driver.Error{Op: "open", Target: target.Name, Class: driver.Internal, Err: err}
	}
	s := &session{target: addr, opts: opts, news: make(chan struct{}, 1)}
	s.link, err = dmclient.Dial(ctx, dmclient.Opener(env.Dial), addr, dmclient.Options{Timeout: opts.Timeout, LinkTimeout: opts.LinkTimeout,
		ScanPeriod: uint8(opts.ScanPeriod), Changed: s.changed,
		Unknown: func(raw []byte, err error) {
			env.Log.Warn("the box sent what nobody knows; the rest of what came with it is dropped", "error", err, "bytes", shown(raw))
		}})
	if err != nil {
		return nil, wrap("open", addr, err)
	}
	s.began = time.Now()
	s.ports = make([]*port, s.link.Ports())
	for i := range s.ports {
		s.ports[i] = &port{number: i, settings: opts.settings()}
	}
	return s, nil
}

// address is host and port of a device URL.
func address(target driver.Target) (string, error) {
	if target.URL == nil || target.URL.Hostname() == "" {
		return "", errors.New("the URL has no host; write devicemaster://192.0.2.30")
	}
	port := target.URL.Port()
	if port == "" {
		port = strconv.Itoa(devicemaster.Port)
	}
	return net.JoinHostPort(target.URL.Hostname(), port), nil
}
