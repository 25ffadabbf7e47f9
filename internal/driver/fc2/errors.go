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
