package fcxml

import (
	"context"
	"fmt"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/fcxml/fcclient"
)

// Probe sends a bare keep-alive, which a server echoes before anybody has said who they are. Nobody is asked for approval by
// it.
func (Driver) Probe(ctx context.Context, env driver.Env, addr string) (driver.Finding, error) {
	conn, err := env.Dial(ctx, "tcp", addr)
	if err != nil {
		return driver.Finding{}, wrap("probe", addr, err)
	}
	if err := fcclient.Probe(ctx, conn); err != nil {
		e := wrap("probe", addr, err)
		return driver.Finding{Reasons: []string{fmt.Sprintf("a keep-alive of Focusrite Control was not echoed: %v", driver.ClassOf(e))}}, e
	}
	return driver.Finding{Match: true, Reasons: []string{"it echoes a keep-alive of Focusrite Control"}}, nil
}
