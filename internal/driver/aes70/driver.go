// Package aes70 is the driver for devices that speak AES70 (OCA) with OCP.1: over TCP, TLS or WebSocket.
//
// A session asks for the device's tree of objects, makes a point of each object whose class it knows, and hears of changes by
// subscription. Paths are made of the device's own roles; units, ranges and the names of positions come from the device. The
// package holds no wire format; that is protocol/ocp1.
package aes70

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaclient"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaws"
)

// The ports that a URL without one means. None is registered: 65000 is the habit of AES70 devices, 80 that of WebSocket.
const (
	Port   = ocaclient.Port
	PortWS = 80
)

// Driver makes AES70 sessions.
type Driver struct{}

// New is the driver.
func New() driver.Driver { return Driver{} }

const (
	schemeTCP = "aes70"
	schemeTLS = "aes70+tls"
	schemeWS  = "aes70+ws"
)

// Info describes the driver.
func (Driver) Info() driver.Info {
	return driver.Info{
		Name:  "aes70",
		Title: "AES70 / OCA",
		Panel: "audio",
		Schemes: []driver.Scheme{{Name: schemeTCP, Network: "tcp", Port: Port}, {Name: schemeTLS, Network: "tcp", Port: Port, NoTwin: true},
			{Name: schemeWS, Network: "tcp", Port: PortWS}},
		Can: driver.CanWrite | driver.CanServe | driver.CanProbe,
	}
}

// Options are the defaults.
func (Driver) Options() any { return defaults() }

// Open connects, asks for the tree of objects and all values, and subscribes to what is no meter.
func (Driver) Open(ctx context.Context, env driver.Env, target driver.Target) (driver.Session, error) {
	opts, ok := target.Options.(*Options)
	if !ok || opts == nil {
		opts = defaults()
	}
	addr, err := address(target)
	if err != nil {
		return nil, &driver.Error{Op: "open", Target: target.Name, Class: driver.Internal, Err: err}
	}
	cctx, cancel := context.WithTimeout(ctx, opts.Timeout)
	conn, err := connect(cctx, env, target, addr, opts)
	if err != nil && cctx.Err() != nil && ctx.Err() == nil { // not all layers say so
		err = fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
	}
	cancel()
	if err != nil {
		return nil, wrap("open", addr, err)
	}
	return NewSession(ctx, conn, addr, opts)
}

// NewSession makes a session over a connection that carries OCP.1 already, and owns it. It is for drivers whose protocol has OCP.1 inside.
func NewSession(ctx context.Context, conn net.Conn, addr string, opts *Options) (driver.Session, error) {
	s := newSession(addr, opts)
	s.client = ocaclient.New(conn, addr, ocaclient.Options{Timeout: opts.Timeout, Window: opts.Window, Events: s.event})
	if err := s.begin(ctx); err != nil {
		return nil, errors.Join(wrap("open", addr, err), s.Close())
	}
	return s, nil
}

// connect makes the stream that the URL names.
func connect(ctx context.Context, env driver.Env, target driver.Target, addr string, opts *Options) (net.Conn, error) {
	switch target.URL.Scheme {
	case schemeWS:
		return ocaws.Dial(ctx, ocaws.Opener(env.Dial), addr, ocaws.DialOptions{Path: opts.Path})
	case schemeTLS:
		raw, err := env.Dial(ctx, "tcp", addr)
		if err != nil {
			return nil, err
		}
		conn := tls.Client(raw, tlsConfig(target.URL.Hostname(), opts.Fingerprint))
		if err := conn.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("TLS: %w", err), raw.Close())
		}
		return conn, nil
	}
	return env.Dial(ctx, "tcp", addr)
}

// errFingerprint is a certificate that is not the one that the configuration names.
var errFingerprint = errors.New("the device's certificate is not the one whose fingerprint is configured")

// tlsConfig checks the certificate against the host's name, or against a fingerprint, which suits devices that made their certificate themselves.
func tlsConfig(host, fingerprint string) *tls.Config {
	c := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if fingerprint == "" {
		return c
	}
	c.InsecureSkipVerify = true // VerifyConnection decides
	c.VerifyConnection = func(s tls.ConnectionState) error {
		if got := fingerprintOf(s.PeerCertificates[0]); got != plainHex(fingerprint) {
			return fmt.Errorf("%w; its own is %s", errFingerprint, got)
		}
		return nil
	}
	return c
}

// fingerprintOf is the SHA-256 of a certificate in hex.
func fingerprintOf(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// address is host and port of a device URL.
func address(target driver.Target) (string, error) {
	if target.URL == nil || target.URL.Hostname() == "" {
		return "", errors.New("the URL has no host; write aes70://192.0.2.50")
	}
	port := target.URL.Port()
	switch {
	case port != "":
	case target.URL.Scheme == schemeWS:
		port = strconv.Itoa(PortWS)
	default:
		port = strconv.Itoa(Port)
	}
	return net.JoinHostPort(target.URL.Hostname(), port), nil
}
