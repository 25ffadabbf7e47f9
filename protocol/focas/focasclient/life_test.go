package focasclient

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/focas"
)

// line is a session over a connection in memory inside a synctest bubble, where time is simulated.
type line struct {
	near, far *testnet.Conn
	served    chan struct{}
}

func newLine(serve func(net.Conn)) *line {
	l := &line{served: make(chan struct{})}
	l.near, l.far = testnet.Pipe(64 << 10)
	go func() {
		defer close(l.served)
		serve(l.far)
	}()
	return l
}

func (l *line) open(context.Context, string, string) (net.Conn, error) { return l.near, nil }

// end closes both sides and waits for the peer.
func (l *line) end() {
	l.near.Close()
	l.far.Close()
	<-l.served
}

var alarm = []focas.Request{focas.AlarmBitsRequest(1)}

// checkDead holds that a failed session says so at once, with the first cause.
func checkDead(t *testing.T, c *Client, cause error) {
	t.Helper()
	start := time.Now()
	_, err := c.Exchange(t.Context(), alarm)
	if !errors.Is(err, net.ErrClosed) || !errors.Is(err, cause) {
		t.Errorf("after the failure: %v, want net.ErrClosed after %v", err, cause)
	}
	if d := time.Since(start); d != 0 {
		t.Errorf("a dead session answers after %v", d)
	}
	if !errors.Is(c.Err(), cause) {
		t.Errorf("Err() = %v, want %v", c.Err(), cause)
	}
	select {
	case <-c.Done():
	default:
		t.Error("Done is not closed")
	}
}

func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(func(c net.Conn) { io.Copy(io.Discard, c) })
		defer l.end()
		start := time.Now()
		c, err := Dial(t.Context(), l.open, "cnc:8193", Options{Timeout: 2 * time.Second})
		if c != nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Dial: %v, want a timeout", err)
		}
		if d := time.Since(start); d != 2*time.Second {
			t.Errorf("gave up after %v, want 2s", d)
		}
		if !l.near.Closed() {
			t.Error("the connection stays open")
		}
	})
}

func TestTimeoutEndsSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{}
		l := newLine(p.serve)
		defer l.end()
		c, err := Dial(t.Context(), l.open, "cnc:8193", Options{})
		if err != nil {
			t.Fatal(err)
		}
		l.near.In().Stall()
		start := time.Now()
		_, err = c.Exchange(t.Context(), alarm)
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != DefaultTimeout {
			t.Errorf("%v after %v, want a timeout after %v", err, time.Since(start), DefaultTimeout)
		}
		l.near.In().Resume() // the late answer must not be taken for the next one
		checkDead(t, c, os.ErrDeadlineExceeded)
	})
}

func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{}
		l := newLine(p.serve)
		defer l.end()
		c, err := Dial(t.Context(), l.open, "cnc:8193", Options{})
		if err != nil {
			t.Fatal(err)
		}
		before, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.Exchange(before, alarm); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled before: %v", err)
		}
		if _, err := c.Exchange(t.Context(), alarm); err != nil {
			t.Fatalf("a cancel before anything was sent ended the session: %v", err)
		}

		l.near.In().Stall()
		during, cancel := context.WithCancel(t.Context())
		failed := make(chan error, 2)
		go func() { _, err := c.Exchange(during, alarm); failed <- err }()
		synctest.Wait()
		waiting, giveUp := context.WithTimeout(t.Context(), time.Second)
		defer giveUp()
		if _, err := c.Exchange(waiting, alarm); !errors.Is(err, context.DeadlineExceeded) || c.Err() != nil {
			t.Errorf("a call that gave up in the queue: %v, session %v", err, c.Err())
		}
		cancel()
		if err := <-failed; !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled during: %v", err)
		}
		checkDead(t, c, context.Canceled)
	})
}

func TestDeadlineOfContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine((&peer{}).serve)
		defer l.end()
		c, err := Dial(t.Context(), l.open, "cnc:8193", Options{})
		if err != nil {
			t.Fatal(err)
		}
		l.near.In().Stall()
		ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
		defer cancel()
		start := time.Now()
		if _, err := c.Exchange(ctx, alarm); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if d := time.Since(start); d != 700*time.Millisecond {
			t.Errorf("gave up after %v, want 700ms", d)
		}
	})
}

// A peer that is no control, or stops being one, ends the dial with an error that says what it did.
func TestDialBadPeers(t *testing.T) {
	say := func(s string) func(net.Conn) {
		return func(c net.Conn) {
			io.ReadFull(c, make([]byte, 12))
			io.WriteString(c, s)
			c.Close()
		}
	}
	open := openReply30i(3, 1).AppendFrame(nil)
	long := slices.Clone(open)
	long[8], long[9] = 0xff, 0xff
	lie := slices.Clone(open)
	lie[focas.HeaderSize+11] = 9
	for _, row := range []struct {
		name  string
		serve func(net.Conn)
		want  error
	}{
		{"HTTP", say("HTTP/1.1 400 Bad Request\r\n\r\n"), focas.ErrMark},
		{"close at once", func(c net.Conn) { c.Close() }, nil}, // seen by the write or by the read
		{"close after the request", say(""), io.EOF},
		{"half a header", say(string(open[:5])), io.ErrUnexpectedEOF},
		{"half a body", say(string(open[:30])), io.ErrUnexpectedEOF},
		{"too long", say(string(long)), focas.ErrTooLong},
		{"more paths than bytes", say(string(lie)), focas.ErrOpenReply},
		{"another type", say(string(focas.AppendHeader(nil, 3, focas.TypeClose, focas.DirReply, 0))), ErrStale},
		{"a request", say("\xa0\xa0\xa0\xa0\x00\x03\x01\x01\x00\x02\x00\x00"), ErrStale},
		{"direction 7", say("\xa0\xa0\xa0\xa0\x00\x03\x01\x07\x00\x00"), focas.ErrDirection},
		{"refused by an error frame", say(string(focas.AppendErrorFrame(nil, 3, focas.TypeOpen, focas.ErrorBody{Code: focas.EWReject}))), &focas.Error{Code: focas.EWReject}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLine(row.serve)
				defer l.end()
				c, err := Dial(t.Context(), l.open, "cnc:8193", Options{})
				if c != nil || err == nil || row.want != nil && !errors.Is(err, row.want) {
					t.Errorf("Dial: %v, want %v", err, row.want)
				}
				if !l.near.Closed() {
					t.Error("the connection stays open")
				}
			})
		})
	}
	refused := errors.New("connection refused")
	if _, err := Dial(t.Context(), func(context.Context, string, string) (net.Conn, error) { return nil, refused }, "cnc:8193", Options{}); !errors.Is(err, refused) {
		t.Errorf("refused: %v", err)
	}
}

// An answer that does not fit the request ends the session, for what follows cannot be trusted.
func TestBadAnswers(t *testing.T) {
	reply := func(v focas.Version, ps ...focas.Reply) []byte { return focas.AppendReplies(nil, v, ps) }
	good := focas.Reply{Class: focas.ClassCNC, Path: 1, Func: focas.FuncAlarm, Payload: []byte{0, 0, 0, 1}}
	other, path, class := good, good, good
	other.Func, path.Path, class.Class = focas.FuncStatInfo, 2, focas.ClassPMC
	short := reply(3, good)
	short[8], short[9] = 0, byte(len(short)-focas.HeaderSize-1)
	count := reply(3, good)
	count[focas.HeaderSize+1] = 200
	request := reply(3, good)
	request[7] = 1
	push := reply(3, good)
	push[7] = 4
	for _, row := range []struct {
		name   string
		answer []byte
		want   error
	}{
		{"another function", reply(3, other), ErrEcho},
		{"another path", reply(3, path), ErrEcho},
		{"another class", reply(3, class), ErrEcho},
		{"a block too many", reply(3, good, good), ErrEcho},
		{"no block", reply(3), ErrEcho},
		{"a count above the blocks", count, ErrEcho},
		{"a body cut short", short[:len(short)-1], focas.ErrBlocks},
		{"another type", focas.AppendHeader(nil, 3, focas.TypeClose, focas.DirReply, 0), ErrStale},
		{"a stale frame behind it", append(reply(3, good), reply(3, good)...), ErrStale},
		{"an error frame with one behind it", append(focas.AppendErrorFrame(nil, 3, focas.TypeData, focas.ErrorBody{Code: 1}), reply(3, good)...), ErrStale},
		{"direction request", request, ErrStale},
		{"direction push", push, ErrStale},
		{"an error frame of four bytes", append(focas.AppendHeader(nil, 3, focas.TypeData, focas.DirError, 4), 0, 1, 0, 5), focas.ErrShort},
		{"a body above the version's limit", focas.AppendHeader(nil, 2, focas.TypeData, focas.DirReply, 1451), focas.ErrTooLong},
		{"garbage", bytes.Repeat([]byte{0x55}, 64), focas.ErrMark},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &peer{}
				l := newLine(p.serve)
				defer l.end()
				c, err := Dial(t.Context(), l.open, "cnc:8193", Options{})
				if err != nil {
					t.Fatal(err)
				}
				p.raw = func(f focas.Frame) ([]byte, bool) { return row.answer, f.Type == focas.TypeData }
				if _, err := c.Exchange(t.Context(), alarm); !errors.Is(err, row.want) {
					t.Errorf("%v, want %v", err, row.want)
				}
				checkDead(t, c, row.want)
				if !l.near.Closed() {
					t.Error("the connection stays open")
				}
			})
		})
	}
}

func TestLineFaults(t *testing.T) {
	t.Run("one byte at a time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := newLine((&peer{}).serve)
			defer l.end()
			l.near.In().Chunk(1)
			l.near.Out().Chunk(1)
			c, err := Dial(t.Context(), l.open, "cnc:8193", Options{})
			if err != nil {
				t.Fatal(err)
			}
			if replies, err := c.Exchange(t.Context(), alarm); err != nil || len(replies) != 1 {
				t.Errorf("%v, %v", replies, err)
			}
		})
	})
	t.Run("reset", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := newLine((&peer{}).serve)
			defer l.end()
			c, err := Dial(t.Context(), l.open, "cnc:8193", Options{})
			if err != nil {
				t.Fatal(err)
			}
			l.far.Reset()
			_, err = c.Exchange(t.Context(), alarm)
			if err == nil || c.Err() == nil {
				t.Errorf("after a reset: %v", err)
			}
		})
	})
	t.Run("cut inside a frame", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := newLine((&peer{}).serve)
			defer l.end()
			c, err := Dial(t.Context(), l.open, "cnc:8193", Options{})
			if err != nil {
				t.Fatal(err)
			}
			l.near.In().CutAfter(13)
			if _, err := c.Exchange(t.Context(), alarm); err == nil {
				t.Error("half a frame is an answer")
			}
			if _, err := c.Exchange(t.Context(), alarm); !errors.Is(err, net.ErrClosed) {
				t.Errorf("after it: %v", err)
			}
		})
	})
}

func TestClose(t *testing.T) {
	t.Run("twice and at once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := &peer{}
			closes := 0
			p.raw = func(f focas.Frame) ([]byte, bool) {
				if f.Type == focas.TypeClose {
					closes++
				}
				return nil, false
			}
			l := newLine(p.serve)
			c, err := Dial(t.Context(), l.open, "cnc:8193", Options{})
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() { c.Close(t.Context()) })
			}
			wg.Wait()
			c.Close(t.Context())
			l.end()
			if closes > 1 {
				t.Errorf("%d close requests", closes)
			}
			if _, err := c.Exchange(t.Context(), alarm); !errors.Is(err, net.ErrClosed) {
				t.Errorf("after Close: %v", err)
			}
		})
	})
	t.Run("silent peer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := newLine((&peer{}).serve)
			defer l.end()
			c, err := Dial(t.Context(), l.open, "cnc:8193", Options{})
			if err != nil {
				t.Fatal(err)
			}
			l.near.In().Stall()
			start := time.Now()
			c.Close(t.Context())
			if d := time.Since(start); d != closeWait || !l.near.Closed() {
				t.Errorf("Close took %v, want %v; closed %v", d, closeWait, l.near.Closed())
			}
		})
	})
	t.Run("during an exchange", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := newLine((&peer{}).serve)
			defer l.end()
			c, err := Dial(t.Context(), l.open, "cnc:8193", Options{})
			if err != nil {
				t.Fatal(err)
			}
			l.near.In().Stall()
			failed := make(chan error, 2)
			for range 2 { // one in flight, one in the queue
				go func() { _, err := c.Exchange(t.Context(), alarm); failed <- err }()
			}
			synctest.Wait()
			start := time.Now()
			c.Close(t.Context())
			for range 2 {
				if err := <-failed; !errors.Is(err, net.ErrClosed) {
					t.Errorf("exchange during Close: %v, want net.ErrClosed", err)
				}
			}
			if d := time.Since(start); d != closeWait {
				t.Errorf("Close took %v", d)
			}
		})
	})
	t.Run("with a context that has ended", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := newLine((&peer{}).serve)
			defer l.end()
			c, err := Dial(t.Context(), l.open, "cnc:8193", Options{})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			c.Close(ctx)
			if !l.near.Closed() {
				t.Error("the connection stays open")
			}
		})
	})
}

// Many callers share a session: each gets its own answer, and never are two requests in flight.
func TestConcurrentCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{}
		p.answer = func(qs []focas.Request) []focas.Reply {
			time.Sleep(time.Millisecond) // simulated
			return []focas.Reply{echo(qs[0], []byte{0, 0, 0, byte(qs[0].Args[0])})}
		}
		l := newLine(p.serve)
		c, err := Dial(t.Context(), l.open, "cnc:8193", Options{})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				q := focas.Request{Class: focas.ClassCNC, Path: 1, Func: focas.FuncAlarm, Args: [4]int32{int32(i)}}
				replies, err := c.Exchange(t.Context(), []focas.Request{q})
				if err != nil || int(replies[0].Payload[3]) != i {
					t.Errorf("caller %d: %v, %v", i, replies, err)
				}
			})
		}
		wg.Wait()
		if d := time.Since(start); d != 50*time.Millisecond {
			t.Errorf("50 exchanges of 1ms took %v: they were not one after another", d)
		}
		if s := c.Stats(); s.Exchanges != 51 || s.LastRoundTrip != time.Millisecond || s.MaxRoundTrip != time.Millisecond {
			t.Errorf("Stats() = %+v", s)
		}
		c.Close(t.Context())
		l.end()
	})
}

// A control that refuses to say who it is can be talked to all the same.
func TestRefusedIdentity(t *testing.T) {
	for name, frame := range map[string]bool{"block": false, "frame": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &peer{}
				p.raw = func(f focas.Frame) ([]byte, bool) {
					if f.Type != focas.TypeData {
						return nil, false
					}
					if frame {
						return focas.AppendErrorFrame(nil, 3, focas.TypeData, focas.ErrorBody{Code: focas.EWFunc}), true
					}
					r := echo(focas.SysInfoRequest(1), nil)
					r.Code = focas.EWFunc
					return focas.AppendReplies(nil, 3, []focas.Reply{r}), true
				}
				l := newLine(p.serve)
				defer l.end()
				c, err := Dial(t.Context(), l.open, "cnc:8193", Options{})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := c.SysInfo(1); !errors.Is(err, &focas.Error{Code: focas.EWFunc}) {
					t.Errorf("SysInfo: %v", err)
				}
			})
		})
	}
}
