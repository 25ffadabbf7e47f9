package north

import (
	"strings"

	"github.com/patchbay-io/patchbay/internal/device"
)

// MayWrite reports whether the configuration lets doors write a point or perform a command of that hazard. A pattern with
// a wildcard never grants a hazard point: those are named one by one. Whether the device itself takes writes is in the
// point's Access.
func (d *Device) MayWrite(path device.Path, hazard string) bool {
	if d.WritableAll {
		return true
	}
	for _, pattern := range d.Writable {
		if strings.Contains(pattern, "*") && hazard == device.HazardMove {
			continue
		}
		if path.Match(pattern) {
			return true
		}
	}
	return false
}

// Granted reports whether any pattern fits the path, without regard to its hazard.
func (d *Device) Granted(path device.Path) bool { return d.MayWrite(path, device.HazardPlain) }
