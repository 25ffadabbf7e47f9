package access

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	parallelHashes = 2
	waitingHashes  = 16
	cacheFor       = 5 * time.Minute
	maxCached      = 256
)

// checker compares passwords with hashes, at most two at a time, since each takes tens of megabytes. Matches are
// remembered for a while under a keyed hash, so that a program that signs in each time costs one hash.
type checker struct {
	slots, queue chan struct{}
	key          []byte
	run          func(*hash, string) bool // hash.matches, but for tests of what surrounds it

	mu   sync.Mutex
	good map[sum]time.Time // until when
}

func newChecker(rand io.Reader) (*checker, error) {
	c := &checker{slots: make(chan struct{}, parallelHashes), queue: make(chan struct{}, parallelHashes+waitingHashes),
		key: make([]byte, 32), run: (*hash).matches, good: map[sum]time.Time{}}
	if _, err := io.ReadFull(rand, c.key); err != nil {
		return nil, fmt.Errorf("random bytes: %w", err)
	}
	return c, nil
}

// mark is what a match is remembered by. The stored hash is in it, so that a changed password is not.
func (c *checker) mark(user, stored, password string) sum {
	m := hmac.New(sha256.New, c.key)
	fmt.Fprintf(m, "%d:%s%d:%s%s", len(user), user, len(stored), stored, password)
	return sum(m.Sum(nil))
}

func (c *checker) known(mark sum) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	until, ok := c.good[mark]
	return ok && time.Now().Before(until)
}

// check compares; ErrBusy or the context's error when it did not get to it.
func (c *checker) check(ctx context.Context, h *hash, mark sum, password string) (bool, error) {
	select {
	case c.queue <- struct{}{}:
		defer func() { <-c.queue }()
	default:
		return false, ErrBusy
	}
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	if !c.run(h, password) {
		return false, nil
	}
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for m, until := range c.good {
		if !now.Before(until) {
			delete(c.good, m)
		}
	}
	if len(c.good) < maxCached {
		c.good[mark] = now.Add(cacheFor)
	}
	return true, nil
}
