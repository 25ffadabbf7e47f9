package probe

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/aes70"
	"github.com/patchbay-io/patchbay/internal/driver/atem"
	"github.com/patchbay-io/patchbay/internal/driver/focas"
	"github.com/patchbay-io/patchbay/internal/driver/rfc2217"
	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/focas/focassim"
	"github.com/patchbay-io/patchbay/protocol/rfc2217/rfc2217server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const control = "192.0.2.21:8193"

// world is a network in memory with a host at 192.0.2.21.
type world struct {
	*testnet.Network
	t     *testing.T
	dials []time.Time
}

func (w *world) prober() *Prober {
	return &Prober{Drivers: []driver.Driver{focas.New()},
		Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			w.dials = append(w.dials, time.Now())
			return w.Network.Dial(ctx, network, addr)
		},
		Resolve: func(_ context.Context, host string) ([]netip.Addr, error) {
			if host == "mill1.example" {
				return []netip.Addr{netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("192.0.2.21")}, nil
			}
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}}
}

// far serves each connection to addr with f until the test's bubble ends.
func (w *world) far(addr string, f func(net.Conn)) {
	l := w.MustListen(addr)
	done := make(chan struct{})
	go func() {
		defer close(done)
		inner := make(chan struct{})
		n := 0
		for {
			c, err := l.Accept()
			if err != nil {
				break
			}
			n++
			go func() {
				defer func() { inner <- struct{}{} }()
				defer c.Close()
				f(c)
			}()
		}
		for range n {
			<-inner
		}
	}()
	w.t.Cleanup(func() {
		l.Close()
		<-done
	})
}

func hold(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// within runs f in a bubble of simulated time.
func within(t *testing.T, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(&world{Network: &testnet.Network{}, t: t}) })
}

func outcomes(steps []Step) (out []string) {
	for _, s := range steps {
		out = append(out, s.Name+" "+string(s.Outcome))
	}
	return out
}

func TestSteps(t *testing.T) {
	for _, tc := range []struct {
		name    string
		host    string
		any     bool
		port    uint16
		world   func(w *world)
		want    []string
		verdict string
		most    time.Duration
	}{
		{"no such name", "mill9.example", false, 0, func(*world) {}, []string{"name unreachable"}, "The name is not known.", 0},
		{"refused", "192.0.2.21", false, 0, func(*world) {}, []string{"name ok", "connect refused"}, "answers on the network but FANUC FOCAS does not", 0},
		{"unreachable", "192.0.2.21", false, 0, func(w *world) { w.SetOutcome(control, testnet.Unreachable) },
			[]string{"name ok", "connect unreachable"}, "there is no way to this address", 0},
		{"filtered", "mill1.example", false, 0, func(w *world) { w.SetOutcome(control, testnet.Hang) },
			[]string{"name ok", "connect timeout"}, "nothing comes back", 5 * time.Second},
		{"silent", "192.0.2.21", false, 0, func(w *world) { w.far(control, hold) },
			[]string{"name ok", "connect ok", "focas timeout", "tls, http skipped"}, "says nothing", 6 * time.Second},
		{"silent and asked on", "192.0.2.21", true, 0, func(w *world) { w.far(control, hold) },
			[]string{"name ok", "connect ok", "focas timeout", "tls timeout", "http timeout"}, "says nothing", 16 * time.Second},
		{"closes", "192.0.2.21", false, 0, func(w *world) { w.far(control, func(net.Conn) {}) },
			[]string{"name ok", "connect ok", "focas closed", "tls closed", "http closed"}, "was closed after the first message", time.Second},
		{"resets", "192.0.2.21", false, 0, func(w *world) {
			w.far(control, func(c net.Conn) {
				_, _ = c.Read(make([]byte, 1))
				c.(*testnet.Conn).Reset()
			})
		}, []string{"name ok", "connect ok", "focas reset", "tls reset", "http reset"}, "was reset", time.Second},
		{"a web server", "192.0.2.21", false, 0, func(w *world) {
			w.far(control, func(c net.Conn) {
				_, _ = c.Read(make([]byte, 512))
				_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nServer: kitchen/2\r\n\r\n")
			})
		}, []string{"name ok", "connect ok", "focas different", "tls different", "http ok"}, "it looks like a web server", time.Second},
		{"another port", "192.0.2.21", true, 22, func(w *world) {
			w.far("192.0.2.21:22", func(c net.Conn) { _, _ = io.WriteString(c, "SSH-2.0-Kitchen\r\n"); hold(c) })
		}, []string{"name ok", "connect ok", "listen different"}, "it looks like SSH", time.Second},
		{"a quiet other port", "192.0.2.21", true, 2000, func(w *world) { w.far("192.0.2.21:2000", hold) },
			[]string{"name ok", "connect ok", "listen timeout", "focas timeout", "tls timeout", "http timeout"}, "says nothing", 17 * time.Second},
		{"a tarpit", "192.0.2.21", true, 0, func(w *world) {
			w.far(control, func(c net.Conn) {
				for {
					time.Sleep(time.Second)
					if _, err := c.Write([]byte{0xa0}); err != nil {
						return
					}
				}
			})
		}, []string{"name ok", "connect ok", "focas timeout", "tls timeout", "http timeout"}, "no whole answer", 16 * time.Second},
		{"a flood", "192.0.2.21", true, 2000, func(w *world) {
			w.far("192.0.2.21:2000", func(c net.Conn) {
				_, _ = c.Read(make([]byte, 1))
				for {
					if _, err := c.Write(make([]byte, 4096)); err != nil {
						return
					}
				}
			})
		}, []string{"name ok", "connect ok", "listen timeout", "focas different", "tls different", "http different"}, "does not speak", 17 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			within(t, func(w *world) {
				t := w.t
				tc.world(w)
				p := w.prober()
				p.AnyPort = tc.any
				var steps []Step
				start := time.Now()
				res, err := p.Run(t.Context(), tc.host, tc.port, func(s Step) { steps = append(steps, s) })
				if err != nil || res.Match || res.Worst == OK {
					t.Errorf("%+v, %v", res, err)
				}
				if d := cmp.Diff(tc.want, outcomes(steps)); d != "" {
					t.Errorf("%s\n%+v", d, steps)
				}
				if !strings.Contains(res.Verdict, tc.verdict) {
					t.Errorf("verdict %q, want %q", res.Verdict, tc.verdict)
				}
				if took := time.Since(start); took > tc.most {
					t.Errorf("took %v, at most %v", took, tc.most)
				}
				for i := 1; i < len(w.dials); i++ {
					if gap := w.dials[i].Sub(w.dials[i-1]); gap < 200*time.Millisecond {
						t.Errorf("connections %v apart", gap)
					}
				}
				for _, s := range steps {
					if s.Meaning == "" {
						t.Errorf("%s says nothing about what it means", s.Name)
					}
				}
			})
		})
	}
}

func TestAControl(t *testing.T) {
	within(t, func(w *world) {
		sim, err := focassim.New(focassim.Options{Profile: "31i"})
		if err != nil {
			t.Fatal(err)
		}
		l := w.MustListen(control)
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = sim.Serve(ctx, l)
		}()
		var steps []Step
		res, err := w.prober().Run(ctx, "mill1.example", 0, func(s Step) { steps = append(steps, s) })
		if err != nil || !res.Match || res.Worst != OK {
			t.Errorf("%+v, %v", res, err)
		}
		if d := cmp.Diff([]string{"focas://mill1.example"}, res.URLs); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]string{"name ok", "connect ok", "focas ok"}, outcomes(steps)); d != "" {
			t.Fatal(d)
		}
		s := steps[2]
		if want := []byte{0xa0, 0xa0, 0xa0, 0xa0, 0, 1, 1, 1, 0, 2, 0, 2}; !strings.HasPrefix(string(s.Sent.Bytes), string(want)) || s.Received.Total < 100 {
			t.Errorf("sent % x, received %d", s.Sent.Bytes, s.Received.Total)
		}
		if !strings.Contains(strings.Join(s.Found, "; "), "FANUC 31i") || s.Protocol != "focas" {
			t.Errorf("%+v", s)
		}
		if len(w.dials) != 1 {
			t.Errorf("%d connections", len(w.dials))
		}
		b, err := json.Marshal(s)
		if err != nil || !strings.Contains(string(b), `"sent":{"hex":"a0a0a0a0000101010002`) {
			t.Errorf("%s, %v", b, err)
		}
		cancel()
		<-done
	})
}

func TestUnknownPort(t *testing.T) {
	within(t, func(w *world) {
		_, err := w.prober().Run(w.t.Context(), "192.0.2.21", 4001, nil)
		if !errors.Is(err, ErrUnknownPort) || !strings.Contains(err.Error(), "8193 (focas)") {
			t.Error(err)
		}
		if len(w.dials) != 0 {
			t.Error("something was sent all the same")
		}
	})
}

// A terminal server speaks first. On a port of nobody it is asked for com-port control, and nothing else; something else that speaks
// first is asked nothing.
func TestSpeaksFirst(t *testing.T) {
	for name, tt := range map[string]struct {
		far   func(net.Conn)
		steps []string
		url   string
		dials int
	}{
		"telnet": {func(c net.Conn) {
			p := &serialPort{closed: make(chan struct{})}
			_, _ = rfc2217server.Serve(context.Background(), c, p, rfc2217server.Options{}, p.close)
		}, []string{"name", "connect", "listen", "rfc2217"}, "rfc2217://192.0.2.21:4001", 1},
		"telnet that offers com ports at once": {func(c net.Conn) { _, _ = c.Write([]byte("\xff\xfb\x03\xff\xfd\x2c")); hold(c) },
			[]string{"name", "connect", "listen", "rfc2217"}, "rfc2217://192.0.2.21:4001", 1},
		"telnet that offers them when asked": {func(c net.Conn) {
			_, _ = c.Write([]byte("\xff\xfb\x03"))
			if n, _ := c.Read(make([]byte, 256)); n > 0 {
				_, _ = c.Write([]byte("\xff\xfd\x2c"))
			}
			hold(c)
		}, []string{"name", "connect", "listen", "rfc2217"}, "rfc2217://192.0.2.21:4001", 2},
		"telnet without com ports": {func(c net.Conn) { _, _ = c.Write([]byte("\xff\xfb\x01login: ")); hold(c) },
			[]string{"name", "connect", "listen", "rfc2217"}, "", 2},
		"mail": {func(c net.Conn) { _, _ = c.Write([]byte("220 mail\r\n")); hold(c) }, []string{"name", "connect", "listen"}, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, func(w *world) {
				w.far("192.0.2.21:4001", tt.far)
				p := w.prober()
				p.Drivers, p.AnyPort = append(p.Drivers, rfc2217.New()), true
				var steps []string
				res, err := p.Run(w.t.Context(), "192.0.2.21", 4001, func(s Step) { steps = append(steps, s.Name) })
				if err != nil || res.Match != (tt.url != "") || strings.Join(res.URLs, " ") != tt.url {
					t.Errorf("%v, %+v", err, res)
				}
				if !slices.Equal(steps, tt.steps) || len(w.dials) != tt.dials {
					t.Errorf("steps %q with %d connections", steps, len(w.dials))
				}
			})
		})
	}
}

func TestCancel(t *testing.T) {
	within(t, func(w *world) {
		w.SetOutcome(control, testnet.Hang)
		ctx, cancel := context.WithTimeout(w.t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := w.prober().Run(ctx, "192.0.2.21", 0, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if time.Since(start) != time.Second {
			t.Errorf("ended after %v", time.Since(start))
		}
	})
}

// TestTLS probes a real server on the loopback interface.
func TestTLS(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	sum := sha256.Sum256(srv.Certificate().Raw)
	defer srv.Close()
	addr := netip.MustParseAddrPort(srv.Listener.Addr().String())
	p := &Prober{Drivers: []driver.Driver{focas.New()}, Dial: new(net.Dialer).DialContext, AnyPort: true, Pace: time.Millisecond, StepTimeout: 2 * time.Second}
	p.Drivers = append(p.Drivers, aes70.New(), atem.NewRelay())
	var steps []Step
	res, err := p.Run(t.Context(), addr.Addr().String(), addr.Port(), func(s Step) { steps = append(steps, s) })
	if err != nil {
		t.Fatal(err)
	}
	if want := "aes70+tls://" + addr.String() + " or openswitcher+tls://" + addr.String(); res.Match || res.Worst != Different ||
		!strings.Contains(res.Verdict, "speaks TLS") || !strings.Contains(res.Advice, want) {
		t.Errorf("%+v", res)
	}
	for _, s := range steps {
		if s.Name == "tls" && (s.Outcome != OK || !strings.Contains(strings.Join(s.Found, ";"), "certificate of") || !strings.Contains(strings.Join(s.Found, ";"), hex.EncodeToString(sum[:]))) {
			t.Errorf("%+v", s)
		}
	}
	if len(steps) < 5 {
		t.Errorf("%v", outcomes(steps))
	}
}

func TestConnectWords(t *testing.T) {
	for err, want := range map[error]Outcome{nil: OK, syscall.ECONNRESET: Reset, syscall.ECONNREFUSED: Refused, syscall.EHOSTUNREACH: Unreachable,
		context.DeadlineExceeded: NoAnswer, io.EOF: Closed, errors.New("?"): Failed} {
		if got, meaning, _ := connectWords(control, err); got != want || meaning == "" {
			t.Errorf("%v: %s %q", err, got, meaning)
		}
	}
}
