package device

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ValueError is why something is not a value for a point.
type ValueError struct {
	OutOfRange bool   // the type is right and the value is not allowed; else the type is wrong
	Text       string // what is wrong
	Hint       string // what would be right: a range, the keys of an enum
	DidYouMean string // the nearest key of an enum; empty: nothing is near
}

// Error is the text, the hint and the suggestion in one line.
func (e *ValueError) Error() string {
	s := e.Text
	if e.Hint != "" {
		s += ": " + e.Hint
	}
	if e.DidYouMean != "" {
		s += fmt.Sprintf(" (did you mean %q?)", e.DidYouMean)
	}
	return s
}

// Coerce turns what JSON or a person gives into a value of the point's kind. It takes bool, the integer and float types,
// json.Number, string and Value. Text is read as a person types it: "on", "12.5", "12.5 mm", a label's key, its text
// or short text when only one label has it, or its number; bytes are hex. The result is inside the range and on a step. Lists cannot be
// written. The error is a *ValueError.
func Coerce(spec *Spec, labels *LabelSet, in any) (Value, error) {
	in = plain(in)
	switch spec.Kind {
	case Bool:
		return coerceBool(in)
	case Int:
		return coerceInt(spec, in)
	case Float:
		return coerceFloat(spec, in)
	case String:
		if s, ok := in.(string); ok {
			return OfString(s), nil
		}
		return Value{}, wrongType(in, "it wants text")
	case Enum:
		return coerceEnum(labels, in)
	case Bytes:
		return coerceBytes(in)
	case List:
		return Value{}, &ValueError{Text: "a list cannot be written"}
	}
	return Value{}, &ValueError{Text: "the point has no kind, so no value fits it"}
}

// plain brings the many types of Go down to bool, int64, float64, string and []byte; others stay.
func plain(in any) any {
	switch v := in.(type) {
	case int:
		return int64(v)
	case int32:
		return int64(v)
	case uint32:
		return int64(v)
	case float32:
		return float64(v)
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		if f, err := v.Float64(); err == nil {
			return f
		}
		return v.String()
	case Value:
		switch v.Kind {
		case Bool:
			return v.Bool()
		case Int, Enum:
			return v.Int()
		case Float:
			return v.Float()
		case String:
			return v.Str()
		case Bytes:
			return v.Bytes()
		}
	}
	return in
}

func coerceBool(in any) (Value, error) {
	const want = "write true or false"
	switch v := in.(type) {
	case bool:
		return OfBool(v), nil
	case int64:
		if v == 0 || v == 1 {
			return OfBool(v == 1), nil
		}
	case float64:
		if v == 0 || v == 1 {
			return OfBool(v == 1), nil
		}
	case string:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "true", "on", "yes", "1":
			return OfBool(true), nil
		case "false", "off", "no", "0":
			return OfBool(false), nil
		}
	}
	return Value{}, wrongType(in, want)
}

func coerceInt(spec *Spec, in any) (Value, error) {
	var n int64
	switch v := in.(type) {
	case int64:
		n = v
	case float64:
		if v != math.Trunc(v) || math.Abs(v) >= 1<<63 {
			return Value{}, wrongType(in, "it wants a whole number")
		}
		n = int64(v)
	case string:
		s := number(spec, v)
		var err error
		if h, ok := strings.CutPrefix(strings.ToLower(s), "0x"); ok {
			n, err = strconv.ParseInt(h, 16, 64)
		} else {
			n, err = strconv.ParseInt(s, 10, 64)
		}
		if err != nil {
			return Value{}, wrongType(in, "it wants a whole number")
		}
	default:
		return Value{}, wrongType(in, "it wants a whole number")
	}
	if err := inRange(spec, float64(n)); err != nil {
		return Value{}, err
	}
	return OfInt(n), nil
}

func coerceFloat(spec *Spec, in any) (Value, error) {
	var f float64
	switch v := in.(type) {
	case int64:
		f = float64(v)
	case float64:
		f = v
	case string:
		var err error
		if f, err = strconv.ParseFloat(number(spec, v), 64); err != nil {
			return Value{}, wrongType(in, "it wants a number, written like 12.5")
		}
	default:
		return Value{}, wrongType(in, "it wants a number")
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return Value{}, wrongType(in, "it wants a finite number")
	}
	if err := inRange(spec, f); err != nil {
		return Value{}, err
	}
	return OfFloat(f), nil
}

// number takes off spaces and the point's own unit: people copy "120 %" from the screen.
func number(spec *Spec, s string) string {
	s = strings.TrimSpace(s)
	if spec.Unit != "" {
		s = strings.TrimSpace(strings.TrimSuffix(s, spec.Unit))
	}
	return s
}

func inRange(spec *Spec, f float64) error {
	if spec.HasRange() && (f < spec.Min || f > spec.Max) {
		return &ValueError{OutOfRange: true, Text: short(f) + " is out of range", Hint: RangeText(spec)}
	}
	if spec.Step > 0 {
		base := 0.0
		if spec.HasRange() {
			base = spec.Min
		}
		steps := (f - base) / spec.Step
		if math.Abs(steps-math.Round(steps)) > 1e-6 {
			return &ValueError{OutOfRange: true, Text: short(f) + " is not on a step", Hint: RangeText(spec)}
		}
	}
	return nil
}

// RangeText is the range and step of a point as a person writes them, "0 to 200 %, in steps of 10"; empty when there is
// neither.
func RangeText(spec *Spec) string {
	unit := ""
	if spec.Unit != "" {
		unit = " " + spec.Unit
	}
	s := ""
	if spec.HasRange() {
		s = short(spec.Min) + " to " + short(spec.Max) + unit
	}
	if spec.Step > 0 && (spec.Kind != Int || spec.Step != 1) {
		if s != "" {
			s += ", "
		}
		s += "in steps of " + short(spec.Step)
		if !spec.HasRange() {
			s += unit
		}
	}
	return s
}

func coerceEnum(labels *LabelSet, in any) (Value, error) {
	var items []Label
	if labels != nil {
		items = labels.Items
	}
	switch v := in.(type) {
	case int64:
		return enumNumber(labels, items, v, in)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<63 {
			return enumNumber(labels, items, int64(v), in)
		}
	case string:
		return enumText(labels, items, v)
	}
	return Value{}, wrongType(in, "it wants "+keysText(items))
}

func enumNumber(labels *LabelSet, items []Label, n int64, in any) (Value, error) {
	if _, ok := labels.ByValue(n); !ok && len(items) > 0 {
		return Value{}, &ValueError{OutOfRange: true, Text: show(in) + " is not one of its values", Hint: "it wants " + keysText(items)}
	}
	return OfEnum(n), nil
}

func enumText(labels *LabelSet, items []Label, s string) (Value, error) {
	s = strings.TrimSpace(s)
	for _, it := range items {
		if it.Key == s {
			return OfEnum(it.Value), nil
		}
	}
	match := func(same func(a, b string) bool) (hits []Label) {
		for _, it := range items {
			if same(it.Text, s) || same(it.Key, s) || it.Short != "" && same(it.Short, s) {
				hits = append(hits, it)
			}
		}
		return hits
	}
	hits := match(func(a, b string) bool { return a == b })
	if len(hits) == 0 {
		hits = match(strings.EqualFold)
	}
	switch {
	case len(hits) == 1 && s != "":
		return OfEnum(hits[0].Value), nil
	case len(hits) > 1:
		return Value{}, &ValueError{Text: fmt.Sprintf("%q is the name of several of its values", s), Hint: "write the key: " + keysText(hits)}
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return enumNumber(labels, items, n, n)
	}
	keys := make([]string, len(items))
	for i, it := range items {
		keys[i] = it.Key
	}
	e := &ValueError{OutOfRange: true, Text: fmt.Sprintf("%q is not one of its values", s), Hint: "it wants " + keysText(items)}
	e.DidYouMean, _ = Nearest(s, keys)
	return Value{}, e
}

// keysText lists keys for a message; a long list is cut.
func keysText(items []Label) string {
	const most = 12
	if len(items) == 0 {
		return "a number"
	}
	var b strings.Builder
	for i, it := range items {
		if i == most {
			fmt.Fprintf(&b, " … (%d in all)", len(items))
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(it.Key)
	}
	return b.String()
}

func coerceBytes(in any) (Value, error) {
	switch v := in.(type) {
	case []byte:
		return OfBytes(append([]byte(nil), v...)), nil
	case string:
		b, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(v), " ", ""))
		if err == nil {
			return OfBytes(b), nil
		}
	}
	return Value{}, wrongType(in, "it wants bytes in hex, like 0a1b")
}

func wrongType(in any, want string) *ValueError {
	return &ValueError{Text: show(in) + " does not fit", Hint: want}
}

func show(in any) string {
	switch v := in.(type) {
	case nil:
		return "null"
	case string:
		if len(v) > 60 {
			v = v[:60] + "…"
		}
		return strconv.Quote(v)
	case float64:
		return short(v)
	case bool, int64:
		return fmt.Sprint(v)
	case []any:
		return "an array"
	case map[string]any:
		return "an object"
	}
	return fmt.Sprintf("a %T", in)
}

func short(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
