package north

import (
	"context"
	"time"
)

// SettleWait is how long a port whose user has gone may take nothing before what it has not taken is given up; as Linux does for its
// own ports (closing_wait).
const SettleWait = 30 * time.Second

// LeavingWait is how long whoever wants a port waits for the one who has it. A door learns a moment after its client that a connection or
// a PTY was closed, and a program that comes again at once is not to be refused for that.
const LeavingWait = 100 * time.Millisecond

// Settle waits until the line has taken what its owner has written. It goes on as long as the line takes something,
// and ends with ctx, or when somebody else takes the port. It returns how many bytes the line had not taken then, as far as that can be
// known.
func Settle(ctx context.Context, s Stream) (left int) {
	for ctx.Err() == nil {
		before := s.Unacked()
		if before == 0 {
			return 0
		}
		step, cancel := context.WithTimeout(ctx, SettleWait)
		err := s.Drain(step)
		waited := step.Err() != nil
		cancel()
		if err == nil {
			return 0
		}
		if left = s.Unacked(); !waited || left >= before {
			return left
		}
	}
	return s.Unacked()
}
