package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"time"
)

const (
	defaultSize = 10 << 20
	defaultKeep = 5
)

// rotating is the file. One goroutine uses it.
type rotating struct {
	name string
	max  int64
	keep int
	f    *os.File // nil after a failure to open it again
	size int64
}

func openRotating(o Options) (*rotating, error) {
	r := &rotating{name: o.File, max: o.MaxSize, keep: o.Keep}
	if r.max <= 0 {
		r.max = defaultSize
	}
	if r.keep <= 0 {
		r.keep = defaultKeep
	}
	if err := r.open(); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *rotating) open() error {
	f, err := os.OpenFile(r.name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("audit file: %w", err)
	}
	info, err := f.Stat()
	if err == nil && runtime.GOOS != "windows" && info.Mode().IsRegular() && info.Mode().Perm()&0o007 != 0 {
		err = fmt.Errorf("others can read or change it; run: chmod 600 %s", r.name)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("audit file %s: %w", r.name, err), f.Close())
	}
	r.f, r.size = f, info.Size()
	return nil
}

// write appends entries as JSON lines, each whole in one file.
func (r *rotating) write(entries []Entry) error {
	if r.f == nil {
		if err := r.open(); err != nil {
			return err
		}
	}
	var lines bytes.Buffer
	for i := range entries {
		b, err := json.Marshal(&entries[i])
		if err != nil {
			return err
		}
		if r.size+int64(lines.Len()+len(b)) >= r.max && r.size+int64(lines.Len()) > 0 {
			if err := r.flush(&lines); err != nil {
				return err
			}
			if err := r.rotate(); err != nil {
				return err
			}
		}
		lines.Write(append(b, '\n'))
	}
	return r.flush(&lines)
}

func (r *rotating) flush(lines *bytes.Buffer) error {
	n, err := r.f.Write(lines.Bytes())
	r.size += int64(n)
	lines.Reset()
	return err
}

// rotate puts the file aside as NAME.1, NAME.1 as NAME.2 and so on; the last one goes.
func (r *rotating) rotate() error {
	err := r.f.Close()
	r.f = nil
	if err != nil {
		return err
	}
	aside := func(i int) string { return r.name + "." + strconv.Itoa(i) }
	for i := r.keep - 1; i >= 1; i-- {
		if err := os.Rename(aside(i), aside(i+1)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := os.Rename(r.name, aside(1)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return r.open()
}

func (r *rotating) close() error {
	if r.f == nil {
		return nil
	}
	err := r.f.Close()
	r.f = nil
	return err
}

func lostEntry(n int) Entry {
	return Entry{At: time.Now().UTC().Truncate(time.Millisecond), What: Lost, Why: strconv.Itoa(n) + " entries did not get into this file"}
}
