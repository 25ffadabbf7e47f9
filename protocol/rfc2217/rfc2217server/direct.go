package rfc2217server

import (
	"bytes"

	"github.com/patchbay-io/patchbay/protocol/rfc2217"
)

// DirectPort is a Port that can offer what comes from the line to a function, instead of Read, while Read waits and nothing is on its way
// before it: that saves the waking of whoever waits. The function takes what it can without waiting and returns how much; Read returns
// the rest. It must not be called any more once the port is closed.
type DirectPort interface {
	Port
	Direct(write func(b []byte) int)
}

// direct passes on what needs no escaping, when the client is ready for it and nobody else writes.
func (c *connection) direct(b []byte) int {
	if i := bytes.IndexByte(b, rfc2217.IAC); i >= 0 {
		b = b[:i]
	}
	c.mu.Lock()
	ready := c.suspended == nil && !c.nvt
	c.mu.Unlock()
	if !ready || len(b) == 0 {
		return 0
	}
	select {
	case c.wsem <- struct{}{}:
	default:
		return 0
	}
	defer func() { <-c.wsem }()
	n := c.opts.TryWrite(b)
	c.stats.out.Add(uint64(n))
	return n
}
