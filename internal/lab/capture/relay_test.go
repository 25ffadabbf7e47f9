package capture

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/transcript"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	deviceAddr = "192.0.2.21:8193"
	relayAddr  = "192.0.2.1:7000"
)

// bench is a relay in front of a device on a simulated network.
type bench struct {
	net    testnet.Network
	device *testnet.Listener
	text   bytes.Buffer
	pcap   bytes.Buffer
	cancel context.CancelFunc
	done   chan struct{}
	stats  Stats
	err    error
	warned []string
	mu     sync.Mutex
}

func startBench(t *testing.T, change func(*Options)) *bench {
	t.Helper()
	b := &bench{done: make(chan struct{})}
	b.device = b.net.MustListen(deviceAddr)
	l := b.net.MustListen(relayAddr)
	o := Options{Upstream: deviceAddr, Dial: b.net.Dial, Warn: func(s string) {
		b.mu.Lock()
		b.warned = append(b.warned, s)
		b.mu.Unlock()
	}}
	text, err := Transcript(&b.text, &transcript.Header{Protocol: "test"})
	if err != nil {
		t.Fatal(err)
	}
	pcap, err := Pcapng(&b.pcap, time.Now(), "a test")
	if err != nil {
		t.Fatal(err)
	}
	o.Sinks = []Sink{text, pcap}
	if change != nil {
		change(&o)
	}
	ctx, cancel := context.WithCancel(t.Context())
	b.cancel = cancel
	go func() {
		defer close(b.done)
		b.stats, b.err = Relay(ctx, l, o)
	}()
	return b
}

func (b *bench) end(t *testing.T) *transcript.Transcript {
	t.Helper()
	b.cancel()
	<-b.done
	if b.err != nil {
		t.Fatal(b.err)
	}
	tr, err := transcript.Parse(b.text.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	_ = b.device.Close()
	return tr
}

// connect is a client and the device's end of its connection.
func (b *bench) connect(t *testing.T) (client, device net.Conn) {
	t.Helper()
	client, err := b.net.Dial(t.Context(), "tcp", relayAddr)
	if err != nil {
		t.Fatal(err)
	}
	device, err = b.device.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return client, device
}

func expect(t *testing.T, c net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Fatalf("got %q, %v; want %q", got, err, want)
	}
}

// said is the recording without its times.
func said(tr *transcript.Transcript) []string {
	var out []string
	for _, e := range tr.Events {
		s := string(rune(e.Dir)) + " " + e.Kind.String()
		if e.Text != "" {
			s += " " + e.Text
		}
		if e.Data != nil {
			s += " " + string(e.Data)
		}
		out = append(out, s)
	}
	return out
}

func TestRelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := startBench(t, nil)
		c, d := b.connect(t)
		c.Write([]byte("ask"))
		expect(t, d, "ask")
		d.Write([]byte("answer"))
		expect(t, c, "answer")
		// a half-close is passed on, and the other direction goes on
		c.(*testnet.Conn).CloseWrite()
		if n, err := d.Read(make([]byte, 9)); err != io.EOF {
			t.Fatal(n, err)
		}
		d.Write([]byte("late"))
		expect(t, c, "late")
		d.Close()
		if n, err := c.Read(make([]byte, 9)); err != io.EOF {
			t.Fatal(n, err)
		}
		synctest.Wait()
		for _, end := range []net.Conn{c, d} {
			if !end.(*testnet.Conn).Peer().Closed() {
				t.Error("the relay left a connection open")
			}
		}
		tr := b.end(t)
		want := []string{"= open tcp " + deviceAddr, "> data ask", "< data answer", "> close", "< data late", "< close"}
		if diff := cmp.Diff(want, said(tr)); diff != "" {
			t.Error(diff)
		}
		if want := (Stats{Flows: 1, FromClients: 3, FromServer: 10, Messages: 3}); b.stats != want {
			t.Errorf("%+v", b.stats)
		}
	})
}

func TestResetsArePassedOn(t *testing.T) {
	for _, by := range []string{"client", "server"} {
		t.Run(by, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := startBench(t, nil)
				c, d := b.connect(t)
				c.Write([]byte("x"))
				expect(t, d, "x")
				near, far := c, d
				if by == "server" {
					near, far = d, c
				}
				near.(*testnet.Conn).Reset()
				if n, err := far.Read(make([]byte, 9)); !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("%d, %v instead of a reset", n, err)
				}
				synctest.Wait()
				got := said(b.end(t))
				want := map[string]string{"client": "> reset", "server": "< reset"}[by]
				if got[len(got)-1] != want {
					t.Error(got)
				}
			})
		})
	}
}

func TestUnreachableDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := startBench(t, nil)
		b.device.Close()
		c, err := b.net.Dial(t.Context(), "tcp", relayAddr)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Error(n, err)
		}
		synctest.Wait()
		got := strings.Join(said(b.end(t)), "\n")
		if !strings.Contains(got, "connection refused") || b.stats.Unreachable != 1 || len(b.warned) != 1 {
			t.Error(got, b.stats, b.warned)
		}
	})
}

func TestTooManyClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := startBench(t, func(o *Options) { o.MaxClients = 1 })
		c, d := b.connect(t)
		second, err := b.net.Dial(t.Context(), "tcp", relayAddr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := second.Read(make([]byte, 1)); err != io.EOF {
			t.Error(err)
		}
		c.Write([]byte("still here"))
		expect(t, d, "still here")
		c.Close()
		d.Close()
		synctest.Wait()
		b.end(t)
		if b.stats.TurnedAway != 1 || b.stats.Flows != 1 {
			t.Errorf("%+v", b.stats)
		}
	})
}

// The end of the relay ends everything, in the middle of a conversation too.
func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := startBench(t, nil)
		c, d := b.connect(t)
		c.Write([]byte("before"))
		expect(t, d, "before")
		got := said(b.end(t))
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Error("the client is still connected")
		}
		if _, err := d.Read(make([]byte, 1)); err == nil {
			t.Error("the device is still connected")
		}
		if !cmp.Equal(got[:2], []string{"= open tcp " + deviceAddr, "> data before"}) {
			t.Error(got)
		}
	})
}

type funcSink struct {
	event func(*Flow, *transcript.Event) error
	flush func() error
}

func (f funcSink) Event(fl *Flow, e *transcript.Event) error {
	if f.event == nil {
		return nil
	}
	return f.event(fl, e)
}
func (f funcSink) Flush() error {
	if f.flush == nil {
		return nil
	}
	return f.flush()
}

var errFull = errors.New("no space left on device")

// A disk that is full ends the relay with the error; nothing passes unrecorded for long.
func TestSinkFails(t *testing.T) {
	for name, s := range map[string]Sink{
		"event": funcSink{event: func(_ *Flow, e *transcript.Event) error {
			if e.Kind == transcript.Data {
				return errFull
			}
			return nil
		}},
		"flush": funcSink{flush: func() error { return errFull }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := startBench(t, func(o *Options) { o.Sinks = append(o.Sinks, s) })
				defer b.cancel()
				c, d := b.connect(t)
				c.Write([]byte("x"))
				d.Read(make([]byte, 1))
				<-b.done
				if !errors.Is(b.err, errFull) {
					t.Error(b.err)
				}
				if _, err := c.Read(make([]byte, 1)); err == nil {
					t.Error("the client is still connected")
				}
				b.device.Close()
			})
		})
	}
}

// A slow disk slows the conversation down, and nothing is lost.
func TestSlowSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, most := 0, 0
		sent := 0
		var mu sync.Mutex
		slow := funcSink{event: func(_ *Flow, e *transcript.Event) error {
			time.Sleep(time.Millisecond * time.Duration(len(e.Data)) / 1000)
			mu.Lock()
			got += len(e.Data)
			most = max(most, sent-got)
			mu.Unlock()
			return nil
		}}
		b := startBench(t, func(o *Options) { o.Sinks = []Sink{slow} })
		c, d := b.connect(t)
		const total = 24 << 20
		go func() {
			p := make([]byte, 64<<10)
			for n := 0; n < total; n += len(p) {
				c.Write(p)
				mu.Lock()
				sent += len(p)
				mu.Unlock()
			}
			c.Close()
		}()
		if n, err := io.Copy(io.Discard, d); n != total || err != nil {
			t.Error(n, err)
		}
		d.Close()
		synctest.Wait()
		b.cancel()
		<-b.done
		b.device.Close()
		if got != total {
			t.Errorf("%d of %d bytes are recorded", got, total)
		}
		if limit := 2*queueBytes + 1<<20; most > limit {
			t.Errorf("%d bytes waited, more than %d", most, limit)
		}
	})
}

func TestRelayPackets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n testnet.Network
		device, _ := n.ListenPacket(t.Context(), "udp", "192.0.2.9:9910")
		front, _ := n.ListenPacket(t.Context(), "udp", relayAddr)
		client, _ := n.ListenPacket(t.Context(), "udp", "192.0.2.5:5000")
		var text, pcap bytes.Buffer
		ts, _ := Transcript(&text, &transcript.Header{})
		ps, _ := Pcapng(&pcap, time.Now(), "")
		port := 4000
		o := Options{Upstream: "192.0.2.9:9910", Sinks: []Sink{ts, ps}, Idle: time.Minute, Dial: func(ctx context.Context, _, addr string) (net.Conn, error) {
			port++
			p, err := n.ListenPacket(ctx, "udp", "192.0.2.1:"+string("0123456789"[port%10])+"001")
			return &connected{PacketConn: p, to: device.LocalAddr()}, err
		}}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		var stats Stats
		go func() {
			s, err := RelayPackets(ctx, front, o)
			stats = s
			done <- err
		}()
		b := make([]byte, 99)
		for range 2 {
			client.WriteTo([]byte("ping"), front.LocalAddr())
			k, from, err := device.ReadFrom(b)
			if err != nil || string(b[:k]) != "ping" {
				t.Fatal(k, err)
			}
			device.WriteTo([]byte("pong"), from)
			if k, from, err := client.ReadFrom(b); err != nil || string(b[:k]) != "pong" || from.String() != relayAddr {
				t.Fatal(k, from, err)
			}
			time.Sleep(2 * time.Minute) // the peer is forgotten, and known anew with its next datagram
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		tr, err := transcript.Parse(text.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		once := []string{"= open udp 192.0.2.9:9910", "> datagram ping", "< datagram pong", "< close"}
		if diff := cmp.Diff(append(once, once...), said(tr)); diff != "" {
			t.Error(diff)
		}
		if stats.Flows != 2 || stats.Messages != 4 {
			t.Errorf("%+v", stats)
		}
		if p := packets(t, pcap.Bytes()); len(p) != 4 {
			t.Errorf("%d packets", len(p))
		}
		client.Close()
		device.Close()
	})
}

// connected makes a connection of a packet socket.
type connected struct {
	net.PacketConn
	to net.Addr
}

func (c *connected) Read(b []byte) (int, error) {
	n, _, err := c.ReadFrom(b)
	return n, err
}
func (c *connected) Write(b []byte) (int, error) { return c.WriteTo(b, c.to) }
func (c *connected) RemoteAddr() net.Addr        { return c.to }
