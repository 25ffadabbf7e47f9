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
