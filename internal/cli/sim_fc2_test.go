package cli

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/netip"
	"regexp"
	"testing"

	"github.com/patchbay-io/patchbay/internal/lab/simulate"
	"github.com/patchbay-io/patchbay/protocol/fc2/fc2sim"
)

// Where a port is taken, the two of Focusrite Control 2 are the next neighbours that are free.
func TestPortsUpward(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	at := netip.MustParseAddrPort(taken.Addr().String())
	if at.Port() > 60000 {
		t.Skip("the taken port is too near to the last one")
	}
	listen := []string{at.String(), netip.AddrPortFrom(at.Addr(), at.Port()+1).String(), "127.0.0.1:0"}
	d := simulate.FC2Device(fc2sim.New(fc2sim.Options{}))
	fixed := simulated{device: d, listen: append([]string(nil), listen...)}
	if sockets, err := fixed.open(t.Context()); err == nil {
		t.Errorf("a port that is taken was opened: %v", closeSockets(sockets))
	}
	s := simulated{device: d, listen: append([]string(nil), listen...), upward: 2}
	sockets, err := s.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := closeSockets(sockets); err != nil {
			t.Error(err)
		}
	}()
	secure, onboarding := netip.MustParseAddrPort(sockets[0].Addr().String()), netip.MustParseAddrPort(sockets[1].Addr().String())
	if secure.Port() <= at.Port() || onboarding.Port() != secure.Port()+1 {
		t.Errorf("ports %d and %d, want neighbours above %d", secure.Port(), onboarding.Port(), at.Port())
	}
}

// The lines of standard output are what the help says: the two endpoints, the page, the key.
func TestSimFC2Lines(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out, w := io.Pipe()
	done := make(chan int, 1)
	go func() {
		done <- Main(ctx, []string{"sim", "fc2", "--secure", "127.0.0.1:0", "--onboarding", "127.0.0.1:0"}, Streams{nil, w, io.Discard}, func(string) (string, bool) { return "", false })
		_ = w.Close()
	}()
	lines := bufio.NewScanner(out)
	for _, want := range []string{`^127\.0\.0\.1:\d+$`, `^127\.0\.0\.1:\d+$`, `^http://127\.0\.0\.1:\d+/$`, `^[0-9a-f]{64}$`} {
		if !lines.Scan() || !regexp.MustCompile(want).MatchString(lines.Text()) {
			t.Errorf("%q, want %s", lines.Text(), want)
		}
	}
	cancel()
	if lines.Scan() {
		t.Errorf("one more line: %q", lines.Text())
	}
	<-done
}
