package httpapi

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/patchbay-io/patchbay/internal/device"
)

// appendPoint writes p as [Point] does, without the detour over a struct: events are many and often the same few points.
// It ends before the closing brace, so that an event can add to it.
func appendPoint(b []byte, p *device.Point) []byte {
	v := p.Sample.Value
	b = append(b, `{"device":`...)
	b = appendString(b, p.Device)
	b = append(b, `,"path":`...)
	b = appendString(b, string(p.Spec.Path))
	b = append(b, `,"value":`...)
	b = appendValue(b, p.Spec, p.Labels, v)
	b = append(b, `,"text":`...)
	b = appendText(b, p)
	if v.Kind == device.Enum {
		if l, ok := p.Labels.ByValue(v.Int()); ok && l.Text != "" {
			b = append(b, `,"label":`...)
			b = appendString(b, l.Text)
		}
	}
	b = append(b, `,"quality":`...)
	b = appendString(b, p.Sample.Quality.String())
	if p.Sample.Reason != "" {
		b = append(b, `,"reason":`...)
		b = appendString(b, p.Sample.Reason)
	}
	b = appendTime(b, `,"source":"`, p.Sample.Source)
	b = appendTime(b, `,"received":"`, p.Sample.Received)
	b = append(b, `,"seq":`...)
	return strconv.AppendUint(b, p.Seq, 10)
}

// appendText spares the usual numbers the string that device.Text makes.
func appendText(b []byte, p *device.Point) []byte {
	v := p.Sample.Value
	switch f := v.Float(); {
	case v.Kind == device.Int:
		b = append(b, '"')
		b = strconv.AppendInt(b, v.Int(), 10)
		return append(b, '"')
	case v.Kind == device.Float && p.Spec.Decimals > 0 && math.Abs(f) < 1e15:
		b = append(b, '"')
		b = strconv.AppendFloat(b, f, 'f', p.Spec.Decimals, 64)
		return append(b, '"')
	}
	return appendString(b, device.Text(p.Spec, p.Labels, v))
}

func appendTime(b []byte, key string, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	b = append(b, key...)
	b = t.UTC().AppendFormat(b, timeLayout)
	return append(b, '"')
}

// appendValue is device.JSON as text.
func appendValue(b []byte, spec *device.Spec, labels *device.LabelSet, v device.Value) []byte {
	switch v.Kind {
	case device.Bool:
		return strconv.AppendBool(b, v.Bool())
	case device.Int:
		return strconv.AppendInt(b, v.Int(), 10)
	case device.Float:
		return appendFloat(b, v.Float())
	case device.String:
		return appendString(b, v.Str())
	case device.Enum:
		if l, ok := labels.ByValue(v.Int()); ok {
			return appendString(b, l.Key)
		}
		return strconv.AppendInt(b, v.Int(), 10)
	case device.Bytes:
		b = append(b, '"')
		b = hex.AppendEncode(b, v.Bytes())
		return append(b, '"')
	case device.List:
		if j, err := json.Marshal(device.JSON(spec, labels, v)); err == nil {
			return append(b, j...)
		}
	}
	return append(b, "null"...)
}

func appendFloat(b []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(b, "null"...)
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(b, f, format, -1, 64)
}

// appendString quotes s for JSON. What is not UTF-8 becomes U+FFFD.
func appendString(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				b = append(b, s[start:i]...)
				b = append(b, `\ufffd`...)
				start = i + 1
			}
			i += n
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
		i++
		start = i
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}
