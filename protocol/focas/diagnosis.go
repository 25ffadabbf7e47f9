package focas

import "fmt"

// DiagType is the data type of a diagnosis number; it is not numbered like [ParamType]. Seen for 0 to 2; 3 is inferred
// from public samples of controls. Real values come in the 30i dialect as type 2 with an exponent.
type DiagType uint16

// The diagnosis types.
const (
	DiagByte    DiagType = 0
	DiagWord    DiagType = 1
	DiagTwoWord DiagType = 2
	DiagBit     DiagType = 3
)

// String is the name, or the number when there is none.
func (t DiagType) String() string {
	switch t {
	case DiagByte:
		return "byte"
	case DiagWord:
		return "word"
	case DiagTwoWord:
		return "2-word"
	case DiagBit:
		return "bit"
	}
	return fmt.Sprintf("type(%d)", uint16(t))
}

// Of is a slot's value as diagnosis data of this type. A value with decimals keeps them, whatever the type.
func (t DiagType) Of(v Value) Value {
	if v.Exponent > 0 {
		return v
	}
	switch t {
	case DiagByte:
		return ParamByte.Of(v)
	case DiagWord:
		return ParamWord.Of(v)
	case DiagTwoWord:
		return ParamTwoWord.Of(v)
	case DiagBit:
		return ParamBit.Of(v)
	}
	return v
}

// DiagRequest asks for diagnosis data from..to of an axis ([NoAxis], 1 and up, [EveryAxis]), cnc_diagnoss; the answer
// is a [Record]. Seen.
func DiagRequest(d Dialect, path uint16, from, to int32, axis int16) Request {
	f := FuncReadDiag
	if d == Classic {
		f = FuncReadDiagClassic
	}
	return recordRequest(path, f, from, to, axis)
}

// DiagInfoRequest asks for the types of count diagnosis numbers, cnc_rddiaginfo, answered by [NumberInfos]. Seen as a
// request; the layout of the answer is that of parameters.
func DiagInfoRequest(path uint16, from, count int32) Request {
	return Request{Class: ClassCNC, Path: path, Func: FuncReadDiagInfo, Args: [4]int32{from, count}}
}

// DiagInfo2Request asks for descriptions, cnc_rddiaginfo2, answered by [NumberInfos2]. Seen as a request.
func DiagInfo2Request(path uint16, from, count int32) Request {
	return Request{Class: ClassCNC, Path: path, Func: FuncReadDiagInfo2, Args: [4]int32{from, count}}
}

// DiagNumRequest asks for the range of diagnosis numbers, cnc_rddiagnum, answered by [NumberRange]. Seen.
func DiagNumRequest(path uint16) Request {
	return Request{Class: ClassCNC, Path: path, Func: FuncReadDiagNum}
}
