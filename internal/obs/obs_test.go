package obs

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestSecretsNeverReachTheLog(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		var s Secrets
		s.Add("hunter2", `pass"word <1>`, "abc", "hunter2-longer")
		log, err := NewLogger(&out, LogOptions{Level: "debug", Format: format, Secrets: &s})
		if err != nil {
			t.Fatal(err)
		}
		log.Info("login as hunter2", "url", "x://a:hunter2-longer@b", "error", errors.New(`bad pass"word <1> given`), "short", "abc")
		log.With("user", "hunter2").WithGroup("g").Warn("again", "password", "never registered", "x-token", "neither")
		got := out.String()
		for _, secret := range []string{"hunter2", `pass"word`, `pass\"word`, "longer", "never registered", "neither"} {
			if strings.Contains(got, secret) {
				t.Errorf("%s: %q is in the log:\n%s", format, secret, got)
			}
		}
		if !strings.Contains(got, "***") || !strings.Contains(got, "abc") {
			t.Errorf("%s: too much or too little is hidden:\n%s", format, got)
		}
	}
}

func TestScrubLeavesTheRestAlone(t *testing.T) {
	var s Secrets
	b := []byte("plain")
	if got := s.Scrub(b); &got[0] != &b[0] {
		t.Error("a text without secrets is copied")
	}
	s.Add("geheim")
	if got := s.ScrubString("a geheim b geheim"); got != "a *** b ***" {
		t.Errorf("%q", got)
	}
	var out bytes.Buffer
	if n, err := s.Writer(&out).Write([]byte("geheim\n")); n != 7 || err != nil || out.String() != "***\n" {
		t.Errorf("%d %v %q", n, err, out.String())
	}
}

func TestFormatAndLevel(t *testing.T) {
	for _, tc := range []struct {
		o    LogOptions
		want string
	}{
		{LogOptions{Level: "info", Format: "auto", Terminal: true}, "level=INFO msg=two\n"},
		{LogOptions{Level: "info", Format: "auto"}, `"msg":"two"}` + "\n"},
		{LogOptions{Level: "info", Format: "text"}, "level=INFO msg=two\n"},
		{LogOptions{Level: "error", Format: "json"}, ""},
	} {
		var out bytes.Buffer
		log, err := NewLogger(&out, tc.o)
		if err != nil {
			t.Fatal(err)
		}
		log.Debug("one")
		log.Info("two")
		if got := out.String(); !strings.HasSuffix(got, tc.want) || strings.Contains(got, "one") || tc.want == "" && got != "" {
			t.Errorf("%+v: %q", tc.o, got)
		}
	}
	for _, o := range []LogOptions{{Level: "loud", Format: "text"}, {Level: "info", Format: "xml"}} {
		if _, err := NewLogger(&bytes.Buffer{}, o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

func TestRepeatedFailuresAreSummed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log, err := NewLogger(&out, LogOptions{Level: "info", Format: "text", Every: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		mill := log.With("device", "mill1")
		lines := func() int { return strings.Count(out.String(), "\n") }
		for range 60 {
			mill.Warn("cannot connect", "error", "refused", "next", time.Now())
			time.Sleep(time.Second)
		}
		if lines() != 1 {
			t.Fatalf("%d lines:\n%s", lines(), out.String())
		}
		mill.Warn("cannot connect", "error", "refused")
		if lines() != 2 || !strings.Contains(out.String(), "repeated=59") {
			t.Fatalf("after a minute:\n%s", out.String())
		}
		mill.Warn("cannot connect", "error", "no route")
		if lines() != 3 {
			t.Errorf("a changed failure is held back:\n%s", out.String())
		}
		log.With("device", "mill2").Warn("cannot connect", "error", "no route")
		log.Warn("cannot connect", slog.String("device", "mill3"), "error", "no route")
		if lines() != 5 {
			t.Errorf("another device is held back:\n%s", out.String())
		}
		for range 3 {
			mill.Info("connected")
		}
		if lines() != 8 {
			t.Errorf("plain messages are held back:\n%s", out.String())
		}
	})
}

// Two refusals are two things when a person would have to do two different things about them, and one thing when only the
// number of the connection differs.
func TestRefusalsAreSummedByWhatTheyAreAbout(t *testing.T) {
	var out strings.Builder
	log, err := NewLogger(&out, LogOptions{Level: "info", Format: "text", Every: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	desk := log.With("device", "desk")
	refused := func(client, point, value string) {
		desk.Warn("refused a change", "client", client, "point", point, "value", value, "why", "not allowed", "hint", "allow: ["+point+"]")
	}
	for _, step := range []struct {
		what  string
		say   func()
		lines int
	}{
		{"the first", func() { refused("192.0.2.1:1000", "dim", "true") }, 1},
		{"another value from another port", func() { refused("192.0.2.1:1001", "dim", "false") }, 1},
		{"another point", func() { refused("192.0.2.1:1001", "mute", "true") }, 2},
		{"another computer", func() { refused("192.0.2.2:1000", "dim", "true") }, 3},
		{"all three in turn", func() {
			refused("192.0.2.1:1002", "dim", "true")
			refused("192.0.2.1:1002", "mute", "true")
			refused("192.0.2.2:1002", "dim", "true")
		}, 3},
		{"a client of a port", func() { log.With("port", "box/1", "from", "192.0.2.1:1000").Warn("refused a client", "error", "busy") }, 4},
		{"the same from another port", func() { log.With("port", "box/1", "from", "192.0.2.1:1001").Warn("refused a client", "error", "busy") }, 4},
		{"the same at another serial port", func() { log.With("port", "box/2", "from", "192.0.2.1:1002").Warn("refused a client", "error", "busy") }, 5},
		{"a link", func() { desk.Warn("link down", "error", "EOF", "up_since", time.Unix(1, 0)) }, 6},
		{"its next outage", func() { desk.Warn("link down", "error", "EOF", "up_since", time.Unix(2, 0)) }, 7},
		{"what a person did twice", func() {
			for range 2 {
				Unsummarised(desk).Error("not applied", "error", "line 3")
			}
		}, 9},
	} {
		step.say()
		if n := strings.Count(out.String(), "\n"); n != step.lines {
			t.Fatalf("after %s: %d lines and not %d:\n%s", step.what, n, step.lines, out.String())
		}
	}
	if plain := slog.New(slog.DiscardHandler); Unsummarised(plain) != plain {
		t.Error("a logger that sums nothing is another one")
	}
}

func TestDurationsAreWords(t *testing.T) {
	for _, format := range []string{"json", "text"} {
		var out strings.Builder
		log, err := NewLogger(&out, LogOptions{Level: "info", Format: format})
		if err != nil {
			t.Fatal(err)
		}
		log.Info("link down", "again", 2500*time.Millisecond)
		if !strings.Contains(out.String(), "2.5s") {
			t.Errorf("%s: %s", format, out.String())
		}
	}
}

func TestMemoryOfRepeatsIsBounded(t *testing.T) {
	s := &seen{at: map[string]*repeats{}}
	now := time.Unix(0, 0)
	for i := range 5 * maxRepeated {
		s.note(strings.Repeat("x", i%7)+string(rune(i)), "", now, time.Hour)
		if len(s.at) > maxRepeated {
			t.Fatalf("%d subjects are remembered", len(s.at))
		}
	}
}

func TestBuildInfo(t *testing.T) {
	if b := BuildInfo(); b.Version == "" || b.Go == "" || !strings.Contains(b.Platform, "/") {
		t.Errorf("%+v", b)
	}
}

func BenchmarkScrub(b *testing.B) {
	var s Secrets
	s.Add("a-secret-value", "another-secret")
	line := []byte(strings.Repeat("level=INFO msg=connected device=mill1 ", 5))
	b.ReportAllocs()
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		s.Scrub(line)
	}
}
