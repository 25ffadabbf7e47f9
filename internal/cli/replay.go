package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/lab/replay"
	"github.com/patchbay-io/patchbay/internal/lab/simulate"
	"github.com/patchbay-io/patchbay/internal/plural"
	"github.com/patchbay-io/patchbay/transcript"
)

// replayFlags say which side is played, and how.
type replayFlags struct {
	replay.Options
	connect, listen string
	answer          bool
}

func (a *app) replayCommand() *cobra.Command {
	var f replayFlags
	c := &cobra.Command{
		Use:   "replay FILE --connect HOST:PORT | --listen ADDR",
		Short: "Play one side of a recording against a live peer and show the first difference",
		Long: `Play one side of a recording against a live peer and show the first difference. --connect plays the recorded client
against a server, --listen the recorded server for a client; the first line of standard output is then the address.

Every byte of the peer must be as recorded. With --tolerant both are compared field by field, and what differs by its nature
may: times, counters, identities, addresses and the live values of a machine. --ignore adds fields, by the names that
decode shows. The exit code is 1 when there is a difference.

With --listen --answer the recorded server answers requests in any order, for any number of clients, until interrupted.

What is sent to a real machine is what was recorded, writes and actions too: look at the recording with decode first.`,
		Example: `  patchbay replay session.transcript --connect 192.0.2.21:8193 --tolerant
  patchbay replay session.transcript --listen 127.0.0.1:8193 --fast
  patchbay replay session.transcript --connect 127.0.0.1:8193 --tolerant --ignore 'block *.payload*'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.Timeout = a.timeout
			return a.replay(cmd.Context(), args[0], f)
		},
	}
	fl := c.Flags()
	fl.StringVar(&f.connect, "connect", "", "play the client against the server at this address")
	fl.StringVar(&f.listen, "listen", "", "play the server on this address; port 0 takes a free one")
	fl.BoolVar(&f.Tolerant, "tolerant", false, "let differ what differs by its nature")
	fl.StringArrayVar(&f.Ignore, "ignore", nil, "with --tolerant, let fields of this name differ too; * stands for anything; may be repeated")
	fl.BoolVar(&f.Fast, "fast", false, "do not keep the recorded times")
	fl.StringVar(&f.Protocol, "protocol", "", "which protocol: "+strings.Join(replay.Protocols(), ", ")+" (default: the recording's own)")
	fl.BoolVar(&f.answer, "answer", false, "with --listen, answer by request instead of in order")
	return c
}

func (a *app) replay(ctx context.Context, name string, f replayFlags) error {
	switch {
	case (f.connect == "") == (f.listen == ""):
		return usageError(errors.New("give either --connect HOST:PORT, to play the client, or --listen ADDR, to play the server"))
	case f.answer && f.listen == "":
		return usageError(errors.New("--answer is for --listen"))
	case len(f.Ignore) > 0 && !f.Tolerant:
		return usageError(errors.New("--ignore is for --tolerant"))
	}
	if f.connect != "" {
		if _, port, err := hostPort(f.connect); err != nil || port == 0 {
			return usageError(fmt.Errorf("--connect %s: write HOST:PORT", f.connect))
		}
	}
	t, err := readTranscript(name)
	if err != nil {
		return err
	}
	if f.answer {
		if p := orElse(f.Protocol, t.Header.Protocol); p != "" && p != "focas" {
			return a.replayDevice(ctx, name, p, f.listen)
		}
		return a.replayAnswers(ctx, name, t, f.listen)
	}
	var res replay.Result
	if f.connect != "" {
		res, err = replay.Connect(ctx, t, func(ctx context.Context) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, f.Timeout)
			defer cancel()
			return new(net.Dialer).DialContext(ctx, "tcp", f.connect)
		}, f.Options)
	} else {
		l, lerr := a.listenReplay(f.listen)
		if lerr != nil {
			return lerr
		}
		res, err = replay.Listen(ctx, t, l, f.Options)
		_ = l.Close() // nothing else is accepted
	}
	return a.replayed(name, cmp.Or(f.Protocol, t.Header.Protocol), f.Tolerant, res, err)
}

func (a *app) listenReplay(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("replay cannot listen on %s: %w", addr, err)
	}
	if err := a.printAddress("listen", l.Addr().String()); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// readTranscript reads a whole recording.
func readTranscript(name string) (*transcript.Transcript, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	defer f.Close()
	t, err := transcript.Read(f, transcript.Limits{})
	if err != nil {
		return nil, &failure{code: exitFailed, kind: "unknown-format", err: fmt.Errorf("%s: %w", name, err),
			hint: "replay reads transcripts, such as sim --record and tap write."}
	}
	return t, nil
}

// replayDevice serves the recorded device of any other protocol until interrupted.
func (a *app) replayDevice(ctx context.Context, name, protocol, addr string) error {
	d, err := simulate.New(protocol, url.Values{"file": {name}})
	if err != nil {
		return &failure{code: exitFailed, kind: "unknown-format", err: err}
	}
	if d.Services[0].Stream == nil {
		return usageError(fmt.Errorf("--answer serves connections, and %s has datagrams; replay+%s:%s is the same inside patchbay", protocol, protocol, name))
	}
	l, err := a.listenReplay(addr)
	if err != nil {
		return err
	}
	d.Services = d.Services[:1]
	if err := d.Serve(ctx, []simulate.Socket{{Listener: l}}); ctx.Err() == nil {
		return err
	}
	return nil
}

// replayAnswers serves the recorded control until interrupted.
func (a *app) replayAnswers(ctx context.Context, name string, t *transcript.Transcript, addr string) error {
	server, err := replay.NewFOCAS(t)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	l, err := a.listenReplay(addr)
	if err != nil {
		return err
	}
	err = server.Serve(ctx, l)
	if ctx.Err() == nil {
		return err
	}
	s := server.Stats()
	fmt.Fprintf(a.Err, "%d frames and %d blocks answered as recorded, %d blocks that nobody asked in the recording\n", s.Frames, s.Blocks, s.Unknown)
	return nil
}

// replayed reports how it went.
func (a *app) replayed(name, protocol string, tolerant bool, res replay.Result, err error) error {
	var d *replay.Difference
	if a.json {
		out := map[string]any{"ok": err == nil, "flows": res.Flows, "sent": res.Sent, "received": res.Received, "messages": res.Messages, "tolerated": res.Tolerated}
		if errors.As(err, &d) {
			out["difference"] = map[string]any{"flow": d.Flow, "from": d.Dir.String(), "message": d.Message, "summary": d.Summary, "offset": d.Offset,
				"field": d.Field, "recorded": fmt.Sprintf("%x", d.Want), "got": fmt.Sprintf("%x", d.Got)}
		}
		if perr := a.printJSON(out); perr != nil {
			return perr
		}
	}
	switch {
	case err == nil:
		if !a.json {
			fmt.Fprintf(a.Out, "as recorded: %s, %s sent, %s in %s compared%s\n", plural.Of(res.Flows, "connection"),
				plural.Of(res.Sent, "byte"), plural.Of(res.Received, "byte"), plural.Of(res.Messages, "message"), tolerated(res))
		}
		return nil
	case errors.As(err, &d):
		hint := ""
		if !a.json {
			a.printDifference(d)
			switch {
			case tolerant:
				hint = "--ignore NAME lets a field differ that you know to."
			case slices.Contains(replay.Protocols(), protocol):
				hint = "--tolerant lets differ what differs by its nature."
			default:
				hint = "Which fields of this protocol differ by their nature is not known here: record this peer too, and compare with patchbay decode --diff."
			}
		}
		return &failure{code: exitFailed, kind: "difference", err: fmt.Errorf("the peer differs from %s", name), hint: hint}
	case errors.Is(err, replay.ErrProtocol):
		return &failure{code: exitUsage, kind: "unknown-protocol", err: err, hint: "Name it with --protocol, or leave --tolerant out."}
	case errors.Is(err, replay.ErrDatagrams), errors.Is(err, replay.ErrEmpty):
		return fmt.Errorf("%s: %w", name, err)
	case errors.Is(err, context.Canceled):
		return err // not a fault of the network
	}
	return driver.WrapNet("replay", name, err)
}

// tolerated lists what was let differ, in a fixed order.
func tolerated(res replay.Result) string {
	out := ""
	for _, why := range replay.Reasons() {
		if n := res.Tolerated[why]; n > 0 {
			out += fmt.Sprintf(", %d fields differ by %s", n, why)
		}
	}
	return out
}

func (a *app) printDifference(d *replay.Difference) {
	fmt.Fprintf(a.Out, "first difference: flow %d, from the %v, byte %d", d.Flow, d.Dir, d.Offset)
	if d.Message > 0 {
		fmt.Fprintf(a.Out, ", message %d", d.Message)
	}
	fmt.Fprintln(a.Out)
	show := func(what, text string) { fmt.Fprintf(a.Out, "  %-9s %s\n", what, text) }
	if d.Summary != "" {
		show("message", d.Summary)
	}
	if d.Field != "" {
		show("field", d.Field)
	}
	show("recorded", hexOrNothing(d.Want))
	show("got", hexOrNothing(d.Got))
}

func hexOrNothing(b []byte) string {
	if len(b) == 0 {
		return "nothing"
	}
	return fmt.Sprintf("% x  %s", b, printable(b))
}
