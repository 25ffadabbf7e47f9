package tap

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/net/nettest"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/transcript"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newRecorder(t testing.TB, w io.Writer) *Recorder {
	t.Helper()
	r, err := NewRecorder(w, &transcript.Header{Protocol: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRecordedConnIsAConn(t *testing.T) {
	nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
		r := newRecorder(t, io.Discard)
		a, b := testnet.Pipe(1024)
		c, s := r.Conn(a, Client), r.Conn(b, Server)
		return c, s, func() { c.Close(); s.Close() }, nil
	})
}

func TestRecorder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		r := newRecorder(t, &out)
		var n testnet.Network
		l := n.MustListen("192.0.2.7:80")
		rl := r.Listener(l)
		c, _ := n.Dial(t.Context(), "tcp", "192.0.2.7:80")
		s, err := rl.Accept()
		if err != nil {
			t.Fatal(err)
		}
		c.Write([]byte("ask"))
		s.Read(make([]byte, 9))
		time.Sleep(1500*time.Microsecond + 7)
		s.Write([]byte("answer"))
		r.Note(1, "half way")
		c.Close()
		s.Read(make([]byte, 9))
		s.Read(make([]byte, 9))
		s.(interface{ CloseWrite() error }).CloseWrite()
		s.Close()
		s.Close()

		dial := r.Dial(n.Dial)
		if _, err := dial(t.Context(), "tcp", "192.0.2.8:1"); err == nil {
			t.Fatal("dialled nothing")
		}
		c, err = dial(t.Context(), "tcp", "192.0.2.7:80")
		if err != nil {
			t.Fatal(err)
		}
		c.(*conn).Conn.(*testnet.Conn).Reset()
		c.Read(make([]byte, 1))
		c.Write([]byte("lost"))
		rl.Close()
		if _, err := rl.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Fatal(err)
		}
		const want = `patchbay transcript 1
protocol: test

= 1 +0.000000 open tcp 192.0.2.7:80
> 1 +0.000000 data
  61 73 6b                                          |ask|
< 1 +0.001500 data
  61 6e 73 77 65 72                                 |answer|
= 1 +0.001500 note half way
> 1 +0.001500 close
< 1 +0.001500 close
= 2 +0.001500 open tcp 192.0.2.8:1
= 2 +0.001500 note dial: "dial tcp 192.0.2.8:1: connect: connection refused"
= 3 +0.001500 open tcp 192.0.2.7:80
< 3 +0.001500 reset
> 3 +0.001500 data
  6c 6f 73 74                                       |lost|
= 3 +0.001500 note only 0 of the last 4 bytes from the client were sent
`
		if d := cmp.Diff(want, out.String()); d != "" {
			t.Error(d)
		}
		if r.Err() != nil {
			t.Error(r.Err())
		}
	})
}

func TestRecordedPackets(t *testing.T) {
	var out bytes.Buffer
	r := newRecorder(t, &out)
	var n testnet.Network
	a, _ := n.ListenPacket(t.Context(), "udp", "192.0.2.1:9910")
	b, _ := n.ListenPacket(t.Context(), "udp", "192.0.2.2:5000")
	ra := r.PacketConn(a, Server)
	b.WriteTo([]byte("hi"), a.LocalAddr())
	_, from, err := ra.ReadFrom(make([]byte, 9))
	if err != nil {
		t.Fatal(err)
	}
	ra.WriteTo(nil, from)
	ra.Close()
	tr, err := transcript.Parse(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for i := range tr.Events {
		tr.Events[i].Offset = 0
	}
	want := []transcript.Event{
		{Flow: 1, Dir: transcript.Neither, Kind: transcript.Open, Text: "udp 192.0.2.2:5000"},
		{Flow: 1, Dir: transcript.FromClient, Kind: transcript.Datagram, Data: []byte("hi")},
		{Flow: 1, Dir: transcript.FromServer, Kind: transcript.Datagram, Data: []byte{}},
		{Flow: 1, Dir: transcript.FromServer, Kind: transcript.Close},
	}
	if d := cmp.Diff(want, tr.Events); d != "" {
		t.Error(d)
	}
}

// limited fails once it has taken a number of writes.
type limited struct{ left int }

var errFull = errors.New("disk full")

func (l *limited) Write(p []byte) (int, error) {
	if l.left--; l.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestRecordingErrorsDoNotDisturb(t *testing.T) {
	r := newRecorder(t, &limited{left: 2})
	a, b := testnet.Pipe(0)
	c := r.Conn(a, Client)
	for range 3 {
		if n, err := c.Write([]byte("abc")); n != 3 || err != nil {
			t.Fatal(n, err)
		}
	}
	c.Close()
	if got, err := io.ReadAll(b); string(got) != "abcabcabc" || err != nil {
		t.Fatalf("%q %v", got, err)
	}
	if !errors.Is(r.Err(), errFull) {
		t.Fatal(r.Err())
	}
}

func TestLargeWritesAreSeveralEvents(t *testing.T) {
	var out bytes.Buffer
	r := newRecorder(t, &out)
	a, b := testnet.Pipe(1 << 20)
	defer b.Close()
	want := bytes.Repeat([]byte("0123456789"), 5000)
	c := r.Conn(a, Client)
	c.Write(want)
	c.Close()
	tr, err := transcript.Parse(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if got := tr.Bytes(1, transcript.FromClient); !bytes.Equal(want, got) {
		t.Errorf("%d bytes came back of %d", len(got), len(want))
	}
	if n := len(tr.Events); n != 1+4+1 {
		t.Errorf("%d events", n)
	}
}

func TestCloseWriteUnsupported(t *testing.T) {
	a, b := net.Pipe()
	defer b.Close()
	c := newRecorder(t, io.Discard).Conn(a, Client)
	defer c.Close()
	if err := c.(interface{ CloseWrite() error }).CloseWrite(); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}

func TestBadHeader(t *testing.T) {
	if _, err := NewRecorder(io.Discard, &transcript.Header{Device: "two\nlines"}); err == nil || !strings.Contains(err.Error(), "device") {
		t.Error(err)
	}
}

// BenchmarkRelay compares a round trip with and without recording.
func BenchmarkRelay(b *testing.B) {
	for _, mode := range []string{"plain", "recorded"} {
		b.Run(mode, func(b *testing.B) {
			a, far := testnet.Pipe(0)
			var c net.Conn = a
			if mode == "recorded" {
				c = newRecorder(b, io.Discard).Conn(a, Client)
			}
			done := make(chan struct{})
			go func() {
				io.Copy(far, far)
				close(done)
			}()
			p := make([]byte, 256)
			b.ReportAllocs()
			for b.Loop() {
				c.Write(p)
				io.ReadFull(c, p)
			}
			c.Close()
			<-done
		})
	}
}

var _ Dialer = (&net.Dialer{}).DialContext
var _ func(context.Context, string, string) (net.Conn, error) = (*Replay)(nil).Dial
