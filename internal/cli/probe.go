package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/all"
	"github.com/patchbay-io/patchbay/internal/lab/probe"
	"github.com/patchbay-io/patchbay/internal/plural"
)

func (a *app) probeCommand() *cobra.Command {
	var anyPort, reactions bool
	var f reactionFlags
	c := &cobra.Command{
		Use:   "probe HOST[:PORT]",
		Short: "Find out step by step what stands at an address, without changing anything there",
		Long: `Find out step by step what stands at an address, without changing anything there: the name, the connection, the protocol.
Each step shows what was sent, what came back and what that means.

Without a port it tries those that belong to a protocol which patchbay speaks, over TCP and UDP; a device URL asks in its protocol
alone. Another port is refused unless --any-port is
given: behind an open port may stand a raw serial line, and what is sent there reaches a machine.

--reactions tries everything on one port that a device may answer, the first messages of each protocol, HTTP paths, WebSockets and
messages in them, and shows how each was taken: answered, closed, reset, absorbed. It says for each protocol why it is that one or
not. What could disturb a device is left out unless --thorough is given.`,
		Example: "  patchbay probe 192.0.2.21\n  patchbay probe mill1:8193 --json\n  patchbay probe atem://192.0.2.10",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p := prober(anyPort)
			if cmd.Flags().Changed("timeout") {
				p.StepTimeout = a.timeout
			}
			switch {
			case reactions:
				return a.probeReactions(cmd.Context(), p, args[0], f)
			case f.record != "" || f.thorough:
				return usageError(errors.New("--record and --thorough are for --reactions"))
			}
			return a.probe(cmd.Context(), p, args[0])
		},
	}
	c.Flags().BoolVar(&reactions, "reactions", false, "show how one port takes everything that a device may be asked")
	c.Flags().BoolVar(&f.thorough, "thorough", false, "with --reactions: also what may disturb a device: what no protocol allows, and other protocols once one is recognised")
	c.Flags().StringVar(&f.record, "record", "", "with --reactions: file that the conversations are written to")
	c.Flags().BoolVar(&anyPort, "any-port", false, "probe a port that belongs to no known protocol, and ask on when a port stays silent")
	return c
}

// prober probes over the network of this machine.
func prober(anyPort bool) *probe.Prober {
	return &probe.Prober{Drivers: all.Drivers(), Dial: new(net.Dialer).DialContext, ListenPacket: listenPacket, AnyPort: anyPort,
		Resolve: func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}}
}

// listenPacket opens a packet connection of this machine.
func listenPacket(ctx context.Context, network, addr string) (net.PacketConn, error) {
	return new(net.ListenConfig).ListenPacket(ctx, network, addr)
}

// hostPort reads HOST, HOST:PORT or a device URL; port 0 is none.
func hostPort(arg string) (host string, port uint16, err error) {
	if strings.Contains(arg, "://") {
		u, err := url.Parse(arg)
		if err != nil || u.Host == "" {
			return "", 0, fmt.Errorf("%q names no host; write HOST or HOST:PORT", arg)
		}
		arg = u.Host
	}
	if _, err := netip.ParseAddr(strings.Trim(arg, "[]")); err == nil {
		return strings.Trim(arg, "[]"), 0, nil
	}
	host = arg
	if strings.Contains(arg, ":") {
		var text string
		if host, text, err = net.SplitHostPort(arg); err != nil {
			return "", 0, fmt.Errorf("%q is no address: write HOST or HOST:PORT, an IPv6 address in brackets", arg)
		}
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil || n == 0 {
			return "", 0, fmt.Errorf("%q is no port; it is a number from 1 to 65535", text)
		}
		port = uint16(n)
	}
	if host == "" || strings.ContainsAny(host, "/ @") {
		return "", 0, fmt.Errorf("%q names no host; write HOST or HOST:PORT", arg)
	}
	return host, port, nil
}

func (a *app) probe(ctx context.Context, p *probe.Prober, arg string) error {
	host, port, err := hostPort(arg)
	if err != nil {
		return usageError(err)
	}
	if scheme, _, ok := strings.Cut(arg, "://"); ok {
		if p.Drivers, err = ofScheme(p.Drivers, scheme); err != nil {
			return usageError(err)
		}
	}
	if port != 0 {
		if err := p.CheckPort(port); err != nil {
			return &failure{code: exitUsage, kind: "unknown-port", err: err,
				hint: "A raw serial line may hang behind an open port, and what is sent there reaches a machine. If you know what is behind it, add --any-port."}
		}
	}
	res, err := p.Run(ctx, host, port, func(s probe.Step) {
		if a.json {
			_ = a.printJSON(s) // nobody reads it any more
			return
		}
		a.printStep(s)
	})
	if err != nil {
		return err
	}
	if a.json {
		if err := a.printJSON(map[string]any{"match": res.Match, "urls": res.URLs, "outcome": res.Worst, "verdict": res.Verdict, "advice": res.Advice}); err != nil {
			return err
		}
	}
	if !res.Match {
		return &failure{code: codeOfOutcome(res.Worst), kind: string(res.Worst), err: errors.New(res.Verdict), hint: res.Advice}
	}
	if a.json {
		return nil
	}
	fmt.Fprintf(a.Out, "%s\n  %s\n", res.Verdict, res.Advice)
	return nil
}

// ofScheme is the drivers that a scheme leads to: a device URL asks in one protocol alone.
func ofScheme(drivers []driver.Driver, scheme string) ([]driver.Driver, error) {
	var out []driver.Driver
	var known []string
	for _, d := range drivers {
		for _, s := range d.Info().Schemes {
			known = append(known, s.Name)
			if s.Name == scheme {
				out = append(out, d)
			}
		}
	}
	if out == nil {
		return nil, fmt.Errorf("%q is no scheme of a device; write HOST, HOST:PORT, or one of %s before ://", scheme, strings.Join(known, ", "))
	}
	return out, nil
}

// shownHead is how many bytes of what was sent and received stand on a line.
const shownHead = 12

func (a *app) printStep(s probe.Step) {
	fmt.Fprintf(a.Out, "%s %s: %s (%v)\n", s.Name, s.Target, s.Outcome, s.Took.Round(100*time.Microsecond))
	line := func(what, text string) { a.printFolded(fmt.Sprintf("    %-9s ", what), text) }
	for _, h := range []struct {
		what string
		head probe.Head
	}{{"sent", s.Sent}, {"received", s.Received}} {
		if h.head.Total == 0 {
			continue
		}
		shown := h.head.Bytes[:min(len(h.head.Bytes), shownHead)]
		text := fmt.Sprintf("% x", shown)
		if len(shown) < h.head.Total {
			text += " …"
		}
		fmt.Fprintf(a.Out, "    %-9s %s %s (%s)\n", h.what, text, printable(shown), plural.Of(h.head.Total, "byte"))
	}
	for _, f := range s.Found {
		line("found", f)
	}
	line("means", s.Meaning)
	if s.Advice != "" {
		line("advice", s.Advice)
	}
	fmt.Fprintln(a.Out)
}

// printable shows what of b is text.
func printable(b []byte) string {
	out := append([]byte("|"), b...)
	for i, c := range out {
		if c < ' ' || c > '~' {
			out[i] = '.'
		}
	}
	return string(append(out, '|'))
}

func codeOfOutcome(o probe.Outcome) int {
	classes := map[probe.Outcome]driver.Class{probe.Refused: driver.RefusedConn, probe.NoAnswer: driver.Timeout, probe.Unreachable: driver.Unreachable,
		probe.Reset: driver.Closed, probe.Closed: driver.Closed, probe.Different: driver.NotThisProtocol}
	if c, ok := classes[o]; ok {
		return codeOfClass(c.String())
	}
	return exitFailed
}
