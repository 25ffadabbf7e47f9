package cli

import (
	"bytes"
	"context"
	"sync"
)

// growing keeps what is written to it, for those who wait for a part of it. It is safe for concurrent use.
type growing struct {
	mu   sync.Mutex
	text []byte
	more chan struct{} // closed at the next Write
}

func newGrowing() *growing { return &growing{more: make(chan struct{})} }

func (g *growing) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.text = append(g.text, p...)
	close(g.more)
	g.more = make(chan struct{})
	return len(p), nil
}

func (g *growing) String() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return string(g.text)
}

// holds looks for a part of a text.
func holds(part string) func(text []byte) bool {
	return func(text []byte) bool { return bytes.Contains(text, []byte(part)) }
}

// wait waits until the text is as wanted, and reports whether it is before ctx ends.
func (g *growing) wait(ctx context.Context, wanted func(text []byte) bool) bool {
	for {
		g.mu.Lock()
		found, more := wanted(g.text), g.more
		g.mu.Unlock()
		if found {
			return true
		}
		select {
		case <-more:
		case <-ctx.Done():
			return false
		}
	}
}
