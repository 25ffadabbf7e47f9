package fc2

import (
	"errors"
	"io"
	"net"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/fc2"
	"github.com/patchbay-io/patchbay/protocol/fc2/fc2client"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaws"
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
	switch e.Class {
	case driver.RefusedConn:
		e.Hint = "The computer is there, and Focusrite Control 2 does not run on it, or has other ports: it takes the first free ones from 58322 on."
	case driver.NotThisProtocol:
		e.Hint = "Something answers there, but it is not Focusrite Control 2; the older Focusrite Control is fcxml://."
	case driver.Auth:
		e.Hint = "Compare server_key with what Focusrite Control 2 announces now, and pair again: patchbay pair."
	}
	return e
}

// ofInterface puts what a person can do at Focusrite Control 2 in place of what AES70 says of a device that closes the connection.
func ofInterface(err error) error {
	var e *driver.Error
	if !errors.As(err, &e) || e.Class != driver.Closed {
		return err
	}
	other := *e
	other.Hint = "Focusrite Control 2 has let this program in and ended the connection at once: its interface may not be connected, or it serves no more programs."
	return &other
}

func classOf(err error) driver.Class {
	for _, key := range []error{fc2.ErrRecord, fc2.ErrEcho, fc2.ErrSameNonce, fc2.ErrNonce, fc2.ErrWeakKey} {
		if errors.Is(err, key) {
			return driver.Auth
		}
	}
	for _, other := range []error{ocaws.ErrNotUpgraded, fc2.ErrLong, fc2.ErrShort, fc2.ErrTag, fc2client.ErrNoAgent, ocp1.ErrSync, ocp1.ErrSize, ocp1.ErrTooLong, ocp1.ErrPDU, ocp1.ErrCount} {
		if errors.Is(err, other) {
			return driver.NotThisProtocol
		}
	}
	var refusal *ocp1.Error
	switch {
	case errors.Is(err, fc2client.ErrBusy):
		return driver.Busy
	case errors.Is(err, fc2client.ErrDenied), errors.Is(err, fc2client.ErrCode), errors.As(err, &refusal):
		return driver.DeviceSaidNo
	}
	c := driver.ClassOf(err)
	if c == driver.Closed && errors.Is(err, fc2client.ErrHandshake) {
		return driver.Auth // it cannot read what is meant for another key
	}
	if c == driver.Internal { // what the HTTP and WebSocket layers say about other protocols has no type
		var ne net.Error
		if errors.As(err, &ne) && ne.Timeout() || errors.Is(err, io.ErrNoProgress) {
			return driver.Timeout
		}
		return driver.NotThisProtocol
	}
	return c
}
