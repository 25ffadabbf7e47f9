package probe

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/patchbay-io/patchbay/protocol/is12"
)

// Came is how a port reacted.
type Came string

// The reactions.
const (
	Answered Came = "answered" // with something
	ClosedIt Came = "closed"   // it closed the connection
	ResetIt  Came = "reset"    // it broke the connection
	Absorbed Came = "absorbed" // nothing came, and the connection stays open
	Declined Came = "declined" // it refused the upgrade to a WebSocket
	NotTried Came = "skipped"  // what it needs did not come about
	NoWay    Came = "failed"   // no connection
)

// Reaction is one thing that was sent to a port and what came of it. Each has a connection of its own.
type Reaction struct {
	Group    string        `json:"group"`              // "tcp", "udp", "http", "websocket", "frame"
	Step     string        `json:"step"`               // what was tried
	Needs    string        `json:"needs,omitempty"`    // without which it makes no sense, or is not to be done
	Disturbs bool          `json:"disturbs,omitempty"` // no device expects it; some may not bear it
	Sent     string        `json:"sent"`               // the request line, or bytes as hex, cut
	Came     Came          `json:"came"`               //
	Received string        `json:"received,omitempty"` // the status, or bytes as hex, cut
	Took     time.Duration `json:"took_ns"`            // until that came
	Protocol string        `json:"protocol,omitempty"` // the scheme of the protocol that the answer is in
	Suggests string        `json:"suggests,omitempty"` // the same for people
	about    []string      // the schemes of the protocols that it is about; nil: several, over HTTP
}

// Guess is what the reactions of a port say about one protocol.
type Guess struct {
	Protocol string   `json:"protocol"` // its scheme
	Match    bool     `json:"match"`
	Reasons  []string `json:"reasons"`
}

// silence is how long nothing must come for a message to count as absorbed.
const silence = 2 * time.Second

// React tries on one port everything that devices of the known protocols may be asked: what comes unasked, the first messages of
// each protocol, HTTP paths, WebSockets, and frames in them. What depends on something that did not come about is skipped, and
// says so. The steps of the protocol to which the port belongs come first; once a protocol is recognised, those of others are
// skipped, and so is what no protocol allows, unless thorough is set. Nothing that is sent changes anything in a device that
// speaks one of these protocols; what it does to something else nobody knows, so that [Prober.CheckPort] should be asked first.
// A session that a device gives is given back. report is called after each step. The error is ctx's.
func (p *Prober) React(ctx context.Context, addr string, thorough bool, report func(Reaction)) ([]Reaction, []Guess, error) {
	r := &reactor{Prober: p, addr: addr, thorough: thorough, report: report, run: &run{Prober: p}}
	r.listen(ctx)
	first := first()
	for _, s := range first {
		if r.owns(&s) {
			r.first(ctx, s)
		}
	}
	for _, path := range httpPaths() {
		r.http(ctx, path)
	}
	for _, u := range upgrades() {
		r.upgrade(ctx, u[0], u[1])
	}
	for _, f := range frames() {
		r.frame(ctx, f)
	}
	for _, s := range first {
		if !r.owns(&s) {
			r.first(ctx, s)
		}
	}
	return r.all, guesses(r.all), ctx.Err()
}

// reactor is one React.
type reactor struct {
	*Prober
	run      *run // for its pace
	addr     string
	thorough bool
	report   func(Reaction)
	all      []Reaction

	reached bool   // a connection was made
	speaks  bool   // it spoke first
	web     bool   // it answers in HTTP
	opens   string // the first path at which a WebSocket opens
	is12    bool   // one opens at the path that is the habit of IS-12
	found   string // the protocol that is recognised

	since time.Time // when the message of this step could be sent: the pace before its connection does not count
}

// owns reports whether the port is the usual one of a step's protocol.
func (r *reactor) owns(s *step) bool {
	_, port, _ := net.SplitHostPort(r.addr)
	return s.port != 0 && port == strconv.Itoa(int(s.port))
}

func (r *reactor) done(x Reaction, began time.Time) {
	if x.Came != NotTried {
		if !r.since.IsZero() {
			began = r.since
		}
		x.Took = time.Since(began)
	}
	r.since = time.Time{}
	if x.Protocol != "" {
		r.found = x.Protocol
	}
	r.all = append(r.all, x)
	if r.report != nil {
		r.report(x)
	}
}

// skip says that a step is not tried, and why.
func (r *reactor) skip(x Reaction, needs string) {
	x.Came, x.Needs = NotTried, needs
	r.done(x, time.Time{})
}

// must is why a step is not to be tried; empty: it may be.
func (r *reactor) must(x *Reaction) string {
	switch {
	case !r.reached && x.Group != "udp":
		return "a connection"
	case r.thorough:
		return ""
	case x.Disturbs:
		return "--thorough: a device may not bear it"
	case r.speaks && x.Group != "udp" && !slices.Contains(x.about, "rfc2217"):
		return "a port that waits for its client"
	case r.found != "" && !slices.Contains(x.about, r.found):
		return "--thorough: it is " + r.found
	}
	return ""
}

func (r *reactor) dial(ctx context.Context) (net.Conn, error) {
	c, _, err := r.run.dial(ctx, "tcp", r.addr)
	r.since = time.Now()
	return c, err
}

// maxShownBytes bounds what a reaction shows of bytes.
const maxShownBytes = 48

func shown(b []byte) string {
	if len(b) > maxShownBytes {
		return hex.EncodeToString(b[:maxShownBytes]) + "…"
	}
	return hex.EncodeToString(b)
}

// readHead reads the head of an HTTP answer, so that a recording has the whole of it, or what came in its place.
func readHead(conn net.Conn) (head []byte, err error) {
	buf := make([]byte, 1024)
	for len(head) < maxAnswer && !bytes.Contains(head, []byte("\r\n\r\n")) {
		n, err := conn.Read(buf)
		head = append(head, buf[:n]...)
		if err != nil || len(head) >= 5 && !bytes.HasPrefix(head, []byte("HTTP/")) {
			return head, err
		}
	}
	return head, nil
}

// http asks for a path.
func (r *reactor) http(ctx context.Context, path string) {
	x := Reaction{Group: "http", Step: "GET " + path, Sent: "GET " + path + " HTTP/1.1"}
	needs := r.must(&x)
	if needs == "" && path != "/" && !r.web {
		needs = "an answer in HTTP to GET /"
	}
	if needs != "" {
		r.skip(x, needs)
		return
	}
	began := time.Now()
	defer func() { r.done(x, began) }()
	ctx, cancel := context.WithTimeout(ctx, r.stepTimeout())
	defer cancel()
	conn, err := r.dial(ctx)
	if err != nil {
		x.Came = NoWay
		return
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	_ = conn.SetDeadline(time.Now().Add(silence))
	if _, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, r.addr); err == nil {
		var head []byte
		if head, err = readHead(conn); len(head) > 0 {
			line, _, _ := strings.Cut(string(head), "\r")
			x.Came, x.Received = Answered, strings.ToValidUTF8(line, "\uFFFD")
			if r.web = r.web || strings.HasPrefix(line, "HTTP/"); !strings.HasPrefix(line, "HTTP/") {
				x.Received = shown(head)
				x.Protocol, x.Suggests = suggests("", head)
			}
			return
		}
	}
	x.Came = how(err)
}

// websocketAt opens a WebSocket; came says why not.
func (r *reactor) websocketAt(ctx context.Context, path, protocol string) (ws *websocket.Conn, came Came, received string) {
	var conn net.Conn
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		c, err := r.dial(ctx)
		conn = c
		return c, err
	}}
	o := &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}, CompressionMode: websocket.CompressionDisabled}
	if protocol != "" {
		o.Subprotocols = []string{protocol}
	}
	limited, cancel := context.WithTimeout(ctx, silence+time.Second)
	defer cancel()
	//nolint:bodyclose // Dial says that the body of its response need not be closed
	ws, resp, err := websocket.Dial(limited, "ws://"+r.addr+path, o)
	if err == nil {
		return ws, Answered, "101"
	}
	transport.CloseIdleConnections()
	if conn != nil {
		_ = conn.Close()
	}
	switch {
	case resp != nil:
		return nil, Declined, fmt.Sprint(resp.StatusCode)
	case conn == nil:
		return nil, NoWay, ""
	case errors.Is(err, context.DeadlineExceeded):
		return nil, Absorbed, ""
	}
	return nil, ClosedIt, ""
}

func (r *reactor) upgrade(ctx context.Context, path, protocol string) {
	x := Reaction{Group: "websocket", Step: "upgrade " + path, Sent: "GET " + path + " Upgrade: websocket"}
	if protocol != "" {
		x.Step += " as " + protocol
		x.Sent += " Sec-WebSocket-Protocol: " + protocol
	}
	needs := r.must(&x)
	if needs == "" && !r.web {
		needs = "an answer in HTTP to GET /"
		if path == "/" && protocol == "" {
			needs = "" // some servers speak HTTP for this alone
		}
	}
	if needs != "" {
		r.skip(x, needs)
		return
	}
	began := time.Now()
	ws, came, received := r.websocketAt(ctx, path, protocol)
	x.Came, x.Received = came, received
	r.web = r.web || ws != nil || came == Declined
	if ws != nil {
		if protocol == "" && r.opens == "" {
			r.opens = path
		}
		r.is12 = r.is12 || path == is12.Path
		_ = ws.CloseNow()
	}
	r.done(x, began)
}

// frame sends one message over a WebSocket of its own and waits for what comes.
func (r *reactor) frame(ctx context.Context, f frame) {
	x := Reaction{Group: "frame", Step: f.step, Disturbs: f.disturbs, Sent: shown(f.data), about: f.about}
	if !f.binary {
		x.Sent = string(f.data)
	}
	path := r.opens
	if r.is12 && slices.Contains(f.about, schemeIS12) {
		path = is12.Path
	}
	needs := r.must(&x)
	if needs == "" && path == "" {
		needs = "a WebSocket that opens"
	}
	if needs != "" {
		r.skip(x, needs)
		return
	}
	x.Needs = "upgrade " + path
	began := time.Now()
	defer func() { r.done(x, began) }()
	ws, came, _ := r.websocketAt(ctx, path, "")
	if ws == nil {
		x.Came = came
		return
	}
	defer ws.CloseNow() //nolint:errcheck // it is closed in any case
	kind := websocket.MessageText
	if f.binary {
		kind = websocket.MessageBinary
	}
	limited, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	r.since = time.Now()
	if err := ws.Write(limited, kind, f.data); err != nil {
		x.Came = how(err)
		return
	}
	_, got, err := ws.Read(limited)
	switch {
	case err == nil:
		x.Came, x.Received = Answered, shown(got)
		x.Protocol, x.Suggests = suggests(f.step, got)
		if x.Protocol == schemeAES70 {
			x.Protocol, x.Suggests = schemeAES70WS, x.Suggests+" in a WebSocket"
		}
	case limited.Err() != nil:
		x.Came = Absorbed
	default:
		x.Came = how(err)
	}
}
