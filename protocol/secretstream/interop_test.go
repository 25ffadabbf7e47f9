package secretstream

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/internal/testpeer"
)

// sodium is libsodium in a program of its own, testdata/sodium.c.
type sodium struct {
	*testing.T
	*testpeer.Peer
}

// startSodium starts it with a key and the header of our stream, and gives the header of its own.
func startSodium(t *testing.T, key, header []byte) (s *sodium, theirs []byte) {
	t.Helper()
	s = &sodium{t, testpeer.Start(t, filepath.Join("testdata", "sodium.c"), "sodium", "libsodium-dev")}
	s.say(key, header)
	return s, s.read(HeaderSize)
}

func (s *sodium) say(parts ...[]byte) {
	s.Helper()
	if err := s.Say(parts...); err != nil {
		s.Fatal(err)
	}
}

func (s *sodium) read(n int) []byte {
	s.Helper()
	b, err := s.Read(n)
	if err != nil {
		s.Fatal(err)
	}
	return b
}

func (s *sodium) block() []byte {
	s.Helper()
	b, err := s.ReadBlock()
	if err != nil {
		s.Fatal(err)
	}
	return b
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
			s.say([]byte{'D'}, testpeer.Block(ad), testpeer.Block(bad))
			if s.read(1)[0] != 0 {
				t.Fatalf("message %d: libsodium takes a changed message", i)
			}
		}
		s.say([]byte{'D'}, testpeer.Block(ad), testpeer.Block(c))
		if s.read(1)[0] != 1 {
			t.Fatalf("message %d of %d bytes, tag %v: libsodium refuses it", i, len(m), tag)
		}
		if got := Tag(s.read(1)[0]); got != tag {
			t.Fatalf("message %d: tag %v, want %v", i, got, tag)
		}
		if got := s.block(); !bytes.Equal(got, m) {
			t.Fatalf("message %d of %d bytes: libsodium reads another", i, len(m))
		}

		s.say([]byte{'P', byte(tag)}, testpeer.Block(ad), testpeer.Block(m))
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
