package focas

import (
	"fmt"
	"math"
)

// ParamType is the data type of a parameter or a setting. Seen; what 5 and above mean is unknown.
type ParamType uint16

// The parameter types.
const (
	ParamBit     ParamType = 0 // eight bits
	ParamByte    ParamType = 1 // i8
	ParamWord    ParamType = 2 // i16
	ParamTwoWord ParamType = 3 // i32
	ParamReal    ParamType = 4 // decimal, 30i dialect only
)

// String is the name, or the number when there is none.
func (t ParamType) String() string {
	switch t {
	case ParamBit:
		return "bit"
	case ParamByte:
		return "byte"
	case ParamWord:
		return "word"
	case ParamTwoWord:
		return "2-word"
	case ParamReal:
		return "real"
	}
	return fmt.Sprintf("type(%d)", uint16(t))
}

// Of is a slot's value as a parameter of this type: an integer of the type's width (bits are 0 to 255) with no
// decimals. Real and unknown types stay as they are.
func (t ParamType) Of(v Value) Value {
	switch t {
	case ParamBit:
		return Value{Mantissa: int32(uint8(v.Mantissa)), Base: 10}
	case ParamByte:
		return Value{Mantissa: int32(int8(v.Mantissa)), Base: 10}
	case ParamWord:
		return Value{Mantissa: int32(int16(v.Mantissa)), Base: 10}
	case ParamTwoWord:
		return Value{Mantissa: v.Mantissa, Base: 10}
	}
	return v
}

// Check reports a value that does not fit the type.
func (t ParamType) Check(v Value) error {
	lo, hi := int64(math.MinInt32), int64(math.MaxInt32)
	switch t {
	case ParamBit:
		lo, hi = 0, math.MaxUint8
	case ParamByte:
		lo, hi = math.MinInt8, math.MaxUint8
	case ParamWord:
		lo, hi = math.MinInt16, math.MaxInt16
	case ParamTwoWord:
	case ParamReal:
		if v.Base != 10 {
			return fmt.Errorf("a real parameter is written with base 10, not %d", v.Base)
		}
		return nil
	default:
		return fmt.Errorf("parameters of %v cannot be written: the layout is unknown", t)
	}
	if m := int64(v.Mantissa); m < lo || m > hi {
		return fmt.Errorf("%d does not fit a %v parameter (%d to %d)", m, t, lo, hi)
	}
	if v.Exponent > 0 {
		return fmt.Errorf("%v has decimals, a %v parameter has none", v, t)
	}
	return nil
}

// ParamRequest asks for parameters from..to of an axis ([NoAxis], 1 and up, [EveryAxis]), cnc_rdparam. Seen.
func ParamRequest(d Dialect, path uint16, from, to int32, axis int16) Request {
	f := FuncReadParam
	if d == Classic {
		f = FuncReadParamClassic
	}
	return recordRequest(path, f, from, to, axis)
}

// ParamTypeRequest asks what type parameter number has, in the way that precedes a write: 0x10 in the classic dialect,
// answered by [NumberInfos]; 0xa0 in the 30i dialect, answered by [NumberInfos2]. Seen.
func ParamTypeRequest(d Dialect, path uint16, number int32) Request {
	if d == Classic {
		return ParamInfoRequest(path, number, 1)
	}
	return ParamInfo2Request(path, number, 1, 0)
}

// ParamInfoRequest asks for the types of count parameters from number from, cnc_rdparainfo. Seen.
func ParamInfoRequest(path uint16, from, count int32) Request {
	return Request{Class: ClassCNC, Path: path, Func: FuncReadParamInfo, Args: [4]int32{from, count}}
}

// ParamInfo2Request asks for the descriptions of count parameters from number from: cnc_rdparainfo2 with flag 0,
// cnc_rdparainfo3 with flag 1. Seen.
func ParamInfo2Request(path uint16, from, count int32, flag uint16) Request {
	return Request{Class: ClassCNC, Path: path, Func: FuncReadParamInfo2, Args: [4]int32{from, count}, Flag: flag}
}

// ParamNumRequest asks for the range of parameter numbers, cnc_rdparanum, answered by [NumberRange]. Seen.
func ParamNumRequest(path uint16) Request {
	return Request{Class: ClassCNC, Path: path, Func: FuncReadParamNum}
}

// ParamRecord is the record that writes values to a parameter. slots is the control's number of axes in the classic
// dialect ([ClassicSlots] when unknown) and is not used in the 30i dialect, which always has 32. Non-real values are
// written as raw integers; a real keeps its exponent; the other slots are zero. Seen.
func ParamRecord(d Dialect, slots int, number int32, axis int16, t ParamType, values ...Value) (Record, error) {
	if d == Series30i {
		slots = MaxSlots
	}
	r := Record{Dialect: d, Number: number, Axis: axis, Type: uint16(t), Count: slots}
	switch {
	case slots < 1 || slots > MaxSlots:
		return Record{}, fmt.Errorf("parameter %d: %d axes, want 1 to %d", number, slots, MaxSlots)
	case len(values) == 0 || len(values) > slots:
		return Record{}, fmt.Errorf("parameter %d: %d values, want 1 to %d", number, len(values), slots)
	case len(values) > 1 && axis != EveryAxis:
		return Record{}, fmt.Errorf("parameter %d: %d values for one axis", number, len(values))
	}
	for i, v := range values {
		if err := t.Check(v); err != nil {
			return Record{}, fmt.Errorf("parameter %d: %w", number, err)
		}
		if t != ParamReal {
			v = RawValue(v.Mantissa)
		}
		r.Slots[i] = v
	}
	return r, nil
}

// WriteParamRequest writes one record, cnc_wrparam; FANUC's library asks [ParamTypeRequest] first. Seen.
func WriteParamRequest(path uint16, r Record) Request {
	f := FuncWriteParam
	if r.Dialect == Classic {
		f = FuncWriteParamClassic
	}
	return Request{Class: ClassCNC, Path: path, Func: f, Data: r.Append(nil)}
}
