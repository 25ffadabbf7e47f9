package probe

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/internal/lab/simulate"
	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/is12"
	"github.com/patchbay-io/patchbay/protocol/rfc2217"
	"github.com/patchbay-io/patchbay/protocol/rfc2217/rfc2217server"
)

// serialPort is a port whose line says nothing.
type serialPort struct {
	once   sync.Once
	closed chan struct{}
	got    []byte
}

func (p *serialPort) Read([]byte) (int, error) { <-p.closed; return 0, io.EOF }
func (p *serialPort) Write(b []byte) (int, error) {
	p.got = append(p.got, b...)
	return len(b), nil
}
func (p *serialPort) Set(context.Context, rfc2217.Settings) (rfc2217.Settings, error) {
	return rfc2217.Settings{}, nil
}
func (p *serialPort) Purge(context.Context, rfc2217.Purge) error { return nil }
func (p *serialPort) Event(ctx context.Context) (m rfc2217.ModemState, l rfc2217.LineState, err error) {
	<-p.closed
	return 0, 0, io.EOF
}
func (p *serialPort) close() { p.once.Do(func() { close(p.closed) }) }

// terminalServer is a serial port over telnet; line is what came out of it.
func terminalServer(line *[]byte) func(t *testing.T, s servers) {
	return func(_ *testing.T, s servers) {
		s.stream("192.0.2.60:2217", func(ctx context.Context, l net.Listener) error {
			stop := context.AfterFunc(ctx, func() { l.Close() })
			defer stop()
			for {
				conn, err := l.Accept()
				if err != nil {
					return err
				}
				p := &serialPort{closed: make(chan struct{})}
				_, _ = rfc2217server.Serve(ctx, conn, p, rfc2217server.Options{}, p.close)
				*line = append(*line, p.got...)
			}
		})
	}
}

// nmosDevice answers commands at the usual path.
func nmosDevice(_ *testing.T, s servers) {
	s.stream("192.0.2.60:80", func(ctx context.Context, l net.Listener) error {
		var conns sync.WaitGroup
		defer conns.Wait()
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conns.Add(1)
			defer conns.Done()
			if r.URL.Path != is12.Path {
				http.NotFound(w, r)
				return
			}
			ws, err := websocket.Accept(w, r, nil)
			if err != nil {
				return
			}
			defer ws.CloseNow()
			for {
				_, b, err := ws.Read(ctx)
				if err != nil {
					return
				}
				answer := is12.Message{Type: is12.TypeError, Status: is12.StatusBadCommandFormat}
				if m, err := is12.Parse(b, 0); err == nil {
					answer = is12.Message{Type: is12.TypeCommandResponse}
					for _, c := range m.Commands {
						answer.Responses = append(answer.Responses, is12.Response{Handle: c.Handle, Result: is12.Result{Status: is12.StatusOk}})
					}
				}
				text, _ := answer.Marshal()
				_ = ws.Write(ctx, websocket.MessageText, text)
			}
		})}
		stop := context.AfterFunc(ctx, func() { srv.Close() })
		defer stop()
		return srv.Serve(l)
	})
}

// simulated puts a simulator on the network, each service at its usual port.
func simulated(kind string) func(t *testing.T, s servers) {
	return func(t *testing.T, s servers) {
		settings := url.Values{}
		d, err := simulate.New(kind, settings)
		if err != nil {
			t.Fatal(err)
		}
		var sockets []simulate.Socket
		for i, service := range d.Services {
			var at simulate.Socket
			addr := simulatedAt(i, service.Port)
			if service.Packets != nil {
				at.Packets, err = s.n.ListenPacket(t.Context(), "udp", addr)
			} else {
				at.Listener, err = s.n.Listen(t.Context(), "tcp", addr)
			}
			if err != nil {
				t.Fatal(err)
			}
			sockets = append(sockets, at)
		}
		s.wg.Go(func() { _ = d.Serve(s.ctx, sockets) })
	}
}

// simulatedAt is where a service is; those of one device that have the same port have different hosts.
func simulatedAt(i int, port uint16) string {
	host := "192.0.2.60"
	if i > 0 {
		host = "192.0.2.61"
	}
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}

// Against each simulator the right protocol is named, and no other: on the ports of every service, and where the service moved to
// a port of nobody; with what disturbs and without. A new simulator needs a line here.
func TestReactionsNameOneProtocol(t *testing.T) {
	const none = "" // it announces, or tells by the next port only
	want := map[string][]string{
		"focas": {"focas"}, "fcxml": {"fcxml", none}, "fc2": {none, "fc2"}, "atem": {"atem"}, "openswitcher": {"openswitcher"}, "aes70": {"aes70", "aes70+ws"},
		"devicemaster": {"devicemaster", none}, "rfc2217": {"rfc2217"},
	}
	for kind := range simulate.Settings() {
		d, err := simulate.New(kind, url.Values{})
		if err != nil {
			t.Fatal(err)
		}
		if len(want[kind]) != len(d.Services) {
			t.Errorf("%s has %d services, and %d are expected", kind, len(d.Services), len(want[kind]))
			continue
		}
		for i, service := range d.Services {
			check(t, simulatedAt(i, service.Port), want[kind][i], simulated(kind))
			if service.Stream != nil {
				check(t, "192.0.2.70:1000", want[kind][i], moved(kind, i))
			}
		}
	}
	check(t, "192.0.2.60:80", "is12+ws", nmosDevice)
	var line []byte
	check(t, "192.0.2.60:2217", "rfc2217", terminalServer(&line))
	line = nil
	all, _ := react(t, "192.0.2.60:2217", false, terminalServer(&line))
	if len(line) > 0 {
		t.Errorf("%q came out of the serial port", line)
	}
	for _, x := range all {
		if x.Group != "udp" && x.Step != "listen" && x.Step != firstTelnet && x.Came != NotTried {
			t.Errorf("%s is sent to a serial port: %s", x.Step, x.Came)
		}
	}
}

// moved is one service of a simulator at a port of nobody.
func moved(kind string, i int) func(t *testing.T, s servers) {
	return func(t *testing.T, s servers) {
		d, err := simulate.New(kind, url.Values{})
		if err != nil {
			t.Fatal(err)
		}
		s.stream("192.0.2.70:1000", d.Services[i].Stream)
		if d.Run != nil {
			s.wg.Go(func() { _ = d.Run(s.ctx) })
		}
	}
}

func check(t *testing.T, at, want string, make func(t *testing.T, s servers)) {
	t.Helper()
	for _, thorough := range []bool{false, true} {
		all, guessed := react(t, at, thorough, make)
		var one []string
		if want != "" {
			one = []string{want}
		}
		if d := cmp.Diff(one, matches(guessed)); d != "" {
			t.Errorf("%s at %s, thorough %v: -want +got\n%s", want, at, thorough, d)
			for _, x := range all {
				if x.Came != NotTried {
					t.Logf("%s | %s | %s | %s | %s", x.Group, x.Step, x.Came, x.Received, x.Suggests)
				}
			}
		}
		for _, x := range all {
			if x.Disturbs && !thorough && x.Came != NotTried {
				t.Errorf("%s at %s: %s was sent unasked", want, at, x.Step)
			}
		}
	}
}

// A session that a switcher gives is ended at once.
func TestReactionsGiveTheSessionBack(t *testing.T) {
	var steps []atem.Step
	_, guessed := react(t, switcherAddr, false, func(t *testing.T, s servers) {
		p, err := s.n.ListenPacket(t.Context(), "udp", switcherAddr)
		if err != nil {
			t.Fatal(err)
		}
		s.wg.Go(func() {
			stop := context.AfterFunc(s.ctx, func() { p.Close() })
			defer stop()
			b := make([]byte, 100)
			for {
				n, from, err := p.ReadFrom(b)
				if err != nil {
					return
				}
				got, err := atem.ParsePacket(b[:n])
				if err != nil {
					t.Error(err)
					return
				}
				if steps = append(steps, got.Handshake().Step); len(steps) == 1 {
					p.WriteTo(atem.Handshake{Step: atem.StepAccept, Given: 2}.Append(nil, got.Session, 0), from)
				}
			}
		})
	})
	if !slices.Equal(steps, []atem.Step{atem.StepOpen, atem.StepClosing}) || len(matches(guessed)) != 1 {
		t.Errorf("%v, %v", steps, matches(guessed))
	}
}

// Where nobody is, nothing is tried behind the connection, and nobody is named.
func TestReactionsOfNobody(t *testing.T) {
	all, guessed := react(t, "192.0.2.61:1", true, func(*testing.T, servers) {})
	for _, x := range all {
		switch {
		case x.Group == "udp":
			if x.Came != Absorbed && x.Came != ClosedIt {
				t.Errorf("%s %s", x.Step, x.Came)
			}
		case x.Step == "listen" && x.Came != NoWay, x.Step != "listen" && (x.Came != NotTried || x.Needs != "a connection"):
			t.Errorf("%s %s, needs %s", x.Step, x.Came, x.Needs)
		}
	}
	if m := matches(guessed); m != nil {
		t.Errorf("nobody is %v", m)
	}
}

// What speaks first is asked nothing but whether it is a serial port.
func TestReactionsOfOneThatSpeaksFirst(t *testing.T) {
	all, guessed := react(t, "192.0.2.62:22", false, func(_ *testing.T, s servers) {
		s.stream("192.0.2.62:22", func(ctx context.Context, l net.Listener) error {
			stop := context.AfterFunc(ctx, func() { l.Close() })
			defer stop()
			for {
				c, err := l.Accept()
				if err != nil {
					return err
				}
				_, _ = io.WriteString(c, "SSH-2.0-Kitchen\r\n")
				_, _ = io.Copy(io.Discard, c)
				c.Close()
			}
		})
	})
	if all[0].Suggests != "SSH" || matches(guessed) != nil {
		t.Errorf("%+v, %v", all[0], matches(guessed))
	}
	if n := len(slices.DeleteFunc(all, func(x Reaction) bool { return x.Came == NotTried })); n != 3 { // listen, telnet, ATEM
		t.Errorf("%d steps were tried", n)
	}
	for _, g := range guessed {
		if g.Protocol == "focas" && !strings.Contains(g.Reasons[0], "a port that waits for its client") {
			t.Errorf("%q", g.Reasons)
		}
	}
}
