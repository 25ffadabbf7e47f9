package secretstream

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// sodium is libsodium in a program of its own.
type sodium struct {
	t   *testing.T
	in  *bufio.Writer
	out *bufio.Reader
}

// startSodium compiles and starts testdata/sodium.c. Without compiler or library the test is skipped, and fails in CI.
func startSodium(t *testing.T, key, header []byte) (s *sodium, theirs []byte) {
	t.Helper()
	missing := t.Skipf
	if os.Getenv("CI") == "true" {
		missing = t.Fatalf
	}
	cc, err := exec.LookPath("cc")
	if err != nil {
		missing("no C compiler: %v", err)
	}
	program := filepath.Join(t.TempDir(), "sodium")
	if out, err := exec.Command(cc, "-O2", "-o", program, filepath.Join("testdata", "sodium.c"), "-lsodium").CombinedOutput(); err != nil {
		missing("libsodium is missing (Debian: libsodium-dev): %v\n%s", err, out)
	}
	cmd := exec.Command(program)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("libsodium: %v", err)
		}
	})
	s = &sodium{t, bufio.NewWriter(in), bufio.NewReader(out)}
	s.say(key, header)
	return s, s.read(HeaderSize)
}

func (s *sodium) say(parts ...[]byte) {
	s.t.Helper()
	for _, p := range parts {
		s.in.Write(p)
	}
	if err := s.in.Flush(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *sodium) read(n int) []byte {
	s.t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(s.out, b); err != nil {
		s.t.Fatal(err)
	}
	return b
}

func (s *sodium) block() []byte { return s.read(int(binary.NativeEndian.Uint32(s.read(4)))) }

func block(b []byte) []byte {
	return append(binary.NativeEndian.AppendUint32(nil, uint32(len(b))), b...)
}

// Ten thousand messages each way, of random lengths, tags and additional data, with keys that change by tag and by call.
func TestInteropLibsodium(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	random := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	key := random(KeySize)
	push, header, err := NewPusher(key, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, theirs := startSodium(t, key, header[:])
	pull, err := NewPuller(key, theirs)
	if err != nil {
		t.Fatal(err)
	}
	tags := map[Tag]int{}
	for i := range 10_000 {
		m, tag := random(int(r.ExpFloat64()*200)), TagMessage
		var ad []byte
		if r.IntN(3) == 0 {
			ad = random(r.IntN(50))
		}
		if r.IntN(4) == 0 {
			tag = Tag(r.IntN(4))
		}
		tags[tag]++
		c, err := push.Push(nil, m, ad, tag)
		if err != nil {
			t.Fatal(err)
		}
		if i%100 == 7 { // what libsodium refuses leaves its stream where it was, as ours does
			bad := bytes.Clone(c)
			bad[r.IntN(len(bad))] ^= 1 << r.IntN(8)
			s.say([]byte{'D'}, block(ad), block(bad))
			if s.read(1)[0] != 0 {
				t.Fatalf("message %d: libsodium takes a changed message", i)
			}
		}
		s.say([]byte{'D'}, block(ad), block(c))
		if s.read(1)[0] != 1 {
			t.Fatalf("message %d of %d bytes, tag %v: libsodium refuses it", i, len(m), tag)
		}
		if got := Tag(s.read(1)[0]); got != tag {
			t.Fatalf("message %d: tag %v, want %v", i, got, tag)
		}
		if got := s.block(); !bytes.Equal(got, m) {
			t.Fatalf("message %d of %d bytes: libsodium reads another", i, len(m))
		}

		s.say([]byte{'P', byte(tag)}, block(ad), block(m))
		got, gotTag, err := pull.Pull(nil, s.block(), ad)
		if err != nil || gotTag != tag || !bytes.Equal(got, m) {
			t.Fatalf("message %d of libsodium, %d bytes, tag %v: tag %v, %v", i, len(m), tag, gotTag, err)
		}
		if i%500 == 499 {
			s.say([]byte{'R'})
			if err := push.Rekey(); err != nil {
				t.Fatal(err)
			}
			if err := pull.Rekey(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(tags) != 4 {
		t.Errorf("tags %v", tags)
	}
}

// The speed of both in one run, turn by turn. Of each side the quickest stretch of 20 messages counts: what the machine does
// beside it falls into the others. It is shown and not judged.
func TestInteropLibsodiumSpeed(t *testing.T) {
	s, _ := startSodium(t, testKey, testHeader)
	for _, n := range benchSizes {
		for _, what := range []byte("BC") {
			ours, theirs := math.Inf(1), math.Inf(1)
			for range 6 {
				s.say([]byte{what}, binary.NativeEndian.AppendUint32(nil, uint32(n)))
				theirs = min(theirs, math.Float64frombits(binary.NativeEndian.Uint64(s.block())))
				ours = min(ours, oursSpeed(t, what, n))
			}
			mb := func(ns float64) float64 { return float64(n) / ns * 1000 }
			t.Logf("%s %5d bytes: %7.0f MB/s, libsodium %7.0f MB/s, %.2f times", map[byte]string{'B': "push", 'C': "pull"}[what], n, mb(ours), mb(theirs), theirs/ours)
		}
	}
}

// oursSpeed is the nanoseconds of one message in the quickest of many stretches.
func oursSpeed(t *testing.T, what byte, n int) float64 {
	push, pull := pair(t)
	m, out := make([]byte, n), make([]byte, 0, n+Room)
	c, err := push.Push(nil, m, nil, TagMessage)
	if err != nil {
		t.Fatal(err)
	}
	const stretch = 20
	nonce, best, start := pull.s.nonce, math.Inf(1), time.Now()
	for before := start; before.Sub(start) < 50*time.Millisecond; {
		for range stretch {
			if what == 'B' {
				_, err = push.Push(out, m, nil, TagMessage)
			} else {
				pull.s.nonce = nonce
				_, _, err = pull.Pull(out, c, nil)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		after := time.Now()
		best = min(best, float64(after.Sub(before).Nanoseconds())/stretch)
		before = after
	}
	return best
}
