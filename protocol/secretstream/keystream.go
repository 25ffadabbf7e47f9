package secretstream

import (
	"crypto/subtle"
	"unsafe"

	"golang.org/x/crypto/chacha20"
)

// eightBlocks writes src XOR eight blocks of the ChaCha20 stream of key and nonce, from block counter on, to dst. dst and src are
// the same array, or have no byte in common.
type eightBlocks func(dst, src *[8 * blockSize]byte, key *[KeySize]byte, nonce *[chacha20.NonceSize]byte, counter uint32)

// seal encrypts tag and m and puts them and their MAC into out. m may lie in out.
func (s *state) seal(out, m, ad []byte, tag Tag) {
	body := out[1 : 1+len(m)]
	if !apart(body, m) {
		copy(body, m)
		m = body
	}
	s.begin(byte(tag), m)
	s.finish(body, m)
	s.authenticate(ad, s.head[blockSize:], body)
	copy(out[1+len(m):], s.mac[:])
	out[0] = s.head[blockSize]
}

// open checks c and then decrypts its message, which begins with dst and may do so in c, and its tag. Nothing is written when it
// is not authentic.
func (s *state) open(dst, c, ad []byte) (Tag, error) {
	n := len(c) - Overhead
	m := c[1 : 1+n]
	s.begin(c[0], m)
	tag := Tag(s.head[blockSize])
	s.head[blockSize] = c[0]
	s.authenticate(ad, s.head[blockSize:], m)
	if subtle.ConstantTimeCompare(s.mac[:], c[1+n:]) != 1 {
		clear(s.pad[:])
		return 0, ErrAuth
	}
	dst = dst[:n]
	if !apart(dst, m) {
		copy(dst, m)
		m = dst
	}
	s.finish(dst, m)
	return tag, nil
}

// begin makes the first eight blocks. Block 0 and the tag block, encrypted or decrypted, are in s.head then, and the first six
// blocks of the message m in s.pad, where finish needs them.
func (s *state) begin(tag byte, m []byte) {
	clear(s.pad[:len(s.head)])
	s.pad[blockSize] = tag
	copy(s.pad[len(s.head):], m)
	s.eight(&s.pad, &s.pad, &s.key, &s.nonce, 0)
	copy(s.head[:], s.pad[:])
}

// finish encrypts or decrypts the message m, of which begin has done the beginning, to dst. Both are the same or apart.
func (s *state) finish(dst, m []byte) {
	n := copy(dst, s.pad[len(s.head):])
	dst, m = dst[n:], m[n:]
	counter := uint32(len(s.pad) / blockSize)
	for ; len(m) >= len(s.pad); counter += uint32(len(s.pad) / blockSize) {
		to, from := (*[len(s.pad)]byte)(dst), (*[len(s.pad)]byte)(m)
		s.eight(to, from, &s.key, &s.nonce, counter)
		dst, m = dst[len(s.pad):], m[len(s.pad):]
	}
	if len(m) > 0 {
		copy(s.pad[:], m)
		s.eight(&s.pad, &s.pad, &s.key, &s.nonce, counter)
		copy(dst, s.pad[:])
	}
	clear(s.pad[:])
}

// apart reports whether a and b have no byte in common.
func apart(a, b []byte) bool {
	p, q := uintptr(unsafe.Pointer(unsafe.SliceData(a))), uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	return p+uintptr(len(a)) <= q || q+uintptr(len(b)) <= p
}
