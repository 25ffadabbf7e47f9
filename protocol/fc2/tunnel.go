package fc2

import (
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/patchbay-io/patchbay/protocol/secretstream"
)

// Sizes of the tunnel in bytes.
const (
	// MaxPlain is the most that one record carries.
	MaxPlain = 1283
	// MaxRecord is the longest ciphertext of a record, which has 17 bytes more than what it carries.
	MaxRecord = MaxPlain + secretstream.Overhead
	// NonceSize is the length of what each side sends first.
	NonceSize = 32
)

// Errors of the tunnel. After any of them it is over: nothing that comes can be trusted.
var (
	ErrRecord    = errors.New("a record is not authentic: changed, cut, repeated, or made with another key")
	ErrLong      = fmt.Errorf("a record is longer than %d bytes", MaxRecord)
	ErrShort     = errors.New("a record is shorter than an empty one")
	ErrTag       = errors.New("a record has another tag than MESSAGE")
	ErrEcho      = errors.New("the other side did not send back what it was sent: it has not the key")
	ErrSameNonce = errors.New("the other side's first record repeats ours")
	ErrNonce     = fmt.Errorf("a record of the handshake is not %d bytes long", NonceSize)
	ErrNotReady  = errors.New("the handshake is not finished")
)

// Tunnel is one end of an encrypted connection: bytes of WebSocket messages in, the other side's stream out, and the other
// way round. It is a state machine without I/O and not safe for concurrent use, except that Seal may run beside Receive once
// Ready is true.
type Tunnel struct {
	key    [KeySize]byte
	side   Side
	header [secretstream.HeaderSize]byte
	nonce  [NonceSize]byte
	push   *secretstream.Pusher
	pull   *secretstream.Puller // nil until the other side's header has come
	sent   bool                 // our header has left
	peer   [NonceSize]byte      // what the other side sent first
	step   int                  // records of the handshake that have come
	buf    []byte               // received; from used on not yet looked at
	used   int
	plain  []byte
	over   error

	scratch []byte // what a record is decrypted into
}

// NewTunnel makes an end of a tunnel under a session key. Header and nonce come from random.
func NewTunnel(key [KeySize]byte, side Side, random io.Reader) (*Tunnel, error) {
	t := &Tunnel{key: key, side: side, scratch: make([]byte, 0, MaxRecord+secretstream.Room)}
	var err error
	if t.push, t.header, err = secretstream.NewPusher(key[:], random); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(random, t.nonce[:]); err != nil {
		return nil, err
	}
	return t, nil
}

// Start appends the first message of a client. A server says nothing before it has heard the client, since whether Focusrite
// Control 2 does is not known.
func (t *Tunnel) Start(dst []byte) []byte {
	if t.side == Client {
		return t.seal(dst, t.nonce[:])
	}
	return dst
}

// Ready reports whether the handshake is finished.
func (t *Tunnel) Ready() bool { return t.step == 2 && t.over == nil }

// Receive takes bytes that have come and appends what is to be sent now (records of the handshake) to dst. What the other
// side said is then read with [Tunnel.Plain].
func (t *Tunnel) Receive(dst, b []byte) ([]byte, error) {
	if t.over != nil {
		return dst, t.over
	}
	t.buf = append(t.buf, b...)
	defer t.compact()
	for t.over == nil {
		record, ok := t.next()
		if !ok {
			break
		}
		plain, tag, err := t.pull.Pull(t.scratch, record, nil)
		switch {
		case err != nil:
			t.over = ErrRecord
		case tag != secretstream.TagMessage:
			t.over = ErrTag
		case t.step < 2:
			dst = t.shake(dst, plain)
		default:
			t.plain = append(t.plain, plain...)
		}
	}
	return dst, t.over
}

// compact makes room for what comes next.
func (t *Tunnel) compact() {
	t.buf = append(t.buf[:0], t.buf[t.used:]...)
	t.used = 0
}

// next takes the next whole record out of what has come. The length is believed only within the limit.
func (t *Tunnel) next() ([]byte, bool) {
	left := t.buf[t.used:]
	if t.pull == nil {
		if len(left) < secretstream.HeaderSize {
			return nil, false
		}
		t.pull, t.over = secretstream.NewPuller(t.key[:], left[:secretstream.HeaderSize])
		left = left[secretstream.HeaderSize:]
		t.used += secretstream.HeaderSize
	}
	if len(left) < 2 || t.over != nil {
		return nil, false
	}
	n := int(binary.BigEndian.Uint16(left))
	switch {
	case n > MaxRecord:
		t.over = ErrLong
	case n < secretstream.Overhead:
		t.over = ErrShort
	case len(left) >= 2+n:
		t.used += 2 + n
		return left[2 : 2+n], true
	}
	return nil, false
}

// shake goes on with the handshake.
func (t *Tunnel) shake(dst, plain []byte) []byte {
	if len(plain) != NonceSize {
		t.over = ErrNonce
		return dst
	}
	t.step++
	if t.step == 1 {
		copy(t.peer[:], plain)
		if subtle.ConstantTimeCompare(t.peer[:], t.nonce[:]) == 1 {
			t.over = ErrSameNonce
			return dst
		}
		if t.side == Server {
			dst = t.seal(dst, t.nonce[:])
		}
		return t.seal(dst, t.peer[:])
	}
	if subtle.ConstantTimeCompare(plain, t.nonce[:]) != 1 {
		t.over = ErrEcho
	}
	return dst
}

// Plain gives what the other side has said since the last call. It is valid until the next Receive.
func (t *Tunnel) Plain() []byte {
	p := t.plain
	t.plain = t.plain[:0]
	return p
}

// Seal appends the records of b, each whole, so that the result can be one WebSocket message.
func (t *Tunnel) Seal(dst, b []byte) ([]byte, error) {
	if t.step < 2 {
		return dst, ErrNotReady
	}
	for len(b) > 0 {
		n := min(len(b), MaxPlain)
		dst = t.seal(dst, b[:n])
		b = b[n:]
	}
	return dst, nil
}

// seal appends one record, and the header ahead of the first: both in one WebSocket message, since some readers want that.
func (t *Tunnel) seal(dst, plain []byte) []byte {
	if !t.sent {
		t.sent = true
		dst = append(dst, t.header[:]...)
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(plain)+secretstream.Overhead))
	out, err := t.push.Push(dst, plain, nil, secretstream.TagMessage)
	if err != nil { // a message of at most MaxPlain bytes cannot be too long
		t.over = err
		return dst
	}
	return out
}
