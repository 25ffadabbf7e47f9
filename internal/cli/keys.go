package cli

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/keys"
)

// keyDir is where the identities are kept that drivers make of themselves.
func keyDir(env Env) (keys.Dir, error) {
	dir, err := stateDir(env)
	return keys.Dir{Path: filepath.Join(dir, "keys")}, err
}

// keyStore is that folder, or the memory of this process where there is none.
func keyStore(env Env) driver.KeyStore {
	if d, err := keyDir(env); err == nil {
		return d
	}
	return new(memoryKeys)
}

// memoryKeys keeps keys as long as the process lives. The zero value is empty and ready.
type memoryKeys struct {
	mu   sync.Mutex
	keys map[string][]byte
}

// Load implements driver.KeyStore.
func (k *memoryKeys) Load(name string) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	v, ok := k.keys[name]
	if !ok {
		return nil, fmt.Errorf("key %s: %w", name, fs.ErrNotExist)
	}
	return append([]byte(nil), v...), nil
}

// Store implements driver.KeyStore.
func (k *memoryKeys) Store(name string, value []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.keys == nil {
		k.keys = map[string][]byte{}
	}
	k.keys[name] = append([]byte(nil), value...)
	return nil
}
