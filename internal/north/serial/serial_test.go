package serial

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
	"github.com/patchbay-io/patchbay/internal/north/northtest"
	"github.com/patchbay-io/patchbay/protocol/rfc2217"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long anything may take on a machine that is busy with other things.
const patience = time.Minute

// rig is a door over a box; addresses are where its listeners ended up, in the order of opening.
type rig struct {
	box    *northtest.Box
	door   *Door
	addr   chan string
	logged chan struct{} // something for each log that sees from now on what passes
	yields atomic.Bool   // the last word of a door about whether its stream yields
}

// streams are the gateway's, and tell when a log is attached: its file is there before.
type streams struct {
	all north.Streams
	rig *rig
}

// stream tells whether it yields.
type stream struct {
	north.Stream
	rig *rig
}

func (s stream) Yield(on bool) {
	s.Stream.Yield(on)
	s.rig.yields.Store(on)
}

func (s streams) Streams(dev string) []device.Path { return s.all.Streams(dev) }

func (s streams) OpenStream(ctx context.Context, who driver.Who, dev string, path device.Path, o north.StreamOptions) (north.Stream, error) {
	opened, err := s.all.OpenStream(ctx, who, dev, path, o)
	if err != nil {
		return nil, err
	}
	if o.Trace != nil {
		s.rig.logged <- struct{}{}
	}
	return stream{opened, s.rig}, nil
}

func newRig(t *testing.T, cfg Config, ports ...Port) *rig {
	t.Helper()
	box, err := northtest.NewBox()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{box: box, addr: make(chan string, 8), logged: make(chan struct{}, 8)}
	cfg.Streams = streams{box.Gateway, r}
	cfg.Listen = func(ctx context.Context, network, addr string) (net.Listener, error) {
		l, err := new(net.ListenConfig).Listen(ctx, network, addr)
		if err == nil {
			r.addr <- l.Addr().String()
		}
		return l, err
	}
	r.door = New(cfg)
	r.door.Set(ports)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- box.Gateway.Run(ctx) }()
	for len(box.Gateway.Streams(northtest.BoxName)) == 0 {
		time.Sleep(time.Millisecond)
	}
	go func() { done <- r.door.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
	return r
}

// until waits for something that another process tells about.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not happen", what)
		}
	}
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return c
}

func everyByte(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8)
	}
	return b
}

func TestRaw(t *testing.T) {
	yes, no := true, false
	r := newRig(t, Config{}, Port{Device: "box", Path: "ports/3", Raw: "127.0.0.1:0", MaxClients: 2, Line: driver.Line{Baud: 115200, DTR: &yes, RTS: &no}})
	addr := <-r.addr
	owner := dial(t, addr)
	data := everyByte(1 << 20)
	go owner.Write(data)
	back := make([]byte, len(data))
	if _, err := io.ReadFull(owner, back); err != nil || !bytes.Equal(back, data) {
		t.Errorf("%v", err)
	}
	if l := r.box.Port("ports/3").Line(); l.Baud != 115200 || !*l.DTR || *l.RTS {
		t.Errorf("%+v", l)
	}
	observer := dial(t, addr)
	attached := make(chan error, 1)
	go func() {
		_, err := observer.Read(make([]byte, 1))
		attached <- err
	}()
	until(t, "reading along", func() bool {
		owner.Write([]byte("."))
		io.ReadFull(owner, back[:1])
		select {
		case err := <-attached:
			if err != nil {
				t.Fatal(err)
			}
			return true
		default:
			return false
		}
	})
	observer.Write([]byte("not for the line"))
	third := dial(t, addr)
	if text, err := io.ReadAll(third); err != nil || !strings.Contains(string(text), "as many clients") {
		t.Errorf("%q %v", text, err)
	}
	owner.Write([]byte("x"))
	if n, err := owner.Read(back); err != nil || string(back[:n]) != "x" {
		t.Errorf("%q %v", back[:n], err)
	}
	observer.Close()
	owner.Close()
}

func TestKickOld(t *testing.T) {
	r := newRig(t, Config{}, Port{Device: "box", Path: "ports/3", Raw: "127.0.0.1:0", KickOld: true})
	addr := <-r.addr
	one := dial(t, addr)
	one.Write([]byte("1"))
	one.Read(make([]byte, 1))
	two := dial(t, addr)
	if _, err := io.ReadAll(one); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the old client was not turned out")
	}
	two.Write([]byte("2"))
	b := make([]byte, 1)
	if _, err := two.Read(b); err != nil || b[0] != '2' {
		t.Errorf("%q %v", b, err)
	}
}

func TestRFC2217(t *testing.T) {
	r := newRig(t, Config{}, Port{Device: "box", Path: "ports/1", RFC2217: "127.0.0.1:0"}, Port{Device: "box", Path: "ports/2", RFC2217: "127.0.0.1:0"})
	one, two := dialRFC2217(t, <-r.addr), dialRFC2217(t, <-r.addr)
	if !strings.HasPrefix(one.Signature(), "patchbay box/ports/") {
		t.Errorf("%q", one.Signature())
	}
	want := rfc2217.Settings{Baud: 57600, Data: 7, Parity: rfc2217.ParityEven, Stop: rfc2217.Stop2, Flow: rfc2217.ControlFlowXonXoff,
		DTR: rfc2217.ControlDTROn, RTS: rfc2217.ControlRTSOn, Break: rfc2217.ControlBreakOff}
	if got, err := one.Set(t.Context(), want); err != nil || got != want {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := one.Set(t.Context(), rfc2217.Settings{Data: 5}); err != nil || got.Data != 7 {
		t.Errorf("%+v %v", got, err)
	}
	for {
		e, err := two.Event(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if e.Modem.Lines() == rfc2217.ModemCTS|rfc2217.ModemDSR|rfc2217.ModemCD {
			break
		}
	}
	if _, err := one.Set(t.Context(), rfc2217.Settings{Break: rfc2217.ControlBreakOn}); err != nil {
		t.Error(err)
	}
	for {
		e, err := two.Event(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if e.Line&rfc2217.LineBreak != 0 {
			break
		}
	}
	data := everyByte(1 << 20)
	go one.Write(data)
	back := make([]byte, len(data))
	if n, err := io.ReadFull(two, back); err != nil || !bytes.Equal(back, data) {
		t.Errorf("%d bytes, %v", n, err)
	}
	if err := one.Purge(t.Context(), rfc2217.PurgeBoth); err != nil {
		t.Error(err)
	}
}

// A link loss does not end the clients; the port comes back with its settings.
func TestLinkLoss(t *testing.T) {
	r := newRig(t, Config{}, Port{Device: "box", Path: "ports/3", RFC2217: "127.0.0.1:0"})
	c := dialRFC2217(t, <-r.addr)
	if _, err := c.Set(t.Context(), rfc2217.Settings{Baud: 1200}); err != nil {
		t.Error(err)
	}
	r.box.Cut()
	until(t, "opening again", r.box.Port("ports/3").IsOpen)
	b := make([]byte, 1)
	until(t, "an echo", func() bool { // bytes may be lost until the port is open for the gateway too
		c.Write([]byte("!"))
		c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		n, _ := c.Read(b)
		return n == 1
	})
}

func TestLogin(t *testing.T) {
	login := func(_ context.Context, user, secret string, from net.Addr) (driver.Who, error) {
		if user != "vera" || secret != "right" {
			return driver.Who{}, errors.New("no")
		}
		return driver.Who{User: user, Addr: from.String()}, nil
	}
	r := newRig(t, Config{Login: login}, Port{Device: "box", Path: "ports/3", Raw: "127.0.0.1:0", Login: true, MaxClients: 2})
	addr := <-r.addr
	bad := dial(t, addr)
	io.WriteString(bad, "vera\r\nwrong\r\n")
	if text, _ := io.ReadAll(bad); !strings.Contains(string(text), "not let in") {
		t.Errorf("%q", text)
	}
	good := dial(t, addr)
	io.WriteString(good, "vera\nright\nhello")
	want := "login: password: hello"
	b := make([]byte, len(want))
	if _, err := io.ReadFull(good, b); err != nil || string(b) != want {
		t.Errorf("%q %v", b, err)
	}
}

func TestRefusedAddresses(t *testing.T) {
	asked := make(chan string, 8)
	newRig(t, Config{CheckListen: func(addr string, login, tls bool) error {
		select {
		case asked <- addr:
		default:
		}
		return errors.New("not there")
	}}, Port{Device: "box", Path: "ports/3", Raw: "0.0.0.0:0"})
	if addr := <-asked; addr != "0.0.0.0:0" {
		t.Error(addr)
	}
}

// Ports that stay the same keep their clients when others change.
func TestSet(t *testing.T) {
	keep := Port{Device: "box", Path: "ports/3", Raw: "127.0.0.1:0"}
	r := newRig(t, Config{}, keep)
	kept := dial(t, <-r.addr)
	kept.Write([]byte("a"))
	expect(t, kept, "a")
	r.door.Set([]Port{keep, {Device: "box", Path: "ports/1", Raw: "127.0.0.1:0"}})
	<-r.addr
	r.door.Set([]Port{keep, {Device: "box", Path: "ports/2", Raw: "127.0.0.1:0"}})
	<-r.addr
	kept.Write([]byte("b"))
	expect(t, kept, "b")
	r.door.Set(nil)
	if _, err := kept.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the port is offered although it is not configured")
	}
}
