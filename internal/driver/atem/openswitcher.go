package atem

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/openswitcher"
	"github.com/patchbay-io/patchbay/protocol/openswitcher/oswclient"
)

// RelayOptions are those of an openswitcher device.
type RelayOptions struct {
	Timeout  time.Duration `yaml:"timeout" jsonschema:"type=string" doc:"longest wait for the login and everything that the switcher says when a session begins"`
	User     string        `yaml:"user" doc:"name for the login, unless it stands in the URL"`
	Password driver.Secret `yaml:"password" jsonschema:"type=string" doc:"its password, such as ${env:SWITCHER_PASSWORD}"`
	CA       string        `yaml:"ca" doc:"with openswitcher+tls: file with the certificate (PEM) that the relay's is checked with; empty: those of this computer"`
}

func relayDefaults() *RelayOptions { return &RelayOptions{Timeout: 10 * time.Second} }

// Validate says what is wrong with the options and what would be right.
func (o *RelayOptions) Validate() error { return checkTimeout(o.Timeout) }

// The schemes of the relay.
const (
	schemePlain = "openswitcher"
	schemeTLS   = "openswitcher+tls"
)

// Relay makes sessions with switchers behind an OpenSwitcher relay.
type Relay struct{}

// NewRelay is the driver of switchers over the OpenSwitcher relay.
func NewRelay() driver.Driver { return Relay{} }

// Info describes the driver.
func (Relay) Info() driver.Info {
	return driver.Info{
		Name:  "openswitcher",
		Title: "OpenSwitcher",
		Panel: "switcher",
		Schemes: []driver.Scheme{{Name: schemePlain, Network: "tcp", Port: openswitcher.Port, Path: "device"},
			{Name: schemeTLS, Network: "tcp", Port: openswitcher.Port, Path: "device", NoTwin: true}},
		Can: driver.CanWrite | driver.CanCommand | driver.CanServe | driver.CanProbe,
	}
}

// Options are the defaults.
func (Relay) Options() any { return relayDefaults() }

// Open connects to the relay, signs in, chooses the switcher and waits until it has said what it is.
func (Relay) Open(ctx context.Context, env driver.Env, target driver.Target) (driver.Session, error) {
	opts, ok := target.Options.(*RelayOptions)
	if !ok || opts == nil {
		opts = relayDefaults()
	}
	addr, err := address(target.URL, openswitcher.Port)
	if err != nil {
		return nil, &driver.Error{Op: "open", Target: target.Name, Class: driver.Internal, Err: err}
	}
	s := newSession(addr)
	o, err := dialOptions(target.URL, opts, s.handle)
	if err != nil {
		return nil, &driver.Error{Op: "open", Target: addr, Class: driver.Internal, Err: err}
	}
	dialCtx, cancel := context.WithTimeout(ctx, opts.Timeout)
	defer cancel()
	c, err := oswclient.Dial(dialCtx, oswclient.Opener(env.Dial), addr, o)
	if err != nil {
		return nil, wrap("open", addr, err)
	}
	if err := s.begin(ctx, newRelayLink(c, s), opts.Timeout); err != nil {
		return nil, wrap("open", addr, err)
	}
	return s, nil
}

func dialOptions(u *url.URL, opts *RelayOptions, handle func([]byte)) (oswclient.Options, error) {
	o := oswclient.Options{User: opts.User, Password: opts.Password.Reveal(), Device: strings.Trim(u.Path, "/"), Handle: handle}
	if u.User != nil {
		o.User = u.User.Username()
		if p, ok := u.User.Password(); ok {
			o.Password = p
		}
	}
	if u.Scheme != schemeTLS {
		return o, nil
	}
	o.TLS = &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}
	if opts.CA != "" {
		pem, err := os.ReadFile(opts.CA)
		if err != nil {
			return o, fmt.Errorf("ca: %w", err)
		}
		o.TLS.RootCAs = x509.NewCertPool()
		if !o.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return o, fmt.Errorf("ca: %s holds no certificate (PEM)", opts.CA)
		}
	}
	return o, nil
}

// askTime is how often a relay that says nothing is asked for the time, which disturbs nobody; answerTime is how long the first
// answer may take. A relay that has answered it, and says nothing at all for so many times, is gone; from one that does not
// answer nothing can be concluded.
const (
	askTime    = 5 * time.Second
	answerTime = time.Second
	mostQuiet  = 3
)

// relayLink is a connection to a relay as the points need it. TCP does not tell when the other side falls silent.
type relayLink struct {
	*oswclient.Client
	ready, done chan struct{}

	mu    sync.Mutex
	cause error
}

func newRelayLink(c *oswclient.Client, s *session) *relayLink {
	l := &relayLink{Client: c, ready: make(chan struct{}), done: make(chan struct{})}
	go l.keep(s)
	return l
}

// keep watches over the connection until it is over.
func (l *relayLink) keep(s *session) {
	defer close(l.done)
	select {
	case <-l.Client.Ready():
	case <-l.Client.Done():
		return
	}
	ask := (&atem.RequestTime{}).Append(nil, 0)
	_ = l.SendPayload(ask) // a connection that is over says so by itself
	answers := s.awaitTime(l.Client.Done(), answerTime)
	close(l.ready)
	tick := time.NewTicker(askTime)
	defer tick.Stop()
	quiet, last := 0, l.Stats().Received
	for {
		select {
		case <-l.Client.Done():
			return
		case <-tick.C:
		}
		if now := l.Stats().Received; now != last {
			quiet, last = 0, now
			continue
		}
		if quiet++; quiet >= mostQuiet && answers {
			l.mu.Lock()
			l.cause = errSilent
			l.mu.Unlock()
			_ = l.Client.Close()
			return
		}
		_ = l.SendPayload(ask)
	}
}

// Ready implements link.
func (l *relayLink) Ready() <-chan struct{} { return l.ready }

// Done implements link.
func (l *relayLink) Done() <-chan struct{} { return l.done }

// Err implements link.
func (l *relayLink) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cause != nil {
		return l.cause
	}
	return l.Client.Err()
}

// Close implements link.
func (l *relayLink) Close() error {
	err := l.Client.Close()
	<-l.done
	return err
}

// heard implements link: a relay has no pings.
func (l *relayLink) heard() (uint64, bool) { return l.Stats().Received, false }

var errSilent = fmt.Errorf("the relay says nothing any more: %w", context.DeadlineExceeded)

// Probe connects and listens to what the relay offers. It chooses a switcher only when there is one and no login is wanted,
// reads what it is, and closes the connection. ctx bounds it.
func (Relay) Probe(ctx context.Context, env driver.Env, addr string) (driver.Finding, error) {
	s := newSession(addr)
	c, err := oswclient.Dial(ctx, oswclient.Opener(env.Dial), addr, oswclient.Options{Handle: s.handle})
	switch {
	case errors.Is(err, oswclient.ErrLoginWanted):
		return driver.Finding{Match: true, Reasons: []string{"speaks OpenSwitcher and wants a login"}}, nil
	case errors.Is(err, oswclient.ErrNoDevice) && !errors.Is(err, openswitcher.ErrHandshake):
		return driver.Finding{Match: true, Reasons: []string{"speaks OpenSwitcher; the device must be named, " + offered(err)}}, nil
	case err != nil:
		return driver.Finding{}, wrap("probe", addr, err)
	}
	found := driver.Finding{Match: true, Reasons: []string{fmt.Sprintf("device %q, %s", c.Device().ID, c.Device().Label)}}
	if err := s.begin(ctx, newRelayLink(c, s), relayDefaults().Timeout); err != nil {
		return found, nil // it is a relay, whatever is wrong behind it
	}
	found.Reasons = append(s.reasons(), found.Reasons...)
	return found, wrap("probe", addr, s.Close())
}

// offered is the end of the error that names the devices of a relay.
func offered(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, "offered:"); i >= 0 {
		return text[i:]
	}
	return text
}
