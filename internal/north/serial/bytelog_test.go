package serial

import (
	"bytes"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
)

// logged takes a log apart: the bytes of each direction, after a look at the form of its lines. The last line may be in the middle of
// being written.
func logged(t *testing.T, text string) (toLine, fromLine []byte) {
	t.Helper()
	last := ""
	text = text[:strings.LastIndexByte(text, '\n')+1]
	for line := range strings.Lines(text) {
		stamp, rest, _ := strings.Cut(line, " ")
		if _, err := time.Parse(stampFormat, stamp); err != nil || stamp < last || len(rest) < 2+47 {
			t.Fatalf("the line %q: %v", line, err)
		}
		last = stamp
		data, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(rest[2:2+47]), " ", ""))
		switch {
		case err != nil || len(data) == 0:
			t.Fatalf("the line %q: %v", line, err)
		case rest[0] == '>':
			toLine = append(toLine, data...)
		case rest[0] == '<':
			fromLine = append(fromLine, data...)
		default:
			t.Fatalf("the line %q has no direction", line)
		}
	}
	return toLine, fromLine
}

func TestByteLog(t *testing.T) {
	file := filepath.Join(t.TempDir(), "port.log")
	r := newRig(t, Config{}, Port{Device: "box", Path: "ports/3", Raw: "127.0.0.1:0", Log: file})
	<-r.logged
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if r.box.Port("ports/3").IsOpen() {
		t.Error("the log has opened the port")
	}
	c := dial(t, <-r.addr)
	said := "hello, world \x00\xff and more"
	io.WriteString(c, said)
	expect(t, c, said)
	var text string
	until(t, "both directions", func() bool {
		b, err := os.ReadFile(file)
		text = string(b)
		to, from := logged(t, text)
		return err == nil && string(to) == said && string(from) == said
	})
	if !strings.Contains(text, " > 68 65 6c 6c 6f 2c 20 77 6f 72 6c 64 20 00 ff 20  hello, world .. \n") {
		t.Errorf("%s", text)
	}
}

// A log that has grown is put aside, once and whole: nothing is missing or there twice between the two files.
func TestByteLogIsPutAside(t *testing.T) {
	file := filepath.Join(t.TempDir(), "port.log")
	if err := os.WriteFile(file, []byte("2026-01-01T00:00:00.000000Z > 7a"+strings.Repeat(" ", 47)+"z\n"), 0o600); err != nil { // of an earlier run
		t.Fatal(err)
	}
	const size = 20_000
	r := newRig(t, Config{}, Port{Device: "box", Path: "ports/3", Raw: "127.0.0.1:0", Log: file, LogSize: size})
	<-r.logged
	c := dial(t, <-r.addr)
	said := []byte("z")
	read := func() string {
		old, _ := os.ReadFile(file + ".1")
		now, err := os.ReadFile(file)
		if err != nil {
			return ""
		}
		return string(old) + string(now)
	}
	for i := range 200 {
		piece := everyByte(1 + i%40)
		c.Write(piece)
		expect(t, c, string(piece))
		said = append(said, piece...)
		until(t, "both directions", func() bool {
			to, from := logged(t, read())
			return bytes.Equal(to, said) && bytes.Equal(from, said[1:])
		})
		if _, err := os.Stat(file + ".1"); err == nil {
			break
		}
	}
	old, err := os.Stat(file + ".1")
	if err != nil || old.Size() < size || old.Size() > size+10_000 || old.Mode().Perm() != 0o600 {
		t.Errorf("put aside with %d bytes, %v", old.Size(), err)
	}
	first := old.ModTime()
	until(t, "the next time", func() bool {
		c.Write(make([]byte, 64))
		io.ReadFull(c, make([]byte, 64))
		old, err := os.Stat(file + ".1")
		return err == nil && old.ModTime() != first
	})
	if names, err := os.ReadDir(filepath.Dir(file)); err != nil || len(names) > 2 {
		t.Errorf("%v %v", names, err)
	}
}

// A disk that is too slow costs bytes in the log, which says how many, and holds nothing up.
func TestByteLogGap(t *testing.T) {
	b := &byteLog{wake: make(chan struct{}, 1)}
	for len(b.lines) <= logQueue {
		b.trace(true, make([]byte, 4096))
	}
	b.trace(true, make([]byte, 100))
	b.trace(false, make([]byte, 23))
	b.lines = nil // the disk has come round
	b.trace(false, []byte("A"))
	if text := string(b.lines); !strings.Contains(text, "! 123 bytes are missing here") || !strings.HasSuffix(text, "  A\n") {
		t.Errorf("%q", text)
	}
}

// A log that cannot be written is reported and stops nothing else.
func TestByteLogWithoutFolder(t *testing.T) {
	r := newRig(t, Config{}, Port{Device: "box", Path: "ports/3", Raw: "127.0.0.1:0", Log: filepath.Join(t.TempDir(), "none", "port.log")})
	c := dial(t, <-r.addr)
	io.WriteString(c, "x")
	expect(t, c, "x")
	o := offer{d: r.door, port: Port{Log: "/nowhere/port.log"}}
	if err := o.serveLog(t.Context()); driver.ClassOf(err) != driver.Auth || driver.HintOf(err) == "" || !strings.Contains(err.Error(), "/nowhere/port.log") {
		t.Errorf("hint %q, %v", driver.HintOf(err), err)
	}
}
