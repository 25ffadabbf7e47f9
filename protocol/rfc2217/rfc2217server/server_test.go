package rfc2217server_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/rfc2217"
	"github.com/patchbay-io/patchbay/protocol/rfc2217/rfc2217client"
	"github.com/patchbay-io/patchbay/protocol/rfc2217/rfc2217server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// port is a serial port whose line is a pair of pipes.
type port struct {
	io.Reader // from the line
	io.Writer // to the line
	closers   []io.Closer

	mu     sync.Mutex
	in     rfc2217.Settings
	purged []rfc2217.Purge
	asked  []rfc2217.Settings
	events chan [2]byte
	fail   error
}

func (p *port) Set(_ context.Context, s rfc2217.Settings) (rfc2217.Settings, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s != (rfc2217.Settings{}) {
		p.asked = append(p.asked, s)
	}
	if s.Data == 5 || s.Data == 6 { // as a DeviceMaster: the value in force is the answer
		s.Data = 0
	}
	p.in = s.Over(p.in)
	return p.in, p.fail
}

func (p *port) Purge(_ context.Context, what rfc2217.Purge) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.purged = append(p.purged, what)
	return nil
}

func (p *port) Event(ctx context.Context) (rfc2217.ModemState, rfc2217.LineState, error) {
	select {
	case e := <-p.events:
		return rfc2217.ModemState(e[0]), rfc2217.LineState(e[1]), nil
	case <-ctx.Done():
		return 0, 0, ctx.Err()
	}
}

func (p *port) close() {
	for _, c := range p.closers {
		c.Close()
	}
}

// rig is a client of a server in front of a port; line is the other end of the port.
type rig struct {
	port   *port
	line   *testnet.Conn
	conn   *testnet.Conn // the client's end
	stats  rfc2217server.Stats
	served chan error
}

func newRig(t *testing.T) *rig {
	line, end := testnet.Pipe(4096)
	p := &port{Reader: end, Writer: end, closers: []io.Closer{line, end}, events: make(chan [2]byte, 8),
		in: rfc2217.Settings{Baud: 9600, Data: 8, Parity: rfc2217.ParityNone, Stop: rfc2217.Stop1, Flow: rfc2217.ControlFlowNone}}
	client, server := testnet.Pipe(4096)
	r := &rig{port: p, line: line, conn: client, served: make(chan error, 1)}
	go func() {
		s, err := rfc2217server.Serve(t.Context(), server, p, rfc2217server.Options{Signature: "test port"}, p.close)
		r.stats = s
		r.served <- err
	}()
	return r
}

func (r *rig) dial(t *testing.T, o rfc2217client.Options) *rfc2217client.Client {
	t.Helper()
	c, err := rfc2217client.Dial(t.Context(), func(context.Context, string, string) (net.Conn, error) { return r.conn, nil }, "test:2217", o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (r *rig) end(t *testing.T) {
	t.Helper()
	r.conn.Close()
	if err := <-r.served; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

var all = func() []byte {
	b := make([]byte, 1<<10)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}()

func TestClientAndServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.port.events <- [2]byte{byte(rfc2217.ModemCTS | rfc2217.ModemDSR), 0}
		c := r.dial(t, rfc2217client.Options{})
		if c.Signature() != "test port" || c.Addr() != "test:2217" {
			t.Errorf("signature %q", c.Signature())
		}
		if got := c.Settings(); got.Baud != 9600 || got.Data != 8 || got.Flow != rfc2217.ControlFlowNone {
			t.Errorf("in force at first: %+v", got)
		}
		if len(r.port.asked) != 0 {
			t.Errorf("connecting changed %+v", r.port.asked)
		}
		want := rfc2217.Settings{Baud: 115200, Data: 7, Parity: rfc2217.ParityEven, Stop: rfc2217.Stop2, Flow: rfc2217.ControlFlowRtsCts,
			Break: rfc2217.ControlBreakOff, DTR: rfc2217.ControlDTROn, RTS: rfc2217.ControlRTSOff}
		got, err := c.Set(t.Context(), want)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if got, err := c.Set(t.Context(), rfc2217.Settings{Data: 5}); err != nil || got.Data != 7 {
			t.Errorf("what cannot be is answered with %+v, %v", got, err)
		}
		for _, what := range []rfc2217.Purge{1, 2, 3} {
			if err := c.Purge(t.Context(), what); err != nil {
				t.Error(err)
			}
		}
		if diff := cmp.Diff([]rfc2217.Purge{1, 2, 3}, r.port.purged); diff != "" {
			t.Error(diff)
		}

		if n, err := c.Write(all); n != len(all) || err != nil {
			t.Fatal(n, err)
		}
		back := make([]byte, len(all))
		if _, err := io.ReadFull(r.line, back); err != nil || !bytes.Equal(back, all) {
			t.Errorf("to the line: %v", err)
		}
		if err := c.Drain(t.Context()); err != nil || c.Unacked() != 0 {
			t.Errorf("%v, %d unacknowledged", err, c.Unacked())
		}
		r.line.Write(all)
		clear(back)
		if _, err := io.ReadFull(c, back); err != nil || !bytes.Equal(back, all) {
			t.Errorf("from the line: %v", err)
		}
		c.Close()
		c.Close()
		r.end(t)
		if r.stats.In != 1024 || r.stats.Out != 1024 || r.stats.Bad != 0 {
			t.Errorf("%+v", r.stats)
		}
		if _, err := c.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("writing after Close: %v", err)
		}
		if _, err := c.Read(back); !errors.Is(err, net.ErrClosed) {
			t.Errorf("reading after Close: %v", err)
		}
	})
}

func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.port.events <- [2]byte{byte(rfc2217.ModemCTS), 0}
		c := r.dial(t, rfc2217client.Options{})
		defer r.end(t)
		defer c.Close()
		e, err := c.Event(t.Context())
		if err != nil || e.Modem.Lines() != rfc2217.ModemCTS {
			t.Errorf("at first: %v %v", e, err)
		}
		r.port.events <- [2]byte{byte(rfc2217.ModemCTS | rfc2217.ModemCD), 0}
		if e, err = c.Event(t.Context()); err != nil || e.Modem != rfc2217.ModemCTS|rfc2217.ModemCD|rfc2217.ModemDeltaCD {
			t.Errorf("carrier comes: %v %v", e, err)
		}
		r.port.events <- [2]byte{byte(rfc2217.ModemCTS | rfc2217.ModemCD), byte(rfc2217.LineBreak | rfc2217.LineDataReady)}
		if e, err = c.Event(t.Context()); err != nil || e.Line != rfc2217.LineBreak {
			t.Errorf("a break: %v %v", e, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if e, err = c.Event(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("nothing happens, and Event says %v, %v", e, err)
		}
	})
}

// A write stops while the far end takes nothing, goes on when it does, and loses nothing to a deadline.
func TestBackPressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.port.events <- [2]byte{}
		c := r.dial(t, rfc2217client.Options{})
		defer r.end(t)
		defer c.Close()
		data := bytes.Repeat([]byte{255, 1, 255, 255}, 25_000)
		sent := 0
		c.SetDeadline(time.Now().Add(time.Second))
		n, err := c.Write(data)
		sent += n
		if !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 || n == len(data) {
			t.Fatalf("a full line takes %d bytes, %v", n, err)
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Read: %v", err)
		}
		var got []byte
		done := make(chan struct{})
		go func() {
			defer close(done)
			b := make([]byte, 777)
			for len(got) < len(data) {
				n, err := r.line.Read(b)
				got = append(got, b[:n]...)
				if err != nil {
					return
				}
			}
		}()
		for sent < len(data) { // with a deadline that cuts pieces anywhere
			c.SetDeadline(time.Now().Add(time.Microsecond))
			n, err := c.Write(data[sent:min(len(data), sent+9_001)])
			sent += n
			if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal(err)
			}
		}
		c.SetDeadline(time.Time{})
		<-done
		if !bytes.Equal(got, data) {
			t.Errorf("%d of %d bytes, or others", len(got), len(data))
		}
		if err := c.Drain(t.Context()); err != nil || c.Unacked() != 0 {
			t.Errorf("%v, %d unacknowledged", err, c.Unacked())
		}
	})
}

func TestSuspendAndResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.port.events <- [2]byte{}
		c := r.dial(t, rfc2217client.Options{})
		defer r.end(t)
		defer c.Close()
		if err := c.Suspend(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		r.line.Write([]byte("held"))
		c.SetReadDeadline(time.Now().Add(time.Minute))
		if n, err := c.Read(make([]byte, 9)); err == nil {
			t.Errorf("%d bytes come while the server is suspended", n)
		}
		if err := c.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.SetReadDeadline(time.Now().Add(time.Minute))
		b := make([]byte, 9)
		if n, err := c.Read(b); err != nil || string(b[:n]) != "held" {
			t.Errorf("%q, %v", b[:n], err)
		}
	})
}

// What an RFC 2217 server must say to pyserial (seen): an answer to every control, and the modem lines once.
func TestEveryControlIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.port.events <- [2]byte{byte(rfc2217.ModemCTS), 0}
		defer r.end(t)
		defer r.conn.Close()
		r.conn.Write([]byte("\xff\xfd\x01\xff\xfb\x03\xff\xfd\x03\xff\xfd\x2c\xff\xfb\x2c")) // pyserial 3.5
		synctest.Wait()
		for v := range 25 {
			m := rfc2217.Message{Code: rfc2217.SetControl, Value: uint32(v)}
			r.conn.Write(m.AppendTo(nil))
		}
		for _, code := range []rfc2217.Code{rfc2217.SetLineStateMask, rfc2217.SetModemStateMask, rfc2217.NotifyModemState, rfc2217.NotifyLineState, rfc2217.PurgeData,
			rfc2217.SetBaudRate, rfc2217.SetDataSize, rfc2217.SetParity, rfc2217.SetStopSize} {
			m := rfc2217.Message{Code: code}
			r.conn.Write(m.AppendTo(nil))
		}
		answers := map[rfc2217.Code]int{}
		r.conn.SetReadDeadline(time.Now().Add(time.Second))
		var d rfc2217.Decoder
		b := make([]byte, 4096)
		for {
			n, err := r.conn.Read(b)
			for rest := b[:n]; len(rest) > 0; {
				var it rfc2217.Item
				it, rest = d.Next(rest)
				if it.Kind == rfc2217.Sub {
					m, err := rfc2217.ParseMessage(it.Data)
					if err != nil || !m.Server {
						t.Errorf("% x: %v", it.Data, err)
					}
					answers[m.Code]++
				}
			}
			if err != nil {
				break
			}
		}
		want := map[rfc2217.Code]int{rfc2217.SetControl: 25, rfc2217.SetLineStateMask: 1, rfc2217.SetModemStateMask: 1, rfc2217.NotifyModemState: 2,
			rfc2217.NotifyLineState: 1, rfc2217.PurgeData: 1, rfc2217.SetBaudRate: 1, rfc2217.SetDataSize: 1, rfc2217.SetParity: 1, rfc2217.SetStopSize: 1}
		if diff := cmp.Diff(want, answers); diff != "" {
			t.Error(diff)
		}
	})
}

// Garbage is counted, answered at most a bounded number of times, and the line still works.
func TestGarbage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.port.events <- [2]byte{}
		go io.Copy(io.Discard, r.conn)
		for range 500 {
			r.conn.Write([]byte("\xff\xfb\x00\xff\xfc\x00\xff\xfd\x09\xff\xfa\x2c\xff\xf0\xff\xfa\x2c\x63\xff\xf0\xff\xfa\x2c\x01\xff\xf0\xff\xf1"))
		}
		r.conn.Write([]byte("\xff\xfa\x2c"))
		r.conn.Write(bytes.Repeat([]byte{7}, 5000))
		r.conn.Write([]byte("\xff\xf0ok"))
		b := make([]byte, 2)
		if _, err := io.ReadFull(r.line, b); err != nil || string(b) != "ok" {
			t.Errorf("%q %v", b, err)
		}
		r.end(t)
		if r.stats.Bad != 1501 || r.stats.Ignored == 0 {
			t.Errorf("%+v", r.stats)
		}
	})
}

// A telnet program that knows nothing of all this can type.
func TestPlainTelnet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.port.events <- [2]byte{byte(rfc2217.ModemCTS), 0}
		defer r.end(t)
		defer r.conn.Close()
		r.conn.Write([]byte("\xff\xfc\x00\xff\xfe\x00\xff\xfe\x2c\xff\xfc\x2cls\r\x00\xff\xf6"))
		b := make([]byte, 3)
		if _, err := io.ReadFull(r.line, b); err != nil || string(b) != "ls\r" {
			t.Errorf("%q %v", b, err)
		}
		synctest.Wait()
		r.line.Write([]byte("a\rb"))
		time.Sleep(time.Second)
		got := make([]byte, 4096)
		n, _ := r.conn.Read(got)
		if !bytes.HasSuffix(got[:n], []byte("[yes]a\r\x00b")) || bytes.Contains(got[:n], []byte{255, 250}) {
			t.Errorf("% x", got[:n])
		}
	})
}

func TestServeEnds(t *testing.T) {
	boom := errors.New("the line is gone")
	for _, row := range []struct {
		name string
		do   func(r *rig)
		want error
	}{
		{"the client goes", func(r *rig) { r.conn.Close() }, nil},
		{"the line ends", func(r *rig) { r.line.Close() }, io.EOF},
		{"a setting ends it", func(r *rig) {
			r.port.mu.Lock()
			r.port.fail = boom
			r.port.mu.Unlock()
			r.conn.Write((&rfc2217.Message{Code: rfc2217.SetBaudRate, Value: 1}).AppendTo(nil))
		}, boom},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				synctest.Wait()
				row.do(r)
				if err := <-r.served; !errors.Is(err, row.want) {
					t.Errorf("%v, want %v", err, row.want)
				}
				r.conn.Close()
			})
		})
	}
}

// failing is a connection on which nothing can be sent.
type failing struct {
	net.Conn
	why syscall.Errno
}

func (f failing) Write([]byte) (int, error) {
	return 0, &net.OpError{Op: "write", Net: "tcp", Err: os.NewSyscallError("write", f.why)}
}

// That a client is gone is no failure, in the words of every system.
func TestClientIsGone(t *testing.T) {
	for why, fails := range map[syscall.Errno]bool{syscall.EPIPE: false, syscall.ECONNRESET: false, 10053: false, 10054: false, syscall.EIO: true} {
		client, server := net.Pipe()
		fromLine, line := io.Pipe()
		p := &port{Reader: fromLine, Writer: io.Discard, closers: []io.Closer{fromLine}}
		if _, err := rfc2217server.Serve(t.Context(), failing{server, why}, p, rfc2217server.Options{}, p.close); (err != nil) != fails {
			t.Errorf("%v: %v", why, err)
		}
		client.Close()
		line.Close()
	}
}
