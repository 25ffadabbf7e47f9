package north

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// slowLine has taken what Settle waits for in the end, or takes nothing.
type slowLine struct {
	Stream
	left  int
	stuck bool
}

func (s *slowLine) Unacked() int { return s.left }
func (s *slowLine) Drain(ctx context.Context) error {
	for s.left > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Second):
			if !s.stuck {
				s.left--
			}
		}
	}
	return nil
}

func TestSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			line slowLine
			want time.Duration
			left int
		}{
			{slowLine{}, 0, 0},
			{slowLine{left: 6}, 2 * time.Minute, 0}, // longer than SettleWait, and always a little
			{slowLine{left: 6, stuck: true}, SettleWait, 6},
		} {
			began := time.Now()
			left := Settle(t.Context(), &tt.line)
			took := time.Since(began)
			if took < tt.want || took > 2*tt.want || tt.line.left != tt.left || left != tt.left {
				t.Errorf("%+v: after %v %d bytes are left, and it says %d", tt, took, tt.line.left, left)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		left := Settle(ctx, &slowLine{left: 1, stuck: true})
		if took := time.Since(began); took != time.Second || left != 1 {
			t.Errorf("it was ended after 1 s and took %v; %d bytes are left", took, left)
		}
	})
}
