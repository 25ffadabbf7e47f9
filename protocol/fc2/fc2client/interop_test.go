package fc2client

import (
	"bytes"
	"context"
	cryptorand "crypto/rand"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/internal/testpeer"
	"github.com/patchbay-io/patchbay/protocol/fc2"
	"github.com/patchbay-io/patchbay/protocol/fc2/fc2sim"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaclient"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaserver"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaws"
)

// sodium is one end of the tunnel with nothing but libsodium, testdata/sodium.c. All its keys, nonces and headers are its own and
// random.
type sodium struct {
	*testpeer.Peer
	mu sync.Mutex // a conversation is several exchanges from two sides
}

func startSodium(t *testing.T) *sodium {
	t.Helper()
	return &sodium{Peer: testpeer.Start(t, filepath.Join("testdata", "sodium.c"), "sodium", "libsodium-dev")}
}

// newKey makes a new identity for it.
func (s *sodium) newKey() (k fc2.PublicKey, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.Say([]byte{'K'}); err != nil {
		return k, err
	}
	b, err := s.Read(fc2.KeySize)
	copy(k[:], b)
	return k, err
}

// ask sends a command whose answer is a block.
func (s *sodium) ask(parts ...[]byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.Say(parts...); err != nil {
		return nil, err
	}
	return s.ReadBlock()
}

// request asks a server for approval.
func (s *sodium) request(server fc2.PublicKey, name string) ([]byte, error) {
	return s.ask([]byte{'B'}, server[:], testpeer.Block([]byte(name)))
}

var errSodium = errors.New("libsodium refuses")

// openRequest is the name in a client's request.
func (s *sodium) openRequest(client fc2.PublicKey, request []byte) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.Say([]byte{'U'}, client[:], testpeer.Block(request)); err != nil {
		return "", err
	}
	ok, err := s.Read(1)
	if err != nil {
		return "", err
	}
	name, err := s.ReadBlock()
	if err == nil && ok[0] != 1 {
		err = errSodium
	}
	return string(name), err
}

// came gives it what came from its peer, in pieces cut anywhere: what it answers, what it read, and whether the handshake is over.
func (s *sodium) came(b []byte) (send, plain []byte, ready bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(b) > 0 {
		n := 1 + rand.IntN(len(b)) //nolint:gosec // where a stream is cut
		if err := s.Say([]byte{'I'}, testpeer.Block(b[:n])); err != nil {
			return nil, nil, false, err
		}
		state, err := s.Read(1)
		if err != nil {
			return nil, nil, false, err
		}
		out, err := s.ReadBlock()
		if err != nil {
			return nil, nil, false, err
		}
		text, err := s.ReadBlock()
		if err != nil {
			return nil, nil, false, err
		}
		if state[0] == 2 {
			return nil, nil, false, errSodium
		}
		send, plain, ready, b = append(send, out...), append(plain, text...), state[0] == 1, b[n:]
	}
	return send, plain, ready, nil
}

// sodiumConn is a connection whose encrypted end libsodium is.
type sodiumConn struct {
	net.Conn // WebSocket messages
	s        *sodium
	in, rest []byte
	spoil    bool // the next records
}

// open makes the handshake over conn. side is that of testdata/sodium.c.
func (s *sodium) open(conn net.Conn, side byte, peer fc2.PublicKey) (*sodiumConn, error) {
	c := &sodiumConn{Conn: conn, s: s, in: make([]byte, 1<<16)}
	first, err := s.ask([]byte{'S', side}, peer[:])
	if err == nil && len(first) > 0 {
		_, err = conn.Write(first)
	}
	for ready := false; !ready && err == nil; {
		ready, err = c.receive()
	}
	return c, err
}

func (c *sodiumConn) receive() (ready bool, err error) {
	n, err := c.Conn.Read(c.in)
	if err != nil {
		return false, err
	}
	send, plain, ready, err := c.s.came(c.in[:n])
	if err == nil && len(send) > 0 {
		_, err = c.Conn.Write(send)
	}
	c.rest = append(c.rest, plain...)
	return ready, err
}

func (c *sodiumConn) Read(b []byte) (int, error) {
	for len(c.rest) == 0 {
		if _, err := c.receive(); err != nil {
			return 0, err
		}
	}
	n := copy(b, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *sodiumConn) Write(b []byte) (int, error) {
	records, err := c.s.ask([]byte{'O'}, testpeer.Block(b))
	if err != nil {
		return 0, err
	}
	if c.spoil {
		records[len(records)-1] ^= 1
	}
	if _, err := c.Conn.Write(records); err != nil {
		return 0, err
	}
	return len(b), nil
}

// echoMethod of the object with echoClass gives back what it is given.
var (
	echoMethod = ocp1.ID{Level: 3, Index: 1}
	echoClass  = ocp1.ClassIdentification{Class: ocp1.ClassOf(1, 2, 0xffff, 0, 1, 1), Version: 1}
)

func echo(_ context.Context, _ *ocaserver.Conn, cmd ocp1.Command) (uint8, []byte, error) {
	return cmd.Count, bytes.Clone(cmd.Params), nil
}

// converse exchanges random messages of many lengths with an object that gives them back, and reads the whole tree.
func converse(ctx context.Context, r *rand.Rand, c *ocaclient.Client, ono ocp1.ONo) error {
	for i := range 20 {
		data := make([]byte, int(r.ExpFloat64()*1500))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		got, err := c.Do(ctx, ono, echoMethod, 1, data)
		if err != nil || !bytes.Equal(got, data) {
			return fmt.Errorf("message %d: %d bytes went, %d came back, %w", i, len(data), len(got), err)
		}
	}
	tree, err := c.Tree(ctx)
	if err != nil {
		return err
	}
	n := 0
	tree.Walk(func(*ocaclient.Object) bool { n++; return true })
	if n < 50 {
		return fmt.Errorf("%d objects", n)
	}
	return nil
}

const interopRuns = 100

// libsodium pairs with our server and talks to it, with other keys each time.
func TestInteropLibsodiumAsClient(t *testing.T) {
	s := startSodium(t)
	within(t, fc2sim.Options{}, func(w *world) {
		r := rand.New(rand.NewPCG(1, 2))
		object := w.sim.Interface.Device.Root().Custom(echoClass, "Echo", echo)
		for run := range interopRuns {
			key, err := s.newKey()
			if err != nil {
				t.Fatal(err)
			}
			name := strings.Repeat("Gerät ", run%30) + fmt.Sprint(run)
			if err := w.pairSodium(s, key, name); err != nil {
				w.Fatalf("run %d: pairing: %v", run, err)
			}
			ws, err := ocaws.Dial(w.Context(), w.net.Dial, secureAddr, ocaws.DialOptions{Path: key.Path()})
			if err != nil {
				w.Fatalf("run %d: %v", run, err)
			}
			conn, err := s.open(ws, 'c', w.sim.PublicKey())
			if err != nil {
				w.Fatalf("run %d: handshake: %v", run, err)
			}
			c := ocaclient.New(conn, secureAddr, ocaclient.Options{})
			if err := converse(w.Context(), r, c, object.ONo()); err != nil {
				w.Errorf("run %d: %v", run, err)
			}
			c.Close()
			if !w.sim.Remove(key) {
				w.Errorf("run %d: the key was not known", run)
			}
		}
		w.strangers(s)
	})
}

// pairSodium gets a client with libsodium's key let in.
func (w *world) pairSodium(s *sodium, key fc2.PublicKey, name string) error {
	time.Sleep(10 * time.Second) // requests are few at a time
	ws, err := ocaws.Dial(w.Context(), w.net.Dial, onboardingAddr, ocaws.DialOptions{})
	if err != nil {
		return err
	}
	c := ocaclient.New(ws, onboardingAddr, ocaclient.Options{})
	defer c.Close()
	request, err := s.request(w.sim.PublicKey(), name)
	if err != nil {
		return err
	}
	decide := func(method ocp1.ID, count uint8, params []byte) error {
		b, err := c.Do(w.Context(), fc2.AgentONo, method, count, params)
		if want := ocp1.AppendString(nil, fc2.DecisionApproved); err != nil || !bytes.Equal(b, want) {
			return fmt.Errorf("%q, %w", b, err)
		}
		return nil
	}
	var wg sync.WaitGroup
	wg.Go(func() { w.decide(true) })
	err = decide(fc2.MethodRequestApproval, 2, ocp1.AppendBlob(ocp1.AppendBlob(nil, key[:]), request))
	wg.Wait()
	if err != nil {
		return err
	}
	p, _ := w.sim.Prompt()
	if p.Shows == nil || p.Shows.Name != name || p.Shows.Key != key {
		return fmt.Errorf("the server reads %+v, want the name %q and the key %s", p.Shows, name, key)
	}
	return decide(fc2.MethodSendQRData, 1, ocp1.AppendBlob(nil, p.Code))
}

// strangers are not let in: the wrong server's key, a record that was changed.
func (w *world) strangers(s *sodium) {
	w.Helper()
	key, err := s.newKey()
	if err == nil {
		err = w.sim.Clients().Approve(key, "x")
	}
	if err != nil {
		w.Fatal(err)
	}
	dial := func() net.Conn {
		ws, err := ocaws.Dial(w.Context(), w.net.Dial, secureAddr, ocaws.DialOptions{Path: key.Path()})
		if err != nil {
			w.Fatal(err)
		}
		return ws
	}
	wrong := dial()
	defer wrong.Close()
	if _, err := s.open(wrong, 'c', w.id.Public()); !errors.Is(err, io.EOF) {
		w.Errorf("with another server's key: %v, want the end", err)
	}
	conn, err := s.open(dial(), 'c', w.sim.PublicKey())
	if err != nil {
		w.Fatal(err)
	}
	defer conn.Close()
	conn.spoil = true
	if _, err := conn.Write([]byte("x")); err != nil {
		w.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		w.Errorf("after a changed record: %v, want the end", err)
	}
}

// Our client pairs with libsodium and talks to it, with other keys each time, whoever speaks first.
func TestInteropLibsodiumAsServer(t *testing.T) {
	s := startSodium(t)
	within(t, fc2sim.Options{}, func(w *world) {
		r := rand.New(rand.NewPCG(1, 2))
		object := w.sim.Interface.Device.Root().Custom(echoClass, "Echo", echo)
		ctx, cancel := context.WithCancel(w.Context())
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		serve := func(addr string, conn func(context.Context, *ocaws.Conn)) {
			server := ocaws.New(func(ctx context.Context, c net.Conn) {
				if ws, ok := c.(*ocaws.Conn); ok {
					conn(ctx, ws)
				}
			}, ocaws.Options{})
			ln := w.net.MustListen(addr)
			wg.Go(func() { _ = server.Serve(ctx, ln) })
		}
		side, spoil := byte('s'), false
		serve("192.0.2.60:1", func(ctx context.Context, ws *ocaws.Conn) {
			key, _ := fc2.KeyOfPath(ws.Path())
			if c, err := s.open(ws, side, key); err == nil {
				c.spoil = spoil
				_ = w.sim.Interface.Server.ServeConn(ctx, c)
			}
		})
		names := make(chan string, 1)
		front := ocaserver.NewDevice(ocaserver.Info{})
		front.Root().Custom(fc2.AgentClass, "AuthenticationAgent", func(_ context.Context, _ *ocaserver.Conn, cmd ocp1.Command) (uint8, []byte, error) {
			p := ocp1.NewParams("agent", cmd.Params)
			switch cmd.Method {
			case fc2.MethodGetOnboardingState:
				return 1, ocp1.AppendString(nil, fc2.StateReady), nil
			case fc2.MethodRequestApproval:
				key, request := p.Blob("key"), p.Blob("request")
				name, err := s.openRequest(fc2.PublicKey(key), request)
				names <- name
				return 1, ocp1.AppendString(nil, fc2.DecisionApproved), err
			}
			return 0, nil, &ocp1.Error{Status: ocp1.StatusBadMethod}
		})
		agent := ocaserver.New(front, ocaserver.Options{})
		serve("192.0.2.60:2", func(ctx context.Context, ws *ocaws.Conn) { _ = agent.ServeConn(ctx, ws) })

		for run := range interopRuns {
			key, err := s.newKey()
			if err != nil {
				t.Fatal(err)
			}
			if w.id, err = fc2.NewIdentity(cryptorand.Reader); err != nil {
				t.Fatal(err)
			}
			o := Options{Identity: w.id, Server: key}
			b, err := Onboard(ctx, w.net.Dial, "192.0.2.60:2", o)
			if err != nil {
				w.Fatal(err)
			}
			name := strings.Repeat("Gerät ", run%30) + fmt.Sprint(run)
			if err := b.Request(ctx, name); err != nil {
				w.Errorf("run %d: request: %v", run, err)
			}
			if got := <-names; got != name {
				w.Errorf("run %d: libsodium reads the name %q, want %q", run, got, name)
			}
			b.Close()
			side = "sf"[run%2]
			conn, err := Dial(ctx, w.net.Dial, "192.0.2.60:1", o)
			if err != nil {
				w.Fatalf("run %d, side %c: %v", run, side, err)
			}
			c := ocaclient.New(conn, "libsodium", ocaclient.Options{})
			if err := converse(ctx, r, c, object.ONo()); err != nil {
				w.Errorf("run %d, side %c: %v", run, side, err)
			}
			c.Close()
		}
		key, err := s.newKey()
		if err != nil {
			t.Fatal(err)
		}
		if conn, err := Dial(ctx, w.net.Dial, "192.0.2.60:1", Options{Identity: w.id, Server: w.id.Public()}); err == nil {
			conn.Close()
			w.Error("libsodium has another key than the one that is dialled, and is believed")
		}
		spoil = true
		conn, err := Dial(ctx, w.net.Dial, "192.0.2.60:1", Options{Identity: w.id, Server: key})
		if err != nil {
			t.Fatal(err)
		}
		c := ocaclient.New(conn, "libsodium", ocaclient.Options{})
		defer c.Close()
		if _, err := c.Tree(ctx); !errors.Is(err, fc2.ErrRecord) {
			w.Errorf("a changed record: %v, want %v", err, fc2.ErrRecord)
		}
	})
}
