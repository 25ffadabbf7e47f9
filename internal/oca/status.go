package oca

import (
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
)

// StatusOf is what a controller is told when a change failed in a way of that class.
func StatusOf(class driver.Class) ocp1.Status {
	switch class {
	case driver.Auth:
		return ocp1.StatusPermissionDenied
	case driver.Unsupported:
		return ocp1.StatusNotImplemented
	case driver.DeviceSaidNo:
		return ocp1.StatusParameterError
	case driver.Timeout:
		return ocp1.StatusTimeout
	case driver.Busy:
		return ocp1.StatusBusy
	}
	return ocp1.StatusDeviceError
}
