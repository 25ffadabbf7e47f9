package gateway

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

func measures(g *Gateway, name string) map[string]float64 {
	out := map[string]float64{}
	g.Measures(func(m north.Measure) {
		if m.Name != name {
			return
		}
		var labels []string
		for _, l := range m.Labels {
			labels = append(labels, l.Value)
		}
		out[strings.Join(labels, " ")] = m.Value
	})
	return out
}

func TestWritesAreCountedByOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, stop := running(t, conf("m", newToy()), conf("n", newToy()))
		defer stop()
		synctest.Wait()
		for _, items := range [][]north.WriteItem{
			{set("m", "gain", 1.0), set("m", "mute", true)}, {set("m", "speed", 1.0)}, {set("made-up", "x", 1)}, {set("n", "gain", 2.0)},
		} {
			_, _ = waitFor(g, items...) // refusals are counted too
		}
		if _, err := g.Do(t.Context(), tester, "m", "cut", nil, north.WriteOptions{Wait: true}); err != nil {
			t.Fatal(err)
		}
		want := map[string]float64{"m write confirmed": 2, "m write refused": 1, "n write confirmed": 1, "m command acknowledged": 1}
		if diff := cmp.Diff(want, measures(g, "writes_total")); diff != "" {
			t.Error(diff)
		}
		if err := g.SetDevices([]DeviceConfig{conf("m", newToy())}); err != nil {
			t.Fatal(err)
		}
		if got := measures(g, "writes_total"); len(got) != 3 {
			t.Errorf("after a device is gone: %v", got)
		}
		if got := measures(g, "devices")[""]; got != 1 {
			t.Errorf("%v devices, want 1", got)
		}
	})
}

// What a device says and nobody understands shows in the points of its link.
func TestWhatMakesNoSenseIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newToy()
		g, stop := running(t, conf("m", d))
		defer stop()
		synctest.Wait()
		d.say(&driver.Change{Samples: []device.Sample{
			{Path: "gain", Quality: device.Bad, Reason: device.ReasonInvalid},
			{Path: "mute", Value: device.OfString("wrong kind")},
			{Path: "speed", Quality: device.Bad, Reason: device.ReasonRefused},
			{Path: "nobody/knows", Value: device.OfInt(1)},
		}})
		time.Sleep(1500 * time.Millisecond) // counters are published each second
		if got := linkText(t, g, "m", "decode-failures"); got != "2" {
			t.Errorf("%s decode failures, want 2", got)
		}
		if got := linkText(t, g, "m", "unknown"); got != "1" {
			t.Errorf("%s unknown, want 1", got)
		}
		d.mu.Lock()
		for s := range d.sessions {
			s.dead <- &driver.Error{Op: "read", Target: "toy", Class: driver.NotThisProtocol, Err: errors.New("wrong mark")}
		}
		d.mu.Unlock()
		synctest.Wait()
		if got := linkText(t, g, "m", "decode-failures"); got != "3" {
			t.Errorf("%s decode failures after a reply that is not of this protocol, want 3", got)
		}
	})
}
