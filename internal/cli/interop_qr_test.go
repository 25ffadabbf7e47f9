package cli

import (
	"context"
	"crypto/rand"
	"image"
	"image/color"
	"image/png"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/internal/lab/simulate"
	"github.com/patchbay-io/patchbay/protocol/fc2"
	"github.com/patchbay-io/patchbay/protocol/fc2/fc2client"
	"github.com/patchbay-io/patchbay/protocol/fc2/fc2sim"
)

// scan is the text of a QR code as ZBar reads it, which is what the picture has and a line end.
func scan(t *testing.T, picture string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), peerLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, peerProgram(t, "zbarimg"), "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", picture)
	var errs strings.Builder
	cmd.Stderr = &errs // where it also complains that there is no D-Bus
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", picture, err, out, errs.String())
	}
	return string(out)
}

// The picture on the screen of the simulated Focusrite Control 2 is the code's hexadecimal digits, and giving them back pairs.
func TestInteropQRCodeOfSimulator(t *testing.T) {
	peerProgram(t, "zbarimg")
	sim := fc2sim.New(fc2sim.Options{Approve: true})
	ctx, cancel := context.WithTimeout(t.Context(), peerLimit)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- sim.ServeOnboarding(ctx, l) }()
	defer func() {
		cancel()
		<-served
	}()
	id, err := fc2.NewIdentity(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	program, err := fc2client.Onboard(ctx, new(net.Dialer).DialContext, l.Addr().String(), fc2client.Options{Identity: id, Server: sim.PublicKey()})
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	if err := program.Request(ctx, "phone"); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	simulate.FC2Page(sim).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/code.png", nil))
	picture := filepath.Join(t.TempDir(), "code.png")
	if err := os.WriteFile(picture, w.Body.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	text := scan(t, picture)
	if p, _ := sim.Prompt(); text != fc2.FormatCode(p.Code)+"\n" {
		t.Fatalf("scanned %q, the code is %x", text, p.Code)
	}
	code, err := fc2.ParseCode(text)
	if err == nil {
		err = program.Code(ctx, code)
	}
	if err != nil || !sim.Clients().Approved(id.Public()) {
		t.Errorf("%v", err)
	}
}

// What pair --let-in shows on a terminal is a QR code as well, also for the longest code that there may be.
func TestInteropQRCodeOnTerminal(t *testing.T) {
	peerProgram(t, "zbarimg")
	for name, text := range map[string]string{"code": "00112233445566778899aabbccddeeff", "short": "00", "long": strings.Repeat("7f", fc2.MaxCode)} {
		shown, err := qrText(text)
		if err != nil {
			t.Fatal(err)
		}
		picture := filepath.Join(t.TempDir(), name+".png")
		if err := photograph(shown, picture); err != nil {
			t.Fatal(err)
		}
		if got := scan(t, picture); got != text+"\n" {
			t.Errorf("%s: scanned %.80q, want %.80q", name, got, text)
		}
	}
}

// photograph draws what a terminal shows, in which a character is twice as high as wide.
func photograph(shown, to string) error {
	const module = 6
	shown = strings.NewReplacer(qrColours, "", qrPlain, "").Replace(shown)
	lines := strings.Split(strings.TrimSuffix(shown, "\n"), "\n")
	m := image.NewGray(image.Rect(0, 0, module*len([]rune(lines[0])), 2*module*len(lines)))
	for y, line := range lines {
		for x, r := range []rune(line) {
			for half, white := range []bool{r == '█' || r == '▀', r == '█' || r == '▄'} {
				for i := range module * module {
					if white {
						m.SetGray(x*module+i%module, (2*y+half)*module+i/module, color.Gray{Y: 255})
					}
				}
			}
		}
	}
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	if err := png.Encode(f, m); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
