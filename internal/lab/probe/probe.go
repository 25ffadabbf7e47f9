package probe

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
)

// Prober probes hosts. Drivers with the ability driver.Prober are the protocols that it knows, and their default ports are
// the ports that it tries: over TCP with a step for the connection, over UDP with the protocol's own step alone. It holds no
// state; the zero values of the times are good.
type Prober struct {
	Drivers      []driver.Driver
	Dial         driver.Opener[net.Conn]
	ListenPacket driver.Opener[net.PacketConn] // nil: protocols that need it cannot be probed
	Resolve      func(ctx context.Context, host string) ([]netip.Addr, error)

	StepTimeout time.Duration // of one step, whatever the far end does; 0: 5 seconds
	Pace        time.Duration // least time between two connections; 0: 200 milliseconds
	AnyPort     bool          // probe a port that belongs to no protocol, with everything there is
}

// Outcome is how a step ended.
type Outcome string

// The outcomes.
const (
	OK          Outcome = "ok"          // found, open, or it speaks the protocol
	Refused     Outcome = "refused"     // the host answers and nothing listens there
	NoAnswer    Outcome = "timeout"     // nothing came back in time
	Unreachable Outcome = "unreachable" // no such name, no route
	Reset       Outcome = "reset"       // the far end broke the connection
	Closed      Outcome = "closed"      // the far end closed it
	Different   Outcome = "different"   // something answered in another protocol
	Skipped     Outcome = "skipped"     // an earlier step makes it pointless or unsafe
	Failed      Outcome = "failed"      // anything else
)

// Step is one thing that was tried.
type Step struct {
	Name     string        `json:"step"`               // "name", "connect", "tls", "http", or a protocol
	Target   string        `json:"target"`             // host, or host:port
	Network  string        `json:"network,omitempty"`  // "udp" when the step uses datagrams
	Outcome  Outcome       `json:"outcome"`            //
	Took     time.Duration `json:"took_ns"`            //
	Sent     Head          `json:"sent"`               // what was sent first
	Received Head          `json:"received"`           // what came back first
	Found    []string      `json:"found,omitempty"`    // what is known now
	Meaning  string        `json:"meaning"`            // in plain words
	Advice   string        `json:"advice,omitempty"`   // what to do
	Protocol string        `json:"protocol,omitempty"` // the driver whose protocol the port speaks
	Scheme   string        `json:"scheme,omitempty"`   // of the device's URL, when it is not the step's name
	Port     uint16        `json:"port,omitempty"`     // of the device's URL, when it is not the target's
}

// Result is what a probe found.
type Result struct {
	Match   bool     // a known protocol answers
	URLs    []string // device URLs to configure
	Worst   Outcome  // of the steps that decide: OK when Match
	Verdict string   // the whole in one sentence
	Advice  string
}

// ErrUnknownPort is the cause when a port belongs to no known protocol and AnyPort is not set.
var ErrUnknownPort = errors.New("port belongs to no protocol that patchbay knows")

// known is a port that belongs to a protocol.
type known struct {
	network string
	port    uint16
	scheme  string
	driver  driver.Driver
	prober  driver.Prober
}

// as is the same driver's port under another scheme; empty: the same.
func (k known) as(scheme string) known {
	for _, s := range k.driver.Info().Schemes {
		if s.Name == scheme {
			k.scheme, k.port = scheme, s.Port
		}
	}
	return k
}

// known are the ports of the drivers that can probe, on "tcp" or "udp". A port of which a driver has several schemes stands
// under the first.
func (p *Prober) known(network string) []known {
	var out []known
	for _, d := range p.Drivers {
		pr, ok := d.(driver.Prober)
		if !ok {
			continue
		}
		for _, s := range d.Info().Schemes {
			again := slices.ContainsFunc(out, func(k known) bool { return k.driver == d && k.port == s.Port })
			if s.Network == network && !again {
				out = append(out, known{network, s.Port, s.Name, d, pr})
			}
		}
	}
	return out
}

// Ports are the ports of a network, "tcp" or "udp", that belong to a protocol that can be probed.
func (p *Prober) Ports(network string) []uint16 {
	var out []uint16
	for _, k := range p.known(network) {
		if !slices.Contains(out, k.port) {
			out = append(out, k.port)
		}
	}
	return out
}

func (p *Prober) stepTimeout() time.Duration {
	if p.StepTimeout > 0 {
		return p.StepTimeout
	}
	return 5 * time.Second
}

func (p *Prober) pace() time.Duration {
	if p.Pace > 0 {
		return p.Pace
	}
	return 200 * time.Millisecond
}

// CheckPort returns an error around [ErrUnknownPort] when port may not be probed.
func (p *Prober) CheckPort(port uint16) error {
	if p.AnyPort || slices.Contains(p.Ports("tcp"), port) || slices.Contains(p.Ports("udp"), port) {
		return nil
	}
	var list []string
	for _, k := range append(p.known("tcp"), p.known("udp")...) {
		list = append(list, fmt.Sprintf("%d (%s)", k.port, k.scheme))
	}
	return fmt.Errorf("%w: %d; known: %s", ErrUnknownPort, port, strings.Join(list, ", "))
}

// Run probes a host; port 0 stands for every known one. report is called after each step. The error is ctx's, or
// [CheckPort]'s before anything is sent.
func (p *Prober) Run(ctx context.Context, host string, port uint16, report func(Step)) (Result, error) {
	if port != 0 {
		if err := p.CheckPort(port); err != nil {
			return Result{}, err
		}
	}
	r := &run{Prober: p, report: report}
	addr, ok := r.name(ctx, host)
	if !ok {
		return r.result(host), ctx.Err()
	}
	for _, network := range []string{"tcp", "udp"} {
		ports := p.Ports(network)
		if port != 0 {
			owned := slices.Contains(ports, port)
			ports = []uint16{port}
			if !owned && (!p.AnyPort || len(p.known(network)) == 0) {
				continue // the port is another network's
			}
		}
		for _, n := range ports {
			at := net.JoinHostPort(addr.String(), strconv.Itoa(int(n)))
			if network == "udp" {
				r.packets(ctx, host, at, n)
			} else {
				r.port(ctx, host, at, n)
			}
			if ctx.Err() != nil {
				return r.result(host), ctx.Err()
			}
			if port != 0 && len(r.urls) > 0 {
				return r.result(host), nil
			}
		}
	}
	return r.result(host), nil
}

// Identify asks one address on a network, "tcp" or "udp", in the protocols that own its port, or in every one when the port has
// no owner, over one connection each, and nothing else. report is called after each step.
func (p *Prober) Identify(ctx context.Context, network string, at netip.AddrPort, report func(Step)) {
	r := &run{Prober: p, report: report}
	addr := at.String()
	var conn net.Conn
	if network == "tcp" {
		if conn, _ = r.connect(ctx, addr); conn == nil {
			return
		}
	}
	owned := slices.Contains(p.Ports(network), at.Port())
	for _, k := range p.known(network) {
		if owned && k.port != at.Port() {
			continue
		}
		s := r.protocol(ctx, k, addr, conn)
		conn = nil // it has used it up
		if s.Outcome == OK {
			return
		}
	}
	if conn != nil {
		_ = conn.Close()
	}
}

// URL is the device URL of an address in a scheme; the port is left out when it is the scheme's own.
func URL(drivers []driver.Driver, scheme string, at netip.AddrPort) string {
	k := known{scheme: scheme}
	for _, d := range drivers {
		for _, s := range d.Info().Schemes {
			if s.Name == scheme {
				k.port = s.Port
			}
		}
	}
	return deviceURL(k, at.Addr().String(), at.Port())
}

// run is one probe in work.
type run struct {
	*Prober
	report func(Step)
	last   time.Time // of the last connection
	steps  []Step
	urls   []string
}

func (r *run) done(s Step, began time.Time) Step {
	s.Took = time.Since(began)
	r.steps = append(r.steps, s)
	if r.report != nil {
		r.report(s)
	}
	return s
}

// name is the first step: an address for the host.
func (r *run) name(ctx context.Context, host string) (netip.Addr, bool) {
	began := time.Now()
	s := Step{Name: "name", Target: host, Outcome: OK}
	if ip, err := netip.ParseAddr(host); err == nil {
		s.Meaning = "it is an address already"
		r.done(s, began)
		return ip, true
	}
	ctx, cancel := context.WithTimeout(ctx, r.stepTimeout())
	defer cancel()
	addrs, err := r.Resolve(ctx, host)
	if err == nil && len(addrs) == 0 {
		err = errors.New("no address")
	}
	if err != nil {
		s.Outcome = Unreachable
		if driver.ClassOf(err) == driver.Timeout {
			s.Outcome = NoAnswer
		}
		s.Meaning = fmt.Sprintf("the name %s is not known: %v", host, err)
		s.Advice = "Check the spelling, or give the address as the device shows it on its network screen. Most controls have no name in the DNS."
		r.done(s, began)
		return netip.Addr{}, false
	}
	for _, a := range addrs {
		s.Found = append(s.Found, a.String())
	}
	s.Meaning = fmt.Sprintf("%s has the address %s", host, strings.Join(s.Found, ", "))
	best := addrs[0].Unmap()
	for _, a := range addrs {
		if a = a.Unmap(); a.Is4() { // what is behind a control's port speaks IPv4
			best = a
			break
		}
	}
	r.done(s, began)
	return best, true
}

// port probes one port of an address.
func (r *run) port(ctx context.Context, host, addr string, port uint16) {
	conn, step := r.connect(ctx, addr)
	if conn == nil {
		return
	}
	var mine []known
	owned := slices.Contains(r.Ports("tcp"), port)
	for _, k := range r.known("tcp") {
		// a driver with several ports asks the same on a port that is none of them
		again := !owned && slices.ContainsFunc(mine, func(other known) bool { return other.driver == k.driver })
		if k.port == port || r.AnyPort && !again {
			mine = append(mine, k)
		}
	}
	answered, greeted, offered := false, false, false
	if r.AnyPort && !owned {
		if first := r.listen(ctx, addr, conn); len(first) > 0 { // asked is only what it may be by that
			greeted = true
			name := greeter(first)
			offer, _ := telnet(first)
			offered = offer != "" && offer == name
			mine = slices.DeleteFunc(mine, func(k known) bool { return k.driver.Info().Name != name })
		}
		conn = nil
	}
	for _, k := range mine {
		var s Step
		if offered {
			s = r.offered(k, addr)
		} else {
			s = r.protocol(ctx, k, addr, conn)
		}
		conn = nil // a protocol's probe has used it up
		switch s.Outcome {
		case OK:
			r.urls = append(r.urls, deviceURL(k.as(s.Scheme), host, cmp.Or(s.Port, port)))
			return
		case Different, Closed, Reset:
			answered = true
		}
	}
	if conn != nil {
		_ = conn.Close()
	}
	if !answered && !r.AnyPort {
		// It took the connection and the protocol's first message in silence. What else could be asked might be taken for
		// a command by whatever listens.
		r.done(Step{Name: "tls, http", Target: addr, Outcome: Skipped,
			Meaning: "it says nothing, so nothing more is sent to it: a serial line may hang behind a port like this",
			Advice:  "When you know that it is none, --any-port asks on."}, time.Now())
		return
	}
	if step.Outcome == OK && !greeted {
		r.tls(ctx, addr)
		r.http(ctx, addr)
	}
}

// packets asks over datagrams in the protocols that own a port.
func (r *run) packets(ctx context.Context, host, addr string, port uint16) {
	for _, k := range r.known("udp") {
		if k.port != port && (!r.AnyPort || slices.Contains(r.Ports("udp"), port)) {
			continue
		}
		if s := r.protocol(ctx, k, addr, nil); s.Outcome == OK {
			r.urls = append(r.urls, deviceURL(k, host, port))
			return
		}
	}
}

// listenFor is how long a port that no protocol owns may speak first.
const listenFor = time.Second

// listen waits for what the far end says unasked, which costs nothing and disturbs nobody, and closes the connection. It
// returns the beginning of what came.
func (r *run) listen(ctx context.Context, addr string, c net.Conn) []byte {
	s := Step{Name: "listen", Target: addr, Outcome: NoAnswer, Meaning: "it waits for the other side to speak first"}
	began := time.Now()
	w := watch(c, began.Add(listenFor))
	defer w.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	n, err := w.Read(make([]byte, headSize))
	_, s.Received = w.heads()
	switch {
	case n > 0:
		s.Outcome, s.Meaning = Different, "it speaks first"
		if greeter(s.Received.Bytes) == "" {
			s.Meaning += ", which no device that patchbay knows does in this way"
		}
		s.Meaning += guess(s.Received.Bytes)
	case driver.ClassOf(err) == driver.Closed:
		s.Outcome, s.Meaning = Closed, "it closed the connection by itself"
	}
	r.done(s, began)
	return s.Received.Bytes
}

// offered is the step of a protocol that has given itself to know unasked. Nothing is sent: some servers end with their first client.
func (r *run) offered(k known, addr string) Step {
	info := k.driver.Info()
	return r.done(Step{Name: k.scheme, Target: addr, Outcome: OK, Protocol: info.Name, Meaning: "it speaks " + info.Language(),
		Found: []string{"it offers com-port control (RFC 2217) unasked"}}, time.Now())
}

func deviceURL(k known, host string, port uint16) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port == k.port {
		return k.scheme + "://" + host
	}
	return fmt.Sprintf("%s://%s:%d", k.scheme, host, port)
}

// connect opens a connection; nil when it does not open.
func (r *run) connect(ctx context.Context, addr string) (net.Conn, Step) {
	s := Step{Name: "connect", Target: addr}
	c, began, err := r.dial(ctx, "tcp", addr)
	s.Outcome, s.Meaning, s.Advice = connectWords(addr, err)
	return c, r.done(s, began)
}

// dial connects at the pace of the prober.
func (r *run) dial(ctx context.Context, network, addr string) (net.Conn, time.Time, error) {
	if wait := r.pace() - time.Since(r.last); !r.last.IsZero() && wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil, time.Now(), ctx.Err()
		}
	}
	r.last = time.Now()
	dialCtx, cancel := context.WithTimeout(ctx, r.stepTimeout())
	defer cancel()
	began := time.Now()
	c, err := r.Dial(dialCtx, network, addr)
	if err == nil && c == nil {
		err = errors.New("no connection")
	}
	return c, began, err
}

// protocol asks in one protocol, over first when it is not nil, else over a new connection.
func (r *run) protocol(ctx context.Context, k known, addr string, first net.Conn) Step {
	language := k.driver.Info().Language()
	s := Step{Name: k.scheme, Target: addr}
	if k.network == "udp" {
		s.Network = "udp"
	}
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, r.stepTimeout())
	defer cancel()
	far := &far{run: r, network: k.network, addr: addr, first: first}
	found, err := k.prober.Probe(limited, driver.Env{Log: slog.New(slog.DiscardHandler), Rand: rand.Reader, Dial: far.dial, ListenPacket: far.listenPacket}, addr)
	s.Sent, s.Received = far.close()
	s.Found, s.Scheme, s.Port = found.Reasons, found.Scheme, found.Port
	switch {
	case found.Match:
		s.Outcome, s.Protocol = OK, k.driver.Info().Name
		s.Meaning = "it speaks " + language
	case s.Network == "udp":
		s.Outcome, s.Meaning, s.Advice = packetWords(language, addr, s.Received, err)
	default:
		s.Outcome, s.Meaning, s.Advice = protocolWords(language, s.Received, err)
	}
	return r.done(s, began)
}
