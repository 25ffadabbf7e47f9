package drivertest

import (
	"reflect"
	"slices"
	"strings"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

func describeChecks() []check {
	return []check{
		{"info", func(w *world) {
			i := w.target.Driver.Info()
			if i.Name == "" || device.Slug(i.Name) != i.Name {
				w.Errorf("name %q is no path segment", i.Name)
			}
			if i.Title == "" {
				w.Error("no title")
			}
			if !slices.Contains([]string{"cnc", "switcher", "serial", "audio", ""}, i.Panel) {
				w.Errorf("panel %q is not known", i.Panel)
			}
			if len(i.Schemes) == 0 {
				w.Error("no URL scheme leads to the driver")
			}
			for _, s := range i.Schemes {
				if s.Name == "" || strings.ToLower(s.Name) != s.Name || s.Network == "" {
					w.Errorf("scheme %+v is not complete", s)
				}
			}
		}},
		{"options", func(w *world) {
			a, b := w.target.Driver.Options(), w.target.Driver.Options()
			v := reflect.ValueOf(a)
			if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
				w.Fatalf("Options is a %T, not a pointer to a struct", a)
			}
			if v.Elem().Type().Size() > 0 && v.Pointer() == reflect.ValueOf(b).Pointer() {
				w.Error("two calls of Options share one struct")
			}
			for f := range v.Elem().Type().Fields() {
				if f.IsExported() && f.Tag.Get("yaml") == "" {
					w.Errorf("option %s has no yaml tag", f.Name)
				}
			}
			if c, ok := a.(interface{ Validate() error }); ok {
				if err := c.Validate(); err != nil {
					w.Errorf("the defaults are not valid: %v", err)
				}
			}
		}},
		{"specs", func(w *world) {
			r := w.survey(w.open())
			r.mu.Lock()
			defer r.mu.Unlock()
			for _, s := range r.specs {
				w.checkSpec(&s, r)
			}
		}},
		{"abilities", func(w *world) {
			a, can := w.open().Abilities(), w.target.Driver.Info().Can
			for _, c := range []struct {
				has  bool
				bit  driver.Can
				name string
			}{{a.Writer != nil, driver.CanWrite, "write"}, {a.Commander != nil, driver.CanCommand, "command"}, {a.Streamer != nil, driver.CanStream, "stream"}} {
				if c.has && can&c.bit == 0 {
					w.Errorf("the session can %s, and Info does not say so", c.name)
				}
			}
		}},
	}
}

func (w *world) checkSpec(s *device.Spec, r *record) {
	if p, err := device.ParsePath(string(s.Path)); err != nil || p == "" {
		w.Errorf("path %q: %v", s.Path, err)
	}
	if s.Kind < device.Bool || s.Kind > device.List {
		w.Errorf("%s: kind %v", s.Path, s.Kind)
	}
	if s.Title == "" && s.Doc == "" {
		w.Errorf("%s: neither title nor description", s.Path)
	}
	if s.Kind == device.Enum && s.Labels == "" {
		w.Errorf("%s: an enum without labels", s.Path)
	}
	if _, ok := r.labels[s.Labels]; s.Labels != "" && !ok {
		w.Errorf("%s: label set %q is not there", s.Path, s.Labels)
	}
	if _, ok := device.UnitOf(s.Unit); s.Unit != "" && !ok {
		w.Errorf("%s: unit %q is not in the table", s.Path, s.Unit)
	}
	if _, ok := device.RoleOf(s.Role); s.Role != "" && !ok {
		w.Errorf("%s: role %q is not in the table", s.Path, s.Role)
	}
	if !slices.Contains([]string{device.GradeSpec, device.GradeSeen, device.GradeInferred, device.GradeGuess}, s.Grade) {
		w.Errorf("%s: grade %q", s.Path, s.Grade)
	}
	if s.Min > s.Max {
		w.Errorf("%s: range %v to %v", s.Path, s.Min, s.Max)
	}
	if s.Kind == device.List && len(s.Columns) == 0 {
		w.Errorf("%s: a list without columns", s.Path)
	}
	if s.Access&device.W != 0 && s.Access != device.W && s.Confirm == device.ByNothing {
		w.Logf("%s: can be read and written, and its writes are not confirmed", s.Path)
	}
}
