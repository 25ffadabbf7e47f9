package serial

import (
	"context"
	"errors"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
	"github.com/patchbay-io/patchbay/protocol/rfc2217"
	"github.com/patchbay-io/patchbay/protocol/rfc2217/rfc2217client"
)

func dialRFC2217(t *testing.T, addr string) *rfc2217client.Client {
	t.Helper()
	c, err := rfc2217client.Dial(t.Context(), new(net.Dialer).DialContext, addr, rfc2217client.Options{Timeout: patience, ControlTimeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetReadDeadline(time.Now().Add(patience))
	return c
}

// The first client of an RFC 2217 door owns the port. The next reads along, learns the settings and changes nothing; one more than
// max_clients is told why it is not served.
func TestRFC2217MaxClients(t *testing.T) {
	r := newRig(t, Config{}, Port{Device: "box", Path: "ports/3", RFC2217: "127.0.0.1:0", MaxClients: 2})
	addr := <-r.addr
	owner := dialRFC2217(t, addr)
	if _, err := owner.Set(t.Context(), rfc2217.Settings{Baud: 4800}); err != nil {
		t.Fatal(err)
	}
	observer := dialRFC2217(t, addr)
	if got, err := observer.Set(t.Context(), rfc2217.Settings{Baud: 300}); err != nil || got.Baud != 4800 {
		t.Errorf("an observer sets %+v, %v", got, err)
	}
	if err := observer.Purge(t.Context(), rfc2217.PurgeBoth); err != nil {
		t.Errorf("an observer purges: %v", err)
	}
	observer.Write([]byte("not for the line"))
	owner.Write([]byte("for all"))
	expect(t, owner, "for all")
	expect(t, observer, "for all")
	if l := r.box.Port("ports/3").Line(); l.Baud != 4800 {
		t.Errorf("%v", l)
	}
	third := dial(t, addr)
	if text, err := io.ReadAll(third); err != nil || !strings.Contains(string(text), "as many clients") {
		t.Errorf("%q %v", text, err)
	}
	owner.Close()
	until(t, "giving the port back", func() bool { return !r.box.Port("ports/3").IsOpen() })
	next := dialRFC2217(t, addr)
	next.Write([]byte("mine"))
	expect(t, next, "mine")
}

func TestRFC2217KickOld(t *testing.T) {
	r := newRig(t, Config{}, Port{Device: "box", Path: "ports/3", RFC2217: "127.0.0.1:0", KickOld: true})
	addr := <-r.addr
	one := dialRFC2217(t, addr)
	one.Write([]byte("1"))
	expect(t, one, "1")
	two := dialRFC2217(t, addr)
	if n, err := one.Read(make([]byte, 1)); n > 0 || err == nil {
		t.Errorf("the old client reads %d bytes, %v", n, err)
	}
	two.Write([]byte("2"))
	expect(t, two, "2")
}

// Somebody who has the port through another door is not turned out but with kick_old.
func TestBusyDoors(t *testing.T) {
	for _, kick := range []bool{false, true} {
		r := newRig(t, Config{}, Port{Device: "box", Path: "ports/3", Raw: "127.0.0.1:0", KickOld: kick})
		s, err := r.box.Gateway.OpenStream(t.Context(), driver.Who{Door: "http", User: "paul"}, "box", "ports/3", north.StreamOptions{Own: true, Granted: true, Wait: true})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		c := dial(t, <-r.addr)
		c.Write([]byte("x"))
		if kick {
			expect(t, c, "x")
			if _, err := s.Read(make([]byte, 1)); !errors.Is(err, north.ErrStreamTaken) {
				t.Errorf("the old owner reads %v", err)
			}
			continue
		}
		if text, err := io.ReadAll(c); err != nil || !strings.Contains(string(text), "paul (http)") {
			t.Errorf("%q %v", text, err)
		}
	}
}

// Every setting of a port that the gateway acts on reaches it.
func TestOptions(t *testing.T) {
	p := Port{Observe: true, KickOld: true, Keep: true, Retake: true, Coalesce: 5 * time.Millisecond, Line: driver.Line{Baud: 300}}
	o := offer{port: p}
	want := north.StreamOptions{Own: true, Hold: true, Take: true, Granted: true, Keep: true, Retake: true, Coalesce: 5 * time.Millisecond, Line: driver.Line{Baud: 300}}
	if got := o.options(true); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	want.Own, want.Take = false, false
	if got := o.options(false); !reflect.DeepEqual(got, want) {
		t.Errorf("to read along: %+v", got)
	}
}

// A client that comes a moment before the one before is missed is let in; one more than max_clients is not.
func TestAdmittedWhenOneLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cancel := context.WithCancel(t.Context())
		defer cancel()
		all := &clients{most: 1, in: map[*client]context.CancelFunc{}}
		var first, second, third client
		if !all.arrive() || !all.admitSoon(t.Context(), &first, cancel) {
			t.Fatal("the first is not let in")
		}
		time.AfterFunc(north.LeavingWait/2, func() { first.leaving.Store(true) })
		if !all.arrive() || !all.admitSoon(t.Context(), &second, cancel) {
			t.Error("the second is not let in")
		}
		if !all.arrive() || all.admitSoon(t.Context(), &third, cancel) {
			t.Error("the third is let in")
		}
	})
}
