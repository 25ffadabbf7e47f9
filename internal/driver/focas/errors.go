package focas

import (
	"errors"
	"net"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/focas"
)

// hint is what a person can check when a control cannot be opened.
func hint(c driver.Class, err error) string {
	if dns := (*net.DNSError)(nil); errors.As(err, &dns) && dns.IsNotFound {
		return "This name is not known on the network: check its spelling, or write the control's address instead."
	}
	switch c {
	case driver.RefusedConn:
		return "The control is on the network, but FOCAS Ethernet is not answering there: check the port number (8193 unless changed on the Ethernet screen) and that the control has the Ethernet function enabled."
	case driver.Unreachable:
		return "Nothing answers at this address: check the address, the cable and that the control is on."
	case driver.Timeout:
		return "The control does not answer in time: check the address and firewalls; a control with all its FOCAS connections in use can also stay silent."
	case driver.NotThisProtocol:
		return "Something answers there, but it does not speak FOCAS: check the address and the port."
	case driver.Closed:
		return "The control closed the connection: another program may hold all its FOCAS connections, or it was switched off."
	}
	return ""
}

// wrap makes the one error type of the driver boundary out of anything that the FOCAS client returns; nil stays nil.
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
	var fe *focas.Error
	switch {
	case errors.As(err, &fe):
		e.Hint = fe.Code.Advice()
	case op == "open":
		e.Hint = hint(c, err)
	}
	return e
}

func classOf(err error) driver.Class {
	var fe *focas.Error
	if errors.As(err, &fe) {
		return classOfCode(fe.Code)
	}
	for _, framing := range []error{focas.ErrMark, focas.ErrDirection, focas.ErrTooLong, focas.ErrShort, focas.ErrBlocks} {
		if errors.Is(err, framing) {
			return driver.NotThisProtocol
		}
	}
	return driver.ClassOf(err)
}

// classOfCode maps a control's answer. What it lacks is Unsupported; everything else it said is a refusal.
func classOfCode(c focas.Code) driver.Class {
	switch c {
	case focas.EWFunc, focas.EWNoOpt:
		return driver.Unsupported
	case focas.EWBusy, focas.EWBuffer:
		return driver.Busy
	case focas.EWSocket:
		return driver.Closed
	case focas.EWProtocol:
		return driver.NotThisProtocol
	case focas.EWPasswd:
		return driver.Auth
	}
	return driver.DeviceSaidNo
}
