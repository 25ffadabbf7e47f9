package atem

import "math"

// fixedOne is 1 as a fixed16.
const fixedOne = 2048

// width of one value in bytes.
func (t CameraType) width() int {
	switch t {
	case CameraTypeInt16, CameraTypeFixed16:
		return 2
	case CameraTypeInt32:
		return 4
	case CameraTypeInt64:
		return 8
	}
	return 1
}

// CameraNumbers are the values of a camera's parameter; bits are 0 and 1. Text has no numbers.
func CameraNumbers(t CameraType, values []byte) []float64 {
	if t == CameraTypeString {
		return nil
	}
	var out []float64
	for w := t.width(); len(values) >= w; values = values[w:] {
		switch {
		case t == CameraTypeFixed16:
			out = append(out, float64(int16(be.Uint16(values)))/fixedOne)
		case w == 2:
			out = append(out, float64(int16(be.Uint16(values))))
		case w == 4:
			out = append(out, float64(int32(be.Uint32(values))))
		case w == 8:
			out = append(out, float64(int64(be.Uint64(values))))
		case t == CameraTypeBool:
			out = append(out, float64(values[0]&1))
		default:
			out = append(out, float64(int8(values[0])))
		}
	}
	return out
}

// SetNumbers sets type, counts and values. Numbers that do not fit are cut to what does.
func (v *SetCameraControl) SetNumbers(t CameraType, numbers ...float64) {
	v.Type, v.Values = t, nil
	v.Count8, v.Count16, v.Count32, v.Count64 = 0, 0, 0, 0
	for _, n := range numbers {
		switch t {
		case CameraTypeFixed16:
			v.Values = be.AppendUint16(v.Values, uint16(int16(clamp(math.Round(n*fixedOne), math.MinInt16, math.MaxInt16))))
		case CameraTypeInt16:
			v.Values = be.AppendUint16(v.Values, uint16(int16(clamp(n, math.MinInt16, math.MaxInt16))))
		case CameraTypeInt32:
			v.Values = be.AppendUint32(v.Values, uint32(int32(clamp(n, math.MinInt32, math.MaxInt32))))
		case CameraTypeInt64:
			v.Values = be.AppendUint64(v.Values, uint64(int64(clamp(n, -1<<53, 1<<53))))
		default:
			v.Values = append(v.Values, byte(int8(clamp(n, math.MinInt8, math.MaxInt8))))
		}
	}
	count := uint16(len(v.Values) / t.width())
	switch t.width() {
	case 1:
		v.Count8 = count
	case 2:
		v.Count16 = count
	case 4:
		v.Count32 = count
	default:
		v.Count64 = count
	}
}

func clamp(n, low, high float64) float64 { return min(max(n, low), high) }
