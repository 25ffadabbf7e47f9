package keys

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

func TestDir(t *testing.T) {
	d := Dir{filepath.Join(t.TempDir(), "state", "keys")}
	if _, err := d.Load("fc2"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a key that is not there: %v", err)
	}
	if list, err := d.List(""); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
	for _, v := range []string{"one", "two"} {
		if err := d.Store("fc2", []byte(v)); err != nil {
			t.Fatal(err)
		}
		if b, err := d.Load("fc2"); err != nil || string(b) != v {
			t.Errorf("%q, %v", b, err)
		}
	}
	if err := d.Store("fcxml-client-key", nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.Path, "notes.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if list, _ := d.List(""); !slices.Equal(list, []string{"fc2", "fcxml-client-key"}) {
		t.Errorf("%v", list)
	}
	if list, _ := d.List("fc2"); !slices.Equal(list, []string{"fc2"}) {
		t.Errorf("%v", list)
	}
	if err := d.Remove("fc2"); err != nil {
		t.Error(err)
	}
	if err := d.Remove("fc2"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	for _, name := range []string{"", "..", "../x", "a/b", "A", ".x", "x.key"} {
		if err := d.Store(name, nil); !errors.Is(err, errName) {
			t.Errorf("%q: %v", name, err)
		}
		if _, err := d.Load(name); !errors.Is(err, errName) {
			t.Errorf("%q: %v", name, err)
		}
		if err := d.Remove(name); !errors.Is(err, errName) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if err := d.Store("big", bytes.Repeat([]byte{1}, MaxSize+1)); !errors.Is(err, errSize) {
		t.Error(err)
	}
}

func TestKeysArePrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no mode bits here")
	}
	d := Dir{filepath.Join(t.TempDir(), "keys")}
	if err := d.Store("k", []byte("x")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(d.Path, "k.key")
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if info, _ := os.Stat(d.Path); info.Mode().Perm() != 0o700 {
		t.Errorf("folder %v", info.Mode())
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Load("k"); !errors.Is(err, errWide) {
		t.Errorf("a key that the group can read: %v", err)
	}
	if entries, _ := os.ReadDir(d.Path); len(entries) != 1 {
		t.Errorf("%v", entries)
	}
}

func TestKeysThatCannotBeKept(t *testing.T) {
	d := Dir{filepath.Join(t.TempDir(), "keys")}
	if err := d.Store("../k", []byte("x")); err == nil {
		t.Error("a key outside of the folder")
	}
	if err := d.Store("k", make([]byte, MaxSize+1)); !errors.Is(err, errSize) {
		t.Errorf("a key without end: %v", err)
	}
	if err := d.Store("k", []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.Path, "long.key"), make([]byte, MaxSize+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Load("long"); !errors.Is(err, errSize) {
		t.Errorf("a file without end: %v", err)
	}
	// A folder in the place of a key: the old things stay, and nothing is left of the new one.
	if err := os.Mkdir(filepath.Join(d.Path, "folder.key"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := d.Store("folder", []byte("x")); err == nil {
		t.Error("a key in the place of a folder")
	}
	entries, err := os.ReadDir(d.Path)
	if err != nil || len(entries) != 3 {
		t.Errorf("%v, %v", entries, err)
	}
	if b, err := d.Load("k"); err != nil || string(b) != "old" {
		t.Errorf("%q, %v", b, err)
	}
	file := filepath.Join(d.Path, "k.key")
	if err := (Dir{file}).Store("k", nil); err == nil {
		t.Error("a folder that is a file")
	}
	if _, err := (Dir{file}).List(""); err == nil {
		t.Error("the keys of a file")
	}
}
