package atem

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recordings are the state dumps of real switchers beside the repository, by file name: one list of packet payloads each.
func recordings(t testing.TB) map[string][][]byte {
	t.Helper()
	names, _ := filepath.Glob("../../../shared/testdata/atem/*.data")
	if len(names) == 0 {
		t.Skip("the recordings of switchers are not there")
	}
	dumps := map[string][][]byte{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var payloads [][]byte
		for line := range strings.Lines(string(b)) {
			p, err := hex.DecodeString(strings.TrimSpace(line))
			if err != nil {
				t.Fatal(err)
			}
			payloads = append(payloads, p)
		}
		dumps[filepath.Base(name)] = payloads
	}
	return dumps
}

// Every field that switchers sent has a layout, but for the codes to which the catalogue gives none, and writing what was
// read over the body that it was read from changes nothing.
func TestRecordingsDecode(t *testing.T) {
	const withoutLayout = 36 // codes of the catalogue
	n := 0
	for i := range codeRows {
		if codeRows[i].layouts == 0 {
			n++
			if New(codeRows[i].code) != nil {
				t.Errorf("%v has a type and no layout", codeRows[i].code)
			}
		} else if m := New(codeRows[i].code); m == nil || m.Code() != codeRows[i].code {
			t.Errorf("%v has a layout and no type", codeRows[i].code)
		}
	}
	if n != withoutLayout || len(codeRows) != 324 || len(layoutRows) != 345-withoutLayout {
		t.Errorf("%d codes, %d without a layout, %d layouts", len(codeRows), n, len(layoutRows))
	}
	raw, fields := map[Code]bool{}, 0
	for name, payloads := range recordings(t) {
		var ver Version
		for _, p := range payloads {
			for f, err := range Fields(p) {
				if err != nil {
					t.Fatal(name, err)
				}
				fields++
				m := New(f.Code)
				if m == nil {
					if find(f.Code) == nil {
						t.Errorf("%s: %v is not in the catalogue", name, f.Code)
					}
					raw[f.Code] = true
					continue
				}
				if err := m.Parse(ver, f.Body); err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				if v, ok := m.(*ProtocolVersion); ok {
					ver = MakeVersion(v.Major, v.Minor)
				}
				again := bytes.Clone(f.Body)
				if err := m.Put(ver, again); err != nil || !bytes.Equal(again, f.Body) {
					t.Errorf("%s: %v read %x, written %x, %v", name, f.Code, f.Body, again, err)
				}
				fresh, other := m.Append(nil, ver), New(f.Code)
				if err := other.Parse(ver, fresh[HeaderSize:]); err != nil {
					t.Errorf("%s: %v written and read again: %v", name, f.Code, err)
				} else if got := other.Append(nil, ver); !bytes.Equal(got, fresh) {
					t.Errorf("%s: %v written again: %x, not %x", name, f.Code, got, fresh)
				}
			}
		}
	}
	if fields != 6919 || len(raw) != 23 {
		t.Errorf("%d fields, %d codes without a layout", fields, len(raw))
	}
}
