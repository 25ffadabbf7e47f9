package focas

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focasclient"
)

// Probe opens a data session (channel 2) at addr, reads what the control says about itself, and closes it politely. It
// changes nothing; for as long as it takes it holds one of the control's FOCAS connections. A control that refuses the
// session is a match as well. ctx bounds it.
func (Driver) Probe(ctx context.Context, env driver.Env, addr string) (driver.Finding, error) {
	c, err := focasclient.Dial(ctx, focasclient.Opener(env.Dial), addr, focasclient.Options{})
	var refused *focas.Error
	if errors.As(err, &refused) {
		return driver.Finding{Match: true, Reasons: []string{"speaks FOCAS and refused the session: " + refused.Error(),
			"all its FOCAS connections may be in use; " + refused.Code.Advice()}}, nil
	}
	if err != nil {
		return driver.Finding{}, wrap("probe", addr, err)
	}
	found := driver.Finding{Match: true, Reasons: reasons(c)}
	return found, wrap("probe", addr, c.Close(ctx))
}

// reasons describe a control in a few words each, the most telling first.
func reasons(c *focasclient.Client) []string {
	var out []string
	paths := c.Paths()
	axes := 0
	reply := c.OpenReply()
	for _, p := range reply.Paths() {
		axes += int(p.Axes)
	}
	if len(paths) > 0 {
		if info, err := c.SysInfo(paths[0]); err == nil {
			kind := map[byte]string{'M': "machining centre", 'T': "lathe", 'P': "punch", 'L': "laser", 'W': "wire cut"}
			text := "FANUC " + info.Model()
			if k := info.KindText(); k != "" && kind[k[0]] != "" {
				text += ", " + kind[k[0]]
			}
			out = append(out, text, strings.TrimSpace("software series "+info.SeriesText()+" edition "+info.EditionText()))
		}
	}
	out = append(out, numbered(len(paths), "path")+", "+numbered(axes, "controlled axis"))
	return append(out, fmt.Sprintf("%v dialect of FOCAS, protocol version %d", c.Dialect(), reply.Version))
}

func numbered(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if stem, ok := strings.CutSuffix(what, "axis"); ok {
		return fmt.Sprintf("%d %saxes", n, stem)
	}
	return fmt.Sprintf("%d %ss", n, what)
}
