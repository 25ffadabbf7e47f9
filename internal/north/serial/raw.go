package serial

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/patchbay-io/patchbay/internal/north"
)

// serveRaw passes bytes on as they are. A client that closes its sending side, as `echo '*IDN?' | nc -N HOST PORT` does, is served
// until the line has been silent for the time of the configuration. TCP does not tell that from a client which has closed both
// sides, so until then it gives way to anybody who wants the port.
func (o *offer) serveRaw(ctx context.Context, c *client, s north.Stream, own bool) {
	if write := direct(c.Conn); write != nil && own {
		s.Direct(func(b []byte) int {
			n := write(b)
			c.passed.Add(uint64(n))
			return n
		})
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		defer c.Close()
		buf := make([]byte, 16<<10)
		for {
			n, err := s.Read(buf)
			if n > 0 {
				if _, err := c.Write(buf[:n]); err != nil {
					return
				}
				c.passed.Add(uint64(n))
			}
			if err != nil {
				return
			}
		}
	}()
	half := o.fromClient(c, s, own)
	s.Yield(true)
	c.leaving.Store(true)
	if own {
		north.Settle(ctx, s)
	}
	if half {
		c.linger(ctx, gone, o.port.HalfClose)
	}
	s.Close()
	<-gone
}

// fromClient passes on what a client sends. It reports whether the client has ended only that, as far as can be known.
func (o *offer) fromClient(c *client, s north.Stream, own bool) (half bool) {
	buf := make([]byte, 16<<10)
	for {
		n, err := c.Read(buf)
		if n > 0 && own {
			if _, werr := s.Write(buf[:n]); werr != nil && !errors.Is(werr, north.ErrStreamDown) {
				return false
			}
		}
		if err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}

// linger waits until nothing has passed for as long as idle says, or the client is gone.
func (c *client) linger(ctx context.Context, gone <-chan struct{}, idle time.Duration) {
	for before := c.passed.Load(); ctx.Err() == nil && idle > 0; before = c.passed.Load() {
		timer := time.NewTimer(idle)
		select {
		case <-gone:
		case <-ctx.Done():
		case <-timer.C:
			if c.passed.Load() != before {
				continue
			}
		}
		timer.Stop()
		return
	}
}
