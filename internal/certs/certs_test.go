package certs

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/internal/testnet"
)

func keep(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	cert, key, made, err := Keep(dir, []string{"localhost", "127.0.0.1", "gateway.example"})
	if err != nil || !made {
		t.Fatal(made, err)
	}
	return cert, key
}

func TestKeep(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	cert, key := keep(t, dir)
	before, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, made, err := Keep(dir, nil); made || err != nil {
		t.Fatalf("made again: %v %v", made, err)
	}
	if after, _ := os.ReadFile(cert); !bytes.Equal(before, after) {
		t.Error("the kept certificate changed")
	}
	if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode of the key: %v %v", info.Mode(), err)
	}
	s, err := Open(cert, key, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if f := s.Fingerprint(); len(f) != 32*3-1 || strings.ToUpper(f) != f {
		t.Errorf("fingerprint %q", f)
	}
	// A client that trusts this certificate talks to the server, by name and by address.
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(before)
	for _, name := range []string{"localhost", "gateway.example", "127.0.0.1"} {
		a, b := testnet.Pipe(64 << 10)
		go func() {
			server := tls.Server(b, s.Config())
			_, _ = io.WriteString(server, "hello")
			server.Close()
		}()
		client := tls.Client(a, &tls.Config{RootCAs: roots, ServerName: name})
		if text, err := io.ReadAll(client); string(text) != "hello" {
			t.Errorf("%s: %q %v", name, text, err)
		}
		client.Close()
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	cert, key := keep(t, dir)
	other, otherKey := keep(t, t.TempDir())
	quiet := slog.New(slog.DiscardHandler)
	write := func(name string, now time.Time) (c, k string) {
		certPEM, keyPEM, err := selfSigned([]string{"x"}, now)
		if err != nil {
			t.Fatal(err)
		}
		c, k = filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")
		if err := os.WriteFile(c, certPEM, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(k, keyPEM, 0o600); err != nil {
			t.Fatal(err)
		}
		return c, k
	}
	oldCert, oldKey := write("old", time.Now().Add(-lifetime-24*time.Hour))
	newCert, newKey := write("new", time.Now().Add(48*time.Hour))
	open := filepath.Join(dir, "open.key")
	text, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(open, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, cert, key, want string }{
		{"missing", filepath.Join(dir, "none"), key, "none"}, {"no key", cert, filepath.Join(dir, "nokey"), "nokey"},
		{"not a pair", cert, otherKey, "does not match"}, {"swapped", newKey, newCert, "new.crt"}, {"expired", oldCert, oldKey, "expired on "},
		{"too early", newCert, newKey, "clock"}, {"open key", cert, open, "run: chmod 600 " + open}, {"folder", dir, key, dir},
	} {
		if _, err := Open(tt.cert, tt.key, quiet); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if _, err := Open(other, otherKey, quiet); err != nil {
		t.Error(err)
	}
}

func TestChangedFilesAreTaken(t *testing.T) {
	cert, key := keep(t, t.TempDir())
	newCert, newKey := keep(t, t.TempDir())
	var log bytes.Buffer
	s, err := Open(cert, key, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	first := s.Fingerprint()
	swap := func(from, to string) {
		b, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, append(b, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// handshake asks as one would that comes later than the last look.
	handshake := func() string {
		s.mu.Lock()
		s.looked = s.looked.Add(-lookAgain)
		s.mu.Unlock()
		c, err := s.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return Fingerprint(c.Certificate[0])
	}
	swap(newCert, cert) // the key is still the old one
	if handshake() != first || !strings.Contains(log.String(), "stays in force") {
		t.Errorf("half of a pair is taken: %s", log.String())
	}
	swap(newKey, key)
	second := handshake()
	if second == first || s.Fingerprint() != second {
		t.Error("the new pair is not taken")
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if handshake() != second {
		t.Error("a missing key ends the one in force")
	}
}
