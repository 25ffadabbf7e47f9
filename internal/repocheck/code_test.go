package repocheck

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// longFiles may have more than 500 lines, each with its reason.
var longFiles = map[string]string{}

const maxLines = 500

func TestPackageComments(t *testing.T) {
	for _, p := range packages(t) {
		if p.Doc == "" && len(p.GoFiles) > 0 {
			t.Errorf("%s has no package comment", p.rel)
		}
		switch p.Name {
		case "util", "utils", "common", "types", "helpers", "misc", "defs":
			t.Errorf("%s: a package is named for what it does, not %s", p.rel, p.Name)
		}
	}
}

func TestSource(t *testing.T) {
	fset := token.NewFileSet()
	for _, p := range packages(t) {
		for _, name := range append(append(append([]string(nil), p.GoFiles...), p.TestGoFiles...), p.XTestGoFiles...) {
			rel := filepath.ToSlash(filepath.Join(p.rel, name))
			f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				t.Error(err)
				continue
			}
			test := strings.HasSuffix(name, "_test.go")
			if n := fset.File(f.Pos()).LineCount(); n > maxLines && !test && !strings.HasSuffix(name, "_gen.go") && longFiles[rel] == "" {
				t.Errorf("%s has %d lines; split it, or give the reason in longFiles", rel, n)
			}
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
					t.Errorf("%s has an init function", rel)
				}
			}
		}
	}
	for name := range longFiles {
		if strings.Count(read(t, name), "\n") <= maxLines {
			t.Errorf("%s is in longFiles and no longer long", name)
		}
	}
}

// Assembly is for what docs/decisions/0016-assembly.md gives as the reason, and no more.
func TestAssembly(t *testing.T) {
	const allowed = "protocol/secretstream/keystream_amd64.s"
	found := false
	files(t, func(path string, text []byte) {
		switch {
		case path == allowed:
			found = true
			if n := bytes.Count(text, []byte("\n")); n > 250 {
				t.Errorf("%s has %d lines", path, n)
			}
		case strings.HasSuffix(path, ".s"):
			t.Errorf("%s: assembly has no place here", path)
		}
	})
	if !found {
		t.Errorf("%s is not there; take it out of this test", allowed)
	}
}

// Every package that parses what a peer sent has a fuzz test.
func TestParsersAreFuzzed(t *testing.T) {
	parses := regexp.MustCompile(`(?m)^func (?:\([^)]*\) )?(?:Parse|parse)[A-Z]\w*\([^)]*(?:\[\]byte|string)`)
	fuzzes := regexp.MustCompile(`(?m)^func Fuzz[A-Z]\w*\(`)
	for _, p := range packages(t) {
		if !strings.HasPrefix(p.rel, "protocol/") && p.rel != "transcript" && p.rel != "wire" {
			continue
		}
		needs, has := "", false
		for _, name := range p.GoFiles {
			if m := parses.FindString(read(t, filepath.Join(p.rel, name))); m != "" {
				needs = m
			}
		}
		for _, name := range append(append([]string(nil), p.TestGoFiles...), p.XTestGoFiles...) {
			has = has || fuzzes.MatchString(read(t, filepath.Join(p.rel, name)))
		}
		if needs != "" && !has {
			t.Errorf("%s parses (%s …) and has no fuzz test", p.rel, needs)
		}
	}
}

func TestNothingIsLeftOpen(t *testing.T) {
	open := regexp.MustCompile(`\b(?:TO` + `DO|FIX` + `ME|XX` + `X)\b`)
	// Folders of one particular machine, and hosts that only exist there.
	machine := regexp.MustCompile(`(?:^|[\s"'(=:])/(?:ro` + `ot|wo` + `rk|ho` + `me|Users)/[a-z]`)
	files(t, func(path string, text []byte) {
		if path == "go.sum" || path == "LICENSE" || strings.HasSuffix(path, "package-lock.json") {
			return
		}
		for i, line := range strings.Split(string(text), "\n") {
			if open.MatchString(line) && !strings.Contains(path, "testdata/") {
				t.Errorf("%s:%d is left open: %s", path, i+1, strings.TrimSpace(line))
			}
			if machine.MatchString(line) {
				t.Errorf("%s:%d names a folder of one machine: %s", path, i+1, strings.TrimSpace(line))
			}
		}
	})
}
