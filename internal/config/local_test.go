package config

import (
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/internal/driver"
)

// port is a driver whose URLs name something of this machine.
type port struct{ driver.Driver }

func (port) Options() any { return &struct{}{} }
func (port) Info() driver.Info {
	return driver.Info{Name: "serial", Schemes: []driver.Scheme{{Name: "serial", Network: driver.LocalNetwork, Path: "port"}}}
}

func TestURLsOfThisMachine(t *testing.T) {
	for raw, want := range map[string]string{"serial:/dev/ttyUSB0": "/dev/ttyUSB0", "serial:///dev/ttyUSB0": "/dev/ttyUSB0", "serial:COM3": "COM3"} {
		c, err := Load(Input{URLs: []string{raw}, Drivers: []driver.Driver{port{}}})
		if err != nil {
			t.Errorf("%s: %v", raw, err)
			continue
		}
		if u := c.Devices[0].Target.URL; u.Opaque+u.Path != want {
			t.Errorf("%s names %q", raw, u.Opaque+u.Path)
		}
	}
	for _, raw := range []string{"serial:", "serial://host/dev/ttyUSB0", "serial:/dev/x#y"} {
		if _, err := Load(Input{URLs: []string{raw}, Drivers: []driver.Driver{port{}}}); err == nil || !strings.Contains(err.Error(), "serial:/dev/ttyUSB0") {
			t.Errorf("%s: %v", raw, err)
		}
	}
}
