package fcserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/fcxml"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// toy shows one device with two values.
type toy struct {
	sets, gone atomic.Int64
	fail       error
}

func (h *toy) Details(c *Conn, d fcxml.ClientDetails) error {
	c.Send(fcxml.ClientDetails{ID: IDOf(d.Key)})
	c.Send(fcxml.Approval{ID: IDOf(d.Key)})
	c.Send(fcxml.DeviceArrival{Devices: []*fcxml.Element{{Name: "device", Attrs: []fcxml.Attr{{Name: "id", Value: "1"}}}}})
	return h.fail
}

func (h *toy) Subscribe(c *Conn, device string) bool {
	if device != "1" {
		return false
	}
	c.Snapshot(device, []fcxml.Assign{{ID: 2, Value: "a"}, {ID: 3, Value: "Björk"}})
	return true
}

func (h *toy) Set(context.Context, *Conn, fcxml.Set) { h.sets.Add(1) }
func (h *toy) Gone(*Conn)                            { h.gone.Add(1) }

// session is a program at the other end.
type session struct {
	*testing.T
	srv  *Server
	h    *toy
	conn *testnet.Conn
	in   *fcxml.Reader
}

func within(t *testing.T, o Options, f func(s *session)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &toy{}
		srv := New(h, o)
		l := testnet.Listen()
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- srv.Serve(ctx, l) }()
		conn, err := l.Dial(ctx)
		if err != nil {
			t.Fatal(err)
		}
		f(&session{t, srv, h, conn.(*testnet.Conn), fcxml.NewReader(conn)})
		conn.Close()
		synctest.Wait()
		if n := len(srv.Conns()); n != 0 {
			t.Errorf("%d programs after the last has gone", n)
		}
		cancel()
		if err := <-served; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func (s *session) send(payloads ...string) {
	for _, p := range payloads {
		s.conn.Write(fcxml.Frame{Payload: []byte(p)}.Append(nil))
	}
}

// all reads what comes within a second.
func (s *session) all() (out []string) {
	s.conn.SetReadDeadline(time.Now().Add(time.Second))
	for {
		f, err := s.in.Next()
		if err != nil {
			s.in = fcxml.NewReader(s.conn)
			s.conn.SetReadDeadline(time.Time{})
			return out
		}
		out = append(out, string(f.Payload))
	}
}

func (s *session) want(what string, payloads ...string) {
	s.Helper()
	if d := cmp.Diff(payloads, s.all()); d != "" {
		s.Errorf("%s: -want +got\n%s", what, d)
	}
}

func TestSession(t *testing.T) {
	within(t, Options{}, func(s *session) {
		s.send("<keep-alive/>", `<set devid="1"><item id="2" value="x"/></set>`, `<device-subscribe devid="1"/>`, "<unheard-of/>")
		s.want("before it said who it is", "<keep-alive/>")
		if s.h.sets.Load() != 0 || len(s.srv.Conns()) != 0 {
			t.Error("a stranger was heard")
		}
		s.send(`<client-details client-key="k" hostname="Grüße"/>`, `<client-details client-key="other"/>`)
		id := IDOf("k")
		s.want("greeting", `<client-details id="`+id+`"/>`, `<approval hostname="" id="`+id+`" type="response" authorised="false"/>`, `<device-arrival><device id="1"/></device-arrival>`)
		if d := s.srv.Conns()[0].Details(); d.Key != "k" || d.Hostname != "Grüße" {
			t.Errorf("%+v", d)
		}
		s.srv.Push("1", []fcxml.Assign{{ID: 2, Value: "early"}})
		s.want("not subscribed")
		s.send(`<device-subscribe devid="9" subscribe="true"/>`, `<device-subscribe devid="1"/>`)
		s.want("snapshot", `<set devid="1"><item id="2" value="a"/><item id="3" value="Björk"/></set>`)
		s.srv.Push("1", []fcxml.Assign{{ID: 2, Value: "b"}})
		s.srv.Push("2", []fcxml.Assign{{ID: 2, Value: "of another"}})
		s.srv.Broadcast(fcxml.DeviceRemoval{Device: "7"})
		s.want("pushes", `<set devid="1"><item id="2" value="b"/></set>`, `<device-removal id="7"/>`)
		s.send(`<set devid="1"><item id="2" value="x"/></set>`, `<device-subscribe devid="1" subscribe="false"/>`)
		synctest.Wait()
		s.srv.Push("1", []fcxml.Assign{{ID: 2, Value: "late"}})
		s.want("not subscribed any more")
		if s.h.sets.Load() != 1 || s.srv.Conns()[0].Sets() != 1 {
			t.Error("the set was not heard")
		}
	})
}

// Each frame of the greeting is a write of its own, with a pause after it.
func TestGreetingIsPaced(t *testing.T) {
	var writes []int
	var at []time.Time
	wrap := func(c net.Conn) net.Conn { return &noting{c, &writes, &at} }
	within(t, Options{WrapConn: wrap}, func(s *session) {
		s.send(`<client-details client-key="k"/>`)
		s.all()
		if len(writes) != 3 || at[1].Sub(at[0]) != 30*time.Millisecond || at[2].Sub(at[1]) != 30*time.Millisecond {
			t.Errorf("writes of %v bytes at %v", writes, at)
		}
	})
	writes, at = nil, nil
	within(t, Options{WrapConn: wrap, Faults: Faults{Join: true}, GreetingPause: -1}, func(s *session) {
		s.send(`<client-details client-key="k"/>`)
		s.all()
		if len(writes) != 1 {
			t.Errorf("joined: writes of %v bytes", writes)
		}
	})
}

type noting struct {
	net.Conn
	writes *[]int
	at     *[]time.Time
}

func (n *noting) Write(b []byte) (int, error) {
	*n.writes, *n.at = append(*n.writes, len(b)), append(*n.at, time.Now())
	return n.Conn.Write(b)
}

func TestLengthsInCharacters(t *testing.T) {
	for _, characters := range []bool{false, true} {
		within(t, Options{Faults: Faults{Characters: characters, Upper: true}, GreetingPause: -1}, func(s *session) {
			s.send(`<client-details client-key="k"/>`)
			s.all()
			s.send(`<device-subscribe devid="1"/>`)
			b := make([]byte, 200)
			n, _ := s.conn.Read(b)
			want := map[bool]string{false: "Length=00004A ", true: "Length=000049 "}[characters]
			if got := string(b[:fcxml.HeaderSize]); got != want || !strings.HasSuffix(string(b[:n]), "</set>") {
				t.Errorf("%q, want %q", b[:n], want)
			}
		})
	}
}

// A program that reads nothing does not grow: values are merged, and one that is too far behind is disconnected.
func TestSlowProgram(t *testing.T) {
	within(t, Options{GreetingPause: -1}, func(s *session) {
		s.send(`<client-details client-key="k"/>`, `<device-subscribe devid="1"/>`)
		s.all()
		s.conn.In().Stall()
		for i := range 20_000 {
			s.srv.Push("1", []fcxml.Assign{{ID: uint32(2 + i%3), Value: fmt.Sprint(i)}})
		}
		c := s.srv.Conns()[0]
		c.mu.Lock()
		if n := len(c.queue); n > 2 {
			t.Errorf("%d messages wait", n)
		}
		c.mu.Unlock()
		s.conn.In().Resume()
		got := s.all()
		if last := got[len(got)-1]; !strings.Contains(last, `"19999"`) {
			t.Errorf("the newest value is not in %s", last)
		}
		s.conn.In().Stall()
		for range 40_000 {
			s.srv.Broadcast(fcxml.Approval{ID: strings.Repeat("9", 500)})
		}
		synctest.Wait()
		if len(s.srv.Conns()) != 0 || s.h.gone.Load() != 1 {
			t.Error("a program that reads nothing is still there")
		}
		s.conn.In().Resume()
	})
}

func TestUnreadableMessageResets(t *testing.T) {
	for _, bad := range []string{"Length=000003 <a>", "Length=0FFFFFF", "hello there, this is no frame", "Length=FFFFFF "} {
		within(t, Options{}, func(s *session) {
			s.conn.Write([]byte(bad))
			synctest.Wait()
			s.conn.SetReadDeadline(time.Now().Add(time.Second))
			if _, err := s.conn.Read(make([]byte, 1)); err == nil || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%q: %v", bad, err)
			}
		})
	}
	within(t, Options{}, func(s *session) {
		s.h.fail = errors.New("no")
		s.send(`<client-details client-key="k"/>`)
		synctest.Wait()
		if len(s.srv.Conns()) != 0 {
			t.Error("the handler said no")
		}
	})
}

// A program's words are remembered for long, so that they are short.
func TestLongWordsReset(t *testing.T) {
	long := strings.Repeat("k", maxWord)
	for payload, in := range map[string]bool{`<client-details client-key="` + long + `" hostname="` + long + `"/>`: true,
		`<client-details client-key="` + long + `k"/>`: false, `<client-details client-key="k" hostname="` + long + `h"/>`: false} {
		within(t, Options{GreetingPause: -1}, func(s *session) {
			s.send(payload)
			if got := len(s.all()) > 0; got != in || (len(s.srv.Conns()) == 1) != in {
				t.Errorf("%.60s: greeted %v, want %v", payload, got, in)
			}
		})
	}
}

func TestApprovals(t *testing.T) {
	var a Approvals
	x, y := a.Meet("1", "studio"), a.Meet("2", "studio")
	if x.ID == y.ID || x.Approved || a.Approved("1") || a.Approved("3") || len(x.ID) > 20 {
		t.Errorf("%+v %+v", x, y)
	}
	if _, changed := a.Set("1", true); !changed || !a.Approved("1") || a.Approved("2") {
		t.Error("approved the wrong one")
	}
	if _, changed := a.Set("1", true); changed {
		t.Error("approved twice")
	}
	if c := a.Meet("1", ""); !c.Approved || c.Hostname != "studio" || c.ID != x.ID {
		t.Errorf("%+v", c)
	}
	if c := a.Meet("1", "attic"); c.Hostname != "attic" {
		t.Errorf("%+v", c)
	}
	for i := range 5000 {
		a.Meet(fmt.Sprint("flood", i), "x")
	}
	if n := len(a.All()); n != maxClients || !a.Approved("1") {
		t.Errorf("%d clients are remembered; approved: %v", n, a.Approved("1"))
	}
	a.ApproveAll()
	if !a.Meet("new", "x").Approved {
		t.Error("not everybody is approved")
	}
	if c, _ := a.Set("new", false); c.Approved || a.Approved("new") {
		t.Error("cannot be taken back")
	}
}

// Servers answer the two questions that programs in the field ask, and no other.
func TestAnnounce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(testnet.Network)
		pc, _ := n.ListenPacket(t.Context(), "udp", "192.0.2.1:30096")
		me, _ := n.ListenPacket(t.Context(), "udp", "192.0.2.2:0")
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- Announce(ctx, pc, "studio-pc", 49678) }()
		for ask, want := range map[string]string{
			`<client-discovery app="SAFFIRE-CONTROL" version="4"/>`:                    `Length=00005a <server-announcement app='SAFFIRE-CONTROL' version='4' hostname='studio-pc' port='49678'/>`,
			`<client-discovery app="SAFFIRE-CONTROL" version="4" device="iOS"/>`:       `Length=00005a <server-announcement app='SAFFIRE-CONTROL' version='4' hostname='studio-pc' port='49678'/>`,
			`<client-discovery app="SAFFIRE-CONTROL" version="4" device="Companion"/>`: "",
			`<client-discovery app="OTHER" version="4"/>`:                              "",
			`<keep-alive/>`: "",
			`<broken`:       "",
		} {
			me.WriteTo(fcxml.Frame{Payload: []byte(ask)}.Append(nil), pc.LocalAddr())
			me.SetReadDeadline(time.Now().Add(time.Second))
			b := make([]byte, 300)
			k, _, _ := me.ReadFrom(b)
			if got := string(b[:k]); got != want {
				t.Errorf("%s: %q, want %q", ask, got, want)
			}
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		me.Close()
	})
}
