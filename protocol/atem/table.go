package atem

import (
	"slices"

	"github.com/patchbay-io/patchbay/transcript"
)

// The rows of the generated tables: each code has layouts, each layout has items. An item that is a list is followed by the
// items of one element.

type codeRow struct {
	code          Code
	first         uint16 // layout
	layouts       uint8
	way           way
	grade         grade
	volatile      bool
	sets, removes Code
	name, doc     string
	rawKey        string
}

type layoutRow struct {
	from  Version // 0: any
	since Version // as the catalogue says
	size  int16   // -1: variable
	least int16   // size of what is always there
	pad   uint8
	first uint16 // item
	items uint16 // elements of lists included
}

type itemRow struct {
	name     string
	unit     string
	mask     string // names of the bits
	scale    float32
	min, max int32
	floor    int32
	log      int32
	off      int16 // -1: right after the item before
	n        int16 // bytes, elements of an array, or items of a list's element; -1: the rest
	length   int16 // 1 + the offset of the length; 0: none
	kind     kind
	width    uint8 // of an array's element
	set      uint8
	bit      uint8
	stride   uint8
	pad      uint8
	grade    grade
	isLength bool
	key      bool
}

type kind uint8

const (
	kindU8 kind = iota
	kindU16
	kindU32
	kindI16
	kindI32
	kindI64
	kindBool
	kindStr
	kindBytes
	kindHmsf
	kindIpv4
	kindCamera
	kindEach
)

type way uint8

const (
	wayState way = iota
	wayCommand
	wayBoth
	wayOswClient
	wayOswServer
)

type grade uint8

const (
	gradeSame grade = iota // as that of the code
	gradeSpec
	gradeSeen
	gradeInferred
	gradeGuess
)

func (g grade) String() string {
	return [...]string{"", transcript.GradeSpec, transcript.GradeSeen, transcript.GradeInferred, transcript.GradeGuess}[g]
}

// find is the row of a code, nil when the catalogue does not have it.
func find(c Code) *codeRow {
	i, ok := slices.BinarySearchFunc(codeRows[:], c, func(r codeRow, c Code) int {
		switch {
		case r.code < c:
			return -1
		case r.code > c:
			return 1
		}
		return 0
	})
	if !ok {
		return nil
	}
	return &codeRows[i]
}
