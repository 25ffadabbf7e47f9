package ocp1

import (
	"slices"
	"testing"
)

// The tables hold together: ids rise and are unique, parents are there, indices are unique and types are given.
func TestClassTables(t *testing.T) {
	var before ClassID
	for _, c := range Classes() {
		if slices.Compare(before.Fields(), c.ID.Fields()) >= 0 {
			t.Errorf("%s (%v) does not come after %v", c.Name, c.ID, before)
		}
		before = c.ID
		if c.Name == "" || c.Version == 0 {
			t.Errorf("%v has no name or version", c.ID)
		}
		if c.ID.Len() > 1 {
			if _, ok := ClassByID(c.ID.Parent()); !ok {
				t.Errorf("%s has no parent", c.Name)
			}
		}
		seen := map[uint16]bool{}
		for _, m := range c.Methods {
			if seen[m.Index] || m.Name == "" {
				t.Errorf("%s: method %d twice or without a name", c.Name, m.Index)
			}
			seen[m.Index] = true
			for _, p := range append(slices.Clone(m.In), m.Out...) {
				if p.Type == nil || p.Name == "" {
					t.Errorf("%s.%s: a parameter without type or name", c.Name, m.Name)
				}
			}
		}
	}
}

func TestClassLookups(t *testing.T) {
	maker := ClassOf(1, 1, 1, 5, 0xffff, 0, 0x130e, 1)
	if c := NearestClass(maker); c == nil || c.Name != "OcaGain" {
		t.Errorf("nearest to a maker's gain: %+v", c)
	}
	if c := NearestClass(ClassOf(2)); c != nil {
		t.Errorf("nearest to no class: %+v", c)
	}
	for _, row := range []struct {
		c    ClassID
		m    ID
		want string
	}{
		{maker, ID{4, 2}, "SetGain"}, {ClassGain, ID{1, 5}, "GetRole"}, {ClassGain, ID{2, 8}, "GetLabel"}, {ClassGain, ID{4, 99}, ""}, {ClassGain, ID{5, 1}, ""},
		{ClassBooleanActuator, ID{5, 2}, "SetSetting"}, {ClassStringSensor, ID{5, 1}, "GetString"}, {ClassBitstringSensor, ID{5, 3}, "GetBitArray"},
		{ClassSubscriptionManager, ID{3, 8}, "AddSubscription2"}, {ClassOf(1, 2, 0xffff, 0, 0x130e, 1), ID{2, 1}, "GetLabel"}, {ClassOf(1, 2, 0xffff, 0, 0x130e, 1), ID{3, 1}, ""},
	} {
		got := ""
		if m, ok := MethodOf(row.c, row.m); ok {
			got = m.Name
		}
		if got != row.want {
			t.Errorf("%v %v is %q, want %q", row.c, row.m, got, row.want)
		}
	}
	if p, ok := PropertyOf(ClassAudioLevelSensor, ID{4, 1}); !ok || p.Type != Float32 {
		t.Errorf("%+v, %v", p, ok)
	}
	if _, ok := PropertyOf(ClassGain, ID{4, 2}); ok {
		t.Error("OcaGain has no property 4.2")
	}
	if _, ok := PropertyOf(ClassGain, ID{9, 1}); ok {
		t.Error("OcaGain has no level 9")
	}
}

// The values of every kind as people read them.
func TestTexts(t *testing.T) {
	mapping := &Datatype{Name: "map", Kind: KindMap, Key: Uint16, Elem: String}
	for _, row := range []struct {
		t          *Datatype
		wire, want string
	}{
		{Bool, "01", "true"}, {Int8, "ff", "-1"}, {Int16, "8000", "-32768"}, {Int32, "ffffffff", "-1"}, {Int64, "ffffffffffffffff", "-1"},
		{Uint8, "ff", "255"}, {Uint16, "ffff", "65535"}, {Uint32, "ffffffff", "4294967295"}, {Uint64, "ffffffffffffffff", "18446744073709551615"},
		{Float32, "c1c40000", "-24.5"}, {Float32, "ff800000", "-Inf"}, {Float64, "3ff8000000000000", "1.5"}, {String, "0002 4122", `"A\""`},
		{Blob, "0002 00ff", "00ff"}, {&Datatype{Kind: KindLongBlob}, "00000001 ff", "ff"}, {typeGUID, "0000130e00000007", "0000130e00000007"},
		{Bits, "0003 a0", "101"}, {typeMute, "01", "muted"}, {typeMute, "09", "9"}, {typeMute, "00", "0"}, {listBool, "0002 0001", "[false, true]"},
		{mapping, "0002 0001 0001 61 0002 0001 62", `[1: "a", 2: "b"]`}, {typeEvent, "00000064 0001 0001", "{100, 1.1}"},
		{typeModel, "0001 41 0001 42 0001 43", `{"A", "B", "C"}`},
	} {
		b := unhex(t, row.wire)
		if got, err := Text([]Param{{"x", row.t}}, b); err != nil || got != row.want {
			t.Errorf("%s %s: %q, %v, want %q", row.t.Name, row.wire, got, err, row.want)
		}
		if _, err := Text([]Param{{"x", row.t}}, b[:len(b)-1]); err == nil {
			t.Errorf("%s %s, cut, reads", row.t.Name, row.wire)
		}
		if _, err := Text([]Param{{"x", row.t}}, append(b, 0)); err == nil {
			t.Errorf("%s %s, with a byte too many, reads", row.t.Name, row.wire)
		}
	}
	if got, err := Text([]Param{{"a", Uint8}, {"b", Bool}}, []byte{3, 0}); err != nil || got != "3, false" {
		t.Errorf("%q, %v", got, err)
	}
}
