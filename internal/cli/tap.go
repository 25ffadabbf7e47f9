package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/patchbay-io/patchbay/internal/lab/capture"
	"github.com/patchbay-io/patchbay/internal/lab/decode"
	"github.com/patchbay-io/patchbay/internal/plural"
	"github.com/patchbay-io/patchbay/transcript"
)

// tapFlags are the flags of tap.
type tapFlags struct {
	listen, out        string
	redact             []string
	quiet, fields      bool
	device, firmware   string
	clientBy, serverBy string
	clients            int
}

func (a *app) tapCommand() *cobra.Command {
	var f tapFlags
	c := &cobra.Command{
		Use:   "tap URL",
		Short: "Relay between a device and its clients, and record what both say",
		Long: `Relay between a device and its clients, and record what both say, until interrupted. URL names the device: focas://192.0.2.21,
tcp://HOST:PORT or udp://HOST:PORT. The first line of standard output is the address that clients connect to instead.

Two files are written: NAME.transcript, text that patchbay decodes, replays and compares, and NAME.pcapng for Wireshark.
What passes is shown live: messages where the protocol is known, counts where it is not. Every byte passes unchanged. When a
file cannot be written any more the relay ends; nothing passes unrecorded.

--redact replaces what the files must not show by as many other bytes, and may be repeated:
  addresses            all IP addresses: of both ends, as text, and those of both ends as bytes
  macs                 all MACs that are written as text
  text:VALUE, serial:VALUE, address:VALUE, mac:VALUE, hex:DIGITS
                       this value, as text and as the bytes that it stands for`,
		Example: `  patchbay tap focas://192.0.2.21 --out mill1
  patchbay tap atem://192.0.2.10 --listen 0.0.0.0:9910 --redact addresses
  patchbay tap tcp://192.0.2.40:5000 --listen 0.0.0.0:5000 --redact addresses --redact serial:1234-5678`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.tap(cmd.Context(), args[0], f) },
	}
	fl := c.Flags()
	fl.StringVar(&f.listen, "listen", "127.0.0.1:0", "address that clients connect to; port 0 takes a free one")
	fl.StringVar(&f.out, "out", "", "name of the files, without their endings (default: the protocol and the time)")
	fl.StringArrayVar(&f.redact, "redact", nil, "what the files must not show, see above")
	fl.BoolVar(&f.quiet, "quiet", false, "show nothing of what passes")
	fl.BoolVar(&f.fields, "fields", false, "show all fields of what passes, not one line for each message")
	fl.StringVar(&f.device, "device", "", "maker and model of the device, for the header of the transcript")
	fl.StringVar(&f.firmware, "firmware", "", "its firmware, for the header")
	fl.StringVar(&f.serverBy, "server-by", "", "who makes the server's bytes: "+strings.Join(producers(), ", "))
	fl.StringVar(&f.clientBy, "client-by", "", "who makes the client's bytes: the same words; only bytes of the maker's products are evidence")
	fl.IntVar(&f.clients, "clients", 256, "most clients at the same time")
	return c
}

func producers() []string {
	var out []string
	for p := transcript.Device; p <= transcript.Other; p++ {
		out = append(out, p.String())
	}
	return out
}

func origin(flag, word string) (o transcript.Origin, err error) {
	if word == "" {
		return o, nil
	}
	for p := transcript.Device; p <= transcript.Other; p++ {
		if p.String() == word {
			return transcript.Origin{Producer: p}, nil
		}
	}
	return o, usageError(fmt.Errorf("%s %s is unknown; write one of %s", flag, word, strings.Join(producers(), ", ")))
}

// tapEnd is what a tap stands in front of.
type tapEnd struct {
	protocol string // that can be decoded; empty: not known
	network  string
	addr     string
	port     uint16
}

func tapTarget(arg string) (tapEnd, error) {
	bad := func(why string) (tapEnd, error) {
		return tapEnd{}, usageError(fmt.Errorf("%q %s; write focas://HOST, tcp://HOST:PORT or udp://HOST:PORT", arg, why))
	}
	u, err := url.Parse(arg)
	switch {
	case err != nil || u.Scheme == "" || u.Hostname() == "":
		return bad("is no URL of a device")
	case u.Path != "" && u.Path != "/" && (u.Scheme == "tcp" || u.Scheme == "udp"):
		return bad("has a path")
	}
	t := tapEnd{network: u.Scheme}
	port := u.Port()
	if u.Scheme != "tcp" && u.Scheme != "udp" {
		protocol, network, standard, ok := decode.Server(u.Scheme)
		if !ok {
			return bad("has a scheme that tap does not know")
		}
		t.protocol, t.network = protocol, network
		port = cmp.Or(port, strconv.Itoa(int(standard)))
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return bad("names no port")
	}
	t.port = uint16(n)
	t.addr = net.JoinHostPort(u.Hostname(), port)
	return t, nil
}

func (a *app) tap(ctx context.Context, arg string, f tapFlags) (err error) {
	t, err := tapTarget(arg)
	if err != nil {
		return err
	}
	redact, err := capture.ParseRedaction(f.redact)
	if err != nil {
		return usageError(err)
	}
	start := time.Now()
	head := transcript.Header{Protocol: t.protocol, Device: f.device, Firmware: f.firmware, Date: start.Format(time.RFC3339), Redactions: redact.String()}
	if head.Client, err = origin("--client-by", f.clientBy); err != nil {
		return err
	}
	if head.Server, err = origin("--server-by", f.serverBy); err != nil {
		return err
	}
	o := capture.Options{Upstream: t.addr, MaxClients: f.clients, Redact: redact, Warn: func(s string) { fmt.Fprintln(a.Err, "patchbay: "+s) }}
	name := cmp.Or(f.out, cmp.Or(t.protocol, t.network)+start.Format("-20060102-150405"))
	ends, err := openEnds(t, f.listen)
	if err != nil {
		return err
	}
	files, err := openRecording(name, start, &head, &o)
	if err != nil {
		return errors.Join(err, ends.close())
	}
	defer func() { err = errors.Join(err, files.close()) }()
	if err := a.tapView(t, f, &o); err != nil {
		return errors.Join(err, ends.close())
	}
	if err := a.printTap(ends.addr(), files); err != nil {
		return errors.Join(err, ends.close())
	}
	if !ends.loopback() {
		o.Warn("everyone who reaches " + ends.addr() + " reaches the device through it, and there is no login")
	}
	stats, err := ends.relay(ctx, o)
	a.tapSummary(stats, files, redact)
	if err != nil {
		return &failure{code: exitFailed, kind: "recording", err: fmt.Errorf("tap %s: %w", t.addr, err), hint: "What was recorded up to then is in " + files.names() + "."}
	}
	return nil
}

// tapView adds what is shown live.
func (a *app) tapView(t tapEnd, f tapFlags, o *capture.Options) error {
	if f.quiet {
		return nil
	}
	out := bufio.NewWriterSize(a.Out, 64<<10)
	l, err := decode.NewLive(out, decode.Options{Protocol: t.protocol, Port: t.port, JSON: a.json, Brief: !f.fields})
	if err != nil {
		return err
	}
	o.Sinks = append(o.Sinks, liveSink{l, out, t.port})
	return nil
}

// liveSink shows what a relay records.
type liveSink struct {
	live *decode.Live
	out  *bufio.Writer
	port uint16
}

// Event implements capture.Sink.
func (l liveSink) Event(f *capture.Flow, e *transcript.Event) error {
	return l.live.Event(f.Network, l.port, e)
}

// Flush implements capture.Sink.
func (l liveSink) Flush() error { return l.out.Flush() }

func (a *app) printTap(addr string, files *recording) error {
	if a.json {
		return a.printJSON(map[string]string{"listen": addr, "transcript": files.transcript.Name(), "pcapng": files.pcapng.Name()})
	}
	return a.printAddress("listen", addr)
}

func (a *app) tapSummary(s capture.Stats, files *recording, redact *capture.Redaction) {
	fmt.Fprintf(a.Err, "%s; %s from clients, %d from the device, in %s; written to %s\n", plural.Of(s.Flows, "connection"),
		plural.Of(s.FromClients, "byte"), s.FromServer, plural.Of(s.Messages, "piece"), files.names())
	if s.Unreachable+s.TurnedAway > 0 {
		fmt.Fprintf(a.Err, "the device was not reached for %d clients; %d were turned away\n", s.Unreachable, s.TurnedAway)
	}
	if redact != nil {
		fmt.Fprintf(a.Err, "replaced: %s\n", cmp.Or(redact.Counts(), "nothing was found"))
	}
}

// tapEnds is the socket that clients come to.
type tapEnds struct {
	l net.Listener
	p net.PacketConn
}

func openEnds(t tapEnd, listen string) (*tapEnds, error) {
	var e tapEnds
	var err error
	if t.network == "udp" {
		e.p, err = net.ListenPacket("udp", listen)
	} else {
		e.l, err = net.Listen("tcp", listen)
	}
	if err != nil {
		return nil, fmt.Errorf("tap cannot listen on %s: %w", listen, err)
	}
	return &e, nil
}

func (e *tapEnds) local() net.Addr {
	if e.p != nil {
		return e.p.LocalAddr()
	}
	return e.l.Addr()
}

func (e *tapEnds) addr() string { return e.local().String() }

func (e *tapEnds) loopback() bool {
	host, _, err := net.SplitHostPort(e.addr())
	return err == nil && net.ParseIP(host).IsLoopback()
}

func (e *tapEnds) relay(ctx context.Context, o capture.Options) (capture.Stats, error) {
	if e.p != nil {
		return capture.RelayPackets(ctx, e.p, o)
	}
	return capture.Relay(ctx, e.l, o)
}

func (e *tapEnds) close() error {
	if e.p != nil {
		return e.p.Close()
	}
	return e.l.Close()
}

// recording is the pair of files of a tap.
type recording struct{ transcript, pcapng *os.File }

// openRecording creates both files, which only their owner reads, and adds their sinks.
func openRecording(name string, start time.Time, h *transcript.Header, o *capture.Options) (*recording, error) {
	create := func(ending string) (*os.File, error) {
		f, err := os.OpenFile(name+ending, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, os.ErrExist) {
			return nil, &failure{code: exitUsage, kind: "exists", err: fmt.Errorf("--out: %w", err), hint: "Give another name with --out; a recording is never overwritten."}
		}
		if err != nil {
			return nil, fmt.Errorf("--out: %w", err)
		}
		return f, nil
	}
	var r recording
	var err error
	if r.transcript, err = create(".transcript"); err != nil {
		return nil, err
	}
	if r.pcapng, err = create(".pcapng"); err != nil {
		return nil, errors.Join(err, r.transcript.Close(), os.Remove(r.transcript.Name()))
	}
	text, err := capture.Transcript(r.transcript, h)
	if err != nil {
		return nil, errors.Join(usageError(err), r.close(), os.Remove(r.transcript.Name()), os.Remove(r.pcapng.Name()))
	}
	comment := ""
	if h.Redactions != "" {
		comment = "redactions: " + h.Redactions
	}
	packets, err := capture.Pcapng(r.pcapng, start, comment)
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	o.Sinks = append(o.Sinks, text, packets)
	return &r, nil
}

func (r *recording) names() string { return r.transcript.Name() + " and " + r.pcapng.Name() }

func (r *recording) close() error { return errors.Join(r.transcript.Close(), r.pcapng.Close()) }
