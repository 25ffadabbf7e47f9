package access

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
)

// tokenPrefix makes a token recognisable, for people and for programs that look for secrets in the wrong place.
const tokenPrefix = "pb_"

// NewToken makes a token of 256 random bits and the SHA-256 of it, in hex, that configuration keeps.
func NewToken(rand io.Reader) (token, sum string, err error) {
	b := make([]byte, 32)
	if _, err := io.ReadFull(rand, b); err != nil {
		return "", "", fmt.Errorf("random bytes: %w", err)
	}
	token = tokenPrefix + base64.RawURLEncoding.EncodeToString(b)
	s := sumOf(token)
	return token, hex.EncodeToString(s[:]), nil
}

type sum [sha256.Size]byte

func sumOf(secret string) sum { return sha256.Sum256([]byte(secret)) }

// CheckSum says what is wrong with the SHA-256 of a token as configuration writes it.
func CheckSum(text string) error {
	_, err := parseSum(text)
	return err
}

func parseSum(text string) (s sum, err error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(s) {
		return s, fmt.Errorf("sha256 must be the 64 hexadecimal digits that `patchbay user token` prints, not the token itself")
	}
	return sum(b), nil
}
