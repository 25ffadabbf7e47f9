package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	driverrfc2217 "github.com/patchbay-io/patchbay/internal/driver/rfc2217"
	"github.com/patchbay-io/patchbay/protocol/rfc2217"
	"github.com/patchbay-io/patchbay/protocol/rfc2217/rfc2217client"
)

// startPeers starts programs that end with the test.
func startPeers(t *testing.T) (start func(name string, args ...string)) {
	ctx, cancel := context.WithCancel(t.Context())
	var all []*exec.Cmd
	t.Cleanup(func() {
		cancel()
		for _, c := range all {
			_ = c.Wait()
		}
	})
	return func(name string, args ...string) {
		t.Helper()
		c := exec.CommandContext(ctx, name, args...)
		if _, err := c.StdinPipe(); err != nil { // stays open: some end with their input
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
}

// echoLine is the name of a PTY with an echo behind it.
func echoLine(t *testing.T, start func(string, ...string), dir string) string {
	t.Helper()
	name := dir + "/line"
	start(peerProgram(t, "socat"), "pty,raw,echo=0,link="+name, "exec:cat,nofork=0")
	eventually(t, "socat makes a PTY", func() error {
		_, err := os.Stat(name)
		return err
	})
	return name
}

// gensio is a client of our server.
func TestInteropGensio(t *testing.T) {
	gensiot := peerProgram(t, "gensiot")
	r := startSerial(t)
	ctx, cancel := context.WithTimeout(t.Context(), peerLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, gensiot, "-i", "stdio(self)", fmt.Sprint("telnet(rfc2217),tcp,127.0.0.1,", r.rfc2217+2))
	in, err := cmd.StdinPipe() // it ends with its input
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	io.WriteString(in, "through gensio")
	b := make([]byte, len("through gensio"))
	if _, err := io.ReadFull(out, b); err != nil || string(b) != "through gensio" {
		t.Errorf("%q %v", b, err)
	}
	in.Close()
	cancel()
	_ = cmd.Wait()
}

// gensiot serves a PTY with an echo behind it to our client, which must not ask who it is: gensiot 2.6.2 (Debian's 2.6.2-4) dies of a
// segmentation fault when a client sends SIGNATURE, empty (ff fa 2c 00 ff f0) or with a text, after WILL COM-PORT, with serialdev and
// with echo behind it, and of nothing else that was tried: it answers the questions for speed, data bits, parity, stop bits, flow
// control, break, DTR and RTS, and bears NOTIFY-MODEMSTATE, the masks, PURGE-DATA, suspend and resume. ser2net, which is made of the
// same library, has a signature of its own and does not crash.
func TestInteropGensioServer(t *testing.T) {
	gensiot := peerProgram(t, "gensiot")
	start := startPeers(t)
	line := echoLine(t, start, t.TempDir())
	port := freePorts(t, 1)
	addr := fmt.Sprint("127.0.0.1:", port)
	start(gensiot, "-i", "serialdev,"+line+",9600n81,local", "-a", fmt.Sprint("telnet(rfc2217),tcp,127.0.0.1,", port))
	var c *rfc2217client.Client
	eventually(t, "gensiot listens", func() (err error) {
		c, err = rfc2217client.Dial(t.Context(), new(net.Dialer).DialContext, addr, rfc2217client.Options{NoSignature: true, Timeout: peerLimit})
		return err
	})
	want := rfc2217.Settings{Baud: 57600, Data: 8, Parity: rfc2217.ParityNone, Stop: rfc2217.Stop2, Flow: rfc2217.ControlFlowNone}
	if got, err := c.Set(t.Context(), want); err != nil || got.Baud != want.Baud || got.Data != want.Data || got.Stop != want.Stop {
		t.Errorf("%+v %v", got, err)
	}
	data := make([]byte, 256<<10)
	for i := range data {
		data[i] = byte(i ^ i>>8)
	}
	go c.Write(data)
	back := make([]byte, len(data))
	c.SetReadDeadline(time.Now().Add(peerLimit))
	if n, err := io.ReadFull(c, back); err != nil || !bytes.Equal(back, data) {
		t.Errorf("%d of %d bytes came back, %v", n, len(data), err)
	}
	c.Close()
}

// A probe must not end what it looks at: gensiot goes in order, as it does after each client.
func TestInteropGensioProbe(t *testing.T) {
	gensiot := peerProgram(t, "gensiot")
	addr := fmt.Sprint("127.0.0.1:", freePorts(t, 1))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, gensiot, "-i", "echo", "-a", "telnet(rfc2217),tcp,"+strings.Replace(addr, ":", ",", 1))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var f driver.Finding
	var err error
	for range 100 { // until it listens
		if f, err = (driverrfc2217.Driver{}).Probe(ctx, driver.Env{Dial: new(net.Dialer).DialContext}, addr); err == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil || !f.Match {
		t.Errorf("%+v %v", f, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("gensiot: %v", err)
	}
}

// The same as somebody at a terminal does it, who has set nothing.
func TestInteropGensioTerm(t *testing.T) {
	gensiot := peerProgram(t, "gensiot")
	start := startPeers(t)
	line := echoLine(t, start, t.TempDir())
	port := freePorts(t, 1)
	start(gensiot, "-i", "serialdev,"+line+",9600n81,local", "-a", fmt.Sprint("telnet(rfc2217),tcp,127.0.0.1,", port))
	throughTerm(t, fmt.Sprint("rfc2217://127.0.0.1:", port))
}

// ser2net serves a PTY with an echo behind it to our client, and connects our port to a PTY as a client.
func TestInteropSer2net(t *testing.T) {
	ser2net := peerProgram(t, "ser2net")
	r := startSerial(t)
	dir := t.TempDir()
	port, other := freePorts(t, 1), freePorts(t, 1)
	start := startPeers(t)
	line := echoLine(t, start, dir)
	conf := fmt.Sprintf(`connection: &server
  accepter: telnet(rfc2217),tcp,127.0.0.1,%d
  connector: serialdev,%s,9600n81,local
connection: &client
  accepter: tcp,127.0.0.1,%d
  connector: telnet(rfc2217),tcp,127.0.0.1,%d
`, port, line, other, r.rfc2217+2)
	if err := os.WriteFile(dir+"/ser2net.yaml", []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	start(ser2net, "-n", "-c", dir+"/ser2net.yaml")
	throughTerm(t, fmt.Sprint("rfc2217://127.0.0.1:", port))

	var c net.Conn
	eventually(t, "ser2net listens for the other one too", func() (err error) {
		c, err = net.Dial("tcp", fmt.Sprint("127.0.0.1:", other))
		return err
	})
	defer c.Close()
	c.SetDeadline(time.Now().Add(peerLimit))
	c.Write([]byte("as a client"))
	b := make([]byte, len("as a client"))
	if n, err := io.ReadFull(c, b); err != nil || string(b) != "as a client" {
		t.Errorf("ser2net as a client: %q %v", b[:n], err)
	}
}
