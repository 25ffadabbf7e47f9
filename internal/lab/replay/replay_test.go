package replay

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/transcript"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// session is a recording of one FOCAS session, made by hand: open, two questions in one frame each, close.
func session(t testing.TB, axis byte) *transcript.Transcript {
	t.Helper()
	value := []byte{0, 0, 0, axis, 0, 10, 0, 3}
	reply := func(f focas.Func, payload []byte) []byte {
		return focas.AppendReplies(nil, 3, []focas.Reply{{Class: focas.ClassCNC, Path: 1, Func: f, Payload: payload}})
	}
	o := focas.OpenReply{Version: 3, MaxAxes: 32, Axes: 3, Records: []focas.PathRecord{{System: 1, Axes: 3}}}
	axes := focas.AxisRequest(1, focas.AxisAbsolute, 1)
	macro := focas.Request{Class: focas.ClassCNC, Path: 1, Func: focas.FuncReadMacro, Args: [4]int32{100, 100}}
	tr := &transcript.Transcript{Header: transcript.Header{Protocol: "focas"}}
	at := time.Duration(0)
	add := func(dir transcript.Direction, kind transcript.Kind, text string, b []byte) {
		tr.Events = append(tr.Events, transcript.Event{Flow: 1, Dir: dir, Offset: at, Kind: kind, Text: text, Data: b})
		at += time.Second
	}
	add(transcript.Neither, transcript.Open, "tcp 192.0.2.21:8193", nil)
	add(transcript.FromClient, transcript.Data, "", focas.AppendOpenRequest(nil, 2))
	add(transcript.FromServer, transcript.Data, "", o.AppendFrame(nil))
	add(transcript.FromClient, transcript.Data, "", focas.AppendRequests(nil, []focas.Request{axes}))
	add(transcript.FromServer, transcript.Data, "", reply(focas.FuncReadAxis, value))
	add(transcript.FromClient, transcript.Data, "", focas.AppendRequests(nil, []focas.Request{macro}))
	add(transcript.FromServer, transcript.Data, "", reply(focas.FuncReadMacro, []byte{0, 0, 4, 210, 0, 10, 0, 3}))
	add(transcript.FromClient, transcript.Data, "", focas.AppendCloseRequest(nil))
	add(transcript.FromServer, transcript.Data, "", focas.AppendHeader(nil, 3, focas.TypeClose, focas.DirReply, 0))
	add(transcript.FromClient, transcript.Close, "", nil)
	add(transcript.FromServer, transcript.Close, "", nil)
	return tr
}

// both plays the client of one recording against the server of another.
func both(t *testing.T, client, server *transcript.Transcript, o Options) (Result, error, error) {
	t.Helper()
	l := testnet.Listen()
	defer l.Close()
	done := make(chan error, 1)
	go func() {
		_, err := Listen(t.Context(), server, l, o)
		done <- err
	}()
	res, err := Connect(t.Context(), client, func(ctx context.Context) (net.Conn, error) { return l.Dial(ctx) }, o)
	return res, err, <-done
}

// TestMeasuredRecordings plays both sides of each recording of the project against each other.
func TestMeasuredRecordings(t *testing.T) {
	files, err := filepath.Glob("../../../protocol/focas/testdata/transcripts/*.transcript")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		tr, err := transcript.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, tolerant := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				res, err1, err2 := both(t, tr, tr, Options{Fast: true, Tolerant: tolerant})
				if err1 != nil || err2 != nil {
					t.Errorf("%s, tolerant %v: %v; %v", name, tolerant, err1, err2)
				}
				var want int64
				for _, f := range tr.Flows() {
					want += int64(len(tr.Bytes(f, transcript.FromServer)))
				}
				if res.Received != want || res.Messages == 0 {
					t.Errorf("%s: %+v, want %d bytes", name, res, want)
				}
			})
		}
	}
}

func TestTimes(t *testing.T) {
	for fast, want := range map[bool]time.Duration{false: 9 * time.Second, true: 0} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			// What was recorded to come a second later may take that second, whatever the time-out.
			_, err1, err2 := both(t, session(t, 1), session(t, 1), Options{Fast: fast, Timeout: 500 * time.Millisecond})
			if err1 != nil || err2 != nil {
				t.Error(err1, err2)
			}
			if took := time.Since(start); took < want || took > want+2*time.Second {
				t.Errorf("fast %v took %v", fast, took)
			}
		})
	}
}

func TestDifferences(t *testing.T) {
	change := func(event, at int, to byte) *transcript.Transcript {
		tr := session(t, 1)
		tr.Events[event].Data[at] = to
		return tr
	}
	for _, tc := range []struct {
		name     string
		server   *transcript.Transcript
		o        Options
		ok       bool
		offset   int64
		message  int
		field    string
		want     string // of the error
		tolerate int
	}{
		{"the same", session(t, 1), Options{}, true, 0, 0, "", "", 0},
		{"a live value, strict", session(t, 9), Options{}, false, 82 + 31, 2, "block 1.payload.value 1", "recorded [01", 0},
		{"a live value, tolerant", session(t, 9), Options{Tolerant: true}, true, 0, 0, "", "", 1},
		{"the open reply", change(2, 10+10+1, 2), Options{Tolerant: true}, false, -1, 1, "", "open reply", 0},
		{"a macro, tolerant", change(6, 28+3, 9), Options{Tolerant: true}, false, -1, 3, "block 1.payload.value 1", "cnc_rdmacro", 0},
		{"a macro, ignored", change(6, 28+3, 9), Options{Tolerant: true, Ignore: []string{"block *.payload.value *"}}, true, 0, 0, "", "", 1},
		{"a code", change(4, 12+9, 6), Options{Tolerant: true}, false, -1, 2, "block 1.code", "", 0},
		{"the mark", change(4, 0, 0), Options{Tolerant: true}, false, 82, 2, "", "", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tc.o.Fast, tc.o.Timeout = true, time.Second
				res, err, _ := both(t, session(t, 1), tc.server, tc.o)
				if tc.ok {
					n := 0
					for _, x := range res.Tolerated {
						n += x
					}
					if err != nil || n != tc.tolerate {
						t.Errorf("%v, %+v", err, res)
					}
					return
				}
				var d *Difference
				if !errors.As(err, &d) {
					t.Fatalf("%v", err)
				}
				if tc.offset >= 0 && d.Offset != tc.offset || d.Message != tc.message || tc.field != "" && d.Field != tc.field || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("%v\n%+v", err, d)
				}
				if len(d.Want) == 0 || len(d.Got) == 0 {
					t.Errorf("bytes are not shown: %+v", d)
				}
			})
		})
	}
}

// far plays a recorded client against a server of the test's own.
func far(t *testing.T, o Options, serve func(*testnet.Conn)) (Result, error) {
	t.Helper()
	a, b := testnet.Pipe(0)
	done := make(chan struct{})
	go func() {
		defer close(done)
		serve(b)
		b.Close()
	}()
	res, err := Connect(t.Context(), session(t, 1), func(context.Context) (net.Conn, error) { return a, nil }, o)
	<-done
	return res, err
}

func TestWrongPeers(t *testing.T) {
	for _, tc := range []struct {
		name  string
		serve func(*testnet.Conn)
		class driver.Class
		want  string
	}{
		{"silent", func(c *testnet.Conn) { _, _ = io.Copy(io.Discard, c) }, driver.Timeout, "said no more after byte 0, message 1 (open reply"},
		{"closes", func(c *testnet.Conn) { _, _ = c.Read(make([]byte, 100)) }, driver.Closed, "said no more after byte 0"},
		{"resets", func(c *testnet.Conn) { _, _ = c.Read(make([]byte, 100)); c.Reset() }, driver.Closed, "said no more"},
		{"half a reply", func(c *testnet.Conn) {
			_, _ = c.Read(make([]byte, 100))
			_, _ = c.Write(session(t, 1).Events[2].Data[:20])
		}, driver.Closed, "message 1"},
	} {
		for _, tolerant := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				_, err := far(t, Options{Fast: true, Timeout: time.Second, Tolerant: tolerant}, tc.serve)
				if err == nil || driver.ClassOf(err) != tc.class || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("%s, tolerant %v: %v (%v)", tc.name, tolerant, err, driver.ClassOf(err))
				}
			})
		}
	}
	synctest.Test(t, func(t *testing.T) { // the wrong device altogether
		_, err := far(t, Options{Fast: true}, func(c *testnet.Conn) {
			_, _ = c.Read(make([]byte, 100))
			_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
		})
		var d *Difference
		if !errors.As(err, &d) || d.Offset != 0 || d.Field != "mark" || string(d.Got[:5]) != "HTTP/" {
			t.Errorf("%v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // it says all that was recorded, and more
		_, err := far(t, Options{Fast: true}, func(c *testnet.Conn) {
			for _, e := range session(t, 1).Events {
				if e.Dir == transcript.FromServer && e.Kind == transcript.Data {
					_, _ = c.Write(e.Data)
				}
			}
			_, _ = c.Write([]byte("more"))
			_, _ = io.Copy(io.Discard, c)
		})
		var d *Difference
		if !errors.As(err, &d) || string(d.Got) != "more" || len(d.Want) != 0 {
			t.Errorf("%v", err)
		}
	})
}

func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
		defer cancel()
		l := testnet.Listen()
		start := time.Now()
		_, err := Listen(ctx, session(t, 1), l, Options{})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 3500*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestRecordingsThatCannotBePlayed(t *testing.T) {
	dial := func(context.Context) (net.Conn, error) { return nil, errors.New("dialled") }
	for name, tc := range map[string]struct {
		events []transcript.Event
		o      Options
		want   error
	}{
		"nothing":   {nil, Options{}, ErrEmpty},
		"datagrams": {[]transcript.Event{{Flow: 1, Dir: transcript.FromClient, Kind: transcript.Datagram, Data: []byte("x")}}, Options{}, ErrDatagrams},
		"protocol":  {[]transcript.Event{{Flow: 1, Dir: transcript.FromClient, Kind: transcript.Data, Data: []byte("x")}}, Options{Tolerant: true}, ErrProtocol},
	} {
		if _, err := Connect(t.Context(), &transcript.Transcript{Events: tc.events}, dial, tc.o); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Any pair of messages can be compared.
func FuzzTolerate(f *testing.F) {
	s := session(f, 1)
	f.Add(s.Events[4].Data, s.Events[6].Data)
	f.Add(s.Events[2].Data, bytes.Repeat([]byte{0xa0}, 30))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		proto := protocolOf("focas")
		apart := func(b []byte) []transcript.Message {
			tr := &transcript.Transcript{Events: []transcript.Event{{Flow: 1, Dir: transcript.FromServer, Kind: transcript.Data, Data: b}}}
			return takeApart(tr, proto).messages[side{1, transcript.FromServer}]
		}
		r := &recorded{proto: proto}
		x, y := apart(a), apart(b)
		for i := range x {
			if d, _ := r.tolerate(&x[i], &x[i], 1, nil); d != nil {
				t.Errorf("a message differs from itself: %v", d)
			}
			if i < len(y) {
				r.tolerate(&x[i], &y[i], 1, []string{"*"})
			}
		}
	})
}
