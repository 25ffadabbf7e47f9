// Package certs gives the gateway its certificate: one from files, which are read again when they change, or one that
// this program makes for itself and keeps.
package certs

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"
)

// lookAgain is how long files are taken for unchanged before the next handshake looks at them.
const lookAgain = 10 * time.Second

// Source is a certificate with its key from two PEM files. It is safe for concurrent use.
type Source struct {
	cert, key string
	log       *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	state   string    // of the files when current, or the failure after it, was read
	looked  time.Time // at the files
}

// Open reads a certificate. The error says which file is wrong and what to do: it is missing, the key is not that of the
// certificate or others can read it, the certificate has expired or does not hold yet.
func Open(cert, key string, log *slog.Logger) (*Source, error) {
	s := &Source{cert: cert, key: key, log: log, looked: time.Now()}
	s.state = s.look()
	c, err := s.read()
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	s.current = c
	return s, nil
}

// Config is for a server. It takes TLS 1.2 and later.
func (s *Source) Config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: s.get}
}

// Fingerprint is the SHA-256 of the certificate, as people compare it.
func (s *Source) Fingerprint() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Fingerprint(s.current.Certificate[0])
}

// Fingerprint is the SHA-256 of a certificate in DER, in pairs of hexadecimal digits with colons between.
func Fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
}

// get is the newest certificate. Files that changed and are wrong leave the one before in force.
func (s *Source) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if now.Sub(s.looked) < lookAgain {
		return s.current, nil
	}
	s.looked = now
	state := s.look()
	if state == s.state {
		return s.current, nil
	}
	s.state = state
	c, err := s.read()
	if err != nil {
		s.log.Error("the changed certificate is not taken; the one before stays in force", "error", err)
		return s.current, nil
	}
	s.current = c
	s.log.Info("the changed certificate is in force", "until", c.Leaf.NotAfter)
	return c, nil
}

// look tells one state of the files from another.
func (s *Source) look() string {
	var b strings.Builder
	for _, name := range []string{s.cert, s.key} {
		if info, err := os.Stat(name); err == nil {
			fmt.Fprintf(&b, "%d %d;", info.Size(), info.ModTime().UnixNano())
		}
	}
	return b.String()
}

func (s *Source) read() (*tls.Certificate, error) {
	if info, err := os.Stat(s.key); err == nil && runtime.GOOS != "windows" && info.Mode().IsRegular() && info.Mode().Perm()&0o007 != 0 {
		return nil, fmt.Errorf("others can read the key; run: chmod 600 %s", s.key)
	}
	c, err := tls.LoadX509KeyPair(s.cert, s.key)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("certificate %s with key %s: %w", s.cert, s.key, err)
	}
	if c.Leaf == nil {
		if c.Leaf, err = x509.ParseCertificate(c.Certificate[0]); err != nil {
			return nil, fmt.Errorf("certificate %s: %w", s.cert, err)
		}
	}
	now := time.Now()
	switch {
	case now.After(c.Leaf.NotAfter):
		return nil, fmt.Errorf("the certificate %s expired on %s; put a new one in its place", s.cert, c.Leaf.NotAfter.UTC().Format(time.DateOnly))
	case now.Before(c.Leaf.NotBefore):
		return nil, fmt.Errorf("the certificate %s holds from %s on only; is the clock of this machine right?", s.cert, c.Leaf.NotBefore.UTC().Format(time.DateTime))
	}
	return &c, nil
}
