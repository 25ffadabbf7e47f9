package oswserver_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/openswitcher"
	"github.com/patchbay-io/patchbay/protocol/openswitcher/oswclient"
	"github.com/patchbay-io/patchbay/protocol/openswitcher/oswserver"
)

// hub is a handler with two devices that says to all what one client says.
type hub struct {
	mu       sync.Mutex
	clients  map[*oswserver.Conn]bool
	commands []string
	uploads  []string
	closed   []error
	logins   []string
	tookTime time.Duration // of a check of a password
}

func newHub() *hub { return &hub{clients: map[*oswserver.Conn]bool{}} }

func (h *hub) Login(_ context.Context, c *oswserver.Conn, user, password string) error {
	time.Sleep(h.tookTime)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.logins = append(h.logins, user)
	if user != "admin" || password != "password" {
		return errors.New("no")
	}
	return nil
}

func (h *hub) Devices(*oswserver.Conn) []openswitcher.Device {
	return []openswitcher.Device{{ID: "mini", Label: "Stage"}, {ID: "big", Label: "Studio"}}
}

func (h *hub) Opened(c *oswserver.Conn) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c.Device() == "big" {
		return errors.New("it is away")
	}
	h.clients[c] = true
	return c.Send(packets(join(field("_ver", 0, 2, 0, 30), field("AAAA")))[0], packets(field("InCm", 1, 0, 0, 0))[0])
}

func (h *hub) Command(_ *oswserver.Conn, payload []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.commands = append(h.commands, codes(payload))
	h.say(payload)
}

func (h *hub) say(payload []byte) {
	shared := packets(bytes.Clone(payload))
	for c := range h.clients {
		c.Send(shared...)
	}
}

func (h *hub) Closed(c *oswserver.Conn, why error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.clients, c)
	h.closed = append(h.closed, why)
}

func (h *hub) Upload(c *oswserver.Conn, f *openswitcher.Upload) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.uploads = append(h.uploads, string(f.Data))
	c.Send(packets(openswitcher.AppendUploaded(nil, f.Store, f.Slot))...)
}

func (h *hub) live() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.clients)
}

func join(p ...[]byte) []byte { return bytes.Join(p, nil) }

func field(code string, body ...byte) []byte {
	c, _ := atem.ParseCode(code)
	b, err := (&atem.Field{Code: c, Body: body}).Append(nil)
	if err != nil {
		panic(err)
	}
	return b
}

func packets(payload []byte) [][]byte {
	p, err := openswitcher.Packets(payload)
	if err != nil {
		panic(err)
	}
	return p
}

func codes(payload []byte) string {
	var out []string
	for f, err := range atem.Fields(payload) {
		if err != nil {
			return err.Error()
		}
		out = append(out, f.Code.String())
	}
	return strings.Join(out, " ")
}

type world struct {
	t    *testing.T
	hub  *hub
	srv  *oswserver.Server
	ln   *testnet.Listener
	stop func()
}

func newWorld(t *testing.T, o oswserver.Options) *world {
	h := newHub()
	w := &world{t: t, hub: h, srv: oswserver.New(h, o), ln: testnet.Listen()}
	w.serve(w.ln)
	return w
}

func (w *world) serve(ln net.Listener) {
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() { done <- w.srv.Serve(ctx, ln) }()
	w.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			w.t.Errorf("Serve: %v", err)
		}
	})
}

type collector struct {
	mu  sync.Mutex
	all []byte
}

func (c *collector) handle(p []byte) {
	c.mu.Lock()
	c.all = append(c.all, p...)
	c.mu.Unlock()
}

func (c *collector) codes() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return codes(c.all)
}

func (w *world) dial(o oswclient.Options) (*oswclient.Client, *collector, error) {
	got := &collector{}
	o.Handle = got.handle
	c, err := oswclient.Dial(w.t.Context(), w.ln.DialContext, w.ln.Addr().String(), o)
	return c, got, err
}

// A client logs in, chooses, gets the dump, commands and hears what comes of it, and closes.
func TestThroughout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, oswserver.Options{Logins: true})
		c, got, err := w.dial(oswclient.Options{User: "admin", Password: "password", Device: "mini"})
		if err != nil {
			t.Fatal(err)
		}
		<-c.Ready()
		if c.Device().Label != "Stage" || len(c.Devices()) != 2 || c.Addr() != w.ln.Addr().String() {
			t.Errorf("%v %v %s", c.Device(), c.Devices(), c.Addr())
		}
		prg, _ := atem.ParseCode("CPgI")
		if err := c.Send(atem.Field{Code: prg, Body: make([]byte, 4)}, atem.Field{Code: prg, Body: make([]byte, 4)}); err != nil {
			t.Fatal(err)
		}
		c.SendPayload(nil) // an empty packet means nothing
		c.SendPayload(field("*xyz"))
		piece := atem.OSWUpload{Store: 1, Slot: 2, Upload: true, SendSize: 6, Data: []byte("abc")}
		c.SendPayload(piece.Append(nil, 0))
		piece.Data = []byte("def")
		c.SendPayload(piece.Append(nil, 0))
		down := atem.OSWUpload{Store: 1, Slot: 2, SendSize: 6}
		c.SendPayload(down.Append(nil, 0))
		c.SendPayload(append(field("DCut", 0, 0, 0, 0), 0, 0, 0)) // the handler's business
		synctest.Wait()
		if s := fmt.Sprint(w.hub.commands, w.hub.uploads, w.hub.logins); s != "[CPgI CPgI 3 bytes, a header has 8: the payload ends inside a field] [abcdef] [admin]" {
			t.Error(s)
		}
		if s := got.codes(); !strings.HasPrefix(s, "_ver AAAA InCm CPgI CPgI *XFC DCut") && !strings.Contains(s, "payload ends") {
			t.Error(s)
		}
		w.hub.mu.Lock()
		for x := range w.hub.clients {
			if x.User() != "admin" || x.Device() != "mini" || x.ID() != 1 || x.Since().IsZero() || x.Waiting() != 0 || x.RemoteAddr() == nil || x.LocalAddr() == nil {
				t.Errorf("%+v", x)
			}
		}
		w.hub.mu.Unlock()
		if st := w.srv.Stats(); st.Dropped != 2 || st.Active != 1 || st.BadLogins+st.BadHandshakes != 0 {
			t.Errorf("%+v", st)
		}
		if st := c.Stats(); st.Received != 5 || st.Sent != 7 || st.Bytes == 0 {
			t.Errorf("%+v", st)
		}
		time.Sleep(time.Hour) // there is no keep-alive, and none is missed
		c.Close()
		c.Close()
		synctest.Wait()
		if !errors.Is(c.Err(), net.ErrClosed) || w.hub.live() != 0 || !errors.Is(w.hub.closed[0], io.EOF) {
			t.Errorf("%v, %d live, closed %v", c.Err(), w.hub.live(), w.hub.closed)
		}
		if err := c.SendPayload(field("DCut")); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		w.stop()
	})
}

// What clients do that do not keep to the handshake, and what becomes of them.
func TestEdges(t *testing.T) {
	hello, choice := openswitcher.AppendHello(nil), openswitcher.AppendChoice(nil, "mini")
	login := openswitcher.AppendLogin(nil, "admin", "password")
	for _, row := range []struct {
		name   string
		logins bool
		say    [][]byte // payloads
		want   string   // codes of what comes back; "|" between packets
		closed bool
	}{
		{"all at once", false, [][]byte{hello, choice}, "*HW* *HW*|_ver AAAA|InCm", false},
		{"all at once, with a login", true, [][]byte{hello, login, choice}, "AUTH|*HW* *HW*|_ver AAAA|InCm", false},
		{"password first", true, [][]byte{hello, join(field("*PWD", []byte("password")...), field("*USR", []byte("admin")...)), choice}, "AUTH|*HW* *HW*|_ver AAAA|InCm", false},
		{"device padded with NULs", false, [][]byte{hello, openswitcher.AppendChoice(nil, "mini\x00\x00\x00\x00")}, "*HW* *HW*|_ver AAAA|InCm", false},
		{"hello with a body", false, [][]byte{field("*SW*", 1, 2), choice}, "*HW* *HW*|_ver AAAA|InCm", false},
		{"no hello", false, [][]byte{choice}, "", true},
		{"empty packet for hello", false, [][]byte{nil}, "", true},
		{"four bytes for hello", false, [][]byte{{0, 4, 0, 0}}, "", true},
		{"two fields in the hello", false, [][]byte{join(hello, hello)}, "", true},
		{"choice instead of a login", true, [][]byte{hello, choice}, "AUTH", true},
		{"wrong password", true, [][]byte{hello, openswitcher.AppendLogin(nil, "admin", "x")}, "AUTH", true},
		{"user and password apart", true, [][]byte{hello, field("*USR", []byte("admin")...), field("*PWD", []byte("password")...)}, "AUTH", true},
		{"credentials of 10 kB", true, [][]byte{hello, openswitcher.AppendLogin(nil, strings.Repeat("x", 10<<10), "x")}, "AUTH", true},
		{"password of 300 bytes", true, [][]byte{hello, openswitcher.AppendLogin(nil, "admin", strings.Repeat("x", 300))}, "AUTH", true},
		{"unknown device", false, [][]byte{hello, openswitcher.AppendChoice(nil, "other")}, "*HW* *HW*", true},
		{"no device", false, [][]byte{hello, openswitcher.AppendChoice(nil, "")}, "*HW* *HW*", true},
		{"a device that is away", false, [][]byte{hello, openswitcher.AppendChoice(nil, "big")}, "*HW* *HW*", true},
		{"a command instead of a choice", false, [][]byte{hello, field("DCut", 0, 0, 0, 0)}, "*HW* *HW*", true},
		{"a packet that is too long", false, [][]byte{make([]byte, openswitcher.MaxHandshake+1)}, "", true},
	} {
		for _, chunk := range []int{0, 1} {
			t.Run(fmt.Sprintf("%s, %d", row.name, chunk), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, oswserver.Options{Logins: row.logins})
					conn, err := w.ln.Dial(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					defer conn.Close()
					for _, p := range row.say {
						b, err := openswitcher.AppendPacket(nil, p)
						if err != nil {
							t.Fatal(err)
						}
						for len(b) > 0 {
							n := len(b)
							if chunk > 0 {
								n = chunk
								synctest.Wait()
							}
							conn.Write(b[:n])
							b = b[n:]
						}
					}
					conn.SetReadDeadline(time.Now().Add(5 * time.Second))
					var got []string
					r := openswitcher.NewReader(conn)
					for {
						p, e := r.Next(openswitcher.MaxPacket)
						if err = e; err != nil {
							break
						}
						got = append(got, codes(p))
					}
					if s := strings.Join(got, "|"); s != row.want {
						t.Errorf("got %s, want %s", s, row.want)
					}
					var ne net.Error
					if timeout := errors.As(err, &ne) && ne.Timeout(); timeout == row.closed {
						t.Errorf("ended with %v", err)
					}
					w.stop()
				})
			})
		}
	}
}

// Right and wrong logins are answered after the same time, unless checking takes longer.
func TestLoginTakesTheSameTime(t *testing.T) {
	for _, check := range []time.Duration{0, 100 * time.Millisecond, 400 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, oswserver.Options{Logins: true})
			w.hub.tookTime = check
			took := func(password string) (time.Duration, error) {
				began := time.Now()
				c, _, err := w.dial(oswclient.Options{User: "admin", Password: password, Device: "mini"})
				if c != nil {
					c.Close()
				}
				return time.Since(began), err
			}
			right, err := took("password")
			if err != nil {
				t.Error(err)
			}
			wrong, err := took("wrong")
			if !errors.Is(err, oswclient.ErrLogin) {
				t.Error(err)
			}
			if want := max(check, 250*time.Millisecond); right != want || wrong != want {
				t.Errorf("right %v, wrong %v, want %v", right, wrong, want)
			}
			if w.srv.Stats().BadLogins != 1 {
				t.Errorf("%+v", w.srv.Stats())
			}
			w.stop()
		})
	}
}

// A client that dawdles over its handshake, and one that takes nothing of what it is sent, are dropped; others do not notice.
func TestSlowClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, oswserver.Options{Backlog: 100 << 10})
		dawdler, _ := w.ln.Dial(t.Context())
		defer dawdler.Close()
		began := time.Now()
		dawdler.Write([]byte{0})
		if _, err := dawdler.Read(make([]byte, 1)); err == nil || time.Since(began) != 10*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		good, got, err := w.dial(oswclient.Options{Device: "mini"})
		if err != nil {
			t.Fatal(err)
		}
		stall := func() {
			conn, _ := w.ln.Dial(t.Context())
			t.Cleanup(func() { conn.Close() })
			for _, p := range [][]byte{openswitcher.AppendHello(nil), openswitcher.AppendChoice(nil, "mini")} {
				b, _ := openswitcher.AppendPacket(nil, p)
				conn.Write(b)
			}
			synctest.Wait()
		}
		say := func(n int) {
			for range n {
				w.hub.mu.Lock()
				w.hub.say(field("BBBB", make([]byte, 10<<10)...))
				w.hub.mu.Unlock()
				synctest.Wait()
			}
		}
		stall()
		say(200)
		if w.hub.live() != 1 || !errors.Is(w.hub.closed[0], openswitcher.ErrBacklog) {
			t.Errorf("%d live, %v", w.hub.live(), w.hub.closed)
		}
		stall()
		say(10)
		time.Sleep(11 * time.Second) // what was sent is not taken
		say(1)
		if n := strings.Count(got.codes(), "BBBB"); n != 211 || good.Err() != nil {
			t.Errorf("the other client got %d of 211", n)
		}
		good.Close()
		w.stop()
	})
}

// The end of all connections, and of the server, is seen by clients.
func TestEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, oswserver.Options{})
		a, _, err := w.dial(oswclient.Options{Device: "mini"})
		if err != nil {
			t.Fatal(err)
		}
		b, _, _ := w.dial(oswclient.Options{Device: "mini"})
		<-b.Ready()
		w.hub.mu.Lock()
		for c := range w.hub.clients {
			if c.ID() == 1 {
				c.Close()
			}
		}
		w.hub.mu.Unlock()
		<-a.Done()
		synctest.Wait()
		if !errors.Is(a.Err(), io.EOF) || b.Err() != nil || w.hub.closed[0] != nil {
			t.Errorf("%v %v %v", a.Err(), b.Err(), w.hub.closed)
		}
		w.srv.CloseAll()
		<-b.Done()
		c, _, err := w.dial(oswclient.Options{Device: "mini"})
		if err != nil {
			t.Fatal(err)
		}
		w.stop()
		<-c.Done()
		if w.hub.live() != 0 {
			t.Error("a client is left")
		}
		if err := w.srv.Close(); err != nil {
			t.Error(err)
		}
	})
}

// What a client says about servers that do not do what it wants.
func TestClientErrors(t *testing.T) {
	reply := func(p ...[]byte) func(net.Conn) {
		return func(c net.Conn) {
			for _, x := range p {
				openswitcher.NewReader(c).Next(100)
				b, _ := openswitcher.AppendPacket(nil, x)
				c.Write(b)
			}
		}
	}
	auth := openswitcher.AppendLoginWanted(nil)
	offer := openswitcher.AppendDevices(nil, []openswitcher.Device{{ID: "a"}, {ID: "b"}})
	for _, row := range []struct {
		name string
		do   func(net.Conn)
		o    oswclient.Options
		want error
		text string
	}{
		{"closes at once", reply(), oswclient.Options{}, io.EOF, ""},
		{"something else", func(c net.Conn) { c.Write([]byte("220 mail.example ready\r\n")) }, oswclient.Options{}, openswitcher.ErrHandshake, ""},
		{"state at once", reply(field("_ver", 0, 2, 0, 30)), oswclient.Options{}, openswitcher.ErrHandshake, ""},
		{"wants a login", reply(auth), oswclient.Options{}, oswclient.ErrLoginWanted, ""},
		{"refuses the login", reply(auth), oswclient.Options{User: "u"}, oswclient.ErrLogin, ""},
		{"asks for it again", reply(auth, auth), oswclient.Options{User: "u"}, oswclient.ErrLogin, ""},
		{"refuses a long one", reply(auth), oswclient.Options{User: "u", Password: strings.Repeat("p", 33)}, oswclient.ErrLogin, "longer than 32"},
		{"has not the device", reply(offer), oswclient.Options{Device: "c"}, oswclient.ErrNoDevice, `offered: "a", "b"`},
		{"has several", reply(offer), oswclient.Options{}, oswclient.ErrNoDevice, ""},
		{"has none", reply(nil), oswclient.Options{}, oswclient.ErrNoDevice, "none"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ln := testnet.Listen()
				defer ln.Close()
				go func() {
					c, err := ln.Accept()
					if err != nil {
						return
					}
					row.do(c)
					openswitcher.NewReader(c).Next(1000)
					c.Close()
				}()
				_, err := oswclient.Dial(t.Context(), ln.DialContext, "x", row.o)
				if !errors.Is(err, row.want) || !strings.Contains(err.Error(), row.text) {
					t.Error(err)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) { // a server that says nothing
		ln := testnet.Listen()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if _, err := oswclient.Dial(ctx, ln.DialContext, "x", oswclient.Options{}); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		ln.Close()
	})
}

// The whole over TLS.
func TestTLS(t *testing.T) {
	cert := testnet.MustCertificate("relay.example")
	pool := x509.NewCertPool()
	pool.AddCert(cert.Leaf)
	w := &world{t: t, hub: newHub(), ln: testnet.Listen()}
	w.srv = oswserver.New(w.hub, oswserver.Options{Logins: true, LoginTime: time.Millisecond})
	w.serve(tls.NewListener(w.ln, &tls.Config{Certificates: []tls.Certificate{cert}}))
	c, _, err := w.dial(oswclient.Options{User: "admin", Password: "password", Device: "mini", TLS: &tls.Config{RootCAs: pool, ServerName: "relay.example"}})
	if err != nil {
		t.Fatal(err)
	}
	<-c.Ready()
	c.Close()
	if _, _, err := w.dial(oswclient.Options{Device: "mini", TLS: &tls.Config{ServerName: "relay.example"}}); err == nil {
		t.Error("a certificate of nobody is trusted")
	}
	w.stop()
}
