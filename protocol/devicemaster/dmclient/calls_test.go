package dmclient_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmclient"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmsim"
)

// withPeer runs f with an open port of a box that says nothing of its own accord; c is the box's end.
func withPeer(t *testing.T, f func(t *testing.T, p *dmclient.Port, c net.Conn)) {
	synctest.Test(t, func(t *testing.T) {
		ln, id := testnet.Listen(), devicemaster.Identity(2, 0)
		far := make(chan net.Conn, 1)
		go func() {
			c, _ := ln.Accept()
			for _, x := range []struct {
				takes int
				says  []byte
			}{{8, id.Append(nil)}, {1, []byte{0x74}}, {8, []byte{0xfd}}, {4, []byte{0x62, 0, 0x76, 0x10, 0, 0}}, {8, []byte{0x67, 3, 0}}} {
				io.ReadFull(c, make([]byte, x.takes))
				c.Write(x.says)
			}
			far <- c
		}()
		l, err := dmclient.Dial(t.Context(), ln.DialContext, "box:4606", dmclient.Options{})
		if err != nil {
			t.Fatal(err)
		}
		p, err := l.Open(t.Context(), 0, dmclient.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		c := <-far
		f(t, p, c)
		c.Close()
		<-l.Done()
		l.Close()
	})
}

// Each flush has its own answer: neither that of another one at the same time, nor that of one whose caller has left, will do.
func TestFlushHasItsOwnAnswer(t *testing.T) {
	withPeer(t, func(t *testing.T, p *dmclient.Port, c net.Conn) {
		var wg sync.WaitGroup
		first, second := errors.New("waits"), errors.New("waits")
		ctx, cancel := context.WithCancel(t.Context())
		wg.Go(func() { first = p.Flush(ctx, true, false) })
		synctest.Wait()
		cancel()
		synctest.Wait()
		if !errors.Is(first, context.Canceled) {
			t.Errorf("cancelled: %v", first)
		}
		wg.Go(func() { first = p.Flush(t.Context(), true, false) })
		synctest.Wait()
		wg.Go(func() { second = p.Flush(t.Context(), false, true) })
		for answers, want := range [][2]bool{{false, false}, {false, false}, {true, false}, {true, true}} {
			if answers > 0 {
				c.Write([]byte{0x62, 0, 0x67, 1, 0})
			}
			synctest.Wait()
			if got := [2]bool{first == nil, second == nil}; got != want {
				t.Errorf("after %d answers: %v, want %v", answers, got, want)
			}
		}
		wg.Wait()
	})
}

// A box that takes no bytes is given up when too many wait for it.
func TestABoxThatTakesNothing(t *testing.T) {
	withPeer(t, func(t *testing.T, p *dmclient.Port, c net.Conn) {
		var wg sync.WaitGroup
		before := time.Now()
		wg.Go(func() {
			for p.Set(dmclient.Settings{Baud: 9600}) == nil { // blocks when it writes
			}
		})
		synctest.Wait()
		var err error
		for n := 0; err == nil && n < 1<<20; n++ {
			err = p.Set(dmclient.Settings{Baud: 9600})
		}
		if !errors.Is(err, dmclient.ErrLinkDown) || !errors.Is(err, dmclient.ErrNoAnswer) || !time.Now().Equal(before) {
			t.Errorf("%v", err)
		}
		wg.Wait()
	})
}

// What waits for the line when the output is flushed never gets there, also what has left the queue of the box already.
func TestFlushReachesTheLine(t *testing.T) {
	inBox(t, dmsim.Options{}, func(b *box) { // a line that is held by CTS
		l := b.dial(dmclient.Options{})
		defer l.Close()
		s := settings(9600, lines)
		held := devicemaster.CTSFlow
		s.Line = &held
		p, err := l.Open(b.Context(), 0, s)
		if err != nil {
			t.Fatal(err)
		}
		p.Write([]byte("old"))
		synctest.Wait()
		if err := p.Flush(b.Context(), false, true); err != nil {
			t.Fatal(err)
		}
		q := b.open(l, 1)
		p.Write([]byte("new"))
		got := make([]byte, 3)
		if _, err := io.ReadFull(q, got); err != nil || string(got) != "new" {
			t.Errorf("%q, %v", got, err)
		}
	})
	inBox(t, dmsim.Options{Layout: "sink", Paced: true}, func(b *box) { // a slow line
		l := b.dial(dmclient.Options{})
		defer l.Close()
		p := b.open(l, 0)
		p.Write(make([]byte, 1000))
		synctest.Wait()
		if err := p.Flush(b.Context(), false, true); err != nil {
			t.Fatal(err)
		}
		if err := p.Drain(b.Context()); err != nil {
			t.Fatal(err)
		}
		if n := b.sim.Ports()[0].Out; n >= 1000 {
			t.Errorf("%d bytes on the line", n)
		}
	})
}

// A silence that is not to be told any more is not told once more.
func TestIdleTimeTurnedOff(t *testing.T) {
	inBox(t, dmsim.Options{Layout: "echo"}, func(b *box) {
		l := b.dial(dmclient.Options{})
		defer l.Close()
		p := b.open(l, 0)
		after, never := uint32(1000), uint32(0)
		p.Set(dmclient.Settings{Idle: &after})
		p.Write([]byte("x"))
		synctest.Wait()
		p.Set(dmclient.Settings{Idle: &never})
		for {
			ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
			e, err := p.Event(ctx)
			cancel()
			if err != nil {
				b.want("no more events", err, context.DeadlineExceeded)
				return
			}
			if e.Idle {
				t.Error("a silence was told")
			}
		}
	})
}
