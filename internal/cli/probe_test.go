package cli

import (
	"net"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// port VAR ADDR sets VAR to the port of an address, or of the URL of a gateway.
func port(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: port VAR ADDR")
	}
	_, p, err := net.SplitHostPort(strings.Trim(strings.TrimPrefix(args[1], "http:"), "/"))
	ts.Check(err)
	ts.Setenv(args[0], p)
}

func TestHostPort(t *testing.T) {
	for _, tc := range []struct {
		arg, host string
		port      uint16
		ok        bool
	}{
		{"192.0.2.21", "192.0.2.21", 0, true},
		{"192.0.2.21:8193", "192.0.2.21", 8193, true},
		{"mill1", "mill1", 0, true},
		{"mill1:80", "mill1", 80, true},
		{"2001:db8::1", "2001:db8::1", 0, true},
		{"[2001:db8::1]", "2001:db8::1", 0, true},
		{"[2001:db8::1]:8193", "2001:db8::1", 8193, true},
		{"focas://mill1", "mill1", 0, true},
		{"focas://mill1:8193?poll=1s", "mill1", 8193, true},
		{"", "", 0, false},
		{":80", "", 0, false},
		{"mill1:0", "", 0, false},
		{"mill1:http", "", 0, false},
		{"mill1:65536", "", 0, false},
		{"a b", "", 0, false},
		{"mill1/x", "", 0, false},
		{"focas://", "", 0, false},
		{"a:b:c", "", 0, false},
	} {
		host, port, err := hostPort(tc.arg)
		if (err == nil) != tc.ok || tc.ok && (host != tc.host || port != tc.port) {
			t.Errorf("%q: %q, %d, %v", tc.arg, host, port, err)
		}
	}
}
