package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/patchbay-io/patchbay/internal/access"
	"github.com/patchbay-io/patchbay/internal/config"
	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver/all"
	"github.com/patchbay-io/patchbay/internal/lab/simulate"
	"github.com/patchbay-io/patchbay/internal/obs"
	"github.com/patchbay-io/patchbay/internal/testnet"
)

// aHash is of the password "words and more".
const aHash = "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$rxadMP6oYUVZGHDgoPSh0lr0vSBk1J7up0a6hTzwII0"

// guardedHost is a whole gateway with users, asked without a network.
type guardedHost struct {
	t    *testing.T
	h    *host
	stop func() // ends it and waits
	file string
	log  lockedBuffer
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func startGuarded(t *testing.T, text string, env map[string]string) *guardedHost {
	t.Helper()
	g := &guardedHost{t: t, file: filepath.Join(t.TempDir(), "shop.yaml")}
	if err := os.WriteFile(g.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	getenv := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	secrets := &obs.Secrets{}
	load := func() (*config.Config, error) {
		c, err := config.Load(config.Input{File: g.file, Getenv: getenv, Drivers: all.Drivers(), Twins: simulate.Settings()})
		if err == nil {
			secrets.Add(c.Secrets()...)
		}
		return c, err
	}
	c, err := load()
	if err != nil {
		t.Fatal(err)
	}
	log, err := obs.NewLogger(&g.log, obs.LogOptions{Level: "debug", Format: "json", Secrets: secrets})
	if err != nil {
		t.Fatal(err)
	}
	g.h, err = newHost(c, hostOptions{listener: memoryListener{testnet.Listen()}, log: log, load: load, env: getenv})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.h.door.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- g.h.run(ctx, nil) }()
	g.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(g.stop)
	return g
}

// do sends one request and returns the status and the whole answer, headers included.
func (g *guardedHost) do(method, target, body string, headers ...string) (int, string) {
	g.t.Helper()
	r := httptest.NewRequest(method, "http://localhost"+target, strings.NewReader(body))
	if strings.HasPrefix(body, "{") {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	if strings.Contains(target, "/events") {
		ctx, cancel := context.WithCancel(r.Context())
		cancel() // the first event is enough
		r = r.WithContext(ctx)
	}
	w := httptest.NewRecorder()
	g.h.door.Handler().ServeHTTP(w, r)
	var all bytes.Buffer
	_ = w.Result().Header.Write(&all)
	_, _ = io.Copy(&all, w.Result().Body)
	return w.Code, all.String()
}

func (g *guardedHost) login(user string) (cookie string) {
	g.t.Helper()
	r := httptest.NewRequest("POST", "http://localhost/api/v1/login", strings.NewReader(`{"user": "`+user+`", "password": "words and more"}`))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	g.h.door.Handler().ServeHTTP(w, r)
	if w.Code != 200 {
		g.t.Fatalf("login of %s: %d %s", user, w.Code, w.Body)
	}
	cookie, _, _ = strings.Cut(w.Result().Header.Get("Set-Cookie"), ";")
	return cookie
}

// up waits until the device is there.
func (g *guardedHost) up(dev string) {
	g.t.Helper()
	sub := g.h.gateway.Tree().Subscribe(device.Filter{Devices: []string{dev}, Under: []device.Path{"_link/state"}}, 0)
	defer sub.Close()
	for {
		b, err := sub.Next(g.t.Context())
		if err != nil {
			g.t.Fatal(err)
		}
		for _, u := range b.Updates {
			if u.Labels != nil && u.Labels.Items[1].Value == u.Sample.Value.Int() {
				return
			}
		}
	}
}

const guarded = `
users:
  vera: {password: "` + aHash + `", role: viewer}
  otto: {password: "` + aHash + `", role: operator, writable: [mill1/macros/500]}
  alma: {password: "` + aHash + `", role: admin}
devices:
  mill1:
    url: "sim+focas:"
    timeout: 1m
    macros: [500, 501]
    writable: [macros/500, macros/501]
`

// Every route of the OpenAPI document is asked without credentials and as each role; what is not in the table fails, so a
// new route cannot be forgotten.
func TestEveryRouteAsEachRole(t *testing.T) {
	g := startGuarded(t, guarded, nil)
	g.up("mill1")
	write := `{"writes": [{"device": "mill1", "path": "macros/500", "value": 1}], "dry_run": true}`
	// status for nobody, viewer, operator, admin
	table := map[string]struct {
		target, body string
		want         [4]int
	}{
		"devices": {"/api/v1/devices", "", [4]int{401, 200, 200, 200}}, "device": {"/api/v1/devices/mill1", "", [4]int{401, 200, 200, 200}},
		"specs":         {"/api/v1/devices/mill1/specs", "", [4]int{401, 200, 200, 200}},
		"device-points": {"/api/v1/devices/mill1/points", "", [4]int{401, 200, 200, 200}},
		"points":        {"/api/v1/points", "", [4]int{401, 200, 200, 200}},
		"value":         {"/api/v1/devices/mill1/value?path=macros/500", "", [4]int{401, 200, 200, 200}},
		"set-value":     {"/api/v1/devices/mill1/value?path=macros/500", `{"value": 1}`, [4]int{401, 403, 200, 200}},
		"write":         {"/api/v1/writes", write, [4]int{401, 403, 200, 200}},
		"command":       {"/api/v1/devices/mill1/commands", `{"path": "none"}`, [4]int{401, 404, 404, 404}}, // the simulator has no command
		"writes":        {"/api/v1/writes", "", [4]int{401, 200, 200, 200}}, "write-by-id": {"/api/v1/writes/none", "", [4]int{401, 404, 404, 404}},
		"events": {"/api/v1/events", "", [4]int{401, 200, 200, 200}}, "me": {"/api/v1/me", "", [4]int{401, 200, 200, 200}},
		"audit": {"/api/v1/audit", "", [4]int{401, 403, 403, 200}}, "reload": {"/api/v1/reload?dry_run=true", "", [4]int{401, 403, 403, 200}},
		"stream":  {"/api/v1/devices/mill1/stream?path=ports/1&mode=own", "", [4]int{401, 404, 404, 404}}, // a control has no port
		"probe":   {"/api/v1/probe", `{"address": ""}`, [4]int{401, 403, 403, 422}},
		"healthz": {"/healthz", "", [4]int{200, 200, 200, 200}}, "readyz": {"/readyz", "", [4]int{401, 200, 200, 200}},
		"login":  {"/api/v1/login", `{"user": "vera", "password": "wrong"}`, [4]int{401, 401, 401, 401}},
		"logout": {"/api/v1/logout", "", [4]int{401, 204, 204, 204}},
	}
	others := []struct {
		method, target string
		want           [4]int
	}{
		{"GET", "/", [4]int{200, 200, 200, 200}}, {"GET", "/d/mill1", [4]int{200, 200, 200, 200}}, {"GET", "/metrics", [4]int{401, 200, 200, 200}},
		{"GET", "/api/v1/openapi.json", [4]int{401, 200, 200, 200}}, {"GET", "/api/v1/nothing", [4]int{401, 404, 404, 404}},
		{"DELETE", "/api/v1/devices", [4]int{401, 405, 405, 405}}, {"PUT", "/metrics", [4]int{405, 405, 405, 405}},
	}
	as := func(i int) []string {
		if i == 0 {
			return nil
		}
		return []string{"Cookie: " + g.login([]string{"", "vera", "otto", "alma"}[i])}
	}
	_, doc := g.do("GET", "/api/v1/openapi.json", "", as(3)...)
	var spec struct {
		Paths map[string]map[string]struct{ OperationID string }
	}
	if err := json.Unmarshal([]byte(doc[strings.Index(doc, "\n{")+1:]), &spec); err != nil {
		t.Fatal(err)
	}
	asked := map[string]bool{}
	for path, item := range spec.Paths {
		for method, op := range item {
			row, ok := table[op.OperationID]
			if !ok {
				t.Errorf("%s %s (%s) is not in the table of who may ask it", method, path, op.OperationID)
				continue
			}
			asked[op.OperationID] = true
			for i, want := range row.want {
				if got, body := g.do(strings.ToUpper(method), row.target, row.body, as(i)...); got != want {
					t.Errorf("%s as %s: %d, want %d: %.300s", op.OperationID, roleName(i), got, want, body)
				}
			}
		}
	}
	for id := range table {
		if !asked[id] {
			t.Errorf("there is no operation %s", id)
		}
	}
	for _, o := range others {
		for i, want := range o.want {
			if got, body := g.do(o.method, o.target, "", as(i)...); got != want {
				t.Errorf("%s %s as %s: %d, want %d: %.200s", o.method, o.target, roleName(i), got, want, body)
			}
		}
	}
	if code, body := g.do("PUT", "/api/v1/devices/mill1/value?path=macros/501", `{"value": 1}`, as(2)...); code != 403 || !strings.Contains(body, `users: {otto: {writable: [\"mill1/macros/501\"]}}`) {
		t.Errorf("what the device allows and the user's own patterns do not: %d %s", code, body)
	}
}

func roleName(i int) string { return append([]string{"nobody"}, access.RoleNames()...)[i] }

// A reload keeps the sessions of users who are still there, ends those who are not, and is refused when it is wrong.
func TestReloadKeepsSessions(t *testing.T) {
	g := startGuarded(t, guarded, nil)
	vera, otto, alma := "Cookie: "+g.login("vera"), "Cookie: "+g.login("otto"), "Cookie: "+g.login("alma")
	change := func(text string, want int) {
		t.Helper()
		if err := os.WriteFile(g.file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, body := g.do("POST", "/api/v1/reload", "", alma); code != want {
			t.Fatalf("reload: %d %s", code, body)
		}
	}
	change(strings.Replace(strings.Replace(guarded, "role: viewer", "role: admin", 1), "  otto:", "  karl:", 1), 200)
	if code, _ := g.do("GET", "/api/v1/audit", "", vera); code != 200 {
		t.Errorf("the new role of a session is not in force: %d", code)
	}
	if code, _ := g.do("GET", "/api/v1/me", "", otto); code != 401 {
		t.Errorf("the session of a user who is gone: %d", code)
	}
	change("users: {vera: {password: hunter22, role: viewer}}\n", 422)
	if code, body := g.do("GET", "/api/v1/me", "", vera); code != 200 || strings.Contains(g.log.String()+body, "hunter22") {
		t.Errorf("after a wrong configuration: %d", code)
	}
	_, body := g.do("GET", "/api/v1/audit", "", alma)
	if n := strings.Count(body, `"what":"reload","user":"alma"`); n != 2 {
		t.Errorf("%d reloads in the audit: %s", n, body)
	}
}

// Secrets of every kind are planted; no answer, no line of the log and no line of the audit holds one.
func TestSecretsAppearNowhere(t *testing.T) {
	dir := t.TempDir()
	audit, fileSecret := filepath.Join(dir, "audit.jsonl"), filepath.Join(dir, "hash")
	otherHash := strings.Replace(aHash, "MDEy", "MDEz", 1)
	if err := os.WriteFile(fileSecret, []byte(otherHash+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	bot, botSum, err := access.NewToken(bytes.NewReader(bytes.Repeat([]byte{7}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	_, envSum, err := access.NewToken(bytes.NewReader(bytes.Repeat([]byte{8}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	g := startGuarded(t, guarded+`
  lathe1: "focas://anna:userinfo-secret@127.0.0.1:1"
tokens:
  bot: {sha256: `+botSum+`, role: admin}
  other: {sha256: "${env:OTHER_SUM}", role: viewer}
audit: {file: `+audit+`, max_size: 10MB}
`, map[string]string{"OTHER_SUM": envSum})
	g.up("mill1")
	secrets := []string{aHash, otherHash, bot, botSum, envSum, "userinfo-secret", "words and more", "typed-by-mistake", "pb_wrong-token"}
	cookie := g.login("alma")
	secrets = append(secrets, strings.TrimPrefix(cookie, "patchbay="))
	var answers []string
	ask := func(method, target, body string, headers ...string) {
		code, text := g.do(method, target, body, headers...)
		answers = append(answers, fmt.Sprintf("%s %s: %d\n%s", method, target, code, text))
	}
	for _, h := range []string{"Cookie: " + cookie, "Authorization: Bearer " + bot, "Authorization: Bearer pb_wrong-token", "Cookie: patchbay=pb_wrong-token"} {
		for _, target := range []string{"/api/v1/devices", "/api/v1/devices/mill1", "/api/v1/devices/lathe1", "/api/v1/devices/mill1/specs", "/api/v1/devices/lathe1/points", "/api/v1/points",
			"/api/v1/writes", "/api/v1/me", "/api/v1/audit", "/api/v1/openapi.json", "/api/v1/events?writes=true", "/metrics", "/healthz", "/readyz", "/", "/nothing", "/api/v1/nothing"} {
			ask("GET", target, "", h)
		}
		ask("PUT", "/api/v1/devices/mill1/value?path=macros/500", `{"value": 1}`, h)
		ask("PUT", "/api/v1/devices/lathe1/value?path=macros/500", `{"value": 1}`, h)
		ask("POST", "/api/v1/writes", `{"writes": [{"device": "mill1", "path": "macros/501", "value": "x"}]}`, h)
		ask("POST", "/api/v1/reload?dry_run=true", "", h)
	}
	ask("POST", "/api/v1/login", `{"user": "typed-by-mistake", "password": "typed-by-mistake"}`)
	ask("POST", "/api/v1/login", `{"user": "vera", "password": "typed-by-mistake"}`)
	ask("POST", "/api/v1/login", `{"user": "vera", "password": 5}`)
	// Reload into a configuration that refers to a file, then into a wrong one with a password in it.
	for _, text := range []string{
		strings.Replace(guarded, `"`+aHash+`"`, "'${file:"+fileSecret+"}'", 1), strings.Replace(guarded, aHash, "typed-by-mistake", 1),
	} {
		if err := os.WriteFile(g.file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		ask("POST", "/api/v1/reload", "", "Cookie: "+cookie)
	}
	ask("GET", "/api/v1/audit", "", "Cookie: "+cookie)
	ask("POST", "/api/v1/logout", "", "Cookie: "+cookie)
	if !slices.ContainsFunc(answers, func(a string) bool { return strings.Contains(a, `"what":"login"`) }) {
		t.Error("the audit was not read")
	}
	for _, s := range secrets {
		for _, a := range answers {
			if strings.Contains(a, s) && !strings.HasPrefix(a, "POST /api/v1/login: 200") {
				t.Errorf("%.20q… is in an answer:\n%.600s", s, a)
			}
		}
		if strings.Contains(g.log.String(), s) {
			t.Errorf("%.20q… is in the log", s)
		}
	}
	if !strings.Contains(g.log.String(), "unknown token") {
		t.Error("nothing is logged about the wrong token")
	}
	g.stop() // the audit file is complete then
	text, err := os.ReadFile(audit)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), `"what":"login","user":"alma"`) {
		t.Errorf("the audit file lacks the login: %s", text)
	}
	for _, s := range secrets {
		if strings.Contains(string(text), s) {
			t.Errorf("%.20q… is in the audit file", s)
		}
	}
}

func TestHostWithWrongCertificates(t *testing.T) {
	c, err := config.Load(config.Input{Data: []byte("tls: {cert: no.pem, key: no.key}"), Drivers: all.Drivers()})
	if err != nil {
		t.Fatal(err)
	}
	log, err := obs.NewLogger(io.Discard, obs.LogOptions{Level: "info", Format: "text"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newHost(c, hostOptions{log: log}); ExitCode(err) != exitConfig || !strings.Contains(err.Error(), "no.pem") {
		t.Errorf("%v", err)
	}
	c.TLS = config.TLS{Auto: true}
	if _, err := newHost(c, hostOptions{log: log}); err == nil || !strings.Contains(err.Error(), "PATCHBAY_STATE_DIR") {
		t.Errorf("nowhere to keep a certificate: %v", err)
	}
	var notice bytes.Buffer
	dir := t.TempDir()
	env := func(name string) (string, bool) { return dir, name == "STATE_DIRECTORY" }
	for i, shown := range []bool{true, false} {
		notice.Reset()
		h, err := newHost(c, hostOptions{log: log, env: env, notice: &notice})
		if err != nil {
			t.Fatal(err)
		}
		if (notice.Len() > 0) != shown || h.scheme() != "https" {
			t.Errorf("start %d: %q", i+1, notice.String())
		}
		if err := h.security.audit.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestReachable(t *testing.T) {
	for addr, want := range map[string]string{"127.0.0.1:1": "127.0.0.1:1", "[::1]:1": "[::1]:1", "192.0.2.1:1": "192.0.2.1:1", "memory": "memory"} {
		if got := reachable(addr); got != want {
			t.Errorf("%s: %s", addr, got)
		}
	}
	for _, all := range []string{"0.0.0.0:8620", "[::]:8620"} {
		if got := reachable(all); strings.HasPrefix(got, "[::]") || strings.HasPrefix(got, "0.") || !strings.HasSuffix(got, ":8620") {
			t.Errorf("%s: %s", all, got)
		}
	}
}
