package fc2

import (
	"crypto/ecdh"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/blake2b"
)

// KeySize is the length of keys in bytes.
const KeySize = 32

// FirstPort is the first TCP port that a server tries for its secure endpoint; the onboarding endpoint has the next. The
// maker's firewall rule covers 1,000 ports from here.
const FirstPort = 58322

// Errors of keys.
var (
	ErrKey = fmt.Errorf("a key is %d bytes, or %d hexadecimal digits", KeySize, 2*KeySize)
	// ErrWeakKey is the answer to a public key with which every secret would be the same.
	ErrWeakKey = errors.New("the other side's public key is none that can be used")
)

// PublicKey is an X25519 public key. It is comparable.
type PublicKey [KeySize]byte

// String is the key as 64 hexadecimal digits in lower case.
func (k PublicKey) String() string { return hex.EncodeToString(k[:]) }

// IsZero reports whether the key is all zeros, which none is.
func (k PublicKey) IsZero() bool { return k == PublicKey{} }

// Path is where the secure endpoint expects the program with the key: a slash and 64 digits.
func (k PublicKey) Path() string { return "/" + k.String() }

// ParsePublicKey reads 64 hexadecimal digits in either case.
func ParsePublicKey(s string) (PublicKey, error) {
	var k PublicKey
	b, err := hex.DecodeString(strings.TrimSpace(s))
	if err != nil || len(b) != KeySize {
		return k, ErrKey
	}
	copy(k[:], b)
	if k.IsZero() {
		return k, ErrKey
	}
	return k, nil
}

// KeyOfPath is the key that a path of the secure endpoint names; false for every other path.
func KeyOfPath(path string) (PublicKey, bool) {
	digits, ok := strings.CutPrefix(path, "/")
	if !ok || len(digits) != 2*KeySize {
		return PublicKey{}, false
	}
	k, err := ParsePublicKey(digits)
	return k, err == nil
}

// KeyOfTXT finds a server's public key among the texts of its DNS-SD record: the first value that is 64 hexadecimal digits.
// What the text is called is not known.
func KeyOfTXT(texts []string) (PublicKey, bool) {
	for _, t := range texts {
		if _, v, ok := strings.Cut(t, "="); ok {
			t = v
		}
		if k, err := ParsePublicKey(t); err == nil && len(t) == 2*KeySize {
			return k, true
		}
	}
	return PublicKey{}, false
}

// Identity is a key pair. Its printed forms show the public half alone.
type Identity struct {
	secret *ecdh.PrivateKey
	public PublicKey
}

// NewIdentity makes a key pair from 32 random bytes.
func NewIdentity(random io.Reader) (Identity, error) {
	var b [KeySize]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return Identity{}, err
	}
	return IdentityOf(b[:])
}

// IdentityOf is the key pair with a secret key of 32 bytes.
func IdentityOf(secret []byte) (Identity, error) {
	s, err := ecdh.X25519().NewPrivateKey(secret)
	if err != nil {
		return Identity{}, ErrKey
	}
	id := Identity{secret: s}
	copy(id.public[:], s.PublicKey().Bytes())
	return id, nil
}

// Public is the public key.
func (id Identity) Public() PublicKey { return id.public }

// Secret is a copy of the secret key, for the place where it is kept.
func (id Identity) Secret() []byte { return id.secret.Bytes() }

// IsZero reports whether there is no key pair.
func (id Identity) IsZero() bool { return id.secret == nil }

// String is the public key.
func (id Identity) String() string { return id.public.String() }

// GoString is the public key.
func (id Identity) GoString() string { return "fc2.Identity(" + id.public.String() + ")" }

// Side says which end of a connection one is.
type Side uint8

// The sides.
const (
	Client Side = iota
	Server
)

// SessionKey is the key of the tunnel to a peer; side is one's own. It is the first half of what libsodium's crypto_kx makes,
// BLAKE2b-512 over the X25519 secret and the public keys of client and server. Focusrite Control 2 uses that half for both
// directions, and the other half not at all.
func (id Identity) SessionKey(peer PublicKey, side Side) ([KeySize]byte, error) {
	var key [KeySize]byte
	shared, err := id.shared(peer)
	if err != nil {
		return key, err
	}
	client, server := id.public, peer
	if side == Server {
		client, server = peer, id.public
	}
	var in [3 * KeySize]byte
	copy(in[:], shared)
	copy(in[KeySize:], client[:])
	copy(in[2*KeySize:], server[:])
	sum := blake2b.Sum512(in[:])
	copy(key[:], sum[:])
	return key, nil
}

func (id Identity) shared(peer PublicKey) ([]byte, error) {
	if id.secret == nil {
		return nil, ErrKey
	}
	p, err := ecdh.X25519().NewPublicKey(peer[:])
	if err != nil {
		return nil, ErrWeakKey
	}
	shared, err := id.secret.ECDH(p)
	if err != nil {
		return nil, ErrWeakKey
	}
	return shared, nil
}
