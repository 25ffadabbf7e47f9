package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// condition is when a layout is the one; empty: always.
func (c *code) condition(i int) string {
	l := c.layouts[i]
	var and []string
	if i > 0 && less(c.layouts[0].min, l.min) {
		and = append(and, fmt.Sprintf("ver.from(%d, %d)", l.min[0], l.min[1]))
	}
	if l.size >= 0 {
		and = append(and, fmt.Sprintf("len(b) == %d", l.size))
	}
	return strings.Join(and, " && ")
}

func less(a, b [2]int) bool { return a[0] < b[0] || a[0] == b[0] && a[1] < b[1] }

func (s *source) parse(c *code, members []*member) {
	s.f("// Parse reads a body. Bytes that the layout does not name are ignored, values are never refused.\n")
	if c.usesBytes() {
		s.f("// Slices of bytes point into the body.\n")
	}
	s.f("func (v *%s) Parse(ver Version, b []byte) error {\n", c.goName)
	s.choose(c, func(l *layout) { s.parseLayout(c, l, members) })
	s.f("}\n\n")
}

func (c *code) usesBytes() bool {
	return slices.ContainsFunc(c.layouts, func(l *layout) bool {
		return slices.ContainsFunc(l.items, func(it *item) bool { return c.typeOf(it) == "[]byte" })
	})
}

// choose writes the selection of a layout: from the newest down, by version and size. body writes the code of one layout and,
// for a variable one, falls through when it does not fit.
func (s *source) choose(c *code, body func(*layout)) {
	for i, l := range slices.Backward(c.layouts) {
		cond := c.condition(i)
		least := l.leastSize()
		if l.size < 0 && least > 0 {
			if cond != "" {
				cond += " && "
			}
			cond += fmt.Sprintf("len(b) >= %d", least)
		}
		if cond == "" {
			cond = "true"
		}
		if len(c.layouts) == 1 && l.size >= 0 {
			s.f("if len(b) != %d {\nreturn noLayout(%s, ver, len(b))\n}\n", l.size, codeName(c))
			body(l)
			s.f("return nil\n")
			return
		}
		if l.size >= 0 {
			s.f("if %s {\n", cond)
			body(l)
			s.f("return nil\n}\n")
		} else {
			if cond == "true" {
				s.f("{\n")
			} else {
				s.f("if %s {\n", cond)
			}
			body(l)
			s.f("}\n")
		}
	}
	s.f("return noLayout(%s, ver, len(b))\n", codeName(c))
}

// leastSize is the size of the part of a layout that is always there.
func (l *layout) leastSize() int {
	if l.size >= 0 {
		return l.size
	}
	n := 0
	for _, it := range l.items {
		if it.off >= 0 {
			n = max(n, it.off+max(it.width(), 0))
		}
		if it.off >= 0 && it.kind == "camera" {
			n = max(n, it.off)
		}
	}
	return n
}

// ends writes the statements that find where the variable parts of a layout begin: variables at<Name>, and need.
// lengths tells how the length of a part is had.
func (s *source) ends(l *layout, lengths func(*item) string) {
	s.f("need := %d\n", l.leastSize())
	for _, it := range l.items {
		if it.width() > 0 || it.kind == "each" && it.ref == "" {
			continue
		}
		if it.off >= 0 && it.off != l.leastSize() {
			s.f("need = %d\n", it.off)
		}
		if it.kind == "each" && it.off < 0 || it.off < 0 {
			s.f("at%s := need\n", camel(it.name))
		}
		switch {
		case it.kind == "each":
			s.f("need += %s * %d\n", lengths(it), it.stride)
			if it.pad > 1 {
				s.f("need = (need + %d) &^ %d\n", it.pad-1, it.pad-1)
			}
		default:
			s.f("need += %s\n", lengths(it))
		}
	}
}

// at is the offset of an item as a Go expression.
func at(it *item, plus int) string {
	if it.off >= 0 {
		return strconv.Itoa(it.off + plus)
	}
	if plus == 0 {
		return "at" + camel(it.name)
	}
	return fmt.Sprintf("at%s + %d", camel(it.name), plus)
}

func (l *layout) find(name string) *item {
	for _, it := range l.items {
		if it.name == name {
			return it
		}
	}
	return nil
}

func (s *source) parseLayout(c *code, l *layout, members []*member) {
	if l.size < 0 {
		for _, it := range l.items {
			if it.ref != "" {
				s.f("n%s := int(be.Uint16(b[%d:]))\n", camel(it.name), l.find(it.ref).off)
			}
		}
		s.ends(l, func(it *item) string {
			switch {
			case it.n < 0:
				return fmt.Sprintf("len(b) - %s", at(it, 0))
			case it.kind == "camera":
				return fmt.Sprintf("cameraSize(b[%d:])", l.find("count8").off)
			}
			return "n" + camel(it.name)
		})
		s.f("if len(b) >= need {\n")
	}
	for _, m := range members {
		it := l.find(m.name)
		if it == nil {
			s.f("v.%s = %s\n", camel(m.name), zero(m.typ))
			continue
		}
		s.parseItem(c, it, m)
	}
	if l.size < 0 {
		s.f("return nil\n}\n")
	}
}

func zero(typ string) string {
	switch {
	case strings.HasPrefix(typ, "["):
		if strings.HasPrefix(typ, "[]") {
			return "nil"
		}
		return typ + "{}"
	case typ == "bool":
		return "false"
	case typ == "string":
		return `""`
	case typ == "HMSF" || typ == "IPv4":
		return typ + "{}"
	}
	return "0"
}

// read is the expression of a number at an offset.
func read(kind, b, off string) string {
	at := b + "[" + off + "]"
	from := b + "[" + off + ":]"
	if off == "0" {
		from = b
	}
	switch kind {
	case "u8":
		return at
	case "i8":
		return "int8(" + at + ")"
	case "u16":
		return "be.Uint16(" + from + ")"
	case "u32":
		return "be.Uint32(" + from + ")"
	case "i16", "i32":
		return "int" + kind[1:] + "(be.Uint" + kind[1:] + "(" + from + "))"
	case "i64":
		return "int64(be.Uint64(" + from + "))"
	case "hmsf":
		return "readHMSF(" + from + ")"
	case "ipv4":
		return "IPv4(" + b + "[" + off + ":][:4])"
	}
	panic("read " + kind)
}

func (s *source) parseItem(c *code, it *item, m *member) {
	name := "v." + camel(it.name)
	off := at(it, 0)
	switch {
	case len(it.mask) > 0:
		s.parseMask(c, it, name)
	case it.kind == "bool":
		s.f("%s = b[%s] & %d != 0\n", name, off, 1<<it.bit)
	case it.kind == "str" && it.n > 0:
		s.f("setText(&%s, b[%s:%d])\n", name, off, it.off+it.n)
	case it.kind == "str" && it.n < 0:
		s.f("setString(&%s, b[%s:])\n", name, off)
	case it.kind == "str":
		s.f("setString(&%s, b[%s:%s])\n", name, off, end(it))
	case it.kind == "bytes" && it.n > 0:
		s.f("%s = [%d]byte(b[%s:])\n", name, it.n, off)
	case it.kind == "camera":
		s.f("%s = b[%s:need:need]\n", name, off)
	case it.kind == "bytes" && it.n < 0:
		s.f("%s = b[%s:]\n", name, off)
	case it.kind == "bytes":
		s.f("%s = b[%s:%s:%s]\n", name, off, end(it), end(it))
	case it.kind == "each":
		s.f("%s = resize(%s, n%s)\nfor i := range %s {\n", name, name, camel(it.name), name)
		s.f("p := b[%s+i*%d:]\n", off, it.stride)
		if it.elem == "" {
			s.f("%s[i] = %s\n", name, convert(it.items[0].enum, read(it.items[0].kind, "p", "0")))
		} else {
			s.f("%s[i] = %s{\n", name, it.elem)
			for _, e := range it.items {
				if e.kind == "bool" {
					s.f("%s: p[%d] & %d != 0,\n", camel(e.name), e.off, 1<<e.bit)
				} else {
					s.f("%s: %s,\n", camel(e.name), convert(e.enum, read(e.kind, "p", strconv.Itoa(e.off))))
				}
			}
			s.f("}\n")
		}
		s.f("}\n")
	case it.n > 0:
		list := make([]string, m.n)
		for i := range list {
			list[i] = "0"
			if i < it.n {
				list[i] = read(it.kind, "b", strconv.Itoa(it.off+i*widths[it.kind]))
			}
		}
		s.f("%s = %s{%s}\n", name, m.typ, strings.Join(list, ", "))
	default:
		s.f("%s = %s\n", name, convert(it.enum, read(it.kind, "b", off)))
	}
}

func end(it *item) string {
	if it.off >= 0 {
		return fmt.Sprintf("%d+n%s", it.off, camel(it.name))
	}
	return fmt.Sprintf("at%s+n%s", camel(it.name), camel(it.name))
}

func convert(enum, expr string) string {
	if enum == "" {
		return expr
	}
	return enum + "(" + expr + ")"
}

// parseMask reads a mask; an older layout's bits are moved to where the newest has them.
func (s *source) parseMask(c *code, it *item, name string) {
	raw := read(it.kind, "b", strconv.Itoa(it.off))
	bits, _ := c.maskBits()
	if sameBits(bits, it.mask) {
		s.f("%s = %s(%s)\n", name, c.maskType(), raw)
		return
	}
	s.f("%s = %s(moveBits(uint32(%s), %s))\n", name, c.maskType(), raw, moves(it.mask, bits, false))
}

func sameBits(bits []string, mask [][]string) bool {
	for i, names := range mask {
		if i >= len(bits) || bits[i] != strings.Join(names, "+") {
			return false
		}
	}
	return true
}

// moves is the list of bit numbers from and to, as text of bytes.
func moves(mask [][]string, bits []string, back bool) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, names := range mask {
		j := slices.Index(bits, strings.Join(names, "+"))
		if len(names) == 0 || j < 0 {
			continue
		}
		if back {
			fmt.Fprintf(&b, `\x%02x\x%02x`, j, i)
		} else {
			fmt.Fprintf(&b, `\x%02x\x%02x`, i, j)
		}
	}
	b.WriteByte('"')
	return b.String()
}
