package fcxml

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// fill repeats a part of a payload until the longest one is full.
func fill(head, part, tail string) string {
	return head + strings.Repeat(part, (MaxPayload-len(head)-len(tail))/len(part)) + tail
}

// device is one with as many parts as may be. The parts have the same number of elements.
func device(head string, part func(i int) string, tail string) string {
	head, tail = `<device-arrival><device id="1">`+head, tail+"</device></device-arrival>"
	var b strings.Builder
	b.WriteString(head)
	elements := strings.Count(part(0), "<") - strings.Count(part(0), "</")
	for i := 0; i < (MaxElements-10)/elements; i++ {
		p := part(i)
		if b.Len()+len(p)+len(tail) > MaxPayload {
			break
		}
		b.WriteString(p)
	}
	return b.String() + tail
}

// Whatever a payload of the longest kind holds, reading it takes memory in proportion to it, and no more than a device with as
// many elements as there may be. In brackets is what a reader without the limits takes.
func TestBombs(t *testing.T) {
	const most = 40 << 20
	long := strings.Repeat("n", MaxPayload/4)
	for name, in := range map[string]string{
		"text between comments [9 GB]":      fill("<a>", "x<!---->", "</a>"),
		"text between elements [7 GB]":      fill("<a>", "long text<b/>"+strings.Repeat("y", 60), "</a>"),
		"text in CDATA [3 GB]":              fill("<a>", "<![CDATA[x]]>", "</a>"),
		"entities":                          fill("<a>", "&lt;", "</a>"),
		"entities in a value":               fill("<a b='", "&#x41;", "'/>"),
		"a long value in a set":             fill("<set devid='1'><item id='2' value='", "&amp;", "'/></set>"),
		"items":                             fill("<set devid='1'>", "<item id='2' value=''/>", "</set>"),
		"a set in a tree":                   fill("<set\tdevid='1'><item id='2' value='", `"`, "'/></set>"),
		"elements":                          fill("<a>", "<b/>", "</a>"),
		"attributes":                        fill("<a>", "<b"+strings.Repeat(" c=''", 3)+"/>", "</a>"),
		"controls below a long name [5 GB]": device("<"+long+">", func(i int) string { return fmt.Sprintf(`<a id="%d"/>`, i+2) }, "</"+long+">"),
		"channels with long names [5 GB]": device("<inputs><analogue name='"+long+"'>", func(i int) string { return fmt.Sprintf(`<a id="%d"/>`, i+2) },
			"</analogue></inputs>"),
		"controls with one path [2 GB]": device("<monitoring>", func(i int) string {
			return fmt.Sprintf(`<hardware-controls><gain id="%d"/></hardware-controls>`, i+2)
		}, "</monitoring>"),
		"channels of one name": device("<outputs>", func(i int) string {
			return fmt.Sprintf(`<analogue name="x" stereo-name="y"><gain id="%d"/></analogue>`, i+2)
		}, "</outputs>"),
		"choices": device("<preset id='2'>", func(i int) string { return fmt.Sprintf("<enum value='%d'/>", i) }, "</preset>"),
	} {
		if len(in) > MaxPayload {
			t.Fatalf("%s: %d bytes", name, len(in))
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m, err := Parse([]byte(in))
		if a, ok := m.(DeviceArrival); ok {
			_, err = NewSchema(a.Devices[0])
		}
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > most {
			t.Errorf("%s: %d bytes took %d bytes of memory (%v)", name, len(in), took, err)
		}
	}
}

func TestLongPaths(t *testing.T) {
	for n, want := range map[int]error{MaxPath: nil, MaxPath + 1: ErrLongPath} {
		e, err := ParseElement([]byte(`<device id="1"><` + strings.Repeat("n", n-4) + `><abc id="2"/></` + strings.Repeat("n", n-4) + `></device>`))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := NewSchema(e); !errors.Is(err, want) {
			t.Errorf("a path of %d bytes: %v, want %v", n, err, want)
		}
	}
}

// Controls that would have one path are numbered, also past a path that is such a number by itself.
func TestEqualPaths(t *testing.T) {
	s := mustSchema(t, `<device id="1"><m><hardware-controls><gain id="2"/><level-3 id="3"/></hardware-controls><hardware-controls><gain id="4"/></hardware-controls>
		<hardware-controls><gain id="5"/></hardware-controls></m><hardware-controls id="6"/></device>`)
	for id, want := range map[uint32]string{2: "m/level", 3: "m/level-3", 4: "m/level-2", 5: "m/level-4", 6: "-2"} {
		if it := s.ByID(id); it == nil || it.Path != want || s.ByPath(want) != it {
			t.Errorf("%d: %+v, want the path %s", id, it, want)
		}
	}
}

func TestLongValues(t *testing.T) {
	for n, odd := range map[int]int{MaxValue: 0, MaxValue + 1: 1} {
		m, err := Parse(Set{Device: "1", Items: []Assign{{2, strings.Repeat("v", n)}, {3, "x"}}}.AppendXML(nil))
		if s, ok := m.(Set); err != nil || !ok || s.Odd != odd || len(s.Items) != 2-odd {
			t.Errorf("a value of %d bytes: %d items, %d odd, %v", n, len(s.Items), s.Odd, err)
		}
	}
}

// Text that comes in pieces is one text, without the white space around each.
func TestTextInPieces(t *testing.T) {
	e, err := ParseElement([]byte("<a>one <b>in</b> two<!-- x --><![CDATA[ <3> ]]>four<c/></a>"))
	if err != nil || e.Text != "onetwo<3>four" || e.Child("b").Text != "in" || e.Child("c").Text != "" {
		t.Errorf("%+v, %v", e, err)
	}
}
