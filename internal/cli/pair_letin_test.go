package cli

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/protocol/fc2"
	"github.com/patchbay-io/patchbay/protocol/fc2/fc2client"
)

// A person at the gateway lets one program in, after a look at its name, and sends another one away.
func TestPairLetIn(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), peerLimit)
	defer cancel()
	file := filepath.Join(t.TempDir(), "booth.yaml")
	if err := os.WriteFile(file, []byte(`
listen: 127.0.0.1:0
devices:
  booth:
    url: sim+fc2:?inputs=2
    writable: [_clients/pairing/approve, _clients/pairing/deny]
    serve: {secure: "127.0.0.1:0", onboarding: "127.0.0.1:0"}
  closed:
    url: sim+fc2:?inputs=2
    serve: {secure: "127.0.0.1:0", onboarding: "127.0.0.1:0"}
  plain: sim+fcxml:?model=solo
`), 0o600); err != nil {
		t.Fatal(err)
	}
	base := startGateway(t, "run", file)
	env := func(name string) (string, bool) {
		if name == "PATCHBAY_GATEWAY" {
			return base, true
		}
		return "", false
	}
	run := func(in string, args ...string) (code int, out, errs string) {
		var o, e bytes.Buffer
		code = Main(ctx, args, Streams{strings.NewReader(in), &o, &e}, env)
		return code, o.String(), e.String()
	}
	value := func(path string) string { // the server begins after the gateway
		for ctx.Err() == nil {
			if code, out, _ := run("", "get", path); code == 0 && strings.TrimSpace(out) != "" {
				return strings.TrimSpace(out)
			}
		}
		t.Fatalf("%s: %v", path, ctx.Err())
		return ""
	}
	onboard := func(dev string) *fc2client.Onboarding {
		server, err := fc2.ParsePublicKey(value(dev + "/_clients/server-key"))
		if err != nil {
			t.Fatal(err)
		}
		id, err := fc2.NewIdentity(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		_, addr, _ := strings.Cut(value(dev+"/_clients/listen"), ", ")
		b, err := fc2client.Onboard(ctx, new(net.Dialer).DialContext, addr, fc2client.Options{Identity: id, Server: server})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.Close() })
		return b
	}
	ask := func(b *fc2client.Onboarding, name string) <-chan error {
		asked := make(chan error, 1)
		go func() { asked <- b.Request(ctx, name) }()
		return asked
	}

	for _, args := range [][]string{{"pair", "--let-in"}, {"pair", "--let-in", "fc2://127.0.0.1"}, {"pair", "--let-in", "booth", "--code", "00"}, {"pair", "booth", "--yes"}} {
		if code, _, errs := run("", args...); code != 2 {
			t.Errorf("%v: exit code %d\n%s", args, code, errs)
		}
	}
	if code, _, errs := run("", "pair", "--let-in", "plain"); code == 0 || !strings.Contains(errs, "lets no programs in") {
		t.Errorf("exit code %d\n%s", code, errs)
	}

	stranger := onboard("booth")
	asked := ask(stranger, "Eve")
	if code, _, errs := run("n\n", "pair", "--let-in", "booth"); code != 0 || !strings.Contains(errs, `"Eve" asks to be let in`) || !strings.Contains(errs, "sent away") {
		t.Errorf("exit code %d\n%s", code, errs)
	}
	if err := <-asked; !errors.Is(err, fc2client.ErrDenied) {
		t.Errorf("Eve hears %v", err)
	}
	phone := onboard("booth")
	asked = ask(phone, "Anna's phone")
	r, w := io.Pipe()
	ended := make(chan int, 1)
	var errs bytes.Buffer
	go func() {
		ended <- Main(ctx, []string{"pair", "--let-in", "booth", "--json"}, Streams{strings.NewReader("y\n"), w, &errs}, env)
		w.Close()
	}()
	var shown struct{ Device, Program, Code string }
	line, err := bufio.NewReader(r).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &shown)
	}
	if err != nil || shown.Device != "booth" || shown.Program != "Anna's phone" {
		t.Fatalf("%s, %v", line, err)
	}
	go func() { _, _ = io.Copy(io.Discard, r) }()
	if err := <-asked; err != nil {
		t.Fatal(err)
	}
	code, err := fc2.ParseCode(shown.Code)
	if err == nil {
		err = phone.Code(ctx, code)
	}
	if err != nil {
		t.Fatal(err)
	}
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d\n%s", code, errs.String())
	}

	ask(onboard("closed"), "Anna's phone")
	if code, _, errs := run("", "pair", "--let-in", "closed", "--yes"); code != 5 || !strings.Contains(errs, `writable: ["_clients/pairing/approve", "_clients/pairing/deny"]`) {
		t.Errorf("exit code %d\n%s", code, errs)
	}
}

// Who does not answer a question has as long as --patience says, and an interrupt ends it too; who answers is heard.
func TestNobodyTypes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		a := &app{Streams: Streams{In: r, Err: io.Discard}}
		in := bufio.NewReader(a.In)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		go func() { _, _ = w.Write([]byte("yes\n")) }()
		if line, err := a.typed(ctx, in); line != "yes\n" || err != nil {
			t.Errorf("%q, %v", line, err)
		}
		if line, err := a.typed(ctx, in); line != "" || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%q, %v", line, err)
		}
		w.Close()
	})
}
