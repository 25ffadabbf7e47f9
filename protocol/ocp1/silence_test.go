package ocp1

import (
	"testing"
	"time"
)

func TestSilence(t *testing.T) {
	const every = 250 * time.Millisecond
	start := time.Unix(1000, 0)
	var s Silence
	for _, row := range []struct {
		at    time.Duration // of the look
		heard time.Duration
		want  time.Duration
		why   string
	}{
		{100 * time.Millisecond, 0, 100 * time.Millisecond, "the first look"},
		{350 * time.Millisecond, 0, 350 * time.Millisecond, "nothing more has come"},
		{600 * time.Millisecond, 500 * time.Millisecond, 100 * time.Millisecond, "something has come"},
		{time.Hour, 500 * time.Millisecond, 350 * time.Millisecond, "a look that comes late"},
		{time.Hour + every, 500 * time.Millisecond, 600 * time.Millisecond, "the looks are regular again"},
		{2 * time.Hour, time.Hour + time.Second, every, "heard before a look that comes late"},
		{2*time.Hour + every, 3 * time.Hour, 0, "the clock of the computer was set back"},
		{2*time.Hour + 2*every, 3 * time.Hour, every, "it is silent on that clock too"},
	} {
		if got := s.Look(start.Add(row.at), start.Add(row.heard).UnixNano(), every); got != row.want {
			t.Errorf("%s: silent for %v, want %v", row.why, got, row.want)
		}
	}
}
