package plural

import (
	"math"
	"testing"
)

func TestOf(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Of(0, "frame"), "0 frames"}, {Of(1, "frame"), "1 frame"}, {Of(2, "frame"), "2 frames"}, {Of(-1, "point"), "-1 points"},
		{Of(int64(1), "byte"), "1 byte"}, {Of(uint64(math.MaxUint64), "byte"), "18446744073709551615 bytes"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
