package cli

import (
	"strings"
	"testing"
)

func TestSplitPort(t *testing.T) {
	for _, row := range []struct {
		args        string
		where, path string
	}{
		{"box/3", "box", "ports/3"}, {"box/ports/3", "box", "ports/3"}, {"serial:/dev/ttyS0", "serial:/dev/ttyS0", "ports/1"},
		{"devicemaster://h/3", "devicemaster://h", "ports/3"}, {"rfc2217://h:4001?timeout=1s", "rfc2217://h:4001?timeout=1s", "ports/1"},
		{"devicemaster://h:1/12?timeout=1s", "devicemaster://h:1?timeout=1s", "ports/12"}, {"devicemaster://h 3", "devicemaster://h", "ports/3"}, {"devicemaster://h ports/3", "devicemaster://h", "ports/3"},
	} {
		where, path, err := splitPort(strings.Fields(row.args))
		if err != nil || where[0] != row.where || path != row.path {
			t.Errorf("%s: %v %q %v", row.args, where, path, err)
		}
	}
	for _, bad := range []string{"box", "box/", "box 3", "box/A"} {
		if _, _, err := splitPort(strings.Fields(bad)); err == nil || ExitCode(err) != exitUsage {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestEscapeKey(t *testing.T) {
	var errs lockedBuffer
	s := &terminal{app: &app{Streams: Streams{Err: &errs}}, escape: 0x14, raw: true, flags: termFlags{observe: true}}
	if err := s.typed(t.Context(), []byte("a\x14?\x14s\x14q")); err != nil {
		t.Fatal(err)
	}
	if !s.quit || !strings.Contains(errs.String(), "Ctrl-T itself") || !strings.Contains(errs.String(), "not open") {
		t.Errorf("%v %q", s.quit, errs.String())
	}
}
