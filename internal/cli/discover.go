package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/all"
	"github.com/patchbay-io/patchbay/internal/lab/discover"
)

// discoverFlags say where devices are looked for besides this machine.
type discoverFlags struct {
	subnets    []string
	neighbours bool
	lan        bool
	yes        bool
	ports      []uint
	anyPort    bool
	timeout    time.Duration
}

func (a *app) discoverCommand() *cobra.Command {
	var f discoverFlags
	c := &cobra.Command{
		Use:   "discover",
		Short: "Find devices and print the configuration lines for them",
		Long: `Find devices and print the configuration lines for them. It looks at what listens on this machine, on Linux also at what
Focusrite Control has open, whose port the system assigns; other machines are asked
only when they are named: with --subnet, or with --neighbours for those that this machine has talked to lately; --lan puts one
question to everybody in the local network, as the makers' own tools do, and opens nothing. Where it asks, it asks on
the ports that belong to a protocol which patchbay speaks, opens a session there and closes it, and changes nothing.

What was looked at goes to standard error, the lines to standard output.`,
		Example: "  patchbay discover --lan\n  patchbay discover --subnet 192.0.2.0/24 >> patchbay.yaml",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.timeout = time.Second
			if cmd.Flags().Changed("timeout") {
				f.timeout = a.timeout
			}
			return a.discover(cmd.Context(), f)
		},
	}
	fl := c.Flags()
	fl.StringArrayVar(&f.subnets, "subnet", nil, "ask the hosts of this subnet, such as 192.0.2.0/24; may be repeated")
	fl.BoolVar(&f.neighbours, "neighbours", false, "ask the hosts in this machine's neighbour table")
	fl.BoolVar(&f.lan, "lan", false, "ask the local network: "+strings.Join(discover.Ways(), "; "))
	fl.BoolVar(&f.yes, "yes", false, "search a subnet larger than a /22")
	fl.UintSliceVar(&f.ports, "port", nil, "ask on this port too; needs --any-port")
	fl.BoolVar(&f.anyPort, "any-port", false, "allow ports that belong to no known protocol")
	return c
}

// check reads the subnets and ports of the command line.
func (f *discoverFlags) check() (hosts []netip.Addr, ports []uint16, err error) {
	for _, text := range f.subnets {
		if !strings.Contains(text, "/") {
			return nil, nil, usageError(fmt.Errorf("--subnet %s has no size; write %s/24, or %s/32 for this one host", text, text, text))
		}
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, nil, usageError(fmt.Errorf("--subnet %s is no subnet; write it like 192.0.2.0/24", text))
		}
		if p.Addr().BitLen()-p.Bits() > 10 && !f.yes {
			return nil, nil, &failure{code: exitUsage, kind: "large-subnet", err: fmt.Errorf("--subnet %s is larger than a /22", text),
				hint: "Is that what you mean? Every address in it is asked. Add --yes, or name a smaller one."}
		}
		list, err := discover.Hosts(p)
		if err != nil {
			return nil, nil, usageError(fmt.Errorf("--subnet: %w", err))
		}
		hosts = append(hosts, list...)
	}
	for _, n := range f.ports {
		if n == 0 || n > 65535 {
			return nil, nil, usageError(fmt.Errorf("--port %d is no port; it is a number from 1 to 65535", n))
		}
		if !f.anyPort {
			return nil, nil, &failure{code: exitUsage, kind: "unknown-port", err: fmt.Errorf("--port %d may belong to something else", n),
				hint: "A raw serial line may hang behind an open port, and what is sent there reaches a machine. If you know what is behind it, add --any-port."}
		}
		ports = append(ports, uint16(n))
	}
	return hosts, ports, nil
}

func (a *app) discover(ctx context.Context, f discoverFlags) error {
	hosts, ports, err := f.check()
	if err != nil {
		return err
	}
	finder := &discover.Finder{Drivers: all.Drivers(), Dial: new(net.Dialer).DialContext, ListenPacket: listenPacket, Timeout: f.timeout, Ports: ports}
	targets, err := a.localTargets(finder)
	if err != nil {
		return err
	}
	neighbours, err := a.neighbourHosts(finder, f.neighbours)
	if err != nil {
		return err
	}
	if len(f.subnets) > 0 {
		a.say("Subnets: %s, addresses asked on port %s: %d.", strings.Join(f.subnets, ", "), portList(finder), len(hosts))
	}
	for _, t := range finder.Targets(append(neighbours, hosts...)) {
		if !slices.Contains(targets, t) {
			targets = append(targets, t)
		}
	}
	var found []discover.Found
	report := func(x discover.Found) {
		if slices.ContainsFunc(found, func(y discover.Found) bool { return y.URL == x.URL }) {
			return
		}
		if a.json {
			_ = a.printJSON(x) // nobody reads it any more
		}
		found = append(found, x)
	}
	looked, err := finder.Search(ctx, targets, report)
	if err != nil {
		return err
	}
	programs, err := a.localPrograms(ctx, finder, report)
	if err != nil {
		return err
	}
	looked.Add(programs)
	if f.lan {
		if err := a.seek(ctx, max(f.timeout, seekFor), report); err != nil {
			return err
		}
	}
	a.say("Ports asked: %d, open %d, refused %d, without an answer %d. Devices: %d.", looked.Asked, looked.Open, looked.Refused, looked.Silent, len(found))
	if a.json {
		return nil
	}
	if len(found) == 0 {
		if len(f.subnets) == 0 {
			a.say("Other machines are asked with --lan, or with --subnet 192.0.2.0/24; one address is looked at closely by patchbay probe HOST.")
		}
		return nil
	}
	a.printFound(found)
	return nil
}

// seekFor is how long answers of the local network are waited for.
const seekFor = 3 * time.Second

// seek asks the local network.
func (a *app) seek(ctx context.Context, wait time.Duration, report func(discover.Found)) error {
	from, from6, err := discover.LocalAddresses()
	if errors.Is(err, discover.ErrNoNetwork) {
		a.say("Local network: %v.", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("--lan: %w", err)
	}
	var networks []string
	for _, x := range slices.Concat(from, from6) {
		networks = append(networks, x.String())
	}
	a.say("Local network: asked from %s for %v: %s.", strings.Join(networks, ", "), wait, strings.Join(discover.Ways(), "; "))
	if err := discover.Seek(ctx, discover.Network{ListenPacket: listenPacket, From: from, From6: from6}, wait, report); err != nil && ctx.Err() == nil {
		return fmt.Errorf("--lan: %w", err)
	}
	return ctx.Err()
}

// say writes what was looked at to standard error, where it does not get into a configuration.
func (a *app) say(format string, args ...any) {
	if !a.json {
		fmt.Fprintf(a.Err, format+"\n", args...)
	}
}

// portList is the ports that are asked: "8193, UDP 9910".
func portList(f *discover.Finder) string {
	var out []string
	for _, p := range f.AllPorts("tcp") {
		out = append(out, fmt.Sprint(p))
	}
	for _, p := range f.AllPorts("udp") {
		if !slices.Contains(f.Ports, p) {
			out = append(out, fmt.Sprintf("UDP %d", p))
		}
	}
	return strings.Join(out, ", ")
}

// localTargets are the ports of this machine that are worth asking.
func (a *app) localTargets(f *discover.Finder) ([]discover.Target, error) {
	list, err := discover.Listening()
	if errors.Is(err, discover.ErrNoTable) {
		a.say("This machine: %v, so its own ports %s are tried.", err, portList(f))
		return f.Targets([]netip.Addr{netip.MustParseAddr("127.0.0.1")}), nil
	}
	if err != nil {
		return nil, fmt.Errorf("discover: %w", err)
	}
	var out []discover.Target
	for _, t := range list {
		if slices.Contains(f.AllPorts(t.Network), t.Addr.Port()) {
			out = append(out, t)
		}
	}
	a.say("This machine: ports in use %d, of a known protocol (%s) %d.", len(list), portList(f), len(out))
	return out, nil
}

// localPrograms asks the programs of Focusrite on this machine, which have no port of their own, where they listen. Only they
// are asked, and only in their protocols.
func (a *app) localPrograms(ctx context.Context, f *discover.Finder, report func(discover.Found)) (looked discover.Looked, err error) {
	list, others, err := discover.Processes(os.DirFS("/proc"), discover.IsFocusrite)
	if errors.Is(err, discover.ErrNoTable) {
		return looked, nil // what is asked instead is said above
	}
	if err != nil {
		return looked, fmt.Errorf("discover: %w", err)
	}
	own := *f
	own.Ports = nil
	own.Drivers = slices.DeleteFunc(slices.Clone(f.Drivers), func(d driver.Driver) bool { return !slices.Contains(discover.FocusriteDrivers(), d.Info().Name) })
	var targets []discover.Target
	for _, p := range list {
		if p.Hidden {
			a.say("Programs: %s, process %d, belongs to another user, and its ports are not shown to this one. Run discover as that user, or as root.", p.Name, p.PID)
			continue
		}
		var at []string
		for _, x := range p.At {
			at = append(at, x.String())
			targets = append(targets, discover.Target{Network: "tcp", Addr: x})
		}
		a.say("Programs: %s, process %d, listens on %s.", p.Name, p.PID, strings.Join(at, ", "))
	}
	if !others {
		a.say("Programs: the processes of other users are hidden on this machine; a Focusrite Control of theirs is found by root, or with --lan.")
	}
	var found []discover.Found
	if looked, err = own.Search(ctx, targets, func(x discover.Found) { found = append(found, x) }); err != nil {
		return looked, err
	}
	for _, x := range discover.OnePerFC2(found) {
		report(x)
	}
	return looked, nil
}

// neighbourHosts are the hosts of the neighbour table, or none when they are not to be asked.
func (a *app) neighbourHosts(f *discover.Finder, ask bool) ([]netip.Addr, error) {
	list, err := discover.Neighbours()
	switch {
	case errors.Is(err, discover.ErrNoTable) && !ask:
		return nil, nil
	case err != nil && ask:
		return nil, fmt.Errorf("--neighbours: %w; name a --subnet instead", err)
	case err != nil || len(list) == 0:
		a.say("Neighbours: none known.")
		return nil, nil
	case !ask:
		a.say("Neighbours: %d known and not asked; --neighbours asks them on port %s.", len(list), portList(f))
		return nil, nil
	}
	a.say("Neighbours: %d asked on port %s.", len(list), portList(f))
	return list, nil
}

// printFound prints a configuration, ready to paste.
func (a *app) printFound(found []discover.Found) {
	discover.Sort(found)
	fmt.Fprintln(a.Out, "devices:")
	numbers := map[string]int{}
	for _, x := range found {
		numbers[x.Protocol]++
		comment := ""
		if len(x.Reasons) > 0 {
			comment = "  # " + oneLine(x.Reasons[0])
		}
		name := x.Protocol
		if last := name[len(name)-1]; last >= '0' && last <= '9' {
			name += "-" // fc2-1 is no fc21
		}
		fmt.Fprintf(a.Out, "  %s%d: %s%s\n", name, numbers[x.Protocol], x.URL, comment)
	}
}
