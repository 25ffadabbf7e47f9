package focas

import (
	"fmt"
	"strconv"
)

// Selectors of [ModalGRequest] and [ModalAuxRequest] besides a single group or address. (seen)
const (
	ModalAll    int32 = -1 // all groups, all addresses
	ModalSecond int32 = -2 // G: what cnc_modal asks for with -4; aux: what it asks for with -3
)

// ModalGRequest asks for the modal G code of a group: function 0x21, [Words], one per group; see [GroupCode]. Which 0 to n,
// [ModalAll], [ModalSecond], or 100 + i for the one-shot codes (cnc_modal with 300 + i). Block is 0 for the active block; the
// library was seen to send 0 only.
func ModalGRequest(path uint16, which, block int32) Request {
	return cncRequest(path, FuncModalG, which, block)
}

// GroupCode is the number of the G code within its group: the high byte of a word of 0x21. (seen) Bit 7 set means that the
// block itself commands it (public).
func GroupCode(w U16) uint8 { return uint8(w >> 8) }

// ModalAuxRequest asks for the value commanded at an address: function 0x22, [Auxes]. Which is an address of
// [AuxAddress], [ModalAll], [ModalSecond], or 100 + i for axis i (cnc_modal with 200 + i).
func ModalAuxRequest(path uint16, which, block int32) Request {
	return cncRequest(path, FuncModalAux, which, block)
}

// auxLetters is indexed by the address number of 0x22. The numbers are seen, which letter has which follows the documented
// order of cnc_modal's types 100 to 126 (guess).
var auxLetters = [...]string{"A", "B", "C", "D", "E", "F", "H", "I", "J", "K", "L", "M", "M2", "M3", "", "", "N", "O", "P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z"}

// AuxAddress is the number of an address ("S", "T", "M", "M2", "F") for [ModalAuxRequest].
func AuxAddress(letter string) (n int32, ok bool) {
	for i, l := range auxLetters {
		if l == letter && l != "" {
			return int32(i), true
		}
	}
	return 0, false
}

// AuxLetter is the reverse of [AuxAddress]; empty when unknown.
func AuxLetter(n int32) string {
	if n < 0 || int(n) >= len(auxLetters) {
		return ""
	}
	return auxLetters[n]
}

// AuxSize is the size of an [Aux] in bytes.
const AuxSize = 8

// Aux is what a block commanded at one address. (seen; the flags' meaning is not known, FANUC's library returns their low
// bytes)
type Aux struct {
	Value        int32
	Flag1, Flag2 uint16
}

// Append appends the 8 bytes.
func (a Aux) Append(b []byte) []byte { return appendWords(appendI32(b, a.Value), a.Flag1, a.Flag2) }

// Auxes is the payload of 0x22.
type Auxes = List[Aux]

// ParseAuxes reads the payload.
func ParseAuxes(payload []byte) (Auxes, error) {
	return parseList(payload, AuxSize, func(b []byte) Aux { return Aux{i32(b), u16(b[4:]), u16(b[6:])} }), nil
}

// GCodesRequest asks for active G codes by their names (cnc_rdgcode): function 0x96, [GCodes]. Typ is a group or
// [ModalAll]; block 0 is the active block, 1 the next, 2 the one after it (public).
func GCodesRequest(path uint16, typ, block int32) Request {
	return cncRequest(path, FuncReadGCode, typ, block)
}

// GCode is one active G code. (seen)
type GCode struct {
	Group    uint16
	Flag     uint16
	Code     int32 // with Decimals: 541 and 1 is G54.1
	Decimals int32
}

// String is the code as a program writes it: "G01", "G54.1".
func (g GCode) String() string {
	s := fmt.Sprintf("%02d", g.Code)
	if d := int(g.Decimals); d > 0 && d < 9 {
		s = fmt.Sprintf("%0*d", d+2, g.Code)
		s = s[:len(s)-d] + "." + s[len(s)-d:]
	}
	return "G" + s
}

// Append appends the 12 bytes.
func (g GCode) Append(b []byte) []byte {
	return appendI32(appendI32(appendWords(b, g.Group, g.Flag), g.Code), g.Decimals)
}

// GCodes is the payload of 0x96.
type GCodes = List[GCode]

// ParseGCodes reads the payload.
func ParseGCodes(payload []byte) (GCodes, error) {
	return parseList(payload, 12, func(b []byte) GCode { return GCode{u16(b), u16(b[2:]), i32(b[4:]), i32(b[8:])} }), nil
}

// CommandsRequest asks for the values commanded at the addresses of a block (cnc_rdcommand): function 0x97, [Commands].
func CommandsRequest(path uint16, typ, block int32) Request {
	return cncRequest(path, FuncReadCommand, typ, block)
}

// Command is a value commanded at an address. (seen)
type Command struct {
	Letter   byte
	Number   uint8 // which of several, as in M, M2, M3
	Flag     uint16
	Value    int32
	Decimals int32
}

// Address is the letter with its number where there are several: "S", "M2".
func (c Command) Address() string {
	if c.Number == 0 {
		return string(rune(c.Letter))
	}
	return string(rune(c.Letter)) + strconv.Itoa(int(c.Number))
}

// Float is the number.
func (c Command) Float() float64 {
	if c.Decimals < 0 || c.Decimals > 15 {
		return float64(c.Value)
	}
	return Decimal(c.Value, int16(c.Decimals)).Float()
}

// Append appends the 12 bytes.
func (c Command) Append(b []byte) []byte {
	return appendI32(appendI32(appendWords(append(b, c.Letter, c.Number), c.Flag), c.Value), c.Decimals)
}

// Commands is the payload of 0x97.
type Commands = List[Command]

// ParseCommands reads the payload.
func ParseCommands(payload []byte) (Commands, error) {
	return parseList(payload, 12, func(b []byte) Command { return Command{b[0], b[1], u16(b[2:]), i32(b[4:]), i32(b[8:])} }), nil
}
