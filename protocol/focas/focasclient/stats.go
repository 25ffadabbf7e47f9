package focasclient

import (
	"sync"
	"time"
)

// Stats counts what a session has done since it was opened, both channels together.
type Stats struct {
	FramesSent     uint64
	FramesReceived uint64
	BlocksSent     uint64 // request blocks in data frames
	BytesSent      uint64 // headers included
	BytesReceived  uint64

	Exchanges     uint64        // data frames that were answered
	LastRoundTrip time.Duration // of a data frame, from before its first byte is written to after its answer's last
	MeanRoundTrip time.Duration // over all exchanges
	MaxRoundTrip  time.Duration
}

type counters struct {
	mu    sync.Mutex
	s     Stats
	total time.Duration
}

func (c *counters) sent(bytes, blocks int) {
	c.mu.Lock()
	c.s.FramesSent++
	c.s.BytesSent += uint64(bytes)
	c.s.BlocksSent += uint64(blocks)
	c.mu.Unlock()
}

func (c *counters) received(bytes int) {
	c.mu.Lock()
	c.s.FramesReceived++
	c.s.BytesReceived += uint64(bytes)
	c.mu.Unlock()
}

// answered counts a frame that is the answer to a data frame.
func (c *counters) answered(bytes int, roundTrip time.Duration) {
	c.mu.Lock()
	c.s.FramesReceived++
	c.s.BytesReceived += uint64(bytes)
	c.s.Exchanges++
	c.total += roundTrip
	c.s.LastRoundTrip = roundTrip
	c.s.MaxRoundTrip = max(c.s.MaxRoundTrip, roundTrip)
	c.mu.Unlock()
}

func (c *counters) snapshot() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.s
	if s.Exchanges > 0 {
		s.MeanRoundTrip = c.total / time.Duration(s.Exchanges)
	}
	return s
}
