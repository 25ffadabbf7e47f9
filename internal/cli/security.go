package cli

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/patchbay-io/patchbay/internal/access"
	"github.com/patchbay-io/patchbay/internal/audit"
	"github.com/patchbay-io/patchbay/internal/certs"
	"github.com/patchbay-io/patchbay/internal/config"
)

// security is who is let in, what is written down about them, and how the door is encrypted.
type security struct {
	access *access.Access
	audit  *audit.Log
	tls    *tls.Config // nil: plain HTTP
	hosts  []string    // names of the door
}

// secure makes the security of a configuration. A certificate that is made is told once, on notice.
func secure(c *config.Config, o *hostOptions) (_ *security, err error) {
	s := &security{hosts: c.Hosts}
	if s.access, err = access.New(rand.Reader); err != nil {
		return nil, err
	}
	if err := s.access.Set(c.Access); err != nil {
		return nil, configFailure(err)
	}
	if o.listener == nil && access.Exposed(c.Listen) {
		s.hosts = append(slices.Clone(c.Hosts), ownNames()...)
	}
	if c.TLS.On() && o.listener == nil {
		if s.tls, err = certificate(c, o); err != nil {
			return nil, configFailure(err)
		}
	}
	s.audit, err = audit.Open(audit.Options{File: c.Audit.File, MaxSize: c.Audit.MaxSize, Keep: c.Audit.Keep, Log: o.log})
	if err != nil {
		return nil, configFailure(err)
	}
	return s, nil
}

func configFailure(err error) error { return &failure{code: exitConfig, kind: "config", err: err} }

// keep runs the audit in the background until stop is called, which returns when everything is written.
func (s *security) keep() (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.audit.Run(ctx) }() // waited for by stop
	return func() error {
		cancel()
		return <-done
	}
}

// check refuses a configuration that would leave the door at addr, which others reach, without users.
func (s *security) check(c *config.Config, addr net.Addr) error {
	return access.CheckListen(addr.String(), c.Somebody(), s.tls != nil, c.Insecure)
}

// inForce reports whether a key of the configuration takes effect without a new start.
func inForce(key string) bool {
	return key == "write_rate" || strings.HasPrefix(key, "serial.") || strings.HasPrefix(key, "users.") || strings.HasPrefix(key, "tokens.")
}

func certificate(c *config.Config, o *hostOptions) (*tls.Config, error) {
	cert, key := c.TLS.Cert, c.TLS.Key
	made := false
	if c.TLS.Auto {
		dir, err := stateDir(o.env)
		if err != nil {
			return nil, err
		}
		if cert, key, made, err = certs.Keep(dir, certificateNames(c)); err != nil {
			return nil, err
		}
	}
	source, err := certs.Open(cert, key, o.log)
	if err != nil {
		return nil, err
	}
	if made && o.notice != nil {
		fmt.Fprintf(o.notice, "patchbay: made a certificate for this gateway and keeps it in %s. Its SHA-256 fingerprint, shown this once:\n  %s\n"+
			"  Programs name it with --fingerprint; browsers ask once, and show the same digits.\n", filepath.Dir(cert), source.Fingerprint())
	}
	return source.Config(), nil
}

// certificateNames are the names and addresses under which this machine may be asked.
func certificateNames(c *config.Config) []string {
	names := append([]string{"localhost", "127.0.0.1", "::1"}, c.Hosts...)
	names = append(names, ownNames()...)
	host, _, _ := net.SplitHostPort(c.Listen)
	if ip := net.ParseIP(host); ip == nil || !ip.IsUnspecified() {
		names = append(names, host)
	} else if addrs, err := net.InterfaceAddrs(); err == nil {
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
				names = append(names, n.IP.String())
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// ownNames is what this machine calls itself.
func ownNames() []string {
	name, err := os.Hostname()
	if err != nil || strings.ContainsAny(name, "/ *@") || name == "" {
		return nil
	}
	return []string{strings.ToLower(name)}
}

var errNoStateDir = errors.New("there is no folder to keep the certificate in; set PATCHBAY_STATE_DIR to one, or tls: {cert: FILE, key: FILE}")

// stateDir is where the program keeps what it makes: PATCHBAY_STATE_DIR, what systemd gives with StateDirectory=, or the
// usual place of the user.
func stateDir(env Env) (string, error) {
	look := func(name string) string {
		if env == nil {
			return ""
		}
		v, _ := env(name)
		return v
	}
	if d := look("PATCHBAY_STATE_DIR"); d != "" {
		return d, nil
	}
	if d := look("STATE_DIRECTORY"); d != "" {
		first, _, _ := strings.Cut(d, ":")
		return first, nil
	}
	if runtime.GOOS == "windows" {
		if d := look("LOCALAPPDATA"); d != "" {
			return filepath.Join(d, "patchbay"), nil
		}
		return "", errNoStateDir
	}
	if d := look("XDG_STATE_HOME"); filepath.IsAbs(d) {
		return filepath.Join(d, "patchbay"), nil
	}
	if d := look("HOME"); filepath.IsAbs(d) {
		return filepath.Join(d, ".local", "state", "patchbay"), nil
	}
	return "", errNoStateDir
}

// scheme is that of the door's address.
func (h *host) scheme() string {
	if h.security.tls != nil {
		return "https"
	}
	return "http"
}

// noteReload puts a reload that a signal asked for into the audit.
func (h *host) noteReload(err error) {
	e := audit.Entry{What: audit.Reload, Door: "signal", Outcome: "ok"}
	if err != nil {
		e.Outcome, e.Why = "refused", err.Error()
	}
	h.security.audit.Add(e)
}

// reachable is an address that leads to a listener: one that takes every address of the machine is named by the machine.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsUnspecified() {
		return addr
	}
	return net.JoinHostPort(append(ownNames(), "127.0.0.1")[0], port)
}
