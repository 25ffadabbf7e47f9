package atem

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/patchbay-io/patchbay/wire"
)

//go:generate go run ../../internal/tools/atemgen

// Version is the protocol version that a switcher tells in _ver, the major number in the upper 16 bits. It decides which
// layout a code has. The zero Version is unknown and stands for the newest.
type Version uint32

// MakeVersion is major.minor as a Version.
func MakeVersion(major, minor uint16) Version { return Version(major)<<16 | Version(minor) }

// String is "2.30".
func (v Version) String() string { return fmt.Sprintf("%d.%d", v>>16, v&0xffff) }

func (v Version) from(major, minor uint16) bool { return v == 0 || v >= MakeVersion(major, minor) }

// Message is a field in its typed form. The layout is chosen by version and body size: of the layouts that the version has
// reached, the newest that fits; the oldest serves older versions too.
//
// Parse reads a body; into a value that was parsed before it allocates nothing as long as texts stay the same and lists do
// not grow. Slices of bytes in the value point into the body. Append adds the whole field, unused bytes zero; text and lists
// that are too long are cut. Put writes over a body of the same size and leaves the bytes that the layout does not name.
// Parse and Put fail with [ErrNoLayout].
type Message interface {
	Code() Code
	Parse(ver Version, body []byte) error
	Append(b []byte, ver Version) []byte
	Put(ver Version, body []byte) error
}

// ErrNoLayout says that no layout of a code fits the version and the size of a body; the field stays raw.
var ErrNoLayout = errors.New("no layout fits")

// noLayout is the error of a body that no layout fits.
func noLayout(c Code, ver Version, n int) error {
	return fmt.Errorf("field %v with a body of %d bytes in protocol %v: %w", c, n, ver, ErrNoLayout)
}

var be = binary.BigEndian

// HMSF is a time in hours, minutes, seconds and frames.
type HMSF struct{ Hour, Minute, Second, Frame uint8 }

// String is "01:02:03:04".
func (t HMSF) String() string {
	return fmt.Sprintf("%02d:%02d:%02d:%02d", t.Hour, t.Minute, t.Second, t.Frame)
}

func readHMSF(b []byte) HMSF { return HMSF{b[0], b[1], b[2], b[3]} }

func (t HMSF) put(b []byte) { _, b[0], b[1], b[2], b[3] = b[3], t.Hour, t.Minute, t.Second, t.Frame }

// IPv4 is an address.
type IPv4 [4]byte

// String is "192.0.2.1".
func (a IPv4) String() string { return fmt.Sprintf("%d.%d.%d.%d", a[0], a[1], a[2], a[3]) }

// grow adds a field with an empty body of n bytes and returns the body too. The generated code keeps n below the limit of a
// field.
func grow(b []byte, c Code, n int) (all, body []byte) {
	b = be.AppendUint16(b, uint16(HeaderSize+n))
	b = append(b, 0, 0)
	b = be.AppendUint32(b, uint32(c))
	b = wire.AppendZero(b, n)
	return b, b[len(b)-n:]
}

// setText sets s to the bytes up to the first NUL, and allocates only when that is something new.
func setText(s *string, b []byte) {
	for i, c := range b {
		if c == 0 {
			b = b[:i]
			break
		}
	}
	setString(s, b)
}

func setString(s *string, b []byte) {
	if *s != string(b) {
		*s = string(b)
	}
}

// putText writes text that is ended by a NUL when it is shorter than its place; what stood behind that stays.
func putText(b []byte, s string) {
	if n := copy(b, s); n < len(b) {
		b[n] = 0
	}
}

func putBool(b *byte, bit byte, on bool) {
	if on {
		*b |= bit
	} else {
		*b &^= bit
	}
}

// resize makes a list n long, in its own memory when it is large enough.
func resize[T any](s []T, n int) []T { return slices.Grow(s[:0], n)[:n] }

// moveBits is a mask of another layout: pairs holds bit numbers, from and to.
func moveBits(mask uint32, pairs string) (out uint32) {
	for i := 0; i+1 < len(pairs); i += 2 {
		out |= mask >> pairs[i] & 1 << pairs[i+1]
	}
	return out
}

// cameraSize is the size of the values of a camera control field, from the four counts that end at byte 14 in the answer and
// the command alike: elements of 1, 2, 4 and 8 bytes.
func cameraSize(counts []byte) int {
	return int(be.Uint16(counts)) + 2*int(be.Uint16(counts[2:])) + 4*int(be.Uint16(counts[4:])) + 8*int(be.Uint16(counts[6:]))
}
