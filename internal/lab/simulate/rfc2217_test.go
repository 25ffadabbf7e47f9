package simulate

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/lab/replay"
	"github.com/patchbay-io/patchbay/protocol/rfc2217"
	"github.com/patchbay-io/patchbay/protocol/rfc2217/rfc2217client"
)

// onTelnet runs a simulated server in a bubble and gives what connects to it.
func onTelnet(t *testing.T, settings url.Values, f func(t *testing.T, dial func() (*rfc2217client.Client, error))) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d, err := New("rfc2217", settings)
		if err != nil {
			t.Fatal(err)
		}
		local, err := NewLocalDevice(d)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
		done := make(chan error, 1)
		go func() { done <- local.Run(ctx) }()
		f(t, func() (*rfc2217client.Client, error) {
			return rfc2217client.Dial(t.Context(), local.Dial, local.Host()+":2217", rfc2217client.Options{})
		})
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestSimulatedTelnetPort(t *testing.T) {
	onTelnet(t, nil, func(t *testing.T, dial func() (*rfc2217client.Client, error)) {
		c, err := dial()
		if err != nil {
			t.Fatal(err)
		}
		if c.Signature() != "simulated port, echo" {
			t.Errorf("it calls itself %q", c.Signature())
		}
		if _, err := dial(); err == nil {
			t.Error("two clients have one port")
		}
		if e, err := c.Event(t.Context()); err != nil || e.Modem.Lines() != 0 {
			t.Errorf("at first: %v, %v", e, err)
		}
		want := rfc2217.Settings{Baud: 19200, Data: 7, Parity: rfc2217.ParityEven, Stop: rfc2217.Stop2, Flow: rfc2217.ControlFlowRtsCts,
			DTR: rfc2217.ControlDTROn, RTS: rfc2217.ControlRTSOn, Break: rfc2217.ControlBreakOff}
		if got, err := c.Set(t.Context(), want); err != nil || got != want {
			t.Errorf("%+v, %v", got, err)
		}
		for all := rfc2217.ModemCTS | rfc2217.ModemDSR | rfc2217.ModemCD; ; { // they may rise one by one
			e, err := c.Event(t.Context())
			if err != nil || e.Modem.Lines()&^all != 0 {
				t.Fatalf("with RTS and DTR: %v, %v", e, err)
			}
			if e.Modem.Lines() == all {
				break
			}
		}
		for _, cannot := range []rfc2217.Settings{{Data: 5}, {Parity: rfc2217.ParityMark}, {Stop: rfc2217.Stop1Half}} {
			if got, err := c.Set(t.Context(), cannot); err != nil || got != want {
				t.Errorf("%+v: %+v, %v", cannot, got, err)
			}
		}
		if got, err := c.Set(t.Context(), rfc2217.Settings{Parity: rfc2217.ParityOdd, Flow: rfc2217.ControlFlowXonXoff, RTS: rfc2217.ControlRTSOff}); err != nil ||
			got.Parity != rfc2217.ParityOdd || got.Flow != rfc2217.ControlFlowXonXoff || got.RTS != rfc2217.ControlRTSOff || got.DTR != rfc2217.ControlDTROn {
			t.Errorf("%+v, %v", got, err)
		}
		c.Write([]byte("hello"))
		b := make([]byte, 10)
		if n, err := c.Read(b); err != nil || string(b[:n]) != "hello" {
			t.Errorf("%q, %v", b[:n], err)
		}
		if err := c.Purge(t.Context(), rfc2217.PurgeBoth); err != nil {
			t.Error(err)
		}
		c.Close()
		synctest.Wait()
		if c, err = dial(); err != nil {
			t.Fatalf("the next client: %v", err)
		}
		c.Close()
	})
	for line, want := range map[string]string{"null": "several ports", "modem": "unknown", "serial:/dev/no-such-port": "no such file"} {
		if _, err := New("rfc2217", url.Values{"line": {line}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

const recordedTelnet = `patchbay transcript 1
protocol: rfc2217

> 1 +0.000000 data
  ff fb 2c
< 1 +0.010000 data
  ff fd 2c ff fa 2c 6b 10 ff f0 ff fa 2c 64 41 43 4d 45 ff f0
> 1 +1.000000 data
  57 3f
< 1 +1.500000 data
  31 32 ff ff 0d ff fa 2c 6b 20 ff f0 ff fa 2c 6a 10 ff f0
> 2 +2.000000 data
  68 65 6c 6c 6f
`

func TestRecordedTelnetPort(t *testing.T) {
	name := filepath.Join(t.TempDir(), "port.transcript")
	if err := os.WriteFile(name, []byte(recordedTelnet), 0o600); err != nil {
		t.Fatal(err)
	}
	onTelnet(t, url.Values{"file": {name}}, func(t *testing.T, dial func() (*rfc2217client.Client, error)) {
		for range 2 {
			c, err := dial()
			if err != nil {
				t.Fatal(err)
			}
			if c.Signature() != "ACME" {
				t.Errorf("it calls itself %q", c.Signature())
			}
			if e, err := c.Event(t.Context()); err != nil || e.Modem.Lines() != rfc2217.ModemCTS {
				t.Errorf("at first: %v, %v", e, err)
			}
			c.Write([]byte("M?"))
			began := time.Now()
			b := make([]byte, 10)
			if n, err := c.Read(b); err != nil || string(b[:n]) != "12\xff\r" || time.Since(began) != 500*time.Millisecond {
				t.Errorf("%q after %v, %v", b[:n], time.Since(began), err)
			}
			synctest.Wait()
			if e, err := c.Event(t.Context()); err != nil || e.Modem.Lines() != rfc2217.ModemDSR || e.Line != rfc2217.LineBreak {
				t.Errorf("then: %v, %v", e, err)
			}
			c.Close()
			synctest.Wait()
		}
	})
	bad := filepath.Join(t.TempDir(), "bad.transcript")
	if err := os.WriteFile(bad, []byte("patchbay transcript 1\nprotocol: rfc2217\n\n> 1 +0.000000 data\n  41\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New("rfc2217", url.Values{"file": {bad}}); !errors.Is(err, replay.ErrNoComPort) {
		t.Error(err)
	}
	if _, err := New("rfc2217", url.Values{"file": {"../../../protocol/devicemaster/testdata/transcripts/published-port.transcript"}}); err == nil {
		t.Error("a recording of a box passes for one of a telnet server")
	}
}
