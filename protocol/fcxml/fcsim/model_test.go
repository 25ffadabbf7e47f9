package fcsim

import (
	"slices"
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/protocol/fcxml"
)

// Every model is numbered without gaps from 2, but for the four places of the older server's state, and reset-device comes
// after preset although the document has it before.
func TestNumbering(t *testing.T) {
	counts := map[string]int{}
	for _, name := range Models() {
		sim, err := New(Options{Model: name})
		if err != nil {
			t.Fatal(err)
		}
		s := sim.Schema()
		counts[name] = len(s.Items)
		var ids []int
		for i := range s.Items {
			ids = append(ids, int(s.Items[i].ID))
		}
		slices.Sort(ids)
		gap := 0
		for i, id := range ids {
			if id != 2+i+gap {
				if gap > 0 || id != 2+i+4 {
					t.Fatalf("%s: %d follows %d", name, id, ids[i-1])
				}
				gap = 4
				if it := s.ByID(uint32(id)); it.Name() != "msd-mode" {
					t.Errorf("%s: the gap lies before %s", name, it.Path)
				}
			}
		}
		if gap == 0 {
			t.Errorf("%s: no gap", name)
		}
		for path, id := range map[string]uint32{"nickname": 2, "preset": 6, "reset-device": 7, "firmware/version": 8, "mixer/inputs/add-input": 13, "mixer/inputs/free-inputs": 17} {
			if got := s.ByPath(path); got == nil || got.ID != id {
				t.Errorf("%s: %s is %+v, want %d", name, path, got, id)
			}
		}
		if id := s.ByPath("inputs/analogue-1").ID; s.ByPath("inputs/analogue-1/nickname").ID != id+1 || s.ByPath("inputs/analogue-1/available").ID != id+2 || s.ByPath("inputs/analogue-1/meter").ID != id+3 {
			t.Errorf("%s: an input is not numbered itself, nickname, available, meter", name)
		}
		if name == "18i20" {
			mix := s.ByPath("mixer/mixes/a").ID
			if s.ByPath("mixer/mixes/a/talkback").ID != mix+1 || s.ByPath("mixer/mixes/a/inputs/1/gain").ID != mix+2 || s.ByPath("mixer/mixes/a/meter").ID != mix+2+4*24 {
				t.Error("a mix is not numbered itself, talkback, inputs, meter")
			}
			for i := range s.Items {
				if s.Items[i].Kind == fcxml.KindUnknown {
					t.Logf("kind of %s is not known", s.Items[i].Path)
				}
			}
		}
		if strings.Contains(string(s.Root.AppendXML(nil)), unnumbered+`"`) {
			t.Errorf("%s: a control has no number", name)
		}
	}
	if counts["18i20"] < 1500 || counts["solo"] > 120 {
		t.Errorf("items: %v", counts)
	}
	t.Log(counts)
	if _, err := New(Options{Model: "x"}); err == nil {
		t.Error("an unknown model was made")
	}
}

// What rests is not said, and the same is said first as real servers do.
func TestSnapshotIsSparse(t *testing.T) {
	sim, err := New(Options{Model: "8i6"})
	if err != nil {
		t.Fatal(err)
	}
	s := sim.Schema()
	if err := sim.Turn("inputs/analogue-1/air", "true"); err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	snapshot := sim.snapshot()
	if snapshot[0].ID != s.ByPath("quick-start/msd-mode").ID || snapshot[0].Value != "false" {
		t.Errorf("the first value is %+v", snapshot[0])
	}
	zeros := 0
	for _, it := range snapshot {
		if it.ID == 0 {
			zeros++
			continue
		}
		said[s.ByID(it.ID).Path] = it.Value
	}
	if zeros == 0 {
		t.Error("a snapshot without number 0")
	}
	for path, want := range map[string]string{"inputs/analogue-1/air": "true", "inputs/analogue-1/mode": "Line", "inputs/analogue-1/available": "true",
		"outputs/monitor-output-1/gain": "0", "settings/phantom-persistence": "false", "clock/sample-rate": "48 kHz"} {
		if v, ok := said[path]; !ok || v != want {
			t.Errorf("%s is %q, %v in the snapshot; want %q", path, v, ok, want)
		}
	}
	for _, path := range []string{"inputs/analogue-2/air", "outputs/monitor-output-1/mute", "outputs/monitor-output-1/stereo", "nickname", "mixer/mixes/a/inputs/1/pan", "reset-device"} {
		if v, ok := said[path]; ok {
			t.Errorf("%s, which rests, is %q in the snapshot", path, v)
		}
	}
	if err := sim.Turn("no/such", "1"); err == nil {
		t.Error("turned what is not there")
	}
	if err := sim.Turn("inputs/analogue-1/mode", "Mic"); err == nil {
		t.Error("chose what there is not")
	}
}
