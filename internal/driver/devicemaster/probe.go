package devicemaster

import (
	"context"
	"fmt"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmclient"
)

// Probe asks the box who it is and begins a session, which it ends at once. It opens no port and changes nothing. ctx bounds
// it.
func (Driver) Probe(ctx context.Context, env driver.Env, addr string) (driver.Finding, error) {
	l, err := dmclient.Dial(ctx, dmclient.Opener(env.Dial), addr, dmclient.Options{})
	if err != nil {
		return driver.Finding{}, wrap("probe", addr, err)
	}
	id := l.ID()
	found := driver.Finding{Match: true, Reasons: reasons(&id, l.Ports())}
	return found, wrap("probe", addr, l.Close())
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
