package gatewayclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// PortOptions say how to attach to a serial port.
type PortOptions struct {
	Own, Take bool
	Line      string // 9600n81; empty: as it is
}

// PortEvent is a text message of the gateway about a port.
type PortEvent struct {
	Type      string   `json:"type"` // line, owner, gap, dropped, drained, error
	Bytes     uint64   `json:"bytes"`
	Who       string   `json:"who"`
	Code      string   `json:"code"`
	Text      string   `json:"text"`
	Hint      string   `json:"hint"`
	Open      bool     `json:"open"`
	Why       string   `json:"why"`
	Owner     string   `json:"owner"`
	Observers int      `json:"observers"`
	Baud      uint32   `json:"baud"`
	Format    string   `json:"format"`
	Flow      string   `json:"flow"`
	RTS       *bool    `json:"rts"`
	DTR       *bool    `json:"dtr"`
	CTS       bool     `json:"cts"`
	DSR       bool     `json:"dsr"`
	CD        bool     `json:"cd"`
	RI        bool     `json:"ri"`
	Happened  []string `json:"happened"`
}

// PortCommand is a text message to the gateway about a port.
type PortCommand struct {
	Type string `json:"type"` // set, break, flush, drain
	Line string `json:"line,omitempty"`
	Flow string `json:"flow,omitempty"`
	Mode string `json:"mode,omitempty"`
	RTS  *bool  `json:"rts,omitempty"`
	DTR  *bool  `json:"dtr,omitempty"`
	MS   int    `json:"ms,omitempty"`
	In   bool   `json:"in,omitempty"`
	Out  bool   `json:"out,omitempty"`
}

// Port is a serial port of a device through the gateway. One goroutine may call Next; the others are safe for concurrent use.
type Port struct {
	conn    *websocket.Conn
	base    string
	silence *time.Timer // runs while something is read
	silent  atomic.Bool // it has run out, and ended the connection
}

// portSilence is how long a gateway that lives says nothing at most: it pings every 20 s.
const portSilence = 50 * time.Second

// maxPortMessage bounds what the gateway sends at once, in bytes.
const maxPortMessage = 1 << 20

// Port attaches to a serial port.
func (c *Client) Port(ctx context.Context, dev, path string, opt PortOptions) (*Port, error) {
	q := url.Values{"path": {path}, "mode": {"observe"}}
	if opt.Own {
		q.Set("mode", "own")
		if opt.Take {
			q.Set("take", "true")
		}
		if opt.Line != "" {
			q.Set("line", opt.Line)
		}
	}
	header := http.Header{}
	if c.token != "" {
		header.Set("Authorization", "Bearer "+c.token)
	}
	port := &Port{base: c.base}
	conn, resp, err := websocket.Dial(ctx, c.base+"/api/v1/devices/"+url.PathEscape(dev)+"/stream?"+q.Encode(),
		&websocket.DialOptions{HTTPClient: c.http, HTTPHeader: header, OnPingReceived: port.pinged})
	if resp != nil && resp.Body != nil {
		defer resp.Body.Close()
	}
	if err != nil {
		if resp != nil {
			var p Problem
			if b, e := io.ReadAll(io.LimitReader(resp.Body, 64<<10)); e == nil && json.Unmarshal(b, &p) == nil && p.Code != "" {
				return nil, &p
			}
			return nil, fmt.Errorf("the gateway answers %s to a request for a port", resp.Status)
		}
		return nil, &NoGateway{Base: c.base, Err: err}
	}
	conn.SetReadLimit(maxPortMessage)
	port.conn = conn
	port.silence = time.AfterFunc(portSilence, func() {
		port.silent.Store(true)
		_ = conn.CloseNow() // whoever reads learns of it
	})
	port.silence.Stop()
	return port, nil
}

// pinged notes that the gateway lives. It is called while something is read.
func (p *Port) pinged(context.Context, []byte) bool {
	p.silence.Reset(portSilence)
	return true
}

// Next waits for bytes from the line, or for an event. At the end of the port the error says why; io.EOF when it ended in order.
func (p *Port) Next(ctx context.Context) ([]byte, *PortEvent, error) {
	p.silence.Reset(portSilence)
	kind, b, err := p.conn.Read(ctx)
	p.silence.Stop()
	if err != nil && p.silent.Load() {
		return nil, nil, &NoGateway{p.base, errSilent}
	}
	if err != nil {
		var ce websocket.CloseError
		if errors.As(err, &ce) {
			if ce.Code == websocket.StatusNormalClosure {
				return nil, nil, io.EOF
			}
			return nil, nil, fmt.Errorf("the gateway ended it: %s", ce.Reason)
		}
		return nil, nil, err
	}
	if kind == websocket.MessageBinary {
		return b, nil, nil
	}
	var e PortEvent
	if err := json.Unmarshal(b, &e); err != nil {
		return nil, nil, err
	}
	return nil, &e, nil
}

// Write sends bytes to the line.
func (p *Port) Write(ctx context.Context, b []byte) error {
	for len(b) > 0 {
		n := min(len(b), 32<<10)
		if err := p.conn.Write(ctx, websocket.MessageBinary, b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// Do sends a command. What the gateway refuses comes back as an event.
func (p *Port) Do(ctx context.Context, c PortCommand) error {
	b, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return p.conn.Write(ctx, websocket.MessageText, b)
}

// Drain asks whether the line has taken everything that was written before. The answer is the event "drained", when it has, or has taken
// nothing for long: Bytes are then still on the way.
func (p *Port) Drain(ctx context.Context) error { return p.Do(ctx, PortCommand{Type: "drain"}) }

// Close gives the port back.
func (p *Port) Close() error { return p.conn.Close(websocket.StatusNormalClosure, "") }
