package focas

import (
	"fmt"
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

// CNCID is the serial of a control (cnc_rdcncid, function 0xe8): four words. (seen)
type CNCID struct {
	ID   [4]uint32
	Rest []byte // aliases the payload
}

// CNCIDRequest asks for [CNCID].
func CNCIDRequest(path uint16) Request { return cncRequest(path, FuncReadCNCID) }

// ParseCNCID reads the payload.
func ParseCNCID(payload []byte) (CNCID, error) {
	if len(payload) < 16 {
		return CNCID{}, short("CNCID", payload, 16)
	}
	return CNCID{[4]uint32{u32(payload), u32(payload[4:]), u32(payload[8:]), u32(payload[12:])}, rest(payload, 16)}, nil
}

// Append appends the payload.
func (x CNCID) Append(b []byte) []byte {
	for _, w := range x.ID {
		b = appendU32(b, w)
	}
	return append(b, x.Rest...)
}

// String is the id as controls show it: four groups of eight hexadecimal digits.
func (x CNCID) String() string {
	return fmt.Sprintf("%08x-%08x-%08x-%08x", x.ID[0], x.ID[1], x.ID[2], x.ID[3])
}

// CNCModel is the model number (cnc_getcncmodel, function 0x16f); what the numbers mean is not known. (seen)
type CNCModel struct {
	First uint16 // no effect seen
	Model uint16
	Rest  []byte // aliases the payload
}

// CNCModelRequest asks for [CNCModel].
func CNCModelRequest(path uint16) Request { return cncRequest(path, FuncGetCNCModel) }

// ParseCNCModel reads the payload.
func ParseCNCModel(payload []byte) (CNCModel, error) {
	if len(payload) < 4 {
		return CNCModel{}, short("CNCModel", payload, 4)
	}
	return CNCModel{u16(payload), u16(payload[2:]), rest(payload, 4)}, nil
}

// Append appends the payload.
func (x CNCModel) Append(b []byte) []byte { return append(appendWords(b, x.First, x.Model), x.Rest...) }

// EthernetInfo is the control's Ethernet hardware (cnc_rdetherinfo, function 0x159). The meaning of the numbers is not known. (seen)
type EthernetInfo struct {
	Type   uint16
	Device uint16
	Rest   []byte // aliases the payload
}

// EthernetInfoRequest asks for [EthernetInfo].
func EthernetInfoRequest(path uint16) Request { return cncRequest(path, FuncReadEthernetInfo) }

// ParseEthernetInfo reads the payload.
func ParseEthernetInfo(payload []byte) (EthernetInfo, error) {
	if len(payload) < 4 {
		return EthernetInfo{}, short("EthernetInfo", payload, 4)
	}
	return EthernetInfo{u16(payload), u16(payload[2:]), rest(payload, 4)}, nil
}

// Append appends the payload.
func (x EthernetInfo) Append(b []byte) []byte {
	return append(appendWords(b, x.Type, x.Device), x.Rest...)
}
