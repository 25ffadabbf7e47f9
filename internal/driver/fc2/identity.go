package fc2

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/fc2"
)

// IdentityName is the name of this program's key pair in the key store. One serves all servers: each keeps its own approval.
const IdentityName = "fc2-identity"

// OwnIdentityName is the name of the key pair that serves one computer instead, since the pairing with it was forgotten.
func OwnIdentityName(host string) string { return IdentityName + "-" + device.Slug(host) }

// ServerName is the name in the key store of the public key of a server.
func ServerName(host string) string { return "fc2-server-" + device.Slug(host) }

// Identity is this program's key pair for the computer host, made once and kept.
func Identity(keys driver.KeyStore, random io.Reader, host string) (fc2.Identity, error) {
	if keys != nil {
		id, err := kept(keys, OwnIdentityName(host))
		if !errors.Is(err, fs.ErrNotExist) {
			return id, err
		}
	}
	return identity(keys, random, IdentityName)
}

// renounced reports whether id is not this program's key pair for the computer host any more: its file was removed, or another key pair
// has taken its place. What cannot be read now says nothing.
func renounced(keys driver.KeyStore, id fc2.Identity, host string) bool {
	for _, name := range []string{OwnIdentityName(host), IdentityName} {
		now, err := kept(keys, name)
		switch {
		case err == nil:
			return now.Public() != id.Public()
		case !errors.Is(err, fs.ErrNotExist):
			return false
		}
	}
	return true
}

// identity is the key pair of a name, made once and kept.
func identity(keys driver.KeyStore, random io.Reader, name string) (fc2.Identity, error) {
	if keys != nil {
		id, err := kept(keys, name)
		if !errors.Is(err, fs.ErrNotExist) {
			return id, err
		}
	}
	return renewed(keys, random, name)
}

// renewed is a new key pair, kept under a name in the place of the one that was there.
func renewed(keys driver.KeyStore, random io.Reader, name string) (fc2.Identity, error) {
	if random == nil {
		random = rand.Reader
	}
	id, err := fc2.NewIdentity(random)
	if err != nil {
		return id, fmt.Errorf("no random numbers for an identity: %w", err)
	}
	if keys != nil {
		if err := keys.Store(name, []byte(hex.EncodeToString(id.Secret()))); err != nil {
			return id, fmt.Errorf("the identity cannot be kept, so that a pairing would be lost: %w", err)
		}
	}
	return id, nil
}

// kept is the key pair of a name as it is in the key store; the error satisfies errors.Is(err, fs.ErrNotExist) when there is
// none. One that cannot be had is never replaced: what was paired with it would be lost without a word.
func kept(keys driver.KeyStore, name string) (fc2.Identity, error) {
	b, err := keys.Load(name)
	if errors.Is(err, fs.ErrNotExist) {
		return fc2.Identity{}, err
	}
	if err != nil {
		return fc2.Identity{}, fmt.Errorf("the identity cannot be read: %w", err)
	}
	secret, err := hex.DecodeString(strings.TrimSpace(string(b)))
	if err == nil {
		var id fc2.Identity
		if id, err = fc2.IdentityOf(secret); err == nil {
			return id, nil
		}
	}
	return fc2.Identity{}, fmt.Errorf("the identity in the key store is damaged: %w; remove %s and pair again", err, name)
}

var errNoServerKey = errors.New("the server's public key is not known")

// serverKey is the key of the options, else the one that is kept from an earlier connection.
func serverKey(env driver.Env, opts *Options, host string) (fc2.PublicKey, error) {
	if opts.ServerKey != "" {
		return fc2.ParsePublicKey(opts.ServerKey)
	}
	if env.Keys != nil {
		switch b, err := env.Keys.Load(ServerName(host)); {
		case err == nil:
			return fc2.ParsePublicKey(string(b))
		case !errors.Is(err, fs.ErrNotExist):
			return fc2.PublicKey{}, fmt.Errorf("the server's public key cannot be read: %w", err)
		}
	}
	return fc2.PublicKey{}, errNoServerKey
}
