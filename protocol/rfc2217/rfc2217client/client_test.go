package rfc2217client

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/rfc2217"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// peer answers like a server that is peculiar: mute holds the codes it never answers.
func peer(conn net.Conn, comPort byte, mute func(*rfc2217.Message) bool) {
	defer conn.Close()
	var d rfc2217.Decoder
	b := make([]byte, 4096)
	s := rfc2217.Settings{Baud: 300}
	for {
		n, err := conn.Read(b)
		for rest := b[:n]; len(rest) > 0; {
			var it rfc2217.Item
			it, rest = d.Next(rest)
			switch it.Kind {
			case rfc2217.Negotiate:
				switch {
				case it.Option == rfc2217.OptComPort && it.Verb == rfc2217.WILL && comPort != 0:
					conn.Write([]byte{rfc2217.IAC, comPort, it.Option})
				case it.Option == rfc2217.OptTimingMark && comPort != 0:
					conn.Write([]byte{rfc2217.IAC, rfc2217.WONT, it.Option}) // as servers do that never heard of it
				}
			case rfc2217.Sub:
				m, err := rfc2217.ParseMessage(it.Data)
				if err != nil || mute(&m) {
					continue
				}
				var asked rfc2217.Settings
				asked.Take(&m)
				s = asked.Over(s)
				a := s.Answer(&m)
				conn.Write(a.AppendTo(nil))
			}
		}
		if err != nil {
			return
		}
	}
}

func dial(t *testing.T, comPort byte, mute func(*rfc2217.Message) bool) (*Client, *testnet.Conn, error) {
	t.Helper()
	client, server := testnet.Pipe(1 << 20)
	go peer(server, comPort, mute)
	c, err := Dial(t.Context(), func(context.Context, string, string) (net.Conn, error) { return client, nil }, "box:1", Options{})
	return c, server, err
}

func TestServersThatDoNotDoIt(t *testing.T) {
	for name, say := range map[string]byte{"refuses": rfc2217.DONT, "is silent": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				_, _, err := dial(t, say, nil)
				if !errors.Is(err, ErrNoComPort) || !strings.Contains(err.Error(), "box:1") {
					t.Errorf("%v", err)
				}
				if took := time.Since(began); say != 0 && took != 0 || say == 0 && took != DefaultTimeout {
					t.Errorf("took %v", took)
				}
			})
		})
	}
	refused := errors.New("nobody listens")
	if _, err := Dial(t.Context(), func(context.Context, string, string) (net.Conn, error) { return nil, refused }, "x", Options{}); !errors.Is(err, refused) {
		t.Error(err)
	}
}

// ser2net on a PTY answers neither DTR nor RTS (seen). The first change waits a little, later ones do not, and what was asked for
// counts as in force.
func TestServersWithoutModemLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, err := dial(t, rfc2217.DO, func(m *rfc2217.Message) bool {
			return m.Code == rfc2217.SetControl && rfc2217.Control(m.Value).Topic() != rfc2217.ControlFlowAsk
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for i, want := range []time.Duration{DefaultControlTimeout, 0} {
			began := time.Now()
			s, err := c.Set(t.Context(), rfc2217.Settings{Baud: 9600, DTR: rfc2217.ControlDTROn})
			if err != nil || s.Baud != 9600 || s.DTR != rfc2217.ControlDTROn {
				t.Errorf("%+v %v", s, err)
			}
			if took := time.Since(began); took != want {
				t.Errorf("change %d took %v, want %v", i, took, want)
			}
		}
		if e, err := c.Event(t.Context()); err != nil || e != (Event{}) {
			t.Errorf("%v %v", e, err)
		}
	})
}

// gensiot 2.6.2 crashes when a client asks who it is (see the tests of internal/cli with peers).
func TestServersThatDoNotBearTheQuestion(t *testing.T) {
	for _, ask := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			client, server := testnet.Pipe(1 << 20)
			go peer(server, rfc2217.DO, func(m *rfc2217.Message) bool {
				if m.Code == rfc2217.Signature {
					server.Close()
				}
				return false
			})
			c, err := Dial(t.Context(), func(context.Context, string, string) (net.Conn, error) { return client, nil }, "box:1", Options{NoSignature: !ask})
			if ask != errors.Is(err, ErrAsked) || ask && !strings.Contains(err.Error(), "box:1") {
				t.Errorf("asked: %v, %v", ask, err)
			}
			if err == nil {
				if s := c.Settings(); s.Baud != 300 || c.Signature() != "" {
					t.Errorf("%+v %q", s, c.Signature())
				}
				c.Close()
			}
		})
	}
}

func TestASettingWithoutAnswerIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, err := dial(t, rfc2217.DO, func(m *rfc2217.Message) bool {
			return m.Code == rfc2217.SetBaudRate && m.Value != 0 || m.Code == rfc2217.PurgeData
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if s, err := c.Set(t.Context(), rfc2217.Settings{Baud: 9600, Data: 7}); !errors.Is(err, ErrNoAnswer) || s.Baud != 300 || s.Data != 7 || !strings.Contains(err.Error(), "SET-BAUDRATE") {
			t.Errorf("%+v %v", s, err)
		}
		if err := c.Purge(t.Context(), rfc2217.PurgeBoth); !errors.Is(err, ErrNoAnswer) {
			t.Error(err)
		}
		if s, err := c.Set(t.Context(), rfc2217.Settings{Data: 8}); err != nil || s.Data != 8 {
			t.Errorf("after that: %+v %v", s, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.Set(ctx, rfc2217.Settings{Baud: 1}); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// The network dies without a word. What a server has told about cannot change unanswered, and the end comes by its silence, also
// while bytes are on their way, where only the network itself can tell it from a server that holds them up.
func TestSilentNetwork(t *testing.T) {
	for _, row := range []struct {
		name       string
		busy       bool
		unanswered bool // the network says so
		dies       bool
	}{
		{"idle", false, false, true},
		{"busy", true, true, true},
		{"held up", true, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := testnet.Pipe(1 << 20)
				go marking(server)
				var since atomic.Pointer[time.Time] // the client looks while the test goes on
				c, err := Dial(t.Context(), func(context.Context, string, string) (net.Conn, error) { return client, nil }, "box:1",
					Options{Unanswered: func(conn net.Conn) time.Duration {
						began := since.Load()
						if conn != client || began == nil || !row.unanswered {
							return 0
						}
						return time.Since(*began)
					}})
				if err != nil {
					t.Fatal(err)
				}
				defer client.Out().Resume() // the server sees the end
				defer c.Close()
				if _, err := c.Set(t.Context(), rfc2217.Settings{DTR: rfc2217.ControlDTROn}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Hour)
				client.In().Stall()
				client.Out().Stall()
				began := time.Now()
				since.Store(&began)
				if row.busy {
					c.Write([]byte("on its way"))
				}
				if s, err := c.Set(t.Context(), rfc2217.Settings{DTR: rfc2217.ControlDTROff}); !errors.Is(err, ErrNoAnswer) || s.DTR != rfc2217.ControlDTROn {
					t.Errorf("a line changes: %+v, %v", s, err)
				}
				select {
				case <-c.Done():
				case <-time.After(time.Hour):
				}
				took := time.Since(began)
				if row.dies != errors.Is(c.Err(), ErrSilent) || row.dies && took > 2*DefaultKeepAlive {
					t.Errorf("after %v: %v", took, c.Err())
				}
			})
		})
	}
}

// marking is a server that answers everything, timing marks too.
func marking(conn net.Conn) {
	mine, theirs := testnet.Pipe(1 << 20)
	go peer(theirs, rfc2217.DO, func(*rfc2217.Message) bool { return false })
	go io.Copy(conn, mine)
	defer mine.Close()
	defer conn.Close()
	b := make([]byte, 4096)
	for {
		n, err := conn.Read(b)
		mine.Write(bytes.ReplaceAll(b[:n], timingMark[:], nil))
		for range bytes.Count(b[:n], timingMark[:]) {
			conn.Write([]byte{rfc2217.IAC, rfc2217.WILL, rfc2217.OptTimingMark})
		}
		if err != nil {
			return
		}
	}
}

// What is on its way when the link dies stays counted.
func TestUnackedAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, server, err := dial(t, rfc2217.DO, func(*rfc2217.Message) bool { return false })
		if err != nil {
			t.Fatal(err)
		}
		c.Write([]byte("taken"))
		synctest.Wait()
		if n := c.Unacked(); n != 0 {
			t.Errorf("%d bytes are unacknowledged though the server has answered", n)
		}
		server.In().Stall()
		c.Write([]byte("lost\xff"))
		synctest.Wait()
		if n := c.Unacked(); n != 5 {
			t.Errorf("%d bytes are unacknowledged, want 5", n)
		}
		server.Reset()
		<-c.Done()
		if _, err := c.Write([]byte("x")); err == nil || c.Err() == nil {
			t.Error("a dead link takes bytes")
		}
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Error("a dead link gives bytes")
		}
		if err := c.Drain(t.Context()); err == nil {
			t.Error("a dead link is drained")
		}
		if n := c.Unacked(); n != 5 {
			t.Errorf("%d bytes after the end, want 5", n)
		}
		c.Close()
	})
}

// A reader that takes nothing holds the server up, and what had come is there after the end.
func TestTheReaderIsInCharge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, server, err := dial(t, rfc2217.DO, func(*rfc2217.Message) bool { return false })
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		data := make([]byte, 200<<10)
		for i := range data {
			data[i] = byte(i * 7)
		}
		wire := rfc2217.AppendData(nil, data, false)
		go server.Write(wire)
		synctest.Wait()
		if written, read := c.conn.(*testnet.Conn).In().Counts(); read > bufferSize+(16<<10)+4096 {
			t.Errorf("%d bytes were taken of %d though nobody reads", read, written)
		}
		got := make([]byte, len(data))
		if _, err := io.ReadFull(c, got); err != nil || string(got) != string(data) {
			t.Errorf("%v", err)
		}
		go func() { server.Write([]byte("last")); server.Close() }()
		if last, err := io.ReadAll(c); err != nil || string(last) != "last" {
			t.Errorf("%q %v", last, err)
		}
	})
}

// Ask asks for what the server has told before and for nothing else. A server that has fallen silent is an error; one that is
// held up is left alone.
func TestAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, silent := map[rfc2217.Code]int{}, false
		c, server, err := dial(t, rfc2217.DO, func(m *rfc2217.Message) bool { asked[m.Code]++; return silent })
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Set(t.Context(), rfc2217.Settings{RTS: rfc2217.ControlRTSOn}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // the server is through with what was asked before
		clear(asked)
		if err := c.Ask(t.Context()); err != nil || len(asked) != 2 || asked[rfc2217.SetBaudRate] != 1 || asked[rfc2217.SetControl] != 1 {
			t.Errorf("%v, asked %v", err, asked)
		}
		synctest.Wait()
		silent = true
		if err := c.Ask(t.Context()); !errors.Is(err, ErrNoAnswer) {
			t.Errorf("a silent server: %v", err)
		}
		c.Write([]byte("x"))
		synctest.Wait()
		server.In().Stall()
		c.Write([]byte("held up"))
		clear(asked)
		if err := c.Ask(t.Context()); err != nil || len(asked) != 0 {
			t.Errorf("a server that takes nothing: %v, asked %v", err, asked)
		}
		server.Reset()
		<-c.Done()
		if err := c.Ask(t.Context()); err == nil {
			t.Error("a dead link answers")
		}
	})
}

// The answer to a request that was given up does not pass for the answer to the next one.
func TestLateAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var slow atomic.Bool
		c, _, err := dial(t, rfc2217.DO, func(*rfc2217.Message) bool {
			if slow.Load() {
				time.Sleep(time.Second)
			}
			return false
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		synctest.Wait() // the server is through with the opening
		slow.Store(true)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		if _, err := c.Set(ctx, rfc2217.Settings{Baud: 1200}); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		for _, baud := range []uint32{2400, 4800} {
			if s, err := c.Set(t.Context(), rfc2217.Settings{Baud: baud}); err != nil || s.Baud != baud {
				t.Errorf("%d: in force is %d, %v", baud, s.Baud, err)
			}
		}
	})
}

// A server that wants no data gets none until it says so, and one that asks who we are is told, once for each time.
func TestWhatServersAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := testnet.Pipe(1 << 20)
		var told []string
		go peer(server, rfc2217.DO, func(m *rfc2217.Message) bool {
			if m.Code == rfc2217.Signature && len(m.Text) > 0 {
				told = append(told, string(m.Text))
				return true
			}
			return false
		})
		c, err := Dial(t.Context(), func(context.Context, string, string) (net.Conn, error) { return client, nil }, "box:1", Options{Signature: "us"})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		say := func(code rfc2217.Code) {
			m := rfc2217.Message{Code: code, Server: true}
			server.Write(m.AppendTo(nil))
			synctest.Wait()
		}
		for range 2 {
			say(rfc2217.Signature)
		}
		if len(told) != 2 || told[0] != "us" {
			t.Errorf("we called ourselves %q", told)
		}
		say(rfc2217.FlowControlSuspend)
		before, _ := client.Out().Counts()
		written := make(chan error, 1)
		go func() { _, err := c.Write([]byte("held")); written <- err }()
		time.Sleep(time.Second)
		if after, _ := client.Out().Counts(); after != before {
			t.Errorf("%d bytes went to a server that had suspended us", after-before)
		}
		say(rfc2217.FlowControlResume)
		if err := <-written; err != nil {
			t.Error(err)
		}
		if after, _ := client.Out().Counts(); after < before+4 {
			t.Errorf("%d bytes went out when it resumed", after-before)
		}
	})
}
