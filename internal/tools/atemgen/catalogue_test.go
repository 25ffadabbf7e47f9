package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A mistake in the catalogue is named with its file and line, or with the code that it is about.
func TestBadCatalogue(t *testing.T) {
	const start = "values Kind u8 enum\n    0  one\n\nfield ABCD Thing state seen\n"
	for _, row := range []struct{ text, want string }{
		{"field ABC Thing state seen\n", "x.txt:1: field CODE"},
		{"field ABCD Thing state seen odd\n", `x.txt:1: what is "odd"`},
		{start + "    layout 2.22 size 4\n         0 a u8 odd\n", `x.txt:6: a: "odd"`},
		{start + "         0 a u8\n", "x.txt:5: no layout before"},
		{start + "    layout 2.22 size 4\n         0 a u8 Other\n", "ABCD: a: there is no Other"},
		{start + "    layout 2.22 size 4\n         0 a u9\n", "ABCD: a: there is no type u9"},
		{start + "    layout 2.22 size 4\n         3 a u16\n", "ABCD: a ends after byte 4"},
		{start + "    layout 2.22 pad 4\n         0 a str[n]\n", "ABCD: a: no length n"},
		{start + "    layout 2.22 size 4\n         0 m u8 mask=b\n", "ABCD: mask names b"},
		{start + "    layout x size 4\n", "x.txt:5: version"},
		{start + "field ABCD Thing state seen\n", "x.txt:5: ABCD stands twice"},
		{start, "ABCD: a name and a layout go together"},
		{"field ABCD - command seen sets=WXYZ\n    raw 4\n", "ABCD: there is no WXYZ"},
		{"values Kind u8\n", "x.txt:1: values NAME"},
		{"values Kind u8 enum\n    one\n", "x.txt:2: NUMBER NAME"},
		{start + "    layout 2.22 size 4\n         0 a u8 Kind\n", ""},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "x.txt"), []byte(row.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := load(dir)
		switch {
		case row.want == "" && err != nil:
			t.Errorf("%q: %v", row.text, err)
		case row.want != "" && (err == nil || !strings.HasPrefix(err.Error(), row.want)):
			t.Errorf("%q: %v, want %s", row.text, err, row.want)
		}
	}
}
