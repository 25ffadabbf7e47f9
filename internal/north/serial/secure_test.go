package serial

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/rfc2217"
	"github.com/patchbay-io/patchbay/protocol/rfc2217/rfc2217client"
)

// certificate is one for example.com, and what a client needs to believe it.
func certificate(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates}, &tls.Config{RootCAs: roots, ServerName: "example.com"}
}

func vera(_ context.Context, user, secret string, from net.Addr) (driver.Who, error) {
	if user != "vera" || secret != "right" {
		return driver.Who{}, errors.New("no")
	}
	return driver.Who{User: user, Addr: from.String()}, nil
}

// expect reads exactly what is wanted.
func expect(t *testing.T, r io.Reader, want string) {
	t.Helper()
	b := make([]byte, len(want))
	if n, err := io.ReadFull(r, b); err != nil || string(b) != want {
		t.Errorf("%q, %v; want %q", b[:n], err, want)
	}
}

// Both kinds of TCP door with TLS and login: the right one gets the port as its owner, and nobody else gets a byte of it.
func TestTLSAndLogin(t *testing.T) {
	server, believes := certificate(t)
	for _, door := range []string{"raw", "rfc2217"} {
		t.Run(door, func(t *testing.T) {
			p := Port{Device: "box", Path: "ports/3", TLS: true, Login: true}
			if door == "raw" {
				p.Raw = "127.0.0.1:0"
			} else {
				p.RFC2217 = "127.0.0.1:0"
			}
			r := newRig(t, Config{TLS: server, Login: vera}, p)
			addr := <-r.addr
			port := r.box.Port("ports/3")

			plain := dial(t, addr) // does not know of TLS
			io.WriteString(plain, "vera\nright\nhello\n")
			if text, _ := io.ReadAll(plain); strings.Contains(string(text), "login") {
				t.Errorf("without TLS it is asked %q", text)
			}
			stranger := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: believes.ServerName}
			if err := tls.Client(dial(t, addr), stranger).HandshakeContext(t.Context()); err == nil {
				t.Error("a client that knows another authority believes the certificate")
			}
			secure := func() net.Conn {
				c := tls.Client(dial(t, addr), believes)
				if err := c.HandshakeContext(t.Context()); err != nil {
					t.Fatal(err)
				}
				return c
			}
			wrong := secure()
			io.WriteString(wrong, "vera\r\nwrong\r\n")
			expect(t, wrong, "login: password: patchbay: not let in\r\n")
			long := secure()
			io.WriteString(long, strings.Repeat("v", maxLoginLine+2))
			expect(t, long, "login: patchbay: not let in\r\n")
			if port.IsOpen() {
				t.Error("the port was opened for somebody who was not let in")
			}

			c := secure()
			expect(t, c, "login: ")
			io.WriteString(c, "vera\r\n")
			expect(t, c, "password: ")
			io.WriteString(c, "right\r\n")
			if door == "raw" {
				io.WriteString(c, "hello")
				expect(t, c, "hello")
			} else {
				x, err := rfc2217client.Dial(t.Context(), func(context.Context, string, string) (net.Conn, error) { return c, nil }, addr, rfc2217client.Options{Timeout: patience, ControlTimeout: patience})
				if err != nil {
					t.Fatal(err)
				}
				defer x.Close()
				if _, err := x.Set(t.Context(), rfc2217.Settings{Baud: 300}); err != nil || port.Line().Baud != 300 {
					t.Errorf("%v %v", port.Line(), err)
				}
				x.Write([]byte("hello\xff"))
				x.SetReadDeadline(time.Now().Add(patience))
				expect(t, x, "hello\xff")
			}
			s, err := r.box.Gateway.OpenStream(t.Context(), driver.Who{Door: "test"}, "box", "ports/3", (&offer{port: p}).options(false))
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if st, err := s.State(t.Context()); err != nil || st.Owner != "vera ("+door+")" {
				t.Errorf("the owner is %q, %v", st.Owner, err)
			}
		})
	}
}

// A port with TLS and no certificate serves nobody in clear.
func TestTLSWithoutCertificate(t *testing.T) {
	r := newRig(t, Config{}, Port{Device: "box", Path: "ports/3", Raw: "127.0.0.1:0", TLS: true})
	c := dial(t, <-r.addr)
	c.Write([]byte("hello"))
	if text, err := bufio.NewReader(c).ReadString('\n'); err == nil || text != "" || r.box.Port("ports/3").IsOpen() {
		t.Errorf("%q %v", text, err)
	}
}

// Whoever has not shown who it is neither takes a place nor turns anybody out.
func TestStrangersAtTheDoor(t *testing.T) {
	r := newRig(t, Config{Login: vera}, Port{Device: "box", Path: "ports/3", Raw: "127.0.0.1:0", Login: true, KickOld: true})
	addr := <-r.addr
	in := func() net.Conn {
		c := dial(t, addr)
		io.WriteString(c, "vera\nright\n")
		expect(t, c, "login: password: ")
		return c
	}
	owner := in()
	io.WriteString(owner, "1")
	expect(t, owner, "1")
	stranger, liar := dial(t, addr), dial(t, addr)
	expect(t, stranger, "login: ")
	io.WriteString(liar, "vera\nwrong\n")
	expect(t, liar, "login: password: patchbay: not let in")
	io.WriteString(owner, "2")
	expect(t, owner, "2")
	next := in() // who may turns the owner out
	io.WriteString(next, "3")
	expect(t, next, "3")
	if _, err := io.ReadAll(owner); err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the old owner sees %v", err)
	}
	asked := 1 // with the stranger above
	for {
		c := dial(t, addr)
		if n, err := c.Read(make([]byte, 1)); n == 0 {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("one too many waits at the door")
			}
			break
		}
		if asked++; asked > maxAtDoor {
			t.Fatalf("%d clients are at the door", asked)
		}
	}
	stranger.Close()
	until(t, "a place at the door", func() bool {
		c := dial(t, addr)
		n, _ := c.Read(make([]byte, 1))
		return n == 1
	})
}
