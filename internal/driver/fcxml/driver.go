// Package fcxml is the driver for Focusrite Control, the program for Scarlett devices up to the third generation, Clarett and
// Red. It talks to the program, not to the device: the program must run on the computer that the interface hangs on.
//
// A session shows the controls that the device announces, by name. Values that the server leaves out because they are at rest
// are shown as assumed. Changes need the approval of a person in Focusrite Control, once. The package holds no wire format;
// that is protocol/fcxml.
package fcxml

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strconv"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/fcxml"
	"github.com/patchbay-io/patchbay/protocol/fcxml/fcclient"
)

// Port is where a server often is: the first that many systems give out. It is used when nothing answers a discovery.
const Port = 49152

// locateWithin bounds the discovery of the port.
const locateWithin = 3 * time.Second

// Driver makes sessions with Focusrite Control.
type Driver struct{}

// New is the driver.
func New() driver.Driver { return Driver{} }

// Info describes the driver.
func (Driver) Info() driver.Info {
	return driver.Info{
		Name:    "fcxml",
		Title:   "Focusrite Control",
		Panel:   "audio",
		Schemes: []driver.Scheme{{Name: "fcxml", Network: "tcp", Port: Port}},
		Can:     driver.CanWrite | driver.CanServe | driver.CanProbe,
	}
}

// Options are the defaults.
func (Driver) Options() any { return defaults() }

var errNoDevice = errors.New("Focusrite Control runs there, and no such interface is connected to it")

// Open finds the server, introduces the program, and waits for the interface and its values. Approval is not waited for:
// reading needs none.
func (Driver) Open(ctx context.Context, env driver.Env, target driver.Target) (driver.Session, error) {
	opts, ok := target.Options.(*Options)
	if !ok || opts == nil {
		opts = defaults()
	}
	addr, err := address(ctx, env, target, opts)
	if err != nil {
		return nil, wrap("open", target.Name, err)
	}
	key, err := identity(env, opts)
	if err != nil {
		return nil, &driver.Error{Op: "open", Target: addr, Class: driver.Internal, Err: err}
	}
	s := &session{target: addr, opts: opts, wake: make(chan struct{}, 1), dirty: map[uint32]struct{}{}}
	if env.Log != nil {
		s.warn = env.Log.Warn
	}
	s.client, err = fcclient.Dial(ctx, fcclient.Opener(env.Dial), addr, fcclient.Options{Hostname: opts.Hostname, Key: key, Timeout: opts.Timeout,
		OnEvent: s.hear})
	if err != nil {
		return nil, wrap("open", addr, err)
	}
	if err := s.begin(ctx); err != nil {
		return nil, errors.Join(wrap("open", addr, err), s.Close())
	}
	return s, nil
}

// begin waits for the device and its first values.
func (s *session) begin(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	schema, err := s.client.Device(ctx, s.opts.picks)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return &driver.Error{Op: "open", Target: s.target, Class: driver.Unreachable, Err: errNoDevice,
				Hint: "Connect the interface to that computer by USB and see that Focusrite Control shows it."}
		}
		return err
	}
	if err := s.client.Subscribe(ctx, schema); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.adopt(schema)
	return nil
}

// address is host and port of the server: the port of the URL, else what a discovery finds, else the usual one.
func address(ctx context.Context, env driver.Env, target driver.Target, opts *Options) (string, error) {
	if target.URL == nil || target.URL.Hostname() == "" {
		return "", &driver.Error{Op: "open", Target: target.Name, Class: driver.Internal, Err: errors.New("the URL has no host; write fcxml://192.0.2.40")}
	}
	host, port := target.URL.Hostname(), target.URL.Port()
	if port != "" {
		return net.JoinHostPort(host, port), nil
	}
	limited, cancel := context.WithTimeout(ctx, min(locateWithin, opts.Timeout))
	defer cancel()
	addr, err := fcclient.Locate(limited, fcclient.Opener(env.Dial), host)
	switch {
	case err == nil:
		return addr, nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	}
	return net.JoinHostPort(host, strconv.Itoa(Port)), nil
}

// identityName is the name of the client key in the key store. One key serves all servers: each keeps its own approval.
const identityName = "fcxml-client-key"

var errNoIdentity = errors.New("the identity in the key store is empty")

// identity is the key under which servers keep the user's approval. It is made once; one that cannot be had is never replaced, since
// the approvals would be lost without a word.
func identity(env driver.Env, opts *Options) (string, error) {
	if !opts.ClientKey.IsZero() {
		return opts.ClientKey.Reveal(), nil
	}
	if env.Keys != nil {
		switch b, err := env.Keys.Load(identityName); {
		case err == nil && len(b) > 0:
			return string(b), nil
		case err == nil:
			return "", fmt.Errorf("%w; remove %s, and approve this program again", errNoIdentity, identityName)
		case !errors.Is(err, fs.ErrNotExist):
			return "", fmt.Errorf("the identity cannot be read: %w", err)
		}
	}
	source := env.Rand
	if source == nil {
		source = rand.Reader
	}
	var b [16]byte
	if _, err := io.ReadFull(source, b[:]); err != nil {
		return "", fmt.Errorf("no random numbers for an identity: %w", err)
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	key := fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
	if env.Keys != nil {
		if err := env.Keys.Store(identityName, []byte(key)); err != nil {
			return "", fmt.Errorf("the identity cannot be kept, so that an approval would be lost: %w", err)
		}
	}
	return key, nil
}

// picks reports whether a device is the one that the options name.
func (o *Options) picks(s *fcxml.Schema) bool {
	return (o.Serial == "" || o.Serial == s.Serial) && (o.Model == "" || o.Model == s.Model)
}
