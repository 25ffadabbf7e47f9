package device

import "testing"

func TestNearestPath(t *testing.T) {
	points := []string{"path/1/execution", "path/1/axes/x/absolute", "path/1/axes/y/absolute", "pmc/r10.3", "pmc/d100-word", "macros/500", "macros/5000", "clock"}
	for _, tt := range []struct{ word, want string }{
		{"path/1/executio", "path/1/execution"},
		{"path/1/exceution", "path/1/execution"},
		{"PATH/1/EXECUTION", "path/1/execution"},
		{"pmc/d100", "pmc/d100-word"}, // and not pmc/r10.3, which is fewer edits away
		{"pmc/r10.4", "pmc/r10.3"},
		{"execution", "path/1/execution"},
		{"x/absolute", "path/1/axes/x/absolute"},
		{"absolute", ""}, // two end so
		{"macros/50", "macros/500"},
		{"cl", ""},
		{"nothing-like-it", ""},
		{"", ""},
	} {
		got, ok := Nearest(tt.word, points)
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("Nearest(%q) = %q, %v, want %q", tt.word, got, ok, tt.want)
		}
	}
}

func FuzzNearest(f *testing.F) {
	f.Add("execution", "path/1/execution", "pmc/d100")
	f.Fuzz(func(t *testing.T, word, a, b string) {
		if got, ok := Nearest(word, []string{a, b}); ok && got != a && got != b {
			t.Errorf("Nearest(%q) = %q, which is neither %q nor %q", word, got, a, b)
		}
	})
}
