package atem

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/openswitcher/oswclient"
)

// OpenSwitcher programs over TLS; a certificate that cannot be read is told with the setting that names it.
func TestServeOverTLS(t *testing.T) {
	cert, certFile := certificate(t)
	secret, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	keyFile := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600); err != nil {
		t.Fatal(err)
	}
	trusted, err := os.ReadFile(certFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(trusted)
	bubble(t, func(t *testing.T) {
		s := newStage(t, func(o *ServeOptions) { o.TLSCert, o.TLSKey = certFile, keyFile })
		c, err := oswclient.Dial(t.Context(), s.net.Dial, tcpFront, oswclient.Options{TLS: &tls.Config{RootCAs: roots, ServerName: "192.0.2.10"}})
		if err != nil {
			t.Fatal(err)
		}
		<-c.Ready()
		c.Close()
		if _, err := oswclient.Dial(t.Context(), s.net.Dial, tcpFront, oswclient.Options{}); err == nil {
			t.Error("a program without TLS is in")
		}
		s.stop()
	})
	o := serveDefaults()
	o.OpenSwitcher, o.TLSCert, o.TLSKey = tcpFront, filepath.Join(t.TempDir(), "none.pem"), keyFile
	err = Driver{}.Serve(t.Context(), driver.ServeEnv{Upstreams: []driver.Upstream{still{}}, Gate: &stage{}}, o)
	if err == nil || !strings.Contains(driver.HintOf(err), "serve.tls_cert") {
		t.Errorf("%v, %s", err, driver.HintOf(err))
	}
}
