package gateway

import (
	"errors"
	"fmt"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// DeviceConfig is one device as the gateway needs it. It is not changed after it was given to SetDevices.
type DeviceConfig struct {
	Name      string
	Driver    driver.Driver
	Target    driver.Target
	Display   string // the URL without secrets
	Simulated bool
	Labels    map[string]string
	Writable  []string // patterns of device.Path.Match; a pattern with a wildcard never grants a hazard point
	// WritableAll grants every point, hazards included: for simulated devices.
	WritableAll bool
	// Section is equal when everything about the connection is equal. A device whose section stays the same keeps its
	// session; its permissions and labels are taken over at once.
	Section     string
	OpenTimeout time.Duration // 0: 10 s
	// Serve holds the options of the driver's native server, a pointer of its ServeOptions; nil: nothing is served.
	// ServeSection is equal when they are equal; another one starts the server anew and leaves the session alone.
	Serve        any
	ServeSection string
	BackOff      BackOff
}

const defaultOpenTimeout = 10 * time.Second

func (c *DeviceConfig) openTimeout() time.Duration {
	if c.OpenTimeout > 0 {
		return c.OpenTimeout
	}
	return defaultOpenTimeout
}

// configKey is where Writable would be written.
func (c *DeviceConfig) configKey() string { return "devices." + c.Name + ".writable" }

func (c *DeviceConfig) north() north.Device {
	info := c.Driver.Info()
	return north.Device{
		Name: c.Name, Driver: info.Name, Title: info.Title, Panel: info.Panel, URL: c.Display, Simulated: c.Simulated,
		Labels: c.Labels, Writable: c.Writable, WritableAll: c.WritableAll, ConfigKey: c.configKey(),
	}
}

// sameMachine reports whether o is the same device reached in another way or with other options.
func (c *DeviceConfig) sameMachine(o *DeviceConfig) bool {
	return c.Driver.Info().Name == o.Driver.Info().Name && c.host() == o.host()
}

func (c *DeviceConfig) host() string {
	if c.Target.URL == nil {
		return ""
	}
	return c.Target.URL.Scheme + "://" + c.Target.URL.Host
}

func check(devices []DeviceConfig) error {
	seen := make(map[string]bool, len(devices))
	for i := range devices {
		d := &devices[i]
		switch {
		case d.Name == "":
			return fmt.Errorf("device %d has no name", i+1)
		case seen[d.Name]:
			return fmt.Errorf("two devices are called %q; give each its own name", d.Name)
		case d.Driver == nil:
			return fmt.Errorf("device %q has no driver", d.Name)
		}
		if _, err := device.ParsePath(d.Name); err != nil {
			return fmt.Errorf("device name: %w", err)
		}
		seen[d.Name] = true
	}
	return nil
}

var errRunning = errors.New("the gateway runs already")
