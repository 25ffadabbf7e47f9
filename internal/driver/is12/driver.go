// Package is12 is the driver for devices that speak NMOS IS-12 (MS-05-02) over WebSocket.
//
// A session asks for the device's tree of objects and, of each class, what its class manager says about the properties: every property
// becomes a point, so classes of a maker's own are shown as well as those of the standard. Structures and sequences are shown as JSON and
// can only be read. The package holds no wire format; that is protocol/is12.
package is12

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/is12"
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

// Options of an is12 device. The zero value is not usable; start from [Driver.Options].
type Options struct {
	Timeout time.Duration `yaml:"timeout" jsonschema:"type=string" doc:"longest wait for one answer of the device"`
	Poll    time.Duration `yaml:"poll" jsonschema:"type=string" doc:"period of objects whose changes the device does not tell by itself"`
	Path    string        `yaml:"path" doc:"path of the WebSocket, as the device's IS-04 node tells it"`
}

// Validate says what is wrong with the options and what would be right.
func (o *Options) Validate() error {
	if o.Timeout < 50*time.Millisecond || o.Timeout > time.Minute {
		return fmt.Errorf("timeout: %v is out of range; give 50ms to 1m", o.Timeout)
	}
	if o.Poll < 20*time.Millisecond || o.Poll > time.Hour {
		return fmt.Errorf("poll: %v is out of range; give 20ms to 1h", o.Poll)
	}
	if !strings.HasPrefix(o.Path, "/") {
		return fmt.Errorf("path: %q does not begin with a slash; write path: /%s", o.Path, o.Path)
	}
	return nil
}

func defaults() *Options {
	return &Options{Timeout: 3 * time.Second, Poll: time.Second, Path: is12.Path}
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
		return nil, errors.Join(wrap("open", addr, err), s.Close())
	}
	return s, nil
}

// Probe asks the root block at addr which class it is, over the usual path. It changes nothing. ctx bounds it.
func (Driver) Probe(ctx context.Context, env driver.Env, addr string) (driver.Finding, error) {
	c, err := is12client.Dial(ctx, is12client.Opener(env.Dial), addr, is12client.Options{})
	if err != nil {
		return driver.Finding{}, wrap("probe", addr, err)
	}
	var class is12.ClassID
	if err := c.Get(ctx, is12.RootOid, is12.PropertyClassID, &class); err != nil {
		return driver.Finding{}, errors.Join(wrap("probe", addr, err), c.Close())
	}
	members, err := c.Members(ctx, is12.RootOid, true)
	if err != nil {
		return driver.Finding{}, errors.Join(wrap("probe", addr, err), c.Close())
	}
	return driver.Finding{Match: class.IsA(is12.ClassBlock), Reasons: []string{fmt.Sprintf("NMOS IS-12 at %s, %d objects", is12.Path, len(members)+1)}}, c.Close()
}

// wrap makes the one error type of the driver boundary; nil stays nil.
func wrap(op, target string, err error) error {
	if err == nil {
		return nil
	}
	var de *driver.Error
	if errors.As(err, &de) {
		return err
	}
	e := &driver.Error{Op: op, Target: target, Class: classOf(err), Err: err}
	if op == "open" && e.Class == driver.NotThisProtocol {
		e.Hint = "Something answers there and is no IS-12 device on this path: the address is in the controls of the device's IS-04 node; the option path takes its path."
	}
	return e
}

func classOf(err error) driver.Class {
	var no *is12.Error
	switch {
	case errors.Is(err, is12client.ErrNotUpgraded), errors.Is(err, is12client.ErrFrame):
		return driver.NotThisProtocol
	case errors.As(err, &no):
		return classOfStatus(no.Status)
	}
	return driver.ClassOf(err)
}

func classOfStatus(s is12.Status) driver.Class {
	switch s {
	case is12.StatusBadOid, is12.StatusMethodNotImplemented, is12.StatusPropertyNotImplemented:
		return driver.Unsupported
	case is12.StatusUnauthorized:
		return driver.Auth
	case is12.StatusLocked, is12.StatusNotReady, is12.StatusConflict:
		return driver.Busy
	case is12.StatusTimeout:
		return driver.Timeout
	}
	return driver.DeviceSaidNo
}
