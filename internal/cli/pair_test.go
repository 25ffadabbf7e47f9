package cli

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/internal/keys"
	"github.com/patchbay-io/patchbay/protocol/fc2"
	"github.com/patchbay-io/patchbay/protocol/fc2/fc2sim"
)

// typist types a line whenever somebody reads.
type typist struct{ lines []func() string }

func (y *typist) Read(p []byte) (int, error) {
	if len(y.lines) == 0 {
		return 0, errors.New("nobody is there")
	}
	line := y.lines[0]() + "\n"
	y.lines = y.lines[1:]
	return copy(p, line), nil
}

// A person mistypes the code twice, and is paired then; the keys are private, and without them, or when the device has forgotten
// the program, the device lets nobody in.
func TestPair(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	sim := fc2sim.New(fc2sim.Options{Approve: true, Seed: 3})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	listen := func(serve func(context.Context, net.Listener) error) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() { _ = serve(ctx, l) })
		return l.Addr().String()
	}
	secure, onboarding := listen(sim.ServeSecure), listen(sim.ServeOnboarding)
	wg.Go(func() { _ = sim.Run(ctx) })
	_, port, err := net.SplitHostPort(onboarding)
	if err != nil {
		t.Fatal(err)
	}
	where := "fc2://" + secure + "?onboarding_port=" + port

	state := t.TempDir()
	env := func(name string) (string, bool) { return state, name == "PATCHBAY_STATE_DIR" }
	run := func(in *typist, args ...string) (code int, out, errs string) {
		var o, e bytes.Buffer
		code = Main(ctx, patient(args), Streams{in, &o, &e}, env)
		return code, o.String(), e.String()
	}
	wrong := func() string { return "00112233445566778899aabbccddeeff" }
	right := func() string { p, _ := sim.Prompt(); return fc2.FormatCode(p.Code) }
	// with the key of another server the request is noise there
	other := strings.Repeat("5a", fc2.KeySize)
	if code, _, errs := run(&typist{}, "pair", where, "--server-key", other); code != 17 || !strings.Contains(errs, "compare server_key") {
		t.Errorf("exit code %d\n%s", code, errs)
	}
	// a code is of one connection, which with a URL ends with the command
	if code, _, errs := run(&typist{}, "pair", where, "--code", "0011"); code != 2 || !strings.Contains(errs, "running gateway") {
		t.Errorf("exit code %d\n%s", code, errs)
	}
	if code, _, errs := run(&typist{}, "pair", where, "--server-key", sim.PublicKey().String()); code != 17 || !strings.Contains(errs, "running gateway") {
		t.Errorf("exit code %d\n%s", code, errs)
	}

	code, out, errs := run(&typist{[]func() string{func() string { return "xyz" }, wrong, right}}, "pair", where, "--server-key", sim.PublicKey().String())
	if code != 0 || !strings.Contains(out, "is paired and connected") || !strings.Contains(errs, "hexadecimal") || strings.Count(errs, "Type it again") != 2 || !strings.Contains(errs, "not accepted") {
		t.Fatalf("exit code %d\n%s%s", code, out, errs)
	}

	files, err := filepath.Glob(filepath.Join(state, "keys", "*"))
	if err != nil || len(files) != 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f, info.Mode(), err)
		}
	}
	code, out, _ = run(&typist{}, "pair", "--list")
	known := sim.Clients().List()
	if len(known) != 1 || code != 0 || !strings.Contains(out, "fc2-identity  "+known[0].Key.String()) || !strings.Contains(out, "fc2-server-127.0.0.1") {
		t.Errorf("exit code %d, %v\n%s", code, known, out)
	}
	if code, out, errs = run(&typist{}, "get", where, "inputs/analogue-1/gain"); code != 0 || !strings.Contains(out, "20.0 dB") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
	if code, _, errs = run(&typist{}, "pair", where); code != 0 || !strings.Contains(errs, "needs no pairing") {
		t.Errorf("exit code %d\n%s", code, errs)
	}

	notPaired := func(why string) {
		t.Helper()
		if code, out, errs := run(&typist{}, "get", where, "pairing/state"); code != 0 || !strings.Contains(out, "not-paired") {
			t.Errorf("%s: exit code %d\n%s%s", why, code, out, errs)
		}
	}
	if !sim.Remove(known[0].Key) {
		t.Error("the device does not know the program")
	}
	notPaired("removed on the device")
	if code, _, errs = run(&typist{}, "pair", "--remove", "fc2-identity"); code != 0 || !strings.Contains(errs, "within ten seconds") {
		t.Errorf("exit code %d\n%s", code, errs)
	}
	if err := sim.Clients().Approve(known[0].Key, "patchbay"); err != nil {
		t.Error(err)
	}
	notPaired("the identity was removed here")
}

// Programs that a gateway has let in are told apart by what they call themselves, which may be anything.
func TestPairListNamesPrograms(t *testing.T) {
	state := t.TempDir()
	d := keys.Dir{Path: filepath.Join(state, "keys")}
	for name, program := range map[string]string{"fc2-client-01": "Anna's phone", "fc2-client-02": "\x1b[2J\nfc2-client-01"} {
		if err := d.Store(name, []byte(program)); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) string {
		var o, e bytes.Buffer
		if code := Main(t.Context(), args, Streams{strings.NewReader(""), &o, &e}, func(name string) (string, bool) { return state, name == "PATCHBAY_STATE_DIR" }); code != 0 {
			t.Errorf("%v: exit code %d\n%s", args, code, e.String())
		}
		return o.String() + e.String()
	}
	if got, want := run("pair", "--list"), "fc2-client-01  \"Anna's phone\"\nfc2-client-02  \"\\x1b[2J\\nfc2-client-01\"\n"; got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if got := run("pair", "--remove", "fc2-client-01"); !strings.Contains(got, "disconnects the program") {
		t.Error(got)
	}
	if got := run("pair", "--list", "--json"); !strings.Contains(got, `"program":"\u001b[2J\nfc2-client-01"`) {
		t.Error(got)
	}
}
