package httpapi

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// What clients see of the fixed tree, whole. A change here is a change for every program that uses the door.
func TestGolden(t *testing.T) {
	d := newDoor(t, Config{})
	for _, tt := range []struct{ file, target, accept string }{
		{"devices.json", "/devices", ""},
		{"specs.json", "/devices/mill1/specs", ""},
		{"points.json", "/points", ""},
		{"value.json", "/devices/mill1/value?path=float/position", ""},
		{"value.txt", "/devices/mill1/value?path=float/position", "text/plain"},
		{"list.txt", "/devices/mill1/value?path=list/alarms", "text/plain"},
		{"unknown-point.json", "/devices/mill1/value?path=float/positoin", ""},
		{"bad-path.json", "/devices/mill1/value?path=Float//x", ""},
	} {
		t.Run(tt.file, func(t *testing.T) {
			r := d.do("GET", api+tt.target, "", "Accept: "+tt.accept)
			got := r.Proto + " " + r.Status + "\n" + "Content-Type: " + r.Header.Get("Content-Type") + "\n\n"
			body := strings.ReplaceAll(text(t, r), d.gw.Tree.Epoch(), "EPOCH")
			if strings.HasSuffix(tt.file, ".json") {
				var b bytes.Buffer
				if err := json.Indent(&b, []byte(body), "", " "); err != nil {
					t.Fatalf("%v in %s", err, body)
				}
				body = b.String()
			}
			got += body
			file := filepath.Join("testdata", "golden", tt.file)
			if *update {
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s (run with -update when this is meant)\n%s", tt.target, diff)
			}
		})
	}
}
