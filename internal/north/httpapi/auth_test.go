package httpapi

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/internal/access"
	"github.com/patchbay-io/patchbay/internal/north/northtest"
	"github.com/patchbay-io/patchbay/internal/testnet"
)

// hashOfWordsAndMore is of the password "words and more".
const hashOfWordsAndMore = "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$rxadMP6oYUVZGHDgoPSh0lr0vSBk1J7up0a6hTzwII0"

// people are three users with one password, and a token of each role.
func people(t *testing.T) (a *access.Access, tokens map[string]string, set access.Set) {
	t.Helper()
	a, err := access.New(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tokens = map[string]string{}
	for _, r := range []access.Role{access.Viewer, access.Operator, access.Admin} {
		token, sum, err := access.NewToken(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		tokens[r.String()] = token
		set.Tokens = append(set.Tokens, access.Token{Name: "bot-" + r.String(), SHA256: sum, Role: r})
		set.Users = append(set.Users, access.User{Name: "the-" + r.String(), Password: hashOfWordsAndMore, Role: r})
	}
	set.Users[1].Writable = []string{northtest.Mill + "/int/*"}
	if err := a.Set(set); err != nil {
		t.Fatal(err)
	}
	return a, tokens, set
}

func login(t *testing.T, d *door, user, password string) (cookie string, r *http.Response) {
	t.Helper()
	r = d.do("POST", api+"/login", `{"user": "`+user+`", "password": "`+password+`"}`)
	cookie, _, _ = strings.Cut(r.Header.Get("Set-Cookie"), ";")
	return cookie, r
}

func TestOpenAccess(t *testing.T) {
	d := newDoor(t, Config{})
	want := Me{Access: "open", Role: "admin", Via: "open"}
	if diff := cmp.Diff(want, into[Me](t, d.do("GET", api+"/me", "", "Authorization: Bearer old", "Cookie: patchbay=old"), 200)); diff != "" {
		t.Error(diff)
	}
	if _, r := login(t, d, "anna", "words and more"); r.StatusCode != 409 {
		t.Errorf("login without users: %d", r.StatusCode)
	}
	if r := d.do("POST", api+"/logout", ""); r.StatusCode != 204 {
		t.Errorf("logout without users: %d", r.StatusCode)
	}
}

func TestLoginSessionLogout(t *testing.T) {
	a, _, _ := people(t)
	d := newDoor(t, Config{Access: a})
	for _, wrong := range [][2]string{{"the-operator", "words and less"}, {"nobody", "words and more"}, {"", ""}} {
		cookie, r := login(t, d, wrong[0], wrong[1])
		if p := into[Problem](t, r, 401); p.Code != "bad-login" || cookie != "" {
			t.Errorf("%v: %+v %q", wrong, p, cookie)
		}
	}
	cookie, r := login(t, d, "the-operator", "words and more")
	header := r.Header.Get("Set-Cookie")
	for _, part := range []string{"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="} {
		if !strings.Contains(header, part) {
			t.Errorf("the cookie has no %s: %s", part, header)
		}
	}
	if strings.Contains(header, "Secure") {
		t.Errorf("a browser would not send this cookie over plain HTTP: %s", header)
	}
	me := into[Me](t, r, 200)
	if me.User != "the-operator" || me.Role != "operator" || me.Via != "session" || me.Access != "login" || me.Expires == "" ||
		!cmp.Equal(me.Writable, []string{northtest.Mill + "/int/*"}) {
		t.Errorf("%+v", me)
	}
	if got := into[Me](t, d.do("GET", api+"/me", "", "Cookie: "+cookie), 200); !cmp.Equal(got, me) {
		t.Errorf("later: %+v", got)
	}
	specs := into[SpecList](t, d.do("GET", api+"/devices/mill1/specs", "", "Cookie: "+cookie), 200)
	seen := 0
	for _, s := range specs.Specs {
		switch s.Path {
		case "int/override":
			seen++
			if !s.Writable {
				t.Errorf("what device and user allow is not shown as writable: %+v", s)
			}
		case "bool/yes":
			seen++
			if s.Writable || s.WritableKey != "users.the-operator.writable" {
				t.Errorf("what the user may not write: %v %q", s.Writable, s.WritableKey)
			}
		}
	}
	if seen != 2 {
		t.Errorf("%d of two points seen", seen)
	}
	body := `{"writes": [{"device": "mill1", "path": "bool/yes", "toggle": true}]}`
	if w := into[Write](t, d.do("POST", api+"/writes", body, "Cookie: "+cookie), 200); w.Who.User != "the-operator" || w.Who.Door != "http" || w.Who.Addr == "" {
		t.Errorf("who wrote: %+v", w.Who)
	}
	if r := d.do("POST", api+"/logout", "", "Cookie: "+cookie); r.StatusCode != 204 || !strings.Contains(r.Header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("logout: %d %s", r.StatusCode, r.Header.Get("Set-Cookie"))
	}
	if p := into[Problem](t, d.do("GET", api+"/me", "", "Cookie: "+cookie), 401); p.Code != "login-required" {
		t.Errorf("after logout: %+v", p)
	}
	cookie, _ = login(t, d, "the-admin", "words and more")
	list := into[AuditList](t, d.do("GET", api+"/audit", "", "Cookie: "+cookie), 200)
	var got []string
	for _, e := range list.Entries {
		got = append(got, e.What+" "+e.User+" "+e.Outcome)
	}
	want := []string{"login the-operator refused", "login  refused", "login  refused", "login the-operator ok", "logout the-operator ok", "login the-admin ok"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTokens(t *testing.T) {
	a, tokens, _ := people(t)
	d := newDoor(t, Config{Access: a})
	for role, token := range tokens {
		if me := into[Me](t, d.do("GET", api+"/me", "", "Authorization: bearer "+token), 200); me.Role != role || me.Via != "token" || me.User != "bot-"+role {
			t.Errorf("%s: %+v", role, me)
		}
	}
	for _, h := range []string{"Bearer", "Bearer ", "Bearer x", "Basic YTpi", "Bearer " + tokens["admin"] + "x", "Bearer " + strings.Repeat("x", 5000)} {
		r := d.do("GET", api+"/me", "", "Authorization: "+h)
		if p := into[Problem](t, r, 401); p.Code != "bad-token" || !strings.HasPrefix(r.Header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%.20s: %+v", h, p)
		}
	}
	if r := d.do("GET", api+"/audit", "", "Authorization: Bearer "+tokens["operator"]); r.StatusCode != 403 {
		t.Errorf("an operator reads the audit: %d", r.StatusCode)
	}
}

// What is mounted needs a login too, and what changes something and is not known to leave the decision to the gateway
// needs an admin.
func TestMountedNeedsLogin(t *testing.T) {
	a, tokens, _ := people(t)
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) })
	d := newDoor(t, Config{Access: a, Mount: map[string]http.Handler{"GET /metrics": ok, "POST /api/v1/restart": ok}})
	for _, tt := range []struct {
		method, target, role string
		want                 int
	}{
		{"GET", "/metrics", "", 401}, {"GET", "/metrics", "viewer", 200}, {"HEAD", "/metrics", "", 401},
		{"POST", "/api/v1/restart", "", 401}, {"POST", "/api/v1/restart", "viewer", 403}, {"POST", "/api/v1/restart", "operator", 403},
		{"POST", "/api/v1/restart", "admin", 200}, {"GET", "/api/v1/nothing", "", 401}, {"GET", "/api/v1/nothing", "viewer", 404},
		{"GET", "/api//v1/devices", "", 401}, {"GET", "/", "", 200}, {"GET", "/d/mill1", "", 200}, {"GET", "/healthz", "", 200},
	} {
		var h []string
		if tt.role != "" {
			h = []string{"Authorization: Bearer " + tokens[tt.role]}
		}
		r := d.do(tt.method, tt.target, "", h...)
		if r.StatusCode != tt.want && !(r.StatusCode/100 == 3 && text(t, r) != "" && !strings.Contains(tt.target, "restart")) {
			t.Errorf("%s %s as %q: %d, want %d", tt.method, tt.target, tt.role, r.StatusCode, tt.want)
		}
	}
}

func TestLoginIsSlowedDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _, _ := people(t)
		d := newDoor(t, Config{Access: a})
		for range 5 {
			_, r := login(t, d, "the-admin", "guess")
			into[Problem](t, r, 401)
		}
		_, r := login(t, d, "the-admin", "words and more")
		if p := into[Problem](t, r, 429); p.Code != "too-many-logins" || r.Header.Get("Retry-After") != "1" {
			t.Errorf("%+v, Retry-After %q", p, r.Header.Get("Retry-After"))
		}
		time.Sleep(time.Second)
		if _, r := login(t, d, "the-admin", "words and more"); r.StatusCode != 200 {
			t.Errorf("after the wait: %d", r.StatusCode)
		}
	})
}

// A stream of events ends with the session or token that opened it.
func TestStreamsEndWithTheirSession(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(t *testing.T, d *door, set access.Set, cookie string)
	}{
		{"logout", func(_ *testing.T, d *door, _ access.Set, cookie string) {
			d.do("POST", api+"/logout", "", "Cookie: "+cookie)
		}},
		{"user removed", func(t *testing.T, d *door, set access.Set, _ string) {
			set.Users = set.Users[1:]
			if err := d.s.access.Set(set); err != nil {
				t.Error(err)
			}
		}},
		{"expired", func(*testing.T, *door, access.Set, string) { time.Sleep(access.AbsoluteLimit) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, _, set := people(t)
				d := newDoor(t, Config{Access: a})
				cookie, _ := login(t, d, "the-viewer", "words and more")
				r := httptest.NewRequest("GET", "http://localhost:8620"+api+"/events", nil)
				r.Header.Set("Cookie", cookie)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				ended := make(chan struct{})
				go func() {
					d.s.Handler().ServeHTTP(httptest.NewRecorder(), r.WithContext(ctx))
					close(ended)
				}()
				// Much longer than an idle session lives: the open stream keeps it.
				time.Sleep(3 * access.IdleLimit)
				synctest.Wait()
				select {
				case <-ended:
					t.Fatal("the stream ended before its session")
				default:
				}
				if r := d.do("GET", api+"/me", "", "Cookie: "+cookie); r.StatusCode != 200 {
					t.Errorf("the session ended while its stream was open: %d", r.StatusCode)
				}
				tt.end(t, d, set, cookie)
				synctest.Wait()
				select {
				case <-ended:
				default:
					t.Error("the stream outlives its session")
					cancel()
					<-ended
				}
			})
		})
	}
}

func TestInsecureKeepsSayingSo(t *testing.T) {
	gw := northtest.New()
	a, tokens, _ := people(t)
	for _, tt := range []struct {
		name string
		cfg  Config
		why  string
	}{
		{"open", Config{Insecure: true}, "no users and no TLS"},
		{"users", Config{Insecure: true, Access: a}, "no TLS"},
	} {
		tt.cfg.Listener = new(testnet.Network).MustListen("192.0.2.1:80")
		s, err := New(tt.cfg, gw.Tree, gw, gw, nil)
		if err != nil {
			t.Fatal(err)
		}
		d := &door{t, gw, s}
		// An address is accepted as the name of the host then; a strange name is not.
		h := []string{"Host: 192.0.2.1", "Authorization: Bearer " + tokens["viewer"]}
		if me := into[Me](t, d.do("GET", api+"/me", "", h...), 200); !me.Insecure || me.InsecureWhy != tt.why {
			t.Errorf("%s: %+v", tt.name, me)
		}
		if got := measures(d.s, "insecure")[""]; got != 1 {
			t.Errorf("%s: the metric says %v", tt.name, got)
		}
		if l := into[DeviceList](t, d.do("GET", api+"/devices", "", h...), 200); !l.Insecure || l.InsecureWhy != tt.why {
			t.Errorf("%s: devices: %v %q", tt.name, l.Insecure, l.InsecureWhy)
		}
		if r := d.do("GET", "/", "", "Host: evil.example"); r.StatusCode != 421 {
			t.Errorf("%s: strange host: %d", tt.name, r.StatusCode)
		}
	}
	if _, err := New(Config{Access: a, Listen: "192.0.2.1:8620"}, gw.Tree, gw, gw, nil); err == nil || !strings.Contains(err.Error(), "no TLS") {
		t.Errorf("users without TLS: %v", err)
	}
}
