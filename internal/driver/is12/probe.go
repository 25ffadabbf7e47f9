package is12

import (
	"context"
	"errors"
	"fmt"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/is12"
	"github.com/patchbay-io/patchbay/protocol/is12/is12client"
)

// Probe asks the root block at addr which class it is, over the usual path. It changes nothing. ctx bounds it.
func (Driver) Probe(ctx context.Context, env driver.Env, addr string) (driver.Finding, error) {
	c, err := is12client.Dial(ctx, is12client.Opener(env.Dial), addr, is12client.Options{})
	if err != nil {
		return driver.Finding{}, wrap("probe", addr, err)
	}
	var class is12.ClassID
	if err := c.Get(ctx, is12.RootOid, is12.PropertyClassID, &class); err != nil {
		return driver.Finding{}, errors.Join(wrap("probe", addr, err), c.Close())
	}
	members, err := c.Members(ctx, is12.RootOid, true)
	if err != nil {
		return driver.Finding{}, errors.Join(wrap("probe", addr, err), c.Close())
	}
	return driver.Finding{Match: class.IsA(is12.ClassBlock), Reasons: []string{fmt.Sprintf("NMOS IS-12 at %s, %d objects", is12.Path, len(members)+1)}}, c.Close()
}
