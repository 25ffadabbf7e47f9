package atemsim_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/atem/atemsim"
)

// pcap is a capture of datagrams as raw IPv4 packets.
type pcap struct {
	mu sync.Mutex
	bytes.Buffer
	n int
}

func newPcap() *pcap {
	c := &pcap{}
	for _, v := range []any{uint32(0xa1b2c3d4), uint16(2), uint16(4), int32(0), uint32(0), uint32(1 << 16), uint32(101)} {
		_ = binary.Write(c, binary.LittleEndian, v)
	}
	return c
}

// add adds a segment from one port to another: UDP, or the whole of a TCP stream in one direction.
func (c *pcap) add(protocol byte, from, to uint16, seq uint32, payload []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var l4 []byte
	if protocol == 17 {
		l4 = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, from), to)
		l4 = append(binary.BigEndian.AppendUint16(l4, uint16(8+len(payload))), 0, 0)
	} else {
		l4 = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, from), to)
		l4 = binary.BigEndian.AppendUint32(l4, seq)
		l4 = append(l4, 0, 0, 0, 1, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0)
	}
	ip := append([]byte{0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2}, append(l4, payload...)...)
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)))
	c.n++
	for _, v := range []uint32{uint32(c.n), 0, uint32(len(ip)), uint32(len(ip))} {
		_ = binary.Write(c, binary.LittleEndian, v)
	}
	c.Write(ip)
}

// tapped is the switcher's socket, seen by a capture.
type tapped struct {
	net.PacketConn
	to *pcap
}

func port(a net.Addr) uint16 { return netip.MustParseAddrPort(a.String()).Port() }

func (t tapped) ReadFrom(b []byte) (int, net.Addr, error) {
	n, addr, err := t.PacketConn.ReadFrom(b)
	if err == nil {
		t.to.add(17, port(addr), 9910, 0, b[:n])
	}
	return n, addr, err
}

func (t tapped) WriteTo(b []byte, addr net.Addr) (int, error) {
	t.to.add(17, 9910, port(addr), 0, b)
	return t.PacketConn.WriteTo(b, addr)
}

// tshark runs tshark with our dissector over a capture.
func tshark(t *testing.T, c *pcap, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("tshark")
	if err != nil {
		missing(t, "tshark is missing; install it to run this")
	}
	name := filepath.Join(t.TempDir(), "session.pcap")
	c.mu.Lock()
	err = os.WriteFile(name, c.Bytes(), 0o600)
	c.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, append([]string{"-n", "-r", name, "-X", "lua_script:../../../packaging/wireshark/atem.lua"}, args...)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil || strings.Contains(errs.String(), "Lua") {
		t.Fatalf("tshark %v: %v\n%s", args, err, errs.String())
	}
	return string(out)
}

// session has a client and a switcher talk, once over UDP and once over OpenSwitcher in pieces that are no frames. It returns
// how many fields the switcher has. Time is simulated: on a busy machine datagrams are sent again, and the capture is another.
func (c *pcap) session(t *testing.T) int {
	sw, err := atemsim.New(atemsim.Options{Dirty: true})
	if err != nil {
		t.Fatal(err)
	}
	n := new(testnet.Network)
	pc, err := n.ListenPacket(t.Context(), "udp", "192.0.2.10:9910")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = sw.ServeUDP(ctx, tapped{pc, c}, atemsim.UDPOptions{}) })
	v, err := dial(ctx, n)
	if err != nil {
		t.Fatal(err)
	}
	<-v.Ready()
	v.send(t, &atem.SetPreviewSource{Source: 7})
	v.send(t, &atem.SendFairlightLevels{On: true})
	v.send(t, &atem.Cut{})
	time.Sleep(time.Second)
	v.mu.Lock()
	if p, _ := atem.Get[atem.ProgramSource](&v.st, 0); p.Source != 7 {
		t.Errorf("%v is on program", p.Source)
	}
	v.mu.Unlock()
	v.Close()
	stop()
	wg.Wait()
	var stream []byte
	for _, p := range sw.State().Dump(1000) {
		stream = append(binary.BigEndian.AppendUint16(stream, uint16(len(p))), p...)
	}
	for at := 0; at < len(stream); at += 700 {
		c.add(6, 4532, 50000, uint32(1+at), stream[at:min(at+700, len(stream))])
	}
	return sw.State().Len()
}

// tshark with our dissector reads a session without errors, and sees the fields that were sent.
func TestInteropTsharkDissector(t *testing.T) {
	capture := newPcap()
	var fields int
	synctest.Test(t, func(t *testing.T) { fields = capture.session(t) })

	if bad := tshark(t, capture, "-Y", "_ws.lua.error || atem.malformed || _ws.malformed || atem.nolayout"); bad != "" {
		t.Errorf("tshark complains:\n%.2000s", bad)
	}
	text := tshark(t, capture, "-Y", "udp", "-T", "fields", "-E", "occurrence=a", "-e", "atem.code")
	for _, code := range []string{"_ver", "InCm", "CPvI", "DCut", "SFLN", "TlSr"} {
		if !strings.Contains(text, code) {
			t.Errorf("tshark does not see %s", code)
		}
	}
	over := tshark(t, capture, "-Y", "tcp", "-T", "fields", "-E", "occurrence=a", "-e", "atem.code")
	if n, want := strings.Count(over, ",")+strings.Count(strings.TrimSpace(over), "\n"), fields; n < want-20 || !strings.Contains(over, "InCm") {
		t.Errorf("tshark sees %d of %d fields over TCP", n, want)
	}
	if got := tshark(t, capture, "-Y", "atem.CPvI.source == 7", "-T", "fields", "-e", "atem.CPvI.source"); strings.TrimSpace(got) != "7" {
		t.Errorf("the command is %q", got)
	}
	if got := tshark(t, capture, "-Y", "atem.step", "-T", "fields", "-e", "atem.step"); strings.Join(strings.Fields(got), " ") != "1 2 4 5" {
		t.Errorf("the handshakes are %q", got)
	}
}
