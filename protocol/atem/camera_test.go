package atem

import (
	"bytes"
	"math"
	"slices"
	"testing"
)

func TestCameraNumbers(t *testing.T) {
	for _, row := range []struct {
		kind    CameraType
		numbers []float64
		values  string
		back    []float64 // nil: the same
	}{
		{CameraTypeFixed16, []float64{1, -1, 0.5, 100, -100}, "0800 f800 0400 7fff 8000", []float64{1, -1, 0.5, 32767.0 / 2048, -16}},
		{CameraTypeBool, []float64{1, 0}, "0100", nil},
		{CameraTypeInt8, []float64{-3, 200}, "fd7f", []float64{-3, 127}},
		{CameraTypeInt16, []float64{-2, 1e9}, "fffe 7fff", []float64{-2, 32767}},
		{CameraTypeInt32, []float64{20000, -1e12}, "00004e20 80000000", []float64{20000, math.MinInt32}},
		{CameraTypeInt64, []float64{-1}, "ffffffffffffffff", nil},
		{CameraTypeFixed16, nil, "", nil},
	} {
		var v SetCameraControl
		v.SetNumbers(row.kind, row.numbers...)
		if !bytes.Equal(v.Values, unhex(t, row.values)) {
			t.Errorf("%v %v: %x", row.kind, row.numbers, v.Values)
		}
		want := row.back
		if want == nil {
			want = row.numbers
		}
		if got := CameraNumbers(row.kind, v.Values); !slices.Equal(got, want) {
			t.Errorf("%v %v: back as %v", row.kind, row.numbers, got)
		}
		f, _, _ := Next(v.Append(nil, 0))
		var again SetCameraControl
		if err := again.Parse(0, f.Body); err != nil || again.Type != row.kind || !bytes.Equal(again.Values, v.Values) {
			t.Errorf("%v %v: on the wire %+v, %v", row.kind, row.numbers, again, err)
		}
	}
	if CameraNumbers(CameraTypeString, []byte("abc")) != nil {
		t.Error("text has numbers")
	}
}
