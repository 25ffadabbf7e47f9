package cli

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/transcript"
)

// tshark reads what a tap recorded, with every checksum checked; and what tshark prints of it is decoded again.
func TestInteropTshark(t *testing.T) {
	tshark := peerProgram(t, "tshark")
	sim, _ := background(t, "sim", "focas", "--listen", "127.0.0.1:0")
	dir := t.TempDir()
	name := filepath.Join(dir, "mill")
	addr, stop := background(t, "tap", "focas://"+sim, "--out", name, "--quiet")
	for range 3 {
		if code, out, errs := run(t, "get", "focas://"+addr, "path/1"); code != 0 && code != exitNoValue {
			t.Fatal(code, out, errs)
		}
	}
	if code, _, errs := stop(); code != 0 {
		t.Fatal(code, errs)
	}
	ask := func(args ...string) string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), peerLimit)
		defer cancel()
		cmd := exec.CommandContext(ctx, tshark, append([]string{"-r", name + ".pcapng", "-n"}, args...)...)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("tshark %v: %v\n%s", args, err, errs.String())
		}
		return string(out)
	}
	// 1 is a good checksum
	text, err := os.ReadFile(name + ".transcript")
	if err != nil {
		t.Fatal(err)
	}
	tr, err := transcript.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	data := 0
	for _, line := range strings.Split(strings.TrimSpace(ask("-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-T", "fields", "-E", "separator=/s",
		"-e", "ip.checksum.status", "-e", "tcp.checksum.status", "-e", "tcp.len")), "\n") {
		f := strings.Fields(line)
		if len(f) != 3 || f[0] != "1" || f[1] != "1" {
			t.Fatalf("tshark says %q of a frame, and the checksums should be 1", line)
		}
		if f[2] != "0" {
			data++
		}
	}
	want := 0
	for _, e := range tr.Events {
		if e.Kind == transcript.Data {
			want += (len(e.Data) + 1439) / 1440
		}
	}
	if data != want || want == 0 {
		t.Errorf("tshark sees %d frames with data, and %d were written", data, want)
	}
	if out := ask("-Y", "_ws.malformed || tcp.analysis.flags"); out != "" {
		t.Errorf("tshark complains:\n%s", out)
	}
	// the whole way: our recording, tshark's text of it, our decoder
	for file, args := range map[string][]string{
		"follow-hex.txt": {"-q", "-z", "follow,tcp,hex,0"}, "follow-raw.txt": {"-q", "-z", "follow,tcp,raw,0"}, "packets.txt": {"-x", "-Y", "tcp.stream eq 0"},
	} {
		path := filepath.Join(dir, file)
		if err := os.WriteFile(path, []byte(ask(args...)), 0o600); err != nil {
			t.Fatal(err)
		}
		first := filepath.Join(dir, "first.transcript")
		one := &transcript.Transcript{Header: tr.Header}
		for _, e := range tr.Events {
			if e.Flow == 1 {
				one.Events = append(one.Events, e)
			}
		}
		b, err := transcript.Format(one)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(first, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if code, out, errs := run(t, "decode", "--diff", first, path); code != 0 {
			t.Errorf("%s: %d\n%s\n%s", file, code, out, errs)
		}
	}
}
