package fc2client

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/fc2"
	"github.com/patchbay-io/patchbay/protocol/fc2/fc2server"
	"github.com/patchbay-io/patchbay/protocol/fc2/fc2sim"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaclient"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaws"
)

// upgraded is a WebSocket to an endpoint.
func (w *world) upgraded(addr, path string) (net.Conn, error) {
	return ocaws.Dial(w.Context(), w.net.Dial, addr, ocaws.DialOptions{Path: path})
}

// Who knows the public key of a program that is let in, and not its secret, gets as far as the upgrade and is put out: at once
// when he speaks, and after the time of a handshake when he does not.
func TestStrangerWithAKnownPath(t *testing.T) {
	within(t, fc2sim.Options{}, func(w *world) {
		if err := w.sim.Clients().Approve(w.id.Public(), "x"); err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			say    []byte
			within time.Duration
		}{
			"silent":           {nil, 4 * time.Second},
			"half a header":    {make([]byte, 12), 4 * time.Second},
			"half a record":    {append(make([]byte, 24), 0, 0x31, 1, 2, 3), 4 * time.Second},
			"noise":            {append(append(make([]byte, 24), 0, 0x31), make([]byte, 0x31)...), 0},
			"a record too big": {append(make([]byte, 24), 0xff, 0xff), 0},
			"plain OCP.1":      {[]byte("\x3b\x00\x01\x00\x00\x00\x0b\x04\x00\x01\x00\x01\x3b\x00\x01\x00\x00\x00\x0b\x04\x00\x01\x00\x01\x3b\x00\x01\x00\x00\x00\x0b\x04\x00\x01\x00\x01"), 0},
		} {
			ws, err := w.upgraded(secureAddr, w.id.Public().Path())
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			if len(c.say) > 0 {
				if _, err := ws.Write(c.say); err != nil {
					t.Fatal(err)
				}
			}
			b, err := io.ReadAll(ws)
			if d := time.Since(began); len(b) > 0 || err != nil || d != c.within {
				t.Errorf("%s: %d bytes, %v after %v, want the end after %v", name, len(b), err, d, c.within)
			}
			ws.Close()
		}
	})
}

// The secure endpoint has nothing but the paths of programs that are let in: no question mark, nothing behind.
func TestPathsOfTheSecureEndpoint(t *testing.T) {
	within(t, fc2sim.Options{}, func(w *world) {
		if err := w.sim.Clients().Approve(w.id.Public(), "x"); err != nil {
			t.Fatal(err)
		}
		path := w.id.Public().Path()
		for _, c := range []struct {
			path string
			ok   bool
		}{{path, true}, {strings.ToUpper(path), true}, {path + "?x", false}, {path + "?", true}, {path + "/", false}, {"/", false}, {w.sim.PublicKey().Path(), false}} {
			ws, err := w.upgraded(secureAddr, c.path)
			var status *ocaws.StatusError
			if (err == nil) != c.ok || err != nil && (!errors.As(err, &status) || status.Status != http.StatusNotFound) {
				t.Errorf("%s: %v", c.path, err)
			}
			if err == nil {
				ws.Close()
			}
		}
	})
}

// hosts gives connections the addresses of several computers, which the network in memory has one of.
type hosts struct{ from string }

type elsewhere struct {
	net.Conn
	addr net.Addr
}

func (c elsewhere) RemoteAddr() net.Addr { return c.addr }

func (h *hosts) wrap(c net.Conn) net.Conn {
	return elsewhere{c, testnet.Addr{Net: "tcp", Name: h.from + ":40000"}}
}

// asks is a request under the name, which goes away with b. It waits until the person sees it.
func (w *world) asks(name string) (answer chan error, b *Onboarding) {
	w.Helper()
	b = w.onboard()
	answer = make(chan error, 1)
	go func() { answer <- b.Request(w.Context(), name) }()
	synctest.Wait()
	return answer, b
}

// A stranger who asks and waits keeps nobody else from asking, and the person can send him away at once, before and after a click too many.
func TestStrangerHoldsAPlace(t *testing.T) {
	h := &hosts{"192.0.2.66"}
	within(t, fc2sim.Options{WrapConn: h.wrap}, func(w *world) {
		stranger, sc := w.asks("stranger")
		defer sc.Close()
		h.from = "192.0.2.10"
		phone, b := w.asks("phone")
		defer b.Close()
		p, _ := w.sim.Prompt()
		if p.Asks == nil || p.Asks.Name != "stranger" || len(p.Behind) != 1 || p.Behind[0].Name != "phone" || p.Behind[0].Addr != "192.0.2.10:40000" {
			t.Fatalf("%+v", p)
		}
		began := time.Now()
		if err := w.sim.DecideOn(p.Behind[0].ID, true); err != nil {
			t.Fatal(err)
		}
		if err := <-phone; err != nil {
			t.Fatal(err)
		}
		w.wantState(b, fc2.StateScanning)
		w.wantState(sc, fc2.StateApproving)
		code, _ := w.sim.Prompt()
		if err := w.sim.Decide(true); err != nil { // a click too many: the stranger's code is shown
			t.Fatal(err)
		}
		if err := <-stranger; err != nil {
			t.Fatal(err)
		}
		p, _ = w.sim.Prompt()
		if p.Shows == nil || p.Shows.Name != "stranger" || p.State != fc2.StateScanning {
			t.Fatalf("%+v", p)
		}
		if err := w.sim.Decide(false); err != nil {
			t.Fatal(err)
		}
		if err := sc.Code(w.Context(), p.Code); !errors.Is(err, ErrCode) {
			t.Errorf("the stranger's code, taken back: %v", err)
		}
		if p, _ = w.sim.Prompt(); p.Shows == nil || p.Shows.Name != "phone" {
			t.Errorf("%+v", p)
		}
		if err := b.Code(w.Context(), code.Code); err != nil {
			t.Errorf("the phone's code: %v", err)
		}
		if d := time.Since(began); d != 0 {
			t.Errorf("the stranger has cost %v", d)
		}
		if l := w.sim.Clients().List(); len(l) != 1 || l[0].Name != "phone" {
			t.Errorf("%+v", l)
		}
		for id := range uint64(4) {
			if err := w.sim.DecideOn(id, false); !errors.Is(err, fc2server.ErrNobodyAsks) {
				t.Errorf("what is over: %v", err)
			}
		}
	})
}

// As many may ask as a person can look at, one of each address; more are told that it is not ready.
func TestPlaces(t *testing.T) {
	h := &hosts{}
	within(t, fc2sim.Options{WrapConn: h.wrap}, func(w *world) {
		var conns []*Onboarding
		for i := range 4 {
			h.from = fmt.Sprintf("192.0.2.%d", 10+i)
			_, b := w.asks(fmt.Sprint("program ", i))
			again := w.onboard()
			w.wantState(again, fc2.StateApproving)
			if err := again.Request(w.Context(), "again"); !errors.Is(err, ErrBusy) {
				t.Errorf("twice from one address: %v", err)
			}
			conns = append(conns, b, again)
		}
		h.from = "192.0.2.20"
		late := w.onboard()
		defer late.Close()
		w.wantState(late, fc2.StateApproving)
		if err := late.Request(w.Context(), "late"); !errors.Is(err, ErrBusy) {
			t.Errorf("the fifth: %v", err)
		}
		if p, _ := w.sim.Prompt(); len(p.Behind) != 3 {
			t.Errorf("%+v", p)
		}
		if err := w.sim.Decide(false); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		w.wantState(late, fc2.StateReady)
		answer := make(chan error, 1)
		go func() { answer <- late.Request(w.Context(), "late") }()
		synctest.Wait()
		p, _ := w.sim.Prompt()
		if err := w.sim.DecideOn(p.Behind[len(p.Behind)-1].ID, true); err != nil {
			t.Error(err)
		}
		if err := <-answer; err != nil {
			t.Errorf("when there is a place: %v", err)
		}
		for _, b := range conns {
			b.Close()
		}
	})
}

// Whoever asks too often is refused, and others are not.
func TestRateOfOneAddress(t *testing.T) {
	h := &hosts{"192.0.2.66"}
	within(t, fc2sim.Options{WrapConn: h.wrap}, func(w *world) {
		b := w.onboard()
		defer b.Close()
		for i := range 5 {
			answer := make(chan error, 1)
			go func() { answer <- b.Request(w.Context(), "stranger") }()
			synctest.Wait()
			if err := w.sim.Decide(false); errors.Is(err, fc2server.ErrNobodyAsks) != (i >= 3) {
				t.Errorf("request %d: the person is asked: %v", i, err)
			}
			if err := <-answer; errors.Is(err, ErrBusy) != (i >= 3) || errors.Is(err, ErrDenied) != (i < 3) {
				t.Errorf("request %d: %v", i, err)
			}
		}
		h.from = "192.0.2.10"
		other := w.onboard()
		defer other.Close()
		go w.decide(true)
		if err := other.Request(w.Context(), "phone"); err != nil {
			t.Error(err)
		}
	})
}

// The endpoints have room for so many at a time, of which one address cannot take all, and room again when one has gone.
func TestConnectionsAreCapped(t *testing.T) {
	h := &hosts{"192.0.2.66"}
	within(t, fc2sim.Options{WrapConn: h.wrap}, func(w *world) {
		var open []net.Conn
		fill := func() (n int) {
			for ; n < 100; n++ {
				c, err := w.upgraded(onboardingAddr, "/")
				if err != nil {
					break
				}
				open = append(open, c)
			}
			return n
		}
		if n := fill(); n != fc2server.MaxPerHost {
			t.Errorf("%d connections of one address are open, want %d", n, fc2server.MaxPerHost)
		}
		for i := range 20 {
			h.from = fmt.Sprintf("192.0.2.%d", 10+i)
			fill()
		}
		if len(open) != 32 {
			t.Errorf("%d connections are open, want 32", len(open))
		}
		open[0].Close()
		time.Sleep(time.Second)
		if n := fill(); n != 1 {
			t.Errorf("after one has gone there is room for %d", n)
		}
		for _, c := range open {
			c.Close()
		}
	})
}

// Whoever shows no key has half of the secure endpoint at most, and programs that are let in have all of it.
func TestSecurePlacesOfOneAddress(t *testing.T) {
	within(t, fc2sim.Options{}, func(w *world) {
		if err := w.sim.Clients().Approve(w.id.Public(), "x"); err != nil {
			t.Fatal(err)
		}
		var open []io.Closer
		defer func() {
			for _, c := range open {
				c.Close()
			}
		}()
		for range 14 {
			c, err := Dial(w.Context(), w.net.Dial, secureAddr, w.options())
			if err != nil {
				t.Fatal(err)
			}
			open = append(open, c)
		}
		synctest.Wait() // the server has let all of them in
		strangers := 0
		for ; strangers < 100; strangers++ {
			c, err := w.upgraded(secureAddr, w.id.Public().Path())
			if err != nil {
				break
			}
			open = append(open, c)
		}
		if strangers != 16 {
			t.Errorf("%d connections without a handshake are open, want 16", strangers)
		}
	})
}

// Who says nothing to the onboarding endpoint is put out, later than a pairing takes; a byte is not nothing.
func TestSilentOnboarding(t *testing.T) {
	within(t, fc2sim.Options{}, func(w *world) {
		for _, say := range []string{"", "\x3b"} {
			ws, err := w.upgraded(onboardingAddr, "/")
			if err != nil {
				t.Fatal(err)
			}
			want := 5 * time.Minute
			began := time.Now()
			if say != "" {
				time.Sleep(4 * time.Minute)
				want += 4 * time.Minute
				if _, err := ws.Write([]byte(say)); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := io.ReadAll(ws); err != nil || time.Since(began) != want {
				t.Errorf("%q: %v after %v, want the end after %v", say, err, time.Since(began), want)
			}
			ws.Close()
		}
	})
}

// Requests that no client of ours makes get a status, and the person is not asked.
func TestBadRequests(t *testing.T) {
	within(t, fc2sim.Options{Approve: true}, func(w *world) {
		ws, err := w.upgraded(onboardingAddr, "/")
		if err != nil {
			t.Fatal(err)
		}
		c := ocaclient.New(ws, onboardingAddr, ocaclient.Options{})
		defer c.Close()
		key := w.id.Public()
		blobs := func(list ...[]byte) (b []byte) {
			for _, x := range list {
				b = ocp1.AppendBlob(b, x)
			}
			return b
		}
		for name, x := range map[string]struct {
			method ocp1.ID
			count  uint8
			params []byte
			want   ocp1.Status
		}{
			"no key":              {fc2.MethodRequestApproval, 0, nil, ocp1.StatusParameterError},
			"short key":           {fc2.MethodRequestApproval, 2, blobs(key[:31], make([]byte, 60)), ocp1.StatusParameterError},
			"no request":          {fc2.MethodRequestApproval, 1, blobs(key[:]), ocp1.StatusParameterError},
			"noise":               {fc2.MethodRequestApproval, 2, blobs(key[:], make([]byte, 60)), ocp1.StatusParameterError},
			"weak key":            {fc2.MethodRequestApproval, 2, blobs(make([]byte, 32), make([]byte, 60)), ocp1.StatusParameterError},
			"lengths lie":         {fc2.MethodRequestApproval, 2, []byte{0xff, 0xff, 1}, ocp1.StatusParameterError},
			"more than asked for": {fc2.MethodRequestApproval, 3, append(blobs(key[:], make([]byte, 60)), 1), ocp1.StatusParameterError},
			"no code":             {fc2.MethodSendQRData, 0, nil, ocp1.StatusParameterError},
			"unknown":             {ocp1.ID{Level: 3, Index: 9}, 0, nil, ocp1.StatusBadMethod},
		} {
			var refusal *ocp1.Error
			if _, err := c.Do(w.Context(), fc2.AgentONo, x.method, x.count, x.params); !errors.As(err, &refusal) || refusal.Status != x.want {
				t.Errorf("%s: %v, want %v", name, err, x.want)
			}
		}
		b, err := c.Do(w.Context(), fc2.AgentONo, fc2.MethodSendQRData, 1, blobs(make([]byte, 16)))
		if err != nil || string(b) != string(ocp1.AppendString(nil, fc2.DecisionDenied)) {
			t.Errorf("a code that nobody asked for: %q, %v", b, err)
		}
		if p, _ := w.sim.Prompt(); p.State != fc2.StateReady || len(w.sim.Clients().List()) != 0 {
			t.Errorf("%+v", p)
		}
	})
}

// A code goes away with the connection that it was for, and gives its place back.
func TestCodeGoesWithItsConnection(t *testing.T) {
	within(t, fc2sim.Options{}, func(w *world) {
		answer, b := w.asks("phone")
		if err := w.sim.Decide(true); err != nil {
			t.Fatal(err)
		}
		if err := <-answer; err != nil {
			t.Fatal(err)
		}
		b.Close()
		synctest.Wait()
		if p, _ := w.sim.Prompt(); p.Shows != nil || p.Code != nil || p.State != fc2.StateReady {
			t.Errorf("%+v", p)
		}
		again := w.onboard()
		defer again.Close()
		w.wantState(again, fc2.StateReady)
	})
}

// A connection that is dropped ends both ways, in the middle of a wait for a person too.
func TestDropped(t *testing.T) {
	within(t, fc2sim.Options{}, func(w *world) {
		b := w.onboard()
		defer b.Close()
		done := make(chan error, 1)
		go func() { done <- b.Request(w.Context(), "x") }()
		for p, changed := w.sim.Prompt(); p.Asks == nil; p, changed = w.sim.Prompt() {
			<-changed
		}
		w.sim.Drop(true)
		<-b.Done()
		if err := <-done; err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the request: %v", err)
		}
		time.Sleep(time.Second)
		if p, _ := w.sim.Prompt(); p.State != fc2.StateReady || p.Asks != nil {
			t.Errorf("%+v", p)
		}
	})
}
