package httpapi

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// awaited keeps what is written to it, and calls enough when that contains what is wanted: an event stream has no end of its own.
type awaited struct {
	strings.Builder
	want   string
	enough func()
}

func (a *awaited) Write(p []byte) (int, error) {
	n, err := a.Builder.Write(p)
	if strings.Contains(a.String(), a.want) {
		a.enough()
	}
	return n, err
}

// The lines of docs/guide/http.md, with the points of the fixed tree. It is skipped where there is no curl.
func TestCurl(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("needs curl")
	}
	d := newDoor(t, Config{Listen: "127.0.0.1:0"})
	if err := d.s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.s.Run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	at := d.s.Addr().String() + api
	for _, c := range []struct {
		stdin, want string
		args        []string
	}{
		{"", `"name":"mill1"`, []string{at + "/devices"}},
		{"", "ACTIVE\n", []string{at + "/devices/mill1/value?path=enum/execution&format=text"}},
		{"30\n", "30\n", []string{"-T", "-", at + "/devices/mill1/value?path=int/override", "-H", "Content-Type: text/plain"}},
		{"", `"stage":"confirmed"`, []string{at + "/writes", "-H", "Content-Type: application/json", "-d", `{"writes": [{"device": "mill1", "path": "int/override", "add": 10}], "wait": true}`}},
		{"", `"value":40,"text":"40"`, []string{"-N", at + "/events?device=mill1&under=int/override&every=1s"}},
	} {
		ctx, enough := context.WithTimeout(ctx, time.Minute)
		cmd := exec.CommandContext(ctx, "curl", append([]string{"-s"}, c.args...)...)
		cmd.Stdin = strings.NewReader(c.stdin)
		out := &awaited{want: c.want, enough: enough}
		cmd.Stdout = out
		_ = cmd.Run() // the stream ends by being cut off, which is an error
		enough()
		if !strings.Contains(out.String(), c.want) {
			t.Errorf("curl %q: %s", c.args, out)
		}
	}
}
