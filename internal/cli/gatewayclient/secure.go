package gatewayclient

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
)

// Secure says how a client shows who it is and how it recognises the gateway.
type Secure struct {
	Token       string // of the configuration of the gateway; empty: none
	CA          string // file with the certificates, PEM, that vouch for the gateway; empty: those of the system
	Fingerprint string // SHA-256 of the gateway's certificate, in hexadecimal digits; empty: CA counts
}

// NewSecure makes a client of the gateway at base that talks over the network.
func NewSecure(base string, s Secure) (*Client, error) {
	config, err := s.config()
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = config
	c, err := New(base, transport)
	if err != nil {
		return nil, err
	}
	c.token = s.Token
	return c, nil
}

// ErrOtherCertificate is the cause when a gateway shows another certificate than the one that was named.
var ErrOtherCertificate = errors.New("it shows another certificate than the one with this fingerprint")

func (s Secure) config() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.CA != "" {
		pem, err := os.ReadFile(s.CA)
		if err != nil {
			return nil, err
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate in PEM form", s.CA)
		}
	}
	if s.Fingerprint == "" {
		return c, nil
	}
	want, err := hex.DecodeString(strings.NewReplacer(":", "", " ", "").Replace(s.Fingerprint))
	if err != nil || len(want) != sha256.Size {
		return nil, fmt.Errorf("%q is no SHA-256 fingerprint: it has 64 hexadecimal digits", s.Fingerprint)
	}
	c.InsecureSkipVerify = true // VerifyConnection compares the certificate itself, which says more than who signed it
	c.VerifyConnection = func(state tls.ConnectionState) error {
		got := sha256.Sum256(state.PeerCertificates[0].Raw)
		if !bytes.Equal(got[:], want) {
			return ErrOtherCertificate
		}
		return nil
	}
	return c, nil
}

// NotTrusted reports whether err is about a gateway whose certificate nobody known vouches for.
func NotTrusted(err error) bool {
	var v *tls.CertificateVerificationError
	return errors.As(err, &v)
}

// speaksTLS recognises what a server says that gets plain HTTP on a port for HTTPS.
func speaksTLS(status int, body []byte) bool {
	return status == http.StatusBadRequest && bytes.Contains(body, []byte("HTTP request to an HTTPS server"))
}
