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
	if op == "open" {
		e.Hint = hint(e.Class)
	}
	return e
}

// unanswered is the error of a session on which the device could not be looked through. Whoever takes the WebSocket and says nothing is there,
// and needs another hint than an address without an answer.
func unanswered(target string, err error) error {
	err = wrap("open", target, err)
	var de *driver.Error
	if errors.As(err, &de) && de.Class == driver.Timeout {
		de.Hint = "It takes the WebSocket and does not answer in IS-12: it may be another device. Port and path are in the controls of the device's IS-04 node."
	}
	return err
}

// hint is what a person can check when a device cannot be opened.
func hint(c driver.Class) string {
	switch c {
	case driver.RefusedConn:
		return "A host is there, but nothing listens on this port: port and path are in the controls of the device's IS-04 node, as urn:x-nmos:control:ncp/v1.0."
	case driver.Unreachable:
		return "There is no way to this address: check it, the netmask and the cable."
	case driver.Timeout:
		return "The device does not answer in time: check the address, and that no firewall drops the connection."
	case driver.NotThisProtocol:
		return "Something answers there and is no IS-12 device on this path: the address is in the controls of the device's IS-04 node; the option path takes its path."
	case driver.Closed:
		return "The device closed the connection: it may serve no more controllers, or speak something else here, such as TLS. Port and path are in the controls of the device's IS-04 node."
	}
	return ""
}

func classOf(err error) driver.Class {
	var no *is12.Error
	switch {
	case errors.Is(err, errLarge), errors.Is(err, errClasses), errors.Is(err, is12.ErrTooMany):
		return driver.Unsupported // it speaks the protocol, and too much
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
