package atem

import (
	"bufio"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/protocol/atem"
)

// recordings are the dumps of real switchers, where they are at hand.
func recordings(t *testing.T) map[string][][]byte {
	t.Helper()
	files, err := filepath.Glob("../../../../shared/testdata/atem/*.data")
	if err != nil || len(files) == 0 {
		t.Skip("no recordings here")
	}
	out := map[string][][]byte{}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		sc := bufio.NewScanner(f)
		sc.Buffer(nil, 1<<20)
		for sc.Scan() {
			b, err := hex.DecodeString(strings.TrimSpace(sc.Text()))
			if err != nil {
				t.Fatal(err)
			}
			out[filepath.Base(name)] = append(out[filepath.Base(name)], b)
		}
		f.Close()
	}
	return out
}

// TestRecordings makes points of what real switchers said: all of them fit their specs, and everything that the switcher has
// is there.
func TestRecordings(t *testing.T) {
	for name, payloads := range recordings(t) {
		t.Run(name, func(t *testing.T) {
			s := newSession(name)
			for _, p := range payloads {
				s.handle(p)
			}
			b := s.board
			if !b.complete {
				t.Error("the dump has no end")
			}
			c := b.all()
			checkChange(t, c.Specs, c.Samples, b.labels)
			top := b.seen.top
			for me := range top.MEs {
				for _, what := range []string{"program", "preview", "transition/style", "transition/position", "transition/rate", "transition/layers/background"} {
					if b.points[mePath(me, what)] == nil {
						t.Errorf("no %s", mePath(me, what))
					}
				}
			}
			if b.points[mePath(top.MEs, "program")] != nil {
				t.Error("one M/E too many")
			}
			for dsk := range top.DSKs {
				if b.points[dskPath(dsk, "on-air")] == nil {
					t.Errorf("no %s", dskPath(dsk, "on-air"))
				}
			}
			if n := len(b.labels[labelsSources].Items); n != len(b.seen.inputs) || n == 0 || n > int(top.Sources) {
				t.Errorf("%d labels of sources for %d sources", n, len(b.seen.inputs))
			}
			for _, in := range b.seen.inputs {
				if p := b.points[inputPath(in.Source, "tally")]; p == nil && in.InternalPort == atem.InternalPortExternal {
					t.Errorf("no tally of %v", in.Source)
				} else if p != nil && p.spec.Attributes["name"] != in.Name {
					t.Errorf("attributes of %s: %v", p.spec.Path, p.spec.Attributes)
				}
			}
			t.Logf("%d points, %d commands, %d fields, %d unknown, %d that no layout fits", len(b.points), len(b.commands), b.fields, b.unknown, b.unread)
		})
	}
}

func checkChange(t *testing.T, specs []device.Spec, samples []device.Sample, labels map[string]device.LabelSet) {
	t.Helper()
	byPath := map[device.Path]*device.Spec{}
	for i := range specs {
		sp := &specs[i]
		byPath[sp.Path] = sp
		if _, err := device.ParsePath(string(sp.Path)); err != nil {
			t.Error(err)
		}
		if role, ok := device.RoleOf(sp.Role); sp.Role != "" && (!ok || role.Kind != sp.Kind) {
			t.Errorf("%s: role %s of kind %v, the point is %v", sp.Path, sp.Role, role.Kind, sp.Kind)
		}
		if _, ok := device.UnitOf(sp.Unit); sp.Unit != "" && !ok {
			t.Errorf("%s: unit %s", sp.Path, sp.Unit)
		}
		if sp.Kind == device.Enum && labels[sp.Labels].ID == "" {
			t.Errorf("%s has no labels", sp.Path)
		}
	}
	for _, s := range samples {
		sp := byPath[s.Path]
		switch {
		case sp == nil:
			t.Errorf("%s has no spec", s.Path)
		case s.Value.Kind != sp.Kind:
			t.Errorf("%s is %v and not %v", s.Path, s.Value.Kind, sp.Kind)
		case sp.HasRange() && sp.Kind == device.Float && (s.Value.Float() < sp.Min || s.Value.Float() > sp.Max):
			t.Errorf("%s is %v, outside of %v to %v", s.Path, s.Value.Float(), sp.Min, sp.Max)
		case sp.HasRange() && sp.Kind == device.Int && (float64(s.Value.Int()) < sp.Min || float64(s.Value.Int()) > sp.Max):
			t.Errorf("%s is %v, outside of %v to %v", s.Path, s.Value.Int(), sp.Min, sp.Max)
		case sp.Kind == device.Enum && sp.Labels != labelsSources:
			l := labels[sp.Labels]
			if _, ok := l.ByValue(s.Value.Int()); !ok {
				t.Errorf("%s is %d, which has no label in %s", s.Path, s.Value.Int(), sp.Labels)
			}
		}
	}
}
