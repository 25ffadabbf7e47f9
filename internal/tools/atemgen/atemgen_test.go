package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// What is committed is what the catalogue makes.
func TestGenerated(t *testing.T) {
	const root = "../../.."
	files, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(root, name))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the catalogue says (%v): run go run ./internal/tools/atemgen", name, err)
		}
	}
	made, _ := filepath.Glob(filepath.Join(root, "protocol/atem/*_gen.go"))
	for _, name := range made {
		if rel, _ := filepath.Rel(root, name); files[filepath.ToSlash(rel)] == nil {
			t.Errorf("nothing makes %s any more", name)
		}
	}
}
