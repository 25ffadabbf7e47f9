package probe

import (
	"encoding/hex"
	"errors"
	"net"
	"strconv"
	"sync"
	"time"
)

// headSize is how many bytes of each direction are shown, maxBytes how many are read from a far end in one step.
const (
	headSize = 64
	maxBytes = 64 << 10
)

// errFlood is the end of a connection that sends more than a probe can want.
var errFlood = errors.New("it sends more than 64 KiB")

// Head is the beginning of what went one way.
type Head struct {
	Bytes []byte // at most 64
	Total int    // bytes in all
}

// MarshalJSON writes {"hex": …, "bytes": n}.
func (h Head) MarshalJSON() ([]byte, error) {
	return []byte(`{"hex":"` + hex.EncodeToString(h.Bytes) + `","bytes":` + strconv.Itoa(h.Total) + `}`), nil
}

func (h *Head) add(p []byte) {
	h.Bytes = append(h.Bytes, p[:min(len(p), headSize-len(h.Bytes))]...)
	h.Total += len(p)
}

// watched is a connection of a probe: it keeps the heads, and ends by itself after a time or too many bytes, whatever
// deadline its user sets.
type watched struct {
	net.Conn
	end time.Time

	mu      sync.Mutex
	out, in Head
}

func watch(c net.Conn, end time.Time) *watched {
	w := &watched{Conn: c, end: end}
	_ = c.SetDeadline(end)
	return w
}

func (w *watched) heads() (out, in Head) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out, w.in
}

// Read stops at the limit.
func (w *watched) Read(p []byte) (int, error) {
	w.mu.Lock()
	left := maxBytes - w.in.Total
	w.mu.Unlock()
	if left <= 0 {
		return 0, errFlood
	}
	n, err := w.Conn.Read(p[:min(len(p), left)])
	w.mu.Lock()
	w.in.add(p[:n])
	w.mu.Unlock()
	return n, err
}

// Write keeps the head of what is sent.
func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	w.out.add(p)
	w.mu.Unlock()
	return w.Conn.Write(p)
}

func (w *watched) cap(t time.Time) time.Time {
	if t.IsZero() || t.After(w.end) {
		return w.end
	}
	return t
}

// SetDeadline can make the end earlier and not later.
func (w *watched) SetDeadline(t time.Time) error { return w.Conn.SetDeadline(w.cap(t)) }

// SetReadDeadline can make the end earlier and not later.
func (w *watched) SetReadDeadline(t time.Time) error { return w.Conn.SetReadDeadline(w.cap(t)) }

// SetWriteDeadline can make the end earlier and not later.
func (w *watched) SetWriteDeadline(t time.Time) error { return w.Conn.SetWriteDeadline(w.cap(t)) }
