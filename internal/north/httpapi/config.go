package httpapi

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"github.com/patchbay-io/patchbay/internal/access"
	"github.com/patchbay-io/patchbay/internal/audit"
	"github.com/patchbay-io/patchbay/internal/north"
)

// DefaultListen is the address that the door listens on when the configuration names none.
const DefaultListen = "127.0.0.1:8620"

// Limits that need no configuration.
const (
	defaultStreams = 1024
	maxBody        = 256 << 10 // bytes of a request body
)

// Config is what the door needs besides the gateway.
type Config struct {
	Listen   string       // host:port, port 0 allowed; empty: DefaultListen. Beyond loopback it takes users and TLS, or Insecure
	Listener net.Listener // used instead of Listen; the server closes it
	Hosts    []string     // further names that a Host header may carry, without port
	Version  string       // of the program, shown to clients
	Streams  int          // event streams at the same time; 0: 1024
	Log      *slog.Logger // nil: no logging
	// Mount holds further handlers by pattern of http.ServeMux, such as "GET /metrics". All checks of the door apply to them.
	Mount map[string]http.Handler
	// Reloader reads the configuration again. Nil: there is none to read.
	Reloader north.Reloader
	// Prober finds out what stands at an address. Nil: the door does not probe.
	Prober north.Prober
	// Ports shares serial ports. Nil: the door has none.
	Ports north.Streams
	// Access knows the users, tokens and sessions. Nil: there are none, and everybody who reaches the door may do everything.
	Access *access.Access
	// Audit gets logins; who may read it sees it through the door. Nil: one in memory.
	Audit *audit.Log
	TLS   *tls.Config // with certificates; nil: plain HTTP
	// Insecure lets the door listen beyond loopback without users or TLS. It keeps saying so; see Server.Insecure.
	Insecure bool
}

func (c *Config) check() error {
	if c.Access == nil {
		var err error
		if c.Access, err = openAccess(); err != nil {
			return fmt.Errorf("http: %w", err)
		}
	}
	if c.Audit == nil {
		var err error
		if c.Audit, err = audit.Open(audit.Options{}); err != nil {
			return fmt.Errorf("http: %w", err)
		}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Listen == "" {
		c.Listen = DefaultListen
	}
	if c.Streams < 0 {
		return fmt.Errorf("http: %d event streams make no sense; leave it out for %d", c.Streams, defaultStreams)
	}
	if c.Streams == 0 {
		c.Streams = defaultStreams
	}
	for _, h := range c.Hosts {
		if h == "" || strings.ContainsAny(h, "/ *@") {
			return fmt.Errorf("http: %q in hosts is no host name; write it like gateway.example, without scheme, port or wildcard", h)
		}
	}
	addr := c.Listen
	if c.Listener != nil {
		if c.Listener.Addr().Network() == "unix" {
			return nil // nobody but this machine reaches it
		}
		addr = c.Listener.Addr().String()
	} else if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return fmt.Errorf("http: listen address %q: write it like %s: %w", c.Listen, DefaultListen, err)
	}
	return c.checkAddr(addr)
}

// checkAddr holds an address against who is configured; a name may lead anywhere, so it is called again with the address of
// the listener.
func (c *Config) checkAddr(addr string) error {
	_, open := c.Access.Anyone()
	if err := access.CheckListen(addr, !open, c.TLS != nil, c.Insecure); err != nil {
		return fmt.Errorf("http: %w", err)
	}
	return nil
}
