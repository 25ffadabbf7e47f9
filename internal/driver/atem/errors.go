package atem

import (
	"errors"
	"net"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/atem"
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
		e.Hint = hint(e.Class, err)
	}
	return e
}

func classOf(err error) driver.Class {
	switch {
	case errors.Is(err, atem.ErrFull):
		return driver.Busy
	case errors.Is(err, atem.ErrNoAnswer), errors.Is(err, atem.ErrSilent), errors.Is(err, atem.ErrUnacknowledged):
		return driver.Timeout
	case errors.Is(err, atem.ErrPeerClosed), errors.Is(err, atem.ErrBacklog), errors.Is(err, atem.ErrEnded):
		return driver.Closed
	}
	return driver.ClassOf(err)
}

// hint is what a person can check when a switcher cannot be opened.
func hint(c driver.Class, err error) string {
	if dns := (*net.DNSError)(nil); errors.As(err, &dns) && dns.IsNotFound {
		return "This name is not known on the network: check its spelling, or write the switcher's address instead."
	}
	switch c {
	case driver.Busy:
		return "The switcher has no free session: most take five programs, some eight. End one of them, or let them connect to patchbay instead: " +
			"it needs one session for any number of them."
	case driver.Timeout:
		return "Nothing answers as a switcher there: check the address, the network cable, that it is on, and that no firewall drops UDP port 9910."
	case driver.Unreachable:
		return "There is no way to this address: check it, the netmask and the cable."
	case driver.RefusedConn:
		return "A host is there, but nothing listens on this port: check the address and the port."
	case driver.Closed:
		return "The switcher ended the session: it may be starting up, or have been switched off."
	}
	return ""
}
