package atem

import (
	"crypto/tls"
	"errors"
	"net"
	"strings"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/openswitcher"
	"github.com/patchbay-io/patchbay/protocol/openswitcher/oswclient"
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
	e := &driver.Error{Op: op, Target: target, Class: classOf(err), Err: plain(err, target)}
	if op == "open" {
		e.Hint = hint(e.Class, err)
	}
	return e
}

// plain is an error of a client without what the driver's error says already: that something was opened or sent, and where.
func plain(err error, target string) error {
	for _, what := range []string{"atem open ", "atem send ", "openswitcher open ", "openswitcher send "} {
		if inner := errors.Unwrap(err); inner != nil && strings.HasPrefix(err.Error(), what+target+": ") {
			return inner
		}
	}
	return err
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
	var cert *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case errors.Is(err, oswclient.ErrLoginWanted), errors.Is(err, oswclient.ErrLogin), errors.As(err, &cert):
		return driver.Auth
	case errors.Is(err, openswitcher.ErrHandshake), errors.As(err, &record):
		return driver.NotThisProtocol
	case errors.Is(err, oswclient.ErrNoDevice):
		return driver.DeviceSaidNo
	case errors.Is(err, openswitcher.ErrBacklog):
		return driver.Closed
	}
	return driver.ClassOf(err)
}

// hint is what a person can check when a switcher cannot be opened.
func hint(c driver.Class, err error) string {
	if dns := (*net.DNSError)(nil); errors.As(err, &dns) && dns.IsNotFound {
		return "This name is not known on the network: check its spelling, or write the switcher's address instead."
	}
	if cert := (*tls.CertificateVerificationError)(nil); errors.As(err, &cert) {
		return "The relay's certificate is not trusted on this computer: name its certificate, or that of who signed it, with ca: FILE."
	}
	switch c {
	case driver.Auth:
		return "Give the relay's user and password: openswitcher://USER@HOST:PORT/DEVICE, and password: ${env:NAME} beside the url."
	case driver.DeviceSaidNo:
		return "Write the name of the device behind the host: openswitcher://HOST:PORT/DEVICE."
	case driver.NotThisProtocol:
		return "Something answers there, but not in this protocol: check the address, the port, and whether it speaks TLS."
	case driver.Busy:
		return "The switcher has no free session: most take five programs, some eight. End one of them, or let them connect to patchbay instead: " +
			"it needs one session for any number of them."
	case driver.Timeout:
		return "Nothing answers as a switcher there: check the address, the cable, that it is on, and that no firewall drops the port."
	case driver.Unreachable:
		return "There is no way to this address: check it, the netmask and the cable."
	case driver.RefusedConn:
		return "A host is there, but nothing listens on this port: check the address and the port."
	case driver.Closed:
		return "The switcher ended the session: it may be starting up, or have been switched off."
	}
	return ""
}
