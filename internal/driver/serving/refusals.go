package serving

import "sync"

// MaxRefusals bounds how many different refusals of one client are reported.
const MaxRefusals = 64

// Refusals remembers which refusals have been reported: a program that moves a fader, or tries again and again, must not fill the
// log and the audit. The zero value is ready. Its methods may be called by several goroutines.
type Refusals[K comparable] struct {
	mu   sync.Mutex
	seen map[K]struct{}
}

// First reports whether a refusal is the first of its kind, while there is room to remember it.
func (r *Refusals[K]) First(kind K) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, again := r.seen[kind]; again || len(r.seen) >= MaxRefusals {
		return false
	}
	if r.seen == nil {
		r.seen = map[K]struct{}{}
	}
	r.seen[kind] = struct{}{}
	return true
}
