package aes70

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaclient"
)

// Probe asks the device manager at addr what the device is, over TCP. It changes nothing. ctx bounds it.
func (Driver) Probe(ctx context.Context, env driver.Env, addr string) (driver.Finding, error) {
	c, err := ocaclient.Dial(ctx, ocaclient.Opener(env.Dial), addr, ocaclient.Options{})
	if err != nil {
		return driver.Finding{}, wrap("probe", addr, err)
	}
	m, err := c.Model(ctx)
	var no *ocp1.Error
	switch {
	case errors.As(err, &no):
		return driver.Finding{Match: true, Reasons: []string{"speaks OCP.1 and refused to say what it is: " + no.Error()}}, c.Close()
	case err != nil:
		return driver.Finding{}, errors.Join(wrap("probe", addr, err), c.Close())
	}
	found := driver.Finding{Match: true, Reasons: []string{strings.TrimSpace(fmt.Sprintf("%s %s, version %s", m.Manufacturer, m.Name, m.Version)), "OCP.1 over TCP, as AES70 devices speak"}}
	return found, c.Close()
}
