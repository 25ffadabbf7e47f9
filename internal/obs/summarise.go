package obs

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"time"
)

// maxRepeated bounds how many different failures are remembered at once.
const maxRepeated = 1024

// Summarise passes records on to next. A warning or error that says the same as before about the same thing is held back
// until every has passed; then it is written once more with the attribute repeated, the number of records that were held
// back. A failure that changes is written at once. Records below warning level always pass.
//
// About the same thing are records with equal message and equal attributes that name what they are about (subjectOf); what
// they say is in error, class, why and up_since. The last is the time since when what has failed now had worked: a later one
// belongs to another failure, of which a reader has to be told even when it is put in the same words.
func Summarise(next slog.Handler, every time.Duration) slog.Handler {
	return &summariser{next: next, every: every, seen: &seen{at: map[string]*repeats{}}}
}

// Unsummarised is log without what Summarise does, for the answer to something that a person has just done: whoever repeats
// it wants to be answered again.
func Unsummarised(log *slog.Logger) *slog.Logger {
	if s, ok := log.Handler().(*summariser); ok {
		return slog.New(s.next)
	}
	return log
}

type summariser struct {
	next  slog.Handler
	every time.Duration
	fixed string // subjects of WithAttrs
	seen  *seen
}

type seen struct {
	mu sync.Mutex
	at map[string]*repeats // by message and subject
}

type repeats struct {
	detail string // what was said last
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
		case "error", "err", "class", "why", "up_since":
			detail += "\x00" + a.Value.String()
		default:
			subject += subjectOf(a)
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

// subjectOf is what an attribute says about the thing that a record is about; empty: nothing. A hint is part of it, because
// two refusals that two different settings would allow are two things to a person, while the values of one that is refused
// again and again are not. The port of a client is left out: it is another one with each connection.
func subjectOf(a slog.Attr) string {
	switch a.Key {
	case "client", "from":
		host, _, err := net.SplitHostPort(a.Value.String())
		if err != nil {
			host = a.Value.String()
		}
		return "\x00" + a.Key + "=" + host
	case "device", "port", "path", "point", "call", "user", "door", "as", "over", "address", "link", "hint", "key", "keys":
		return "\x00" + a.Key + "=" + a.Value.String()
	}
	return ""
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

// WithAttrs keeps what says which thing a logger is about.
func (s *summariser) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *s
	c.next = s.next.WithAttrs(attrs)
	for _, a := range attrs {
		c.fixed += subjectOf(a)
	}
	return &c
}

// WithGroup passes the group on.
func (s *summariser) WithGroup(name string) slog.Handler {
	c := *s
	c.next = s.next.WithGroup(name)
	return &c
}
