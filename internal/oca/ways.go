package oca

import (
	"context"
	"crypto/tls"
	"errors"
	"net"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaserver"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaws"
)

// Way is one of the ways in which controllers connect.
type Way struct {
	Name string // what people are told: "tcp", "tls" or "ws"
	Key  string // the option that has Addr
	Addr string // HOST:PORT
	// Serve serves controllers that come over a listener of Addr, until ctx ends; it closes the listener. The error is that of
	// [ocaserver.Server.Serve].
	Serve func(ctx context.Context, ln net.Listener) error

	service string // type of DNS-SD (AES70-3)
	text    []string
}

var errNoCertificate = errors.New("there is no certificate for TLS; write tls: auto at the top of the configuration, and start the gateway anew")

// Ways are those that have an address in the options. certificate is for TLS; without one Serve of that way fails.
func (o *Options) Ways(server *ocaserver.Server, certificate *tls.Config) []Way {
	overTLS := func(ctx context.Context, ln net.Listener) error {
		if certificate == nil {
			return errors.Join(errNoCertificate, ln.Close())
		}
		return server.Serve(ctx, tls.NewListener(ln, certificate))
	}
	overWS := ocaws.New(func(ctx context.Context, c net.Conn) { _ = server.ServeConn(ctx, c) }, ocaws.Options{MaxConns: 2 * o.MaxClients, Origins: o.Origins})
	var out []Way
	for _, w := range []Way{
		{Name: "tcp", Key: "listen", Addr: o.Listen, Serve: server.Serve, service: "_oca._tcp"},
		{Name: "tls", Key: "tls", Addr: o.TLS, Serve: overTLS, service: "_ocasec._tcp"},
		{Name: "ws", Key: "ws", Addr: o.WS, Serve: overWS.Serve, service: "_ocaws._tcp", text: []string{"path=/"}},
	} {
		if w.Addr != "" {
			out = append(out, w)
		}
	}
	return out
}

// Announcement is what the local network is told of a listener of the way.
func (w *Way) Announcement(device string, addr net.Addr) driver.Announcement {
	return driver.Announcement{Type: w.service, Instance: device, Addr: addr, Text: append([]string{"txtvers=1", "protovers=1"}, w.text...)}
}
