package aes70

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaclient"
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
	if op == "open" {
		e.Hint = hint(e.Class, err)
	}
	return e
}

func classOf(err error) driver.Class {
	var no *ocp1.Error
	if errors.As(err, &no) {
		return classOfStatus(no.Status)
	}
	for _, foreign := range []error{ocp1.ErrSync, ocp1.ErrSize, ocp1.ErrTooLong, ocp1.ErrPDU, ocp1.ErrCount, ocaws.ErrNotUpgraded, ocaws.ErrFrames, ocp1.ErrCut} {
		if errors.Is(err, foreign) {
			return driver.NotThisProtocol
		}
	}
	for _, large := range []error{ocaclient.ErrTooMany, ocaclient.ErrTooDeep, ocaclient.ErrTooMuch} {
		if errors.Is(err, large) {
			return driver.Unsupported
		}
	}
	var record tls.RecordHeaderError
	if errors.As(err, &record) {
		return driver.NotThisProtocol
	}
	if isCertificate(err) {
		return driver.Auth
	}
	return driver.ClassOf(err)
}

func isCertificate(err error) bool {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &unknown) || errors.As(err, &name) || errors.As(err, &invalid) || errors.Is(err, errFingerprint)
}

// classOfStatus maps a device's answer. What it lacks is Unsupported; everything else it said is a refusal.
func classOfStatus(s ocp1.Status) driver.Class {
	switch s {
	case ocp1.StatusNotImplemented, ocp1.StatusBadMethod, ocp1.StatusBadONo:
		return driver.Unsupported
	case ocp1.StatusBusy, ocp1.StatusOutOfMemory, ocp1.StatusBufferOverflow, ocp1.StatusLocked:
		return driver.Busy
	case ocp1.StatusPermissionDenied:
		return driver.Auth
	case ocp1.StatusTimeout:
		return driver.Timeout
	}
	return driver.DeviceSaidNo
}

// hint is what a person can check when a device cannot be opened.
func hint(c driver.Class, err error) string {
	if dns := (*net.DNSError)(nil); errors.As(err, &dns) && dns.IsNotFound {
		return "This name is not known on the network: check its spelling, or write the device's address instead."
	}
	if isCertificate(err) {
		const untrusted = "The device's certificate is not trusted here. When it is the device's own, put its SHA-256 into the option fingerprint"
		if failed := (*tls.CertificateVerificationError)(nil); errors.As(err, &failed) && len(failed.UnverifiedCertificates) > 0 {
			return untrusted + ": " + fingerprintOf(failed.UnverifiedCertificates[0]) + ", if the device shows the same."
		}
		return untrusted + "."
	}
	switch c {
	case driver.RefusedConn:
		return "A host is there, but nothing listens on this port: AES70 has no fixed one, most devices use 65000; \"patchbay discover\" shows what devices announce."
	case driver.Unreachable:
		return "There is no way to this address: check it, the netmask and the cable."
	case driver.Timeout:
		return "The device does not answer in time: check the address, and that no firewall drops the connection."
	case driver.NotThisProtocol:
		return "Something answers there, but it does not speak AES70 in this way: check the port, and whether it wants aes70, aes70+tls or aes70+ws."
	case driver.Closed:
		return "The device closed the connection: it may want TLS (aes70+tls), or WebSocket (aes70+ws), or serve no more controllers."
	}
	return ""
}
