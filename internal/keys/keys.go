// Package keys keeps the identities that drivers make of themselves, such as the key that a device has approved, in a folder
// of files that only their owner can read.
package keys

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// MaxSize is the longest value, in bytes.
const MaxSize = 64 << 10

// Dir is a folder of keys; it is made when the first key is stored. The methods may be called at the same time, by several
// processes too.
type Dir struct{ Path string }

var (
	goodName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,127}$`)
	errName  = errors.New("a key is named with a-z, 0-9, '.', '-' and '_'")
	errSize  = fmt.Errorf("a key has at most %d bytes", MaxSize)
	errWide  = errors.New("others than its owner can read it")
)

// suffix tells the keys from what an editor leaves in the folder.
const suffix = ".key"

func (d Dir) file(name string) (string, error) {
	if !goodName.MatchString(name) || strings.HasSuffix(name, suffix) {
		return "", fmt.Errorf("key %q: %w", name, errName)
	}
	return filepath.Join(d.Path, name+suffix), nil
}

// Load gives a key; the error satisfies errors.Is(err, fs.ErrNotExist) when there is none. A file that others can read is an
// error, since the key may be known to them.
func (d Dir) Load(name string) ([]byte, error) {
	file, err := d.file(name)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", name, err)
	}
	if err := private(info); err != nil {
		return nil, fmt.Errorf("key file %s: %w; make it private with chmod 600, or remove it and pair again", file, err)
	}
	if info.Size() > MaxSize {
		return nil, fmt.Errorf("key %s: %w", name, errSize)
	}
	return os.ReadFile(file)
}

// Store keeps a key in the place of the one of that name. It is there as a whole or not at all.
func (d Dir) Store(name string, value []byte) (err error) {
	file, err := d.file(name)
	if err != nil {
		return err
	}
	if len(value) > MaxSize {
		return fmt.Errorf("key %s: %w", name, errSize)
	}
	if err := os.MkdirAll(d.Path, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(d.Path, ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if _, err = f.Write(value); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}

// Remove forgets a key; the error satisfies errors.Is(err, fs.ErrNotExist) when there is none.
func (d Dir) Remove(name string) error {
	file, err := d.file(name)
	if err != nil {
		return err
	}
	if err := os.Remove(file); err != nil {
		return fmt.Errorf("key %s: %w", name, err)
	}
	return nil
}

// List names the keys whose name begins with prefix, in alphabetical order. A folder that is not there has none.
func (d Dir) List(prefix string) ([]string, error) {
	entries, err := os.ReadDir(d.Path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), suffix); ok && goodName.MatchString(name) && strings.HasPrefix(name, prefix) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out, nil
}
