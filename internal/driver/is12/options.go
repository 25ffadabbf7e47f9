package is12

import (
	"fmt"
	"strings"
	"time"

	"github.com/patchbay-io/patchbay/protocol/is12"
)

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
