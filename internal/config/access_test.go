package config

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/internal/access"
)

const (
	aHash = "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$rxadMP6oYUVZGHDgoPSh0lr0vSBk1J7up0a6hTzwII0"
	aSum  = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
)

const people = `
users:
  anna: {password: "` + aHash + `", role: operator, writable: ["mill1/macros/*", "*/tool/**"]}
  boss: {password: "` + aHash + `", role: admin}
  watch: {password: "` + aHash + `", role: operator, writable: []}
tokens:
  grafana: {sha256: ` + aSum + `, role: viewer}
`

func TestAccess(t *testing.T) {
	c, err := Load(input(people + "tls: {cert: a.pem, key: /k.pem}\nlisten: 0.0.0.0:8620\nwrite_rate: 20\naudit: {file: audit.jsonl, max_size: 10MB, keep: 3}"))
	if err != nil {
		t.Fatal(err)
	}
	want := access.Set{WriteRate: 20, Users: []access.User{
		{Name: "anna", Password: aHash, Role: access.Operator, Writable: []string{"mill1/macros/*", "*/tool/**"}},
		{Name: "boss", Password: aHash, Role: access.Admin}, {Name: "watch", Password: aHash, Role: access.Operator, Writable: []string{}},
	}, Tokens: []access.Token{{Name: "grafana", SHA256: aSum, Role: access.Viewer}}}
	if diff := cmp.Diff(want, c.Access); diff != "" {
		t.Error(diff)
	}
	if want := (TLS{Cert: "a.pem", Key: "/k.pem"}); c.TLS != want {
		t.Errorf("%+v", c.TLS)
	}
	if want := (Audit{File: "audit.jsonl", MaxSize: 10_000_000, Keep: 3}); c.Audit != want {
		t.Errorf("%+v", c.Audit)
	}
	explained := c.Explain()
	for _, want := range []string{`anna: {password: "***", role: operator, writable: [mill1/macros/*, "*/tool/**"]}`, `grafana: {sha256: "***", role: viewer}`, "  file: "} {
		if !strings.Contains(explained, want) {
			t.Errorf("Explain lacks %q:\n%s", want, explained)
		}
	}
	if strings.Contains(explained, aHash) || strings.Contains(explained, aSum) {
		t.Errorf("Explain shows a hash:\n%s", explained)
	}
	if got := c.Secrets(); len(got) != 4 {
		t.Errorf("%d secrets", len(got))
	}
	if c, err = Load(input("devices: {}")); err != nil || c.Access.WriteRate != DefaultWriteRate || c.Somebody() || c.TLS.On() || c.Insecure {
		t.Errorf("defaults: %+v %v", c, err)
	}
}

func TestAccessProblems(t *testing.T) {
	for _, tt := range []struct{ name, yaml, want string }{
		{"no role", "users: {anna: {password: '" + aHash + "'}}", `patchbay.yaml:1:9: user "anna" has no role; it is one of viewer, operator, admin`},
		{"no password", "users: {anna: {role: viewer}}", "`patchbay user add anna` makes the line"},
		{"no sum", "tokens: {bot: {role: viewer}}", "`patchbay user token bot` makes the line"},
		{"a role", "users: {anna: {password: '" + aHash + "', role: root}}", `role "root" is none of`},
		{"plain password", "users: {anna: {password: hunter22, role: viewer}}", "password: this is no argon2id hash"},
		{"greedy hash", "users: {anna: {password: '$argon2id$v=19$m=99999999,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZg', role: viewer}}", "out of bounds"},
		{"the token itself", "tokens: {bot: {sha256: pb_xyz, role: viewer}}", "64 hexadecimal digits"},
		{"name", "users: {Anna: {password: '" + aHash + "', role: viewer}}", "cannot name a user"},
		{"one name twice", "users: {bot: {password: '" + aHash + "', role: viewer}}\ntokens: {bot: {sha256: " + aSum + ", role: viewer}}", `patchbay.yaml:2:10: "bot" is a user and a token`},
		{"key", "users: {anna: {passwort: x, role: viewer}}", `Did you mean "password"?`},
		{"pattern without device", "users: {anna: {password: '" + aHash + "', role: operator, writable: [macros]}}", `"macros" is no DEVICE/PATH`},
		{"pattern", "users: {anna: {password: '" + aHash + "', role: operator, writable: ['mill1/mac*']}}", "stands for a whole segment"},
		{"tls", "tls: yes", `"yes" is neither auto nor`},
		{"tls key", "tls: {cert: a}", "tls needs both"},
		{"tls keys", "tls: {crt: a, key: b}", `unknown key "crt". Did you mean "cert"?`},
		{"insecure", "insecure: perhaps", "neither true nor false"},
		{"size", "audit: {max_size: 10 apples}", "write it like 10MB"},
		{"small size", "audit: {max_size: 1}", "write it like 10MB"},
		{"keep", "audit: {keep: 0}", "from 1 to 1000"},
		{"rate", "write_rate: -1", "write a number such as 100"},
		{"open to all", "listen: 0.0.0.0:8620", "patchbay.yaml:1:9: listen: refused to listen on 0.0.0.0:8620 with no users and no TLS"},
		{"no TLS", people + "listen: 192.0.2.1:8620", "set tls: auto"},
		{"no users", "tls: auto\nlisten: gateway.example:8620", "with no users"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(input(tt.yaml))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v", err)
			}
			if err != nil && strings.Contains(err.Error(), "hunter22") {
				t.Errorf("shows what may be a password: %v", err)
			}
		})
	}
	for _, ok := range []string{"listen: 0.0.0.0:1\ninsecure: true", people + "tls: auto\nlisten: '[::]:1'", "listen: localhost:1", people} {
		if _, err := Load(input(ok)); err != nil {
			t.Errorf("%s: %v", ok, err)
		}
	}
	in := input("devices: {}")
	in.Flags.Listen = "0.0.0.0:1"
	if _, err := Load(in); err == nil || !strings.Contains(err.Error(), "flag --listen: listen: refused") {
		t.Errorf("%v", err)
	}
}

func TestFilesThatOthersRead(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no such bits")
	}
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	load := func(path string) error {
		in := input("")
		in.File, in.Data = path, nil
		_, err := Load(in)
		return err
	}
	for mode, ok := range map[os.FileMode]bool{0o600: true, 0o400: true, 0o640: true, 0o644: false, 0o660: false, 0o602: false} {
		path := write("people.yaml", people, mode)
		if err := load(path); (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "run: chmod 600 "+path) {
			t.Errorf("file with hashes, mode %o: %v", mode, err)
		}
		if err := load(write("plain.yaml", "devices: {}", mode)); err != nil {
			t.Errorf("file without hashes, mode %o: %v", mode, err)
		}
		secret := write("hash", aHash+"\n", mode)
		if err := load(write("ref.yaml", "users: {anna: {password: '${file:hash}', role: viewer}}", 0o644)); (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "run: chmod 600 "+secret) {
			t.Errorf("file of a secret, mode %o: %v", mode, err)
		}
	}
}
