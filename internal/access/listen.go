package access

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// Loopback reports whether host is an address that only this machine reaches, or the name localhost.
func Loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.Unmap().IsLoopback()
}

// Exposed reports whether others can reach addr, HOST:PORT. What has no port is a socket of this machine alone.
func Exposed(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	return err == nil && !Loopback(host)
}

// Insecure says what is missing for a door at addr, as people read it: "no users", "no TLS" or both. Empty: nothing is,
// because only this machine reaches it or because there are users and TLS.
func Insecure(addr string, somebody, tls bool) string {
	switch {
	case !Exposed(addr) || somebody && tls:
		return ""
	case somebody:
		return "no TLS"
	case tls:
		return "no users"
	}
	return "no users and no TLS"
}

// CheckListen refuses a door at addr that others reach without users or TLS, unless insecure says that this is meant.
func CheckListen(addr string, somebody, tls, insecure bool) error {
	missing := Insecure(addr, somebody, tls)
	if missing == "" || insecure {
		return nil
	}
	why := "everybody on that network could read passwords and tokens on the way"
	todo := "set tls: auto, or tls: {cert: FILE, key: FILE}"
	if !somebody {
		why = "everybody on that network could drive the equipment"
		todo = "add a user with `patchbay user add`"
		if !tls {
			todo += " and set tls: auto"
		}
	}
	return fmt.Errorf("refused to listen on %s with %s: %s; %s, or listen on 127.0.0.1, or write insecure: true if that network is really yours alone",
		addr, missing, why, todo)
}
