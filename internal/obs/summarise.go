package obs

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// maxRepeated bounds how many different failures are remembered at once.
const maxRepeated = 1024

// Summarise passes records on to next. A warning or error that says the same as before about the same thing (equal
// message and equal attributes device, error and class) is held back until every has passed; then it is written once
// more with the attribute repeated, the number of records that were held back. A failure that changes is written at once.
// Records below warning level always pass.
func Summarise(next slog.Handler, every time.Duration) slog.Handler {
	return &summariser{next: next, every: every, seen: &seen{at: map[string]*repeats{}}}
}

type summariser struct {
	next  slog.Handler
	every time.Duration
	fixed string // what WithAttrs said about the subject
	seen  *seen
}

type seen struct {
	mu sync.Mutex
	at map[string]*repeats // by message and device
}

type repeats struct {
	detail string // error and class
	last   time.Time
	held   int
}

// Enabled asks the next handler.
func (s *summariser) Enabled(ctx context.Context, l slog.Level) bool { return s.next.Enabled(ctx, l) }

// Handle passes a record on, or counts it.
func (s *summariser) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < slog.LevelWarn {
		return s.next.Handle(ctx, r)
	}
	subject, detail := r.Message+"\x00"+s.fixed, ""
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "device":
			subject += "\x00" + a.Value.String()
		case "error", "err", "class", "path":
			detail += "\x00" + a.Value.String()
		}
		return true
	})
	held, pass := s.seen.note(subject, detail, r.Time, s.every)
	if !pass {
		return nil
	}
	if held > 0 {
		r = r.Clone()
		r.AddAttrs(slog.Int("repeated", held))
	}
	return s.next.Handle(ctx, r)
}

func (s *seen) note(subject, detail string, now time.Time, every time.Duration) (held int, pass bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.at[subject]
	if r == nil {
		if len(s.at) >= maxRepeated {
			clear(s.at)
		}
		r = &repeats{}
		s.at[subject] = r
	} else if r.detail == detail && now.Sub(r.last) < every {
		r.held++
		return 0, false
	}
	held = r.held
	*r = repeats{detail: detail, last: now}
	return held, true
}

// WithAttrs keeps what says which device a logger is about.
func (s *summariser) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *s
	c.next = s.next.WithAttrs(attrs)
	var b strings.Builder
	for _, a := range attrs {
		b.WriteString(a.String() + "\x00")
	}
	c.fixed += b.String()
	return &c
}

// WithGroup passes the group on.
func (s *summariser) WithGroup(name string) slog.Handler {
	c := *s
	c.next = s.next.WithGroup(name)
	return &c
}
