package gateway

import (
	"errors"
	"fmt"

	"github.com/patchbay-io/patchbay/internal/access"
	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// authorize says whether who may do what. Every write and every command passes it: the user first, whom it concerns more,
// then the device.
func (g *Gateway) authorize(who driver.Who, dev *north.Device, hazard string, a driver.Action) *north.WriteError {
	if err := g.may(who, a, hazard); err != nil {
		var e *north.WriteError
		errors.As(denied(err, a), &e)
		return e
	}
	return granted(dev, hazard, a)
}

// may asks what is configured about who.
func (g *Gateway) may(who driver.Who, a driver.Action, hazard string) error {
	if g.opt.Access == nil {
		return nil
	}
	return g.opt.Access.May(who, a, hazard)
}

func denied(err error, a driver.Action) error {
	if err == nil {
		return nil
	}
	e := &north.WriteError{Code: "forbidden", Device: a.Device, Path: a.Path, Class: driver.Auth, Text: err.Error()}
	var d *access.Denied
	if errors.As(err, &d) {
		e.Hint = d.Hint
	}
	return e
}

// granted says whether the configuration of the device allows it, whoever asks.
func granted(dev *north.Device, hazard string, a driver.Action) *north.WriteError {
	if dev.MayWrite(a.Path, hazard) {
		return nil
	}
	e := &north.WriteError{Code: "not-writable", Device: a.Device, Path: a.Path, Class: driver.Auth,
		Text: "the configuration does not allow writing it",
		Hint: fmt.Sprintf(`allow it in the configuration: devices: {%s: {writable: ["%s"]}}`, a.Device, a.Path.Grant())}
	if hazard == device.HazardMove && dev.Granted(a.Path) {
		e.Text = "it is a hazard point, which a wildcard never grants"
		e.Hint = fmt.Sprintf(`name it in the configuration: devices: {%s: {writable: ["%s"]}}`, a.Device, a.Path)
	}
	return e
}

// spend takes n writes of what who may do in a second. What is refused here is neither in the log of writes nor in
// the audit, which a program gone wild would fill; the log of the program sums it up.
func (g *Gateway) spend(who driver.Who, n int) error {
	if g.opt.Access == nil {
		return nil
	}
	err := g.opt.Access.Spend(who, n)
	if err == nil {
		return nil
	}
	g.log.Warn("too many writes by "+who.User+" are refused", "door", who.Door, "from", who.Addr)
	return &north.WriteError{Code: "too-many-writes", Item: -1, Class: driver.Busy, Text: err.Error(),
		Hint: "write less often; write_rate in the configuration is the limit"}
}
