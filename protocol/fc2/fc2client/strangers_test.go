package fc2client

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/protocol/fc2"
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

// The endpoints have room for so many at a time, and room again when one has gone.
func TestConnectionsAreCapped(t *testing.T) {
	within(t, fc2sim.Options{}, func(w *world) {
		var open []net.Conn
		for {
			c, err := w.upgraded(onboardingAddr, "/")
			if err != nil {
				break
			}
			if open = append(open, c); len(open) > 1000 {
				t.Fatal("a thousand connections are open")
			}
		}
		if len(open) != 32 {
			t.Errorf("%d connections are open, want 32", len(open))
		}
		open[0].Close()
		time.Sleep(time.Second)
		c, err := w.upgraded(onboardingAddr, "/")
		if err != nil {
			t.Errorf("after one has gone: %v", err)
		} else {
			c.Close()
		}
		for _, c := range open {
			c.Close()
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
