package devicemaster

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/patchbay-io/patchbay/wire"
)

// ErrShort is the cause when a response ends before it can.
var ErrShort = wire.ErrShort

// IPv4 is an address in network order.
type IPv4 [4]byte

// String is the dotted form.
func (a IPv4) String() string { return fmt.Sprintf("%d.%d.%d.%d", a[0], a[1], a[2], a[3]) }

// MAC is an Ethernet address.
type MAC [6]byte

// String is the form with colons.
func (m MAC) String() string {
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5])
}

// Program is what a box runs.
type Program uint16

// The programs. The maker's Linux driver resets a box that runs another one than ProgramNSLink, and loads firmware.
const (
	ProgramBoot         Program = 0
	ProgramNSLink       Program = 1
	ProgramSocketServer Program = 2
)

// String is the name, or the number when there is none.
func (p Program) String() string {
	switch p {
	case ProgramBoot:
		return "boot loader"
	case ProgramNSLink:
		return "NS-Link"
	case ProgramSocketServer:
		return "SocketServer"
	}
	return fmt.Sprintf("program(%d)", uint16(p))
}

// App is one application record of an ID response.
type App struct {
	ID           uint16
	Major, Minor uint8
}

// TLV is a tag with its value. Unknown tags are kept as they are.
type TLV struct {
	Tag   uint8
	Value []byte
}

// MinIDResponse is the shortest ID response that the maker's driver takes: up to the MAC address, from old boxes.
const MinIDResponse = 94

// idFixed is the size of the part before the application records.
const idFixed = 106

// IDResponse is what a box says it is, in answer to a [ToolID] request. It has no length and no mark; on the wire:
//
//	  0  current address, gateway, boot server, subnet mask: 4 bytes each
//	 16  free memory: address and length, u32 little-endian each
//	 24  firmware, 64 bytes, NUL padded
//	 88  MAC, 6 bytes
//	 94  model, u32 big-endian
//	 98  architecture (3 is DeviceMaster)
//	 99  number of ports
//	100  program, u16 big-endian
//	102  board revision (7 is G), boot loader version: major, minor
//	105  number of application records, then these, 4 bytes each
//	     00 ff, then tag, length, value and so on, ended by 00 00
type IDResponse struct {
	IP, Gateway, BootServer, Mask IPv4
	MemAddress, MemLength         uint32
	Firmware                      [64]byte
	MAC                           MAC
	Model                         uint32
	Architecture, Ports           uint8
	Program                       Program
	BoardRevision                 uint8
	BootMajor, BootMinor          uint8
	Apps                          []App
	// Extended are the tags behind the application records; their meaning is unknown. Nil without the mark 00 ff.
	Extended []TLV
	// Rest is what follows, as it came: bytes that are no tags, or that came after their end.
	Rest []byte
	// Size is how many bytes of the fixed part an old box sent, 94 to 105; 0 when it is whole.
	Size int
	open bool // the tags were not ended by 00 00
}

// FirmwareText is the firmware up to the first NUL: "SocketServer 11.34".
func (r *IDResponse) FirmwareText() string { return wire.Text(r.Firmware[:]) }

// ScanIDResponse reports how far an ID response at the start of b goes. done is true when its structure says that it is
// complete; else more may come, and n is len(b). Nothing follows an ID response before the client speaks again.
func ScanIDResponse(b []byte) (n int, done bool) {
	if len(b) < idFixed {
		return len(b), false
	}
	at := idFixed + 4*int(b[idFixed-1])
	if len(b) < at+2 {
		return len(b), false
	}
	if b[at] != 0 || b[at+1] != 0xff {
		return len(b), false
	}
	for at += 2; len(b) >= at+2; {
		if b[at] == 0 {
			return at + 2, true
		}
		at += 2 + int(b[at+1])
	}
	return len(b), false
}

// ParseIDResponse reads an ID response that is the whole of b. Only its slices alias b. An old box may send
// [MinIDResponse] bytes; Size tells that. The error wraps [ErrShort].
func ParseIDResponse(b []byte) (IDResponse, error) {
	var r IDResponse
	if len(b) < MinIDResponse {
		return r, fmt.Errorf("ID response of %d bytes: %w, the shortest has %d", len(b), ErrShort, MinIDResponse)
	}
	full := b
	if len(b) < idFixed {
		r.Size = len(b)
		full = append(slices.Clone(b), make([]byte, idFixed-len(b))...)
	}
	copy(r.IP[:], full[0:])
	copy(r.Gateway[:], full[4:])
	copy(r.BootServer[:], full[8:])
	copy(r.Mask[:], full[12:])
	r.MemAddress = binary.LittleEndian.Uint32(full[16:])
	r.MemLength = binary.LittleEndian.Uint32(full[20:])
	copy(r.Firmware[:], full[24:])
	copy(r.MAC[:], full[88:])
	r.Model = binary.BigEndian.Uint32(full[94:])
	r.Architecture, r.Ports = full[98], full[99]
	r.Program = Program(binary.BigEndian.Uint16(full[100:]))
	r.BoardRevision, r.BootMajor, r.BootMinor = full[102], full[103], full[104]
	if r.Size > 0 {
		return r, nil
	}
	rest := full[idFixed:]
	for range full[idFixed-1] {
		if len(rest) < 4 {
			return r, fmt.Errorf("ID response: %w: %d application records are announced", ErrShort, full[idFixed-1])
		}
		r.Apps = append(r.Apps, App{ID: binary.BigEndian.Uint16(rest), Major: rest[2], Minor: rest[3]})
		rest = rest[4:]
	}
	if len(rest) < 2 || rest[0] != 0 || rest[1] != 0xff {
		r.Rest = rest
		return r, nil
	}
	r.Extended, r.Rest, r.open = parseTLVs(rest[2:])
	return r, nil
}

// Append appends the response; a parsed one gives the bytes that it was parsed from. What was made by hand ends its tags
// when it has some.
func (r *IDResponse) Append(b []byte) []byte {
	at := len(b)
	for _, a := range []IPv4{r.IP, r.Gateway, r.BootServer, r.Mask} {
		b = append(b, a[:]...)
	}
	b = binary.LittleEndian.AppendUint32(b, r.MemAddress)
	b = binary.LittleEndian.AppendUint32(b, r.MemLength)
	b = append(b, r.Firmware[:]...)
	b = append(b, r.MAC[:]...)
	b = binary.BigEndian.AppendUint32(b, r.Model)
	b = append(b, r.Architecture, r.Ports)
	b = binary.BigEndian.AppendUint16(b, uint16(r.Program))
	b = append(b, r.BoardRevision, r.BootMajor, r.BootMinor, byte(len(r.Apps)))
	if r.Size > 0 {
		return b[:at+min(r.Size, idFixed)]
	}
	for _, a := range r.Apps {
		b = binary.BigEndian.AppendUint16(b, a.ID)
		b = append(b, a.Major, a.Minor)
	}
	if r.Extended != nil {
		b = appendTLVs(append(b, 0, 0xff), r.Extended)
		if !r.open {
			b = append(b, 0, 0)
		}
	}
	return append(b, r.Rest...)
}

// State is the last byte of the extended tag 6. It differs between connections (0x00 and 0x02 were seen) and nobody knows
// why; perhaps it is a map of ports that an earlier session still holds (guess).
func (r *IDResponse) State() (state uint8, ok bool) {
	for _, t := range r.Extended {
		if t.Tag == tagState && len(t.Value) > 0 {
			return t.Value[len(t.Value)-1], true
		}
	}
	return 0, false
}

const tagState = 6

// DefaultExtended are the extended tags of the one box that was recorded (SocketServer 11.34), with the byte of
// [IDResponse.State].
func DefaultExtended(state uint8) []TLV {
	six := make([]byte, 16)
	six[15] = state
	return []TLV{{2, []byte{0x01}}, {3, []byte{0x2d}}, {4, []byte{0x00}}, {5, make([]byte, 4)}, {tagState, six}}
}

// Identity is an ID response as a simulator needs it: like the recorded box, program NS-Link, with the given number of
// ports and byte of state.
func Identity(ports, state uint8) IDResponse {
	r := IDResponse{IP: IPv4{192, 0, 2, 30}, Gateway: IPv4{192, 0, 2, 1}, Mask: IPv4{255, 255, 255, 0}, MemAddress: 0x00611188, MemLength: 1764984,
		MAC: MAC{0x00, 0xc0, 0x4e, 0x00, 0x00, 0x01}, Model: 5002110, Architecture: 3, Ports: ports, Program: ProgramNSLink, BoardRevision: 7,
		Apps: []App{{ID: 0x00ff, Major: 11, Minor: 34}}, Extended: DefaultExtended(state)}
	copy(r.Firmware[:], "SocketServer 11.34")
	return r
}

// parseTLVs reads tags up to the first tag 0, which with its length byte ends them, or to where they stop making sense.
func parseTLVs(b []byte) (tlvs []TLV, rest []byte, open bool) {
	tlvs = []TLV{}
	for len(b) >= 2 {
		if b[0] == 0 {
			if b[1] == 0 {
				return tlvs, b[2:], false
			}
			return tlvs, b, true
		}
		n := int(b[1])
		if len(b) < 2+n {
			break
		}
		tlvs = append(tlvs, TLV{b[0], b[2 : 2+n : 2+n]})
		b = b[2+n:]
	}
	return tlvs, b, true
}

func appendTLVs(b []byte, tlvs []TLV) []byte {
	for _, t := range tlvs {
		v := t.Value
		if len(v) > 255 {
			v = v[:255]
		}
		b = append(append(b, t.Tag, byte(len(v))), v...)
	}
	return b
}

// ErrNotDiscovery is the cause when a datagram is no discovery message.
var ErrNotDiscovery = errors.New("datagram does not begin with a98dfd537a1cb0de: it is no DeviceMaster discovery")
