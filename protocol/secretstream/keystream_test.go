package secretstream

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/crypto/chacha20"
)

// portable is made of golang.org/x/crypto, block by block. Against it the assembly is checked, and with it what is around the
// assembly is checked on every processor.
func portable(dst, src *[8 * blockSize]byte, key *[KeySize]byte, nonce *[chacha20.NonceSize]byte, counter uint32) {
	for i := range uint32(8) {
		c, err := chacha20.NewUnauthenticatedCipher(key[:], nonce[:])
		if err != nil {
			panic(err)
		}
		c.SetCounter(counter + i)
		c.XORKeyStream(dst[i*blockSize:][:blockSize], src[i*blockSize:][:blockSize])
	}
}

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func needVector(t testing.TB) eightBlocks {
	t.Helper()
	v := vector()
	if v == nil {
		t.Skip("no vector code for this processor")
	}
	return v
}

// The example of RFC 8439, section 2.3.2, is the block with counter 1.
func TestEightBlocksRFC(t *testing.T) {
	want := unhex(t, "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"+
		"d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e")
	key, nonce := [KeySize]byte(upward(0, KeySize)), [chacha20.NonceSize]byte(unhex(t, "000000090000004a00000000"))
	for name, eight := range ways() {
		if eight == nil {
			continue
		}
		for first := range uint32(8) {
			var b [8 * blockSize]byte
			counter := 1 - first // and so, with first 2 and more, the counters come round to 0 within the blocks
			eight(&b, &b, &key, &nonce, counter)
			if got := b[first*blockSize:][:blockSize]; !bytes.Equal(got, want) {
				t.Errorf("%s, counter %#x: block %d is %x", name, counter, first, got)
			}
		}
	}
}

// The assembly gives what golang.org/x/crypto gives: for random keys and nonces, for the counters at both ends, in place and from
// elsewhere, wherever the arrays lie. It writes the destination and nothing else.
func TestVectorAgainstPortable(t *testing.T) {
	vector := needVector(t)
	r := rand.New(rand.NewPCG(3, 4))
	counters := []uint32{0, 1, 7, 8, 1<<31 - 4, 1 << 31, 1<<32 - 16, 1<<32 - 9, 1<<32 - 8, 1<<32 - 2, 1<<32 - 1}
	const size, around = 8 * blockSize, 64
	for i := range 2000 {
		key, nonce := [KeySize]byte(randomBytes(r, KeySize)), [chacha20.NonceSize]byte(randomBytes(r, chacha20.NonceSize))
		counter := r.Uint32()
		if i%2 == 0 {
			counter = counters[i/2%len(counters)]
		}
		src, dst := randomBytes(r, size+2*around), randomBytes(r, size+2*around)
		from := r.IntN(2 * around)
		to := r.IntN(2 * around)
		if i%3 == 0 {
			dst, to = src, from
		}
		var want [size]byte
		portable(&want, (*[size]byte)(src[from:]), &key, &nonce, counter)
		wantDst := bytes.Clone(dst)
		copy(wantDst[to:], want[:])
		wantSrc := bytes.Clone(src)
		if i%3 == 0 {
			wantSrc = wantDst
		}
		keyBefore, nonceBefore := key, nonce
		vector((*[size]byte)(dst[to:]), (*[size]byte)(src[from:]), &key, &nonce, counter)
		if !bytes.Equal(dst, wantDst) {
			t.Fatalf("%d: key %x, nonce %x, counter %#x, from %d to %d: got\n%swant\n%s", i, key, nonce, counter, from, to, hex.Dump(dst), hex.Dump(wantDst))
		}
		if !bytes.Equal(src, wantSrc) || key != keyBefore || nonce != nonceBefore {
			t.Fatalf("%d: source, key or nonce has changed", i)
		}
	}
}

// Every length gives the same messages in every way, and each way reads them; keys change on the way.
func TestWaysAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	header := randomBytes(r, HeaderSize)
	type side struct {
		push *Pusher
		pull *Puller
	}
	sides := map[string]side{}
	for name, eight := range ways() {
		var s side
		s.push, s.pull = pairOf(t, eight)
		for _, s := range []*state{&s.push.s, &s.pull.s} {
			if err := s.init(testKey, header); err != nil {
				t.Fatal(err)
			}
			s.eight = eight
		}
		sides[name] = s
	}
	for n := range 2101 {
		m, ad := randomBytes(r, n), randomBytes(r, r.IntN(40))
		tag := TagMessage
		if n%50 == 49 {
			tag = Tag(r.IntN(4))
		}
		want, err := sides["AEAD"].push.Push(nil, m, ad, tag)
		if err != nil {
			t.Fatal(err)
		}
		for name, s := range sides {
			c := want
			if name != "AEAD" {
				if c, err = s.push.Push(nil, m, ad, tag); err != nil || !bytes.Equal(c, want) {
					t.Fatalf("%s, %d bytes: %v, or another message than the AEAD's", name, n, err)
				}
			}
			got, gotTag, err := s.pull.Pull(nil, c, ad)
			if err != nil || gotTag != tag || !bytes.Equal(got, m) {
				t.Fatalf("%s, %d bytes: %v, tag %v, or another message", name, n, err, gotTag)
			}
			if s.push.s.pad != [8 * blockSize]byte{} || s.pull.s.pad != [8 * blockSize]byte{} {
				t.Fatalf("%s, %d bytes: something is left in the work space", name, n)
			}
		}
	}
}

// What goes in may lie anywhere in the room behind dst. What lies before dst's length, and behind the room, stays.
func TestOverlap(t *testing.T) { eachWay(t, testOverlap) }

func testOverlap(t *testing.T, eight eightBlocks) {
	const before = 5
	r := rand.New(rand.NewPCG(7, 8))
	for _, n := range []int{0, 1, 2, 15, 16, 17, 63, 65, 383, 384, 385, 390, 895, 896, 897, 900, 1283, 2000, 2001} {
		offsets := []int{0, 1, 2, 15, 16, 17, 31, 63, 64, 65, 127, 128, 129, n - 1, n, n + 1, n + 16, n + 17, n + 18, r.IntN(n + 1), 500, 511, 512, 513}
		for _, at := range offsets {
			if at < 0 {
				continue
			}
			push, pull := pairOf(t, eight)
			plain, _ := pairOf(t, nil)
			m := randomBytes(r, n)
			want, err := plain.Push(nil, m, nil, TagPush)
			if err != nil {
				t.Fatal(err)
			}
			try := func(what string, room int, in, want []byte, do func(dst, in []byte) ([]byte, error)) {
				t.Helper()
				buf := randomBytes(r, before+max(room, at+len(in))+32)
				in = append(buf[:before+at], in...)[before+at:]
				kept := bytes.Clone(buf)
				out, err := do(buf[:before], in)
				if err != nil || !bytes.Equal(out[before:], want) {
					t.Fatalf("%s, %d bytes that lie %d behind: %v, or not what it should be", what, n, at, err)
				}
				if &out[0] != &buf[0] || !bytes.Equal(buf[:before], kept[:before]) || !bytes.Equal(buf[before+room:], kept[before+room:]) {
					t.Fatalf("%s, %d bytes that lie %d behind: another buffer, or bytes around it have changed", what, n, at)
				}
			}
			try("push", n+Room, m, want, func(dst, in []byte) ([]byte, error) { return push.Push(dst, in, nil, TagPush) })
			try("pull", n+Room, want, m, func(dst, in []byte) ([]byte, error) {
				out, _, err := pull.Pull(dst, in, nil)
				return out, err
			})
		}
	}
}

// Elsewhere than in dst's room, what goes in stays as it is.
func TestInputStays(t *testing.T) {
	eachWay(t, func(t *testing.T, eight eightBlocks) {
		r := rand.New(rand.NewPCG(9, 10))
		push, pull := pairOf(t, eight)
		for _, n := range slices.Concat(benchSizes, []int{0, 1, 385, 897}) {
			m := randomBytes(r, n)
			mBefore := bytes.Clone(m)
			c, err := push.Push(nil, m, nil, TagMessage)
			if err != nil || !bytes.Equal(m, mBefore) {
				t.Fatalf("push, %d bytes: %v, or the message has changed", n, err)
			}
			cBefore := bytes.Clone(c)
			if _, _, err := pull.Pull(nil, c, nil); err != nil || !bytes.Equal(c, cBefore) {
				t.Fatalf("pull, %d bytes: %v, or the encrypted message has changed", n, err)
			}
		}
	})
}

// FuzzWays: the ways make the same of any message, and of any junk.
func FuzzWays(f *testing.F) {
	f.Add(upward(0, KeySize), upward(0, HeaderSize), []byte("message"), []byte("ad"), byte(0), uint16(3))
	f.Add(upward(9, KeySize), upward(7, HeaderSize), make([]byte, 1283), []byte{}, byte(2), uint16(1290))
	f.Fuzz(func(t *testing.T, key, header, m, ad []byte, tag byte, at uint16) {
		if len(key) != KeySize || len(header) != HeaderSize {
			t.Skip()
		}
		var want []byte
		for _, name := range []string{"AEAD", "portable", "vector"} {
			eight, ok := ways()[name]
			if !ok {
				continue
			}
			push, _, err := NewPusher(key, bytes.NewReader(header))
			if err != nil {
				t.Fatal(err)
			}
			pull, err := NewPuller(key, header)
			if err != nil {
				t.Fatal(err)
			}
			push.s.eight, pull.s.eight = eight, eight
			c, err := push.Push(nil, m, ad, Tag(tag))
			if err != nil {
				t.Fatal(err)
			}
			if name == "AEAD" {
				want = c
			} else if !bytes.Equal(c, want) {
				t.Fatalf("%s: %x, want %x", name, c, want)
			}
			bad := bytes.Clone(c)
			bad[int(at)%len(bad)] ^= 1
			if _, _, err := pull.Pull(nil, bad, ad); err == nil {
				t.Fatalf("%s takes a changed message", name)
			}
			if got, gotTag, err := pull.Pull(nil, c, ad); err != nil || gotTag != Tag(tag) || !bytes.Equal(got, m) {
				t.Fatalf("%s: %q, %v, %v, want %q", name, got, gotTag, err, m)
			}
			if push.s.key != pull.s.key || push.s.nonce != pull.s.nonce {
				t.Fatalf("%s: the sides go on in different ways", name)
			}
		}
	})
}

func BenchmarkEightBlocks(b *testing.B) {
	vector := needVector(b)
	var (
		key   [KeySize]byte
		nonce [chacha20.NonceSize]byte
		x     [8 * blockSize]byte
	)
	b.SetBytes(int64(len(x)))
	b.ReportAllocs()
	for b.Loop() {
		vector(&x, &x, &key, &nonce, 0)
	}
}
