package focas

import (
	"strconv"
	"strings"

	"github.com/patchbay-io/patchbay/wire"
)

// AllAxes as axis or spindle number asks for all of them.
const AllAxes int32 = -1

// AxisKind is what function 0x26 reads of an axis. (seen)
type AxisKind int32

// The kinds. 0 to 3 are what the position screen shows (cnc_rdposition); 4, 6 and 7 are what the older calls read.
const (
	AxisAbsolute    AxisKind = 0  // cnc_absolute2
	AxisMachine     AxisKind = 1  // cnc_machine
	AxisRelative    AxisKind = 2  // cnc_relative2
	AxisDistance    AxisKind = 3  // distance to go
	AxisAbsoluteOld AxisKind = 4  // cnc_absolute
	AxisRelativeOld AxisKind = 6  // cnc_relative
	AxisDistanceOld AxisKind = 7  // cnc_distance
	AxisSkip        AxisKind = 8  // cnc_skip
	AxisServoDelay  AxisKind = 9  // cnc_srvdelay
	AxisAccDecDelay AxisKind = 10 // cnc_accdecdly
)

// AxisRequest asks for a kind of one axis, 1-based, or of [AllAxes]; the answer is [Values]. All axes come padded to the
// control's maximum: 8 on a 160i, 32 on a 31i (public); only the first controlled axes count.
func AxisRequest(path uint16, kind AxisKind, axis int32) Request {
	return cncRequest(path, FuncReadAxis, int32(kind), axis)
}

// Count kinds of function 0xa4. (seen)
const (
	CountPosition int32 = 0 // axes in the position display
	CountSpindles int32 = 1
	CountServo    int32 = 2
	CountSpeed    int32 = 3 // of the speed display
)

// CountRequest asks how many items a display has; the answer is a [Word]. FANUC's library puts the same request before and
// after a set of reads. 30i only.
func CountRequest(path uint16, kind int32) Request { return cncRequest(path, FuncReadCount, kind) }

// NameSize is the size of a [Name] in bytes.
const NameSize = 4

// Name is the name of an axis or spindle: a letter and up to three suffixes, NUL where there is none. (seen)
type Name [NameSize]byte

// String is the name without its padding: "X", "X1", "S1".
func (n Name) String() string { return strings.TrimRight(wire.Text(n[:]), " ") }

// Append appends the 4 bytes.
func (n Name) Append(b []byte) []byte { return append(b, n[:]...) }

// NewName is s cut or padded to four bytes.
func NewName(s string) (n Name) {
	copy(n[:], s)
	return n
}

// Names is the payload of 0x89(0) and 0x8a: one name per axis or spindle.
type Names = List[Name]

// ParseNames reads the payload.
func ParseNames(payload []byte) (Names, error) {
	return parseList(payload, NameSize, func(b []byte) Name { return Name(b) }), nil
}

// AxisNamesRequest asks for the [Names] of the axes (cnc_rdaxisname).
func AxisNamesRequest(path uint16) Request { return cncRequest(path, FuncReadAxisName, 0) }

// NameSet is the four names of one axis. (seen)
type NameSet struct {
	First    Name // use not seen
	Absolute Name // also for the distance to go
	Machine  Name
	Relative Name
}

// Append appends the 16 bytes.
func (n NameSet) Append(b []byte) []byte {
	return n.Relative.Append(n.Machine.Append(n.Absolute.Append(n.First.Append(b))))
}

// NameSets is the payload of 0x89(-1).
type NameSets = List[NameSet]

// ParseNameSets reads the payload.
func ParseNameSets(payload []byte) (NameSets, error) {
	return parseList(payload, 4*NameSize, func(b []byte) NameSet {
		return NameSet{Name(b), Name(b[4:]), Name(b[8:]), Name(b[12:])}
	}), nil
}

// NameSetsRequest asks for the four names of every axis.
func NameSetsRequest(path uint16) Request { return cncRequest(path, FuncReadAxisName, -1) }

// Unit is the unit of a displayed number. (seen)
type Unit uint16

// The units.
const (
	UnitMM Unit = iota
	UnitInch
	UnitDegree
	UnitMMPerMinute
	UnitInchPerMinute
	UnitRPM
	UnitMMPerRevolution
	UnitInchPerRevolution
	UnitPercent
	UnitAmpere
)

var unitNames = [...]string{"mm", "inch", "deg", "mm/min", "inch/min", "rpm", "mm/rev", "inch/rev", "%", "A"}

// String is the symbol, or the number when it is unknown.
func (u Unit) String() string {
	if int(u) < len(unitNames) {
		return unitNames[u]
	}
	return "unit(" + strconv.Itoa(int(u)) + ")"
}

// UnitPair is one axis of function 0x88. Which half counts depends on the kind: see [UnitsRequest].
type UnitPair struct{ First, Second Unit }

// Append appends the 4 bytes.
func (u UnitPair) Append(b []byte) []byte { return appendWords(b, uint16(u.First), uint16(u.Second)) }

// UnitPairs is the payload of 0x88.
type UnitPairs = List[UnitPair]

// ParseUnitPairs reads the payload.
func ParseUnitPairs(payload []byte) (UnitPairs, error) {
	return parseList(payload, 4, func(b []byte) UnitPair { return UnitPair{Unit(u16(b)), Unit(u16(b[2:]))} }), nil
}

// Kinds of [UnitsRequest]. (seen)
const (
	UnitsClassicSpeed int32 = 0 // classic: feed rate in First
	UnitsPosition     int32 = 1 // 30i: absolute, relative and distance in First
	UnitsMachine      int32 = 2 // machine position in Second; classic: the others in First
	UnitsFeed         int32 = 3 // 30i: in First
	UnitsSpindle      int32 = 4 // 30i: in First
)

// UnitsRequest asks for the units of a display, [UnitPairs] by axis.
func UnitsRequest(path uint16, kind int32) Request { return cncRequest(path, FuncReadUnits, kind) }

// DisplayFlags says which positions of an axis the control's screen shows. (seen)
type DisplayFlags uint32

// Shows reports whether a position of kind 0 to 3 is shown.
func (f DisplayFlags) Shows(kind AxisKind) bool {
	switch kind {
	case AxisMachine:
		return f&(1<<0|1<<11) != 0
	case AxisAbsolute, AxisRelative:
		return f&(1<<1|1<<3) != 0
	case AxisDistance:
		return f&(1<<2|1<<3) != 0
	}
	return false
}

// DisplayFlagsRequest asks for the [DisplayFlags] of all axes: [Longs]. 30i only.
func DisplayFlagsRequest(path uint16) Request {
	return cncRequest(path, FuncReadDisplayFlags, 0, AllAxes)
}

// Figure kinds of function 0x1b. (seen)
const (
	FigureAxis       int32 = 0
	FigureToolOffset int32 = 1
	FigureMacro      int32 = 2
	FigureWorkOffset int32 = 3
	FigureFeed       int32 = 4
)

// FigureRequest asks how many decimals numbers of a kind have (cnc_getfigure): [Figures].
func FigureRequest(path uint16, kind int32) Request { return cncRequest(path, FuncGetFigure, kind) }

// Figure is the number of decimals of one axis or item.
type Figure struct{ In, Out uint16 }

// Append appends the 4 bytes.
func (f Figure) Append(b []byte) []byte { return appendWords(b, f.In, f.Out) }

// Figures is the payload of 0x1b. (seen)
type Figures struct {
	Valid uint32 // how many of the items count
	List[Figure]
}

// ParseFigures reads the payload.
func ParseFigures(payload []byte) (Figures, error) {
	if len(payload) < 4 {
		return Figures{}, short("Figures", payload, 4)
	}
	return Figures{u32(payload), parseList(payload[4:], 4, func(b []byte) Figure { return Figure{u16(b), u16(b[2:])} })}, nil
}

// Append appends the payload.
func (f Figures) Append(b []byte) []byte { return f.List.Append(appendU32(b, f.Valid)) }
