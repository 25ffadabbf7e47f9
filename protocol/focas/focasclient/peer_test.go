package focasclient

import (
	"bufio"
	"context"
	"net"
	"testing"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// peer is the far end of one connection: it answers whole frames with the bytes that answer gives; nil answers nothing.
// It ends when the connection does.
type peer struct {
	version focas.Version
	open    *focas.OpenReply                        // nil: one path of three axes
	answer  func(q []focas.Request) []focas.Reply   // nil: echoes with empty payloads
	raw     func(f focas.Frame) (b []byte, ok bool) // looked at first
	seen    [][]byte                                // bodies of the data frames, read after the connection has ended
}

func openReply30i(v focas.Version, paths int) *focas.OpenReply {
	o := &focas.OpenReply{Version: v, MaxAxes: 32, MaxSpindles: 8, MaxGroups: 10, Axes: 3, ServoAxes: 3, Spindles: 1,
		ControlledPaths: uint16(paths), Groups: 1, Options: 1}
	for range paths {
		o.Records = append(o.Records, focas.PathRecord{System: 1, Group: 1, Axes: 3, Spindles: 1, MachineGroup: 1})
	}
	return o
}

func sysInfo() focas.SysInfo {
	return focas.SysInfo{AddInfo: 0x0242, MaxAxis: 32, Type: [2]byte{'3', '1'}, Kind: [2]byte{' ', 'M'},
		Series: [4]byte{'G', '3', '0', '1'}, Edition: [4]byte{'2', '7', '.', '0'}, Axes: [2]byte{'0', '3'}}
}

func echo(q focas.Request, payload []byte) focas.Reply {
	return focas.Reply{Class: q.Class, Path: q.Path, Func: q.Func, Payload: payload}
}

func (p *peer) serve(conn net.Conn) { p.serveFrames(conn, true) }

// serveQuietly is serve without keeping what was seen.
func (p *peer) serveQuietly(conn net.Conn) { p.serveFrames(conn, false) }

func (p *peer) serveFrames(conn net.Conn, keep bool) {
	defer conn.Close()
	fr := focas.NewFrameReader(conn)
	if !keep {
		fr = focas.NewFrameReader(bufio.NewReaderSize(conn, 8192))
	}
	for {
		f, err := fr.Next()
		if err != nil {
			return
		}
		if keep && f.Type == focas.TypeData {
			p.seen = append(p.seen, append([]byte(nil), f.Body...))
		}
		if _, err := conn.Write(p.reply(f)); err != nil {
			return
		}
		if f.Type == focas.TypeClose {
			return
		}
	}
}

func (p *peer) reply(f focas.Frame) []byte {
	if p.version == 0 {
		p.version = 3
	}
	if p.raw != nil {
		if b, ok := p.raw(f); ok {
			return b
		}
	}
	switch f.Type {
	case focas.TypeOpen:
		if p.open == nil {
			p.open = openReply30i(p.version, 1)
		}
		return p.open.AppendFrame(nil)
	case focas.TypeClose:
		return focas.AppendHeader(nil, p.version, focas.TypeClose, focas.DirReply, 0)
	case focas.TypeData:
		return focas.AppendReplies(nil, p.version, p.blocks(requestsOf(f.Body)))
	}
	return nil
}

func (p *peer) blocks(qs []focas.Request) []focas.Reply {
	if len(qs) > 0 && qs[0].Func == focas.FuncSysInfo || p.answer == nil {
		var out []focas.Reply
		for _, q := range qs {
			payload := []byte(nil)
			if q.Func == focas.FuncSysInfo {
				payload = sysInfo().Append(nil)
			}
			out = append(out, echo(q, payload))
		}
		return out
	}
	return p.answer(qs)
}

func requestsOf(body []byte) []focas.Request {
	blocks, err := focas.RequestBlocks(body)
	if err != nil {
		panic("test peer got a frame without blocks: " + err.Error())
	}
	var out []focas.Request
	for {
		q, ok, err := blocks.NextRequest()
		if err != nil {
			panic("test peer got a malformed block: " + err.Error())
		}
		if !ok {
			return out
		}
		out = append(out, q)
	}
}

// opener connects to serve over a pipe; the test waits for serve to end.
func opener(t testing.TB, serve func(net.Conn)) Opener {
	return func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			serve(far)
		}()
		t.Cleanup(func() {
			near.Close()
			<-done
		})
		return near, nil
	}
}

// dial opens a session with p that is closed when the test ends.
func dial(t testing.TB, p *peer) *Client {
	t.Helper()
	c, err := Dial(context.Background(), opener(t, p.serve), "cnc.test:8193", Options{})
	if err != nil {
		t.Fatalf("Dial: %v", err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}
