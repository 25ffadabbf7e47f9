package repocheck

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link   = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	fenced = regexp.MustCompile("(?s)```.*?```")
	inline = regexp.MustCompile("`[^`\n]*`")
	heads  = regexp.MustCompile(`(?m)^#+ +(.+)$`)
)

// Every link in the documents leads to a file of the repository, and to a heading where it names one.
func TestLinksResolve(t *testing.T) {
	n := 0
	files(t, func(path string, text []byte) {
		if !strings.HasSuffix(path, ".md") {
			return
		}
		plain := inline.ReplaceAllString(fenced.ReplaceAllString(string(text), ""), "")
		for _, m := range link.FindAllStringSubmatch(plain, -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			n++
			file := path
			if target != "" {
				file = filepath.Join(filepath.Dir(path), target)
			}
			if _, err := os.Stat(filepath.Join(root, file)); err != nil {
				t.Errorf("%s links to %s, which does not exist", path, m[1])
				continue
			}
			if anchor != "" && !hasHeading(read(t, file), anchor) {
				t.Errorf("%s links to %s, and there is no such heading", path, m[1])
			}
		}
	})
	if n == 0 {
		t.Error("no links were found; the test looks at nothing")
	}
}

func hasHeading(text, anchor string) bool {
	for _, m := range heads.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		slug := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r > 127:
				return r
			}
			return -1
		}, strings.ToLower(m[1]))
		if slug == anchor {
			return true
		}
	}
	return false
}

func TestRepositoryFiles(t *testing.T) {
	readme := read(t, "README.md")
	for _, want := range []string{"go run ./cmd/patchbay demo", "make test"} {
		if !strings.Contains(readme, want) {
			t.Errorf("README.md does not show: %s", want)
		}
	}
	if l := read(t, "LICENSE"); !strings.Contains(l, "Apache License") || !strings.Contains(l, "END OF TERMS AND CONDITIONS") {
		t.Error("LICENSE is not the whole Apache License")
	}
	mod := read(t, "go.mod")
	for _, bad := range []string{"replace ", "exclude ", "retract "} {
		if strings.Contains(mod, "\n"+bad) {
			t.Errorf("go.mod has a %sdirective", bad)
		}
	}
	if !strings.HasPrefix(mod, "module "+module+"\n") {
		t.Error("go.mod names another module")
	}
	for _, p := range packages(t) {
		if p.rel == "cmd/patchbay" {
			if n := strings.Count(read(t, "cmd/patchbay/main.go"), "\n"); n >= 30 {
				t.Errorf("cmd/patchbay/main.go has %d lines; it is a signal and an exit code", n)
			}
		}
	}
	if info, err := os.Stat(filepath.Join(root, ".ci/run")); err != nil || info.Mode()&0o100 == 0 {
		t.Errorf(".ci/run cannot be run: %v", err)
	}
}

// Every configuration in examples/ is in order, as the program itself says.
func TestExamplesLoad(t *testing.T) {
	examples, err := filepath.Glob(filepath.Join(root, "examples", "*.yaml"))
	if err != nil || len(examples) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	bin := filepath.Join(t.TempDir(), "patchbay")
	build := exec.Command("go", "build", "-o", bin, "./cmd/patchbay")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, e := range examples {
		if out, err := exec.Command(bin, "check", e).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", e, err, out)
		}
	}
}
