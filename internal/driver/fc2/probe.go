package fc2

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"strconv"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/fc2"
	"github.com/patchbay-io/patchbay/protocol/fc2/fc2client"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaws"
)

// Probe asks for the WebSocket of a program that nobody knows. The secure endpoint answers 404 to that, as any web server may, and
// so the next port is asked too; the onboarding endpoint opens and has the pairing agent. Nobody is asked for approval by it.
func (Driver) Probe(ctx context.Context, env driver.Env, addr string) (driver.Finding, error) {
	random := env.Rand
	if random == nil {
		random = rand.Reader
	}
	id, err := fc2.NewIdentity(random)
	if err != nil {
		return driver.Finding{}, &driver.Error{Op: "probe", Target: addr, Class: driver.Internal, Err: err}
	}
	ask := func(addr string) (string, error) {
		b, err := fc2client.Onboard(ctx, fc2client.Opener(env.Dial), addr, fc2client.Options{Identity: id, Server: id.Public(), Path: id.Public().Path()})
		if err != nil {
			return "", err
		}
		defer b.Close()
		return b.State(ctx)
	}
	host, port, err2 := net.SplitHostPort(addr)
	n, err3 := strconv.ParseUint(port, 10, 16)
	state, err := ask(addr)
	if err == nil {
		return driver.Finding{Match: true, Reasons: []string{"it has the pairing agent of Focusrite Control 2, in the state " + state,
			"this port is for pairing alone; the secure endpoint is the port before it"}, Port: uint16(max(n, 1) - 1)}, nil
	}
	var status *ocaws.StatusError
	if !errors.As(err, &status) || status.Status != http.StatusNotFound {
		return driver.Finding{}, wrap("probe", addr, err)
	}
	if err2 != nil || err3 != nil {
		return driver.Finding{}, wrap("probe", addr, err)
	}
	if state, err2 = ask(net.JoinHostPort(host, strconv.FormatUint(n+1, 10))); err2 != nil {
		return driver.Finding{Reasons: []string{"it answers 404 to a WebSocket, and the next port has no pairing agent"}}, wrap("probe", addr, err)
	}
	return driver.Finding{Match: true, Reasons: []string{"the next port has the pairing agent of Focusrite Control 2, in the state " + state,
		"it answers 404 to a program that it does not know"}}, nil
}
