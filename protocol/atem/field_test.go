package atem

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.NewReplacer(" ", "", "|", "", "\n", "").Replace(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Fields as switchers sent them, with leftovers in their padding.
func TestFields(t *testing.T) {
	for _, row := range []struct {
		name, payload string
		codes         []string
		err           error
	}{
		{"nothing", "", nil, nil},
		{"version", "00 0c 05 ae 5f 76 65 72 | 00 02 00 1e", []string{"_ver"}, nil},
		{"no body", "00 08 00 00 54 69 52 71", []string{"TiRq"}, nil},
		{"two", "00 0c 01 01 50 72 67 49 00 0c 00 01 | 00 10 65 43 50 72 76 49 00 0c 00 01 00 6d 70 6c", []string{"PrgI", "PrvI"}, nil},
		{"odd length", "00 09 00 00 41 42 43 44 ff", []string{"ABCD"}, nil},
		{"unprintable code", "00 08 00 00 41 00 43 ff", []string{`A\x00C\xff`}, nil},
		{"length 0", "00 00 00 00 41 42 43 44", nil, ErrTooShort},
		{"length 7", "00 07 00 00 41 42 43 44", nil, ErrTooShort},
		{"past the end", "00 08 00 00 54 69 52 71 00 0d 00 00 41 42 43 44 01 02 03 04", []string{"TiRq"}, ErrShort},
		{"half a header", "00 08 00 00 41 42 43", nil, ErrShort},
	} {
		t.Run(row.name, func(t *testing.T) {
			payload := unhex(t, row.payload)
			var codes []string
			var again []byte
			var failed error
			for f, err := range Fields(payload) {
				if err != nil {
					failed = err
					break
				}
				codes = append(codes, f.Code.String())
				if again, err = f.Append(again); err != nil {
					t.Fatal(err)
				}
			}
			if !errors.Is(failed, row.err) || (failed == nil) != (row.err == nil) {
				t.Errorf("error %v, want %v", failed, row.err)
			}
			if !slices.Equal(codes, row.codes) {
				t.Errorf("%q, want %q", codes, row.codes)
			}
			if row.err == nil && !bytes.Equal(again, payload) {
				t.Errorf("written again: %x", again)
			}
		})
	}
}

func TestFieldTooLong(t *testing.T) {
	f := Field{Code: 0x41424344, Body: make([]byte, MaxField-HeaderSize)}
	if _, err := f.Append(nil); err != nil {
		t.Error(err)
	}
	f.Body = append(f.Body, 0)
	if b, err := f.Append([]byte{1}); !errors.Is(err, ErrTooLong) || len(b) != 1 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

func TestParseCode(t *testing.T) {
	for _, row := range []struct {
		text string
		code Code
		ok   bool
	}{{"_ver", 0x5f766572, true}, {"", 0, false}, {"abc", 0, false}, {"abcde", 0, false}, {"\xff\x00A\xfe", 0xff0041fe, true}} {
		if c, ok := ParseCode(row.text); c != row.code || ok != row.ok {
			t.Errorf("%q: %#x, %t", row.text, uint32(c), ok)
		}
	}
}

func FuzzFields(f *testing.F) {
	f.Add([]byte("\x00\x0c\x05\xae_ver\x00\x02\x00\x1e"))
	f.Add([]byte("\x00\x00\x00\x00ABCD"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var again []byte
		for fd, err := range Fields(b) {
			if err != nil {
				break
			}
			again, _ = fd.Append(again)
		}
		if !bytes.HasPrefix(b, again) {
			t.Errorf("%x is no start of %x", again, b)
		}
	})
}
