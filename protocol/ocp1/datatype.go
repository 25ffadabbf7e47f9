package ocp1

import (
	"encoding/hex"
	"fmt"
	"strconv"
)

// Kind is how a [Datatype] is encoded.
type Kind uint8

// The kinds.
const (
	KindBool Kind = iota + 1
	KindInt8
	KindInt16
	KindInt32
	KindInt64
	KindUint8
	KindUint16
	KindUint32
	KindUint64
	KindFloat32
	KindFloat64
	KindString
	KindBlob
	KindLongBlob
	KindBits   // OcaBitstring
	KindBytes  // Size bytes
	KindList   // of Elem
	KindMap    // of Key to Elem
	KindStruct // Fields, one after the other
)

// Datatype describes a type of AES70. Those of this package are constant and shared.
type Datatype struct {
	Name   string // the standard's
	Kind   Kind
	Size   int       // of KindBytes
	Key    *Datatype // of KindMap
	Elem   *Datatype // of KindList and KindMap
	Fields []Param   // of KindStruct
	Names  []string  // of the values of an enumeration, by number; "" where there is none
}

// Param is a named parameter of a method, or a named field.
type Param struct {
	Name string
	Type *Datatype
}

// The types that the class tables use.
var (
	Bool    = &Datatype{Name: "OcaBoolean", Kind: KindBool}
	Int8    = &Datatype{Name: "OcaInt8", Kind: KindInt8}
	Int16   = &Datatype{Name: "OcaInt16", Kind: KindInt16}
	Int32   = &Datatype{Name: "OcaInt32", Kind: KindInt32}
	Int64   = &Datatype{Name: "OcaInt64", Kind: KindInt64}
	Uint8   = &Datatype{Name: "OcaUint8", Kind: KindUint8}
	Uint16  = &Datatype{Name: "OcaUint16", Kind: KindUint16}
	Uint32  = &Datatype{Name: "OcaUint32", Kind: KindUint32}
	Uint64  = &Datatype{Name: "OcaUint64", Kind: KindUint64}
	Float32 = &Datatype{Name: "OcaFloat32", Kind: KindFloat32}
	Float64 = &Datatype{Name: "OcaFloat64", Kind: KindFloat64}
	String  = &Datatype{Name: "OcaString", Kind: KindString}
	Blob    = &Datatype{Name: "OcaBlob", Kind: KindBlob}
	Bits    = &Datatype{Name: "OcaBitstring", Kind: KindBits}

	typeONo        = &Datatype{Name: "OcaONo", Kind: KindUint32}
	typeID         = &Datatype{Name: "OcaMethodID", Kind: KindStruct, Fields: []Param{{"DefLevel", Uint16}, {"Index", Uint16}}}
	typePropertyID = &Datatype{Name: "OcaPropertyID", Kind: KindStruct, Fields: typeID.Fields}
	typeEvent      = &Datatype{Name: "OcaEvent", Kind: KindStruct, Fields: []Param{{"EmitterONo", typeONo}, {"EventID", typeID}}}
	typeMethod     = &Datatype{Name: "OcaMethod", Kind: KindStruct, Fields: []Param{{"ONo", typeONo}, {"MethodID", typeID}}}
	typeClassID    = &Datatype{Name: "OcaClassID", Kind: KindList, Elem: Uint16}
	typeClass      = &Datatype{Name: "OcaClassIdentification", Kind: KindStruct, Fields: []Param{{"ClassID", typeClassID}, {"ClassVersion", Uint16}}}
	typeObject     = &Datatype{Name: "OcaObjectIdentification", Kind: KindStruct, Fields: []Param{{"ONo", typeONo}, {"ClassIdentification", typeClass}}}
	typeMember     = &Datatype{Name: "OcaBlockMember", Kind: KindStruct, Fields: []Param{{"Member", typeObject}, {"Container", typeONo}}}
	typeModel      = &Datatype{Name: "OcaModelDescription", Kind: KindStruct, Fields: []Param{{"Manufacturer", String}, {"Name", String}, {"Version", String}}}
	typeGUID       = &Datatype{Name: "OcaModelGUID", Kind: KindBytes, Size: len(ModelGUID{})}
	typeManager    = &Datatype{Name: "OcaManagerDescriptor", Kind: KindStruct,
		Fields: []Param{{"ObjectNumber", typeONo}, {"Name", String}, {"ClassID", typeClassID}, {"ClassVersion", Uint16}}}

	typeMute    = &Datatype{Name: "OcaMuteState", Kind: KindUint8, Names: []string{1: "muted", 2: "unmuted"}}
	typePolar   = &Datatype{Name: "OcaPolarityState", Kind: KindUint8, Names: []string{1: "normal", 2: "inverted"}}
	typeReading = &Datatype{Name: "OcaSensorReadingState", Kind: KindUint8, Names: []string{"unknown", "valid", "under range", "over range", "error"}}
	typeDeliver = &Datatype{Name: "OcaNotificationDeliveryMode", Kind: KindUint8, Names: []string{1: "normal", 2: "lightweight"}}
	typeState   = &Datatype{Name: "OcaDeviceState", Kind: KindUint16}
	typeCompare = &Datatype{Name: "OcaStringComparisonType", Kind: KindUint8, Names: []string{"exact", "start", "contains", "exact in any case", "start in any case", "contains in any case"}}
	typeWant    = &Datatype{Name: "OcaObjectSearchResultFlags", Kind: KindUint16}
	typeFound   = &Datatype{Name: "OcaObjectSearchResult", Kind: KindStruct,
		Fields: []Param{{"ONo", typeONo}, {"ClassIdentification", typeClass}, {"ContainerPath", listONo}, {"Role", String}, {"Label", String}}}
	typeLaw  = &Datatype{Name: "OcaLevelMeterLaw", Kind: KindUint8}
	typeLock = &Datatype{Name: "OcaLockState", Kind: KindUint8, Names: []string{"no lock", "no write", "no read or write"}}

	listONo    = &Datatype{Name: "OcaList<OcaONo>", Kind: KindList, Elem: typeONo}
	listString = &Datatype{Name: "OcaList<OcaString>", Kind: KindList, Elem: String}
	listBool   = &Datatype{Name: "OcaList<OcaBoolean>", Kind: KindList, Elem: Bool}
	listObject = &Datatype{Name: "OcaList<OcaObjectIdentification>", Kind: KindList, Elem: typeObject}
	listMember = &Datatype{Name: "OcaList<OcaBlockMember>", Kind: KindList, Elem: typeMember}
	listFound  = &Datatype{Name: "OcaList<OcaObjectSearchResult>", Kind: KindList, Elem: typeFound}
	listMan    = &Datatype{Name: "OcaList<OcaManagerDescriptor>", Kind: KindList, Elem: typeManager}
)

// MuteState is the state of OcaMute.
type MuteState uint8

// The states of OcaMute.
const (
	Muted   MuteState = 1
	Unmuted MuteState = 2
)

// PolarityState is the state of OcaPolarity.
type PolarityState uint8

// The states of OcaPolarity.
const (
	PolarityNormal   PolarityState = 1
	PolarityInverted PolarityState = 2
)

// ReadingState says how far a sensor's reading can be trusted.
type ReadingState uint8

// The states of readings.
const (
	ReadingUnknown ReadingState = iota
	ReadingValid
	ReadingUnder
	ReadingOver
	ReadingError
)

// LockState is how an object is locked.
type LockState uint8

// The lock states.
const (
	NoLock LockState = iota
	LockNoWrite
	LockNoReadWrite
)

// DeviceState is a set of bits about the whole device.
type DeviceState uint16

// The bits of a device's state.
const (
	DeviceOperational  DeviceState = 1
	DeviceDisabled     DeviceState = 2
	DeviceError        DeviceState = 4
	DeviceInitialising DeviceState = 8
	DeviceUpdating     DeviceState = 16
)

// AppendText reads one value of the type from p and appends it as people read it. What fails to read leaves p failed.
func (t *Datatype) AppendText(b []byte, p *Params) []byte {
	switch t.Kind {
	case KindBool:
		return strconv.AppendBool(b, p.Bool(t.Name))
	case KindInt8:
		return strconv.AppendInt(b, int64(p.I8(t.Name)), 10)
	case KindInt16:
		return strconv.AppendInt(b, int64(p.I16(t.Name)), 10)
	case KindInt32:
		return strconv.AppendInt(b, int64(p.I32(t.Name)), 10)
	case KindInt64:
		return strconv.AppendInt(b, int64(p.U64(t.Name)), 10)
	case KindUint8, KindUint16, KindUint32, KindUint64:
		n := t.uint(p)
		if n < uint64(len(t.Names)) && t.Names[n] != "" {
			return append(b, t.Names[n]...)
		}
		return strconv.AppendUint(b, n, 10)
	case KindFloat32:
		return strconv.AppendFloat(b, float64(p.F32(t.Name)), 'g', -1, 32)
	case KindFloat64:
		return strconv.AppendFloat(b, p.F64(t.Name), 'g', -1, 64)
	case KindString:
		return strconv.AppendQuote(b, p.String(t.Name))
	case KindBlob:
		return hex.AppendEncode(b, p.Blob(t.Name))
	case KindLongBlob:
		return hex.AppendEncode(b, p.LongBlob(t.Name))
	case KindBytes:
		return hex.AppendEncode(b, p.Bytes(t.Name, t.Size))
	case KindBits:
		for _, on := range p.Bits(t.Name) {
			b = append(b, '0'+AppendBool(nil, on)[0])
		}
		return b
	case KindStruct:
		return t.structText(b, p)
	}
	return t.listText(b, p)
}

func (t *Datatype) uint(p *Params) uint64 {
	switch t.Kind {
	case KindUint8:
		return uint64(p.U8(t.Name))
	case KindUint16:
		return uint64(p.U16(t.Name))
	case KindUint32:
		return uint64(p.U32(t.Name))
	}
	return p.U64(t.Name)
}

func (t *Datatype) structText(b []byte, p *Params) []byte {
	if len(t.Fields) == 2 && &t.Fields[0] == &typeID.Fields[0] {
		return append(b, p.ID(t.Name).String()...)
	}
	b = append(b, '{')
	for i, f := range t.Fields {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = f.Type.AppendText(b, p)
	}
	return append(b, '}')
}

func (t *Datatype) listText(b []byte, p *Params) []byte {
	if t == typeClassID {
		return append(b, p.ClassID(t.Name).String()...)
	}
	b = append(b, '[')
	for i := range p.U16(t.Name) {
		if p.Err() != nil {
			return b
		}
		if i > 0 {
			b = append(b, ", "...)
		}
		if t.Kind == KindMap {
			b = append(t.Key.AppendText(b, p), ": "...)
		}
		b = t.Elem.AppendText(b, p)
	}
	return append(b, ']')
}

// Text reads params as the values of ps and gives them as people read them. It fails when the bytes do not fit.
func Text(ps []Param, params []byte) (string, error) {
	p := NewParams("parameters", params)
	var b []byte
	for i, q := range ps {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = q.Type.AppendText(b, &p)
	}
	if err := p.End(); err != nil {
		return "", fmt.Errorf("%d bytes are not %d values: %w", len(params), len(ps), err)
	}
	return string(b), nil
}
