package serving

import (
	"errors"
	"fmt"

	"github.com/patchbay-io/patchbay/internal/driver"
)

var errNoGate = errors.New("no gate: nobody would be asked for permission")

// Fail makes the error of a server that cannot serve.
type Fail func(class driver.Class, err error, hint string) error

// Failing is Fail for a server whose programs connect to target.
func Failing(target string) Fail {
	return func(class driver.Class, err error, hint string) error {
		return &driver.Error{Op: "serve", Target: target, Class: class, Err: err, Hint: hint}
	}
}

// Check refuses what a server of one device cannot begin with: options that are wrong, none or several devices, no gate.
func (f Fail) Check(env driver.ServeEnv, options interface{ Validate() error }) error {
	switch err := options.Validate(); {
	case err != nil:
		return f(driver.Internal, err, "")
	case len(env.Upstreams) != 1:
		return f(driver.Internal, fmt.Errorf("%d upstreams; a server shows one device", len(env.Upstreams)), "")
	case env.Gate == nil:
		return f(driver.Internal, errNoGate, "")
	}
	return nil
}
