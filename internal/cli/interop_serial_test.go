package cli

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// serialRig is a gateway over a simulated box: ports 1 and 2 are a null modem pair, 3 echoes.
type serialRig struct {
	folder       string
	rfc2217, raw int // of port 1; the others follow
}

func startSerial(t *testing.T) *serialRig {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("PTYs and these peers are on Linux")
	}
	r := &serialRig{folder: t.TempDir(), rfc2217: freePorts(t, 3)}
	r.raw = freePorts(t, 3)
	file := filepath.Join(r.folder, "shop.yaml")
	text := fmt.Sprintf("listen: 127.0.0.1:0\nserial:\n  folder: %s\n  ports:\n    box/*: {rfc2217: %d+, raw: %d+, pty: true}\ndevices:\n  box: 'sim+devicemaster:?layout=null,null,echo&timeout=1m&link_timeout=1h'\n",
		r.folder, r.rfc2217, r.raw)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	startGateway(t, "run", file)
	eventually(t, "the ports are offered", func() error {
		if _, err := os.Stat(r.pty(3)); err != nil {
			return err
		}
		c, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", r.raw+2))
		if err != nil {
			return err
		}
		return c.Close()
	})
	return r
}

func (r *serialRig) pty(n int) string { return filepath.Join(r.folder, fmt.Sprint("box-", n)) }

// python is the interpreter that has Debian's python3-serial.
func python(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(name, "-c", "import serial").Run() == nil {
			return name
		}
	}
	return peerProgram(t, "python3-with-pyserial")
}

const pyserialScript = `
import sys, threading, serial
a_url, b_url, kind = sys.argv[1:4]
a = serial.serial_for_url(a_url, baudrate=57600, timeout=60)
b = serial.serial_for_url(b_url, baudrate=57600, timeout=60)
if kind == "rfc2217":
    import time
    assert a.cts is not None
    for change in [dict(baudrate=250000), dict(bytesize=7), dict(parity="E"), dict(stopbits=2), dict(xonxoff=True), dict(xonxoff=False), dict(rtscts=True), dict(rtscts=False),
                   dict(bytesize=8), dict(parity="N"), dict(stopbits=1)]:
        a.apply_settings(dict(a.get_settings(), **change))
    for on in (False, True):
        a.rts = on; a.dtr = on
        end = time.monotonic() + 60
        while (b.cts, b.dsr, b.cd) != (on, on, on) and time.monotonic() < end:
            time.sleep(0.02)
        assert (b.cts, b.dsr, b.cd, b.ri) == (on, on, on, False), (on, b.cts, b.dsr, b.cd, b.ri)
    a.break_condition = True; a.break_condition = False
    a.reset_input_buffer(); a.reset_output_buffer()
data = bytes((i ^ i >> 8) & 255 for i in range(1 << 18))
for one, two in ((a, b), (b, a)):
    t = threading.Thread(target=one.write, args=(data,))
    t.start()
    got = bytearray()
    while len(got) < len(data):
        piece = two.read(min(65536, len(data) - len(got)))
        if not piece: break
        got += piece
    t.join()
    assert bytes(got) == data, (len(got), len(data))
a.close(); b.close()
print("moved")
`

func TestInteropPyserial(t *testing.T) {
	py := python(t)
	r := startSerial(t)
	for _, row := range [][]string{
		{fmt.Sprint("rfc2217://127.0.0.1:", r.rfc2217), fmt.Sprint("rfc2217://127.0.0.1:", r.rfc2217+1), "rfc2217"},
		{r.pty(1), r.pty(2), "pty"},
	} {
		if out, err := runPeer(t, "", py, append([]string{"-c", pyserialScript}, row...)...); err != nil || !strings.Contains(out, "moved") {
			t.Errorf("%v: %v\n%s", row, err, out)
		}
	}
}

// socat keeps its side open, as a person at a terminal does. Closed at once, it closes its sending side with its input, as nc -N does, and
// waits for the answer until our side ends.
func TestInteropSocat(t *testing.T) {
	socat := peerProgram(t, "socat")
	r := startSerial(t)
	for _, there := range []string{fmt.Sprint("TCP:127.0.0.1:", r.raw+2), r.pty(3) + ",raw,echo=0"} {
		if out, err := talkToPeer(t, "through socat", "through socat", "", socat, "-", there); err != nil || out != "through socat" {
			t.Errorf("%s: %v, %q", there, err, out)
		}
	}
	if out, err := runPeer(t, "and an end", socat, "-t", "170", "-", fmt.Sprint("TCP:127.0.0.1:", r.raw+2)); err != nil || out != "and an end" {
		t.Errorf("with its sending side closed: %v, %q", err, out)
	}
}

func TestInteropPicocom(t *testing.T) {
	picocom, script := peerProgram(t, "picocom"), peerProgram(t, "script")
	r := startSerial(t)
	out, err := talkToPeer(t, "", "through-picocom", "\x01\x18", script, "-qec", picocom+" -q -b 250000 --initstring through-picocom "+r.pty(3), "/dev/null")
	if err != nil || !strings.Contains(out, "through-picocom") {
		t.Errorf("%v, %q", err, out)
	}
}

// throughTerm sends a text to a port that echoes, with our own client.
func throughTerm(t *testing.T, url string) {
	t.Helper()
	const text = "through a peer \xff" // which is no UTF-8
	eventually(t, "the peer listens", func() error {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		out, errs := newGrowing(), new(bytes.Buffer)
		stop := make(chan struct{})
		go func() { // somebody who has seen the answer ends the command
			defer close(stop)
			out.wait(ctx, holds(text))
			cancel()
		}()
		Main(ctx, []string{"term", url, "--line", "115200n81", "--linger", "20s"}, Streams{In: strings.NewReader(text), Out: out, Err: errs}, func(string) (string, bool) { return "", false })
		cancel()
		<-stop
		if !strings.Contains(out.String(), text) {
			return fmt.Errorf("%s: %q %s", url, out.String(), errs)
		}
		return nil
	})
}

// tshark's dissector reads a session of our client with our server.
func TestInteropTsharkComPort(t *testing.T) {
	tshark := peerProgram(t, "tshark")
	r := startSerial(t)
	name := filepath.Join(t.TempDir(), "port")
	addr, stop := background(t, "tap", fmt.Sprint("rfc2217://127.0.0.1:", r.rfc2217+2), "--out", name, "--quiet")
	throughTerm(t, "rfc2217://"+addr+"?signature=true")
	if code, _, errs := stop(); code != 0 {
		t.Fatal(code, errs)
	}
	fields := []string{"signature", "baud_rate", "data_size", "parity", "stop", "control", "modemstate", "set_modemstate_mask"}
	args := []string{"-r", name + ".pcapng", "-n", "-d", fmt.Sprintf("tcp.port==%d,telnet", r.rfc2217+2), "-T", "fields", "-e", "_ws.malformed", "-e", "_ws.expert.message"}
	for _, f := range fields {
		args = append(args, "-e", "telnet.comport_subopt."+f)
	}
	out, err := runPeer(t, "", tshark, args...)
	if err != nil || !strings.Contains(out, "115200") || !strings.Contains(out, "patchbay box/ports/3") || strings.Contains(strings.ToLower(out), "malformed") {
		t.Errorf("%v\n%s", err, out)
	}
}
