package is12

import (
	"errors"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/is12"
	"github.com/patchbay-io/patchbay/protocol/is12/is12client"
)

// wrap makes the one error type of the driver boundary; nil stays nil.
func wrap(op, target string, err error) error {
	if err == nil {
		return nil
	}
	var de *driver.Error
	if errors.As(err, &de) {
		return err
	}
	e := &driver.Error{Op: op, Target: target, Class: classOf(err), Err: err}
	if op == "open" && e.Class == driver.NotThisProtocol {
		e.Hint = "Something answers there and is no IS-12 device on this path: the address is in the controls of the device's IS-04 node; the option path takes its path."
	}
	return e
}

func classOf(err error) driver.Class {
	var no *is12.Error
	switch {
	case errors.Is(err, is12client.ErrNotUpgraded), errors.Is(err, is12client.ErrFrame):
		return driver.NotThisProtocol
	case errors.As(err, &no):
		return classOfStatus(no.Status)
	}
	return driver.ClassOf(err)
}

func classOfStatus(s is12.Status) driver.Class {
	switch s {
	case is12.StatusBadOid, is12.StatusMethodNotImplemented, is12.StatusPropertyNotImplemented:
		return driver.Unsupported
	case is12.StatusUnauthorized:
		return driver.Auth
	case is12.StatusLocked, is12.StatusNotReady, is12.StatusConflict:
		return driver.Busy
	case is12.StatusTimeout:
		return driver.Timeout
	}
	return driver.DeviceSaidNo
}
