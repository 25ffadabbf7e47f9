package access

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Parameters of new hashes: the first choice of OWASP for argon2id, 19 MiB and two passes.
const (
	newMemory = 19 * 1024 // KiB
	newPasses = 2
	newLanes  = 1
	saltLen   = 16
	keyLen    = 32
)

// Limits of hashes that configuration brings along. A hash decides how much memory its check takes.
const (
	maxMemory = 256 * 1024 // KiB
	maxPasses = 16
	maxLanes  = 16
	maxSecret = 1024 // bytes of a password or token that is looked at
)

// MinPassword is the shortest password that [HashPassword] takes, in bytes.
const MinPassword = 8

// HashPassword makes the argon2id hash of a password in the usual text form, $argon2id$v=19$m=…,t=…,p=…$salt$hash. It
// takes some 19 MiB of memory while it runs.
func HashPassword(password string, rand io.Reader) (string, error) {
	switch {
	case len(password) < MinPassword:
		return "", fmt.Errorf("the password has %d bytes; take at least %d, a few words for example", len(password), MinPassword)
	case len(password) > maxSecret:
		return "", fmt.Errorf("the password has %d bytes; take at most %d", len(password), maxSecret)
	}
	salt := make([]byte, saltLen)
	if _, err := io.ReadFull(rand, salt); err != nil {
		return "", fmt.Errorf("random bytes: %w", err)
	}
	key := argon2.IDKey([]byte(password), salt, newPasses, newMemory, newLanes, keyLen)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, newMemory, newPasses, newLanes,
		b64.EncodeToString(salt), b64.EncodeToString(key)), nil
}

// hash is a password hash taken apart.
type hash struct {
	memory, passes uint32
	lanes          uint8
	salt, key      []byte
}

// CheckHash says what is wrong with the text of a password hash.
func CheckHash(text string) error {
	_, err := parseHash(text)
	return err
}

var errNoHash = errors.New("this is no argon2id hash; make one with `patchbay user add`")

func parseHash(text string) (*hash, error) {
	parts := strings.Split(text, "$")
	if len(text) > maxSecret || len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return nil, errNoHash
	}
	if parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return nil, fmt.Errorf("argon2id version %q is not known; make a new hash with `patchbay user add`", parts[2])
	}
	var h hash
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.passes, &h.lanes); err != nil || n != 3 ||
		parts[3] != fmt.Sprintf("m=%d,t=%d,p=%d", h.memory, h.passes, h.lanes) {
		return nil, errNoHash
	}
	if h.lanes < 1 || h.lanes > maxLanes || h.passes < 1 || h.passes > maxPasses || h.memory < 8*uint32(h.lanes) || h.memory > maxMemory {
		return nil, fmt.Errorf("the parameters %q of the hash are out of bounds: m up to %d, t up to %d, p up to %d", parts[3], maxMemory, maxPasses, maxLanes)
	}
	var err error
	if h.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil || len(h.salt) < 8 || len(h.salt) > 64 {
		return nil, errNoHash
	}
	if h.key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(h.key) < 16 || len(h.key) > 64 {
		return nil, errNoHash
	}
	return &h, nil
}

// matches takes as long and as much memory as the hash asks for.
func (h *hash) matches(password string) bool {
	key := argon2.IDKey([]byte(password), h.salt, h.passes, h.memory, h.lanes, uint32(len(h.key)))
	return subtle.ConstantTimeCompare(key, h.key) == 1
}

// stranger is checked in place of the hash of a user who does not exist, so that the time of an answer does not tell.
func stranger() *hash {
	return &hash{memory: newMemory, passes: newPasses, lanes: newLanes, salt: make([]byte, saltLen), key: make([]byte, keyLen)}
}
