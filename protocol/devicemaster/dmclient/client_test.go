package dmclient_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmclient"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmserver"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmsim"
)

// box is a simulated box in a bubble of simulated time.
type box struct {
	*testing.T
	sim *dmsim.Sim
	ln  *testnet.Listener
}

func inBox(t *testing.T, o dmsim.Options, f func(b *box)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, err := dmsim.New(o)
		if err != nil {
			t.Fatal(err)
		}
		b := &box{t, s, testnet.Listen()}
		ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
		done := make(chan error, 1)
		go func() { done <- s.Serve(ctx, b.ln) }()
		defer func() {
			cancel()
			<-done
		}()
		f(b)
	})
}

func (b *box) dial(o dmclient.Options) *dmclient.Link {
	b.Helper()
	l, err := dmclient.Dial(b.Context(), b.ln.DialContext, "box:4606", o)
	if err != nil {
		b.Fatal(err)
	}
	return l
}

func settings(baud uint32, o devicemaster.Outputs) dmclient.Settings {
	line, chars, idle := devicemaster.LineSettings(0), devicemaster.DefaultChars(), uint32(0)
	return dmclient.Settings{Baud: baud, Line: &line, Mode: devicemaster.RS232, Outputs: &o, Chars: &chars, Idle: &idle}
}

const lines = devicemaster.RTS | devicemaster.DTR

func (b *box) open(l *dmclient.Link, n int) *dmclient.Port {
	b.Helper()
	p, err := l.Open(b.Context(), n, settings(9600, lines))
	if err != nil {
		b.Fatal(err)
	}
	return p
}

func (b *box) want(what string, err error, want ...error) {
	b.Helper()
	for _, w := range want {
		if !errors.Is(err, w) {
			b.Errorf("%s: %v; want %v", what, err, w)
		}
	}
}

func TestIdentity(t *testing.T) {
	inBox(t, dmsim.Options{State: 2}, func(b *box) {
		l := b.dial(dmclient.Options{})
		id := l.ID()
		if s, _ := id.State(); id.FirmwareText() != "SocketServer 11.34" || l.Ports() != 8 || s != 2 || id.Program != devicemaster.ProgramNSLink {
			t.Errorf("%+v", id)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		b.want("Err after Close", l.Err(), dmclient.ErrLinkDown, net.ErrClosed)
		_, err := l.Open(b.Context(), 0, dmclient.Settings{})
		b.want("Open after Close", err, dmclient.ErrLinkDown, net.ErrClosed)
		if l.Close() != nil {
			t.Error("the second Close fails")
		}
	})
}

// A megabyte of all byte values goes both ways through a null modem at once, whatever the box does differently.
func TestNullModem(t *testing.T) {
	for name, row := range map[string]struct {
		v dmserver.Variations
		f dmsim.Faults
	}{
		"usual":            {},
		"total after done": {v: dmserver.Variations{Total: dmserver.TotalAfterDone, InitialInputs: true}},
		"no total":         {v: dmserver.Variations{Total: dmserver.TotalNever, IdleGlued: true}},
		"stray zeros":      {f: dmsim.Faults{StrayZeros: true}},
		"split":            {f: dmsim.Faults{Split: 7}},
		"no done":          {f: dmsim.Faults{OmitDone: true}},
	} {
		t.Run(name, func(t *testing.T) {
			inBox(t, dmsim.Options{Variations: row.v}, func(b *box) {
				b.sim.SetFaults(row.f)
				l := b.dial(dmclient.Options{})
				defer l.Close()
				ports := [2]*dmclient.Port{b.open(l, 0), b.open(l, 1)}
				for _, p := range ports {
					p.SetDeadline(time.Now().Add(time.Minute)) // a window that leaks is an error, not a wait
				}
				data := make([]byte, 1<<20)
				for i := range data {
					data[i] = byte(i ^ i>>8)
				}
				var wg sync.WaitGroup
				for i, p := range ports {
					wg.Go(func() {
						for sent := 0; sent < len(data); {
							n, err := p.Write(data[sent:min(sent+5000*(i+1), len(data))])
							if sent += n; err != nil {
								t.Error(err)
								return
							}
							if u := p.Unacked(); u > devicemaster.Window {
								t.Errorf("%d bytes outstanding", u)
							}
						}
						ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
						defer cancel()
						if err := p.Drain(ctx); err != nil || p.Unacked() != 0 {
							t.Errorf("drain: %v, %d outstanding", err, p.Unacked())
						}
					})
					wg.Go(func() {
						got := make([]byte, len(data))
						if _, err := io.ReadFull(p, got); err != nil || !bytes.Equal(got, data) {
							t.Errorf("port %d: not what was sent (%v)", i, err)
						}
					})
				}
				wg.Wait()
				if c := ports[0].Counts(); c.In != 1<<20 || c.Out != 1<<20 {
					t.Errorf("%+v", c)
				}
				if s := b.sim.Stats(); s.Overruns != 0 || s.Resyncs != 0 || s.Strays != 0 || s.Unknown != 0 {
					t.Errorf("%+v", s)
				}
				if s := l.Stats(); s.Resyncs != 0 || s.Strays != 0 || s.Unknown != 0 || (s.Unanswered > 0) != row.f.OmitDone {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// The lines of one end are the inputs of the other, also across openings, as the recordings show: 0x38 and 0.
func TestModemLines(t *testing.T) {
	inBox(t, dmsim.Options{}, func(b *box) {
		l := b.dial(dmclient.Options{})
		defer l.Close()
		p, q := b.open(l, 0), b.open(l, 1)
		next := func(p *dmclient.Port) dmclient.Event {
			t.Helper()
			ctx, cancel := context.WithTimeout(b.Context(), time.Second)
			defer cancel()
			e, err := p.Event(ctx)
			if err != nil {
				t.Fatal(err)
			}
			return e
		}
		synctest.Wait()
		if e := next(p); e.Inputs != 0x38 {
			t.Errorf("the first end sees %v", e.Inputs)
		}
		if e := next(q); e.Inputs != 0x38 {
			t.Errorf("the second end sees %v", e.Inputs)
		}
		if err := q.SetOutputs(0, devicemaster.RTS); err != nil {
			t.Fatal(err)
		}
		if e := next(p); e.Inputs != devicemaster.DSR|devicemaster.CD {
			t.Errorf("without RTS: %v", e.Inputs)
		}
		if err := q.SetOutputs(devicemaster.Break, 0); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if e := next(p); e.Errors != devicemaster.BreakError || e.Inputs&devicemaster.BreakSeen == 0 || p.Counts().Breaks != 1 {
			t.Errorf("break: %+v, %+v", e, p.Counts())
		}
		b.sim.Report(0, devicemaster.Overflow|devicemaster.ParityError|devicemaster.FramingError)
		synctest.Wait()
		if e, c := next(p), p.Counts(); e.Errors != 7 || c.Overrun != 1 || c.Parity != 1 || c.Framing != 1 {
			t.Errorf("%+v, %+v", e, c)
		}
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
		if e := next(p); e.Inputs != 0 {
			t.Errorf("after the other end was closed: %v", e.Inputs)
		}
		b.sim.SetInputs(0, devicemaster.RI)
		if e := next(p); e.Inputs != devicemaster.RI || p.Inputs() != devicemaster.RI {
			t.Errorf("ring: %v", e.Inputs)
		}
		ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
		defer cancel()
		_, err := p.Event(ctx)
		b.want("no event", err, context.DeadlineExceeded)
	})
}

func TestIdleTime(t *testing.T) {
	for _, glued := range []bool{false, true} {
		inBox(t, dmsim.Options{Layout: "echo", Variations: dmserver.Variations{IdleGlued: glued}}, func(b *box) {
			l := b.dial(dmclient.Options{})
			defer l.Close()
			s := settings(9600, lines)
			ms := uint32(50)
			s.Idle = &ms
			p, err := l.Open(b.Context(), 0, s)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			p.Event(b.Context())
			began := time.Now()
			p.Write([]byte("x"))
			e, err := p.Event(b.Context())
			want := 50 * time.Millisecond
			if glued {
				want = 0
			}
			if took := time.Since(began); err != nil || !e.Idle || took != want {
				t.Errorf("%+v, %v after %v", e, err, took)
			}
		})
	}
}

// A port has one owner; others are told so, and whoever asks takes it away.
func TestOwnership(t *testing.T) {
	inBox(t, dmsim.Options{}, func(b *box) {
		ctx := b.Context()
		l, m := b.dial(dmclient.Options{}), b.dial(dmclient.Options{})
		defer l.Close()
		defer m.Close()
		p := b.open(l, 2)
		_, err := m.Open(ctx, 2, dmclient.Settings{})
		b.want("a port of another host", err, dmclient.ErrBusy)
		if !m.Busy(2) || m.Busy(3) || l.Busy(2) {
			t.Error("who knows that the port is busy?")
		}
		if !strings.Contains(err.Error(), "port 3") {
			t.Errorf("%v: ports are counted from 1", err)
		}
		_, err = l.Open(ctx, 2, dmclient.Settings{})
		b.want("a port that is open here", err, dmclient.ErrOpen)
		for _, n := range []int{-1, 8, 100} {
			_, err = l.Open(ctx, n, dmclient.Settings{})
			b.want("no such port", err, dmclient.ErrNoPort)
			b.want("no such port", l.Release(ctx, n), dmclient.ErrNoPort)
		}
		_, err = l.Open(ctx, 7, dmclient.Settings{})
		b.want("a port that is always taken", err, dmclient.ErrBusy)

		reading := make(chan error, 1)
		go func() {
			_, err := p.Read(make([]byte, 1))
			reading <- err
		}()
		synctest.Wait()
		if err := m.Release(ctx, 2); err != nil {
			t.Fatal(err)
		}
		b.want("read of a released port", <-reading, dmclient.ErrLost)
		_, err = p.Write([]byte("x"))
		b.want("write to a released port", err, dmclient.ErrLost)
		b.want("set", p.Set(dmclient.Settings{Baud: 300}), dmclient.ErrLost)
		b.want("flush", p.Flush(ctx, true, true), dmclient.ErrLost)
		b.want("drain", p.Drain(ctx), dmclient.ErrLost)
		b.want("Err", p.Err(), dmclient.ErrLost)
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		b.want("after Close", p.Err(), net.ErrClosed, dmclient.ErrLost)
		q := b.open(m, 2)
		if err := dmclient.Release(ctx, b.ln.DialContext, "box:4606", 2); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		b.want("taken by the tool", q.Err(), dmclient.ErrLost)
		p = b.open(l, 2)
		if err := l.Release(ctx, 2); err != nil {
			t.Fatal(err)
		}
		b.want("a port of its own", p.Err(), dmclient.ErrLost)
		if l.Err() != nil || m.Err() != nil {
			t.Error("a release has ended a link")
		}
	})
}

// What the box does not say in time: each wait is as long as the maker's driver waits.
func TestSilentBoxes(t *testing.T) {
	for name, row := range map[string]struct {
		f    dmsim.Faults
		want error
		took time.Duration
	}{
		"nothing":            {dmsim.Faults{Silent: true}, dmclient.ErrNoAnswer, 5 * time.Second},
		"no id":              {dmsim.Faults{OmitID: true}, dmclient.ErrNoAnswer, 5 * time.Second},
		"id too short":       {dmsim.Faults{ShortID: 93}, dmclient.ErrNotDeviceMaster, 5 * time.Second}, // the rest may be late
		"id with bytes left": {dmsim.Faults{LongID: 5}, dmclient.ErrNotDeviceMaster, 0},
		"no 74":              {dmsim.Faults{OmitAssigned: true}, dmclient.ErrNoAnswer, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inBox(t, dmsim.Options{}, func(b *box) {
				b.sim.SetFaults(row.f)
				began := time.Now()
				_, err := dmclient.Dial(b.Context(), b.ln.DialContext, "box:4606", dmclient.Options{})
				b.want("dial", err, row.want)
				if row.want == dmclient.ErrNoAnswer {
					b.want("dial", err, os.ErrDeadlineExceeded)
				}
				if took := time.Since(began); took != row.took {
					t.Errorf("took %v, want %v", took, row.took)
				}
				ctx, cancel := context.WithTimeout(b.Context(), 50*time.Millisecond)
				defer cancel()
				if _, err := dmclient.Dial(ctx, b.ln.DialContext, "box:4606", dmclient.Options{}); row.took > 0 {
					b.want("cancelled", err, context.DeadlineExceeded)
				}
			})
		})
	}
	inBox(t, dmsim.Options{}, func(b *box) { // an old box sends 94 bytes and then nothing
		b.sim.SetFaults(dmsim.Faults{ShortID: 94})
		l := b.dial(dmclient.Options{})
		id := l.ID()
		if l.Ports() != 32 || id.MAC.String() != "00:c0:4e:00:00:01" {
			t.Errorf("%d ports, %v", l.Ports(), id.MAC)
		}
		l.Close()
	})
}

func TestUnansweredOpening(t *testing.T) {
	inBox(t, dmsim.Options{}, func(b *box) {
		l := b.dial(dmclient.Options{})
		defer l.Close()
		b.sim.SetFaults(dmsim.Faults{OmitStatus: true})
		began := time.Now()
		_, err := l.Open(b.Context(), 0, settings(9600, lines))
		b.want("open", err, dmclient.ErrNoAnswer)
		if took := time.Since(began); took != time.Second {
			t.Errorf("took %v", took)
		}
		synctest.Wait()
		if in := b.sim.Ports()[0]; in.Owner != nil {
			t.Error("the port was not given back")
		}
		b.sim.SetFaults(dmsim.Faults{Delay: 600 * time.Millisecond})
		ctx, cancel := context.WithTimeout(b.Context(), 100*time.Millisecond)
		defer cancel()
		_, err = l.Open(ctx, 0, settings(9600, lines))
		b.want("open", err, context.DeadlineExceeded)
		b.sim.SetFaults(dmsim.Faults{})
		p := b.open(l, 0) // the late answers to the attempt before do no harm
		time.Sleep(2 * time.Second)
		if err := p.Err(); err != nil {
			t.Errorf("late answers: %v", err)
		}
		b.sim.SetFaults(dmsim.Faults{OmitDone: true})
		b.want("flush", p.Flush(b.Context(), true, true), dmclient.ErrNoAnswer)
		b.sim.SetFaults(dmsim.Faults{OmitStatus: true})
		b.want("release", l.Release(b.Context(), 3), dmclient.ErrNoAnswer)
	})
}

// A box that does not answer pings is gone after the link timeout, and not before; other traffic does not help it.
func TestKeepAlive(t *testing.T) {
	inBox(t, dmsim.Options{}, func(b *box) {
		l := b.dial(dmclient.Options{})
		defer l.Close()
		p := b.open(l, 4) // the instrument talks every second
		go io.Copy(io.Discard, p)
		time.Sleep(time.Hour)
		if l.Err() != nil {
			t.Fatal(l.Err())
		}
		b.sim.SetFaults(dmsim.Faults{OmitPings: true})
		began := time.Now()
		<-l.Done()
		b.want("Err", l.Err(), dmclient.ErrLinkDown, dmclient.ErrNoAnswer)
		if took := time.Since(began); took < 59*time.Second || took > 121*time.Second {
			t.Errorf("noticed after %v", took)
		}
		_, err := p.Write([]byte("x"))
		b.want("write", err, dmclient.ErrLinkDown)
		_, rerr := io.Copy(io.Discard, p)
		b.want("read", rerr, dmclient.ErrLinkDown)
		if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(rerr, os.ErrDeadlineExceeded) {
			t.Errorf("the end of the port is like a deadline of its user, after which it would live on: %v, %v", err, rerr)
		}
	})
	inBox(t, dmsim.Options{}, func(b *box) { // a network with a way to go: the link timeout counts from the last answer
		b.sim.SetFaults(dmsim.Faults{Delay: 50 * time.Millisecond})
		l := b.dial(dmclient.Options{})
		defer l.Close()
		time.Sleep(time.Hour + 30*time.Second)
		b.sim.SetFaults(dmsim.Faults{OmitPings: true})
		began := time.Now()
		<-l.Done()
		if took := time.Since(began); took < 89*time.Second || took > 91*time.Second {
			t.Errorf("noticed after %v", took)
		}
	})
	inBox(t, dmsim.Options{}, func(b *box) {
		b.sim.SetFaults(dmsim.Faults{UnknownOps: true})
		var unknown []byte
		l := b.dial(dmclient.Options{LinkTimeout: 10 * time.Second, Unknown: func(raw []byte, err error) { unknown = append(unknown, raw...) }})
		defer l.Close()
		<-l.Done() // the answers stand behind unknown messages, and fall with them
		if len(unknown) == 0 || unknown[0] != 0x6e {
			t.Errorf("unknown % x", unknown)
		}
	})
}

// Sync returns when the box has everything that was sent before.
func TestSync(t *testing.T) {
	inBox(t, dmsim.Options{}, func(b *box) {
		l := b.dial(dmclient.Options{})
		defer l.Close()
		p := b.open(l, 5)
		p.Set(dmclient.Settings{Baud: 115200, Mode: devicemaster.RS422})
		if err := l.Sync(b.Context()); err != nil {
			t.Fatal(err)
		}
		if s := b.sim.Ports()[5].Settings; s.Baud != 115200 || s.Mode != devicemaster.RS422 || s.Outputs != lines {
			t.Errorf("%+v", s)
		}
		if s := p.Settings(); s.Baud != 115200 || *s.Outputs != lines {
			t.Errorf("%+v", s)
		}
		b.sim.SetFaults(dmsim.Faults{OmitPings: true})
		ctx, cancel := context.WithTimeout(b.Context(), time.Second)
		defer cancel()
		b.want("sync", l.Sync(ctx), context.DeadlineExceeded)
	})
}

// A far end that takes nothing stops the writer at the window, and a reader that reads nothing stops the far end.
func TestBackPressure(t *testing.T) {
	inBox(t, dmsim.Options{}, func(b *box) {
		l := b.dial(dmclient.Options{})
		defer l.Close()
		p, q := b.open(l, 0), b.open(l, 1)
		p.SetDeadline(time.Now().Add(time.Minute))
		n, err := p.Write(make([]byte, 1<<20))
		b.want("write", err, os.ErrDeadlineExceeded)
		// The window at the client, the line's buffer, the window towards the reader, and what two pumps have in their hands.
		if n < devicemaster.Window || n > 5*devicemaster.DeviceBuffer {
			t.Errorf("%d bytes were taken", n)
		}
		if u := p.Unacked(); u != devicemaster.Window {
			t.Errorf("%d unacknowledged", u)
		}
		ctx, cancel := context.WithTimeout(b.Context(), time.Second)
		defer cancel()
		b.want("drain", p.Drain(ctx), context.DeadlineExceeded)
		_, err = p.Write([]byte("x"))
		b.want("write behind its deadline", err, os.ErrDeadlineExceeded)
		p.SetDeadline(time.Time{})
		go p.Write([]byte("x"))
		if _, err := io.ReadFull(q, make([]byte, n+1)); err != nil {
			t.Error(err)
		}
		if err := p.Drain(b.Context()); err != nil {
			t.Error(err)
		}
		q.SetDeadline(time.Now().Add(-time.Second))
		_, err = q.Read(make([]byte, 1))
		b.want("read behind its deadline", err, os.ErrDeadlineExceeded)
	})
}

func TestFlush(t *testing.T) {
	inBox(t, dmsim.Options{}, func(b *box) {
		l := b.dial(dmclient.Options{})
		defer l.Close()
		p, q := b.open(l, 0), b.open(l, 1)
		p.SetDeadline(time.Now().Add(time.Second))
		p.Write(make([]byte, 1<<20))
		p.SetDeadline(time.Time{})
		if err := p.Flush(b.Context(), false, true); err != nil {
			t.Fatal(err)
		}
		if err := q.Flush(b.Context(), true, false); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if err := q.Flush(b.Context(), true, false); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if err := p.Drain(b.Context()); err != nil {
			t.Fatal(err)
		}
		if err := q.Flush(b.Context(), true, true); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Write([]byte("new")); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 3)
		if _, err := io.ReadFull(q, got); err != nil || string(got) != "new" {
			t.Errorf("%q, %v", got, err)
		}
		if err := p.Flush(b.Context(), false, false); err != nil {
			t.Error(err)
		}
	})
}

// A paced line drains as fast as its characters go.
func TestPace(t *testing.T) {
	inBox(t, dmsim.Options{Layout: "echo,sink", Paced: true}, func(b *box) {
		l := b.dial(dmclient.Options{})
		defer l.Close()
		p := b.open(l, 1)
		began := time.Now()
		if _, err := p.Write(make([]byte, 960)); err != nil {
			t.Fatal(err)
		}
		if err := p.Drain(b.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 990*time.Millisecond || took > 1010*time.Millisecond {
			t.Errorf("960 characters at 9600 baud took %v", took)
		}
	})
}

func TestInstrument(t *testing.T) {
	inBox(t, dmsim.Options{}, func(b *box) {
		l := b.dial(dmclient.Options{})
		defer l.Close()
		p := b.open(l, 4)
		p.Write([]byte("*IDN?\r\nfoo\r"))
		got := make([]byte, 4096)
		n, _ := p.Read(got)
		m, _ := io.ReadAtLeast(p, got[n:], 1)
		text := string(got[:n+m])
		if !strings.HasPrefix(text, "PATCHBAY,SIMULATED THERMOMETER") || !strings.Contains(text, "-113") {
			t.Errorf("%q", text)
		}
		began := time.Now()
		for range 10 {
			if _, err := p.Read(got); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took < 8*time.Second || took > 11*time.Second {
			t.Errorf("ten lines took %v", took)
		}
	})
}

// When the link dies every call ends with it, and what was not acknowledged stays counted.
func TestLinkDown(t *testing.T) {
	for name, cut := range map[string]func(*box){
		"reset":  func(b *box) { b.sim.Drop(true) },
		"closed": func(b *box) { b.sim.Drop(false) },
	} {
		t.Run(name, func(t *testing.T) {
			inBox(t, dmsim.Options{}, func(b *box) {
				l := b.dial(dmclient.Options{})
				p, q := b.open(l, 0), b.open(l, 1)
				var wg sync.WaitGroup
				for what, call := range map[string]func() error{
					"read":  func() error { _, err := p.Read(make([]byte, 1)); return err },
					"write": func() error { _, err := p.Write(make([]byte, 1<<20)); return err },
					"drain": func() error { time.Sleep(time.Millisecond); return p.Drain(context.Background()) },
					"event": func() error {
						for {
							if _, err := q.Event(context.Background()); err != nil {
								return err
							}
						}
					},
				} {
					wg.Go(func() { b.want(what, call(), dmclient.ErrLinkDown) })
				}
				time.Sleep(time.Second)
				cut(b)
				wg.Wait()
				<-l.Done()
				if n := p.Unacked(); n != devicemaster.Window {
					t.Errorf("%d unacknowledged", n)
				}
				if err := p.Close(); err != nil || p.Unacked() != devicemaster.Window {
					t.Errorf("close: %v, %d unacknowledged", err, p.Unacked())
				}
				l.Close()
			})
		})
	}
}

func TestCloseInEveryState(t *testing.T) {
	inBox(t, dmsim.Options{}, func(b *box) {
		l := b.dial(dmclient.Options{})
		p := b.open(l, 0)
		b.open(l, 1)
		errs := make(chan error, 3)
		go func() { _, err := p.Read(make([]byte, 1)); errs <- err }()
		go func() { _, err := p.Write(make([]byte, 1<<20)); errs <- err }()
		time.Sleep(time.Second)
		go func() { errs <- p.Drain(context.Background()) }()
		synctest.Wait()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { p.Close() })
		}
		wg.Wait()
		for range 3 {
			b.want("a call while closing", <-errs, net.ErrClosed)
		}
		b.want("read", func() error { _, err := p.Read(nil); return err }(), net.ErrClosed)
		synctest.Wait()
		if b.sim.Ports()[0].Owner != nil {
			t.Error("the port was not given back")
		}
		p = b.open(l, 0) // and it can be opened again
		b.sim.SetFaults(dmsim.Faults{Silent: true})
		began := time.Now()
		p.Close()
		if took := time.Since(began); took != time.Second {
			t.Errorf("closing took %v with a silent box", took)
		}
		l.Close()
	})
}

// What no box can say is not taken for one, and not read for ever.
func TestOtherPeers(t *testing.T) {
	for name, say := range map[string][]byte{
		"zeros": make([]byte, 147), "ones": bytes.Repeat([]byte{0xff}, 147), "text": bytes.Repeat([]byte("a"), 200),
		"http": []byte("HTTP/1.1 400 Bad Request\r\n\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ln := testnet.Listen()
				done := make(chan struct{})
				go func() {
					defer close(done)
					c, _ := ln.Accept()
					defer c.Close()
					io.ReadFull(c, make([]byte, 8))
					c.Write(say)
					io.Copy(io.Discard, c)
				}()
				_, err := dmclient.Dial(t.Context(), ln.DialContext, "box:4606", dmclient.Options{})
				if !errors.Is(err, dmclient.ErrNotDeviceMaster) {
					t.Errorf("%v", err)
				}
				<-done
			})
		})
	}
}

// A box that sends far more than it may ends the link instead of filling the memory; a single block of the largest size,
// messages for ports that do not exist and messages before any selection are borne.
func TestBoxesOutOfStep(t *testing.T) {
	id := devicemaster.Identity(2, 0)
	run := func(t *testing.T, say []byte, f func(l *dmclient.Link, p *dmclient.Port)) {
		synctest.Test(t, func(t *testing.T) {
			ln := testnet.Listen()
			done, opened := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(done)
				c, _ := ln.Accept()
				defer c.Close()
				read := func(n int) { io.ReadFull(c, make([]byte, n)) }
				read(8)
				c.Write(id.Append(nil))
				read(1)
				c.Write([]byte{0x74})
				read(8)
				c.Write([]byte{0xfd})
				read(4)
				c.Write([]byte{0x62, 0, 0x76, 0x10, 0, 0})
				read(2 + 3 + 3)
				c.Write([]byte{0x67, 3, 0})
				<-opened
				c.Write(say)
				io.Copy(io.Discard, c)
			}()
			l, err := dmclient.Dial(t.Context(), ln.DialContext, "box:4606", dmclient.Options{})
			if err != nil {
				t.Fatal(err)
			}
			p, err := l.Open(t.Context(), 0, dmclient.Settings{})
			if err != nil {
				t.Fatal(err)
			}
			close(opened)
			synctest.Wait()
			f(l, p)
			l.Close()
			<-done
		})
	}
	block := devicemaster.AppendData(nil, make([]byte, 65535))
	run(t, block, func(l *dmclient.Link, p *dmclient.Port) {
		if n, err := io.ReadFull(p, make([]byte, 65535)); err != nil {
			t.Errorf("%d bytes of a large block: %v", n, err)
		}
	})
	run(t, bytes.Repeat(block, 3), func(l *dmclient.Link, p *dmclient.Port) {
		if err := l.Err(); !errors.Is(err, dmclient.ErrFlow) || !errors.Is(p.Err(), dmclient.ErrLinkDown) {
			t.Errorf("a flood: %v, %v", err, p.Err())
		}
	})
	run(t, []byte{0x62, 9, 0x60, 1, 0, 0x62, 1, 0x61, 1, 0, 'x', 0x74, 0x60, 9, 9, 0x62, 0, 0x60, 9, 9, 0x61, 0, 0}, func(l *dmclient.Link, p *dmclient.Port) {
		if s := l.Stats(); l.Err() != nil || s.Strays != 3 || s.Resyncs != 1 {
			t.Errorf("%v, %+v", l.Err(), s)
		}
		if n, err := p.Write(make([]byte, 1999)); n != 1999 || err != nil {
			t.Errorf("after a total out of step: %d, %v", n, err)
		}
	})
	garbage := bytes.Repeat([]byte{0xee}, 4<<20) // no message begins with it, so no answer to a ping is found in there
	run(t, garbage, func(l *dmclient.Link, p *dmclient.Port) {
		if !errors.Is(l.Err(), dmclient.ErrNotDeviceMaster) {
			t.Errorf("garbage: %v", l.Err())
		}
	})
}

func TestDiscover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nw := new(testnet.Network)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for i := range byte(4) { // the last one has the same MAC as the first
			s, err := dmsim.New(dmsim.Options{Layout: "echo", MAC: devicemaster.MAC{0, 0xc0, 0x4e, 0, 0, i%3 + 1}})
			if err != nil {
				t.Fatal(err)
			}
			pc, err := nw.ListenPacket(ctx, "udp", []string{"192.0.2.1:4606", "192.0.2.2:4606", "192.0.2.3:4606", "192.0.2.5:4606"}[i])
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() { s.AnswerDiscovery(ctx, pc) })
		}
		me, _ := nw.ListenPacket(ctx, "udp", "192.0.2.99:0")
		var to []net.Addr
		for _, a := range []string{"192.0.2.1:4606", "192.0.2.2:4606", "192.0.2.3:4606", "192.0.2.4:4606", "192.0.2.5:4606"} {
			to = append(to, testnet.Addr{Net: "udp", Name: a})
		}
		found := map[string]string{}
		during, stop := context.WithTimeout(ctx, 3*time.Second)
		defer stop()
		if err := dmclient.Discover(during, me, to, func(f dmclient.Found) {
			mac, _ := f.Response.MAC()
			if found[f.From.String()] != "" {
				t.Errorf("%v is found twice", f.From)
			}
			found[f.From.String()] = mac.String() + " " + f.Response.Text(devicemaster.TagFirmware)
		}); err != nil {
			t.Error(err)
		}
		if len(found) != 4 || found["192.0.2.5:4606"] != found["192.0.2.1:4606"] || found["192.0.2.2:4606"] != "00:c0:4e:00:00:02 SocketServer 11.34" {
			t.Errorf("%v", found)
		}
		me.Close()
		cancel()
		wg.Wait()
	})
}
