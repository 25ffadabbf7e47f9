package ocp1

import (
	"fmt"
	"strings"
)

// The methods of OcaBlock that find objects.
var (
	MethodFindByRole           = ID{3, 17} // among the members
	MethodFindByRoleRecursive  = ID{3, 18} // and theirs
	MethodFindByLabelRecursive = ID{3, 19}
	MethodFindByPath           = ID{3, 20} // roles from a member on
)

// Comparison is how a name is compared with what is searched for (OcaStringComparisonType).
type Comparison uint8

// The comparisons.
const (
	CompareExact Comparison = iota
	CompareStart            // "Substring": the name begins with it
	CompareContains
	CompareExactFold // the same without regard to case
	CompareStartFold
	CompareContainsFold
)

// Match compares a name with what is searched for; false for an unknown comparison too.
func (c Comparison) Match(name, search string) bool {
	if c >= CompareExactFold {
		name, search, c = strings.ToLower(name), strings.ToLower(search), c-CompareExactFold
	}
	switch c {
	case CompareExact:
		return name == search
	case CompareStart:
		return strings.HasPrefix(name, search)
	case CompareContains:
		return strings.Contains(name, search)
	}
	return false
}

// Valid reports whether the standard knows the comparison.
func (c Comparison) Valid() bool { return c <= CompareContainsFold }

// String names the comparison.
func (c Comparison) String() string {
	if int(c) < len(typeCompare.Names) {
		return typeCompare.Names[c]
	}
	return fmt.Sprintf("comparison %d", uint8(c))
}

// SearchFlags say which fields of a result are wanted (OcaObjectSearchResultFlags); the others are empty.
type SearchFlags uint16

// The fields of a result.
const (
	WantONo SearchFlags = 1 << iota
	WantClass
	WantContainerPath
	WantRole
	WantLabel
)

// Search is what FindObjectsByRole, its recursive form and FindObjectsByLabelRecursive ask for.
type Search struct {
	Name       string
	Comparison Comparison
	Class      ClassID // and its descendants; zero: any
	Want       SearchFlags
}

// SearchParams is how many parameters [Search.Append] appends, PathSearchParams the same of [PathSearch.Append].
const (
	SearchParams     = 4
	PathSearchParams = 2
)

// Append appends the parameters.
func (s Search) Append(b []byte) []byte {
	b = append(AppendString(b, s.Name), byte(s.Comparison))
	return AppendU16(AppendClassID(b, s.Class), uint16(s.Want))
}

// Search reads the parameters of a search.
func (p *Params) Search() Search {
	return Search{p.String("SearchName"), Comparison(p.U8("NameComparisonType")), p.ClassID("SearchClassID"), SearchFlags(p.U16("ResultFlags"))}
}

// PathSearch is what FindObjectsByPath asks for: the roles from a member of the block on.
type PathSearch struct {
	Path []string
	Want SearchFlags
}

// Append appends the parameters.
func (s PathSearch) Append(b []byte) []byte {
	return AppendU16(AppendList(b, s.Path, AppendString), uint16(s.Want))
}

// PathSearch reads the parameters of a search by path.
func (p *Params) PathSearch() PathSearch {
	return PathSearch{ListOf(p, "SearchPath", p.String), SearchFlags(p.U16("ResultFlags"))}
}

// SearchResult is an object that was found (OcaObjectSearchResult).
type SearchResult struct {
	ONo           ONo
	Class         ClassIdentification
	ContainerPath []ONo // from the root block to the block that the object is in
	Role, Label   string
}

// Only leaves the fields that are wanted.
func (r SearchResult) Only(want SearchFlags) SearchResult {
	var out SearchResult
	if want&WantONo != 0 {
		out.ONo = r.ONo
	}
	if want&WantClass != 0 {
		out.Class = r.Class
	}
	if want&WantContainerPath != 0 {
		out.ContainerPath = r.ContainerPath
	}
	if want&WantRole != 0 {
		out.Role = r.Role
	}
	if want&WantLabel != 0 {
		out.Label = r.Label
	}
	return out
}

// AppendSearchResult appends an OcaObjectSearchResult. All fields are on the wire, wanted or not.
func AppendSearchResult(b []byte, r SearchResult) []byte {
	b = AppendClassIdentification(AppendONo(b, r.ONo), r.Class)
	return AppendString(AppendString(AppendList(b, r.ContainerPath, AppendONo), r.Role), r.Label)
}

// SearchResult reads an OcaObjectSearchResult.
func (p *Params) SearchResult(field string) SearchResult {
	return SearchResult{p.ONo(field), p.ClassIdentification(field), ListOf(p, field, p.ONo), p.String(field), p.String(field)}
}
