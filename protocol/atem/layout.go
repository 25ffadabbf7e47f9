package atem

import (
	"fmt"
	"iter"
	"math"
	"strconv"
	"strings"
)

// Info is what the catalogue says of a code.
type Info struct {
	Code     Code
	Name     string // of the Go type; empty without a layout
	Doc      string // one or two sentences
	Grade    string // evidence, as in package transcript
	ToClient bool   // sent by switchers, or by OpenSwitcher servers
	ToServer bool   // sent by clients
	OSW      bool   // a message of the OpenSwitcher transport itself
	Volatile bool   // passes by, and is never part of the state
	Sets     Code   // the state that a command changes, where its values have the same names; 0: none
	Layouts  int
}

func (r *codeRow) info() Info {
	return Info{
		Code: r.code, Name: r.name, Doc: r.doc, Grade: r.grade.String(), OSW: r.way >= wayOswClient,
		ToClient: r.way == wayState || r.way == wayBoth || r.way == wayOswServer,
		ToServer: r.way == wayCommand || r.way == wayBoth || r.way == wayOswClient,
		Volatile: r.volatile, Sets: r.sets, Layouts: int(r.layouts),
	}
}

// Lookup is what the catalogue says of a code; ok is false when it does not have it.
func Lookup(c Code) (info Info, ok bool) {
	r := find(c)
	if r == nil {
		return Info{Code: c}, false
	}
	return r.info(), true
}

// Catalogue is every code, sorted.
func Catalogue() iter.Seq[Info] {
	return func(yield func(Info) bool) {
		for i := range codeRows {
			if !yield(codeRows[i].info()) {
				return
			}
		}
	}
}

// Layout is how the bytes of a body are arranged. It reads any code by the tables of the catalogue, for programs that have no
// use for the types. The zero Layout names nothing.
type Layout struct {
	code  *codeRow
	lay   *layoutRow
	items []itemRow
}

// LayoutOf chooses the layout of a body as [Message] says; ok is false when none fits.
func LayoutOf(c Code, ver Version, body []byte) (l Layout, ok bool) {
	row := find(c)
	if row == nil {
		return Layout{}, false
	}
	return row.layoutOf(ver, body)
}

func (r *codeRow) layoutOf(ver Version, body []byte) (Layout, bool) {
	for i := int(r.first) + int(r.layouts) - 1; i >= int(r.first); i-- {
		lay := &layoutRows[i]
		if ver != 0 && ver < lay.from {
			continue
		}
		items := itemRows[lay.first : lay.first+lay.items]
		switch {
		case lay.size >= 0 && int(lay.size) == len(body),
			lay.size < 0 && int(lay.least) <= len(body) && fits(items, body):
			return Layout{r, lay, items}, true
		}
	}
	return Layout{}, false
}

// fits reports whether the variable parts of a body end within it. What is always there must be there.
func fits(items []itemRow, body []byte) bool {
	end := 0
	for i := 0; i < len(items); i++ {
		it := &items[i]
		_, n, next := it.span(items, body, end)
		if it.kind == kindEach {
			i += int(it.n)
		}
		if end = next; n < 0 || end > len(body) {
			return false
		}
	}
	return true
}

// span is where an item lies, and where the next begins if it follows right after. For a list n is the number of elements.
// n is negative when the length cannot be.
func (it *itemRow) span(items []itemRow, body []byte, end int) (off, n, next int) {
	off = int(it.off)
	if off < 0 {
		off = end
	}
	switch it.kind {
	case kindEach:
		n = int(be.Uint16(body[it.length-1:]))
		next = off + n*int(it.stride)
		return off, n, (next + int(it.pad) - 1) / int(it.pad) * int(it.pad)
	case kindStr, kindBytes:
		n = int(it.n)
		if it.length > 0 {
			n = int(be.Uint16(body[it.length-1:]))
		} else if n < 0 {
			n = len(body) - off
		}
	case kindCamera:
		for i := range items {
			if items[i].name == "count8" {
				n = cameraSize(body[items[i].off:])
			}
		}
	default:
		n = it.size()
	}
	return off, n, off + n
}

// size of an item that is no text, in bytes.
func (it *itemRow) size() int {
	if it.width > 0 {
		return int(it.width) * int(it.n)
	}
	return it.kind.size()
}

func (k kind) size() int {
	switch k {
	case kindU16, kindI16:
		return 2
	case kindU32, kindI32, kindHmsf, kindIpv4:
		return 4
	case kindI64:
		return 8
	}
	return 1
}

// Since is the protocol version from which on the catalogue has the layout; the zero Version when it does not say.
func (l Layout) Since() Version { return l.lay.since }

// Value is one item of a body.
type Value struct {
	item   *itemRow
	body   []byte
	code   *codeRow
	list   string // name of the list that the item is in
	Index  int    // in that list, or in an array; -1: neither
	Offset int    // in the body
	Length int    // in bytes
}

// Values walks over the items of a body in the order of the catalogue, those of lists one by one.
func (l Layout) Values(body []byte) iter.Seq[Value] {
	return func(yield func(Value) bool) {
		end := 0
		for i := 0; i < len(l.items); i++ {
			it := &l.items[i]
			off, n, next := it.span(l.items, body, end)
			end = next
			v := Value{item: it, body: body, code: l.code, Index: -1, Offset: off, Length: n}
			switch {
			case it.kind == kindEach:
				elems := l.items[i+1 : i+1+int(it.n)]
				i += int(it.n)
				for e := range n {
					for j := range elems {
						at := off + e*int(it.stride) + int(elems[j].off)
						if !yield(Value{&elems[j], body, l.code, it.name, e, at, elems[j].size()}) {
							return
						}
					}
				}
				continue
			case it.width > 0:
				v.Length = int(it.width)
				for v.Index = range int(it.n) {
					v.Offset = off + v.Index*v.Length
					if !yield(v) {
						return
					}
				}
				continue
			}
			if !yield(v) {
				return
			}
		}
	}
}

// Value finds an item by its name in the catalogue; items of lists are not found.
func (l Layout) Value(body []byte, name string) (Value, bool) {
	for v := range l.Values(body) {
		if v.Index <= 0 && v.list == "" && v.item.name == name {
			return v, true
		}
	}
	return Value{}, false
}

// Name is the item's name: "source", "bitrates 1", "sources 3.tally".
func (v Value) Name() string {
	switch {
	case v.Index < 0:
		return v.item.name
	case v.list == "":
		return v.item.name + " " + strconv.Itoa(v.Index+1)
	}
	return v.list + " " + strconv.Itoa(v.Index+1) + "." + v.item.name
}

// Grade is the evidence for the item, as in package transcript.
func (v Value) Grade() string {
	if v.item.grade != gradeSame {
		return v.item.grade.String()
	}
	return v.code.grade.String()
}

// IsNumber reports whether the item is a number, a bit, or a value of a set.
func (v Value) IsNumber() bool { return v.item.kind <= kindBool }

// IsText reports whether the item is text in a place of fixed size, where what stands behind the first NUL means nothing.
func (v Value) IsText() bool { return v.item.kind == kindStr && v.item.length == 0 && v.item.n > 0 }

// IsKey reports whether the item tells instances of the code apart.
func (v Value) IsKey() bool { return v.item.key }

// IsLength reports whether the item is the length of another.
func (v Value) IsLength() bool { return v.item.isLength }

// IsMask reports whether the item says which others count.
func (v Value) IsMask() bool { return v.item.mask != "" }

// Set is the name of the Go type of the value set that the value is of; empty: none.
func (v Value) Set() string {
	if v.item.set == noSet {
		return ""
	}
	return sets[v.item.set].name
}

// Unit is the unit of [Value.Float]: "dB", "frames", "Hz", "%", "deg", "ms", "s", "bit/s", or empty.
func (v Value) Unit() string { return v.item.unit }

// Range is what the raw value is expected to be between; both are 0 when nothing is known. Switchers send other values too.
func (v Value) Range() (low, high int64) { return int64(v.item.min), int64(v.item.max) }

// Int is the raw value of a number; 0 and 1 for a bit.
func (v Value) Int() int64 { return v.item.get(v.body[v.Offset:]) }

func (it *itemRow) get(b []byte) int64 {
	switch it.kind {
	case kindU16:
		return int64(be.Uint16(b))
	case kindU32:
		return int64(be.Uint32(b))
	case kindI16:
		return int64(int16(be.Uint16(b)))
	case kindI32:
		return int64(int32(be.Uint32(b)))
	case kindI64:
		return int64(be.Uint64(b))
	case kindBool:
		return int64(b[0] >> it.bit & 1)
	}
	return int64(b[0])
}

// SetInt writes a raw value into the body that the value was read from.
func (v Value) SetInt(n int64) { v.item.put(v.body[v.Offset:], n) }

func (it *itemRow) put(b []byte, n int64) {
	switch it.kind {
	case kindU16, kindI16:
		be.PutUint16(b, uint16(n))
	case kindU32, kindI32:
		be.PutUint32(b, uint32(n))
	case kindI64:
		be.PutUint64(b, uint64(n))
	case kindBool:
		putBool(&b[0], 1<<it.bit, n&1 != 0)
	default:
		b[0] = byte(n)
	}
}

// Float is the value of a number in its unit: divided by its scale, or in decibels, where silence is minus infinity.
func (v Value) Float() float64 {
	n := v.Int()
	switch {
	case v.item.log != 0 && n == 0, v.item.floor != 0 && n <= int64(v.item.floor):
		return math.Inf(-1)
	case v.item.log != 0:
		return 20 * math.Log10(float64(n)/float64(v.item.log))
	case v.item.scale != 0:
		return float64(n) / v.item.divisor()
	}
	return float64(n)
}

// divisor is the scale as the catalogue writes it; 65535/16 is not a float32.
func (it *itemRow) divisor() float64 {
	if it.scale > 4095 && it.scale < 4096 {
		return 65535.0 / 16
	}
	return float64(it.scale)
}

// Bytes is the item as it is on the wire.
func (v Value) Bytes() []byte { return v.body[v.Offset : v.Offset+v.Length : v.Offset+v.Length] }

// String is the value as a program wants it: a number without scale, text up to its NUL, bytes in hex.
func (v Value) String() string {
	switch v.item.kind {
	case kindBool:
		return strconv.FormatBool(v.Int() != 0)
	case kindStr:
		text, _, _ := strings.Cut(string(v.Bytes()), "\x00")
		return text
	case kindBytes, kindCamera:
		return fmt.Sprintf("%x", v.Bytes())
	case kindHmsf:
		return readHMSF(v.Bytes()).String()
	case kindIpv4:
		return IPv4(v.Bytes()).String()
	}
	return strconv.FormatInt(v.Int(), 10)
}

// Text is what the value means: its name in a value set, the bits of a mask, or its amount with the unit; empty when that is
// no more than String says.
func (v Value) Text() string {
	it := v.item
	switch {
	case !v.IsNumber():
		return ""
	case it.mask != "":
		return maskText(it.mask, uint64(v.Int()))
	case it.set != noSet:
		if name := sets[it.set].text(v.Int()); name != v.String() {
			return name
		}
		return ""
	case it.log == 0 && it.scale == 0 && it.unit == "":
		return ""
	}
	text := strconv.FormatFloat(v.Float(), 'f', -1, 64)
	if it.log != 0 || it.scale > 1000 {
		text = strconv.FormatFloat(v.Float(), 'f', 2, 64)
	}
	return strings.TrimSpace(text + " " + it.unit)
}

func maskText(names string, mask uint64) string {
	var b strings.Builder
	i := 0
	for name := range strings.SplitSeq(names, ",") {
		if mask>>i&1 != 0 && name != "" {
			if b.Len() > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(name)
		}
		i++
	}
	return b.String()
}
