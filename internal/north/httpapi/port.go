package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/danielgtaylor/huma/v2"

	"github.com/patchbay-io/patchbay/internal/access"
	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

const (
	portMessage      = 64 << 10 // bytes of one message, either way
	portWriteTimeout = 10 * time.Second
	portPing         = 20 * time.Second
	maxBreak         = 5 * time.Second
)

// portRoute is the WebSocket of a serial port; it is described by hand.
func (s *Server) portRoute(api huma.API, mux *http.ServeMux) {
	if s.cfg.Ports == nil {
		return
	}
	text := &huma.Schema{Type: huma.TypeString}
	api.OpenAPI().AddOperation(&huma.Operation{
		Method: http.MethodGet, Path: base + "/devices/{device}/stream", OperationID: "stream", Summary: "A serial port as a WebSocket",
		Description: "Binary messages are the bytes of the line, both ways. Text messages are JSON: the server sends line (everything about the port), " +
			"owner, gap (bytes that this client was too slow for), dropped, drained and error; the client sends set, break, flush and drain. Observing opens nothing " +
			"and shows what comes while somebody has the port open.",
		Parameters: []*huma.Param{
			{Name: "device", In: "path", Required: true, Schema: text},
			{Name: "path", In: "query", Required: true, Description: "the port's path, such as ports/3", Schema: text},
			{Name: "mode", In: "query", Description: "observe (the default) or own", Schema: text},
			{Name: "take", In: "query", Description: "with mode=own: turn the present owner out", Schema: &huma.Schema{Type: huma.TypeBoolean}},
			{Name: "line", In: "query", Description: "with mode=own: settings to put into force, such as 9600n81", Schema: text},
		},
		Responses: map[string]*huma.Response{"101": {Description: "the WebSocket"}},
	})
	mux.HandleFunc("GET "+base+"/devices/{device}/stream", s.port)
}

// portEvent is a text message of the server.
type portEvent struct {
	Type  string `json:"type"`
	Bytes uint64 `json:"bytes,omitempty"` // gap, dropped, drained (what the line has not taken)
	Who   string `json:"who,omitempty"`   // owner
	Code  string `json:"code,omitempty"`  // error
	Text  string `json:"text,omitempty"`
	Hint  string `json:"hint,omitempty"` // error, and line when the port is not open
	*portLine
}

// portLine is everything about a port, in the event "line".
type portLine struct {
	Open      bool     `json:"open"`
	Why       string   `json:"why,omitempty"`
	Owner     string   `json:"owner"`
	Mine      bool     `json:"mine"`
	Observers int      `json:"observers"`
	Baud      uint32   `json:"baud,omitempty"`
	Format    string   `json:"format,omitempty"`
	Flow      string   `json:"flow,omitempty"`
	Mode      string   `json:"mode,omitempty"`
	RTS       *bool    `json:"rts,omitempty"`
	DTR       *bool    `json:"dtr,omitempty"`
	Break     *bool    `json:"break,omitempty"`
	CTS       bool     `json:"cts"`
	DSR       bool     `json:"dsr"`
	CD        bool     `json:"cd"`
	RI        bool     `json:"ri"`
	Happened  []string `json:"happened,omitempty"` // break, framing, parity, overrun, ring
	BytesIn   uint64   `json:"bytes_in"`
	BytesOut  uint64   `json:"bytes_out"`
	Dropped   uint64   `json:"dropped"`
	Uncertain uint64   `json:"uncertain"`
	// Whether this client may own the port, and what of the configuration decides that.
	Writable    bool   `json:"writable"`
	WritableKey string `json:"writable_key,omitempty"`
}

// portCommand is a text message of the client.
type portCommand struct {
	Type string `json:"type"` // set, break, flush, drain
	Line string `json:"line"` // set: 9600n81
	Flow string `json:"flow"` // set: none, xon-xoff, rts-cts
	Mode string `json:"mode"`
	RTS  *bool  `json:"rts"`
	DTR  *bool  `json:"dtr"`
	MS   int    `json:"ms"` // break: how long; 0: 250
	In   bool   `json:"in"` // flush
	Out  bool   `json:"out"`
}

func (s *Server) port(w http.ResponseWriter, r *http.Request) {
	stream, own, p := s.openPort(r)
	if p != nil {
		p.write(w)
		return
	}
	defer stream.Close()
	if s.streams.Add(1) > int64(s.cfg.Streams) {
		s.streams.Add(-1)
		s.refusedStreams.Add(1)
		problem(http.StatusServiceUnavailable, "too-many-streams", fmt.Sprintf("%d streams are open already", s.cfg.Streams), "close some, or try again later").write(w)
		return
	}
	defer s.streams.Add(-1)
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return // it has answered
	}
	defer func() { _ = c.CloseNow() }() // it is closed by then, or beyond help
	c.SetReadLimit(portMessage)
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	defer cancel()
	id := requesterOf(r.Context()).id
	if !id.Expires.IsZero() {
		ctx, cancel = context.WithDeadline(ctx, id.Expires)
		defer cancel()
	}
	defer id.Hold()()
	sock := &portSocket{conn: c, stream: stream, own: own, may: s.mayOwn(id, r), drains: make(chan struct{}, 1)}
	if err := sock.run(ctx, s.closing, id.Ended()); err != nil {
		s.log.Debug("stream ended", "client", r.RemoteAddr, "error", err)
	}
}

// mayOwn tells, whenever it is asked, whether the client of a request may own its port.
func (s *Server) mayOwn(id *access.Identity, r *http.Request) func() (bool, string) {
	dev, path := r.PathValue("device"), device.Path(r.URL.Query().Get("path"))
	return func() (bool, string) {
		d, ok := s.devices.Device(dev)
		if !ok {
			return false, ""
		}
		return mayWrite(id, &d, path, device.HazardPlain)
	}
}

// openPort attaches to the port that a request asks for.
func (s *Server) openPort(r *http.Request) (stream north.Stream, own bool, p *Problem) {
	q := r.URL.Query()
	if origin := r.Header.Get("Origin"); origin != "" { // a WebSocket is not bound by the same-origin rule
		if u, err := url.Parse(origin); err != nil || u.Host != r.Host {
			return nil, false, problem(http.StatusForbidden, "cross-origin", "a page from "+origin+" may not open a port here", "use the page that this gateway serves")
		}
	}
	opt := north.StreamOptions{Take: q.Get("take") == "true"}
	switch q.Get("mode") {
	case "", "observe":
	case "own":
		opt.Own = true
	default:
		return nil, false, problem(http.StatusBadRequest, "bad-mode", fmt.Sprintf("mode=%q is neither observe nor own", q.Get("mode")), "")
	}
	if text := q.Get("line"); text != "" {
		line, err := driver.ParseLine(text)
		if err != nil {
			return nil, false, problem(http.StatusBadRequest, "bad-line", err.Error(), "")
		}
		opt.Line = line
	}
	path, err := device.ParsePath(q.Get("path"))
	if err != nil {
		return nil, false, problem(http.StatusBadRequest, "bad-path", err.Error(), "name the port: ?path=ports/3")
	}
	stream, err = s.cfg.Ports.OpenStream(r.Context(), who(r.Context()), r.PathValue("device"), path, opt)
	if err != nil {
		return nil, false, s.portProblem(err)
	}
	return stream, opt.Own, nil
}

func (s *Server) portProblem(err error) *Problem {
	var we *north.WriteError
	if errors.As(err, &we) {
		p := s.refusal(we, "")
		p.Item = nil
		return p
	}
	class := driver.ClassOf(err)
	status, code := classStatus[class], class.String()
	if status == 0 {
		status = http.StatusBadGateway
	}
	if class == driver.Busy {
		status = http.StatusConflict
	}
	p := problem(status, code, err.Error(), driver.HintOf(err))
	p.Class = class.String()
	return p
}

// portSocket is one client of a port.
type portSocket struct {
	conn   *websocket.Conn
	stream north.Stream
	own    bool
	may    func() (bool, string) // see mayOwn
	drains chan struct{}         // questions whether the line has taken everything
	busy   atomic.Bool           // a message of the client is in work, which a line can hold up
	done   atomic.Uint64         // messages of the client that are done with
}

// errSignedOut is why a stream ends whose client is nobody any more.
var errSignedOut = errors.New("the session has ended: sign in again")

// run serves the client until it goes, the port ends, the door closes, or who opened it is signed out. It returns nil when
// the client went.
func (p *portSocket) run(ctx context.Context, closing, signedOut <-chan struct{}) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	parts := []func(context.Context) error{p.fromLine, p.state, p.ping, p.fromClient, p.drained}
	ends := make(chan error, len(parts))
	for _, f := range parts {
		go func() { ends <- f(ctx) }()
	}
	var err error
	left := len(parts)
	select {
	case err = <-ends:
		left--
	case <-ctx.Done():
		err = errSignedOut // by time: nothing else ends it from outside
	case <-signedOut:
		err = errSignedOut
	case <-closing:
		err = http.ErrServerClosed
	}
	if err == nil && p.own { // the client has gone; what it has written is still to go out
		p.settle(ctx, closing)
	}
	closeErr := p.stream.Close()
	code, why := websocket.StatusNormalClosure, ""
	if err != nil {
		code, why = websocket.StatusGoingAway, err.Error()
		why = why[:min(len(why), 120)]
	}
	if errors.Is(err, north.ErrStreamTaken) {
		code = websocket.StatusPolicyViolation
	}
	if e := p.conn.Close(code, why); e != nil && err == nil && websocket.CloseStatus(e) == -1 {
		closeErr = e
	}
	cancel()
	for range left {
		<-ends
	}
	return errors.Join(err, closeErr)
}

// settle waits until the line has taken what was written. Meanwhile whoever wants the port gets it.
func (p *portSocket) settle(ctx context.Context, closing <-chan struct{}) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p.stream.Yield(true)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = north.Settle(ctx, p.stream) // there is nobody left to tell
	}()
	select {
	case <-done:
	case <-closing:
		cancel()
		<-done
	}
}

func (p *portSocket) send(ctx context.Context, kind websocket.MessageType, b []byte) error {
	ctx, cancel := context.WithTimeout(ctx, portWriteTimeout)
	defer cancel()
	return p.conn.Write(ctx, kind, b)
}

func (p *portSocket) event(ctx context.Context, e portEvent) error {
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return p.send(ctx, websocket.MessageText, b)
}

// fromLine sends what comes from the line, and where something is missing.
func (p *portSocket) fromLine(ctx context.Context) error {
	buf := make([]byte, 16<<10)
	told := uint64(0)
	for {
		n, err := p.stream.Read(buf)
		if lost := p.stream.Lost(); lost > told {
			if err := p.event(ctx, portEvent{Type: "gap", Bytes: lost - told}); err != nil {
				return err
			}
			told = lost
		}
		if n > 0 {
			if err := p.send(ctx, websocket.MessageBinary, buf[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
}

// state tells what changes about the port.
func (p *portSocket) state(ctx context.Context) error {
	owner, first := "", true
	for {
		st, err := p.stream.State(ctx)
		if err != nil {
			return err
		}
		if first || st.Owner != owner {
			first, owner = false, st.Owner
			if err := p.event(ctx, portEvent{Type: "owner", Who: owner}); err != nil {
				return err
			}
		}
		if err := p.event(ctx, portEvent{Type: "line", Hint: st.Hint, portLine: p.line(&st)}); err != nil {
			return err
		}
	}
}

func (p *portSocket) line(st *north.StreamState) *portLine {
	l := &portLine{Open: st.Open, Why: st.Why, Owner: st.Owner, Mine: p.own, Observers: st.Observers, Baud: st.Line.Baud, Format: st.Line.Format(),
		Flow: st.Line.Flow.String(), Mode: st.Line.Mode, RTS: st.Line.RTS, DTR: st.Line.DTR, Break: st.Line.Break,
		CTS: st.Event.CTS, DSR: st.Event.DSR, CD: st.Event.CD, RI: st.Event.RI,
		BytesIn: st.Counts.In, BytesOut: st.Counts.Out, Dropped: st.Counts.Dropped, Uncertain: st.Counts.Uncertain}
	l.Writable, l.WritableKey = p.may()
	for _, h := range []struct {
		on   bool
		name string
	}{{st.Event.Break, "break"}, {st.Event.Framing, "framing"}, {st.Event.Parity, "parity"}, {st.Event.Overrun, "overrun"}, {st.Event.Ringed, "ring"}} {
		if h.on {
			l.Happened = append(l.Happened, h.name)
		}
	}
	return l
}

// drained answers when the line has taken what the client had written before it asked, or takes nothing any more.
func (p *portSocket) drained(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-p.drains:
		}
		left := north.Settle(ctx, p.stream)
		if err := p.event(ctx, portEvent{Type: "drained", Bytes: uint64(left)}); err != nil {
			return err
		}
	}
}

// ping finds out that a client is gone which says nothing. One whose bytes a line holds up says nothing either, since nothing is read
// from it meanwhile; the answer to a ping may also stand behind them.
func (p *portSocket) ping(ctx context.Context) error {
	tick := time.NewTicker(portPing)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		before := p.done.Load()
		waiting, cancel := context.WithTimeout(ctx, portPing)
		err := p.conn.Ping(waiting)
		cancel()
		if err != nil && !p.busy.Load() && p.done.Load() == before {
			return err
		}
	}
}

// fromClient takes bytes for the line and commands.
func (p *portSocket) fromClient(ctx context.Context) error {
	for {
		kind, b, err := p.conn.Read(ctx)
		p.busy.Store(true)
		switch {
		case websocket.CloseStatus(err) == websocket.StatusNormalClosure, websocket.CloseStatus(err) == websocket.StatusGoingAway:
			return nil
		case err != nil:
			return err
		case kind == websocket.MessageBinary:
			n, err := p.stream.Write(b)
			switch {
			case err == nil:
			case errors.Is(err, north.ErrStreamDown):
				if err := p.event(ctx, portEvent{Type: "dropped", Bytes: uint64(len(b) - n), Text: err.Error()}); err != nil {
					return err
				}
			case errors.Is(err, north.ErrNotOwner):
				if err := p.refuse(ctx, err); err != nil {
					return err
				}
			default:
				return err
			}
		default:
			if err := p.command(ctx, b); err != nil {
				if err := p.refuse(ctx, err); err != nil {
					return err
				}
			}
		}
		p.done.Add(1)
		p.busy.Store(false)
	}
}

func (p *portSocket) refuse(ctx context.Context, err error) error {
	code := driver.ClassOf(err).String()
	if errors.Is(err, north.ErrNotOwner) {
		code = "not-owner"
	}
	return p.event(ctx, portEvent{Type: "error", Code: code, Text: err.Error(), Hint: driver.HintOf(err)})
}

var errDraining = errors.New("two such questions wait already")

// command does what a text message asks for.
func (p *portSocket) command(ctx context.Context, b []byte) error {
	var c portCommand
	if err := json.Unmarshal(b, &c); err != nil {
		return &driver.Error{Op: "command", Target: "stream", Class: driver.Unsupported, Err: err, Hint: `send JSON such as {"type":"break"}`}
	}
	switch c.Type {
	case "break":
		d := min(time.Duration(c.MS)*time.Millisecond, maxBreak)
		if d <= 0 {
			d = 250 * time.Millisecond
		}
		return north.SendBreak(ctx, p.stream, d)
	case "flush":
		return p.stream.Flush(ctx, c.In, c.Out)
	case "drain":
		if !p.own {
			return north.ErrNotOwner
		}
		select {
		case p.drains <- struct{}{}:
			return nil
		default:
			return &driver.Error{Op: "drain", Target: "stream", Class: driver.Busy, Err: errDraining, Hint: "wait for the answer to those before"}
		}
	case "set":
		var line driver.Line
		if c.Line != "" {
			var err error
			if line, err = driver.ParseLine(c.Line); err != nil {
				return &driver.Error{Op: "set", Target: "stream", Class: driver.Unsupported, Err: err}
			}
		}
		line.Mode, line.RTS, line.DTR = c.Mode, c.RTS, c.DTR
		if c.Flow != "" {
			flow, ok := driver.ParseFlow(c.Flow)
			if !ok {
				return &driver.Error{Op: "set", Target: "stream", Class: driver.Unsupported, Err: fmt.Errorf("flow %q is none of none, xon-xoff, rts-cts", c.Flow)}
			}
			line.Flow = flow
		}
		_, err := p.stream.Set(ctx, line)
		return err
	}
	return &driver.Error{Op: "command", Target: "stream", Class: driver.Unsupported, Err: fmt.Errorf("type %q is none of set, break, flush, drain", c.Type)}
}
