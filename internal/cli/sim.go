package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/serving"
	"github.com/patchbay-io/patchbay/internal/lab/simulate"
	"github.com/patchbay-io/patchbay/transcript"
	"github.com/patchbay-io/patchbay/transcript/tap"
)

// simCommand has a subcommand for each kind of device, which has a file of its own: sim_KIND.go.
func (a *app) simCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "sim",
		Short: "Serve a simulated device to other programs",
		Args:  noCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(a.simFOCASCommand(), a.simFCXMLCommand(), a.simFC2Command(), a.simATEMCommand(), a.simAES70Command(), a.simDeviceMasterCommand())
	return c
}

// simulated is a device as a subcommand of sim has made it.
type simulated struct {
	device simulate.Device
	listen []string // an address for each service of the device
	page   bool     // the last service is a page for a browser
	upward int      // so many of the first addresses are tried with ports that are one higher, while one of them is taken

	record string            // file that the conversation with the first service is written to; empty: none
	head   transcript.Header // of that file: protocol and device

	control    string // address of the control interface; empty: none
	controlled simulate.Controlled

	scenario string       // file; empty: none
	reload   func() error // reads it again
}

// serveSimulated serves a device until ctx ends. The addresses are the first lines of standard output: one for each service,
// and that of the control interface.
func (a *app) serveSimulated(ctx context.Context, s simulated) (err error) {
	if s.control != "" {
		if err := simulate.CheckControlAddress(s.control); err != nil {
			return usageError(fmt.Errorf("--control: %w", err))
		}
	}
	wrap := func(at simulate.Socket) simulate.Socket { return at }
	if s.record != "" {
		r, closeRecord, err := startRecord(s.record, s.head)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, closeRecord()) }()
		wrap = func(at simulate.Socket) simulate.Socket { return recorded(r, at) }
	}
	hangup := make(chan os.Signal, 1)
	if s.reload != nil {
		signal.Notify(hangup, syscall.SIGHUP)
		defer signal.Stop(hangup)
	}
	sockets, err := s.open(ctx)
	if err != nil {
		return err
	}
	for i := range sockets {
		key, addr := "listen", sockets[i].Addr().String()
		if s.page && i == len(sockets)-1 {
			key, addr = "page", "http://"+addr+"/"
		}
		if e := a.printAddress(key, addr); err == nil {
			err = e
		}
		if i == 0 { // a recording is of one protocol
			sockets[i] = wrap(sockets[i])
		}
	}
	if err != nil {
		return errors.Join(err, closeSockets(sockets))
	}
	g, inner := errgroup.WithContext(ctx)
	g.Go(func() error { return s.device.Serve(inner, sockets) })
	for i, service := range s.device.Services {
		if service.Sought {
			g.Go(func() error { return a.hearEverybody(inner, service, sockets[i].Packets) })
		}
	}
	if s.control != "" {
		cl, err := net.Listen("tcp", s.control)
		if err == nil {
			err = a.printAddress("control", "http://"+cl.Addr().String())
			g.Go(func() error { return simulate.Control(inner, cl, s.controlled) })
		}
		if err != nil {
			g.Go(func() error { return fmt.Errorf("the control interface cannot listen on %s: %w", s.control, err) })
		}
	}
	if s.reload != nil {
		g.Go(func() error { a.rereadScenario(inner, hangup, &s); return nil })
	}
	if err := g.Wait(); ctx.Err() == nil {
		return err
	}
	return nil
}

// hearEverybody serves what is sent to everybody on the port of a service, when its socket does not hear that itself.
func (a *app) hearEverybody(ctx context.Context, service simulate.Service, at net.PacketConn) error {
	all, err := serving.Broadcasts(ctx, driver.ListenPacket, at)
	if err != nil {
		fmt.Fprintf(a.Err, "patchbay: a search of the whole network is not heard: %v\n", err)
	}
	if all == nil {
		return nil
	}
	return service.Packets(ctx, all)
}

// maxUpward is how far up ports are looked for.
const maxUpward = 1000

// open opens a socket for each service of the device.
func (s *simulated) open(ctx context.Context) (sockets []simulate.Socket, err error) {
	for range maxUpward {
		if sockets, err = s.openAt(ctx); s.upward == 0 || !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
		for i := range s.upward {
			addr, err := netip.ParseAddrPort(s.listen[i])
			if err != nil {
				return nil, err
			}
			s.listen[i] = netip.AddrPortFrom(addr.Addr(), addr.Port()+1).String()
		}
	}
	return sockets, err
}

// openAt does so at the addresses as they are.
func (s *simulated) openAt(ctx context.Context) ([]simulate.Socket, error) {
	var out []simulate.Socket
	for i, service := range s.device.Services {
		var at simulate.Socket
		var err error
		if service.Packets != nil {
			at.Packets, err = new(net.ListenConfig).ListenPacket(ctx, service.Network, s.listen[i])
		} else {
			at.Listener, err = new(net.ListenConfig).Listen(ctx, service.Network, s.listen[i])
		}
		if err != nil {
			failed := &failure{code: exitFailed, err: fmt.Errorf("the simulator cannot listen on %s: %w", s.listen[i], err)}
			if errors.Is(err, syscall.EADDRINUSE) {
				failed.hint = "Another program has this port, perhaps another simulator. --help shows the flags for other addresses; port 0 is a free one."
			}
			if err := closeSockets(out); err != nil {
				failed.err = errors.Join(failed.err, err)
			}
			return nil, failed
		}
		out = append(out, at)
	}
	return out, nil
}

func closeSockets(list []simulate.Socket) error {
	var err error
	for _, s := range list {
		err = errors.Join(err, s.Close())
	}
	return err
}

// rereadScenario reads the scenario file again at each SIGHUP. A wrong one is reported, and the one before stays in force.
func (a *app) rereadScenario(ctx context.Context, hangup <-chan os.Signal, s *simulated) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
		}
		if err := s.reload(); err != nil {
			fmt.Fprintf(a.Err, "patchbay: %v\n  The scenario before stays in force.\n", err)
			continue
		}
		fmt.Fprintf(a.Err, "%s is in force\n", s.scenario)
	}
}

// printAddress prints where something is reached, a line of standard output.
func (a *app) printAddress(key, addr string) error {
	if a.json {
		return a.printJSON(map[string]string{key: addr})
	}
	_, err := fmt.Fprintln(a.Out, addr)
	return err
}

// recorded puts a recorder around a socket, next to the wire, so that it sees what faults do.
func recorded(r *tap.Recorder, at simulate.Socket) simulate.Socket {
	if at.Packets != nil {
		return simulate.Socket{Packets: r.PacketConn(at.Packets, tap.Server)}
	}
	return simulate.Socket{Listener: r.Listener(at.Listener)}
}

// startRecord begins a recording of our own simulator, which is evidence of nothing and says so.
func startRecord(name string, h transcript.Header) (r *tap.Recorder, end func() error, err error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("--record: %w", err)
	}
	h.Date = time.Now().Format(time.DateOnly)
	h.Server = transcript.Origin{Producer: transcript.OwnSimulator}
	r, err = tap.NewRecorder(f, &h)
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return r, func() error { return errors.Join(r.Err(), f.Close()) }, nil
}
