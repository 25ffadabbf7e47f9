package focasserver

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/internal/tcpserver"
)

// served runs f with a server on a network in memory, under simulated time.
func served(t *testing.T, h Handler, o Options, f func(t *testing.T, s *Server, dial func() *client)) {
	synctest.Test(t, func(t *testing.T) {
		s, ln := New(h, o), testnet.Listen()
		done := make(chan error, 1)
		go func() { done <- s.Serve(t.Context(), ln) }()
		f(t, s, func() *client {
			c, err := ln.DialContext(t.Context(), "tcp", "cnc:8193")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Close() })
			return &client{t, c, focas.NewFrameReader(c)}
		})
		s.Close()
		if err := <-done; err != ErrServerClosed {
			t.Errorf("Serve: %v", err)
		}
	})
}

func opened(c *client, channel uint16) *client {
	c.t.Helper()
	c.send(focas.AppendOpenRequest(nil, channel))
	if f := c.next(); f.Type != focas.TypeOpen || f.Dir != focas.DirReply {
		c.t.Fatalf("open reply %+v", f)
	}
	return c
}

func frame(t focas.Type, d focas.Direction, body ...byte) []byte {
	return focas.Frame{Header: focas.Header{Version: 1, Type: t, Dir: d}, Body: body}.Append(nil)
}

func transferStart(t focas.Type, spec string) []byte {
	s, err := focas.MakeTransferStart(focas.TransferProgram, 1, spec)
	if err != nil {
		panic(err)
	}
	return frame(t, focas.DirRequest, s.Append(nil)...)
}

// Each frame of channel 1 in each state of a transfer has one answer, and leaves a connection that still answers.
func TestFramesByState(t *testing.T) {
	begin := map[string][]byte{"idle": nil, "downloading": transferStart(focas.TypeDownloadStart, ""),
		"download refused": transferStart(focas.TypeDownloadStart, "")}
	short := make([]byte, focas.TransferStartSize-1)
	for _, row := range []struct {
		state, name string
		send        []byte
		typ         focas.Type
		dir         focas.Direction // 0: no answer
		code        focas.Code
		aborted     int
	}{
		{"idle", "data without a start", frame(focas.TypeDownloadData, focas.DirPush, 'O'), focas.TypeDownloadData, focas.DirError, focas.EWReject, 0},
		{"idle", "end without a start", frame(focas.TypeDownloadEnd, focas.DirRequest), focas.TypeDownloadEnd, focas.DirError, focas.EWReject, 0},
		{"idle", "short download start", frame(focas.TypeDownloadStart, focas.DirRequest, short...), focas.TypeDownloadStart, focas.DirError, focas.EWLength, 0},
		{"idle", "short upload start", frame(focas.TypeUploadStart, focas.DirRequest, short...), focas.TypeUploadStart, focas.DirError, focas.EWLength, 0},
		{"idle", "download that the handler refuses", transferStart(focas.TypeDownloadStart, "none"), focas.TypeDownloadStart, focas.DirError, focas.EWReject, 0},
		{"idle", "upload that the handler refuses", transferStart(focas.TypeUploadStart, "none"), focas.TypeUploadStart, focas.DirError, focas.EWData, 0},
		{"idle", "start as a reply", frame(focas.TypeDownloadStart, focas.DirReply), focas.TypeDownloadStart, focas.DirError, focas.EWFunc, 0},
		{"idle", "data as a request", frame(focas.TypeDownloadData, focas.DirRequest), focas.TypeDownloadData, focas.DirError, focas.EWFunc, 0},
		{"idle", "data of an upload", frame(focas.TypeUploadData, focas.DirPush), focas.TypeUploadData, focas.DirError, focas.EWFunc, 0},
		{"idle", "cancel of nothing", frame(focas.TypeUploadCancel, focas.DirPush, make([]byte, 8)...), 0, 0, 0, 0},
		{"idle", "late reply to an upload's end", frame(focas.TypeUploadEnd, focas.DirReply), 0, 0, 0, 0},
		{"idle", "close as a reply", frame(focas.TypeClose, focas.DirReply), focas.TypeClose, focas.DirError, focas.EWFunc, 0},
		{"downloading", "data", frame(focas.TypeDownloadData, focas.DirPush, 'O', '1'), 0, 0, 0, 1},
		{"downloading", "no data at all", frame(focas.TypeDownloadEnd, focas.DirRequest), focas.TypeDownloadEnd, focas.DirReply, 0, 0},
		{"downloading", "bad data", frame(focas.TypeDownloadData, focas.DirPush, '?'), focas.TypeDownloadData, focas.DirError, focas.EWData, 1},
		{"downloading", "another download", transferStart(focas.TypeDownloadStart, ""), focas.TypeDownloadStart, focas.DirReply, 0, 2},
		{"downloading", "an upload in between", transferStart(focas.TypeUploadStart, "none"), focas.TypeUploadStart, focas.DirError, focas.EWData, 1},
		{"downloading", "a start of no size", frame(focas.TypeDownloadStart, focas.DirRequest), focas.TypeDownloadStart, focas.DirError, focas.EWLength, 1},
		{"download refused", "more bad data", frame(focas.TypeDownloadData, focas.DirPush, '?'), 0, 0, 0, 1},
		{"download refused", "good data", frame(focas.TypeDownloadData, focas.DirPush, 'O'), 0, 0, 0, 1},
		{"download refused", "end", frame(focas.TypeDownloadEnd, focas.DirRequest), focas.TypeDownloadEnd, focas.DirError, focas.EWData, 1},
	} {
		t.Run(row.state+": "+row.name, func(t *testing.T) {
			e := &echo{version: 3}
			served(t, e, Options{DataOnTransfer: MisplacedServe}, func(t *testing.T, s *Server, dial func() *client) {
				c := opened(dial(), focas.ChannelTransfer)
				if b := begin[row.state]; b != nil {
					c.send(b)
					c.next()
				}
				if row.state == "download refused" {
					c.send(frame(focas.TypeDownloadData, focas.DirPush, '?'))
					c.wantError(focas.TypeDownloadData, focas.EWData)
				}
				c.send(row.send)
				switch row.dir {
				case focas.DirError:
					c.wantError(row.typ, row.code)
				case focas.DirReply:
					if f := c.next(); f.Type != row.typ || f.Dir != row.dir || len(f.Body) != 0 {
						t.Errorf("%+v", f)
					}
				}
				c.send(focas.AppendRequests(nil, []focas.Request{request(0x19, 7)}))
				if p := replies(t, c.next()); len(p) != 1 || p[0].Payload[0] != 7 {
					t.Errorf("the connection answers %+v", p)
				}
				c.send(focas.AppendCloseRequest(nil))
				c.next()
				synctest.Wait()
				e.mu.Lock()
				defer e.mu.Unlock()
				if e.aborted != row.aborted || e.closed != 1 {
					t.Errorf("aborted %d downloads, want %d; Closed called %d times", e.aborted, row.aborted, e.closed)
				}
			})
		})
	}
}

// A program in work is given up, whichever way its connection ends.
func TestDownloadsEndWithTheConnection(t *testing.T) {
	for name, end := range map[string]func(*Server, *client){
		"close request": func(_ *Server, c *client) { c.send(focas.AppendCloseRequest(nil)) },
		"hang up":       func(_ *Server, c *client) { c.Close() },
		"half a frame":  func(_ *Server, c *client) { c.send([]byte{0xa0, 0xa0}); c.Close() },
		"silence":       func(*Server, *client) { time.Sleep(time.Minute) },
		"garbage":       func(_ *Server, c *client) { c.send([]byte("this is no frame")) },
		"drop":          func(s *Server, _ *client) { s.Drop(true) },
		"shutdown":      func(s *Server, _ *client) { s.Shutdown(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			e := &echo{version: 3}
			served(t, e, Options{IdleTimeout: 30 * time.Second}, func(t *testing.T, s *Server, dial func() *client) {
				c := opened(dial(), focas.ChannelTransfer)
				c.send(transferStart(focas.TypeDownloadStart, ""))
				c.next()
				c.send(frame(focas.TypeDownloadData, focas.DirPush, '\n', 'O', '1'))
				synctest.Wait()
				end(s, c)
				synctest.Wait()
				e.mu.Lock()
				defer e.mu.Unlock()
				if e.aborted != 1 || len(e.received) != 0 || e.closed != 1 || s.Stats().Active != 0 {
					t.Errorf("aborted %d, received %q, closed %d, %+v", e.aborted, e.received, e.closed, s.Stats())
				}
			})
		})
	}
}

// A program may have MaxDownload bytes and no more.
func TestLargestDownload(t *testing.T) {
	for _, row := range []struct {
		size int
		ok   bool
	}{{3000, true}, {3001, false}} {
		e := &echo{version: 3}
		served(t, e, Options{MaxDownload: 3000}, func(t *testing.T, _ *Server, dial func() *client) {
			c := opened(dial(), focas.ChannelTransfer)
			c.send(transferStart(focas.TypeDownloadStart, ""))
			c.next()
			for rest := row.size; rest > 0; {
				n := min(rest, focas.MaxTransferData)
				c.send(focas.AppendDownloadData(nil, slices.Repeat([]byte{'X'}, n)))
				rest -= n
			}
			if !row.ok {
				c.wantError(focas.TypeDownloadData, focas.EWOvrFlow)
			}
			c.send(focas.AppendDownloadEnd(nil))
			if row.ok {
				if f := c.next(); f.Dir != focas.DirReply || len(e.received) != 1 || len(e.received[0]) != row.size {
					t.Errorf("%+v, received %d programs", f.Header, len(e.received))
				}
				return
			}
			c.wantError(focas.TypeDownloadEnd, focas.EWOvrFlow)
			if len(e.received) != 0 || e.aborted != 1 {
				t.Errorf("received %d programs, aborted %d", len(e.received), e.aborted)
			}
		})
	}
}

// An upload to a client that does not read is given up when a frame takes too long; one that is cancelled stops.
func TestUploadsToBadClients(t *testing.T) {
	served(t, &echo{version: 3}, Options{FrameTimeout: 4 * time.Second}, func(t *testing.T, s *Server, dial func() *client) {
		c := opened(dial(), focas.ChannelTransfer)
		c.send(transferStart(focas.TypeUploadStart, "long"))
		c.next()
		began := time.Now()
		for s.Stats().Active > 0 && time.Since(began) < time.Minute {
			time.Sleep(500 * time.Millisecond)
			synctest.Wait()
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("a client that reads nothing is kept for %v", took)
		}
	})
	served(t, &echo{version: 3}, Options{}, func(t *testing.T, s *Server, dial func() *client) {
		c := opened(dial(), focas.ChannelTransfer)
		c.send(transferStart(focas.TypeUploadStart, "long"))
		for range 20 {
			c.next()
		}
		c.send(focas.AppendUploadCancel(nil))
		c.send(focas.AppendCloseRequest(nil))
		for {
			f, err := c.r.Next()
			if err != nil {
				t.Fatal(err)
			}
			if f.Type == focas.TypeClose {
				break
			}
			if f.Type != focas.TypeUploadData || f.Dir != focas.DirPush {
				t.Fatalf("%+v after the cancel", f.Header)
			}
		}
		if err := c.ended(); err != io.EOF {
			t.Error(err)
		}
	})
}

// Limits on connections, silence and slowness hold on both channels.
func TestLimits(t *testing.T) {
	served(t, &echo{version: 3}, Options{MaxConns: 2, IdleTimeout: 20 * time.Second, FrameTimeout: 5 * time.Second}, func(t *testing.T, s *Server, dial func() *client) {
		a, b := opened(dial(), focas.ChannelData), opened(dial(), focas.ChannelTransfer)
		surplus := dial()
		if _, err := surplus.Read(make([]byte, 1)); err == nil {
			t.Error("the third connection is served")
		}
		began := time.Now()
		time.Sleep(15 * time.Second)
		a.send(focas.AppendRequests(nil, []focas.Request{request(0x19)}))
		a.next()
		time.Sleep(2 * time.Second)
		a.send([]byte{0xa0})
		if err := b.ended(); err != io.EOF || time.Since(began) != 20*time.Second {
			t.Errorf("the silent one: %v after %v", err, time.Since(began))
		}
		if err := a.ended(); err != io.EOF || time.Since(began) != 22*time.Second {
			t.Errorf("the slow one: %v after %v", err, time.Since(began))
		}
		synctest.Wait()
		if st := s.Stats(); st != (tcpserver.Stats{Accepted: 2, Rejected: 1}) {
			t.Errorf("%+v", st)
		}
	})
}

// watcher tells what a handler can learn about a connection.
type watcher struct {
	echo
	conns []*Conn
}

func (w *watcher) Open(ctx context.Context, c *Conn) (focas.OpenReply, error) {
	w.conns = append(w.conns, c)
	if c.Channel() == 9 {
		return focas.OpenReply{}, &focas.Error{Code: focas.EWBusy}
	}
	if c.Channel() == 8 {
		return focas.OpenReply{}, errors.New("no room")
	}
	return w.echo.Open(ctx, c)
}

func TestWhatHandlersSee(t *testing.T) {
	w := &watcher{echo: echo{version: 3}}
	served(t, w, Options{}, func(t *testing.T, _ *Server, dial func() *client) {
		c := opened(dial(), focas.ChannelData)
		c.send(focas.AppendRequests(nil, []focas.Request{request(0x19)}))
		c.next()
		got := w.conns[0]
		if got.ID() != 1 || got.Channel() != focas.ChannelData || got.Frames() != 2 ||
			got.RemoteAddr().String() != c.LocalAddr().String() || got.LocalAddr().String() != c.RemoteAddr().String() {
			t.Errorf("connection %d, channel %d, %d frames, from %v to %v", got.ID(), got.Channel(), got.Frames(), got.RemoteAddr(), got.LocalAddr())
		}
		if err := got.Close(); err != nil {
			t.Error(err)
		}
		if err := c.ended(); err != io.EOF {
			t.Errorf("closed by the handler: %v", err)
		}
		synctest.Wait()
		busy := dial()
		busy.send(focas.AppendOpenRequest(nil, 9))
		busy.wantError(focas.TypeOpen, focas.EWBusy)
		busy.send(focas.AppendOpenRequest(nil, focas.ChannelData)) // may try again
		if f := busy.next(); f.Dir != focas.DirReply || w.conns[2].ID() != 2 {
			t.Errorf("%+v on connection %d", f.Header, w.conns[2].ID())
		}
		full := dial()
		full.send(focas.AppendOpenRequest(nil, 8))
		if err := full.ended(); err == nil || !strings.Contains(err.Error(), "reset") && !errors.Is(err, net.ErrClosed) && err != io.EOF {
			t.Errorf("no room: %v", err)
		}
		synctest.Wait()
		if w.closed != 1 {
			t.Errorf("Closed called %d times; a connection that was not opened has nothing to close", w.closed)
		}
	})
}
