package simulate

import (
	"context"
	"time"
)

// inTime gives each of list to do, when as much time has passed as after says, and waits for the end of ctx. It has the shape of
// [Device.Run].
func inTime[T any](ctx context.Context, list []T, after func(*T) time.Duration, do func(*T)) error {
	began := time.Now()
	for i := range list {
		t := time.NewTimer(time.Until(began.Add(after(&list[i]))))
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil
		}
		do(&list[i])
	}
	<-ctx.Done()
	return nil
}
