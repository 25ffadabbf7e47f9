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

// kept is the beginnings of both directions.
type kept struct {
	mu      sync.Mutex
	out, in Head
}

func (h *kept) heads() (out, in Head) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.out, h.in
}

func (h *kept) sent(p []byte) {
	h.mu.Lock()
	h.out.add(p)
	h.mu.Unlock()
}

func (h *kept) came(p []byte) {
	h.mu.Lock()
	h.in.add(p)
	h.mu.Unlock()
}

// left is how many bytes may still come.
func (h *kept) left() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maxBytes - h.in.Total
}

// watched is a connection of a probe: it keeps the heads, and ends by itself after a time or too many bytes, whatever
// deadline its user sets.
type watched struct {
	net.Conn
	kept
	end time.Time
}

func watch(c net.Conn, end time.Time) *watched {
	w := &watched{Conn: c, end: end}
	_ = c.SetDeadline(end)
	return w
}

// Read stops at the limit.
func (w *watched) Read(p []byte) (int, error) {
	left := w.left()
	if left <= 0 {
		return 0, errFlood
	}
	n, err := w.Conn.Read(p[:min(len(p), left)])
	w.came(p[:n])
	return n, err
}

// Write keeps the head of what is sent.
func (w *watched) Write(p []byte) (int, error) {
	w.sent(p)
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

// watchedPackets is the same for a packet connection.
type watchedPackets struct {
	net.PacketConn
	kept
	end time.Time
}

func watchPackets(p net.PacketConn, end time.Time) *watchedPackets {
	w := &watchedPackets{PacketConn: p, end: end}
	_ = p.SetDeadline(end)
	return w
}

// ReadFrom stops at the limit.
func (w *watchedPackets) ReadFrom(p []byte) (int, net.Addr, error) {
	if w.left() <= 0 {
		return 0, nil, errFlood
	}
	n, from, err := w.PacketConn.ReadFrom(p)
	w.came(p[:n])
	return n, from, err
}

// WriteTo keeps the head of what is sent.
func (w *watchedPackets) WriteTo(p []byte, to net.Addr) (int, error) {
	w.sent(p)
	return w.PacketConn.WriteTo(p, to)
}

func (w *watchedPackets) cap(t time.Time) time.Time {
	if t.IsZero() || t.After(w.end) {
		return w.end
	}
	return t
}

// SetDeadline can make the end earlier and not later.
func (w *watchedPackets) SetDeadline(t time.Time) error { return w.PacketConn.SetDeadline(w.cap(t)) }

// SetReadDeadline can make the end earlier and not later.
func (w *watchedPackets) SetReadDeadline(t time.Time) error {
	return w.PacketConn.SetReadDeadline(w.cap(t))
}

// SetWriteDeadline can make the end earlier and not later.
func (w *watchedPackets) SetWriteDeadline(t time.Time) error {
	return w.PacketConn.SetWriteDeadline(w.cap(t))
}
