package ocp1

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/patchbay-io/patchbay/wire"
)

// ONo is an object number. Those below 4096 are reserved; a device may give others anew at each start.
type ONo uint32

// The fixed object numbers.
const (
	DeviceManagerONo       ONo = 1
	SecurityManagerONo     ONo = 2
	FirmwareManagerONo     ONo = 3
	SubscriptionManagerONo ONo = 4
	NetworkManagerONo      ONo = 6
	RootBlockONo           ONo = 100
	// FirstONo is the first number that a device may give to objects of its own.
	FirstONo ONo = 4096
)

// ID names a method, property or event: Level is the depth of the class that defines it, OcaRoot's being 1.
type ID struct{ Level, Index uint16 }

// String is "4.1".
func (id ID) String() string {
	return strconv.Itoa(int(id.Level)) + "." + strconv.Itoa(int(id.Index))
}

func idAt(b []byte) ID { return ID{binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])} }

// Event is an event of one object (OcaEvent).
type Event struct {
	Emitter ONo
	ID      ID
}

// PropertyChanged is the event that every object has.
var PropertyChanged = ID{1, 1}

// Method is a method of one object (OcaMethod).
type Method struct {
	ONo ONo
	ID  ID
}

// maxClassFields is the longest class id that is read. Standard classes have up to 6 fields, proprietary ones three more.
const maxClassFields = 15

// ClassID is a class id: the place of a class in the tree of classes, one field a level. It is comparable. The zero value is
// no class.
type ClassID struct {
	n      uint8
	fields [maxClassFields]uint16
}

// ClassOf makes a class id of 15 fields at most.
func ClassOf(fields ...uint16) ClassID {
	var c ClassID
	c.n = uint8(copy(c.fields[:], fields))
	return c
}

// Fields are the fields, OcaRoot's first.
func (c ClassID) Fields() []uint16 { return append([]uint16(nil), c.fields[:c.n]...) }

// Len is the number of fields.
func (c ClassID) Len() int { return int(c.n) }

// String is "1.1.1.5"; a proprietary class has its maker's number as one part: "1.2.[00130e].1".
func (c ClassID) String() string {
	var b strings.Builder
	for i := 0; i < int(c.n); i++ {
		if i > 0 {
			b.WriteByte('.')
		}
		if c.fields[i] == proprietary && i+2 < int(c.n) {
			fmt.Fprintf(&b, "[%02x%04x]", c.fields[i+1], c.fields[i+2])
			i += 2
			continue
		}
		b.WriteString(strconv.Itoa(int(c.fields[i])))
	}
	return b.String()
}

// proprietary marks the place where a maker's own part of a class id begins; two fields with the maker's IEEE number follow
// it, and none of the three counts as a level.
const proprietary = 0xffff

// Level is the definition level of the class: what its own methods and properties have as [ID.Level].
func (c ClassID) Level() uint16 {
	n := uint16(0)
	for i := 0; i < int(c.n); i++ {
		if c.fields[i] == proprietary {
			i += 2
			continue
		}
		n++
	}
	return n
}

// Parent is the class one field up; the zero ClassID above OcaRoot.
func (c ClassID) Parent() ClassID {
	if c.n == 0 {
		return c
	}
	c.n--
	c.fields[c.n] = 0
	return c
}

// IsA reports whether c is of or one of its descendants.
func (c ClassID) IsA(of ClassID) bool {
	if c.n < of.n {
		return false
	}
	for i := 0; i < int(of.n); i++ {
		if c.fields[i] != of.fields[i] {
			return false
		}
	}
	return true
}

// ClassIdentification is a class and its version (OcaClassIdentification).
type ClassIdentification struct {
	Class   ClassID
	Version uint16
}

// ObjectIdentification is an object and its class (OcaObjectIdentification).
type ObjectIdentification struct {
	ONo   ONo
	Class ClassIdentification
}

// BlockMember is an object and the block that it is in (OcaBlockMember).
type BlockMember struct {
	Object    ObjectIdentification
	Container ONo
}

// ManagerDescriptor names a manager of the device (OcaManagerDescriptor).
type ManagerDescriptor struct {
	ONo     ONo
	Name    string
	Class   ClassID
	Version uint16
}

// ModelDescription says what the device is (OcaModelDescription).
type ModelDescription struct{ Manufacturer, Name, Version string }

// ModelGUID is the number of a model (OcaModelGUID): 1 reserved byte, 3 of the maker's IEEE number, 4 of the model.
type ModelGUID [8]byte

// ChangeType says what has happened to a property.
type ChangeType uint8

// The change types.
const (
	CurrentChanged ChangeType = 1
	MinChanged     ChangeType = 2
	MaxChanged     ChangeType = 3
	ItemAdded      ChangeType = 4
	ItemChanged    ChangeType = 5
	ItemDeleted    ChangeType = 6
)

var changeNames = [...]string{1: "current", 2: "minimum", 3: "maximum", 4: "item added", 5: "item changed", 6: "item deleted"}

// String is the kind of change in words, or its number.
func (c ChangeType) String() string {
	if c > 0 && int(c) < len(changeNames) {
		return changeNames[c]
	}
	return "change " + strconv.Itoa(int(c))
}

// PropertyChange is the data of a [PropertyChanged] event. Value is encoded and not copied.
type PropertyChange struct {
	Property ID
	Value    []byte
	Change   ChangeType
}

// ParsePropertyChange reads the data of a property-changed event. It need not know the property: what lies between is the value.
func ParsePropertyChange(data []byte) (PropertyChange, error) {
	if len(data) < 5 {
		return PropertyChange{}, fmt.Errorf("property change of %d bytes: %w", len(data), ErrShort)
	}
	end := len(data) - 1
	return PropertyChange{Property: idAt(data), Value: data[4:end:end], Change: ChangeType(data[end])}, nil
}

// Append appends the data of the event.
func (p PropertyChange) Append(b []byte) []byte {
	b = AppendID(b, p.Property)
	b = append(b, p.Value...)
	return append(b, byte(p.Change))
}

// AppendONo appends an object number.
func AppendONo(b []byte, o ONo) []byte { return binary.BigEndian.AppendUint32(b, uint32(o)) }

// AppendID appends the id of a method, property or event.
func AppendID(b []byte, id ID) []byte {
	return append(b, byte(id.Level>>8), byte(id.Level), byte(id.Index>>8), byte(id.Index))
}

// AppendEvent appends an OcaEvent.
func AppendEvent(b []byte, e Event) []byte { return AppendID(AppendONo(b, e.Emitter), e.ID) }

// AppendMethod appends an OcaMethod.
func AppendMethod(b []byte, m Method) []byte { return AppendID(AppendONo(b, m.ONo), m.ID) }

// AppendBool appends an OcaBoolean.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// AppendU16 appends an OcaUint16.
func AppendU16(b []byte, v uint16) []byte { return binary.BigEndian.AppendUint16(b, v) }

// AppendU32 appends an OcaUint32.
func AppendU32(b []byte, v uint32) []byte { return binary.BigEndian.AppendUint32(b, v) }

// AppendF32 appends an OcaFloat32.
func AppendF32(b []byte, v float32) []byte {
	return binary.BigEndian.AppendUint32(b, math.Float32bits(v))
}

// AppendF64 appends an OcaFloat64.
func AppendF64(b []byte, v float64) []byte {
	return binary.BigEndian.AppendUint64(b, math.Float64bits(v))
}

// MaxString is the longest OcaString in code points, and the longest OcaBlob in bytes.
const MaxString = 65535

// AppendString appends an OcaString: the number of code points, then UTF-8. A byte that is not UTF-8 counts as one code point
// and goes out as it is. What is over [MaxString] code points is cut off.
func AppendString(b []byte, s string) []byte {
	n := utf8.RuneCountInString(s)
	if n > MaxString {
		left := MaxString
		for i := range s {
			if left == 0 {
				s, n = s[:i], MaxString
				break
			}
			left--
		}
	}
	b = AppendU16(b, uint16(n))
	return append(b, s...)
}

// AppendBlob appends an OcaBlob; what is over [MaxString] bytes is cut off.
func AppendBlob(b, v []byte) []byte {
	v = v[:min(len(v), MaxString)]
	b = AppendU16(b, uint16(len(v)))
	return append(b, v...)
}

// AppendBits appends an OcaBitstring: the number of bits, then the bits from the high end of each byte.
func AppendBits(b []byte, bits []bool) []byte {
	bits = bits[:min(len(bits), MaxString)]
	b = AppendU16(b, uint16(len(bits)))
	var c byte
	for i, on := range bits {
		if on {
			c |= 0x80 >> (i & 7)
		}
		if i&7 == 7 || i == len(bits)-1 {
			b, c = append(b, c), 0
		}
	}
	return b
}

// AppendClassID appends an OcaClassID.
func AppendClassID(b []byte, c ClassID) []byte {
	b = AppendU16(b, uint16(c.n))
	for _, f := range c.fields[:c.n] {
		b = AppendU16(b, f)
	}
	return b
}

// AppendClassIdentification appends an OcaClassIdentification.
func AppendClassIdentification(b []byte, c ClassIdentification) []byte {
	return AppendU16(AppendClassID(b, c.Class), c.Version)
}

// AppendObjectIdentification appends an OcaObjectIdentification.
func AppendObjectIdentification(b []byte, o ObjectIdentification) []byte {
	return AppendClassIdentification(AppendONo(b, o.ONo), o.Class)
}

// AppendBlockMember appends an OcaBlockMember.
func AppendBlockMember(b []byte, m BlockMember) []byte {
	return AppendONo(AppendObjectIdentification(b, m.Object), m.Container)
}

// AppendManagerDescriptor appends an OcaManagerDescriptor.
func AppendManagerDescriptor(b []byte, m ManagerDescriptor) []byte {
	b = AppendString(AppendONo(b, m.ONo), m.Name)
	return AppendU16(AppendClassID(b, m.Class), m.Version)
}

// AppendModelDescription appends an OcaModelDescription.
func AppendModelDescription(b []byte, m ModelDescription) []byte {
	return AppendString(AppendString(AppendString(b, m.Manufacturer), m.Name), m.Version)
}

// Params reads encoded parameters and values. Like [wire.Reader], whose methods it has, the first failure sticks. Counts
// from the peer never size an allocation: lists grow with what is there.
type Params struct{ wire.Reader }

// NewParams reads b, naming what in errors.
func NewParams(what string, b []byte) Params { return Params{wire.NewReader(what, b)} }

// End is the first failure, or that there are bytes left.
func (p *Params) End() error {
	if p.Err() == nil && p.Len() > 0 {
		p.Fail("", errLeft)
	}
	return p.Err()
}

// ErrCut is the cause when encoded values end before what was asked for does.
var ErrCut = wire.ErrShort

var (
	errLeft  = errors.New("more bytes than parameters")
	errClass = fmt.Errorf("class id of more than %d fields", maxClassFields)
)

// rest is what is left, without taking it.
func (p *Params) rest() []byte {
	ahead := p.Reader
	return ahead.Rest()
}

// Bool reads an OcaBoolean; everything but 0 is true.
func (p *Params) Bool(field string) bool { return p.U8(field) != 0 }

// ONo reads an object number.
func (p *Params) ONo(field string) ONo { return ONo(p.U32(field)) }

// ID reads the id of a method, property or event.
func (p *Params) ID(field string) ID { return ID{p.U16(field), p.U16(field)} }

// Event reads an OcaEvent.
func (p *Params) Event(field string) Event { return Event{p.ONo(field), p.ID(field)} }

// Method reads an OcaMethod.
func (p *Params) Method(field string) Method { return Method{p.ONo(field), p.ID(field)} }

// String reads an OcaString. Its length counts code points, so the bytes are walked; a byte that is not UTF-8 counts as one and
// stays as it is.
func (p *Params) String(field string) string { return string(p.StringBytes(field)) }

// StringBytes is String without a copy.
func (p *Params) StringBytes(field string) []byte {
	n := int(p.U16(field))
	b := p.rest()
	if n > len(b) { // each code point has a byte at least
		p.Bytes(field, n)
		return nil
	}
	at := 0
	for range n {
		_, size := utf8.DecodeRune(b[at:])
		if size == 0 {
			p.Bytes(field, len(b)+1)
			return nil
		}
		at += size
	}
	return p.Bytes(field, at)
}

// Blob reads an OcaBlob, not copied.
func (p *Params) Blob(field string) []byte { return p.Bytes(field, int(p.U16(field))) }

// LongBlob reads an OcaLongBlob, not copied.
func (p *Params) LongBlob(field string) []byte {
	n := p.U32(field)
	if int64(n) > int64(p.Len()) {
		p.Bytes(field, p.Len()+1)
		return nil
	}
	return p.Bytes(field, int(n))
}

// Bits reads an OcaBitstring.
func (p *Params) Bits(field string) []bool {
	n := int(p.U16(field))
	b := p.Bytes(field, (n+7)/8)
	if b == nil {
		return nil
	}
	bits := make([]bool, n)
	for i := range bits {
		bits[i] = b[i/8]&(0x80>>(i&7)) != 0
	}
	return bits
}

// ClassID reads an OcaClassID.
func (p *Params) ClassID(field string) ClassID {
	n := p.U16(field)
	if n > maxClassFields {
		p.Fail(field, errClass)
		return ClassID{}
	}
	var c ClassID
	for i := range int(n) {
		c.fields[i] = p.U16(field)
	}
	if p.Err() != nil {
		return ClassID{}
	}
	c.n = uint8(n)
	return c
}

// ClassIdentification reads an OcaClassIdentification.
func (p *Params) ClassIdentification(field string) ClassIdentification {
	return ClassIdentification{p.ClassID(field), p.U16(field)}
}

// ObjectIdentification reads an OcaObjectIdentification.
func (p *Params) ObjectIdentification(field string) ObjectIdentification {
	return ObjectIdentification{p.ONo(field), p.ClassIdentification(field)}
}

// BlockMember reads an OcaBlockMember.
func (p *Params) BlockMember(field string) BlockMember {
	return BlockMember{p.ObjectIdentification(field), p.ONo(field)}
}

// ManagerDescriptor reads an OcaManagerDescriptor.
func (p *Params) ManagerDescriptor(field string) ManagerDescriptor {
	return ManagerDescriptor{p.ONo(field), p.String(field), p.ClassID(field), p.U16(field)}
}

// ModelDescription reads an OcaModelDescription.
func (p *Params) ModelDescription(field string) ModelDescription {
	return ModelDescription{p.String(field), p.String(field), p.String(field)}
}

// ModelGUID reads an OcaModelGUID.
func (p *Params) ModelGUID(field string) ModelGUID {
	var g ModelGUID
	copy(g[:], p.Bytes(field, len(g)))
	return g
}

// ListOf reads an OcaList whose items read reads. It stops at the first failure.
func ListOf[T any](p *Params, field string, read func(field string) T) []T {
	var list []T
	for range p.U16(field) {
		v := read(field)
		if p.Err() != nil {
			return nil
		}
		list = append(list, v)
	}
	return list
}

// AppendList appends an OcaList; what is over 65,535 items is cut off.
func AppendList[T any](b []byte, list []T, item func([]byte, T) []byte) []byte {
	list = list[:min(len(list), MaxString)]
	b = AppendU16(b, uint16(len(list)))
	for _, v := range list {
		b = item(b, v)
	}
	return b
}
