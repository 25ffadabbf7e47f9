package web

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

// The page's files are all there, and nothing in index.html needs more than the policy default-src 'self'.
func TestFS(t *testing.T) {
	page, err := fs.ReadFile(FS(), "index.html")
	if err != nil {
		t.Fatal(err)
	}
	refs := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(string(page), -1)
	if len(refs) < 3 {
		t.Fatalf("index.html refers to %d files, want script, style and icon", len(refs))
	}
	for _, ref := range refs {
		if _, err := fs.Stat(FS(), strings.TrimPrefix(ref[1], "/")); err != nil {
			t.Errorf("index.html refers to %s: %v", ref[1], err)
		}
	}
	for _, inline := range []string{"<style", "style=", "javascript:", "http://", "https://"} {
		if strings.Contains(string(page), inline) {
			t.Errorf("index.html contains %q", inline)
		}
	}
	if regexp.MustCompile(`<script[^>]*>[^<]`).Match(page) {
		t.Error("index.html has an inline script")
	}
}
