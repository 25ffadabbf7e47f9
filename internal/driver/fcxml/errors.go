package fcxml

import (
	"errors"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/fcxml"
	"github.com/patchbay-io/patchbay/protocol/fcxml/fcclient"
)

const approveHint = "On the computer of the interface, open Focusrite Control, Settings, Remote Devices, and press Approve beside this program."

// wrap makes the one error type of the driver boundary out of anything that the client returns; nil stays nil.
func wrap(op, target string, err error) error {
	if err == nil {
		return nil
	}
	var de *driver.Error
	if errors.As(err, &de) {
		return err
	}
	c := classOf(err)
	e := &driver.Error{Op: op, Target: target, Class: c, Err: err}
	switch {
	case c == driver.Auth:
		e.Hint = approveHint
	case op == "open":
		e.Hint = hint(c)
	}
	return e
}

// hint is what a person can check when Focusrite Control cannot be reached.
func hint(c driver.Class) string {
	switch c {
	case driver.RefusedConn:
		return "The computer is there, and Focusrite Control does not run on it, or has another port: it takes a new one at each start, so leave the port out of the URL and it is looked for."
	case driver.Unreachable, driver.Timeout:
		return "Nothing answers at this address: check it, and that the computer of the interface is on and lets Focusrite Control through its firewall."
	case driver.NotThisProtocol:
		return "Something answers there, but it is not Focusrite Control: leave the port out of the URL and it is looked for. Focusrite Control 2 is another program: fc2://."
	case driver.Closed:
		return "The connection was closed: Focusrite Control may have been quit."
	}
	return ""
}

func classOf(err error) driver.Class {
	var syntax *fcxml.SyntaxError
	switch {
	case errors.Is(err, fcxml.ErrNoFrame), errors.Is(err, fcxml.ErrTooLong), errors.As(err, &syntax):
		return driver.NotThisProtocol
	case errors.Is(err, fcclient.ErrNotApproved) && !errors.Is(err, fcclient.ErrUnconfirmed):
		return driver.Auth
	case errors.Is(err, fcclient.ErrUnconfirmed):
		return driver.Timeout
	case errors.Is(err, fcclient.ErrGone), errors.Is(err, fcclient.ErrOverruled):
		return driver.DeviceSaidNo
	}
	return driver.ClassOf(err)
}
