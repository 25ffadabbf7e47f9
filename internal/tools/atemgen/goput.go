package main

import (
	"fmt"
	"slices"
	"strconv"
)

func (s *source) put(c *code) {
	s.f("// Put writes the values over a body that has the right size, and leaves the bytes that the layout does not name.\n")
	s.f("func (v *%s) Put(ver Version, b []byte) error {\n", c.goName)
	s.choose(c, func(l *layout) { s.putLayout(c, l) })
	s.f("}\n\n")
}

// limited is the Go expression of how many bytes or elements of a variable part are written.
func limited(l *layout, it *item) string {
	fixed := l.leastSize()
	parts := 0
	for _, o := range l.items {
		if o.width() <= 0 {
			parts++
		}
	}
	room := (65535 - 8 - fixed - 8) / parts
	if it.kind == "each" {
		room /= it.stride
	}
	return fmt.Sprintf("min(len(v.%s), %d)", camel(it.name), room)
}

func (s *source) putLengths(l *layout) {
	done := map[string]bool{}
	for _, it := range l.items {
		if it.width() > 0 {
			continue
		}
		s.f("n%s := %s\n", camel(it.name), limited(l, it))
		if it.ref != "" && done[it.ref] { // two lists of one length: the shorter counts
			for _, o := range l.items {
				if o.ref == it.ref && o != it {
					s.f("n%s = min(n%s, n%s)\nn%s = n%s\n", camel(it.name), camel(it.name), camel(o.name), camel(o.name), camel(it.name))
				}
			}
		}
		done[it.ref] = true
	}
	s.ends(l, func(it *item) string { return "n" + camel(it.name) })
}

func (s *source) putLayout(c *code, l *layout) {
	if l.size < 0 {
		s.putLengths(l)
		if len(l.items) == 1 && l.items[0].n < 0 {
			s.f("if len(b) == need {\n")
		} else {
			s.f("if len(b) >= need {\n")
		}
	}
	for _, it := range l.items {
		s.putItem(c, it)
	}
	if l.size < 0 {
		s.f("return nil\n}\n")
	}
}

func write(kind, b, off, expr string) string {
	from := b + "[" + off + ":]"
	if off == "0" {
		from = b
	}
	switch kind {
	case "u8":
		return fmt.Sprintf("%s[%s] = %s", b, off, expr)
	case "i8":
		return fmt.Sprintf("%s[%s] = byte(%s)", b, off, expr)
	case "u16", "u32":
		return fmt.Sprintf("be.PutUint%s(%s, %s)", kind[1:], from, expr)
	case "i16", "i32", "i64":
		return fmt.Sprintf("be.PutUint%s(%s, uint%s(%s))", kind[1:], from, kind[1:], expr)
	case "hmsf":
		return fmt.Sprintf("%s.put(%s)", expr, from)
	case "ipv4":
		return fmt.Sprintf("copy(%s, %s[:])", from, expr)
	}
	panic("write " + kind)
}

func number(it *item, expr string) string {
	if it.enum == "" {
		return expr
	}
	switch it.kind {
	case "u8":
		return "byte(" + expr + ")"
	case "u16", "u32":
		return "uint" + it.kind[1:] + "(" + expr + ")"
	}
	return expr
}

func (s *source) putItem(c *code, it *item) {
	name := "v." + camel(it.name)
	off := at(it, 0)
	switch {
	case it.isLength:
		s.f("be.PutUint16(b[%d:], uint16(n%s))\n", it.off, camel(it.lengthOf))
	case it.copyOf != "": // only Append writes it
	case len(it.mask) > 0:
		bits, _ := c.maskBits()
		if sameBits(bits, it.mask) {
			s.f("%s\n", write(it.kind, "b", off, goType(it.kind)+"("+name+")"))
			break
		}
		named := 0 // bits without a name stay
		for i, names := range it.mask {
			if len(names) > 0 {
				named |= 1 << i
			}
		}
		moved := fmt.Sprintf("moveBits(uint32(%s), %s)", name, moves(it.mask, bits, true))
		s.f("%s\n", write(it.kind, "b", off, fmt.Sprintf("%s&^%#x | %s(%s)", read(it.kind, "b", off), named, goType(it.kind), moved)))
	case it.kind == "bool":
		s.f("putBool(&b[%s], %d, %s)\n", off, 1<<it.bit, name)
	case it.kind == "str" && it.n > 0:
		s.f("putText(b[%s:%d], %s)\n", off, it.off+it.n, name)
	case it.kind == "bytes" && it.n > 0:
		s.f("copy(b[%s:], %s[:])\n", off, name)
	case it.kind == "str" || it.kind == "bytes" || it.kind == "camera":
		s.f("copy(b[%s:], %s[:n%s])\n", off, name, camel(it.name))
	case it.kind == "each":
		s.f("for i, e := range %s[:n%s] {\np := b[%s+i*%d:]\n", name, camel(it.name), off, it.stride)
		for _, e := range it.items {
			expr := "e"
			if it.elem != "" {
				expr = "e." + camel(e.name)
			}
			if e.kind == "bool" {
				s.f("putBool(&p[%d], %d, %s)\n", e.off, 1<<e.bit, expr)
			} else {
				s.f("%s\n", write(e.kind, "p", strconv.Itoa(e.off), number(e, expr)))
			}
		}
		s.f("}\n")
	case it.n > 0:
		for i := range it.n {
			s.f("%s\n", write(it.kind, "b", strconv.Itoa(it.off+i*widths[it.kind]), fmt.Sprintf("%s[%d]", name, i)))
		}
	default:
		s.f("%s\n", write(it.kind, "b", off, number(it, name)))
	}
}

func (s *source) append(c *code) {
	s.f("// Append adds the whole field, header and body, in the layout of the version.\n")
	if c.fixed() {
		s.f("func (v *%s) Append(b []byte, ver Version) []byte {\n", c.goName)
		if len(c.layouts) == 1 {
			s.f("b, body := grow(b, %s, %d)\n", codeName(c), c.layouts[0].size)
		} else {
			s.f("n := %d\nswitch {\n", c.layouts[0].size)
			for i, l := range slices.Backward(c.layouts) {
				if i == 0 {
					break
				}
				cond := c.versionOnly(i)
				if cond == "" {
					cond = "true"
				}
				s.f("case %s:\nn = %d\n", cond, l.size)
				if cond == "true" {
					break
				}
			}
			s.f("}\nb, body := grow(b, %s, n)\n", codeName(c))
		}
		s.f("_ = v.Put(ver, body)\nreturn b\n}\n\n")
		return
	}
	s.f("func (v *%s) Append(b []byte, ver Version) []byte {\n", c.goName)
	for i, l := range slices.Backward(c.layouts) {
		cond := c.versionOnly(i)
		if cond != "" {
			s.f("if %s {\n", cond)
		}
		s.putLengths(l)
		for _, it := range l.items { // what only Put uses
			if it.width() <= 0 && it.off < 0 {
				s.f("_ = at%s\n", camel(it.name))
			}
		}
		if l.extra > 0 {
			s.f("need += %d\n", l.extra)
		}
		if l.least > 0 {
			s.f("need = max(need, %d)\n", l.least)
		}
		if l.pad > 1 {
			s.f("need = (need + %d) &^ %d\n", l.pad-1, l.pad-1)
		}
		s.f("b, body := grow(b, %s, need)\n_ = v.Put(ver, body)\n", codeName(c))
		for _, it := range l.items {
			if it.copyOf != "" {
				s.f("copy(body[%d:], body[%d:%d])\n", it.off, l.find(it.copyOf).off, l.find(it.copyOf).off+it.width())
			}
		}
		s.f("return b\n")
		if cond != "" {
			s.f("}\n")
		} else {
			break
		}
	}
	s.f("}\n\n")
}

func (c *code) versionOnly(i int) string {
	l := c.layouts[i]
	if l.written != [2]int{} {
		return fmt.Sprintf("ver.from(%d, %d)", l.written[0], l.written[1])
	}
	if i > 0 && less(c.layouts[0].min, l.min) {
		return fmt.Sprintf("ver.from(%d, %d)", l.min[0], l.min[1])
	}
	return ""
}
