package probe

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/fc2"
	"github.com/patchbay-io/patchbay/protocol/fcxml"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
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
	Group    string        `json:"group"`              // "http", "websocket", "frame", "tcp"
	Step     string        `json:"step"`               // what was tried
	Needs    string        `json:"needs,omitempty"`    // the step without which it makes no sense
	Sent     string        `json:"sent"`               // the request line, or bytes as hex, cut
	Came     Came          `json:"came"`               //
	Received string        `json:"received,omitempty"` // the status, or bytes as hex, cut
	Took     time.Duration `json:"took_ns"`            //
	Suggests string        `json:"suggests,omitempty"` //
}

// Guess is what the reactions of a port say about one protocol.
type Guess struct {
	Protocol string   `json:"protocol"`
	Match    bool     `json:"match"`
	Reasons  []string `json:"reasons"`
}

// silence is how long nothing must come for a message to count as absorbed.
const silence = 2 * time.Second

// httpPaths are those that programs with an HTTP side use, and those of the NMOS control protocols and of AES70.
func httpPaths() []string {
	return []string{"/", "/index.html", "/api", "/device", "/oca", "/ws", "/websocket", "/control", "/aes70", "/connect", "/nmos",
		"/x-nmos/ncp/v1.0/connect", "/focusrite", "/scarlett", "/status", "/info", "/health", "/.well-known", "/device/info", "/api/device"}
}

// upgrades are paths and subprotocols of WebSockets; the first stands for all in what needs one.
func upgrades() [][2]string {
	return [][2]string{{"/", ""}, {"/", "ocp.1"}, {"/", "aes70"}, {"/oca", ""}, {"/ws", ""}, {"/aes70", "aes70"}, {"/x-nmos/ncp/v1.0/connect", ""}, {"/no-such-path", "no-such-protocol"}}
}

// frame is a WebSocket message.
type frame struct {
	step   string
	binary bool
	data   []byte
}

// The names of frames, by what they are.
const (
	frameOCPKeepAlive = "OCP.1 keep-alive"
	frameOCPMembers   = "OCP.1 command, well-formed"
	frameOCPMalformed = "OCP.1 with sync byte, malformed"
	frameNoSync       = "binary without sync byte"
	frameRawCommand   = "OCA command without header"
	frameByte         = "keep-alive byte 04"
	frameText         = "arbitrary text"
	frameIS12Members  = "IS-12 Get members"
	frameIS12Describe = "IS-12 GetMemberDescriptors"
	frameIS12Role     = "IS-12 Get role"
	frameIS12Sub      = "IS-12 subscription"
)

// members asks the root block for its members.
func members() ocp1.Command {
	return ocp1.Command{Handle: 1, Target: ocp1.RootBlockONo, Method: ocp1.ID{Level: 3, Index: 5}}
}

func frames() []frame {
	get := func(handle, level, index int, args string) []byte {
		return fmt.Appendf(nil, `{"messageType":0,"commands":[{"handle":%d,"oid":1,"methodId":{"level":%d,"index":%d},"arguments":%s}]}`, handle, level, index, args)
	}
	// A size that is smaller than a header has: no device can make sense of it, and nothing can be set by it.
	malformed := append([]byte{ocp1.Sync, 0, 1, 0, 0, 0, 1, 1, 0, 1}, make([]byte, 8)...)
	return []frame{
		{frameOCPKeepAlive, true, ocp1.AppendKeepAliveSeconds(nil, ocp1.Version1, time.Second)},
		{frameOCPMembers, true, ocp1.AppendCommands(nil, ocp1.Version1, true, members())},
		{frameOCPMalformed, true, malformed},
		{frameNoSync, true, make([]byte, 16)},
		{frameRawCommand, true, members().Append(nil)},
		{frameByte, true, []byte{4}},
		{frameText, false, []byte("hello")},
		{frameIS12Members, false, get(1, 1, 1, `{"id":{"level":2,"index":2}}`)},
		{frameIS12Describe, false, get(2, 2, 1, `{"recurse":true}`)},
		{frameIS12Role, false, get(3, 1, 1, `{"id":{"level":1,"index":5}}`)},
		{frameIS12Sub, false, []byte(`{"messageType":3,"subscriptions":[1]}`)},
	}
}

// The steps over plain TCP.
const (
	tcpOCPKeepAlive = "OCP.1 keep-alive"
	tcpOCPModel     = "OCP.1 GetModelDescription"
	tcpXML          = "Focusrite Control keep-alive"
)

func raw() []frame {
	model := ocp1.Command{Handle: 1, Target: ocp1.DeviceManagerONo, Method: ocp1.ID{Level: 3, Index: 6}}
	return []frame{
		{tcpOCPKeepAlive, true, ocp1.AppendKeepAliveSeconds(nil, ocp1.Version1, time.Second)},
		{tcpOCPModel, true, ocp1.AppendCommands(nil, ocp1.Version1, true, model)},
		{tcpXML, true, fcxml.AppendMessage(nil, fcxml.KeepAlive{})},
	}
}

// React tries everything on one TCP port that an audio interface's program may answer: HTTP paths, WebSockets, frames in them,
// and messages over plain TCP. Nothing that is sent changes anything in a device that speaks one of these protocols; what it does
// to something else nobody knows, so that [Prober.CheckPort] should be asked first. report is called after each step. The error
// is ctx's.
func (p *Prober) React(ctx context.Context, addr string, report func(Reaction)) ([]Reaction, []Guess, error) {
	r := &reactor{Prober: p, addr: addr, report: report, run: &run{Prober: p}}
	for _, path := range httpPaths() {
		r.http(ctx, path)
	}
	for _, u := range upgrades() {
		r.upgrade(ctx, u[0], u[1])
	}
	for _, f := range frames() {
		r.frame(ctx, f)
	}
	for _, f := range raw() {
		r.tcp(ctx, f)
	}
	return r.all, guesses(r.all), ctx.Err()
}

// reactor is one React.
type reactor struct {
	*Prober
	run    *run // for its pace
	addr   string
	report func(Reaction)
	all    []Reaction
	open   bool // a WebSocket opens at the first path
}

func (r *reactor) done(x Reaction, began time.Time) {
	x.Took = time.Since(began)
	r.all = append(r.all, x)
	if r.report != nil {
		r.report(x)
	}
}

func (r *reactor) dial(ctx context.Context) (net.Conn, error) {
	c, _, err := r.run.dial(ctx, "tcp", r.addr)
	return c, err
}

// how tells an end of a connection from the error of a read.
func how(err error) Came {
	switch {
	case err == nil:
		return Answered
	case driver.ClassOf(err) == driver.Timeout:
		return Absorbed
	case strings.Contains(err.Error(), "reset"):
		return ResetIt
	}
	return ClosedIt
}

// maxShownBytes bounds what a reaction shows of bytes.
const maxShownBytes = 48

func shown(b []byte) string {
	if len(b) > maxShownBytes {
		return hex.EncodeToString(b[:maxShownBytes]) + "…"
	}
	return hex.EncodeToString(b)
}

// http asks for a path.
func (r *reactor) http(ctx context.Context, path string) {
	began := time.Now()
	x := Reaction{Group: "http", Step: "GET " + path, Sent: "GET " + path + " HTTP/1.1"}
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
		head := make([]byte, 64)
		var n int
		if n, err = io.ReadAtLeast(conn, head, 12); err == nil || n > 0 {
			line, _, _ := strings.Cut(string(head[:n]), "\r")
			x.Came, x.Received = Answered, strings.ToValidUTF8(line, "\uFFFD")
			if !strings.HasPrefix(line, "HTTP/") {
				x.Received = shown(head[:n])
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
	began := time.Now()
	x := Reaction{Group: "websocket", Step: "upgrade " + path, Sent: "GET " + path + " Upgrade: websocket"}
	if protocol != "" {
		x.Step += " as " + protocol
		x.Sent += " Sec-WebSocket-Protocol: " + protocol
	}
	ws, came, received := r.websocketAt(ctx, path, protocol)
	x.Came, x.Received = came, received
	if ws != nil {
		r.open = r.open || path == "/" && protocol == ""
		_ = ws.CloseNow()
	}
	r.done(x, began)
}

// frame sends one message over a WebSocket of its own and waits for what comes.
func (r *reactor) frame(ctx context.Context, f frame) {
	began := time.Now()
	x := Reaction{Group: "frame", Step: f.step, Needs: "upgrade /", Sent: shown(f.data)}
	if !f.binary {
		x.Sent = string(f.data)
	}
	defer func() { r.done(x, began) }()
	if !r.open {
		x.Came = NotTried
		return
	}
	ws, came, _ := r.websocketAt(ctx, "/", "")
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
	if err := ws.Write(limited, kind, f.data); err != nil {
		x.Came = how(err)
		return
	}
	_, got, err := ws.Read(limited)
	switch {
	case err == nil:
		x.Came, x.Received = Answered, shown(got)
		x.Suggests = suggests(f.step, got)
	case limited.Err() != nil:
		x.Came = Absorbed
	default:
		x.Came = how(err)
	}
}

func (r *reactor) tcp(ctx context.Context, f frame) {
	began := time.Now()
	x := Reaction{Group: "tcp", Step: f.step, Sent: shown(f.data)}
	defer func() { r.done(x, began) }()
	conn, err := r.dial(ctx)
	if err != nil {
		x.Came = NoWay
		return
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	_ = conn.SetDeadline(time.Now().Add(silence))
	buf := make([]byte, 512)
	n := 0
	if _, err = conn.Write(f.data); err == nil {
		n, err = conn.Read(buf)
	}
	if x.Came = how(err); n > 0 {
		x.Came, x.Received, x.Suggests = Answered, shown(buf[:n]), suggests(f.step, buf[:n])
	}
}

// suggests is what an answer means.
func suggests(step string, b []byte) string {
	if m, _, err := ocp1.ParseMessage(b, 0); err == nil {
		if step == frameOCPMembers && m.Type == ocp1.TypeResponse && hasAgent(m) {
			return "Focusrite Control 2: its pairing agent"
		}
		return "AES70"
	}
	if f, _, err := fcxml.ParseFrame(b); err == nil {
		if m, err := fcxml.Parse(f.Payload); err == nil && m == (fcxml.KeepAlive{}) {
			return "Focusrite Control"
		}
	}
	if strings.Contains(string(b), `"messageType"`) {
		return "IS-12"
	}
	return ""
}

// hasAgent looks for the pairing agent in the answer to a question for members.
func hasAgent(m ocp1.Message) bool {
	pdus := m.PDUs()
	resp, ok := pdus.Response()
	if !ok {
		return false
	}
	p := ocp1.NewParams("members", resp.Params)
	for _, o := range ocp1.ListOf(&p, "members", p.ObjectIdentification) {
		if o.Class.Class == fc2.AgentClass.Class {
			return true
		}
	}
	return false
}
