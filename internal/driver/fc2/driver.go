// Package fc2 is the driver for Focusrite Control 2, the program for Scarlett devices of the fourth generation and later. It talks
// to the program, through the encrypted tunnel that a paired program may use; what is inside is AES70, and so its sessions are
// those of the driver aes70.
//
// A server that does not know this program gives a session of another kind: it shows how far pairing is, and has the commands
// that lead a person through it. When the program has been let in, that session ends, and the next one is the interface. The
// package holds no wire format; that is protocol/fc2.
package fc2

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/aes70"
	"github.com/patchbay-io/patchbay/protocol/fc2"
	"github.com/patchbay-io/patchbay/protocol/fc2/fc2client"
)

// Driver makes sessions with Focusrite Control 2.
type Driver struct{}

// New is the driver.
func New() driver.Driver { return Driver{} }

// Info describes the driver.
func (Driver) Info() driver.Info {
	return driver.Info{
		Name:    "fc2",
		Title:   "Focusrite Control 2",
		Panel:   "audio",
		Schemes: []driver.Scheme{{Name: "fc2", Network: "tcp", Port: fc2.FirstPort}},
		Can:     driver.CanWrite | driver.CanCommand | driver.CanServe | driver.CanProbe,
	}
}

// Options are those of a device. Start from [Driver.Options].
type Options struct {
	ServerKey  string        `yaml:"server_key" doc:"public key of Focusrite Control 2, 64 hex digits, as it announces on the network; needed once, then it is kept"`
	Onboarding uint16        `yaml:"onboarding_port" doc:"port on which programs are paired; 0: the one after the port of the URL"`
	Hostname   string        `yaml:"hostname" doc:"name of this program in Focusrite Control 2"`
	Timeout    time.Duration `yaml:"timeout" jsonschema:"type=string" doc:"longest wait for one answer"`
	Poll       time.Duration `yaml:"poll" jsonschema:"type=string" doc:"period of points whose changes are not told"`
	MaxStep    float64       `yaml:"max_step" doc:"largest step in dB by which one write may raise a monitor level; 0: no limit"`
}

// Options are the defaults.
func (Driver) Options() any { return defaults() }

func defaults() *Options {
	return &Options{Hostname: "patchbay", Timeout: 3 * time.Second, Poll: time.Second, MaxStep: 20}
}

// Validate says what is wrong with the options and what would be right.
func (o *Options) Validate() error {
	if o.ServerKey != "" {
		if _, err := fc2.ParsePublicKey(o.ServerKey); err != nil {
			return fmt.Errorf("server_key: %q is no key; it has 64 hexadecimal digits", o.ServerKey)
		}
	}
	if o.Hostname == "" || len(o.Hostname) > fc2.MaxName {
		return fmt.Errorf("hostname: give a name of 1 to %d bytes", fc2.MaxName)
	}
	return o.aes70().Validate()
}

// aes70 are the options of what is inside the tunnel.
func (o *Options) aes70() *aes70.Options {
	inner := new(aes70.Driver).Options().(*aes70.Options)
	inner.Timeout, inner.Poll, inner.MaxStep = o.Timeout, o.Poll, o.MaxStep
	return inner
}

// IdentityName is the name of this program's key pair in the key store. One serves all servers: each keeps its own approval.
const IdentityName = "fc2-identity"

// ServerName is the name in the key store of the public key of a server.
func ServerName(host string) string { return "fc2-server-" + device.Slug(host) }

// Identity is this program's key pair, made once and kept.
func Identity(keys driver.KeyStore, random io.Reader) (fc2.Identity, error) {
	return identity(keys, random, IdentityName)
}

// identity is the key pair of a name, made once and kept.
func identity(keys driver.KeyStore, random io.Reader, name string) (fc2.Identity, error) {
	if random == nil {
		random = rand.Reader
	}
	if keys != nil {
		if b, err := keys.Load(name); err == nil {
			secret, err := hex.DecodeString(strings.TrimSpace(string(b)))
			if err == nil {
				var id fc2.Identity
				if id, err = fc2.IdentityOf(secret); err == nil {
					return id, nil
				}
			}
			return fc2.Identity{}, fmt.Errorf("the identity in the key store is damaged: %w; remove %s and pair again", err, name)
		}
	}
	id, err := fc2.NewIdentity(random)
	if err != nil {
		return id, fmt.Errorf("no random numbers for an identity: %w", err)
	}
	if keys != nil {
		if err := keys.Store(name, []byte(hex.EncodeToString(id.Secret()))); err != nil {
			return id, fmt.Errorf("the identity cannot be kept, so that a pairing would be lost: %w", err)
		}
	}
	return id, nil
}

var errNoServerKey = errors.New("the server's public key is not known")

// serverKey is the key of the options, else the one that is kept from an earlier connection.
func serverKey(env driver.Env, opts *Options, host string) (fc2.PublicKey, error) {
	if opts.ServerKey != "" {
		return fc2.ParsePublicKey(opts.ServerKey)
	}
	if env.Keys != nil {
		if b, err := env.Keys.Load(ServerName(host)); err == nil {
			return fc2.ParsePublicKey(string(b))
		}
	}
	return fc2.PublicKey{}, errNoServerKey
}

// Open connects through the tunnel. When the server does not know this program, the session is one for pairing.
func (Driver) Open(ctx context.Context, env driver.Env, target driver.Target) (driver.Session, error) {
	opts, ok := target.Options.(*Options)
	if !ok || opts == nil {
		opts = defaults()
	}
	if target.URL == nil || target.URL.Hostname() == "" {
		return nil, &driver.Error{Op: "open", Target: target.Name, Class: driver.Internal, Err: errors.New("the URL has no host; write fc2://192.0.2.50")}
	}
	host, port := target.URL.Hostname(), uint64(fc2.FirstPort)
	if text := target.URL.Port(); text != "" {
		port, _ = strconv.ParseUint(text, 10, 16) // the URL's parser has read it
	}
	id, err := Identity(env.Keys, env.Rand)
	if err != nil {
		return nil, &driver.Error{Op: "open", Target: target.Name, Class: driver.Internal, Err: err}
	}
	server, err := serverKey(env, opts, host)
	if err != nil {
		return nil, &driver.Error{Op: "open", Target: target.Name, Class: driver.Auth, Err: err,
			Hint: "Set server_key (of patchbay pair: --server-key) to what Focusrite Control 2 announces on the network as _ocaws._tcp, the 64 hexadecimal digits in the TXT record; patchbay discover --lan prints it."}
	}
	o := opener{env: env, opts: opts, host: host, client: fc2client.Options{Identity: id, Server: server, Random: env.Rand, Timeout: opts.Timeout}}
	s, err := o.open(ctx, port)
	if err != nil && o.isOnboarding(ctx, port, err) { // the URL names the port on which programs are paired
		return o.open(ctx, port-1)
	}
	return s, err
}

// opener is one Open.
type opener struct {
	env    driver.Env
	opts   *Options
	host   string
	client fc2client.Options
}

func (o *opener) at(port uint64) string {
	return net.JoinHostPort(o.host, strconv.FormatUint(port, 10))
}

// open connects to the secure endpoint at a port.
func (o *opener) open(ctx context.Context, port uint64) (driver.Session, error) {
	addr := o.at(port)
	conn, err := fc2client.Dial(ctx, fc2client.Opener(o.env.Dial), addr, o.client)
	switch {
	case err == nil:
		if o.env.Keys != nil { // it has proved to be the one with the key
			if err := o.env.Keys.Store(ServerName(o.host), []byte(o.client.Server.String())); err != nil && o.env.Log != nil {
				o.env.Log.Warn("the server's key cannot be kept", "error", err)
			}
		}
		return aes70.NewSession(ctx, conn, addr, o.opts.aes70())
	case !errors.Is(err, fc2client.ErrNotPaired):
		return nil, wrap("open", addr, err)
	}
	if port++; o.opts.Onboarding != 0 {
		port = uint64(o.opts.Onboarding)
	}
	b, err := o.onboard(ctx, port)
	if err != nil {
		return nil, wrap("open", o.at(port), err)
	}
	return newPairing(b, o.at(port), o.opts.Hostname), nil
}

func (o *opener) onboard(ctx context.Context, port uint64) (*fc2client.Onboarding, error) {
	return fc2client.Onboard(ctx, fc2client.Opener(o.env.Dial), o.at(port), o.client)
}

// isOnboarding reports whether a port that has opened a WebSocket and no tunnel is the onboarding endpoint.
func (o *opener) isOnboarding(ctx context.Context, port uint64, err error) bool {
	if port < 2 || ctx.Err() != nil || !errors.Is(err, fc2client.ErrHandshake) {
		return false
	}
	b, err := o.onboard(ctx, port)
	if err != nil {
		return false
	}
	return b.Close() == nil
}

// wrap makes the one error type of the driver boundary; nil stays nil.
func wrap(op, target string, err error) error {
	if err == nil {
		return nil
	}
	var de *driver.Error
	if errors.As(err, &de) {
		return err
	}
	e := &driver.Error{Op: op, Target: target, Class: classOf(err), Err: err}
	switch e.Class {
	case driver.RefusedConn:
		e.Hint = "The computer is there, and Focusrite Control 2 does not run on it, or has other ports: it takes the first free ones from 58322 on."
	case driver.NotThisProtocol:
		e.Hint = "Something answers there, but it is not Focusrite Control 2; the older Focusrite Control is fcxml://."
	case driver.Auth:
		e.Hint = "Compare server_key with what Focusrite Control 2 announces now, and pair again: patchbay pair."
	}
	return e
}
