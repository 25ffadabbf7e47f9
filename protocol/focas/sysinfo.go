package focas

import (
	"strings"

	"github.com/patchbay-io/patchbay/wire"
)

// SysInfoSize is the size of [SysInfo] on the wire, in bytes.
const SysInfoSize = 18

// SysInfo is who a path's control is (cnc_sysinfo): function 0x18. The texts are ASCII, right-aligned with spaces. (seen)
//
//	0         2          4      6     8        12        16     18
//	| addinfo | max axis | type | M/T | series | version | axes |
type SysInfo struct {
	AddInfo uint16 // bit 1: i series; high byte: letter of the model, 1 is A
	MaxAxis uint16
	Type    [2]byte // "30", "31", " 0", "16"
	Kind    [2]byte // " M" machining centre, " T" lathe, "MM", "TT", " P" punch, " L" laser, " W" wire cut
	Series  [4]byte // "G301"
	Edition [4]byte // "27.0"; the manual calls it version
	Axes    [2]byte // controlled axes of the path, as digits
	Rest    []byte  // what follows; aliases the payload
}

// SysInfoRequest asks for [SysInfo].
func SysInfoRequest(path uint16) Request { return cncRequest(path, FuncSysInfo) }

// ParseSysInfo reads the payload of 0x18.
func ParseSysInfo(payload []byte) (SysInfo, error) {
	r := wire.NewReader("SysInfo", payload)
	x := SysInfo{AddInfo: r.U16("addinfo"), MaxAxis: r.U16("max axis")}
	copy(x.Type[:], r.Bytes("type", 2))
	copy(x.Kind[:], r.Bytes("kind", 2))
	copy(x.Series[:], r.Bytes("series", 4))
	copy(x.Edition[:], r.Bytes("edition", 4))
	copy(x.Axes[:], r.Bytes("axes", 2))
	x.Rest = r.Rest()
	return x, r.Err()
}

// Append appends the payload.
func (x SysInfo) Append(b []byte) []byte {
	b = appendWords(b, x.AddInfo, x.MaxAxis)
	b = append(b, x.Type[:]...)
	b = append(b, x.Kind[:]...)
	b = append(b, x.Series[:]...)
	b = append(b, x.Edition[:]...)
	b = append(b, x.Axes[:]...)
	return append(b, x.Rest...)
}

// Model is the name as people write it: "31i-B", "0i-F", "16i", "18".
func (x SysInfo) Model() string {
	s := trimText(x.Type[:])
	if x.AddInfo&2 != 0 {
		s += "i"
	}
	if letter := x.AddInfo >> 8; letter >= 1 && letter <= 26 {
		s += "-" + string(rune('A'+letter-1))
	}
	return s
}

// KindText is Kind without its padding: "M", "T", "TT".
func (x SysInfo) KindText() string { return trimText(x.Kind[:]) }

// SeriesText is Series without its padding.
func (x SysInfo) SeriesText() string { return trimText(x.Series[:]) }

// EditionText is Edition without its padding.
func (x SysInfo) EditionText() string { return trimText(x.Edition[:]) }

func trimText(b []byte) string { return strings.Trim(wire.Text(b), " ") }

// cncRequest is a read without arguments.
func cncRequest(path uint16, f Func, args ...int32) Request {
	q := Request{Class: ClassCNC, Path: path, Func: f}
	copy(q.Args[:], args)
	return q
}
