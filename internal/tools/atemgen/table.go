package main

import (
	"fmt"
	"slices"
	"strings"
)

// goTable writes the tables of the generic decoder.
func goTable(cat *catalogue) ([]byte, error) {
	var codes []*code
	for _, c := range cat.codes {
		codes = append(codes, c)
	}
	slices.SortFunc(codes, func(a, b *code) int { return strings.Compare(a.code, b.code) })
	var rows, layouts, items source
	nl, ni := 0, 0
	for _, c := range codes {
		rows.f("{code: %s, first: %d, layouts: %d, way: %s, grade: grade%s, name: %q, doc: %q", codeName(c), nl, len(c.layouts), way(c), camel(c.grade), c.goName, c.doc)
		if c.sets != "" {
			rows.f(", sets: %s", codeName(cat.codes[c.sets]))
		}
		if c.removes != "" {
			rows.f(", removes: %s", codeName(cat.codes[c.removes]))
		}
		if c.volatile {
			rows.f(", volatile: true")
		}
		if len(c.layouts) == 0 {
			rows.f(", rawKey: %q", c.rawKey)
		}
		rows.f("},\n")
		for i, l := range c.layouts {
			nl++
			var body source
			n := writeItems(&body, l.items)
			min := "0"
			if i > 0 && less(c.layouts[0].min, l.min) {
				min = fmt.Sprintf("MakeVersion(%d, %d)", l.min[0], l.min[1])
			}
			layouts.f("{from: %s, since: MakeVersion(%d, %d), size: %d, least: %d, pad: %d, first: %d, items: %d}, // %s\n", min, l.min[0], l.min[1], l.size, l.leastSize(), l.pad, ni, n, c.code)
			ni += n
			items.WriteString(body.String())
		}
	}
	var s source
	s.f(header + "package atem\n\n")
	s.f("var codeRows = [...]codeRow{\n%s}\n\nvar layoutRows = [...]layoutRow{\n%s}\n\nvar itemRows = [...]itemRow{\n%s}\n", rows.String(), layouts.String(), items.String())
	return s.gofmt()
}

func way(c *code) string {
	return "way" + camel(c.direction)
}

// writeItems writes the rows of items; a list is followed by its elements.
func writeItems(s *source, items []*item) int {
	n := 0
	for _, it := range items {
		kind := it.kind
		s.f("{name: %q, kind: kind%s, off: %d", it.name, strings.ToUpper(kind[:1])+kind[1:], it.off)
		if it.n != 0 {
			s.f(", n: %d", it.n)
		}
		if it.kind != "str" && it.kind != "bytes" && it.n > 0 {
			s.f(", width: %d", widths[it.kind])
		}
		if it.ref != "" {
			at := slices.IndexFunc(items, func(o *item) bool { return o.name == it.ref })
			s.f(", length: %d", items[at].off+1)
		}
		if it.isLength || it.copyOf != "" {
			s.f(", isLength: true")
		}
		if it.enum != "" {
			s.f(", set: set%s", it.enum)
		}
		if it.key {
			s.f(", key: true")
		}
		if it.kind == "bool" {
			s.f(", bit: %d", it.bit)
		}
		if it.scale != "" {
			s.f(", scale: %s", it.scale)
		}
		if it.log > 0 {
			s.f(", log: %d", it.log)
		}
		if it.ranged {
			s.f(", min: %d, max: %d", it.min, it.max)
		}
		if it.floored {
			s.f(", floor: %d", it.floor)
		}
		if it.unit != "" {
			s.f(", unit: %q", it.unit)
		}
		if it.grade != "" {
			s.f(", grade: grade%s", camel(it.grade))
		}
		if len(it.mask) > 0 {
			names := make([]string, len(it.mask))
			for j, m := range it.mask {
				names[j] = strings.Join(m, "+")
			}
			s.f(", mask: %q", strings.Join(names, ","))
		}
		if it.kind == "each" {
			s.f(", n: %d, stride: %d, pad: %d", len(it.items), it.stride, max(it.pad, 1))
		}
		s.f("},\n")
		n++
		n += writeItems(s, it.items)
	}
	return n
}
