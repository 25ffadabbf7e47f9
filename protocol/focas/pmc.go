package focas

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/patchbay-io/patchbay/wire"
)

// Limits of PMC calls in bytes of data, so that a body stays within 1450. Seen.
const (
	MaxPMCRead  = 1432
	MaxPMCWrite = 1420
)

// PMCType is the data type of PMC items. Seen.
type PMCType uint16

// The PMC data types.
const (
	PMCByte    PMCType = 0 // u8
	PMCWord    PMCType = 1 // i16
	PMCLong    PMCType = 2 // i32
	PMCFloat32 PMCType = 4
	PMCFloat64 PMCType = 5
)

// Size is the size of an item in bytes; 0 when the type is unknown.
func (t PMCType) Size() int {
	switch t {
	case PMCByte:
		return 1
	case PMCWord:
		return 2
	case PMCLong, PMCFloat32:
		return 4
	case PMCFloat64:
		return 8
	}
	return 0
}

// String is the name that [ParsePMCAddress] reads, or the number when there is none.
func (t PMCType) String() string {
	switch t {
	case PMCByte:
		return "byte"
	case PMCWord:
		return "word"
	case PMCLong:
		return "long"
	case PMCFloat32:
		return "float32"
	case PMCFloat64:
		return "float64"
	}
	return fmt.Sprintf("type(%d)", uint16(t))
}

// Float is the first item of b as a number; ok is false when b is too small for one, or the type is unknown.
func (t PMCType) Float(b []byte) (f float64, ok bool) {
	if t.Size() == 0 || len(b) < t.Size() {
		return 0, false
	}
	switch t {
	case PMCByte:
		return float64(b[0]), true
	case PMCWord:
		return float64(int16(u16(b))), true
	case PMCLong:
		return float64(i32(b)), true
	case PMCFloat32:
		return float64(math.Float32frombits(u32(b))), true
	}
	return float64(doubleAt(b)), true
}

// AppendFloat appends f as one item. A number that the type cannot hold, and one with a fraction for an integer type,
// is an error; bytes take -128 to 255, words -32768 to 65535.
func (t PMCType) AppendFloat(b []byte, f float64) ([]byte, error) {
	var lo, hi float64
	switch t {
	case PMCByte:
		lo, hi = math.MinInt8, math.MaxUint8
	case PMCWord:
		lo, hi = math.MinInt16, math.MaxUint16
	case PMCLong:
		lo, hi = math.MinInt32, math.MaxUint32
	case PMCFloat32:
		return binary.BigEndian.AppendUint32(b, math.Float32bits(float32(f))), nil
	case PMCFloat64:
		return Double(f).Append(b), nil
	default:
		return b, fmt.Errorf("PMC data of %v cannot be written", t)
	}
	if !(f >= lo && f <= hi) || f != math.Trunc(f) {
		return b, fmt.Errorf("%v does not fit a PMC %v: whole numbers from %.0f to %.0f", f, t, lo, hi)
	}
	switch n := int64(f); t {
	case PMCByte:
		return append(b, byte(n)), nil
	case PMCWord:
		return binary.BigEndian.AppendUint16(b, uint16(n)), nil
	default:
		return binary.BigEndian.AppendUint32(b, uint32(n)), nil
	}
}

// PMCRange names the bytes first..last of one area, both included.
type PMCRange struct {
	Area        int32 // code of the letter, see [PMCAreas]
	Type        PMCType
	First, Last int32 // byte addresses: a word at D100 is 100 to 101
}

// Len is the number of bytes; 0 when Last is before First.
func (r PMCRange) Len() int { return max(0, int(int64(r.Last)-int64(r.First)+1)) }

// ParsePMCRange reads the arguments of a request to read or write PMC data.
func ParsePMCRange(q Request) PMCRange {
	return PMCRange{First: q.Args[0], Last: q.Args[1], Area: q.Args[2], Type: PMCType(q.Args[3])}
}

// PMCRequest asks for PMC data, pmc_rdpmcrng; the payload is the bytes, items big-endian by type. Seen.
func PMCRequest(unit uint16, r PMCRange) Request {
	return Request{Class: ClassPMC, Path: unit, Func: FuncReadPMC, Args: [4]int32{r.First, r.Last, r.Area, int32(r.Type)}}
}

// WritePMCRequest writes PMC data, pmc_wrpmcrng; data is r.Len() bytes, items big-endian by type, and is not copied.
// Seen.
func WritePMCRequest(unit uint16, r PMCRange, data []byte) Request {
	return Request{Class: ClassPMC, Path: unit, Func: FuncWritePMC, Args: [4]int32{r.First, r.Last, r.Area, int32(r.Type)}, Data: data}
}

// PMCInfoRequest asks what PMC areas there are, pmc_rdpmcinfo, answered by [PMCInfo]: of one area code, or of all with
// -1. Seen as a request for one.
func PMCInfoRequest(unit uint16, area int32) Request {
	return Request{Class: ClassPMC, Path: unit, Func: FuncReadPMCInfo, Args: [4]int32{area}}
}

// PMCAreaInfo is one area of a [PMCInfo]. The layout is seen; that Letter is ASCII and First and Last are byte
// addresses is inferred; the meaning of Attribute is unknown.
type PMCAreaInfo struct {
	Letter, Attribute uint16
	First, Last       uint32
}

// Append appends the 12 bytes.
func (a PMCAreaInfo) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, a.Letter)
	b = binary.BigEndian.AppendUint16(b, a.Attribute)
	return appendU32(appendU32(b, a.First), a.Last)
}

// PMCInfo is the payload of pmc_rdpmcinfo: a count, then the areas. FANUC's library crashes on a short one, so a server
// sends it exact. Seen.
type PMCInfo struct {
	Count uint32 // as announced; the areas are as many as the payload holds
	List[PMCAreaInfo]
}

// ParsePMCInfo reads the payload; the announced count is kept and not trusted.
func ParsePMCInfo(payload []byte) (PMCInfo, error) {
	if len(payload) < 4 {
		return PMCInfo{}, short("PMC info", payload, 4)
	}
	p := PMCInfo{Count: u32(payload), List: parseList(payload[4:], 12, func(b []byte) PMCAreaInfo {
		return PMCAreaInfo{u16(b), u16(b[2:]), u32(b[4:]), u32(b[8:])}
	})}
	if uint64(p.Count) > uint64(len(p.Items)) {
		return p, &wire.Error{Message: "PMC info", Field: "count", Err: fmt.Errorf("%d areas announced, %d present", p.Count, len(p.Items))}
	}
	return p, nil
}

// Append appends the payload.
func (p PMCInfo) Append(b []byte) []byte { return p.List.Append(appendU32(b, p.Count)) }

// PMCCountRequest asks for the number of PMC units, pmc_get_number_of_pmc, answered by [Counter]. Seen as a request.
func PMCCountRequest(unit uint16) Request {
	return Request{Class: ClassPMC, Path: unit, Func: FuncReadPMCCount}
}

// PMCUnitTypesRequest asks for the types of up to max PMC units, pmc_get_pmc_unit_types, answered by [PMCUnitTypes].
// Seen as a request.
func PMCUnitTypesRequest(unit uint16, max int32) Request {
	return Request{Class: ClassPMC, Path: unit, Func: FuncReadPMCUnitTypes, Args: [4]int32{max}}
}

// PMCUnitType is the type of a PMC unit; its values are unknown.
type PMCUnitType uint32

// Append appends the 4 bytes.
func (t PMCUnitType) Append(b []byte) []byte { return appendU32(b, uint32(t)) }

// ParsePMCUnitTypes reads the payload of pmc_get_pmc_unit_types. Seen.
func ParsePMCUnitTypes(payload []byte) (List[PMCUnitType], error) {
	return parseList(payload, 4, func(b []byte) PMCUnitType { return PMCUnitType(u32(b)) }), nil
}

// SelectPMCUnitRequest asks whether a unit exists, pmc_select_pmc_unit; later requests carry the unit themselves. Seen.
func SelectPMCUnitRequest(unit uint16) Request {
	return Request{Class: ClassPMC, Path: 1, Func: FuncSelectPMCUnit, Args: [4]int32{int32(unit)}}
}

// PMCTitleRequest asks for the title of the ladder, pmc_rdpmctitle; the layout of the answer is unknown. Seen as a
// request.
func PMCTitleRequest(unit uint16) Request {
	return Request{Class: ClassPMC, Path: unit, Func: FuncReadPMCTitle}
}

// PMCAlarmRequest asks for count PMC alarm messages from number first, pmc_rdalmmsg; the layout of the answer is
// unknown. Seen as a request.
func PMCAlarmRequest(unit uint16, first, count int32) Request {
	return Request{Class: ClassPMC, Path: unit, Func: FuncReadPMCAlarm, Args: [4]int32{first, count}}
}
