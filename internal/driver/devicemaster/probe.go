package devicemaster

import (
	"context"
	"fmt"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmclient"
)

// Probe asks the box who it is. It begins no session and opens no port: either would tell the box something about its clients, such
// as how often to look at its ports. ctx bounds it.
func (Driver) Probe(ctx context.Context, env driver.Env, addr string) (driver.Finding, error) {
	id, err := dmclient.Identify(ctx, dmclient.Opener(env.Dial), addr, 0)
	if err != nil {
		return driver.Finding{}, wrap("probe", addr, err)
	}
	return driver.Finding{Match: true, Reasons: reasons(&id, dmclient.PortsOf(&id))}, nil
}

// reasons describe a box in a few words each, the most telling first.
func reasons(id *devicemaster.IDResponse, ports int) []string {
	out := []string{id.FirmwareText(), fmt.Sprintf("MAC %v", id.MAC)}
	if id.Size == 0 {
		out = append(out, fmt.Sprintf("model %d, %s", id.Model, numbered(ports, "port")))
		if id.Program != devicemaster.ProgramNSLink {
			out = append(out, fmt.Sprintf("it runs %v; the maker's Linux driver would reset it and load other firmware", id.Program))
		}
	}
	return out
}

func numbered(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
