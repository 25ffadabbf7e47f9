package main

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// catalogue is everything that protocol/atem/catalogue says.
type catalogue struct {
	families []*family
	codes    map[string]*code
	sets     []*valueSet
	setOf    map[string]*valueSet
}

// family is one file of the catalogue.
type family struct {
	name, title string
	codes       []*code
}

// code is one field code with its layouts.
type code struct {
	code, goName, direction, grade, doc string
	sets, removes                       string // codes
	volatile                            bool
	layouts                             []*layout
	raw                                 []int  // body lengths that were seen, when there is no layout
	rawKey                              string // "", "order", or ranges "0:2 8:8"
	family                              string
}

// layout is one arrangement of a body.
type layout struct {
	min     [2]int // protocol version; 0.0: any
	size    int    // of a fixed body; -1: variable
	pad     int    // a variable body is filled up to a multiple of it
	least   int    // and to at least so many bytes
	extra   int    // after so many unused ones
	written [2]int // the version from which on it is written, when that is not min
	items   []*item
}

// item is a value of a layout, or a list of them.
type item struct {
	off        int // -1: right after the item before
	name       string
	kind       string // u8 … i64, bool, str, bytes, hmsf, ipv4, camera, each
	n          int    // bytes of str and bytes, elements of an array of numbers; 0: as ref says, -1: the rest
	ref        string // the item that holds the length or the count
	copyOf     string // a count that is written a second time
	enum       string
	key        bool
	bit        int
	mask       [][]string // names by bit
	scale      string     // value = raw / scale
	ranged     bool
	min, max   int
	floor      int // raw value that means minus infinity
	floored    bool
	log        int // dB = 20 log10(raw / log)
	unit       string
	grade      string // when it differs from that of the code
	elem       string // type of a list's elements
	stride     int
	pad        int // a list is filled up to a multiple of it
	items      []*item
	isLength   bool // another item's length: not part of the Go type
	lengthOf   string
	lengthKind string
}

type valueSet struct {
	name, base, doc string
	flags           bool
	names           []string
	values          []int64
}

func (c *code) fixed() bool {
	for _, l := range c.layouts {
		if l.size < 0 {
			return false
		}
	}
	return true
}

var widths = map[string]int{"u8": 1, "i8": 1, "bool": 1, "u16": 2, "i16": 2, "u32": 4, "i32": 4, "i64": 8, "hmsf": 4, "ipv4": 4}

// width is the size of a fixed item in bytes.
func (it *item) width() int {
	switch {
	case it.kind == "str" || it.kind == "bytes":
		return it.n
	case it.n > 0:
		return it.n * widths[it.kind]
	}
	return widths[it.kind]
}

func load(dir string) (*catalogue, error) {
	cat := &catalogue{codes: map[string]*code{}, setOf: map[string]*valueSet{}}
	names, err := fs.Glob(os.DirFS(dir), "*.txt")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		r := &reader{cat: cat, fam: &family{name: strings.TrimSuffix(name, ".txt")}}
		s := bufio.NewScanner(f)
		for n := 1; s.Scan(); n++ {
			if err = r.line(s.Text()); err != nil {
				err = fmt.Errorf("%s:%d: %w", name, n, err)
				break
			}
		}
		if err == nil {
			err = s.Err()
		}
		f.Close()
		if err != nil {
			return nil, err
		}
		if len(r.fam.codes) > 0 {
			cat.families = append(cat.families, r.fam)
		}
	}
	return cat, cat.check()
}

// reader reads one file, line by line.
type reader struct {
	cat  *catalogue
	fam  *family
	code *code
	lay  *layout
	list *item
	set  *valueSet
}

func (r *reader) line(s string) error {
	words := strings.Fields(s)
	indent := len(s) - len(strings.TrimLeft(s, " "))
	switch {
	case len(words) == 0:
		return nil
	case words[0] == "#":
		if r.fam.title == "" {
			r.fam.title = strings.TrimPrefix(s, "# ")
		}
		return nil
	case words[0] == "field" && indent == 0:
		return r.field(words[1:])
	case words[0] == "values" && indent == 0:
		if len(words) != 4 {
			return fmt.Errorf("values NAME TYPE enum|flags")
		}
		r.code, r.set = nil, &valueSet{name: words[1], base: words[2], flags: words[3] == "flags"}
		r.cat.sets = append(r.cat.sets, r.set)
		if r.cat.setOf[r.set.name] != nil {
			return fmt.Errorf("%s stands twice", r.set.name)
		}
		r.cat.setOf[r.set.name] = r.set
		return nil
	case strings.HasPrefix(words[0], `"`):
		doc := strings.TrimPrefix(strings.TrimSpace(s), `"`)
		if r.code != nil {
			r.code.doc = doc
		} else {
			r.set.doc = doc
		}
		return nil
	case r.set != nil && r.code == nil:
		v, err := strconv.ParseInt(words[0], 10, 64)
		if err != nil || len(words) != 2 {
			return fmt.Errorf("NUMBER NAME: %q", s)
		}
		r.set.names = append(r.set.names, words[1])
		r.set.values = append(r.set.values, v)
		return nil
	case r.code == nil:
		return fmt.Errorf("no field before %q", s)
	case words[0] == "layout":
		return r.layout(words[1:])
	case words[0] == "raw":
		for _, n := range strings.Split(words[1], ",") {
			v, err := strconv.Atoi(n)
			if err != nil {
				return err
			}
			r.code.raw = append(r.code.raw, v)
		}
		if len(words) > 3 && words[2] == "key" {
			r.code.rawKey = strings.Join(words[3:], " ")
		}
		return nil
	case r.lay == nil:
		return fmt.Errorf("no layout before %q", s)
	}
	it, err := readItem(words)
	if err != nil {
		return err
	}
	if indent >= 10 && r.list != nil {
		r.list.items = append(r.list.items, it)
		return nil
	}
	r.list = nil
	if it.kind == "each" {
		r.list = it
	}
	r.lay.items = append(r.lay.items, it)
	return nil
}

func (r *reader) field(words []string) error {
	if len(words) < 4 || len(words[0]) != 4 {
		return fmt.Errorf("field CODE NAME DIRECTION GRADE")
	}
	r.set, r.lay, r.list = nil, nil, nil
	r.code = &code{code: words[0], goName: words[1], direction: words[2], grade: words[3], family: r.fam.name}
	if r.code.goName == "-" {
		r.code.goName = ""
	}
	for _, w := range words[4:] {
		name, value, _ := strings.Cut(w, "=")
		switch name {
		case "sets":
			r.code.sets = value
		case "removes":
			r.code.removes = value
		case "volatile":
			r.code.volatile = true
		default:
			return fmt.Errorf("what is %q", w)
		}
	}
	if r.cat.codes[r.code.code] != nil {
		return fmt.Errorf("%s stands twice", r.code.code)
	}
	r.cat.codes[r.code.code] = r.code
	r.fam.codes = append(r.fam.codes, r.code)
	return nil
}

func (r *reader) layout(words []string) error {
	r.lay, r.list = &layout{size: -1, pad: 1}, nil
	if words[0] != "-" {
		if _, err := fmt.Sscanf(words[0], "%d.%d", &r.lay.min[0], &r.lay.min[1]); err != nil {
			return fmt.Errorf("version %q: %w", words[0], err)
		}
	}
	for i := 1; i+1 < len(words); i += 2 {
		if words[i] == "written" {
			if _, err := fmt.Sscanf(words[i+1], "%d.%d", &r.lay.written[0], &r.lay.written[1]); err != nil {
				return fmt.Errorf("version %q: %w", words[i+1], err)
			}
			continue
		}
		n, err := strconv.Atoi(words[i+1])
		if err != nil {
			return err
		}
		switch words[i] {
		case "size":
			r.lay.size = n
		case "pad":
			r.lay.pad = n
		case "extra":
			r.lay.extra = n
		case "least":
			r.lay.least = n
		default:
			return fmt.Errorf("what is %q", words[i])
		}
	}
	r.code.layouts = append(r.code.layouts, r.lay)
	return nil
}

func readItem(words []string) (*item, error) {
	if len(words) < 3 {
		return nil, fmt.Errorf("OFFSET NAME TYPE")
	}
	it := &item{name: words[1], off: -1}
	var err error
	if words[0] != "+" {
		if it.off, err = strconv.Atoi(words[0]); err != nil {
			return nil, err
		}
	}
	rest := words[3:]
	kind, in, sized := strings.Cut(strings.TrimSuffix(words[2], "]"), "[")
	it.kind = kind
	switch {
	case kind == "each":
		it.ref, rest = words[3], words[4:]
	case sized && in == "rest":
		it.n = -1
	case sized:
		if n, err := strconv.Atoi(in); err == nil {
			it.n = n
		} else {
			it.ref = in
		}
	}
	for _, w := range rest {
		if err := it.attribute(w); err != nil {
			return nil, fmt.Errorf("%s: %q: %w", it.name, w, err)
		}
	}
	return it, nil
}

func (it *item) attribute(w string) (err error) {
	name, value, _ := strings.Cut(w, "=")
	switch {
	case w == "key":
		it.key = true
	case w == "guess":
		it.grade = w
	case name == "bit":
		it.bit, err = strconv.Atoi(value)
	case name == "mask":
		for _, n := range strings.Split(value, ",") {
			if n == "-" {
				it.mask = append(it.mask, nil)
			} else {
				it.mask = append(it.mask, strings.Split(n, "+"))
			}
		}
	case name == "off":
		it.floored = true
		it.floor, err = strconv.Atoi(value)
	case name == "log":
		it.log, err = strconv.Atoi(value)
	case name == "unit":
		it.unit = value
	case name == "stride":
		it.stride, err = strconv.Atoi(value)
	case name == "pad":
		it.pad, err = strconv.Atoi(value)
	case name == "type":
		it.elem = value
	case name == "copy":
		it.copyOf = value
	case w[0] == '/':
		it.scale = w[1:]
	case strings.Contains(w, ".."):
		it.ranged = true
		_, err = fmt.Sscanf(w, "%d..%d", &it.min, &it.max)
	case w[0] >= 'A' && w[0] <= 'Z':
		it.enum = w
	default:
		return fmt.Errorf("what is that")
	}
	return err
}

// check resolves what names something else, and finds contradictions.
func (cat *catalogue) check() error {
	for _, c := range cat.codes {
		for _, other := range []string{c.sets, c.removes} {
			if other != "" && cat.codes[other] == nil {
				return fmt.Errorf("%s: there is no %s", c.code, other)
			}
		}
		if (len(c.layouts) == 0) != (c.goName == "") {
			return fmt.Errorf("%s: a name and a layout go together", c.code)
		}
		for _, l := range c.layouts {
			if err := cat.checkLayout(l); err != nil {
				return fmt.Errorf("%s: %w", c.code, err)
			}
		}
	}
	return nil
}

func (cat *catalogue) checkLayout(l *layout) error {
	byName := map[string]*item{}
	for _, it := range l.items {
		byName[it.name] = it
		for _, it := range append([]*item{it}, it.items...) {
			if it.enum != "" && cat.setOf[it.enum] == nil {
				return fmt.Errorf("%s: there is no %s", it.name, it.enum)
			}
			if it.kind != "each" && it.kind != "camera" && it.kind != "str" && it.kind != "bytes" && widths[it.kind] == 0 {
				return fmt.Errorf("%s: there is no type %s", it.name, it.kind)
			}
		}
		if l.size >= 0 && (it.off < 0 || it.off+it.width() > l.size) {
			return fmt.Errorf("%s ends after byte %d", it.name, l.size)
		}
		if it.ref != "" {
			n := byName[it.ref]
			if n == nil || n.kind != "u16" {
				return fmt.Errorf("%s: no length %s before it", it.name, it.ref)
			}
			n.isLength, n.lengthOf, n.lengthKind = true, it.name, it.kind
		}
		for _, names := range it.mask {
			for _, n := range names {
				found := false
				for _, other := range l.items {
					found = found || other.name == n
				}
				if !found {
					return fmt.Errorf("mask names %s", n)
				}
			}
		}
	}
	return nil
}
