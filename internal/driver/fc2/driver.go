// Package fc2 is the driver for Focusrite Control 2, the program for Scarlett devices of the fourth generation and later. It talks
// to the program, through the encrypted tunnel that a paired program may use; what is inside is AES70, and so its sessions are
// those of the driver aes70.
//
// A server that does not know this program gives a session of another kind: it shows how far pairing is, and has the commands
// that lead a person through it. When the program has been let in, that session ends, and the next one is the interface, which has a
// command that forgets the pairing. The package holds no wire format; that is protocol/fc2.
package fc2

import (
	"context"
	"errors"
	"net"
	"strconv"

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

// Options are the defaults.
func (Driver) Options() any { return defaults() }

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
	id, err := Identity(env.Keys, env.Rand, host)
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
		inner, err := aes70.NewSession(ctx, conn, addr, o.opts.aes70())
		if err != nil {
			return nil, ofInterface(err)
		}
		if o.env.Keys == nil { // what is kept nowhere is forgotten by itself
			return inner, nil
		}
		return newPaired(inner, addr, o.forget, o.renounced), nil
	case !errors.Is(err, fc2client.ErrNotPaired):
		return nil, wrap("open", addr, err)
	}
	if port++; o.opts.Onboarding != 0 {
		port = uint64(o.opts.Onboarding)
	}
	letIn := func(ctx context.Context) error {
		if o.env.Keys != nil && o.renounced() { // the key pair that has taken its place may be known there
			return ErrForgotten
		}
		conn, err := fc2client.Dial(ctx, fc2client.Opener(o.env.Dial), addr, o.client)
		if err == nil && conn.Close() == nil {
			return ErrPaired
		}
		return nil
	}
	b, err := o.onboard(ctx, port)
	if err != nil {
		return nil, wrap("open", o.at(port), err)
	}
	return newPairing(b, o.at(port), o.opts.Hostname, letIn), nil
}

func (o *opener) onboard(ctx context.Context, port uint64) (*fc2client.Onboarding, error) {
	return fc2client.Onboard(ctx, fc2client.Opener(o.env.Dial), o.at(port), o.client)
}

// forget makes this program a stranger to the server: another key pair serves its computer from now on. The one before stays where
// it serves others, and is gone where it served this one alone.
func (o *opener) forget() error {
	_, err := renewed(o.env.Keys, o.env.Rand, OwnIdentityName(o.host))
	return err
}

func (o *opener) renounced() bool {
	return renounced(o.env.Keys, o.client.Identity, o.host)
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
