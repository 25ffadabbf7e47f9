package device

import (
	"slices"
	"strings"
	"testing"
)

func TestParsePath(t *testing.T) {
	for _, tt := range []struct{ in, err string }{
		{"", ""},
		{"a", ""},
		{"path/1/axes/x/absolute", ""},
		{"inputs/analogue-1/air_2.5", ""},
		{"/a", "empty segment"},
		{"a/", "empty segment"},
		{"a//b", "empty segment"},
		{"A", `holds 'A'`},
		{"a b", `segment "a b" holds ' '`},
		{"a/ö", "segments are a-z"},
		{strings.Repeat("a", MaxPath), ""},
		{strings.Repeat("a", MaxPath+1), "513 bytes long; the limit is 512"},
	} {
		p, err := ParsePath(tt.in)
		switch {
		case tt.err == "" && (err != nil || string(p) != tt.in):
			t.Errorf("ParsePath(%q) = %q, %v", tt.in, p, err)
		case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
			t.Errorf("ParsePath(%q): error %v, want one with %q", tt.in, err, tt.err)
		}
	}
}

func TestPathParts(t *testing.T) {
	p := Join("path", "", "1", "axes/x")
	if p != "path/1/axes/x" || p.Base() != "x" || p.Parent() != "path/1/axes" || p.Child("load") != "path/1/axes/x/load" {
		t.Errorf("parts of %q: %q %q %q", p, p.Base(), p.Parent(), p.Child("load"))
	}
	if Path("a").Parent() != "" || Path("").Child("a") != "a" {
		t.Error("the root is the parent of a single segment")
	}
	for _, tt := range []struct {
		p, sub Path
		want   bool
	}{{"a/b", "a", true}, {"a/b", "a/b", true}, {"a/b", "", true}, {"ab", "a", false}, {"a", "a/b", false}} {
		if got := tt.p.Under(tt.sub); got != tt.want {
			t.Errorf("%q.Under(%q) = %v", tt.p, tt.sub, got)
		}
	}
}

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		p, pattern string
		want       bool
	}{
		{"me/1/program", "me/*", true},
		{"me/1/program", "me/**", true},
		{"me/1/program", "*", true},
		{"me/1/program", "me/1/program", true},
		{"me/1/program", "me/*/program", true},
		{"me/1/program", "me/1", false},
		{"me/1", "me/1/program", false},
		{"me/1/program", "me/*/preview", false},
		{"a/b/load", "*/load", false},
		{"a/load", "*/load", true},
		{"me", "me/*", false},
		{"", "*", false},
		{"a", "", false},
		{"a/b", "a//b", false},
	} {
		if got := Path(tt.p).Match(tt.pattern); got != tt.want {
			t.Errorf("%q.Match(%q) = %v, want %v", tt.p, tt.pattern, got, tt.want)
		}
	}
}

func TestSlugs(t *testing.T) {
	got := Slugs([]string{"X", "x", " Analogue 1 ", "Ölpumpe", "", "---", "a//b", "x-2"})
	want := []string{"x", "x-2", "analogue-1", "lpumpe", "unnamed", "unnamed-2", "a-b", "x-2-2"}
	if !slices.Equal(got, want) {
		t.Errorf("Slugs = %q, want %q", got, want)
	}
}

// A device may give thousands of objects one name: with as many steps as there are names before each, this test would not end.
func TestSlugsOfOneName(t *testing.T) {
	names := make([]string, 200_000)
	names[1000] = "unnamed-1500"
	got := Slugs(names)
	for i, want := range map[int]string{0: "unnamed", 1: "unnamed-2", 999: "unnamed-1000", 1000: "unnamed-1500", 1001: "unnamed-1001", 1499: "unnamed-1499", 1500: "unnamed-1501", 199_999: "unnamed-200000"} {
		if got[i] != want {
			t.Errorf("the segment of name %d is %q, want %q", i, got[i], want)
		}
	}
}

func FuzzSlug(f *testing.F) {
	f.Add("Analogue 1")
	f.Add("\xff/..")
	f.Fuzz(func(t *testing.T, name string) {
		s := Slug(name)
		if strings.Contains(s, "/") {
			t.Fatalf("Slug(%q) = %q has a slash", name, s)
		}
		if _, err := ParsePath(s); err != nil && len(s) <= MaxPath {
			t.Fatalf("Slug(%q): %v", name, err)
		}
	})
}

func FuzzParsePath(f *testing.F) {
	f.Add("a/b")
	f.Add("/")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePath(s)
		if err != nil {
			return
		}
		if p != Join(strings.Split(s, "/")...) || p != "" && !p.Match(s) {
			t.Fatalf("%q does not survive being taken apart", s)
		}
	})
}

func TestGrant(t *testing.T) {
	for path, want := range map[Path]string{
		"macros/500":                     "macros/500",
		"_clients":                       "_clients",
		"_clients/count":                 "_clients/count",
		"_clients/17/disconnect":         "_clients/*/disconnect",
		"_clients/aes70-3/disconnect":    "_clients/*/disconnect",
		"_clients/pairing/approve":       "_clients/pairing/approve",
		"_clientsanything/17/disconnect": "_clientsanything/17/disconnect",
	} {
		if got := path.Grant(); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
		if !path.Match(path.Grant()) {
			t.Errorf("%s does not match %s", path, path.Grant())
		}
	}
}
