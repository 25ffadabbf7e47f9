package focas

import (
	"fmt"
	"slices"
)

// Reading is a number of a display with what the control says about it.
type Reading struct {
	Value Value
	Unit  Unit
	Name  Name
	Shown bool // the control's own screen shows it
}

// AxisPosition is the four positions of one axis as the position screen has them. A kind that was not asked for is zero.
type AxisPosition struct {
	Absolute, Machine, Relative, Distance Reading
}

// PositionKinds are the kinds that the position screen shows, in the order that they are asked in.
func PositionKinds() []AxisKind {
	return []AxisKind{AxisAbsolute, AxisMachine, AxisRelative, AxisDistance}
}

// displayParam is the parameter that hides an axis from the position screen on classic controls: bit 0. (seen)
const displayParam = 3115

// PositionRequests are the blocks of cnc_rdposition for the kinds (none: all four), in the order that FANUC's library sends
// them; they belong into one frame. (seen)
//
//	30i      count, names, units, machine units, display flags, kinds..., count
//	classic  status, kinds..., names, parameter 3115, units, status
func PositionRequests(d Dialect, path uint16, kinds ...AxisKind) []Request {
	kinds = wantedKinds(kinds)
	var qs []Request
	if d == Classic {
		qs = append(qs, StatusRequest(path))
		for _, k := range kinds {
			qs = append(qs, AxisRequest(path, k, AllAxes))
		}
		return append(qs, NameSetsRequest(path), cncRequest(path, FuncReadParamClassic, displayParam, displayParam, AllAxes),
			UnitsRequest(path, UnitsMachine), StatusRequest(path))
	}
	qs = append(qs, CountRequest(path, CountPosition), NameSetsRequest(path), UnitsRequest(path, UnitsPosition),
		UnitsRequest(path, UnitsMachine), DisplayFlagsRequest(path))
	for _, k := range kinds {
		qs = append(qs, AxisRequest(path, k, AllAxes))
	}
	return append(qs, CountRequest(path, CountPosition))
}

func wantedKinds(kinds []AxisKind) []AxisKind {
	if len(kinds) == 0 {
		return PositionKinds()
	}
	kinds = slices.Clone(kinds)
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// ParsePositions puts the answers to [PositionRequests] of the same dialect and kinds together. On classic controls axes is
// the number of controlled axes of the path; a 30i says itself how many it shows. Names, units and flags that the control
// refuses are left out; a refused position is the error.
func ParsePositions(d Dialect, axes int, replies []Reply, kinds ...AxisKind) ([]AxisPosition, error) {
	kinds = wantedKinds(kinds)
	fixed := 6
	if d == Classic {
		fixed = 5
	}
	if err := wantReplies("positions", replies, fixed+len(kinds)); err != nil {
		return nil, err
	}
	if d == Classic {
		return classicPositions(axes, replies, kinds)
	}
	n, err := bracketCount(replies)
	if err != nil {
		return nil, err
	}
	units, machineUnits := goodItems(&replies[2], ParseUnitPairs), goodItems(&replies[3], ParseUnitPairs)
	flags, known := goodItems(&replies[4], ParseLongs), replies[4].Code == 0
	return positions(n, kinds, replies[5:], goodItems(&replies[1], ParseNameSets), func(axis int, k AxisKind) (Unit, bool) {
		shown := !known || axis < len(flags) && DisplayFlags(flags[axis]).Shows(k)
		if k == AxisMachine {
			return at(machineUnits, axis).Second, shown
		}
		return at(units, axis).First, shown
	})
}

func classicPositions(axes int, replies []Reply, kinds []AxisKind) ([]AxisPosition, error) {
	if err := replies[0].Err(); err != nil {
		return nil, err
	}
	status, err := ParseStatus(replies[0].Payload)
	if err != nil {
		return nil, err
	}
	after := replies[1+len(kinds):]
	units := goodItems(&after[2], ParseUnitPairs)
	var hidden []byte
	if p := after[1].Payload; after[1].Code == 0 && len(p) > 8 {
		hidden = p[8:] // slots of 4 bytes behind number, axis and type
	}
	list, err := positions(axes, kinds, replies[1:], goodItems(&after[0], ParseNameSets), func(axis int, k AxisKind) (Unit, bool) {
		i := 4*axis + 3
		shown := i >= len(hidden) || hidden[i]&1 == 0
		if k == AxisMachine {
			return at(units, axis).Second, shown
		}
		return at(units, axis).First, shown
	})
	// The distance to go means something in MDI, MEM and REMOTE mode only. (seen)
	if status.Aut != 0 && status.Aut != 1 && status.Aut != 10 {
		for i := range list {
			list[i].Distance.Value = Value{Base: 10, Exponent: -1}
		}
	}
	return list, err
}

// positions reads one reply per kind and joins it with names and what about says. Axes beyond the shortest answer are left
// out.
func positions(axes int, kinds []AxisKind, replies []Reply, names []NameSet, about func(axis int, k AxisKind) (Unit, bool)) ([]AxisPosition, error) {
	for i := range kinds {
		if err := replies[i].Err(); err != nil {
			return nil, err
		}
		axes = min(axes, len(replies[i].Payload)/ValueSize)
	}
	list := make([]AxisPosition, max(axes, 0))
	for i, k := range kinds {
		for axis := range list {
			r, set := (*Reading)(nil), at(names, axis)
			p := &list[axis]
			var name Name
			switch k {
			case AxisAbsolute:
				r, name = &p.Absolute, set.Absolute
			case AxisMachine:
				r, name = &p.Machine, set.Machine
			case AxisRelative:
				r, name = &p.Relative, set.Relative
			case AxisDistance:
				r, name = &p.Distance, set.Absolute
			default:
				return nil, fmt.Errorf("positions: kind %d is not on the position screen, 0 to 3 are", k)
			}
			unit, shown := about(axis, k)
			*r = Reading{valueAt(replies[i].Payload[axis*ValueSize:]), unit, name, shown}
		}
	}
	return list, nil
}

// bracketCount is the count that the first and the last reply give; when they differ the display changed in between, and the
// smaller one is safe.
func bracketCount(replies []Reply) (int, error) {
	n := 1 << 16
	for _, p := range []*Reply{&replies[0], &replies[len(replies)-1]} {
		if err := p.Err(); err != nil {
			return 0, err
		}
		w, err := ParseWord(p.Payload)
		if err != nil {
			return 0, err
		}
		n = min(n, int(w.Value))
	}
	return n, nil
}

func wantReplies(what string, replies []Reply, n int) error {
	if len(replies) != n {
		return fmt.Errorf("%s: %d replies, want %d", what, len(replies), n)
	}
	return nil
}

// goodItems are the items of a reply, none when it was refused or makes no sense.
func goodItems[T interface{ Append([]byte) []byte }](p *Reply, parse func([]byte) (List[T], error)) []T {
	if p.Code != 0 {
		return nil
	}
	l, err := parse(p.Payload)
	if err != nil {
		return nil
	}
	return l.Items
}

// at is item i, zero when there is none.
func at[T any](items []T, i int) (t T) {
	if i < len(items) {
		t = items[i]
	}
	return t
}

// needItems are the items of a reply that must be there.
func needItems[T interface{ Append([]byte) []byte }](p *Reply, parse func([]byte) (List[T], error)) ([]T, error) {
	if err := p.Err(); err != nil {
		return nil, err
	}
	l, err := parse(p.Payload)
	return l.Items, err
}
