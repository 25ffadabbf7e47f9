package fc2server

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// Prompts is a [Person] who is shown what [Prompts.Look] gives and clicks with [Prompts.Decide]. The zero value is ready; all
// methods may be called at the same time.
type Prompts struct {
	mu      sync.Mutex
	asks    []*question // who has waited longest comes first
	shows   []*shown    // the newest comes last
	changed chan struct{}
}

type question struct {
	request Request
	answer  chan bool
}

type shown struct {
	request Request
	code    []byte
}

// Prompt is what a person is shown.
type Prompt struct {
	Asks   *Request  // who has waited longest to be let in; nil: nobody asks
	Behind []Request // who else waits, in the order in which they asked
	Shows  *Request  // whom the code is for, the newest when there are several; nil: none is shown
	Code   []byte
}

// Look is what is shown now; changed is closed when that may be different.
func (q *Prompts) Look() (p Prompt, changed <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, a := range q.asks {
		if i == 0 {
			p.Asks = &a.request
		} else {
			p.Behind = append(p.Behind, a.request)
		}
	}
	if n := len(q.shows); n > 0 {
		p.Shows, p.Code = &q.shows[n-1].request, q.shows[n-1].code
	}
	if q.changed == nil {
		q.changed = make(chan struct{})
	}
	return p, q.changed
}

// news wakes who looks; the lock is held.
func (q *Prompts) news() {
	if q.changed != nil {
		close(q.changed)
		q.changed = nil
	}
}

// ErrNobodyAsks is the answer to a decision about a request that is not there, or not any more.
var ErrNobodyAsks = errors.New("nobody asks to be let in")

// Decide is the click for the request with the number.
func (q *Prompts) Decide(id uint64, approve bool) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.IndexFunc(q.asks, func(a *question) bool { return a.request.ID == id })
	if i < 0 {
		return ErrNobodyAsks
	}
	q.asks[i].answer <- approve // it has room for the one answer
	q.asks = slices.Delete(q.asks, i, i+1)
	q.news()
	return nil
}

// Approve implements [Person].
func (q *Prompts) Approve(ctx context.Context, r Request) (bool, error) {
	a := &question{request: r, answer: make(chan bool, 1)}
	q.mu.Lock()
	q.asks = append(q.asks, a)
	q.news()
	q.mu.Unlock()
	defer func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if i := slices.Index(q.asks, a); i >= 0 {
			q.asks = slices.Delete(q.asks, i, i+1)
			q.news()
		}
	}()
	select {
	case ok := <-a.answer:
		return ok, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// Show implements [Person].
func (q *Prompts) Show(r Request, code []byte) (hide func()) {
	s := &shown{r, code}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.shows = append(q.shows, s)
	q.news()
	return func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if i := slices.Index(q.shows, s); i >= 0 {
			q.shows = slices.Delete(q.shows, i, i+1)
			q.news()
		}
	}
}
