package focasserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"

	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/internal/tcpserver"
)

// Conn is one connection of a client, which is one channel of its session.
type Conn struct {
	srv     *Server
	tcp     *tcpserver.Conn
	channel uint16
	version focas.Version
	opened  bool

	frames atomic.Uint64
	buf    []byte // outgoing frame
	blocks []focas.Request
	reply  []focas.Reply
	up     *upload
	down   *download
}

// ID is a number that is unique in the server, counted from 1.
func (c *Conn) ID() uint64 { return c.tcp.ID() }

// Channel is [focas.ChannelTransfer], [focas.ChannelData], or whatever other number the client gave.
func (c *Conn) Channel() uint16 { return c.channel }

// RemoteAddr is the client's address.
func (c *Conn) RemoteAddr() net.Addr { return c.tcp.RemoteAddr() }

// LocalAddr is the address that the client connected to.
func (c *Conn) LocalAddr() net.Addr { return c.tcp.LocalAddr() }

// Frames is the number of frames that the client has sent.
func (c *Conn) Frames() uint64 { return c.frames.Load() }

// Close ends the connection without a word.
func (c *Conn) Close() error { return c.tcp.Close() }

// errDone ends the loop after an orderly close; errReset resets the connection.
var (
	errDone  = errors.New("connection is closed by its client")
	errReset = errors.New("connection is reset")
)

// serveConn serves one connection until it ends.
func (s *Server) serveConn(ctx context.Context, t *tcpserver.Conn) {
	// Until the open reply, frames carry the version of the requests: it has the smallest body limit.
	c := &Conn{srv: s, tcp: t, version: focas.Version(focas.RequestVersion)}
	r := focas.NewFrameReader(t)
	for {
		t.NextMessage()
		f, err := r.Next()
		if err == nil {
			c.frames.Add(1)
			err = c.frame(ctx, f)
		}
		if err != nil {
			if errors.Is(err, errReset) {
				t.Reset()
			}
			break
		}
	}
	c.endTransfers()
	if cl, ok := s.handler.(Closer); ok && c.opened {
		cl.Closed(c)
	}
}

func (c *Conn) frame(ctx context.Context, f focas.Frame) error {
	if !c.opened && f.Type != focas.TypeOpen && f.Type != focas.TypeClose {
		return fmt.Errorf("%v frame before open: %w", f.Type, errReset)
	}
	// The writer of an upload owns the outgoing side. Whatever the client sends means that it has seen the end or does not
	// want more.
	if err := c.uploadStop(); err != nil {
		return err
	}
	switch f.Type {
	case focas.TypeOpen:
		return c.open(ctx, f)
	case focas.TypeClose:
		if f.Dir != focas.DirRequest {
			return c.refuse(f.Type, &focas.Error{Code: focas.EWFunc})
		}
		if err := c.send(focas.TypeClose, focas.DirReply, nil); err != nil {
			return err
		}
		return errDone
	case focas.TypeData:
		return c.data(ctx, f)
	}
	if c.channel == focas.ChannelTransfer {
		if t, ok := c.srv.handler.(Transfers); ok {
			return c.transfer(ctx, t, f)
		}
	}
	return c.refuse(f.Type, &focas.Error{Code: focas.EWFunc})
}

func (c *Conn) open(ctx context.Context, f focas.Frame) error {
	channel, err := focas.ParseOpenRequest(f.Body)
	if c.opened || f.Dir != focas.DirRequest || err != nil {
		return fmt.Errorf("open request with %d bytes: %w", len(f.Body), errReset)
	}
	c.channel = channel
	var o focas.OpenReply
	o, err = c.srv.handler.Open(ctx, c)
	var refused *focas.Error
	switch {
	case errors.As(err, &refused):
		return c.refuse(focas.TypeOpen, refused)
	case err != nil:
		return fmt.Errorf("open: %w: %w", err, errReset)
	}
	c.opened, c.version = true, o.Version
	c.buf = o.AppendFrame(c.buf[:0])
	return c.write()
}

func (c *Conn) data(ctx context.Context, f focas.Frame) error {
	if c.channel == focas.ChannelTransfer {
		switch c.srv.opts.DataOnTransfer {
		case MisplacedReset:
			return fmt.Errorf("data frame on channel 1: %w", errReset)
		case MisplacedRefuse:
			return c.refuse(f.Type, &focas.Error{Code: focas.EWFunc})
		}
	}
	if f.Dir != focas.DirRequest {
		return c.refuse(f.Type, &focas.Error{Code: focas.EWFunc})
	}
	var err error
	if c.blocks, err = parseBlocks(c.blocks[:0], f.Body); err != nil {
		return c.refuse(f.Type, &focas.Error{Code: focas.EWLength})
	}
	c.reply, err = c.srv.handler.Data(ctx, c, c.blocks, c.reply[:0])
	var refused *focas.Error
	var raw RawFrame
	switch {
	case errors.As(err, &refused):
		return c.refuse(f.Type, refused)
	case errors.As(err, &raw):
		c.buf = append(c.buf[:0], raw...)
		return c.write()
	case err != nil:
		return fmt.Errorf("data: %w: %w", err, errReset)
	case len(c.reply) != len(c.blocks):
		return fmt.Errorf("handler gave %d replies for %d blocks", len(c.reply), len(c.blocks))
	}
	fit(c.version, c.blocks, c.reply)
	c.buf = focas.AppendReplies(c.buf[:0], c.version, c.reply)
	return c.write()
}

// parseBlocks appends the request blocks of a data frame's body. A frame without blocks is an error: the library refuses
// a reply without blocks.
func parseBlocks(blocks []focas.Request, body []byte) ([]focas.Request, error) {
	bs, err := focas.RequestBlocks(body)
	if err != nil {
		return blocks, err
	}
	if bs.Count() == 0 {
		return blocks, fmt.Errorf("%w: no blocks", focas.ErrBlocks)
	}
	for {
		q, ok, err := bs.NextRequest()
		if err != nil || !ok {
			return blocks, err
		}
		blocks = append(blocks, q)
	}
}

// fit echoes what has to be echoed and gives code 2 to each block that would push the frame over its version's limit
// when the blocks after it are empty.
func fit(v focas.Version, blocks []focas.Request, replies []focas.Reply) {
	room := v.MaxBody() - 2 - focas.ReplyBlockSize*len(replies)
	for i := range replies {
		p, q := &replies[i], &blocks[i]
		p.Class, p.Path, p.Func = q.Class, q.Path, q.Func
		if len(p.Payload) > room {
			p.Code, p.Detail, p.Payload = focas.EWLength, [2]int16{}, nil
		}
		room -= len(p.Payload)
	}
}

// refuse sends an error frame about a frame of type t.
func (c *Conn) refuse(t focas.Type, e *focas.Error) error {
	c.buf = focas.AppendErrorFrame(c.buf[:0], c.version, t, focas.ErrorBody{Location: 1, Code: e.Code, Detail: e.Detail})
	return c.write()
}

func (c *Conn) send(t focas.Type, d focas.Direction, body []byte) error {
	c.buf = focas.Frame{Header: focas.Header{Version: c.version, Type: t, Dir: d}, Body: body}.Append(c.buf[:0])
	return c.write()
}

func (c *Conn) write() error {
	_, err := c.tcp.Write(c.buf)
	return err
}
