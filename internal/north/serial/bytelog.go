package serial

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

const (
	defaultLogSize = 10 << 20
	logQueue       = 1 << 20 // bytes that wait for the disk
)

// byteLog takes what passes and writes it when the disk can; what has no room is counted.
type byteLog struct {
	mu     sync.Mutex
	lines  []byte
	missed int
	wake   chan struct{}
}

// trace is told of bytes when they pass.
func (b *byteLog) trace(toLine bool, data []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now() // with the lock, so that the times of both directions never go back
	if len(b.lines) > logQueue {
		b.missed += len(data)
		return
	}
	if b.missed > 0 {
		b.lines = fmt.Appendf(b.lines, "%s ! %d bytes are missing here: the disk was too slow\n", now.UTC().Format(stampFormat), b.missed)
		b.missed = 0
	}
	b.lines = appendLines(b.lines, now, toLine, data)
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

const stampFormat = "2006-01-02T15:04:05.000000Z"

// appendLines writes 16 bytes a line: time, direction, hexadecimal, text.
func appendLines(dst []byte, at time.Time, toLine bool, data []byte) []byte {
	arrow := "<"
	if toLine {
		arrow = ">"
	}
	stamp := at.UTC().Format(stampFormat)
	for len(data) > 0 {
		n := min(16, len(data))
		text := strings.Map(func(r rune) rune {
			if r < ' ' || r > '~' {
				return '.'
			}
			return r
		}, string(latin1(data[:n])))
		dst = fmt.Appendf(dst, "%s %s %-47s  %s\n", stamp, arrow, fmt.Sprintf("% x", data[:n]), text)
		data = data[n:]
	}
	return dst
}

func latin1(b []byte) []rune {
	out := make([]rune, len(b))
	for i, c := range b {
		out[i] = rune(c)
	}
	return out
}

// serveLog keeps the log of a port until ctx ends. It opens nothing: it sees what passes while somebody has the port.
func (o *offer) serveLog(ctx context.Context) (err error) {
	p := &o.port
	f, err := os.OpenFile(p.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return &driver.Error{Op: "log", Target: p.Log, Class: driver.Auth, Err: err, Hint: "choose a file in a folder that is there and that patchbay may write"}
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	most := p.LogSize
	if most <= 0 {
		most = defaultLogSize
	}
	b := &byteLog{wake: make(chan struct{}, 1)}
	s, err := o.d.cfg.Streams.OpenStream(ctx, driver.Who{Door: "log"}, p.Device, p.Path, north.StreamOptions{Hold: p.Observe, Granted: true, Line: p.Line, Trace: b.trace})
	if err != nil {
		return err
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = s.Read(make([]byte, 1)) // it ends with the device; the bytes come to trace
	}()
	defer func() {
		s.Close()
		<-gone
	}()
	for done := false; !done; {
		select {
		case <-ctx.Done():
			done = true
			s.Close()
		case <-gone:
			done = true
		case <-b.wake:
		}
		b.mu.Lock()
		lines := b.lines
		b.lines = nil
		b.mu.Unlock()
		n, err := f.Write(lines)
		if size += int64(n); err != nil {
			return err
		}
		if size > most {
			if err := f.Close(); err != nil {
				return err
			}
			if err := os.Rename(p.Log, p.Log+".1"); err != nil {
				return err
			}
			if f, err = os.OpenFile(p.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
				return err
			}
			size = 0
		}
	}
	return nil
}
