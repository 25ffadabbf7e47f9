package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWriteMember(t *testing.T) {
	anna := Member{Section: "users", Name: "anna", Secret: "$h", Role: "operator"}
	bot := Member{Section: "tokens", Name: "bot", Secret: "ab", Role: "viewer", Writable: []string{"mill1/*"}}
	renew := Member{Section: "users", Name: "anna", Secret: "$new", Replace: true}
	line := `  anna: {password: "$h", role: operator}` + "\n"
	for _, tt := range []struct {
		name, before string
		m            Member
		want         string // or a part of the error, after "error: "
	}{
		{"empty", "", anna, "users:\n" + line},
		{"comment only", "# mine\n", anna, "# mine\nusers:\n" + line},
		{"no section", "devices: {}  # none\n", anna, "devices: {}  # none\nusers:\n" + line},
		{"no last newline", "devices: {}", bot, "devices: {}\ntokens:\n" + `  bot: {sha256: "ab", role: viewer, writable: [mill1/*]}` + "\n"},
		{"section", "# top\nusers: # people\n    # carl\n    carl: {password: x, role: viewer} # him\n\ndevices:\n  a: focas://h\n", anna,
			"# top\nusers: # people\n    anna: {password: \"$h\", role: operator}\n    # carl\n    carl: {password: x, role: viewer} # him\n\ndevices:\n  a: focas://h\n"},
		{"empty section", "users:\nlisten: a:1\n", anna, "users:\n" + line + "listen: a:1\n"},
		{"replace a line", "users:\n  anna: {password: old, role: admin, writable: [a/b]} # her\n  carl: {role: x}\n", renew,
			"users:\n" + `  anna: {password: "$new", role: admin, writable: [a/b]}` + "\n  carl: {role: x}\n"},
		{"replace a block", "users:\n  anna:\n    password: |\n      old\n\n    role: viewer\n    writable: []\n\n  # carl\n  carl: {role: x}\n", renew,
			"users:\n" + `  anna: {password: "$new", role: viewer, writable: []}` + "\n\n  # carl\n  carl: {role: x}\n"},
		{"windows lines", "listen: a:1\r\n", anna, "listen: a:1\r\nusers:\n" + line},
		{"taken", "users: {}\ntokens: {anna: {}}\nusers2: 1", anna, "error: cannot be changed safely"},
		{"taken name", "users:\n  anna: {}\n", anna, "error: --replace"},
		{"nobody to replace", "users:\n  carl: {}\n", renew, "error: there is no"},
		{"flow", "{devices: {}}", anna, "error: cannot be changed safely"},
		{"flow section", "users: {carl: {role: x}}\n", anna, "error: cannot be changed safely"},
		{"two documents", "a: 1\n---\nb: 2\n", anna, "error: "},
		{"a list", "- a\n", anna, "error: "},
		{"broken", "a: [", anna, "error: no valid YAML"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := WriteMember([]byte(tt.before), tt.m)
			if part, bad := strings.CutPrefix(tt.want, "error: "); bad {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("%v\n%s", err, got)
				}
				return
			}
			if diff := cmp.Diff(tt.want, string(got)); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

// Whatever the file is: a member is added, or nothing is done.
func FuzzWriteMember(f *testing.F) {
	for _, s := range []string{"", "a: 1\n", "users:\n  anna: {role: x}\n", "users: &a\n - b", "users:\n\tx: 1", "? a\n: b\n", "users: |\n  anna: 1\n"} {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, text string, replace bool) {
		m := Member{Section: "users", Name: "anna", Secret: "$h", Role: "viewer", Replace: replace}
		out, err := WriteMember([]byte(text), m)
		if err != nil {
			return
		}
		if !strings.Contains(string(out), m.Line()) {
			t.Errorf("%q became %q", text, out)
		}
	})
}
