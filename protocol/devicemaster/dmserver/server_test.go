package dmserver_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmserver"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmsim"
)

// wire is a box and what is said to it in bytes.
type wire struct {
	*testing.T
	sim *dmsim.Sim
	ln  *testnet.Listener
}

func onWire(t *testing.T, o dmsim.Options, f func(w *wire)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, err := dmsim.New(o)
		if err != nil {
			t.Fatal(err)
		}
		w := &wire{t, s, testnet.Listen()}
		ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
		done := make(chan error, 1)
		go func() { done <- s.Serve(ctx, w.ln) }()
		f(w)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Serve: %v", err)
		}
	})
}

// client is one connection of a program that knows the bytes.
type client struct {
	w *wire
	c net.Conn
}

func (w *wire) dial() *client {
	w.Helper()
	c, err := w.ln.Dial(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	return &client{w, c}
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		panic(err)
	}
	return b
}

// ask writes and demands the answer in one read, as the maker's programs take it; "" demands silence.
func (c *client) ask(say, want string) {
	c.w.Helper()
	if _, err := c.c.Write(unhex(say)); err != nil {
		c.w.Fatal(err)
	}
	c.hear(say, want)
}

func (c *client) hear(after, want string) {
	c.w.Helper()
	synctest.Wait()
	if got := c.read(); !bytes.Equal(got, unhex(want)) {
		c.w.Errorf("after %q: % x, want %s", after, got, want)
	}
}

// read is one read, of what comes within 200 ms.
func (c *client) read() []byte {
	c.w.Helper()
	b := make([]byte, 4096)
	c.c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	n, err := c.c.Read(b)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		c.w.Fatal(err)
	}
	return b[:n]
}

const identify = "05 00 08 00 00 00 00 00"

func identity(ports, state uint8) string {
	id := devicemaster.Identity(ports, state)
	return hex.EncodeToString(id.Append(nil))
}

// The session of the recordings, byte for byte, with the way of saying the total that stands in them.
func TestRecordedSession(t *testing.T) {
	onWire(t, dmsim.Options{Layout: "echo", Variations: dmserver.Variations{Total: dmserver.TotalAfterDone, IdleGlued: true}}, func(w *wire) {
		c := w.dial()
		defer c.c.Close()
		c.ask(identify, identity(1, 0))
		c.ask("73", "74")
		c.ask("7b 0a 77 78 00 00 00 fd", "fd")
		c.ask("62 00 76 01", "62 00 76 10 00 00")
		c.ask("62 00 60 00 00 66 03 00 63 00 00 64 03 00 70 80 25 00 00 71 11 13 11 13 00 00 75 32", "62 00 67 03 00 60 00 00 65 38 00")
		c.ask("62 00 79 01 00 00 00", "")
		if _, err := c.c.Write(unhex("62 00 61 02 00 6f 6b")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		b := append(c.read(), c.read()...)
		if !bytes.Contains(b, unhex("60 02 00")) || !bytes.Contains(b, unhex("61 02 00 6f 6b 7a")) {
			t.Errorf("% x", b)
		}
		c.ask("62 00 60 02 00", "")
		c.ask("fd", "fd")
		c.ask("62 00 66 03 00 63 00 00 64 00 00", "62 00 67 03 00 65 00 00")
		c.ask("62 00 76 02", "62 00 76 20")
		if got := w.sim.Server.Conns()[0].ScanPeriod(); got != 10 {
			t.Errorf("scan period %d", got)
		}
	})
}

// The maker's Linux daemon: one read of at least 94 bytes, program 1; then its own order of messages.
func TestLinuxDriver(t *testing.T) {
	onWire(t, dmsim.Options{State: 2}, func(w *wire) {
		c := w.dial()
		defer c.c.Close()
		if _, err := c.c.Write(unhex(identify)); err != nil {
			t.Fatal(err)
		}
		b := c.read()
		if len(b) != 147 || b[100] != 0 || b[101] != 1 || b[144] != 2 || b[98] != 3 || b[99] != 8 {
			t.Fatalf("% x", b)
		}
		c.ask("73", "74")
		c.ask("77 78 00 00 00 7c c8", "")
		c.ask("62 03 76 01", "62 03 76 10 00 00 60 00 00")
		c.ask("62 03 75 32 70 00 c2 01 00 71 11 13 11 13 00 00 63 90 00 64 03 00 79 00 00 00 00 66 03 00", "62 03 67 03 00")
		if s := w.sim.Ports()[3].Settings; s.Baud != 115200 || s.Line != devicemaster.RTSCTS || s.Outputs != 3 || s.Mode != devicemaster.RS232 || s.Idle != 0 {
			t.Errorf("%+v", s)
		}
		c.ask("62 03 64 00 00 66 03 00 76 02", "62 03 67 03 00 76 20")
		c.ask("73", "74") // a second one begins again
	})
}

// The maker's release tool connects and asks at once, and compares exactly four bytes.
func TestReleaseTool(t *testing.T) {
	onWire(t, dmsim.Options{}, func(w *wire) {
		tool := w.dial()
		tool.ask("62 02 78", "62 02 76 21") // of a port that nobody has, too
		owner := w.dial()
		owner.ask("73 62 02 76 01 62 00 76 01", "74 62 02 76 10 00 00 60 00 00 62 00 76 10 00 00 60 00 00")
		tool.ask("62 02 78", "62 02 76 21")
		owner.hear("the release", "62 02 76 21")
		owner.ask("62 02 61 01 00 41", "62 02 76 21")
		owner.ask("62 02 76 02", "62 02 76 21")
		owner.ask("62 00 78", "62 00 76 21") // its own port: told once
		tool.c.Close()
		owner.c.Close()
	})
}

func TestOwnership(t *testing.T) {
	onWire(t, dmsim.Options{}, func(w *wire) {
		a, b := w.dial(), w.dial()
		a.ask("62 02 76 01", "62 02 76 10 00 00 60 00 00")
		b.ask("62 02 76 01", "62 02 76 11")
		b.ask("62 07 76 01", "62 07 76 11")                                     // another host's for ever
		a.ask("62 02 76 01", "62 02 76 10 00 00 60 00 00")                      // once more: from the beginning
		b.ask("62 02 61 01 00 41 63 00 00 70 80 25 00 00", "62 02 76 21")       // once for each burst
		b.ask("62 02 61 01 00 41 62 03 61 01 00 41", "62 02 76 21 62 03 76 21") // and port
		b.ask("62 02 60 05 00 79 01 00 00 00 66 03 00 64 00 00", "62 02 76 21") // settings too
		b.ask("62 02 76 02", "62 02 76 21")                                     // it is not b's to give back
		a.ask("62 02 66 03 00", "62 02 67 03 00")                               // and is still a's
		if s := w.sim.Stats(); s.Refused != 2 {
			t.Errorf("%+v", s)
		}
		a.c.Close()
		synctest.Wait()
		b.ask("62 02 76 01", "62 02 76 10 00 00 60 00 00") // a's connection is lost, and nothing is held
		b.c.Close()
	})
}

// With hold, a port stays its owner's for the link timeout; the same host takes it back at once, others are told busy.
func TestHold(t *testing.T) {
	onWire(t, dmsim.Options{Variations: dmserver.Variations{Hold: true}}, func(w *wire) {
		a := w.dial()
		a.ask("77 0a 00 00 00 62 02 76 01", "62 02 76 10 00 00 60 00 00")
		a.c.Close()
		synctest.Wait()
		if p := w.sim.Ports()[2]; p.Owner == nil || p.Client != 0 {
			t.Errorf("%+v", p)
		}
		again := w.dial() // the network in memory has one host
		again.ask("77 0a 00 00 00 62 02 76 01", "62 02 76 10 00 00 60 00 00")
		again.c.Close()
		time.Sleep(9 * time.Second)
		if p := w.sim.Ports()[2]; p.Owner == nil {
			t.Error("freed too early")
		}
		time.Sleep(2 * time.Second)
		if p := w.sim.Ports()[2]; p.Owner != nil {
			t.Error("held for too long")
		}
	})
}

// A client that does not ping loses its ports after its own link timeout, or the usual one; pings keep them.
func TestLinkTimer(t *testing.T) {
	onWire(t, dmsim.Options{}, func(w *wire) {
		a, b := w.dial(), w.dial()
		a.ask("62 02 76 01", "62 02 76 10 00 00 60 00 00")
		b.ask("77 05 00 00 00 62 03 76 01", "62 03 76 10 00 00 60 00 00")
		for range 4 {
			time.Sleep(4 * time.Second)
			b.ask("fd", "fd")
		}
		if w.sim.Ports()[3].Owner == nil {
			t.Error("pings do not help")
		}
		time.Sleep(6 * time.Second)
		if w.sim.Ports()[3].Owner != nil {
			t.Error("b keeps its port without pings")
		}
		b.ask("62 03 61 01 00 41", "62 03 76 21")
		time.Sleep(90 * time.Second)
		if w.sim.Ports()[2].Owner == nil {
			t.Error("a has lost its port before 120 s")
		}
		time.Sleep(10 * time.Second)
		if w.sim.Ports()[2].Owner != nil {
			t.Error("a keeps its port for more than 120 s")
		}
		a.c.Close()
		b.c.Close()
	})
}

func TestVariations(t *testing.T) {
	for name, row := range map[string]struct {
		v     dmserver.Variations
		steps [][2]string
	}{
		"usual":           {dmserver.Variations{}, [][2]string{{"62 00 76 01", "62 00 76 10 00 00 60 00 00"}, {"62 00 66 03 00", "62 00 67 03 00"}}},
		"total at last":   {dmserver.Variations{Total: dmserver.TotalAfterDone}, [][2]string{{"62 00 76 01", "62 00 76 10 00 00"}, {"62 00 66 03 00", "62 00 67 03 00 60 00 00"}, {"62 00 66 01 00", "62 00 67 01 00"}}},
		"no total":        {dmserver.Variations{Total: dmserver.TotalNever}, [][2]string{{"62 00 76 01", "62 00 76 10 00 00"}, {"62 00 66 03 00", "62 00 67 03 00"}}},
		"inputs twice":    {dmserver.Variations{InitialInputs: true}, [][2]string{{"62 00 76 01", "62 00 76 10 00 00 65 00 00 60 00 00"}}},
		"single byte seq": {dmserver.Variations{SingleByteSeq: true}, [][2]string{{"62 06 76 01", "62 06 76 10 38 00 60 00 00"}, {"62 06 61 01 00 41", "62 06 60 01 00"}, {"62 06 61 02 00 42", "62 06 60 02 00"}, {"62 06 61 02 00 43 fd", "62 06 60 02 00 fd"}}},
		"totals":          {dmserver.Variations{}, [][2]string{{"62 06 76 01", "62 06 76 10 38 00 60 00 00"}, {"62 06 61 01 00 41", "62 06 60 01 00"}, {"62 06 61 01 00 42", "62 06 60 02 00"}, {"62 06 61 05 00 68 65 6c 6c 6f", "62 06 60 07 00"}, {"62 06 61 00 00", ""}, {"73", "74"}, {"62 06 61 01 00 42", "62 06 60 01 00"}}},
	} {
		t.Run(name, func(t *testing.T) {
			onWire(t, dmsim.Options{Variations: row.v}, func(w *wire) {
				c := w.dial()
				defer c.c.Close()
				for _, s := range row.steps {
					c.ask(s[0], s[1])
				}
			})
		})
	}
	for keep, want := range map[bool]uint32{false: 9600, true: 0x258000} {
		onWire(t, dmsim.Options{Variations: dmserver.Variations{KeepPrinted: keep}}, func(w *wire) {
			c := w.dial()
			defer c.c.Close()
			c.ask("62 00 76 01 70 00 80 25 00", "62 00 76 10 00 00 60 00 00")
			if got := w.sim.Ports()[0].Settings.Baud; got != want {
				t.Errorf("%d baud, want %d", got, want)
			}
			c.ask("62 00 70 00 e1 00 00 70 80 25 00 00", "")
			if got := w.sim.Ports()[0].Settings.Baud; got != 9600 {
				t.Errorf("%d baud; the later one wins", got)
			}
		})
	}
}

// Bad input costs its sender an answer, never the box.
func TestBadInput(t *testing.T) {
	onWire(t, dmsim.Options{}, func(w *wire) {
		for _, row := range [][2]string{
			{"61 01 00 41", ""},                        // before any port is chosen
			{"76 01", ""},                              //
			{"78", ""},                                 //
			{"62 08 76 01", ""},                        // port out of range
			{"62 ff 78", ""},                           //
			{"fd 6e 62 00 76 01", "fd"},                // an unknown message: the rest of the read is dropped
			{"00 00 fd 00 00", "fd"},                   // zeros between messages
			{"0d 00 08 00 00 00 00 00 fd", "fd"},       // a reset, which nobody carries out
			{"01 00 0a 00 00 00 00 00 01 02 fd", "fd"}, // firmware
			{"05 00 07 00 00 00 00 00", ""},            // a tool request shorter than its header
			{"62 00 76 09", ""},                        // an unknown request
			{"77 00 00 00 00 fd", "fd"},                // no timeout at all
			{"62 00 60 09 00", "62 00 76 21"},          // a total for a port of nobody's
		} {
			c := w.dial()
			c.ask(row[0], row[1])
			c.ask("fd", "fd")
			c.c.Close()
		}
		if s := w.sim.Stats(); s.Strays != 5 || s.Unknown != 2 || s.Zeros != 4 || s.Tools != 2 {
			t.Errorf("%+v", s)
		}
	})
}

// A block of the largest size overruns the port's buffer: what has no room is lost and counted, and the window stays whole.
func TestOverrun(t *testing.T) {
	onWire(t, dmsim.Options{Layout: "echo"}, func(w *wire) {
		c := w.dial()
		defer c.c.Close()
		c.ask("62 00 76 01", "62 00 76 10 00 00 60 00 00")
		if _, err := c.c.Write(devicemaster.AppendData([]byte{0x62, 0}, make([]byte, 65535))); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		dec := devicemaster.NewDecoder(devicemaster.FromDevice, devicemaster.DecoderOptions{Strict: true})
		var total, data int
		for b := c.read(); len(b) > 0; b = c.read() {
			dec.Feed(b)
			for {
				m, ok, err := dec.Next()
				if err != nil {
					t.Fatal(err)
				}
				if !ok {
					break
				}
				switch m.Op {
				case devicemaster.OpTotal:
					total = int(m.Value)
				case devicemaster.OpData:
					data += len(m.Data)
				}
			}
			synctest.Wait()
			if _, err := c.c.Write(devicemaster.AppendTotal([]byte{0x62, 0}, uint16(data))); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if s := w.sim.Stats(); s.Overruns != 63535 || total != 65535 || data != 2000 {
			t.Errorf("%+v, total %d, %d bytes back", s, total, data)
		}
	})
}

// The box keeps to the window: it sends no more than the client has acknowledged room for.
func TestWindowTowardsClient(t *testing.T) {
	onWire(t, dmsim.Options{Layout: "echo"}, func(w *wire) {
		c := w.dial()
		defer c.c.Close()
		c.ask("62 00 76 01", "62 00 76 10 00 00 60 00 00")
		for range 4 {
			if _, err := c.c.Write(devicemaster.AppendData([]byte{0x62, 0}, make([]byte, 1000))); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		n := 0
		for b := c.read(); len(b) > 0; b = c.read() {
			n += bytes.Count(b, []byte{0})
		}
		if n < devicemaster.Window || n > devicemaster.Window+60 {
			t.Errorf("about %d bytes came without an acknowledgement", n)
		}
		if _, err := c.c.Write(unhex("62 00 60 09 e0")); err != nil { // a total that fits nothing begins again, and opens the window
			t.Fatal(err)
		}
		synctest.Wait()
		if b := c.read(); len(b) == 0 {
			t.Error("the window stays shut")
		}
		if s := w.sim.Stats(); s.Resyncs != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// A client that never reads is cut off, and a box that is stopped tells nobody lies.
func TestClientsThatDoNotRead(t *testing.T) {
	onWire(t, dmsim.Options{}, func(w *wire) {
		c := w.dial()
		pings := bytes.Repeat([]byte{0xfd}, 4096)
		var err error
		for sent := 0; err == nil && sent < 64<<20; sent += len(pings) {
			c.c.SetWriteDeadline(time.Now().Add(time.Hour))
			_, err = c.c.Write(pings)
		}
		if err == nil {
			t.Error("64 MB of pings were taken without anybody reading the answers")
		}
		c.c.Close()
	})
}

func TestNumberOfPorts(t *testing.T) {
	for layout, ok := range map[string]bool{"echo": true, strings.Repeat("sink,", 31) + "sink": true, strings.Repeat("sink,", 32) + "sink": false,
		"null": false, "null,echo,null": true, "": true, "modem": false} {
		if _, err := dmsim.New(dmsim.Options{Layout: layout}); (err == nil) != ok {
			t.Errorf("%q: %v", layout, err)
		}
	}
}

func TestShutdown(t *testing.T) {
	onWire(t, dmsim.Options{}, func(w *wire) {
		c := w.dial()
		c.ask("62 04 76 01", "62 04 76 10 38 00 60 00 00")
		if !w.sim.Release(4) || w.sim.Release(4) || w.sim.Release(99) {
			t.Error("releasing by hand")
		}
		c.hear("release", "62 04 76 21")
		c.ask("62 04 76 01", "62 04 76 10 38 00 60 00 00")
		w.sim.Drop(true)
		io.Copy(io.Discard, c.c)
		synctest.Wait()
		if w.sim.Ports()[4].Owner != nil || len(w.sim.Server.Conns()) != 0 {
			t.Error("somebody is left")
		}
	})
}

// broken is a line that ends on command.
type broken struct {
	dmserver.Backend
	end chan struct{}
}

func (k *broken) Open(ctx context.Context, line dmserver.Line) (dmserver.Wire, error) {
	w, err := k.Backend.Open(ctx, line)
	return &brokenWire{w, k}, err
}

type brokenWire struct {
	dmserver.Wire
	k *broken
}

func (w *brokenWire) Recv(b []byte) (int, error) {
	<-w.k.end
	return 0, io.ErrUnexpectedEOF
}

// A line that breaks takes the port from its owner, who is told, and can open it again.
func TestLineThatBreaks(t *testing.T) {
	k := &broken{dmsim.Sink(), make(chan struct{})}
	onWire(t, dmsim.Options{Backends: []dmserver.Backend{k}}, func(w *wire) {
		k.end = make(chan struct{}) // of this bubble
		c := w.dial()
		c.ask("62 00 76 01", "62 00 76 10 38 00 60 00 00")
		close(k.end)
		c.hear("the line broke", "62 00 76 21")
		if w.sim.Ports()[0].Owner != nil {
			t.Error("the port is still taken")
		}
		k.end = make(chan struct{})
		c.ask("62 00 76 01", "62 00 76 10 38 00 60 00 00")
		c.c.Close()
		synctest.Wait()
		close(k.end)
	})
}

// A box that is shut down lets its clients go, and is done when its ports are free.
func TestShutdownOfABusyBox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := dmsim.New(dmsim.Options{})
		if err != nil {
			t.Fatal(err)
		}
		w := &wire{t, s, testnet.Listen()}
		done := make(chan error, 1)
		go func() { done <- s.Serve(context.Background(), w.ln) }()
		c := w.dial()
		c.ask("62 04 76 01", "62 04 76 10 38 00 60 00 00")
		if err := s.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-done; err != dmserver.ErrServerClosed {
			t.Errorf("Serve: %v", err)
		}
		if st := s.ConnStats(); st.Active != 0 || st.Accepted != 1 || s.Ports()[4].Owner != nil {
			t.Errorf("%+v, %+v", st, s.Ports()[4])
		}
		for range 2 {
			if err := s.Close(); err != nil {
				t.Errorf("closing again: %v", err)
			}
		}
		c.c.Close()
	})
}
