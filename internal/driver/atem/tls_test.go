package atem

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/drivertest"
	"github.com/patchbay-io/patchbay/internal/testnet"
)

// certificate makes one for 192.0.2.10 that vouches for itself, and the file that says so.
func certificate(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	cert := testnet.MustCertificate("192.0.2.10")
	name := filepath.Join(t.TempDir(), "relay.pem")
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Leaf.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return cert, name
}

const tlsURL = "openswitcher+tls://operator@192.0.2.10/studio"

// The relay behind TLS is the same relay.
func TestRelayOverTLS(t *testing.T) {
	cert, file := certificate(t)
	target := simSuite(NewRelay(), tlsURL, "mini")
	target.Groups = []string{"describe", "read", "watch", "write"}
	target.Options = func() any {
		o := relayOptions("on air")().(*RelayOptions)
		o.CA = file
		return o
	}
	plain := target.Far
	target.Far = func(t *testing.T) drivertest.Far {
		far := plain(t)
		serve := far.Serve
		far.Serve = func(ctx context.Context, l net.Listener) error {
			return serve(ctx, tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}}))
		}
		return far
	}
	drivertest.Run(t, target)
}

// A relay that nobody vouches for, and one that speaks no TLS, are told apart.
func TestRelayWithoutTrust(t *testing.T) {
	cert, _ := certificate(t)
	for _, tc := range []struct {
		name  string
		wrap  func(net.Listener) net.Listener
		class driver.Class
		hint  string
	}{
		{"stranger", func(l net.Listener) net.Listener {
			return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}})
		}, driver.Auth, "ca: FILE"},
		{"plain", func(l net.Listener) net.Listener { return l }, driver.NotThisProtocol, "TLS"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := new(testnet.Network)
			l := tc.wrap(n.MustListen("192.0.2.10:4532"))
			ctx, cancel := context.WithCancel(context.Background())
			var wg sync.WaitGroup
			wg.Go(func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					c.Read(make([]byte, 1)) // a close before the client's first word would be told by another error
					c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
					c.Close()
				}
			})
			u, err := url.Parse(tlsURL)
			if err != nil {
				t.Fatal(err)
			}
			_, err = NewRelay().Open(ctx, env(n), driver.Target{Name: "studio", URL: u, Options: relayDefaults()})
			if driver.ClassOf(err) != tc.class || !strings.Contains(driver.HintOf(err), tc.hint) {
				t.Errorf("class %v, %v, %q", driver.ClassOf(err), err, driver.HintOf(err))
			}
			cancel()
			l.Close()
			wg.Wait()
		})
	}
	if _, err := dialOptions(&url.URL{Scheme: schemeTLS, Host: "x"}, &RelayOptions{CA: "no such file"}, nil); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Error(err)
	}
}
