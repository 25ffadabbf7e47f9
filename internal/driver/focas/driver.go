// Package focas is the driver for FANUC CNC controls that serve FOCAS2 over Ethernet (TCP 8193).
//
// A session reads what is due in as few frames as the control's limits allow, marks what a control does not have as
// unsupported without spoiling the rest, and writes only macros, offsets, parameters and PMC data. The package holds no
// wire format; that is protocol/focas.
package focas

import (
	"context"
	"errors"
	"net"
	"strconv"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/focas/focasclient"
)

// Port is where FOCAS over Ethernet listens unless the control's parameters say otherwise.
const Port = 8193

// Driver makes FOCAS sessions.
type Driver struct{}

// New is the driver.
func New() driver.Driver { return Driver{} }

// Info describes the driver.
func (Driver) Info() driver.Info {
	return driver.Info{
		Name:    "focas",
		Title:   "FANUC FOCAS",
		Panel:   "cnc",
		Schemes: []driver.Scheme{{Name: "focas", Network: "tcp", Port: Port}},
		Can:     driver.CanWrite | driver.CanServe | driver.CanProbe,
	}
}

// Options are the defaults.
func (Driver) Options() any { return defaults() }

// Open connects to the control, asks what it is and which points it has, and reads its static data once.
func (Driver) Open(ctx context.Context, env driver.Env, target driver.Target) (driver.Session, error) {
	opts, ok := target.Options.(*Options)
	if !ok || opts == nil {
		opts = defaults()
	}
	addr, err := address(target)
	if err != nil {
		return nil, &driver.Error{Op: "open", Target: target.Name, Class: driver.Internal, Err: err}
	}
	client, err := focasclient.Dial(ctx, focasclient.Opener(env.Dial), addr, focasclient.Options{
		Timeout: opts.Timeout, Limits: focasclient.Limits{ReplyBody: opts.ReplyBudget}})
	if err != nil {
		return nil, wrap("open", addr, err)
	}
	s := &session{client: client, target: addr, opts: opts, batches: map[string]*plan{}}
	s.takeAll = s.takeReads
	if err := s.build(ctx); err != nil {
		return nil, errors.Join(wrap("open", addr, err), s.Close())
	}
	return s, nil
}

// address is host and port of a device URL.
func address(target driver.Target) (string, error) {
	if target.URL == nil || target.URL.Hostname() == "" {
		return "", errors.New("the URL has no host; write focas://192.0.2.21")
	}
	port := target.URL.Port()
	if port == "" {
		port = strconv.Itoa(Port)
	}
	return net.JoinHostPort(target.URL.Hostname(), port), nil
}
