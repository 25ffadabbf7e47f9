package focasclient

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focassim"
)

// DoEach hands every read over once, refusals too, and those of a frame while the next one is under way.
func TestBatchDoEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		sim, err := focassim.New(focassim.Options{})
		if err != nil {
			t.Fatal(err)
		}
		ln := testnet.Listen()
		served := make(chan error, 1)
		go func() { served <- sim.Serve(ctx, ln) }()
		c, err := Dial(ctx, ln.DialContext, ln.Addr().String(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		b := c.Batch()
		for range 3 {
			for _, kind := range focas.PositionKinds() {
				b.Add(focas.AxisRequest(1, kind, focas.AllAxes), 256)
			}
		}
		b.Add(focas.MacroRequest(1, 123456, 123456), 8) // there is none: refused
		if len(b.Plan()) < 3 {
			t.Fatalf("the plan has %d frames, too few to overlap", len(b.Plan()))
		}
		for range 2 { // a batch that has run keeps nothing of the run before
			var got []int
			calls, inFlight := 0, 0
			err := b.DoEach(ctx, c, func(reads []int) {
				calls++
				if s := c.Stats(); s.FramesSent > s.FramesReceived {
					inFlight++
				}
				for _, i := range reads {
					if _, err := b.Reply(i); (err != nil) != (i == b.Len()-1) {
						t.Errorf("read %d was handed over with error %v", i, err)
					}
				}
				got = append(got, reads...)
			})
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(got)
			for i := range b.Len() {
				if i >= len(got) || got[i] != i {
					t.Fatalf("handed over %v, want each of %d reads once", got, b.Len())
				}
			}
			if calls != len(b.Plan()) || inFlight != calls-1 {
				t.Errorf("%d calls for %d frames, %d of them with a frame under way", calls, len(b.Plan()), inFlight)
			}
		}
		// When the session ends, what was not answered is not handed over.
		sim.SetFaults(focassim.Faults{CutFrame: true})
		if err := b.DoEach(ctx, c, func(reads []int) { t.Errorf("handed over %v of a session that ended", reads) }); err == nil {
			t.Error("no error from a session that ended")
		}
		_ = c.Close(ctx)
		cancel()
		<-served
	})
}
