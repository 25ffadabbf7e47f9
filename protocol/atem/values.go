package atem

import (
	"slices"
	"strconv"
	"strings"
)

// valueSet is the names of a set of values.
type valueSet struct {
	name   string
	flags  bool
	values []namedValue // by value
}

type namedValue struct {
	value int64
	name  string
}

func (s *valueSet) find(v int64) (string, bool) {
	i, ok := slices.BinarySearchFunc(s.values, v, func(n namedValue, v int64) int { return int(n.value - v) })
	if !ok {
		return "", false
	}
	return s.values[i].name, true
}

// text is the name of a value, or the number; bits of a set of flags are joined by "+".
func (s *valueSet) text(v int64) string {
	if name, ok := s.find(v); ok {
		return name
	}
	if !s.flags || v == 0 {
		return strconv.FormatInt(v, 10)
	}
	var b strings.Builder
	for _, n := range s.values {
		if single := n.value&(n.value-1) == 0; single && n.value != 0 && v&n.value != 0 {
			if b.Len() > 0 {
				b.WriteByte('+')
			}
			b.WriteString(n.name)
			v &^= n.value
		}
	}
	if v != 0 {
		if b.Len() > 0 {
			b.WriteByte('+')
		}
		b.WriteString("0x" + strconv.FormatInt(v, 16))
	}
	return b.String()
}
