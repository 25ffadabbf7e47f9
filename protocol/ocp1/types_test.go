package ocp1

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/wire"
)

// Values of every type: as they are written they are read.
func TestTypes(t *testing.T) {
	gain := ClassIdentification{ClassOf(1, 1, 1, 5), 3}
	for _, row := range []struct {
		name string
		wire string
		put  []byte
		read func(p *Params) bool
	}{
		{"string", "0005 42 6a c3b6 72 6b", str("Björk"), func(p *Params) bool { return p.String("x") == "Björk" }},
		{"empty string", "0000", str(""), func(p *Params) bool { return p.String("x") == "" }},
		{"string of 4-byte code points", "0002 f09f8eb9 f09f8e9b", str("🎹🎛"), func(p *Params) bool { return p.String("x") == "🎹🎛" }},
		{"string that is not UTF-8", "0003 41 e4 42", str("A\xe4B"), func(p *Params) bool { return p.String("x") == "A\xe4B" }},
		{"blob", "0003 010203", AppendBlob(nil, []byte{1, 2, 3}), func(p *Params) bool { return bytes.Equal(p.Blob("x"), []byte{1, 2, 3}) }},
		{"long blob", "00000002 0102", nil, func(p *Params) bool { return bytes.Equal(p.LongBlob("x"), []byte{1, 2}) }},
		{"bits", "000a a0 40", AppendBits(nil, []bool{true, false, true, false, false, false, false, false, false, true}),
			func(p *Params) bool { b := p.Bits("x"); return len(b) == 10 && b[0] && !b[1] && b[2] && b[9] }},
		{"eight bits", "0008 01", AppendBits(nil, []bool{7: true}), func(p *Params) bool { b := p.Bits("x"); return len(b) == 8 && b[7] }},
		{"bool", "01", AppendBool(nil, true), func(p *Params) bool { return p.Bool("x") }},
		{"bool false", "00", AppendBool(nil, false), func(p *Params) bool { return !p.Bool("x") }},
		{"float32 -inf", "ff800000", AppendF32(nil, float32(math.Inf(-1))), func(p *Params) bool { return math.IsInf(float64(p.F32("x")), -1) }},
		{"float64", "3ff8000000000000", AppendF64(nil, 1.5), func(p *Params) bool { return p.F64("x") == 1.5 }},
		{"class", "0004 0001 0001 0001 0005 0003", AppendClassIdentification(nil, gain), func(p *Params) bool { return p.ClassIdentification("x") == gain }},
		{"object", "00001016 0004 0001 0001 0001 0005 0003", AppendObjectIdentification(nil, ObjectIdentification{0x1016, gain}),
			func(p *Params) bool { return p.ObjectIdentification("x") == ObjectIdentification{0x1016, gain} }},
		{"member", "00001016 0004 0001 0001 0001 0005 0003 00000064", AppendBlockMember(nil, BlockMember{ObjectIdentification{0x1016, gain}, 100}),
			func(p *Params) bool {
				return p.BlockMember("x") == BlockMember{ObjectIdentification{0x1016, gain}, 100}
			}},
		{"manager", "00000001 0001 44 0003 0001 0003 0001 0002", AppendManagerDescriptor(nil, ManagerDescriptor{1, "D", ClassOf(1, 3, 1), 2}),
			func(p *Params) bool {
				return p.ManagerDescriptor("x") == ManagerDescriptor{1, "D", ClassOf(1, 3, 1), 2}
			}},
		{"search", "0004 4761696e 02 0004 0001 0001 0001 0005 0009", Search{"Gain", CompareContains, ClassGain, WantONo | WantRole}.Append(nil),
			func(p *Params) bool { return p.Search() == Search{"Gain", CompareContains, ClassGain, 9} }},
		{"search by path", "0002 0001 61 0001 62 001f", PathSearch{[]string{"a", "b"}, 31}.Append(nil),
			func(p *Params) bool {
				s := p.PathSearch()
				return slices.Equal(s.Path, []string{"a", "b"}) && s.Want == 31
			}},
		{"search result", "00001016 0004 0001 0001 0001 0005 0003 0001 00000064 0001 67 0000", AppendSearchResult(nil, SearchResult{0x1016, gain, []ONo{100}, "g", ""}),
			func(p *Params) bool {
				r := p.SearchResult("x")
				return r.ONo == 0x1016 && r.Class == gain && slices.Equal(r.ContainerPath, []ONo{100}) && r.Role == "g" && r.Label == ""
			}},
		{"model", "0001 4d 0001 4e 0001 56", AppendModelDescription(nil, ModelDescription{"M", "N", "V"}),
			func(p *Params) bool { return p.ModelDescription("x") == ModelDescription{"M", "N", "V"} }},
		{"u32", "deadbeef", AppendU32(nil, 0xdeadbeef), func(p *Params) bool { return p.U32("x") == 0xdeadbeef }},
		{"guid", "00 00130e 00000007", []byte{0, 0, 0x13, 0x0e, 0, 0, 0, 7}, func(p *Params) bool { return p.ModelGUID("x") == ModelGUID{0, 0, 0x13, 0x0e, 0, 0, 0, 7} }},
		{"list", "0002 0001 61 0001 62", AppendList(nil, []string{"a", "b"}, AppendString),
			func(p *Params) bool { return slices.Equal(ListOf(p, "x", p.String), []string{"a", "b"}) }},
	} {
		b := unhex(t, row.wire)
		if row.put != nil && !bytes.Equal(row.put, b) {
			t.Errorf("%s: appends as %x, want %x", row.name, row.put, b)
		}
		p := NewParams("Test", b)
		if !row.read(&p) || p.End() != nil {
			t.Errorf("%s: reads as something else, %v", row.name, p.End())
		}
		for n := range b { // cut anywhere it is an error, and nothing runs past the end
			p := NewParams("Test", b[:n])
			row.read(&p)
			if p.Err() == nil && !strings.Contains(row.name, "4-byte") { // the bytes of a cut code point count for one each
				t.Errorf("%s cut to %d bytes reads", row.name, n)
			}
		}
	}
}

// Counts that lie.
func TestLyingCounts(t *testing.T) {
	for _, row := range []struct {
		name, wire string
		read       func(p *Params)
	}{
		{"string of more code points than bytes", "ffff 41", func(p *Params) { p.String("x") }},
		{"string that needs the bytes of a code point twice", "0003 c3b6 c3b6", func(p *Params) { p.String("x") }},
		{"blob", "ffff 41", func(p *Params) { p.Blob("x") }},
		{"long blob", "ffffffff 41", func(p *Params) { p.LongBlob("x") }},
		{"bits", "ffff 41", func(p *Params) { p.Bits("x") }},
		{"class", "ffff 0001 0001", func(p *Params) { p.ClassID("x") }},
		{"class of 16 fields", "0010" + strings.Repeat("0001", 16), func(p *Params) { p.ClassID("x") }},
		{"list", "ffff 0001 41", func(p *Params) { ListOf(p, "x", p.String) }},
	} {
		p := NewParams("Test", unhex(t, row.wire))
		row.read(&p)
		if p.Err() == nil {
			t.Errorf("%s: no error", row.name)
		}
	}
	p := NewParams("Test", []byte{1, 2})
	p.U8("x")
	if err := p.End(); err == nil {
		t.Error("a byte too many is no error")
	}
	p = NewParams("Test", nil)
	p.U8("x")
	if err := p.End(); !errors.Is(err, wire.ErrShort) {
		t.Errorf("End after a failure: %v", err)
	}
}

func TestTooLongIsCut(t *testing.T) {
	long := strings.Repeat("ö", MaxString+5)
	p := NewParams("Test", AppendString(nil, long))
	if got := p.String("x"); got != long[:2*MaxString] || p.End() != nil {
		t.Errorf("string of %d bytes, %v", len(got), p.End())
	}
	p = NewParams("Test", AppendBlob(nil, make([]byte, MaxString+5)))
	if got := p.Blob("x"); len(got) != MaxString || p.End() != nil {
		t.Errorf("blob of %d bytes, %v", len(got), p.End())
	}
	p = NewParams("Test", AppendList(nil, make([]bool, MaxString+5), AppendBool))
	if got := ListOf(&p, "x", p.Bool); len(got) != MaxString || p.End() != nil {
		t.Errorf("list of %d items, %v", len(got), p.End())
	}
}

func TestClassIDs(t *testing.T) {
	agent := ClassOf(1, 2, 0xffff, 0, 0x130e, 1)
	for _, row := range []struct {
		c     ClassID
		text  string
		level uint16
	}{{ClassOf(1), "1", 1}, {ClassOf(1, 1, 1, 1, 13), "1.1.1.1.13", 5}, {agent, "1.2.[00130e].1", 3}, {ClassID{}, "", 0}, {ClassOf(1, 0xffff), "1.65535", 1}} {
		if row.c.String() != row.text || row.c.Level() != row.level {
			t.Errorf("%q at level %d, want %q at %d", row.c, row.c.Level(), row.text, row.level)
		}
	}
	gain := ClassOf(1, 1, 1, 5)
	if !gain.IsA(ClassOf(1, 1)) || !gain.IsA(gain) || gain.IsA(ClassOf(1, 1, 2)) || ClassOf(1, 1).IsA(gain) {
		t.Error("IsA is wrong")
	}
	if gain.Parent() != ClassOf(1, 1, 1) || (ClassID{}).Parent() != (ClassID{}) || !slices.Equal(gain.Fields(), []uint16{1, 1, 1, 5}) {
		t.Error("Parent or Fields is wrong")
	}
}

func TestPropertyChange(t *testing.T) {
	for n := range 5 {
		if _, err := ParsePropertyChange(make([]byte, n)); !errors.Is(err, ErrShort) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	b := unhex(t, "0004 0001 c1c40000 01")
	c, err := ParsePropertyChange(b)
	if err != nil || c.Property != (ID{4, 1}) || c.Change != CurrentChanged || !bytes.Equal(c.Append(nil), b) {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestSubscriptions(t *testing.T) {
	s := Subscription{Event{0x1016, PropertyChanged}, SubscriberMethod, []byte{1, 2}, DeliveryNormal, []byte{3}}
	if got, err := ParseSubscription(s.Append(nil)); err != nil || !bytes.Equal(got.Append(nil), s.Append(nil)) {
		t.Errorf("%+v, %v", got, err)
	}
	s2 := Subscription2{Event{0x1016, PropertyChanged}, DeliveryNormal, []byte{3}}
	if got, err := ParseSubscription2(s2.Append(nil)); err != nil || !bytes.Equal(got.Append(nil), s2.Append(nil)) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := ParseSubscription(s2.Append(nil)); err == nil {
		t.Error("the parameters of one are taken for the other's")
	}
	if _, err := ParseSubscription2(append(s2.Append(nil), 0)); err == nil {
		t.Error("a byte too many is taken")
	}
}

func TestStatusTexts(t *testing.T) {
	err := Response{Status: StatusParameterOutOfRange}.Err(4118, ID{4, 2})
	if got, want := err.Error(), "object 4118, method 4.2: ParameterOutOfRange (7): a parameter is out of range"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if !errors.Is(err, &Error{Status: StatusParameterOutOfRange}) || errors.Is(err, &Error{Status: StatusLocked}) || errors.Is(err, &Error{Target: 1, Status: StatusParameterOutOfRange}) {
		t.Error("errors.Is is wrong")
	}
	if (Response{}).Err(1, ID{}) != nil || Status(99).String() != "status 99" || Status(99).Meaning() != "" {
		t.Error("texts of good or unknown statuses are wrong")
	}
}

// Names are compared in the six ways of the standard, and in no other.
func TestComparison(t *testing.T) {
	for _, row := range []struct {
		c            Comparison
		name, search string
		want         bool
	}{
		{CompareExact, "Gain", "Gain", true}, {CompareExact, "Gain", "gain", false}, {CompareExact, "Gain", "Gai", false},
		{CompareStart, "Gain", "Ga", true}, {CompareStart, "Gain", "ain", false}, {CompareContains, "Gain", "ai", true}, {CompareContains, "Gain", "AI", false},
		{CompareExactFold, "GÄIN", "gäin", true}, {CompareStartFold, "Gain", "GA", true}, {CompareContainsFold, "Gain", "AI", true}, {CompareContainsFold, "Gain", "x", false},
		{6, "Gain", "Gain", false}, {255, "Gain", "", false},
	} {
		if got := row.c.Match(row.name, row.search); got != row.want {
			t.Errorf("%v: %q and %q: %v", row.c, row.name, row.search, got)
		}
		if row.c.Valid() != (row.c < 6) {
			t.Errorf("%v is known: %v", row.c, row.c.Valid())
		}
	}
	if CompareStart.String() != "start" || Comparison(9).String() != "comparison 9" {
		t.Errorf("%v, %v", CompareStart, Comparison(9))
	}
	full := SearchResult{1, ClassIdentification{ClassGain, 2}, []ONo{100}, "r", "l"}
	if d := full.Only(WantONo | WantClass | WantContainerPath | WantRole | WantLabel); d.ONo != 1 || d.Class != full.Class || len(d.ContainerPath) != 1 || d.Role != "r" || d.Label != "l" {
		t.Errorf("%+v", d)
	}
	if d := full.Only(0); d.ONo != 0 || d.Class.Class.Len() != 0 || d.ContainerPath != nil || d.Role != "" || d.Label != "" {
		t.Errorf("%+v", d)
	}
}
