package httpapi

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
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
	Listen   string       // host:port on loopback, port 0 allowed; empty: DefaultListen
	Listener net.Listener // used instead of Listen; the server closes it
	Hosts    []string     // further names that a Host header may carry, without port
	Version  string       // of the program, shown to clients
	Streams  int          // event streams at the same time; 0: 1024
	Log      *slog.Logger // nil: no logging
	// Mount holds further handlers by pattern of http.ServeMux, such as "GET /metrics". All checks of the door apply to them.
	Mount map[string]http.Handler
}

func (c *Config) check() error {
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
	if c.Listener != nil {
		return loopback(c.Listener.Addr())
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("http: listen address %q: write it like %s: %w", c.Listen, DefaultListen, err)
	}
	if strings.EqualFold(host, "localhost") || isLoopback(host) {
		return nil
	}
	return notLoopback(c.Listen)
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// loopback checks where a listener really is: a name may lead anywhere.
func loopback(a net.Addr) error {
	if a.Network() == "unix" {
		return nil
	}
	if host, _, err := net.SplitHostPort(a.String()); err != nil || !isLoopback(host) {
		return notLoopback(a.String())
	}
	return nil
}

func notLoopback(addr string) error {
	return fmt.Errorf("http: listen on %s: %w", addr, errNotLoopback)
}

var errNotLoopback = errors.New("refused, because there are no users and permissions yet and everybody on that network could " +
	"drive the equipment; listen on " + DefaultListen + " and reach it from elsewhere through a tunnel, for example ssh -L 8620:" + DefaultListen)
