package focas

import (
	"context"
	"errors"
	"fmt"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/focas"
)

// order sends one request that changes something and waits for the control's word on it.
func (s *session) order(ctx context.Context, q focas.Request) error {
	defer s.changes.Add(1) // what programs behind the server have just read is old now
	replies, err := s.client.Exchange(ctx, []focas.Request{q})
	if err != nil {
		return err
	}
	return replies[0].Err()
}

// Write performs the writes one after the other. FOCAS acknowledges each, so a write is acknowledged, refused by the
// control or by its type, or uncertain when the link died in between.
func (s *session) Write(ctx context.Context, writes []driver.Write) ([]driver.Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]driver.Outcome, len(writes))
	broken := s.client.Err()
	for i, w := range writes {
		perform, ok := s.table.writes[w.Path]
		switch {
		case broken != nil:
			out[i] = driver.Outcome{Stage: driver.Refused, Err: fmt.Errorf("not sent: %w", broken)}
			continue
		case !ok:
			out[i] = driver.Outcome{Stage: driver.Refused, Err: &driver.Error{Op: "write", Target: s.target, Class: driver.Unsupported,
				Err: fmt.Errorf("%s cannot be written", w.Path)}}
			continue
		}
		err := wrap("write", s.target, perform(ctx, w.Value))
		switch {
		case err == nil:
			out[i].Stage = driver.Acked
		case s.client.Err() == nil:
			out[i] = driver.Outcome{Stage: driver.Refused, Err: err}
		default:
			out[i], broken = driver.Outcome{Stage: driver.Uncertain, Err: err}, err
		}
	}
	var refused *focas.Error
	if broken != nil && !errors.As(broken, &refused) {
		return out, broken
	}
	return out, nil
}
