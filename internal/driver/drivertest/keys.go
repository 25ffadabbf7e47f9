package drivertest

import (
	"bytes"
	"io/fs"
	"maps"
	"sync"
)

// keys is a KeyStore in memory, one for each subtest.
type keys struct {
	mu   sync.Mutex
	kept map[string][]byte
}

func newKeys(kept map[string][]byte) *keys {
	k := &keys{kept: map[string][]byte{}}
	maps.Copy(k.kept, kept)
	return k
}

// Load implements driver.KeyStore.
func (k *keys) Load(name string) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	b, ok := k.kept[name]
	if !ok {
		return nil, &fs.PathError{Op: "load", Path: name, Err: fs.ErrNotExist}
	}
	return bytes.Clone(b), nil
}

// Store implements driver.KeyStore.
func (k *keys) Store(name string, b []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept[name] = bytes.Clone(b)
	return nil
}
