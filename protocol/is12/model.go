package is12

import (
	"slices"
	"strconv"
	"strings"
)

// RootOid is the number of the root block.
const RootOid = 1

// ClassID is the place of a class in the tree of classes; 0 or a negative number marks where a maker's own part begins.
type ClassID []int32

// String is "1.3.1".
func (c ClassID) String() string {
	parts := make([]string, len(c))
	for i, n := range c {
		parts[i] = strconv.Itoa(int(n))
	}
	return strings.Join(parts, ".")
}

// IsA reports whether c is of or one of its descendants.
func (c ClassID) IsA(of ClassID) bool { return len(c) >= len(of) && slices.Equal(c[:len(of)], of) }

// The classes that the standard defines.
var (
	ClassObject        = ClassID{1}
	ClassBlock         = ClassID{1, 1}
	ClassWorker        = ClassID{1, 2}
	ClassManager       = ClassID{1, 3}
	ClassDeviceManager = ClassID{1, 3, 1}
	ClassClassManager  = ClassID{1, 3, 2}
)

// Methods and properties of the standard's classes.
var (
	MethodGet                  = ID{1, 1} // {"id"}
	MethodSet                  = ID{1, 2} // {"id", "value"}
	MethodGetMemberDescriptors = ID{2, 1} // of a block: {"recurse"}
	MethodGetControlClass      = ID{3, 1} // of the class manager: {"classId", "includeInherited"}
	MethodGetDatatype          = ID{3, 2} // of the class manager: {"name", "includeInherited"}

	PropertyClassID   = ID{1, 1}
	PropertyUserLabel = ID{1, 6}
	PropertyMembers   = ID{2, 2} // of a block
)

// MemberDescriptor says what is in a block (NcBlockMemberDescriptor).
type MemberDescriptor struct {
	Description string  `json:"description"`
	Role        string  `json:"role"`
	Oid         uint32  `json:"oid"`
	ConstantOid bool    `json:"constantOid"`
	ClassID     ClassID `json:"classId"`
	UserLabel   string  `json:"userLabel"`
	Owner       uint32  `json:"owner"`
}

// Constraints limit a property (NcParameterConstraintsNumber and its kin); nil: not limited.
type Constraints struct {
	Minimum *float64 `json:"minimum"`
	Maximum *float64 `json:"maximum"`
	Step    *float64 `json:"step"`
}

// PropertyDescriptor describes a property of a class (NcPropertyDescriptor).
type PropertyDescriptor struct {
	Description  string       `json:"description"`
	ID           ID           `json:"id"`
	Name         string       `json:"name"`
	TypeName     string       `json:"typeName"` // "NcFloat32", or the name of a datatype
	IsReadOnly   bool         `json:"isReadOnly"`
	IsNullable   bool         `json:"isNullable"`
	IsSequence   bool         `json:"isSequence"`
	IsDeprecated bool         `json:"isDeprecated"`
	Constraints  *Constraints `json:"constraints"`
}

// ClassDescriptor describes a class (NcClassDescriptor).
type ClassDescriptor struct {
	ClassID    ClassID                  `json:"classId"`
	Name       string                   `json:"name"`
	Properties List[PropertyDescriptor] `json:"properties"`
}

// The kinds of datatypes.
const (
	DatatypePrimitive = 0
	DatatypeTypedef   = 1
	DatatypeStruct    = 2
	DatatypeEnum      = 3
)

// EnumItem is one value of an enumeration.
type EnumItem struct {
	Description string `json:"description"`
	Name        string `json:"name"`
	Value       int64  `json:"value"`
}

// DatatypeDescriptor describes a datatype (NcDatatypeDescriptor): Items of an enumeration, ParentType of a typedef.
type DatatypeDescriptor struct {
	Name       string         `json:"name"`
	Type       int            `json:"type"`
	ParentType string         `json:"parentType"`
	Items      List[EnumItem] `json:"items"`
}
