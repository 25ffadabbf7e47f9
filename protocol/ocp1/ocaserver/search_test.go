package ocaserver

import (
	"slices"
	"testing"

	"github.com/patchbay-io/patchbay/protocol/ocp1"
)

const all = ocp1.WantONo | ocp1.WantClass | ocp1.WantContainerPath | ocp1.WantRole | ocp1.WantLabel

// Controllers find objects by role, label, class and path, from each block on, in every way to compare.
func TestSearch(t *testing.T) {
	byRole, deep, byLabel, byPath := uint16(17), uint16(18), uint16(19), uint16(20)
	find := func(name string, c ocp1.Comparison, class ocp1.ClassID) []byte {
		return ocp1.Search{Name: name, Comparison: c, Class: class, Want: all}.Append(nil)
	}
	path := func(roles ...string) []byte { return ocp1.PathSearch{Path: roles, Want: all}.Append(nil) }
	serveDesk(t, Options{}, func(d *desk, _ *Server, dial func() *peer) {
		d.gain.SetLabel("Vocals")
		p := dial()
		defer p.Close()
		for _, row := range []struct {
			name   string
			target ocp1.ONo
			index  uint16
			params []byte
			status ocp1.Status
			want   []ocp1.ONo
		}{
			{"a member", 100, byRole, find("Level", ocp1.CompareExact, ocp1.ClassID{}), 0, []ocp1.ONo{4101}},
			{"a member of a member", 100, byRole, find("Gain", ocp1.CompareExact, ocp1.ClassID{}), 0, nil},
			{"the same, deep", 100, deep, find("Gain", ocp1.CompareExact, ocp1.ClassID{}), 0, []ocp1.ONo{4097}},
			{"in other letters", 100, deep, find("gAIN", ocp1.CompareExact, ocp1.ClassID{}), 0, nil},
			{"in any letters", 100, deep, find("gAIN", ocp1.CompareExactFold, ocp1.ClassID{}), 0, []ocp1.ONo{4097}},
			{"beginning", 4096, byRole, find("Sou", ocp1.CompareStart, ocp1.ClassID{}), 0, []ocp1.ONo{4099}},
			{"beginning in any letters", 4096, byRole, find("m", ocp1.CompareStartFold, ocp1.ClassID{}), 0, []ocp1.ONo{4098}},
			{"inside", 100, deep, find("ain", ocp1.CompareContains, ocp1.ClassID{}), 0, []ocp1.ONo{4097}},
			{"inside in any letters", 100, deep, find("M", ocp1.CompareContainsFold, ocp1.ClassID{}), 0, []ocp1.ONo{4098, 4100}},
			{"all actuators", 100, deep, find("", ocp1.CompareContains, ocp1.ClassActuator), 0, []ocp1.ONo{4097, 4098, 4099, 4100}},
			{"a class that nothing is of", 100, deep, find("Gain", ocp1.CompareExact, ocp1.ClassMute), 0, nil},
			{"no such comparison", 100, deep, find("Gain", 6, ocp1.ClassID{}), ocp1.StatusParameterOutOfRange, nil},
			{"by label", 100, byLabel, find("Vocals", ocp1.CompareExact, ocp1.ClassID{}), 0, []ocp1.ONo{4097}},
			{"by path", 100, byPath, path("Input1", "Mute"), 0, []ocp1.ONo{4098}},
			{"by path from a block", 4096, byPath, path("Mute"), 0, []ocp1.ONo{4098}},
			{"by path through what is no block", 100, byPath, path("Level", "Mute"), 0, nil},
			{"by no path", 100, byPath, path(), 0, nil},
			{"in what is no block", 4097, deep, find("Gain", 0, ocp1.ClassID{}), ocp1.StatusBadMethod, nil},
		} {
			count := uint8(ocp1.SearchParams)
			if row.index == byPath {
				count = ocp1.PathSearchParams
			}
			r := p.ask(row.target, 3, row.index, count, row.params)
			q := ocp1.NewParams("result", r.Params)
			var got []ocp1.ONo
			if r.Status == 0 {
				for _, found := range ocp1.ListOf(&q, "Result", func(f string) ocp1.SearchResult { return q.SearchResult(f) }) {
					got = append(got, found.ONo)
				}
			}
			if r.Status != row.status || q.End() != nil || !slices.Equal(got, row.want) {
				t.Errorf("%s: %v, %v, %v; want %v, %v", row.name, r.Status, got, q.End(), row.status, row.want)
			}
		}
		// Everything that is known of an object, and then only what is wanted.
		for want, result := range map[ocp1.SearchFlags]ocp1.SearchResult{
			all:                              {ONo: 4097, Class: d.gain.Class(), ContainerPath: []ocp1.ONo{100, 4096}, Role: "Gain", Label: "Vocals"},
			ocp1.WantONo | ocp1.WantLabel:    {ONo: 4097, Label: "Vocals"},
			ocp1.WantRole | ocp1.WantClass:   {Class: d.gain.Class(), Role: "Gain"},
			ocp1.WantContainerPath | 1<<8<<7: {ContainerPath: []ocp1.ONo{100, 4096}},
		} {
			r := p.ask(100, 3, deep, ocp1.SearchParams, ocp1.Search{Name: "Gain", Want: want}.Append(nil))
			if b := ocp1.AppendList(nil, []ocp1.SearchResult{result}, ocp1.AppendSearchResult); r.Status != 0 || string(r.Params) != string(b) {
				t.Errorf("%b: %x, want %x", want, r.Params, b)
			}
		}
	})
}

// Whatever of its parameters is missing, a method answers BadFormat, and does nothing. One object of each class is asked.
func TestTruncatedParameters(t *testing.T) {
	serveDesk(t, Options{}, func(d *desk, _ *Server, dial func() *peer) {
		objects := []*Object{d.Root().Object, d.gain.Object, d.mute.Object, d.source.Object, d.name.Object, d.Root().PanBalance("Pan", 0).Object, d.Root().Int32("I", 0, 0, 9).Object,
			d.Root().Boolean("B", false).Object, d.Root().Identify("Identify").Object, d.Root().Uint16("U", 0, 0, 9).Object, d.Root().Delay("Delay", 0, 1).Object}
		for _, n := range []ocp1.ONo{ocp1.DeviceManagerONo, ocp1.SubscriptionManagerONo} {
			o, _ := d.Object(n)
			objects = append(objects, o)
		}
		p := dial()
		defer p.Close()
		tried := 0
		for _, o := range objects {
			for class := o.Class().Class; class.Len() > 0; class = class.Parent() {
				c, ok := ocp1.ClassByID(class)
				if !ok {
					continue
				}
				for _, m := range c.Methods {
					if len(m.In) == 0 {
						continue
					}
					r := p.ask(o.ONo(), c.Level(), m.Index, uint8(len(m.In)), nil)
					switch r.Status {
					case ocp1.StatusBadFormat, ocp1.StatusPermissionDenied, ocp1.StatusNotImplemented: // the last two do not look at them
						tried++
					default:
						t.Errorf("%s.%s without its parameters: %v", c.Name, m.Name, r.Status)
					}
					if r := p.ask(o.ONo(), c.Level(), m.Index, uint8(len(m.In)+1), make([]byte, 4)); r.Status != ocp1.StatusBadFormat && r.Status != ocp1.StatusNotImplemented {
						t.Errorf("%s.%s with a count that lies: %v", c.Name, m.Name, r.Status)
					}
				}
			}
		}
		if tried < 40 {
			t.Errorf("%d methods tried", tried)
		}
		whole := ocp1.Search{Name: "Gain", Comparison: 0, Class: ocp1.ClassGain, Want: all}.Append(nil)
		for n := range whole {
			if r := p.ask(100, 3, 18, ocp1.SearchParams, whole[:n]); r.Status != ocp1.StatusBadFormat {
				t.Errorf("a search of %d bytes: %v", n, r.Status)
			}
		}
	})
}
