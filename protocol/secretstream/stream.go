package secretstream

import (
	"crypto/cipher"
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/crypto/chacha20"
	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/crypto/poly1305" //nolint:staticcheck // deprecated as a building block, which is what is wanted here: the MAC input is not that of the AEAD
)

// Sizes in bytes.
const (
	KeySize    = 32
	HeaderSize = 24
	// Overhead is how much longer than its message an encrypted message is.
	Overhead = 1 + poly1305.TagSize
	// Room is how much more than its message a buffer must have to encrypt or decrypt into it without allocating. The
	// additional bytes are work space.
	Room = blockSize + 2*poly1305.TagSize

	blockSize = 64
)

// MaxMessage is the longest message in bytes: the ChaCha20 stream has no more blocks.
const MaxMessage uint64 = blockSize * (1<<32 - 2)

// Tag goes with each message, encrypted and authenticated with it.
type Tag uint8

// The tags. Other values are carried as they are; bit 2 of any of them asks for new keys.
const (
	TagMessage Tag = 0
	TagPush    Tag = 1                  // the end of a set of messages
	TagRekey   Tag = 2                  // the keys change after this message
	TagFinal   Tag = TagPush | TagRekey // the end of the stream
)

var tagNames = [...]string{"message", "push", "rekey", "final"}

// String is libsodium's word for the tag in lower case, or its number.
func (t Tag) String() string {
	if int(t) < len(tagNames) {
		return tagNames[t]
	}
	return fmt.Sprintf("tag(%d)", uint8(t))
}

// The errors. After any of them the stream is as it was before the call.
var (
	ErrAuth   = errors.New("message does not authenticate: it is changed, out of order, or made with another key")
	ErrShort  = fmt.Errorf("encrypted message is shorter than %d bytes", Overhead)
	ErrLong   = errors.New("message is longer than the cipher's stream")
	ErrKey    = fmt.Errorf("key is not %d bytes long", KeySize)
	ErrHeader = fmt.Errorf("header is not %d bytes long", HeaderSize)
)

// state is one direction. The buffers are fields so that passing them through an interface allocates nothing.
type state struct {
	key   [KeySize]byte
	nonce [chacha20.NonceSize]byte // counter, then the part that the MACs change
	aead  cipher.AEAD              // of key; its ciphertext is the XOR with the stream from block 1 on
	eight eightBlocks              // or nil

	head [2 * blockSize]byte // blocks 0 and 1 of the stream; seal and open keep the tag block in the place of block 1
	pad  [8 * blockSize]byte // work space of seal and open, and zeros between them
	mac  [poly1305.TagSize]byte
}

func (s *state) init(key, header []byte) error {
	if len(key) != KeySize {
		return ErrKey
	}
	if len(header) != HeaderSize {
		return ErrHeader
	}
	k, err := chacha20.HChaCha20(key, header[:16])
	if err != nil {
		return err
	}
	copy(s.key[:], k)
	copy(s.nonce[counterSize:], header[16:])
	s.eight = vector()
	return s.start()
}

const counterSize = 4

// start begins with a new key: the counter is 1 again.
func (s *state) start() (err error) {
	binary.LittleEndian.PutUint32(s.nonce[:], 1)
	s.aead, err = chacha20poly1305.New(s.key[:])
	return err
}

// rekey makes key and nonce of themselves. The stream that it uses begins at block 0 of the present nonce.
func (s *state) rekey() error {
	var next [KeySize + chacha20.NonceSize - counterSize]byte
	copy(next[:], s.key[:])
	copy(next[KeySize:], s.nonce[counterSize:])
	if err := s.stream(next[:], next[:], 0); err != nil {
		return err
	}
	copy(s.key[:], next[:])
	copy(s.nonce[counterSize:], next[KeySize:])
	return s.start()
}

// stream is src XOR the cipher's stream from a block on.
func (s *state) stream(dst, src []byte, from uint32) error {
	c, err := chacha20.NewUnauthenticatedCipher(s.key[:], s.nonce[:])
	if err != nil {
		return err
	}
	c.SetCounter(from)
	c.XORKeyStream(dst, src)
	return nil
}

// asAEAD reports whether the MAC of a message of n bytes is that of the AEAD over tag block and message: where libsodium's n mod
// 16 zeros and the AEAD's -n mod 16 are as many. One pass then does everything.
func asAEAD(n int) bool { return n&7 == 0 }

// blocks fills those blocks of s.head with the stream.
func (s *state) blocks(from, to uint32) error {
	b := s.head[from*blockSize : to*blockSize]
	clear(b)
	return s.stream(b, b, from)
}

// authenticate leaves in s.mac the MAC of the encrypted tag block and message. The first block of the stream is in s.head.
func (s *state) authenticate(ad, block, message []byte) {
	var end [15 + 16]byte // zeros, as many as are wanted of 15, and the lengths
	binary.LittleEndian.PutUint64(end[15:], uint64(len(ad)))
	binary.LittleEndian.PutUint64(end[23:], uint64(len(block)+len(message)))
	m := poly1305.New((*[32]byte)(s.head[:32]))
	if len(ad) > 0 {
		_, _ = m.Write(ad)
		_, _ = m.Write(end[:-len(ad)&15])
	}
	_, _ = m.Write(block)
	_, _ = m.Write(message)
	_, _ = m.Write(end[15-len(message)&15:])
	m.Sum(s.mac[:0])
}

// advance goes on to the next message.
func (s *state) advance(tag Tag) error {
	subtle.XORBytes(s.nonce[counterSize:], s.nonce[counterSize:], s.mac[:len(s.nonce)-counterSize])
	n := binary.LittleEndian.Uint32(s.nonce[:]) + 1
	binary.LittleEndian.PutUint32(s.nonce[:], n)
	if tag&TagRekey != 0 || n == 0 {
		return s.rekey()
	}
	return nil
}

// Pusher encrypts the messages of one stream. It is not safe for concurrent use.
type Pusher struct{ s state }

// NewPusher starts a stream under key and returns its header, which the receiver needs first. The header is read from random;
// nil is crypto/rand, and anything else than a source of random bytes is for tests.
func NewPusher(key []byte, random io.Reader) (*Pusher, [HeaderSize]byte, error) {
	var header [HeaderSize]byte
	if random == nil {
		random = rand.Reader
	}
	if _, err := io.ReadFull(random, header[:]); err != nil {
		return nil, header, err
	}
	p := new(Pusher)
	if err := p.s.init(key, header[:]); err != nil {
		return nil, header, err
	}
	return p, header, nil
}

// Push appends the encrypted m, [Overhead] bytes longer than m, to dst and returns the result. ad is authenticated with it and
// not sent. With room for len(m)+[Room] bytes in dst, nothing is allocated, save a new cipher with new keys; what lies in dst
// behind its length is overwritten that far. m may lie there, ad must not.
func (p *Pusher) Push(dst, m, ad []byte, tag Tag) ([]byte, error) {
	if uint64(len(m)) > MaxMessage {
		return dst, ErrLong
	}
	s, at := &p.s, len(dst)
	dst = slices.Grow(dst, len(m)+Room)
	end := at + len(m) + Overhead
	if s.eight != nil && !asAEAD(len(m)) {
		s.seal(dst[at:end], m, ad, tag)
	} else if err := s.sealAEAD(dst[at:at+blockSize+len(m)], m, ad, tag); err != nil {
		return dst[:at], err
	}
	if err := s.advance(tag); err != nil {
		return dst[:at], err
	}
	return dst[:end], nil
}

// sealAEAD leaves in the first bytes of work what seal does. work has room for a block more than the message, and for the MAC
// of the AEAD behind its length.
func (s *state) sealAEAD(work, m, ad []byte, tag Tag) error {
	copy(work[blockSize:], m) // first, since m may lie in the way of the block
	clear(work[:blockSize])
	work[0] = byte(tag)
	if asAEAD(len(m)) {
		copy(s.mac[:], s.aead.Seal(work[:0], s.nonce[:], work, ad)[len(work):])
	} else {
		if err := s.blocks(0, 1); err != nil {
			return err
		}
		s.aead.Seal(work[:0], s.nonce[:], work, nil) // for the stream; its MAC, of another input than ours, lands behind
		s.authenticate(ad, work[:blockSize], work[blockSize:])
	}
	copy(work[1:], work[blockSize:])
	copy(work[len(work)-blockSize+1:len(work)+len(s.mac)], s.mac[:])
	return nil
}

// Rekey changes the keys without a message; the other side has to do the same at the same place.
func (p *Pusher) Rekey() error { return p.s.rekey() }

// Puller decrypts the messages of one stream. It is not safe for concurrent use.
type Puller struct {
	s state
	// work is tag block and message as they are encrypted, while both are decrypted into the caller's buffer: the MAC needs them
	// together, and the block is known only with the stream. It grows to the longest message.
	work []byte
}

// NewPuller starts to read a stream under key, whose sender gave header.
func NewPuller(key, header []byte) (*Puller, error) {
	p := new(Puller)
	if err := p.s.init(key, header); err != nil {
		return nil, err
	}
	return p, nil
}

// Pull checks the encrypted message c with its ad, appends what it holds to dst and returns the result and the tag. After an
// error dst and the stream are as they were. With room for len(c)-[Overhead]+[Room] bytes in dst, nothing is allocated, save a
// new cipher with new keys, and work space when no message was as long; what lies in dst behind its length is overwritten that
// far, and not with a message that is not authentic. c may lie there, ad must not.
func (p *Puller) Pull(dst, c, ad []byte) ([]byte, Tag, error) {
	if len(c) < Overhead {
		return dst, 0, ErrShort
	}
	n := len(c) - Overhead
	if uint64(n) > MaxMessage {
		return dst, 0, ErrLong
	}
	at := len(dst)
	dst = slices.Grow(dst, n+Room)
	open := p.twoPasses
	switch {
	case asAEAD(n):
		open = p.onePass
	case p.s.eight != nil:
		open = p.s.open
	}
	tag, err := open(dst[at:at+blockSize+n], c, ad)
	if err != nil {
		return dst[:at], 0, err
	}
	if err := p.s.advance(tag); err != nil {
		return dst[:at], 0, err
	}
	return dst[:at+n], tag, nil
}

// onePass checks and decrypts c into the first bytes of work, which has room for a block more, with the AEAD. The state is left
// as it is, but for the MAC.
func (p *Puller) onePass(work, c, ad []byte) (Tag, error) {
	s := &p.s
	if err := s.blocks(1, 2); err != nil {
		return 0, err
	}
	copy(s.mac[:], c[len(c)-len(s.mac):])
	first := c[0] // which may lie in the way of the block
	copy(work[blockSize:len(work)+len(s.mac)], c[1:])
	tag := Tag(s.head[blockSize] ^ first)
	copy(work, s.head[blockSize:])
	work[0] = first
	if _, err := s.aead.Open(work[:0], s.nonce[:], work[:len(work)+len(s.mac)], ad); err != nil {
		return 0, ErrAuth
	}
	copy(work, work[blockSize:])
	return tag, nil
}

// twoPasses does the same where the AEAD's MAC is another one. It decrypts before it checks, as the AEAD does: with the stream
// comes what the tag block's 63 zeros are encrypted to.
func (p *Puller) twoPasses(work, c, ad []byte) (Tag, error) {
	s, n := &p.s, len(work)
	if err := s.blocks(0, 1); err != nil {
		return 0, err
	}
	var mac [poly1305.TagSize]byte
	copy(mac[:], c[len(c)-len(mac):])
	p.work = slices.Grow(p.work[:0], n)[:n]
	clear(p.work[:blockSize])
	p.work[0] = c[0]
	copy(p.work[blockSize:], c[1:])
	s.aead.Seal(work[:0], s.nonce[:], p.work, nil)
	tag := Tag(work[0])
	copy(p.work[1:blockSize], work[1:])
	s.authenticate(ad, p.work[:blockSize], p.work[blockSize:])
	if subtle.ConstantTimeCompare(s.mac[:], mac[:]) != 1 {
		clear(work)
		return 0, ErrAuth
	}
	copy(work, work[blockSize:])
	return tag, nil
}

// Rekey changes the keys without a message; the other side has to do the same at the same place.
func (p *Puller) Rekey() error { return p.s.rekey() }
