package secretstream

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func upward(from byte, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = from + byte(i)
	}
	return b
}

var (
	testKey    = upward(0, KeySize)
	testHeader = upward(0x40, HeaderSize)
)

// vectors are one stream, in this order, made with libsodium 1.0.18.
var vectors = []struct {
	message, ad string
	tag         Tag
	wire        string
}{
	{"", "", TagMessage, "0dff2db0dcccf8b9cea79016f3d4ae8e52"},
	{"A", "", TagMessage, "294abda17fe260f6cccd810dcf21bf93ebac"},
	{"hello world", "", TagMessage, "a164acefdb504386d0d8afe9c12999b48e7fcc9bfa53b87712f9fbed"},
	{"0123456789abcdef", "", TagMessage, "4dc4a3196d77e399462b8ff3c69d0225ead8ba30eca8ffc6d297c06eb2ffffb69b"},
	{"0123456789abcdef0", "", TagMessage, "fd27a837ef8a20ed3cd4b8530b920a19008a89bd188e1ee02aa11755b804378fe29f"},
	{"rekey me", "", TagRekey, "9096bbc685246c9fb6913176361c8ac0e8c2bc99db00aff7f5"},
	{"after", "", TagMessage, "49a12ee60ebaaafa2a484cdfbfccb073c739d0efe92e"},
	{"with ad", "AD", TagPush, "6f417894a7fffbb077838715f8742eb5dbe08093aa6ed00a"},
	{"bye", "", TagFinal, "b583b2427ed77f19bd2ce533c64c048ff16bda57"},
}

// keyAfterRekey is the key that libsodium has after "rekey me".
const keyAfterRekey = "a40dcfcf8356af9e27f2c778f30cdc1d8c48d3ba7376b97f47dd2107ddf11fa7"

// pair is both sides of a stream, as this processor makes them.
func pair(t testing.TB) (*Pusher, *Puller) { return pairOf(t, vector()) }

// pairOf is both sides of the same stream, with eight to encrypt where the AEAD does not.
func pairOf(t testing.TB, eight eightBlocks) (*Pusher, *Puller) {
	t.Helper()
	push, header, err := NewPusher(testKey, bytes.NewReader(testHeader))
	if err != nil {
		t.Fatal(err)
	}
	pull, err := NewPuller(testKey, header[:])
	if err != nil {
		t.Fatal(err)
	}
	push.s.eight, pull.s.eight = eight, eight
	return push, pull
}

// ways are those of making the stream that there are here.
func ways() map[string]eightBlocks {
	w := map[string]eightBlocks{"AEAD": nil, "portable": portable}
	if v := vector(); v != nil {
		w["vector"] = v
	}
	return w
}

func eachWay(t *testing.T, f func(t *testing.T, eight eightBlocks)) {
	for name, eight := range ways() {
		t.Run(name, func(t *testing.T) { f(t, eight) })
	}
}

func TestVectors(t *testing.T) { eachWay(t, testVectors) }

func testVectors(t *testing.T, eight eightBlocks) {
	push, pull := pairOf(t, eight)
	for _, v := range vectors {
		c, err := push.Push([]byte("before"), []byte(v.message), []byte(v.ad), v.tag)
		if want := append([]byte("before"), unhex(t, v.wire)...); err != nil || !bytes.Equal(c, want) {
			t.Errorf("push %q: %x, %v, want %x", v.message, c, err, want)
		}
		m, tag, err := pull.Pull([]byte("before"), unhex(t, v.wire), []byte(v.ad))
		if err != nil || string(m) != "before"+v.message || tag != v.tag {
			t.Errorf("pull %q: %q, %v, %v", v.message, m, tag, err)
		}
		if v.tag == TagRekey {
			if want := unhex(t, keyAfterRekey); !bytes.Equal(push.s.key[:], want) || !bytes.Equal(pull.s.key[:], want) {
				t.Errorf("keys after %q are %x and %x, want %x", v.message, push.s.key, pull.s.key, want)
			}
		}
	}
}

// A message that fails to authenticate leaves the stream where it was: the true one can still be read. Every byte counts.
func TestFailedPullChangesNothing(t *testing.T) { eachWay(t, testFailedPullChangesNothing) }

func testFailedPullChangesNothing(t *testing.T, eight eightBlocks) {
	push, pull := pairOf(t, eight)
	for _, v := range vectors {
		c, _ := push.Push(nil, []byte(v.message), []byte(v.ad), v.tag)
		before := pull.s
		fail := func(what string, c, ad []byte, want error) {
			t.Helper()
			dst := []byte("kept")
			got, _, err := pull.Pull(dst, c, ad)
			if !errors.Is(err, want) || string(got) != "kept" {
				t.Fatalf("%q, %s: %q, %v", v.message, what, got, err)
			}
			if pull.s.key != before.key || pull.s.nonce != before.nonce || pull.s.aead != before.aead {
				t.Fatalf("%q, %s: the state has changed", v.message, what)
			}
		}
		for i := range c {
			for _, bit := range []byte{1, 0x80} {
				bad := bytes.Clone(c)
				bad[i] ^= bit
				fail("a changed byte", bad, []byte(v.ad), ErrAuth)
			}
		}
		fail("other additional data", c, []byte(v.ad+"x"), ErrAuth)
		for n := range c {
			want := ErrAuth
			if n < Overhead {
				want = ErrShort
			}
			fail("cut", c[:n], []byte(v.ad), want)
		}
		fail("longer", append(bytes.Clone(c), 0), []byte(v.ad), ErrAuth)
		if m, tag, err := pull.Pull(nil, c, []byte(v.ad)); err != nil || string(m) != v.message || tag != v.tag {
			t.Fatalf("%q after failures: %q, %v, %v", v.message, m, tag, err)
		}
		before = pull.s
		fail("repeated", c, []byte(v.ad), ErrAuth)
	}
}

// What is not authentic does not leave a message in the caller's buffer, whichever way it is checked.
func TestFailedPullShowsNothing(t *testing.T) { eachWay(t, testFailedPullShowsNothing) }

func testFailedPullShowsNothing(t *testing.T, eight eightBlocks) {
	for n := 100; n < 116; n++ {
		push, pull := pairOf(t, eight)
		m := bytes.Repeat([]byte("secret"), 20)[:n]
		c, _ := push.Push(nil, m, nil, TagMessage)
		c[len(c)-1] ^= 1
		buf := make([]byte, 0, n+Room)
		if _, _, err := pull.Pull(buf, c, nil); !errors.Is(err, ErrAuth) {
			t.Fatalf("%d bytes: %v", n, err)
		}
		if bytes.Contains(buf[:cap(buf)], []byte("secret")) {
			t.Errorf("%d bytes: the buffer holds %q", n, buf[:cap(buf)])
		}
		if pull.s.pad != [len(pull.s.pad)]byte{} {
			t.Errorf("%d bytes: the work space holds %q", n, pull.s.pad)
		}
	}
}

// When the counter comes round, the keys change without being asked to; libsodium does so after 2^32-1 messages.
func TestCounterRunsOut(t *testing.T) { eachWay(t, testCounterRunsOut) }

func testCounterRunsOut(t *testing.T, eight eightBlocks) {
	push, pull := pairOf(t, eight)
	for _, s := range []*state{&push.s, &pull.s} {
		copy(s.nonce[:], []byte{0xff, 0xff, 0xff, 0xff})
	}
	key := push.s.key
	c, err := push.Push(nil, []byte("the last of its key"), nil, TagMessage)
	if err != nil || push.s.key == key || !bytes.Equal(push.s.nonce[:4], []byte{1, 0, 0, 0}) {
		t.Fatalf("after the last message: key changed %v, nonce %x, %v", push.s.key != key, push.s.nonce, err)
	}
	if m, _, err := pull.Pull(nil, c, nil); err != nil || string(m) != "the last of its key" {
		t.Fatalf("%q, %v", m, err)
	}
	c, _ = push.Push(nil, []byte("next"), nil, TagMessage)
	if m, _, err := pull.Pull(nil, c, nil); err != nil || string(m) != "next" {
		t.Fatalf("%q, %v", m, err)
	}
}

func TestRekeyByCall(t *testing.T) {
	push, pull := pair(t)
	if err := push.Rekey(); err != nil {
		t.Fatal(err)
	}
	c, _ := push.Push(nil, []byte("x"), nil, TagMessage)
	if _, _, err := pull.Pull(nil, c, nil); !errors.Is(err, ErrAuth) {
		t.Fatalf("with the old key: %v", err)
	}
	if err := pull.Rekey(); err != nil {
		t.Fatal(err)
	}
	if m, _, err := pull.Pull(nil, c, nil); err != nil || string(m) != "x" {
		t.Fatalf("with the new key: %q, %v", m, err)
	}
}

// Every length around the block sizes, with additional data of every remainder, in the caller's buffer, in place.
func TestLengthsInPlace(t *testing.T) { eachWay(t, testLengthsInPlace) }

func testLengthsInPlace(t *testing.T, eight eightBlocks) {
	push, pull := pairOf(t, eight)
	r := rand.New(rand.NewPCG(1, 2))
	buf := make([]byte, 0, 4096)
	for n := range 700 {
		m, ad := make([]byte, n), make([]byte, n%37)
		for i := range m {
			m[i] = byte(r.Uint32())
		}
		tag := Tag(r.Uint32N(4))
		in := append(buf[:0], m...)
		c, err := push.Push(in[:0], in, ad, tag)
		if err != nil || len(c) != n+Overhead || &c[0] != &buf[:1][0] {
			t.Fatalf("%d bytes: %d, %v, or another buffer", n, len(c), err)
		}
		got, gotTag, err := pull.Pull(c[:0], c, ad)
		if err != nil || gotTag != tag || !bytes.Equal(got, m) {
			t.Fatalf("%d bytes: tag %v, %v, or not the message", n, gotTag, err)
		}
	}
}

func TestBadSizes(t *testing.T) {
	if _, _, err := NewPusher(testKey[:31], nil); !errors.Is(err, ErrKey) {
		t.Errorf("short key: %v", err)
	}
	if _, err := NewPuller(testKey, testHeader[:23]); !errors.Is(err, ErrHeader) {
		t.Errorf("short header: %v", err)
	}
	if _, err := NewPuller(nil, testHeader); !errors.Is(err, ErrKey) {
		t.Errorf("no key: %v", err)
	}
	if _, _, err := NewPusher(testKey, bytes.NewReader(nil)); err == nil {
		t.Error("no random bytes: no error")
	}
}

func TestHeadersDiffer(t *testing.T) {
	_, a, _ := NewPusher(testKey, nil)
	_, b, _ := NewPusher(testKey, nil)
	if a == b {
		t.Errorf("two streams with the header %x", a)
	}
}

func TestTagNames(t *testing.T) {
	for tag, want := range map[Tag]string{TagMessage: "message", TagFinal: "final", 7: "tag(7)"} {
		if tag.String() != want {
			t.Errorf("%d is %q, want %q", tag, tag, want)
		}
	}
}

func TestDoesNotAllocate(t *testing.T) {
	eachWay(t, func(t *testing.T, eight eightBlocks) {
		for _, n := range []int{64, 67, 1280, 1283, 16384} {
			testDoesNotAllocate(t, eight, n)
		}
	})
}

func testDoesNotAllocate(t *testing.T, eight eightBlocks, size int) {
	push, pull := pairOf(t, eight)
	m, ad := make([]byte, size), []byte("ad")
	c, back := make([]byte, 0, len(m)+Room), make([]byte, 0, len(m)+Room)
	if n := testing.AllocsPerRun(100, func() {
		out, err := push.Push(c, m, ad, TagMessage)
		if err == nil {
			_, _, err = pull.Pull(back, out, ad)
		}
		if err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%d bytes: %v allocations, want none", size, n)
	}
}

// FuzzPull: whatever arrives either fails and changes nothing, or is what was sent.
func FuzzPull(f *testing.F) {
	for _, v := range vectors {
		f.Add([]byte(v.message), []byte(v.ad), byte(v.tag), unhex(f, v.wire))
	}
	f.Fuzz(func(t *testing.T, m, ad []byte, tag byte, junk []byte) {
		push, pull := pair(t)
		c, err := push.Push(nil, m, ad, Tag(tag))
		if err != nil {
			t.Fatal(err)
		}
		before := pull.s
		if got, gotTag, err := pull.Pull(nil, junk, ad); err == nil { // the vectors are real messages
			again, _ := pair(t)
			if c, _ := again.Push(nil, got, ad, gotTag); !bytes.Equal(c, junk) {
				t.Fatalf("%x is taken for a message", junk)
			}
			return
		}
		if pull.s.key != before.key || pull.s.nonce != before.nonce {
			t.Fatal("a failed pull has changed the state")
		}
		if got, gotTag, err := pull.Pull(nil, c, ad); err != nil || gotTag != Tag(tag) || !bytes.Equal(got, m) {
			t.Fatalf("%q, %v, %v, want %q", got, gotTag, err, m)
		}
	})
}
