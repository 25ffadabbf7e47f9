package httpapi

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/north/northtest"
)

func answerOf(body []byte) *http.Response {
	return &http.Response{StatusCode: 200, Body: io.NopCloser(bytes.NewReader(body))}
}

func same(t *testing.T, p *device.Point) {
	t.Helper()
	slow, err := json.Marshal(pointObject(p))
	if err != nil {
		t.Fatal(err)
	}
	fast := append(appendPoint(nil, p), '}')
	a, b := into[any](t, answerOf(slow), 200), into[any](t, answerOf(fast), 200)
	if d := cmp.Diff(a, b); d != "" {
		t.Errorf("%s: events and answers differ (-answer +event):\n%s", p.Spec.Path, d)
	}
}

// Events and answers show a point in the same way, and both in numbers to the last digit.
func TestPointIsTheSameInEventsAndAnswers(t *testing.T) {
	points, _ := northtest.Tree().Points(device.Filter{})
	for i := range points {
		same(t, &points[i])
	}
}

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "a\"\\\n\r\t\x00\x1f\x7f", "Größe \u2028 🛠", "a\xff\xc3(", "\xed\xa0\x80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var back string
		if err := json.Unmarshal(appendString(nil, s), &back); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if utf8.ValidString(s) && back != s {
			t.Fatalf("%q became %q", s, back)
		}
	})
}

func FuzzParsePosition(f *testing.F) {
	for _, s := range []string{"ab.1", "ab.1.2", ".", "a.", ".1", "a.1.", "a.-1", "a.99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if epoch, _, _, ok := parsePosition(s); ok && (epoch == "" || !strings.HasPrefix(s, epoch+".")) {
			t.Fatalf("%q gave epoch %q", s, epoch)
		}
	})
}

func BenchmarkAppendPoint(b *testing.B) {
	tree := northtest.Tree()
	for _, path := range []device.Path{"float/position", "int/override", "enum/execution", "string/unicode", "list/alarms"} {
		p, _ := tree.Point(northtest.Mill, path)
		b.Run(strings.ReplaceAll(string(path), "/", "-"), func(b *testing.B) {
			b.ReportAllocs()
			var buf []byte
			for b.Loop() {
				buf = appendPoint(buf[:0], &p)
			}
			b.SetBytes(int64(len(buf)))
		})
	}
}
