// Package rfc2217 is the driver for one serial port behind a terminal server that speaks telnet with com-port control (RFC 2217).
// The package holds no wire format; that is protocol/rfc2217.
package rfc2217

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/serialport"
	"github.com/patchbay-io/patchbay/internal/tcpstate"
	"github.com/patchbay-io/patchbay/protocol/rfc2217/rfc2217client"
)

// Port is used when the URL names none. RFC 2217 has no port of its own; ser2net's manual uses this one.
const Port = 2217

// Options of a device.
type Options struct {
	Timeout     time.Duration `yaml:"timeout" doc:"how long the server may take to agree on com-port control, and to answer a setting"`
	Signature   bool          `yaml:"signature" doc:"ask the server how it calls itself, for the point model; some servers, such as gensiot, crash on that question"`
	TimingMarks bool          `yaml:"timing_marks" doc:"ask the server with telnet timing marks which bytes it has taken; without them nothing is known about bytes on the way"`
}

// Validate checks the options.
func (o *Options) Validate() error {
	if o.Timeout < 100*time.Millisecond || o.Timeout > time.Minute {
		return fmt.Errorf("timeout %v is not from 100ms to 1m", o.Timeout)
	}
	return nil
}

// Driver makes sessions.
type Driver struct{}

// New is the driver.
func New() driver.Driver { return Driver{} }

// Info describes the driver.
func (Driver) Info() driver.Info {
	return driver.Info{Name: "rfc2217", Title: "Serial port over RFC 2217", Speaks: "RFC 2217", Panel: "serial",
		Schemes: []driver.Scheme{{Name: "rfc2217", Network: "tcp", Port: Port}},
		Can:     driver.CanWrite | driver.CanCommand | driver.CanStream | driver.CanProbe}
}

// Options are the defaults.
func (Driver) Options() any {
	return &Options{Timeout: rfc2217client.DefaultTimeout, TimingMarks: true}
}

// Open connects and agrees on com-port control. Many servers open their port for that, which may raise DTR and RTS; patchbay
// itself changes neither.
func (d Driver) Open(ctx context.Context, env driver.Env, target driver.Target) (driver.Session, error) {
	opts, ok := target.Options.(*Options)
	if !ok || opts == nil {
		opts = d.Options().(*Options)
	}
	if target.URL == nil || target.URL.Hostname() == "" {
		return nil, &driver.Error{Op: "open", Target: target.Name, Class: driver.Internal, Err: errors.New("the URL has no host"), Hint: "write rfc2217://HOST:PORT"}
	}
	port := target.URL.Port()
	if port == "" {
		port = strconv.Itoa(Port)
	}
	addr := net.JoinHostPort(target.URL.Hostname(), port)
	c, err := rfc2217client.Dial(ctx, rfc2217client.Opener(env.Dial), addr, rfc2217client.Options{Timeout: opts.Timeout, Signature: "patchbay",
		NoTimingMark: !opts.TimingMarks, NoSignature: !opts.Signature, Unanswered: tcpstate.Unanswered})
	if errors.Is(err, rfc2217client.ErrAsked) && opts.Signature {
		return nil, &driver.Error{Op: "open", Target: addr, Class: driver.Closed, Err: rfc2217client.ErrAsked,
			Hint: "some servers, such as gensiot, do not bear the question who they are: leave signature: true or ?signature=true out"}
	}
	if err != nil {
		return nil, wrap("open", addr, err)
	}
	var specs []device.Spec
	var samples []device.Sample
	if opts.Signature {
		specs = []device.Spec{{Path: "model", Kind: device.String, Rate: device.Static, Access: device.R, Role: "id.model", Title: "Server",
			Doc: "how the server calls itself (SIGNATURE)", Grade: device.GradeSpec}}
		samples = []device.Sample{{Path: "model", Value: device.OfString(c.Signature()), Received: time.Now()}}
	}
	return serialport.New(serialport.Config{
		Target: addr, Line: &line{c: c, addr: addr}, Specs: specs, Samples: samples,
		Ask: func(ctx context.Context) error { return wrap("read", addr, c.Ask(ctx)) },
		Gone: func(ctx context.Context) error {
			select {
			case <-c.Done():
				return wrap("read", addr, c.Err())
			case <-ctx.Done():
				return ctx.Err()
			}
		},
	}), nil
}

// Probe says whether an address speaks RFC 2217. It connects, agrees on the option and hangs up. It asks nothing, not even who the
// server is: gensiot crashes on that question.
func (Driver) Probe(ctx context.Context, env driver.Env, addr string) (driver.Finding, error) {
	err := rfc2217client.Recognise(ctx, rfc2217client.Opener(env.Dial), addr)
	if errors.Is(err, rfc2217client.ErrNoComPort) {
		return driver.Finding{Reasons: []string{err.Error()}}, nil
	}
	if err != nil {
		return driver.Finding{}, wrap("probe", addr, err)
	}
	return driver.Finding{Match: true, Reasons: []string{"it agrees on com-port control (RFC 2217)"}}, nil
}

// wrap gives errors their class.
func wrap(op, addr string, err error) error {
	if errors.Is(err, rfc2217client.ErrNoComPort) {
		return &driver.Error{Op: op, Target: addr, Class: driver.NotThisProtocol, Err: rfc2217client.ErrNoComPort,
			Hint: "check the port number; the server must have RFC 2217 switched on for this port (ser2net: telnet,rfc2217)"}
	}
	if errors.Is(err, rfc2217client.ErrAsked) {
		return &driver.Error{Op: op, Target: addr, Class: driver.Closed, Err: rfc2217client.ErrAsked}
	}
	if errors.Is(err, rfc2217client.ErrNoAnswer) {
		return &driver.Error{Op: op, Target: addr, Class: driver.Timeout, Err: err, Hint: "the server does not answer this setting"}
	}
	if errors.Is(err, rfc2217client.ErrSilent) {
		return &driver.Error{Op: op, Target: addr, Class: driver.Timeout, Err: err}
	}
	err = driver.WrapNet(op, addr, err)
	var e *driver.Error
	if errors.As(err, &e) && e.Class == driver.RefusedConn && e.Hint == "" {
		e.Hint = "the computer is there, and nothing listens on this port: each serial port of a server has a TCP port of its own, see its settings"
	}
	return err
}
