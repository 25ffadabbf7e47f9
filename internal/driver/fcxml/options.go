package fcxml

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
)

// Options are those of a device. Start from [Driver.Options].
type Options struct {
	Serial        string        `yaml:"serial" doc:"serial number of the interface, when several are connected; empty: the first"`
	Model         string        `yaml:"model" doc:"model of the interface, such as Scarlett 18i20; empty: the first"`
	Hostname      string        `yaml:"hostname" doc:"name of this program in the list of remote devices of Focusrite Control"`
	ClientKey     driver.Secret `yaml:"client_key" doc:"key under which Focusrite Control keeps the approval; empty: one that is made once and kept"`
	Timeout       time.Duration `yaml:"timeout" jsonschema:"type=string" doc:"how long connecting may take, and the first values"`
	MaxStep       float64       `yaml:"max_step" doc:"most decibels that one write may raise a monitor level by; 0: any"`
	TrustDefaults bool          `yaml:"trust_defaults" doc:"show as good what Focusrite Control does not say because it is at rest, so that it can be toggled"`
}

func defaults() *Options {
	name := "patchbay"
	if h, err := os.Hostname(); err == nil && h != "" {
		name = "patchbay on " + h
	}
	return &Options{Hostname: name, Timeout: 5 * time.Second, MaxStep: 12}
}

// Validate says what is wrong with the options and what would be right.
func (o *Options) Validate() error {
	switch {
	case o.Timeout < 100*time.Millisecond || o.Timeout > time.Minute:
		return fmt.Errorf("timeout: %v is out of range; give 100ms to 1m", o.Timeout)
	case o.MaxStep < 0 || o.MaxStep > 128:
		return fmt.Errorf("max_step: %v is out of range; give 0 to 128", o.MaxStep)
	case o.Hostname == "":
		return errors.New("hostname: it is empty; a program without a name is hard to find in the list of Focusrite Control")
	}
	return nil
}
