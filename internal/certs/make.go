package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// lifetime of a certificate that the program makes: whoever pins it by its fingerprint wants it to stay.
const lifetime = 10 * 365 * 24 * time.Hour

// Keep returns the files of the self-signed certificate in dir, and makes both when neither is there yet; made tells.
// names are host names and addresses that it is for.
func Keep(dir string, names []string) (cert, key string, made bool, err error) {
	cert, key = filepath.Join(dir, "gateway.crt"), filepath.Join(dir, "gateway.key")
	_, certErr := os.Stat(cert)
	_, keyErr := os.Stat(key)
	if certErr == nil || keyErr == nil {
		return cert, key, false, nil // one alone is told by Open
	}
	certPEM, keyPEM, err := selfSigned(names, time.Now())
	if err != nil {
		return "", "", false, fmt.Errorf("tls: make a certificate: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", "", false, fmt.Errorf("tls: keep a certificate: %w", err)
	}
	for _, f := range []struct {
		name string
		data []byte
		mode os.FileMode
	}{{key, keyPEM, 0o600}, {cert, certPEM, 0o644}} {
		if err := os.WriteFile(f.name, f.data, f.mode); err != nil {
			return "", "", false, fmt.Errorf("tls: keep a certificate: %w", err)
		}
	}
	return cert, key, true, nil
}

func selfSigned(names []string, now time.Time) (cert, key []byte, err error) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, nil, err
	}
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "patchbay"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(lifetime),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
	}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else if n != "" {
			t.DNSNames = append(t.DNSNames, n)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, k.Public(), k)
	if err != nil {
		return nil, nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), nil
}
