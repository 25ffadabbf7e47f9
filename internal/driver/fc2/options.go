package fc2

import (
	"fmt"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver/aes70"
	"github.com/patchbay-io/patchbay/protocol/fc2"
)

// Options are those of a device. Start from [Driver.Options].
type Options struct {
	ServerKey  string        `yaml:"server_key" doc:"public key of Focusrite Control 2, 64 hex digits, as it announces on the network; needed once, then it is kept"`
	Onboarding uint16        `yaml:"onboarding_port" doc:"port on which programs are paired; 0: the one after the port of the URL"`
	Hostname   string        `yaml:"hostname" doc:"name of this program in Focusrite Control 2"`
	Timeout    time.Duration `yaml:"timeout" jsonschema:"type=string" doc:"longest wait for one answer"`
	Poll       time.Duration `yaml:"poll" jsonschema:"type=string" doc:"period of points whose changes are not told"`
	MaxStep    float64       `yaml:"max_step" doc:"largest step in dB by which one write may raise a monitor level; 0: no limit"`
}

func defaults() *Options {
	return &Options{Hostname: "patchbay", Timeout: 3 * time.Second, Poll: time.Second, MaxStep: 20}
}

// Validate says what is wrong with the options and what would be right.
func (o *Options) Validate() error {
	if o.ServerKey != "" {
		if _, err := fc2.ParsePublicKey(o.ServerKey); err != nil {
			return fmt.Errorf("server_key: %q is no key; it has 64 hexadecimal digits", o.ServerKey)
		}
	}
	if o.Hostname == "" || len(o.Hostname) > fc2.MaxName {
		return fmt.Errorf("hostname: give a name of 1 to %d bytes", fc2.MaxName)
	}
	return o.aes70().Validate()
}

// aes70 are the options of what is inside the tunnel.
func (o *Options) aes70() *aes70.Options {
	inner := new(aes70.Driver).Options().(*aes70.Options)
	inner.Timeout, inner.Poll, inner.MaxStep = o.Timeout, o.Poll, o.MaxStep
	return inner
}
