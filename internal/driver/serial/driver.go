// Package serial is the driver for the serial ports of this machine: serial:/dev/ttyUSB0, serial:COM3.
package serial

import (
	"context"
	"errors"
	"net/url"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/serialport"
)

// Options of a device.
type Options struct {
	// Watch is how often the driver looks whether the port is still there.
	Watch time.Duration `yaml:"watch" doc:"how often to look whether the port is still plugged in"`
}

// Validate checks the options.
func (o *Options) Validate() error {
	if o.Watch < 100*time.Millisecond || o.Watch > time.Hour {
		return errors.New("watch is from 100ms to 1h")
	}
	return nil
}

// Driver makes sessions.
type Driver struct{}

// New is the driver.
func New() driver.Driver { return Driver{} }

// Info describes the driver.
func (Driver) Info() driver.Info {
	return driver.Info{Name: "serial", Title: "Serial port of this machine", Panel: "serial",
		Schemes: []driver.Scheme{{Name: "serial", Network: driver.LocalNetwork, Path: "port"}}, Can: driver.CanWrite | driver.CanCommand | driver.CanStream}
}

// Options are the defaults.
func (Driver) Options() any { return &Options{Watch: time.Second} }

// Open finds the port and does not open it: that would raise DTR and RTS. A stream opens it.
func (d Driver) Open(ctx context.Context, _ driver.Env, target driver.Target) (driver.Session, error) {
	opts, ok := target.Options.(*Options)
	if !ok || opts == nil {
		opts = d.Options().(*Options)
	}
	name, err := portName(target.URL)
	if err != nil {
		return nil, &driver.Error{Op: "open", Target: target.Name, Class: driver.Internal, Err: err, Hint: "write serial:/dev/ttyUSB0, or serial:COM3 on Windows"}
	}
	if err := ctx.Err(); err != nil {
		return nil, driver.WrapNet("open", name, err)
	}
	if err := there(name); err != nil {
		return nil, fileError("open", name, err)
	}
	model := device.Spec{Path: "model", Kind: device.String, Rate: device.Static, Access: device.R, Role: "id.model", Title: "Port",
		Doc: "the port of this machine", Grade: device.GradeSpec}
	return serialport.New(serialport.Config{
		Target: name, Specs: []device.Spec{model}, Samples: []device.Sample{{Path: "model", Value: device.OfString(name), Received: time.Now()}},
		Open: func(ctx context.Context, line driver.Line) (driver.Stream, error) {
			if err := ctx.Err(); err != nil {
				return nil, driver.WrapNet("open", name, err)
			}
			return OpenPort(name, line)
		},
		Gone: func(ctx context.Context) error {
			tick := time.NewTicker(opts.Watch)
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-tick.C:
				}
				if err := there(name); err != nil {
					return fileError("watch", name, err)
				}
			}
		},
	}), nil
}

// portName is the port in a URL: serial:/dev/ttyUSB0, serial:///dev/ttyUSB0, serial:COM3.
func portName(u *url.URL) (string, error) {
	if u == nil {
		return "", errors.New("there is no URL")
	}
	name := u.Opaque
	if name == "" {
		name = u.Host + u.Path
	}
	switch {
	case name == "":
		return "", errors.New("the URL names no port")
	case runtime.GOOS != "windows" && !strings.HasPrefix(name, "/"):
		return "", errors.New("the port is the whole path of a file below /dev")
	}
	return name, nil
}

// there reports whether a port exists. The names of Windows are in no folder; there only opening tells.
func there(name string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	_, err := os.Stat(name)
	return err
}

// Check says whether this machine has a port, by the whole name of its file or COM3. It does not open it.
func Check(name string) error {
	_, err := portName(&url.URL{Opaque: name})
	if err == nil {
		err = there(name)
	}
	if err != nil {
		return fileError("open", name, err)
	}
	return nil
}

// OpenPort opens a port of this machine for us alone, with a setting for what line names.
func OpenPort(name string, line driver.Line) (driver.Stream, error) {
	s, err := open(name, line)
	if err != nil {
		return nil, fileError("open", name, err)
	}
	return s, nil
}

// fileError gives errors of the system their class.
func fileError(op, name string, err error) error {
	e := &driver.Error{Op: op, Target: name, Class: driver.ClassOf(err), Err: err}
	var path *os.PathError
	if errors.As(err, &path) {
		e.Err = path.Err
	}
	switch {
	case errors.Is(err, os.ErrNotExist):
		e.Class, e.Hint = driver.Unreachable, "plug it in; names below /dev/serial/by-id stay the same at every plug"
	case errors.Is(err, os.ErrPermission):
		e.Class, e.Hint = driver.Auth, "add the user that runs patchbay to the group of the port, often dialout"
	case isBusy(err):
		e.Class, e.Hint = driver.Busy, "another program has the port open"
	case errors.Is(err, errNoTerminal):
		e.Class, e.Hint = driver.NotThisProtocol, "name a serial port"
	case e.Class == driver.Internal:
		e.Class = driver.Closed // whatever else a port has: trying again may help
	}
	return e
}

var errNoTerminal = errors.New("it is no serial port")
