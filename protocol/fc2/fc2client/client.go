package fc2client

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/patchbay-io/patchbay/protocol/fc2"
	"github.com/patchbay-io/patchbay/protocol/fc2/internal/tunnel"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaclient"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaws"
)

// Opener makes the connection; (*net.Dialer).DialContext is one.
type Opener = func(ctx context.Context, network, addr string) (net.Conn, error)

// ErrNotPaired is why the secure endpoint does not let this program in: it answers 404 to a key that nobody has approved.
var ErrNotPaired = errors.New("Focusrite Control 2 does not know this program: it has not been paired, or was removed there")

// ErrHandshake is why there is no tunnel although the server knows this program. A server whose key is another than the expected
// one ends the connection then, because it cannot read the first record.
var ErrHandshake = errors.New("the tunnel was not made")

// Options say who connects to whom.
type Options struct {
	Identity fc2.Identity
	Server   fc2.PublicKey
	Random   io.Reader     // of headers and nonces; nil: crypto/rand
	Timeout  time.Duration // of connecting and of each step; 0: 5 seconds
	// Path is asked for at the onboarding endpoint; "": "/".
	Path string
}

func (o *Options) defaults() {
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Second
	}
}

// Dial connects to the secure endpoint at addr and makes the handshake. The result carries the OCP.1 stream: give it to
// ocaclient.New. The error wraps [ErrNotPaired] when the server does not know the program, and [ErrHandshake] when what follows
// the upgrade fails.
func Dial(ctx context.Context, open Opener, addr string, o Options) (net.Conn, error) {
	o.defaults()
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	ws, err := ocaws.Dial(ctx, open, addr, ocaws.DialOptions{Path: o.Identity.Public().Path()})
	if err != nil {
		var status *ocaws.StatusError
		if errors.As(err, &status) && status.Status == http.StatusNotFound {
			return nil, fmt.Errorf("fc2 open %s: %w", addr, ErrNotPaired)
		}
		return nil, fmt.Errorf("fc2 open %s: %w", addr, err)
	}
	c, err := tunnel.Open(ctx, ws, o.Identity, o.Server, fc2.Client, o.Random)
	if err != nil {
		return nil, fmt.Errorf("fc2 open %s: %w: %w", addr, ErrHandshake, err)
	}
	return c, nil
}

// Errors of pairing.
var (
	ErrNoAgent = errors.New("it speaks AES70 and has no pairing of Focusrite Control 2")
	ErrBusy    = errors.New("another program is being paired there")
	ErrDenied  = errors.New("the person there has not approved")
	ErrCode    = errors.New("the code was not accepted")
	// ErrUnread is a request that is refused as unreadable. It is sealed for the key of one server, and for another server
	// it is noise. What the real one answers then is a guess; package fc2server refuses the parameter.
	ErrUnread = errors.New("it cannot read the request, which is for another server key than its own")
)

// Onboarding is a connection to the onboarding endpoint. Its methods are called one after the other.
type Onboarding struct {
	client *ocaclient.Client
	addr   string
	opts   Options
}

// Onboard connects to the onboarding endpoint at addr and finds the pairing agent there.
func Onboard(ctx context.Context, open Opener, addr string, o Options) (*Onboarding, error) {
	o.defaults()
	limited, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	ws, err := ocaws.Dial(limited, open, addr, ocaws.DialOptions{Path: o.Path})
	if err != nil {
		return nil, fmt.Errorf("fc2 onboarding %s: %w", addr, err)
	}
	b := &Onboarding{client: ocaclient.New(ws, addr, ocaclient.Options{Timeout: o.Timeout, KeepAlive: time.Second}), addr: addr, opts: o}
	if err := b.find(limited); err != nil {
		return nil, errors.Join(b.fail("find the pairing agent", err), b.client.Close())
	}
	return b, nil
}

func (b *Onboarding) fail(what string, err error) error {
	return fmt.Errorf("fc2 onboarding %s: %s: %w", b.addr, what, err)
}

// find looks for the agent among the members of the root block.
func (b *Onboarding) find(ctx context.Context) error {
	values, err := b.client.Do(ctx, ocp1.RootBlockONo, ocp1.ID{Level: 3, Index: 5}, 0, nil)
	if err != nil {
		return err
	}
	p := ocp1.NewParams("GetMembers", values)
	members := ocp1.ListOf(&p, "members", p.ObjectIdentification)
	if err := p.Err(); err != nil {
		return err
	}
	for _, m := range members {
		if m.ONo == fc2.AgentONo && m.Class.Class == fc2.AgentClass.Class {
			return nil
		}
	}
	return ErrNoAgent
}

// Done is closed when the connection has ended.
func (b *Onboarding) Done() <-chan struct{} { return b.client.Done() }

// Err is why the connection has ended; nil while it works.
func (b *Onboarding) Err() error { return b.client.Err() }

// Close ends the connection. A request that waits for a person is taken back with it.
func (b *Onboarding) Close() error { return b.client.Close() }

func (b *Onboarding) text(ctx context.Context, what string, method ocp1.ID, count uint8, params []byte) (string, error) {
	values, err := b.client.Do(ctx, fc2.AgentONo, method, count, params)
	if err != nil {
		return "", b.fail(what, err)
	}
	p := ocp1.NewParams(what, values)
	s := p.String("text")
	if err := p.Err(); err != nil {
		return "", b.fail(what, err)
	}
	return s, nil
}

// State is what the server is doing about pairing: fc2.StateReady, fc2.StateScanning, or something else.
func (b *Onboarding) State(ctx context.Context) (string, error) {
	return b.text(ctx, "state", fc2.MethodGetOnboardingState, 0, nil)
}

// Version is the version of the pairing interface.
func (b *Onboarding) Version(ctx context.Context) (uint16, error) {
	values, err := b.client.Do(ctx, fc2.AgentONo, fc2.MethodGetAPIVersion, 0, nil)
	if err != nil {
		return 0, b.fail("version", err)
	}
	p := ocp1.NewParams("version", values)
	v := p.U16("version")
	if err := p.Err(); err != nil {
		return 0, b.fail("version", err)
	}
	return v, nil
}

// Request asks for approval under a name that the person there is shown, and waits for the decision: give ctx the patience of
// a person. The error wraps ErrBusy, ErrDenied, or ErrUnread.
func (b *Onboarding) Request(ctx context.Context, name string) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Hour)
		defer cancel()
	}
	state, err := b.State(ctx)
	if err != nil {
		return err
	}
	if state != fc2.StateReady {
		return b.fail("request", fmt.Errorf("%w (its state is %q)", ErrBusy, state))
	}
	request, err := fc2.AppendRequest(nil, b.opts.Identity, b.opts.Server, name, b.opts.Random)
	if err != nil {
		return b.fail("request", err)
	}
	key := b.opts.Identity.Public()
	decision, err := b.text(ctx, "request", fc2.MethodRequestApproval, 2, ocp1.AppendBlob(ocp1.AppendBlob(nil, key[:]), request))
	if err != nil {
		var refusal *ocp1.Error
		switch {
		case !errors.As(err, &refusal):
			return err
		case refusal.Status == ocp1.StatusBusy:
			return fmt.Errorf("%w: %w", ErrBusy, err)
		case refusal.Status == ocp1.StatusParameterError:
			return fmt.Errorf("%w: %w", ErrUnread, err)
		}
		return err
	}
	if decision != fc2.DecisionApproved {
		return b.fail("request", fmt.Errorf("%w (it says %q)", ErrDenied, decision))
	}
	return nil
}

// Code sends what the QR code holds that the person is shown after the approval. Afterwards the secure endpoint knows the
// program. The error wraps ErrCode.
func (b *Onboarding) Code(ctx context.Context, code []byte) error {
	decision, err := b.text(ctx, "code", fc2.MethodSendQRData, 1, ocp1.AppendBlob(nil, code))
	if err != nil {
		return err
	}
	if decision != fc2.DecisionApproved {
		return b.fail("code", fmt.Errorf("%w (it says %q)", ErrCode, decision))
	}
	return nil
}
