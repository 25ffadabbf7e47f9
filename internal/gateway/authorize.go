package gateway

import (
	"fmt"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// authorize says whether who may do what. Every write and every command passes it.
func (g *Gateway) authorize(who driver.Who, dev *north.Device, hazard string, a driver.Action) *north.WriteError {
	if !dev.MayWrite(a.Path, hazard) {
		e := &north.WriteError{Code: "not-writable", Device: a.Device, Path: a.Path, Class: driver.Auth,
			Text: "the configuration does not allow writing it",
			Hint: fmt.Sprintf(`allow it in the configuration: devices: {%s: {writable: ["%s"]}}`, a.Device, a.Path)}
		if hazard == device.HazardMove && dev.Granted(a.Path) {
			e.Text = "it is a hazard point, which a wildcard never grants"
			e.Hint = fmt.Sprintf(`name it in the configuration: devices: {%s: {writable: ["%s"]}}`, a.Device, a.Path)
		}
		return e
	}
	if g.opt.Allow == nil {
		return nil
	}
	if err := g.opt.Allow(who, a); err != nil {
		return &north.WriteError{Code: "forbidden", Device: a.Device, Path: a.Path, Class: driver.Auth, Text: err.Error(), Hint: driver.HintOf(err)}
	}
	return nil
}
