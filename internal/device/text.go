package device

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Text is the value as a person reads it: with the decimals that the device shows, without the unit; an enum as the text
// of its label. No value, NaN and infinities are the empty string. Rows are lines, columns are parted by tabs.
func Text(spec *Spec, labels *LabelSet, v Value) string {
	switch v.Kind {
	case Float:
		return floatText(v.Float(), spec.Decimals)
	case Enum:
		if l, ok := labels.ByValue(v.Int()); ok {
			if l.Text != "" {
				return l.Text
			}
			return l.Key
		}
	case List:
		var b strings.Builder
		for i, row := range v.Rows() {
			if i > 0 {
				b.WriteByte('\n')
			}
			for j, cell := range row {
				if j > 0 {
					b.WriteByte('\t')
				}
				b.WriteString(Text(column(spec, j), nil, cell))
			}
		}
		return b.String()
	}
	return v.String()
}

func floatText(f float64, decimals int) string {
	abs := math.Abs(f)
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return ""
	case abs >= 1e15 || abs > 0 && abs < 1e-6 && decimals == 0:
		return strconv.FormatFloat(f, 'g', -1, 64)
	case decimals > 0:
		return strconv.FormatFloat(f, 'f', decimals, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// JSON is the value as encoding/json writes it in its natural form: bool, int64, float64, string; an enum is its label's
// key, or its number when it has no label; bytes are hex; a list is []map[string]any by column name. No value, NaN and
// infinities are nil.
func JSON(spec *Spec, labels *LabelSet, v Value) any {
	switch v.Kind {
	case Bool:
		return v.Bool()
	case Int:
		return v.Int()
	case Float:
		f := v.Float()
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return nil
		}
		return f
	case String:
		return v.Str()
	case Enum:
		if l, ok := labels.ByValue(v.Int()); ok {
			return l.Key
		}
		return v.Int()
	case Bytes:
		return hex.EncodeToString(v.Bytes())
	case List:
		rows := make([]map[string]any, len(v.Rows()))
		for i, row := range v.Rows() {
			m := make(map[string]any, len(row))
			for j, cell := range row {
				c := column(spec, j)
				m[string(c.Path)] = JSON(c, nil, cell)
			}
			rows[i] = m
		}
		return rows
	}
	return nil
}

// column is the spec of column j; a row longer than its spec says gets a numbered name, so that nothing is lost.
func column(spec *Spec, j int) *Spec {
	if j < len(spec.Columns) {
		return &spec.Columns[j]
	}
	return &Spec{Path: Path(fmt.Sprintf("column-%d", j+1))}
}
