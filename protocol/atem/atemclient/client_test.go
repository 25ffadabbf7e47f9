package atemclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/atem"
)

const where = "192.0.2.10:9910"

// far is a switcher that does what a test says.
type far struct {
	t   *testing.T
	net testnet.Network
	pc  net.PacketConn
}

func newFar(t *testing.T) *far {
	f := &far{t: t}
	pc, err := f.net.ListenPacket(t.Context(), "udp", where)
	if err != nil {
		t.Fatal(err)
	}
	f.pc = pc
	t.Cleanup(func() { pc.Close() })
	return f
}

func (f *far) next() (atem.Packet, net.Addr) {
	buf := make([]byte, 2048)
	n, from, err := f.pc.ReadFrom(buf)
	if err != nil {
		return atem.Packet{}, nil
	}
	p, err := atem.ParsePacket(buf[:n])
	if err != nil {
		f.t.Error(err)
	}
	return p, from
}

func (f *far) packet(to net.Addr, p atem.Packet) {
	b, err := p.Append(nil)
	if err != nil {
		f.t.Error(err)
	}
	f.pc.WriteTo(b, to)
}

func (f *far) step(to net.Addr, session uint16, h atem.Handshake) {
	f.pc.WriteTo(h.Append(nil, session, 0), to)
}

// accept opens one session and returns the client's address.
func (f *far) accept(given uint16) net.Addr {
	p, from := f.next()
	f.step(from, p.Session, atem.Handshake{Step: atem.StepAccept, Given: given})
	f.next() // its acknowledgement
	return from
}

func (f *far) field(code string, size int) []byte {
	c, _ := atem.ParseCode(code)
	b, _ := (&atem.Field{Code: c, Body: make([]byte, size)}).Append(nil)
	return b
}

// Nothing answers: the open is sent eleven times, then begun anew with another number from another port, until the context
// ends.
func TestNobodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFar(t)
		type open struct {
			session uint16
			from    string
			again   bool
		}
		var mu sync.Mutex
		var got []open
		go func() {
			for {
				p, from := f.next()
				if from == nil {
					return
				}
				mu.Lock()
				got = append(got, open{p.Session, from.String(), p.Flags&atem.FlagResent != 0})
				mu.Unlock()
			}
		}()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began := time.Now()
		_, err := Dial(ctx, f.net.ListenPacket, where, Options{Rand: strings.NewReader("\x81\x01\x02\x02\x03\x03\x04\x04")})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 5*time.Second+goodbye {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		f.pc.Close()
		synctest.Wait()
		if len(got) != 22 {
			t.Fatalf("%d opens", len(got))
		}
		if got[0].session != 0x0101 || got[0].again || !got[10].again || got[11].session != 0x0202 || got[11].again || got[11].from == got[0].from {
			t.Errorf("%v", got)
		}
		// With a limit, the error says why.
		_, err = Dial(t.Context(), f.net.ListenPacket, where, Options{Opens: 2})
		if !errors.Is(err, atem.ErrNoAnswer) {
			t.Error(err)
		}
	})
}

// A client that gives up closes a session that it is given too late.
func TestCancelledOpenIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFar(t)
		ctx, cancel := context.WithCancel(t.Context())
		var got []string
		done := make(chan struct{})
		go func() {
			defer close(done)
			p, from := f.next()
			cancel()
			time.Sleep(10 * time.Millisecond)
			f.step(from, p.Session, atem.Handshake{Step: atem.StepAccept, Given: 9})
			p, _ = f.next()
			got = append(got, fmt.Sprint(p.Handshake().Step, " ", p.Session))
			f.step(from, p.Session, atem.Handshake{Step: atem.StepClosed})
		}()
		began := time.Now()
		_, err := Dial(ctx, f.net.ListenPacket, where, Options{})
		if !errors.Is(err, context.Canceled) || time.Since(began) != 10*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		<-done
		if fmt.Sprint(got) != "[closing 32777]" {
			t.Error(got)
		}
	})
}

// Why a dial fails at once.
func TestDialFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFar(t)
		refused := errors.New("no sockets left")
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		for _, row := range []struct {
			name string
			ctx  context.Context
			open Opener
			addr string
			o    Options
			want error
		}{
			{"no socket", t.Context(), func(context.Context, string, string) (net.PacketConn, error) { return nil, refused }, where, Options{}, refused},
			{"no way", t.Context(), func(ctx context.Context, n, a string) (net.PacketConn, error) {
				pc, err := f.net.ListenPacket(ctx, n, a)
				return noWay{pc}, err
			}, where, Options{}, syscall.ENETUNREACH},
			{"an address without a port", t.Context(), f.net.ListenPacket, "192.0.2.10", Options{}, nil},
			{"a port that is none", t.Context(), f.net.ListenPacket, "192.0.2.10:switcher", Options{}, nil},
			{"no random numbers", t.Context(), f.net.ListenPacket, where, Options{Rand: strings.NewReader("")}, nil},
			{"a context that has ended", ended, f.net.ListenPacket, where, Options{}, context.Canceled},
		} {
			_, err := Dial(row.ctx, row.open, row.addr, row.o)
			if err == nil || row.want != nil && !errors.Is(err, row.want) {
				t.Errorf("%s: %v", row.name, err)
			}
		}
	})
}

type noWay struct{ net.PacketConn }

func (noWay) WriteTo([]byte, net.Addr) (int, error) { return 0, syscall.ENETUNREACH }

// What a client hears and says, byte by byte where it counts.
func TestClientSide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFar(t)
		stranger, _ := f.net.ListenPacket(t.Context(), "udp", "")
		defer stranger.Close()
		peer := make(chan net.Addr, 1)
		go func() { peer <- f.accept(5) }()
		var mu sync.Mutex
		var got []string
		c, err := Dial(t.Context(), f.net.ListenPacket, where, Options{Handle: func(p []byte) {
			mu.Lock()
			got = append(got, fmt.Sprint(len(p)))
			mu.Unlock()
		}})
		if err != nil {
			t.Fatal(err)
		}
		to := <-peer
		if c.Addr() != where || to.String() != c.LocalAddr().String() {
			t.Errorf("%s, %s, %s", c.Addr(), to, c.LocalAddr())
		}
		data := func(n uint16, payload []byte) atem.Packet {
			return atem.Packet{Flags: atem.FlagNumbered, Session: 0x8005, Number: n, Payload: payload}
		}
		f.packet(to, data(1, nil))
		f.packet(to, data(2, f.field("_ver", 4)))
		stranger.WriteTo([]byte("\x08\x0c\x80\x05\x00\x00\x00\x00\x00\x00\x00\x03"), to)
		f.pc.WriteTo([]byte("nonsense"), to)
		f.packet(to, data(2, f.field("_ver", 4)))
		f.packet(to, data(3, append([]byte{0, 0, 0, 0}, f.field("InCm", 4)...))) // broken: no InCm
		select {
		case <-c.Ready():
			t.Error("ready without InCm")
		case <-time.After(time.Millisecond):
		}
		f.packet(to, data(4, append(f.field("AuxS", 4), f.field("InCm", 4)...)))
		<-c.Ready()
		if p, _ := f.next(); p.Flags != atem.FlagAck || p.Ack != 2 {
			t.Errorf("%+v", p)
		}
		mu.Lock()
		if fmt.Sprint(got) != "[12 16 24]" {
			t.Error(got)
		}
		mu.Unlock()
		if st := c.Stats(); st.Strangers != 1 || st.Malformed != 1 || st.Received != 4 || st.Repeated != 1 {
			t.Errorf("%+v", st)
		}

		// Fields that do not fit into one packet go in several, whole.
		long := atem.Field{Body: make([]byte, 900)}
		if err := c.Send(long, long, atem.Field{}); err != nil {
			t.Fatal(err)
		}
		var sizes []int
		for len(sizes) < 2 {
			p, _ := f.next()
			if p.Flags&atem.FlagNumbered != 0 {
				sizes = append(sizes, len(p.Payload))
			}
		}
		if fmt.Sprint(sizes) != "[908 916]" {
			t.Error(sizes)
		}
		if err := c.Send(atem.Field{Body: make([]byte, 1500)}); !errors.Is(err, atem.ErrFieldTooLong) {
			t.Error(err)
		}
		if err := c.Send(atem.Field{Body: make([]byte, 70000)}); !errors.Is(err, atem.ErrTooLong) {
			t.Error(err)
		}
		if err := c.SendPayload(bytes.Repeat([]byte{0}, 1500)); !errors.Is(err, atem.ErrTooShort) {
			t.Error(err)
		}
		if c.Err() != nil {
			t.Error(c.Err())
		}

		// The switcher closes.
		f.step(to, 0x8005, atem.Handshake{Step: atem.StepClosing})
		<-c.Done()
		if !errors.Is(c.Err(), atem.ErrPeerClosed) {
			t.Error(c.Err())
		}
		if err := c.Send(long); !errors.Is(err, atem.ErrPeerClosed) {
			t.Error(err)
		}
		c.Close()
	})
}

// A network that takes nothing any more, or whose socket goes away, ends the session.
func TestSocketGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFar(t)
		go f.accept(5)
		var pc net.PacketConn
		c, err := Dial(t.Context(), func(ctx context.Context, n, a string) (net.PacketConn, error) {
			var err error
			pc, err = f.net.ListenPacket(ctx, n, a)
			return pc, err
		}, where, Options{})
		if err != nil {
			t.Fatal(err)
		}
		pc.Close()
		<-c.Done()
		if !errors.Is(c.Err(), net.ErrClosed) || c.Stats().Unsent != 0 {
			t.Errorf("%v %+v", c.Err(), c.Stats())
		}
		c.Close()
	})
}
