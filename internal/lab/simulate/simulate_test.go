package simulate

import (
	"context"
	"crypto/rand"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/all"
	"github.com/patchbay-io/patchbay/internal/testnet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func settingsOf(kind string) url.Values {
	return map[string]url.Values{
		"focas":        {"profile": {"30i"}, "seed": {"7"}, "speed": {"2"}, "scenario": {"quiet"}},
		"atem":         {"model": {"mini"}, "scenario": {"show"}, "seed": {"3"}, "sessions": {"2"}},
		"openswitcher": {"model": {"2me-4k"}},
		"fc2":          {"inputs": {"2"}, "serial": {"T1"}, "seed": {"7"}, "approve": {"true"}, "ev1": {"true"}},
		"fcxml":        {"model": {"2i2"}, "serial": {"T1"}, "seed": {"7"}, "approved": {"true"}},
		"aes70":        {"inputs": {"2"}, "outputs": {"2"}, "mixes": {"1"}, "objects": {"5"}, "seed": {"7"}, "ev1": {"true"}},
	}[kind]
}

// keys is a KeyStore that holds what a device gives and forgets the rest.
type keys map[string][]byte

func (k keys) Load(name string) ([]byte, error) {
	if v, ok := k[name]; ok {
		return v, nil
	}
	return nil, fs.ErrNotExist
}

func (keys) Store(string, []byte) error { return nil }

func TestLocalIsReachedByItsOwnDriver(t *testing.T) {
	for kind := range Settings() {
		t.Run(kind, func(t *testing.T) {
			l, err := NewLocal(kind, settingsOf(kind))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- l.Run(ctx) }()
			d := driverOf(t, kind)
			s, err := d.Open(ctx, driver.Env{Dial: l.Dial, ListenPacket: l.ListenPacket, Keys: keys(l.Keys()), Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)},
				driver.Target{Name: "device", URL: &url.URL{Scheme: d.Info().Schemes[0].Name, Host: l.Host()}, Options: d.Options()})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run ended with %v", err)
			}
		})
	}
}

func driverOf(t *testing.T, name string) driver.Driver {
	t.Helper()
	for _, d := range all.Drivers() {
		if d.Info().Name == name {
			return d
		}
	}
	t.Fatalf("there is no driver %s", name)
	return nil
}

// echo is a device of datagrams and of a stream that says back what it is told.
func echo() Device {
	return Device{Services: []Service{
		{Network: "udp", Port: 9910, Packets: func(ctx context.Context, p net.PacketConn) error {
			stop := context.AfterFunc(ctx, func() { p.Close() })
			defer stop()
			buf := make([]byte, 100)
			for {
				n, from, err := p.ReadFrom(buf)
				if err != nil {
					return err
				}
				if _, err := p.WriteTo(buf[:n], from); err != nil {
					return err
				}
			}
		}},
		{Network: "tcp", Port: 4532, Stream: func(ctx context.Context, l net.Listener) error {
			stop := context.AfterFunc(ctx, func() { l.Close() })
			defer stop()
			for {
				c, err := l.Accept()
				if err != nil {
					return err
				}
				io.Copy(c, c)
				c.Close()
			}
		}},
	}}
}

func TestLocalDatagrams(t *testing.T) {
	l, err := NewLocalDevice(echo())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	for _, network := range []string{"udp", "tcp"} {
		c, err := l.Dial(ctx, network, Host+":1") // whatever the port
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte(network)); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 10)
		if n, err := c.Read(buf); err != nil || string(buf[:n]) != network {
			t.Errorf("%s: %q, %v", network, buf[:n], err)
		}
		c.Close()
	}
	p, err := l.ListenPacket(ctx, "udp4", ":0")
	if err != nil {
		t.Fatal(err)
	}
	for to, from := range map[string]string{"192.0.2.9:9910": "192.0.2.9:9910", "255.255.255.255:9910": l.Host() + ":9910", "224.0.0.1:9910": l.Host() + ":9910"} {
		clear(p.(*localPackets).asked)
		if _, err := p.WriteTo([]byte("x"), net.UDPAddrFromAddrPort(netip.MustParseAddrPort(to))); err != nil {
			t.Fatal(err)
		}
		if _, addr, err := p.ReadFrom(make([]byte, 10)); err != nil || addr.String() != from {
			t.Errorf("asked at %s, it answers from %v, %v; want %s", to, addr, err, from)
		}
	}
	p.Close()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestServeNeedsASocketForEachService(t *testing.T) {
	n := new(testnet.Network)
	l := n.MustListen("192.0.2.1:1")
	if err := echo().Serve(t.Context(), []Socket{{Listener: l}}); err == nil || !strings.Contains(err.Error(), "1 sockets for 2 services") {
		t.Error(err)
	}
	if _, err := l.Accept(); err == nil {
		t.Error("the socket was left open")
	}
}

func TestWrongSettings(t *testing.T) {
	for _, tc := range []struct {
		kind     string
		settings url.Values
		want     string
	}{
		{"toaster", nil, `no simulator for "toaster"; known: focas, `},
		{"focas", url.Values{"profile": {"99i"}}, "99i"},
		{"focas", url.Values{"seed": {"-1"}}, "seed:"},
		{"focas", url.Values{"speed": {"0"}}, "speed:"},
		{"focas", url.Values{"speed": {"NaN"}}, "speed:"},
		{"focas", url.Values{"scenario": {"war"}}, "scenario:"},
		{"atem", url.Values{"scenario": {"war"}}, "quiet, show"},
		{"atem", url.Values{"model": {"toaster"}}, "mini-extreme-iso"},
		{"atem", url.Values{"model": {"mini"}, "dump": {"x"}}, "leave one"},
		{"atem", url.Values{"dump": {"no such file"}}, "no such file"},
		{"atem", url.Values{"sessions": {"0"}}, "sessions:"},
		{"openswitcher", url.Values{"seed": {"x"}}, "seed:"},
		{"atem", url.Values{"file": {"no such file"}}, "no such file"},
	} {
		if _, err := NewLocal(tc.kind, tc.settings); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s %v: %v", tc.kind, tc.settings, err)
		}
	}
}
