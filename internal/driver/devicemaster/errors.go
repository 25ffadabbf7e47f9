package devicemaster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmclient"
)

// classOf maps what the client returns.
func classOf(err error) driver.Class {
	switch {
	case errors.Is(err, net.ErrClosed), errors.Is(err, context.Canceled):
		return driver.Closed
	case errors.Is(err, dmclient.ErrBusy), errors.Is(err, dmclient.ErrOpen):
		return driver.Busy
	case errors.Is(err, dmclient.ErrNoPort):
		return driver.Unsupported
	case errors.Is(err, dmclient.ErrNotDeviceMaster), errors.Is(err, dmclient.ErrFlow):
		return driver.NotThisProtocol
	case errors.Is(err, dmclient.ErrNoAnswer):
		return driver.Timeout
	case errors.Is(err, dmclient.ErrLost):
		return driver.Closed
	}
	if c := driver.ClassOf(err); c != driver.Internal || !errors.Is(err, dmclient.ErrLinkDown) {
		return c
	}
	return driver.Closed
}

// hint is what a person can check.
func hint(op string, c driver.Class, err error) string {
	if dns := (*net.DNSError)(nil); errors.As(err, &dns) && dns.IsNotFound {
		return "This name is not known on the network: check its spelling, or write the box's address instead."
	}
	switch {
	case errors.Is(err, dmclient.ErrBusy):
		return "Another host has the port: close the program there, or take the port away with the command release."
	case errors.Is(err, dmclient.ErrOpen):
		return "The port is open in this gateway already: join it as an observer, or close it there."
	case errors.Is(err, dmclient.ErrLost):
		return "Somebody has released the port with a tool or from another host."
	case errors.Is(err, dmclient.ErrNoPort):
		return "Ports are counted from 1, as they are printed on the box."
	case op != "open" && op != "probe":
		return ""
	}
	switch c {
	case driver.RefusedConn:
		return "The box is on the network, but its driver port does not answer: check the port number (4606), and that the box runs SocketServer or NS-Link and not its boot loader."
	case driver.Unreachable:
		return "Nothing answers at this address: check the address, the cable and that the box is on."
	case driver.Timeout:
		return "The box does not answer in time: check the address and firewalls; a box with secure data mode expects TLS, which is not supported."
	case driver.NotThisProtocol:
		return "Something answers there, but it is no DeviceMaster: check the address and the port."
	}
	return ""
}

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
	cause := bare(err)
	if errors.Is(err, dmclient.ErrLost) {
		cause = &taken{cause}
	}
	return &driver.Error{Op: op, Target: target, Class: c, Hint: hint(op, c, err), Err: cause}
}

// taken is the loss of a port to another host in the words of the contract.
type taken struct{ error }

func (t *taken) Unwrap() []error { return []error{driver.ErrTaken, t.error} }

// bare is an error of the client without the operation and the address, which the driver's error says already.
func bare(err error) error {
	if cause := errors.Unwrap(err); cause != nil && strings.HasPrefix(err.Error(), "devicemaster ") {
		return cause
	}
	return err
}

// shown is bytes for a log, the first of them.
func shown(b []byte) string {
	const most = 64
	if len(b) > most {
		return fmt.Sprintf("% x … (%d bytes)", b[:most], len(b))
	}
	return fmt.Sprintf("% x", b)
}
