package ocp1

import "time"

// Silence counts how long a peer has said nothing, for whoever gives it up at some point, as it is seen by looks in a regular interval.
// A look that comes late counts as one interval, and not as the time since the one before: a program that was kept from running, on a
// busy computer or on one that slept, has heard nothing in that time, and what the peer said meanwhile is still to be read. The zero
// value is good. It is for one goroutine.
type Silence struct {
	heard int64
	last  time.Time
	quiet time.Duration
}

// Look is the silence at a look. heard is when the peer was heard last, in nanoseconds since 1970; every is the interval of the looks.
func (s *Silence) Look(now time.Time, heard int64, every time.Duration) time.Duration {
	if s.last.IsZero() || heard != s.heard {
		s.heard, s.quiet = heard, min(max(time.Duration(now.UnixNano()-heard), 0), every)
	} else {
		s.quiet += min(now.Sub(s.last), every)
	}
	s.last = now
	return s.quiet
}
