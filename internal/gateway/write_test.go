package gateway

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/audit"
	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

func waitFor(g *Gateway, items ...north.WriteItem) (north.WriteState, error) {
	return g.Write(context.Background(), tester, items, north.WriteOptions{Wait: true})
}

func TestWriteOutcomes(t *testing.T) {
	say := func(stage driver.Stage) func(context.Context, *toy, driver.Write) driver.Outcome {
		return func(context.Context, *toy, driver.Write) driver.Outcome {
			return driver.Outcome{Stage: stage, Err: &driver.Error{Op: "write", Target: "toy", Class: driver.DeviceSaidNo, Err: errors.New("because")}}
		}
	}
	later := func(v device.Value) func(context.Context, *toy, driver.Write) driver.Outcome {
		return func(_ context.Context, d *toy, w driver.Write) driver.Outcome {
			time.AfterFunc(300*time.Millisecond, func() { d.set(w.Path, v) })
			return driver.Outcome{Stage: driver.Acked}
		}
	}
	for _, tt := range []struct {
		name   string
		item   north.WriteItem
		device func(context.Context, *toy, driver.Write) driver.Outcome
		want   string
		text   string
	}{
		{"notified at once", set("m", "gain", -3.0), obey, "accepted sent acknowledged confirmed", ""},
		{"notified later", set("m", "gain", -3.0), later(device.OfFloat(-3)), "accepted sent acknowledged confirmed", ""},
		{"notified of something else", set("m", "gain", -3.0), later(device.OfFloat(-4)), "accepted sent acknowledged failed", "then says -4"},
		{"never notified", set("m", "gain", -3.0), say(driver.Acked), "accepted sent acknowledged timed-out", "before the deadline"},
		{"nothing to notify", set("m", "gain", -10.0), say(driver.Acked), "accepted sent acknowledged confirmed", ""},
		{"without acknowledgement", set("m", "gain", -3.0), func(_ context.Context, d *toy, w driver.Write) driver.Outcome {
			d.set(w.Path, w.Value)
			return driver.Outcome{Stage: driver.Sent}
		}, "accepted sent confirmed", ""},
		{"read back", set("m", "count", 7.0), obey, "accepted sent acknowledged confirmed", ""},
		{"read back after a moment", set("m", "count", 7.0), later(device.OfInt(7)), "accepted sent acknowledged confirmed", ""},
		{"read back says another", set("m", "count", 7.0), later(device.OfInt(8)), "accepted sent acknowledged failed", "then says 8"},
		{"cannot be confirmed", set("m", "raw", 7.0), say(driver.Acked), "accepted sent acknowledged", ""},
		{"neither acknowledged nor confirmed", set("m", "raw", 7.0), say(driver.Sent), "accepted sent", ""},
		{"refused by the device", set("m", "count", 7.0), say(driver.Refused), "accepted refused", "because"},
		{"uncertain", set("m", "count", 7.0), say(driver.Uncertain), "accepted uncertain", "because"},
		{"not sent", set("m", "count", 7.0), say(0), "accepted failed", "because"},
		{"panic", set("m", "count", 7.0), func(context.Context, *toy, driver.Write) driver.Outcome { panic("oh") },
			"accepted uncertain", "the driver panicked: oh"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newToy()
				d.write = tt.device
				g, stop := running(t, conf("m", d))
				defer stop()
				synctest.Wait()
				began := time.Now()
				s, err := waitFor(g, tt.item)
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); took > 2*time.Second {
					t.Errorf("it took %v", took)
				}
				it := &s.Items[0]
				if got := stages(it); got != tt.want || !it.Last().Final || !strings.Contains(it.Last().Text, tt.text) {
					t.Errorf("life = %s (%q, final %v), want %s (%q)", got, it.Last().Text, it.Last().Final, tt.want, tt.text)
				}
				if len(d.sent) != 1 && tt.name != "panic" {
					t.Errorf("sent %d times", len(d.sent))
				}
			})
		})
	}
}

func TestAValuePassingThroughConfirms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newToy()
		d.write = func(_ context.Context, d *toy, w driver.Write) driver.Outcome {
			d.set(w.Path, w.Value)
			d.set(w.Path, device.OfFloat(0)) // somebody else, at once
			return driver.Outcome{Stage: driver.Acked}
		}
		g, stop := running(t, conf("m", d))
		defer stop()
		synctest.Wait()
		s, _ := waitFor(g, set("m", "gain", 6))
		if got := s.Items[0].Last().Stage; got != north.StageConfirmed {
			t.Errorf("stage = %s", got)
		}
	})
}

func TestRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		some := conf("some", newToy())
		some.Writable = []string{"gain", "aux/*"}
		sim := conf("sim", newToy())
		sim.Writable, sim.WritableAll = nil, true
		named := conf("named", newToy())
		named.Writable = []string{"power"}
		dead := newToy()
		dead.open = func(context.Context) error {
			return &driver.Error{Op: "open", Target: "toy", Class: driver.RefusedConn, Err: errors.New("nothing listens"), Hint: "switch it on"}
		}
		g, stop := running(t, conf("m", newToy()), some, sim, named, conf("dead", dead))
		defer stop()
		synctest.Wait()
		for _, tt := range []struct {
			item             north.WriteItem
			code, text, hint string
		}{
			{set("x", "gain", 1), "unknown-device", `no device is called "x"`, ""},
			{set("naned", "gain", 1), "unknown-device", "", `did you mean "named"?`},
			{set("m", "gian", 1), "unknown-point", "no such point", `did you mean "gain"?`},
			{set("m", "speed", 1), "read-only", "the device does not let anyone write it: the knob has it", ""},
			{set("m", "_link/state", "up"), "read-only", "", ""},
			{set("some", "mute", true), "not-writable", "", `devices: {some: {writable: ["mute"]}}`},
			{set("m", "power", true), "not-writable", "a wildcard never grants", `devices: {m: {writable: ["power"]}}`},
			{set("m", "gain", "loud"), "wrong-type", `"loud" does not fit`, "it wants a number"},
			{set("m", "gain", 13), "out-of-range", "13 is out of range", "-60 to 12 dB"},
			{set("m", "input", "Slide"), "out-of-range", "", "1, 2"},
			{north.WriteItem{Device: "m", Path: "gain", Value: 1, IfValue: 0}, "if-value", "it holds -10 and not 0", "read it again"},
			{north.WriteItem{Device: "m", Path: "gain", Value: 1, IfValue: "x"}, "wrong-type", "if_value", ""},
			{north.WriteItem{Device: "m", Path: "gain", Op: north.OpToggle}, "wrong-type", "two states", ""},
			{north.WriteItem{Device: "m", Path: "mute", Op: north.OpAdd, Value: 1}, "wrong-type", "only a number", ""},
			{set("dead", "gain", 1), "link-down", "nothing listens", "switch it on"},
		} {
			s, err := waitFor(g, tt.item)
			var we *north.WriteError
			if !errors.As(err, &we) || we.Code != tt.code || !strings.Contains(we.Text, tt.text) || !strings.Contains(we.Hint, tt.hint) {
				t.Errorf("%s/%s: %#v, want %s, %q, %q", tt.item.Device, tt.item.Path, err, tt.code, tt.text, tt.hint)
				continue
			}
			if last := s.Items[0].Last(); last.Stage != north.StageRefused || !last.Final {
				t.Errorf("%s: the book says %v", tt.code, last)
			}
			if _, ok := g.WriteByID(s.ID); !ok {
				t.Errorf("%s is not in the book", tt.code)
			}
		}
		for _, it := range []north.WriteItem{set("sim", "power", true), set("named", "power", true)} {
			if s, err := waitFor(g, it); err != nil || !s.Items[0].Last().Final {
				t.Errorf("%s/power: %v", it.Device, err)
			}
		}
	})
}

func TestAnItemThatIsRefusedStopsTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newToy()
		g, stop := running(t, conf("m", d))
		defer stop()
		synctest.Wait()
		s, err := waitFor(g, set("m", "gain", 1), set("m", "count", 1000))
		var we *north.WriteError
		if !errors.As(err, &we) || we.Item != 1 || len(d.sent) != 0 {
			t.Errorf("error %v, sent %v", err, d.sent)
		}
		if stages(&s.Items[0]) != "refused" || stages(&s.Items[1]) != "refused" {
			t.Errorf("%s, %s", stages(&s.Items[0]), stages(&s.Items[1]))
		}
	})
}

// What is added to a point that is read now and then, or depends on it, starts from what the device holds and not from what was read
// last; when that cannot be read, nothing is sent.
func TestAddToWhatNobodyNotifies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newToy()
		g, stop := running(t, conf("m", d))
		defer stop()
		synctest.Wait()
		hold := func(n int64) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.values["count"] = device.OfInt(n) // at the device itself, which tells nobody
		}
		hold(50)
		add := north.WriteItem{Device: "m", Path: "count", Op: north.OpAdd, Value: 1}
		if s, err := waitFor(g, add, add); err != nil || s.Items[0].Old.Int() != 50 || s.Items[1].New.Int() != 52 {
			t.Errorf("%v, then %v, %v", s.Items[0].Old, s.Items[1].New, err)
		}
		hold(60)
		stale := set("m", "count", 7)
		stale.IfValue = 52
		if s, err := waitFor(g, stale); err != nil || stages(&s.Items[0]) != "accepted refused" {
			t.Errorf("if_value holds for what is not there any more: %s, %v", stages(&s.Items[0]), err)
		}
		d.mu.Lock()
		d.unread = &driver.Error{Op: "read", Target: "toy", Class: driver.Timeout, Err: os.ErrDeadlineExceeded}
		sent := len(d.sent)
		d.mu.Unlock()
		s, err := waitFor(g, add)
		if err != nil || stages(&s.Items[0]) != "accepted failed" || s.Items[0].Last().Class != driver.Timeout {
			t.Errorf("%+v, %v", s.Items[0].Steps, err)
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		if len(d.sent) != sent {
			t.Errorf("sent all the same: %v", d.sent[sent:])
		}
	})
}

// A late notice of an older value, between the reading and what is computed from it, changes nothing.
func TestAddIsNotOvertaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, stop := running(t, conf("m", newToy()))
		defer stop()
		synctest.Wait()
		l := g.link("m")
		entry := g.book.begin(tester, []north.ItemState{{Device: "m", Path: "count"}})
		j := &job{entry: entry, index: []int{0}, items: []north.WriteItem{{Device: "m", Path: "count", Op: north.OpAdd, Value: 1}}}
		present := map[device.Path]device.Sample{"count": {Path: "count", Value: device.OfInt(50)}} // the tree still says 5
		if list := l.prepare(j, present, nil); len(list) != 1 || list[0].value.Int() != 51 {
			t.Errorf("%+v", list)
		}
	})
}

func TestToggleAndAdd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newToy()
		g, stop := running(t, conf("m", d))
		defer stop()
		synctest.Wait()
		const n = 20
		ids := make(chan string, 2*n)
		for range n { // many at once: none is lost
			for _, it := range []north.WriteItem{{Device: "m", Path: "count", Op: north.OpAdd, Value: 1}, {Device: "m", Path: "mute", Op: north.OpToggle}} {
				go func() {
					s, err := waitFor(g, it)
					if err != nil {
						t.Error(err)
					}
					ids <- s.ID
				}()
			}
		}
		for range 2 * n {
			<-ids
		}
		synctest.Wait() // what the device tells is behind what was read
		if c, m := sample(t, g, "m", "count").Value.Int(), sample(t, g, "m", "mute").Value.Bool(); c != 5+n || m {
			t.Errorf("count = %d, mute = %v", c, m)
		}
		s, err := waitFor(g, north.WriteItem{Device: "m", Path: "count", Op: north.OpAdd, Value: 1000.0})
		if err != nil || s.Items[0].New.Int() != 100 {
			t.Errorf("add beyond the range: %v, %v", s.Items[0].New, err)
		}
		s, err = waitFor(g, north.WriteItem{Device: "m", Path: "input", Op: north.OpToggle},
			north.WriteItem{Device: "m", Path: "input", Op: north.OpToggle})
		if err != nil || s.Items[0].New.Int() != 2 || s.Items[1].New.Int() != 1 {
			t.Errorf("toggle twice in one write: %v %v, %v", s.Items[0].New, s.Items[1].New, err)
		}
		d.say(&driver.Change{Samples: []device.Sample{{Path: "count", Quality: device.Bad, Reason: device.ReasonStale}}})
		synctest.Wait()
		_, err = waitFor(g, north.WriteItem{Device: "m", Path: "count", Op: north.OpAdd, Value: 1})
		var we *north.WriteError
		if !errors.As(err, &we) || we.Code != "no-value" {
			t.Errorf("add to what is not known: %v", err)
		}
	})
}

func TestLinkDeathMidWriteIsUncertainAndNeverResent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newToy()
		d.write = func(_ context.Context, d *toy, _ driver.Write) driver.Outcome {
			time.AfterFunc(100*time.Millisecond, d.kill)
			return driver.Outcome{Stage: driver.Acked}
		}
		g, stop := running(t, conf("m", d))
		defer stop()
		synctest.Wait()
		for _, p := range []device.Path{"gain", "count"} {
			s, err := waitFor(g, set("m", p, 7))
			if err != nil {
				t.Fatal(err)
			}
			if it := &s.Items[0]; it.Last().Stage != north.StageUncertain || it.Last().Class != driver.Closed {
				t.Errorf("%s: %s (%v %s)", p, stages(it), it.Last().Class, it.Last().Text)
			}
			_, err = waitFor(g, set("m", p, 8))
			var we *north.WriteError
			if !errors.As(err, &we) || we.Code != "link-down" {
				t.Errorf("a write to the dead link: %v", err)
			}
			time.Sleep(5 * time.Second)
			synctest.Wait()
			if linkText(t, g, "m", "state") != "up" {
				t.Fatal("it does not come back")
			}
		}
		if len(d.sent) != 2 {
			t.Errorf("sent %d times", len(d.sent))
		}
	})
}

func TestSlowWriteHoldsUpItsDeviceOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := newToy()
		slow.write = func(ctx context.Context, _ *toy, _ driver.Write) driver.Outcome {
			<-ctx.Done()
			return driver.Outcome{Stage: driver.Uncertain, Err: driver.WrapNet("write", "toy", ctx.Err())}
		}
		g, stop := running(t, conf("slow", slow), conf("m", newToy()))
		defer stop()
		synctest.Wait()
		began := time.Now()
		first, _ := g.Write(t.Context(), tester, []north.WriteItem{set("slow", "gain", 1)}, north.WriteOptions{Deadline: 10 * time.Second})
		if s, err := waitFor(g, set("m", "gain", 1)); err != nil || s.Items[0].Last().Stage != north.StageConfirmed || time.Since(began) > 0 {
			t.Errorf("the neighbour: %v after %v", err, time.Since(began))
		}
		s, _ := waitFor(g, set("slow", "raw", 1))
		if it := &s.Items[0]; stages(it) != "accepted failed" || it.Last().Class != driver.Timeout || time.Since(began) != 2*time.Second {
			t.Errorf("behind it: %s after %v", stages(it), time.Since(began))
		}
		time.Sleep(10 * time.Second)
		if s, _ := g.WriteByID(first.ID); s.Items[0].Last().Stage != north.StageUncertain {
			t.Errorf("the slow one: %s", stages(&s.Items[0]))
		}
		if len(slow.sent) != 1 {
			t.Errorf("sent %d", len(slow.sent))
		}
	})
}

func TestAnUnconfirmedWriteHoldsUpItsPointOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newToy()
		d.write = func(ctx context.Context, d *toy, w driver.Write) driver.Outcome {
			if w.Path == "gain" {
				return driver.Outcome{Stage: driver.Acked}
			}
			return obey(ctx, d, w)
		}
		g, stop := running(t, conf("m", d))
		defer stop()
		synctest.Wait()
		began := time.Now()
		_, err := g.Write(t.Context(), tester, []north.WriteItem{set("m", "gain", 1)}, north.WriteOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if s, _ := waitFor(g, set("m", "mute", true)); s.Items[0].Last().Stage != north.StageConfirmed || time.Since(began) != 0 {
			t.Errorf("another point: %s after %v", stages(&s.Items[0]), time.Since(began))
		}
		s, _ := g.Write(t.Context(), tester, []north.WriteItem{set("m", "gain", 2)}, north.WriteOptions{Deadline: time.Second, Wait: true})
		if it := &s.Items[0]; stages(it) != "accepted failed" || len(d.sent) != 2 {
			t.Errorf("the same point: %s, sent %d", stages(it), len(d.sent))
		}
	})
}

func TestQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newToy()
		d.write = func(ctx context.Context, _ *toy, _ driver.Write) driver.Outcome {
			<-ctx.Done()
			return driver.Outcome{Stage: driver.Uncertain, Err: ctx.Err()}
		}
		g, stop := running(t, conf("m", d))
		defer stop()
		synctest.Wait()
		busy := 0
		for range 3 * maxWaiting {
			s, err := g.Write(t.Context(), tester, []north.WriteItem{set("m", "gain", 1)}, north.WriteOptions{})
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if s, _ = g.WriteByID(s.ID); s.Items[0].Last().Class == driver.Busy {
				busy++
			}
		}
		if busy != 3*maxWaiting-maxWaiting-jobQueue-1 || len(d.sent) != 1 {
			t.Errorf("%d of %d refused as busy, %d sent", busy, 3*maxWaiting, len(d.sent))
		}
	})
}

func TestStopEndsEveryWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newToy()
		d.write = func(ctx context.Context, _ *toy, _ driver.Write) driver.Outcome {
			<-ctx.Done()
			return driver.Outcome{Stage: driver.Uncertain, Err: driver.WrapNet("write", "toy", net.ErrClosed)}
		}
		g, stop := running(t, conf("m", d))
		synctest.Wait()
		for range 5 {
			if _, err := g.Write(t.Context(), tester, []north.WriteItem{set("m", "gain", 1)}, north.WriteOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		stop()
		got := map[string]int{}
		for _, s := range g.WriteLog("m", 0, 0) {
			got[stages(&s.Items[0])]++
		}
		if got["accepted uncertain"] != 1 || got["accepted failed"] != 4 {
			t.Errorf("ends: %v", got)
		}
	})
}

func TestDryRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newToy()
		g, stop := running(t, conf("m", d))
		defer stop()
		synctest.Wait()
		opt := north.WriteOptions{DryRun: true, Wait: true}
		s, err := g.Write(t.Context(), tester, []north.WriteItem{set("m", "gain", 1)}, opt)
		if err != nil || stages(&s.Items[0]) != "dry-run" || s.Items[0].New.Float() != 1 || len(d.sent) != 0 {
			t.Errorf("%v %v, sent %d", s, err, len(d.sent))
		}
		if _, err := g.Write(t.Context(), tester, []north.WriteItem{set("m", "gain", 99)}, opt); err == nil {
			t.Error("a dry run does not check")
		}
		if s, err := g.Do(t.Context(), tester, "m", "cut", nil, opt); err != nil || stages(&s.Items[0]) != "dry-run" {
			t.Errorf("%v, %v", s, err)
		}
	})
}

func TestBookAndAudit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		who := people(t)
		record, err := audit.Open(audit.Options{})
		if err != nil {
			t.Fatal(err)
		}
		g := New(Options{Log: slog.New(slog.NewTextHandler(&log, nil)), Access: who, Audit: record})
		if err := g.SetDevices([]DeviceConfig{conf("m", newToy()), conf("n", newToy())}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- g.Run(ctx) }()
		synctest.Wait()

		changed := g.WriteLogChanged()
		if _, err := waitFor(g, set("m", "gain", 2)); err != nil {
			t.Fatal(err)
		}
		<-changed
		if line := log.String(); !strings.Contains(line, "user=anna door=test from=here device=m path=gain outcome=confirmed old=-10 new=2") {
			t.Errorf("audit: %s", line)
		}
		if _, err := g.Write(ctx, driver.Who{User: "eve"}, []north.WriteItem{set("m", "gain", 3)}, north.WriteOptions{}); err == nil || !strings.Contains(log.String(), "eve is a viewer") {
			t.Errorf("eve: %v", err)
		}
		if _, err := waitFor(g, set("n", "gain", 3)); err != nil {
			t.Fatal(err)
		}
		if lines := record.Since(0, 0); len(lines) != 3 || lines[0].User != "anna" || lines[0].Old != "-10" || lines[0].New != "2" || lines[1].Outcome != "refused" {
			t.Errorf("audit: %+v", lines)
		}
		if all, n := g.WriteLog("", 0, 0), g.WriteLog("n", 0, 0); len(all) != 3 || len(n) != 1 {
			t.Errorf("log has %d, of n %d", len(all), len(n))
		}
		all := g.WriteLog("", 0, 0)
		if newest := g.WriteLog("", 0, 1); newest[0].ID != all[2].ID {
			t.Error("without position the newest is wanted")
		}
		if after := g.WriteLog("", all[0].Seq, 1); after[0].ID != all[1].ID {
			t.Error("with a position the next is wanted")
		}
		for range maxWrites {
			_, _ = waitFor(g, set("m", "gain", 1000))
		}
		if n := len(g.WriteLog("", 0, 0)); n != maxWrites {
			t.Errorf("the book keeps %d", n)
		}
		if _, ok := g.WriteByID(all[0].ID); ok {
			t.Error("the oldest is still there")
		}
		cancel()
		<-done
	})
}

func TestCallerWhoLeavesDoesNotStopTheWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newToy()
		d.write = func(_ context.Context, d *toy, w driver.Write) driver.Outcome {
			time.AfterFunc(time.Second, func() { d.set(w.Path, w.Value) })
			return driver.Outcome{Stage: driver.Acked}
		}
		g, stop := running(t, conf("m", d))
		defer stop()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		s, err := g.Write(ctx, tester, []north.WriteItem{set("m", "gain", 1)}, north.WriteOptions{Wait: true})
		if err != nil || s.Items[0].Last().Final {
			t.Errorf("%v, %v", s, err)
		}
		time.Sleep(2 * time.Second)
		if s, _ = g.WriteByID(s.ID); s.Items[0].Last().Stage != north.StageConfirmed {
			t.Errorf("life: %s", stages(&s.Items[0]))
		}
	})
}
