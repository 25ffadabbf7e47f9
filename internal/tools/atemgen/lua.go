package main

import (
	_ "embed"
	"fmt"
	"strings"
)

//go:embed dissector.lua
var dissector string

// luaDissector writes the Wireshark dissector: the program with the catalogue as its data.
func luaDissector(cat *catalogue) []byte {
	var s source
	s.f("\nlocal sets = {\n")
	for _, set := range cat.sets {
		s.f("\t%s = { flags = %t, values = {", set.name, set.flags)
		for i, n := range set.names {
			s.f(" [%d] = %q,", set.values[i], n)
		}
		s.f(" } },\n")
	}
	s.f("}\n\nlocal codes = {\n")
	for _, f := range cat.families {
		for _, c := range f.codes {
			s.f("\t[%q] = { name = %q, grade = %q, layouts = {", c.code, c.goName, c.grade)
			for i, l := range c.layouts {
				from := 0
				if i > 0 && less(c.layouts[0].min, l.min) {
					from = l.min[0]<<16 | l.min[1]
				}
				s.f("\n\t\t{ from = %d, size = %d, least = %d, items = {", from, l.size, l.leastSize())
				s.luaItems(l, l.items)
				s.f(" } },")
			}
			s.f(" } },\n")
		}
	}
	s.f("}\n")
	return []byte(strings.Replace(dissector, "--@DATA@\n", s.String(), 1))
}

func (s *source) luaItems(l *layout, items []*item) {
	for _, it := range items {
		s.f(" { %d, %q, %q", it.off, it.name, it.kind)
		if it.n != 0 {
			s.f(", n = %d", it.n)
		}
		if it.ref != "" {
			s.f(", length = %d", l.find(it.ref).off)
		}
		if it.enum != "" {
			s.f(", set = %q", it.enum)
		}
		if it.bit != 0 {
			s.f(", bit = %d", it.bit)
		}
		if it.scale != "" {
			s.f(", scale = %s", it.scale)
		}
		if it.unit != "" {
			s.f(", unit = %q", it.unit)
		}
		switch it.kind {
		case "camera":
			s.f(", counts = %d", l.find("count8").off)
		case "each":
			s.f(", stride = %d, pad = %d, items = {", it.stride, max(it.pad, 1))
			s.luaItems(l, it.items)
			s.f(" }")
		}
		s.f(" },")
	}
}

// fieldsPage writes the table of fields of the documents.
func fieldsPage(cat *catalogue) []byte {
	var s source
	s.f("# Fields of ATEM switchers\n\nMade by `internal/tools/atemgen` of [protocol/atem/catalogue](../../protocol/atem/catalogue/README.md); do not edit.\n\n")
	s.f("Offsets are in bytes from the start of the body; numbers are big endian. Bytes that no row names hold leftovers on real\n" +
		"switchers: they are ignored when read and written as zero. The grade is the evidence: `spec` the maker's own document,\n" +
		"`seen` on hardware, `inferred` from other programs, `guess`. Of several layouts the newest that the protocol version has\n" +
		"reached and whose size fits is taken. **Bold** items tell instances of a code apart.\n")
	for _, f := range cat.families {
		s.f("\n## %s\n", strings.TrimSuffix(f.title, "."))
		for _, c := range f.codes {
			s.page(c)
		}
	}
	s.f("\n## Sets of values\n\n| set | values |\n|---|---|\n")
	for _, set := range cat.sets {
		var list []string
		for i, n := range set.names {
			list = append(list, fmt.Sprintf("%d %s", set.values[i], n))
		}
		kind := ""
		if set.flags {
			kind = " (bits)"
		}
		s.f("| %s%s | %s |\n", set.name, kind, strings.Join(list, ", "))
	}
	return []byte(s.String())
}

func (s *source) page(c *code) {
	title := ""
	if c.goName != "" {
		title = " " + c.goName
	}
	s.f("\n### `%s`%s\n\n%s *%s, %s", c.code, title, c.doc, upper(directions[c.direction]), c.grade)
	if c.sets != "" && c.sets != c.code {
		s.f("; changes `%s`", c.sets)
	}
	if c.volatile {
		s.f("; never part of the state")
	}
	s.f(".*\n")
	if len(c.layouts) == 0 {
		var n []string
		for _, size := range c.raw {
			n = append(n, fmt.Sprint(size))
		}
		s.f("\nNo layout is known. Sizes seen: %s bytes.\n", strings.Join(n, ", "))
	}
	for _, l := range c.layouts {
		size := fmt.Sprintf("%d bytes", l.size)
		if l.size < 0 {
			size = "of variable size"
		}
		since := ""
		if l.min != [2]int{} {
			since = fmt.Sprintf("From %d.%d: ", l.min[0], l.min[1])
		}
		s.f("\n%s%s.\n", since, size)
		if len(l.items) == 0 {
			continue
		}
		s.f("\n| offset | item | type | meaning |\n|---|---|---|---|\n")
		for _, it := range l.items {
			s.row(c, it, "")
			for _, e := range it.items {
				s.row(c, e, it.name+".")
			}
		}
	}
}

func upper(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

func (s *source) row(c *code, it *item, list string) {
	off, kind := fmt.Sprint(it.off), it.kind
	if it.off < 0 {
		off = "next"
	}
	if list != "" {
		off = "+" + off
	}
	switch {
	case it.kind == "each":
		kind = fmt.Sprintf("%s times %d bytes", it.ref, it.stride)
	case it.ref != "":
		kind += " of " + it.ref
	case it.n > 0:
		kind += fmt.Sprintf(" [%d]", it.n)
	case it.n < 0:
		kind += ", the rest"
	case it.kind == "bool":
		kind = fmt.Sprintf("bit %d", it.bit)
	}
	var note []string
	if it.enum != "" {
		note = append(note, it.enum)
	}
	if len(it.mask) > 0 {
		var bits []string
		for i, names := range it.mask {
			if len(names) > 0 {
				bits = append(bits, fmt.Sprintf("%d %s", i, strings.Join(names, " and ")))
			}
		}
		note = append(note, "what counts; bits "+strings.Join(bits, ", "))
	}
	if it.isLength {
		note = append(note, "how many of "+it.lengthOf)
	}
	if it.copyOf != "" {
		note = append(note, "the same as "+it.copyOf)
	}
	note = append(note, notes(it, c.typeOf(it))...)
	name := list + it.name
	if it.key {
		name = "**" + name + "**"
	}
	s.f("| %s | %s | %s | %s |\n", off, name, kind, strings.Join(note, "; "))
}
