package focasclient

import (
	"context"
	"fmt"
	"time"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// Timer reads a timer (cnc_rdtimer), in the byte order of [Options.Timers].
func (p Path) Timer(ctx context.Context, which int32) (focas.Timer, error) {
	return call(ctx, p.c, "cnc_rdtimer", focas.TimerRequest(p.n, which), func(b []byte) (focas.Timer, error) {
		return focas.ParseTimer(b, p.c.timers)
	})
}

// WriteTimer sets a timer (cnc_wrtimer).
func (p Path) WriteTimer(ctx context.Context, which int32, t focas.Timer) error {
	return order(ctx, p.c, "cnc_wrtimer", focas.WriteTimerRequest(p.n, which, t))
}

// Clock reads one half of the control's clock (cnc_gettimer): [focas.ClockDate] or [focas.ClockTime].
func (p Path) Clock(ctx context.Context, half int32) (focas.Clock, error) {
	return call(ctx, p.c, "cnc_gettimer", focas.ClockRequest(p.n, half), focas.ParseClock)
}

// SetClock sets one half of the control's clock (cnc_settimer).
func (p Path) SetClock(ctx context.Context, half int32, c focas.Clock) error {
	return order(ctx, p.c, "cnc_settimer", focas.SetClockRequest(p.n, half, c))
}

// DateTime reads both halves of the control's clock in one frame. The control does not tell its time zone; the result is in
// zone. The date is asked for before and after the time, so that midnight in between does no harm.
func (p Path) DateTime(ctx context.Context, zone *time.Location) (time.Time, error) {
	date, clock := focas.ClockRequest(p.n, focas.ClockDate), focas.ClockRequest(p.n, focas.ClockTime)
	return together(ctx, p.c, "cnc_gettimer", []focas.Request{date, clock, date}, func(replies []focas.Reply) (time.Time, error) {
		var parts [3]focas.Clock
		for i := range parts {
			var err error
			if err = replies[i].Err(); err == nil {
				parts[i], err = focas.ParseClock(replies[i].Payload)
			}
			if err != nil {
				return time.Time{}, fmt.Errorf("part %d: %w", i+1, err)
			}
		}
		now := parts[0]
		if parts[1].Hour < 12 {
			now = parts[2]
		}
		now.Hour, now.Minute, now.Second = parts[1].Hour, parts[1].Minute, parts[1].Second
		return now.In(zone)
	})
}
