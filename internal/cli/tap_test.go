package cli

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/transcript"
)

// background runs a command until stop is called, which returns its exit code and what it printed. first is the first line
// that it prints.
func background(t *testing.T, args ...string) (first string, stop func() (code int, out, errs string)) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	var errs bytes.Buffer
	done := make(chan int, 1)
	go func() {
		code := Main(ctx, args, Streams{In: strings.NewReader(""), Out: w, Err: &errs}, func(string) (string, bool) { return "", false })
		_ = w.Close()
		done <- code
	}()
	line := make([]byte, 0, 64)
	for c := make([]byte, 1); ; {
		if _, err := r.Read(c); err != nil {
			cancel()
			t.Fatalf("patchbay %v: %v\n%s", args, err, errs.String())
		}
		if c[0] == '\n' {
			break
		}
		line = append(line, c[0])
	}
	var rest bytes.Buffer
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(&rest, r)
	}()
	ended := false
	stop = func() (int, string, string) {
		ended = true
		cancel()
		<-read
		return <-done, rest.String(), errs.String()
	}
	t.Cleanup(func() {
		if !ended {
			stop()
		}
	})
	return string(line), stop
}

func run(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = Main(t.Context(), patient(args), Streams{In: strings.NewReader(""), Out: &o, Err: &e}, func(string) (string, bool) { return "", false })
	return code, o.String(), e.String()
}

func TestTap(t *testing.T) {
	sim, _ := background(t, "sim", "focas", "--listen", "127.0.0.1:0")
	name := filepath.Join(t.TempDir(), "mill")
	addr, stop := background(t, "tap", "focas://"+sim, "--out", name, "--redact", "addresses", "--server-by", "own-simulator", "--device", "simulated")
	if code, out, errs := run(t, "get", "focas://"+addr, "path/1/execution"); code != 0 {
		t.Fatal(code, out, errs)
	}
	code, out, errs := stop()
	if code != 0 || !strings.Contains(out, "data request: cnc_") || !strings.Contains(errs, "written to "+name+".transcript and "+name+".pcapng") {
		t.Errorf("%d\n%s\n%s", code, out, errs)
	}
	text, err := os.ReadFile(name + ".transcript")
	if err != nil {
		t.Fatal(err)
	}
	tr, err := transcript.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if h := tr.Header; h.Protocol != "focas" || h.Device != "simulated" || h.Server.Producer != transcript.OwnSimulator || !strings.HasPrefix(h.Redactions, "all addresses") {
		t.Errorf("%+v", h)
	}
	if bytes.Contains(text, []byte(sim)) {
		t.Error("the address of the device is in the transcript")
	}
	if info, err := os.Stat(name + ".transcript"); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if code, out, errs := run(t, "decode", "--diff", name+".transcript", name+".pcapng"); code != 0 || !strings.Contains(out, ", 0 differ; 0 in A alone, 0 in B alone") {
		t.Errorf("%d\n%s\n%s", code, out, errs)
	}
	if code, out, errs := run(t, "decode", "--stats", "--least", "99", name+".pcapng"); code != 0 || !strings.Contains(out, "what to look at next") {
		t.Errorf("%d\n%s\n%s", code, out, errs)
	}
	// what stands is never overwritten
	if code, _, errs := run(t, "tap", "focas://"+sim, "--out", name); code != exitUsage || !strings.Contains(errs, "Give another name with --out") {
		t.Errorf("%d %s", code, errs)
	}
	// a file that was cut is shown, and the exit code says so
	packets, err := os.ReadFile(name + ".pcapng")
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(t.TempDir(), "cut.pcapng")
	if err := os.WriteFile(cut, packets[:len(packets)*2/3], 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := run(t, "decode", "--brief", cut); code != exitDamaged || !strings.Contains(out, "not complete") || !strings.Contains(errs, "the file ends inside packet ") {
		t.Errorf("%d\n%s\n%s", code, out, errs)
	}
	// several files, the cut one among them
	if code, out, errs := run(t, "decode", "--brief", cut, name+".transcript"); code != exitDamaged || strings.Count(out, "== ") != 2 || !strings.Contains(errs, "not all files") {
		t.Errorf("%d\n%s", code, errs)
	}
	if code, out, _ := run(t, "decode", "--json", "--brief", name+".pcapng"); code != 0 || !strings.HasPrefix(out, `{"type":"recording","file":"`) {
		t.Errorf("%d\n%.300s", code, out)
	}
}

// What passes is not changed, whatever protocol it is, and UDP is relayed too.
func TestTapOfAnything(t *testing.T) {
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := echo.Accept()
		if err != nil {
			return
		}
		_, _ = io.Copy(c, c)
		_ = c.Close()
	}()
	name := filepath.Join(t.TempDir(), "any")
	addr, stop := background(t, "tap", "tcp://"+echo.Addr().String(), "--out", name)
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	sent := bytes.Repeat([]byte{0xa0, 0xa0, 0xa0, 0, 1, 2, 255}, 1000)
	if _, err := c.Write(sent); err != nil {
		t.Fatal(err)
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d bytes came back, %v", len(got), err)
	}
	_ = c.Close()
	<-done
	_ = echo.Close()
	code, out, errs := stop()
	if code != 0 || !strings.Contains(out, "7,000 bytes in ") {
		t.Errorf("%d\n%s\n%s", code, out, errs)
	}
	text, _ := os.ReadFile(name + ".transcript")
	if tr, err := transcript.Parse(text); err != nil || !bytes.Equal(tr.Bytes(1, transcript.FromServer), sent) {
		t.Errorf("%v: %s", err, hex.EncodeToString(text[:min(len(text), 200)]))
	}

	p, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	addr, stop = background(t, "tap", "udp://"+p.LocalAddr().String(), "--out", name+"-udp", "--json")
	addr, _, _ = strings.Cut(strings.SplitAfter(addr, `"listen":"`)[1], `"`)
	u, err := net.Dial("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	_, _ = u.Write([]byte("ping"))
	b := make([]byte, 99)
	n, from, err := p.ReadFrom(b)
	if err != nil || string(b[:n]) != "ping" {
		t.Fatal(n, err)
	}
	_, _ = p.WriteTo([]byte("pong"), from)
	if n, err := u.Read(b); err != nil || string(b[:n]) != "pong" {
		t.Fatal(n, err)
	}
	if code, _, errs := stop(); code != 0 {
		t.Error(code, errs)
	}
	if text, _ := os.ReadFile(name + "-udp.transcript"); strings.Count(string(text), "datagram") != 2 {
		t.Errorf("%s", text)
	}
}
