package access

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// quickHash is of the password "words and more", with parameters that cost nothing.
const quickHash = "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$rxadMP6oYUVZGHDgoPSh0lr0vSBk1J7up0a6hTzwII0"

const words = "words and more"

func newAccess(t *testing.T, s Set) *Access {
	t.Helper()
	a, err := New(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Set(s); err != nil {
		t.Fatal(err)
	}
	return a
}

func users(names ...string) Set {
	var s Set
	for _, n := range names {
		s.Users = append(s.Users, User{Name: n, Password: quickHash, Role: Operator})
	}
	return s
}

func TestPasswordHash(t *testing.T) {
	text, err := HashPassword(words, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	h, err := parseHash(text)
	if err != nil || !strings.HasPrefix(text, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("%s: %v", text, err)
	}
	if !h.matches(words) || h.matches(words+"x") || h.matches("") {
		t.Error("the hash is not of the password")
	}
	if again, _ := HashPassword(words, rand.Reader); again == text {
		t.Error("no salt")
	}
	for _, p := range []string{"", "1234567", strings.Repeat("x", 1025)} {
		if _, err := HashPassword(p, rand.Reader); err == nil {
			t.Errorf("takes a password of %d bytes", len(p))
		}
	}
	if _, err := HashPassword(words, strings.NewReader("short")); err == nil {
		t.Error("does without random bytes")
	}
}

func TestBadHashes(t *testing.T) {
	good := strings.Split(quickHash, "$")
	with := func(i int, s string) string {
		p := append([]string{}, good...)
		p[i] = s
		return strings.Join(p, "$")
	}
	if err := CheckHash(with(1, "argon2id")); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"empty": "", "bcrypt": "$2a$10$abc", "argon2i": with(1, "argon2i"), "version": with(2, "v=16"), "no version": with(2, ""),
		"memory": with(3, "m=4294967295,t=1,p=1"), "little memory": with(3, "m=1,t=1,p=1"), "passes": with(3, "m=64,t=0,p=1"), "many passes": with(3, "m=64,t=99,p=1"),
		"lanes": with(3, "m=64,t=1,p=0"), "many lanes": with(3, "m=4096,t=1,p=99"), "order": with(3, "t=1,m=64,p=1"), "rest": with(3, "m=64,t=1,p=1,x=2"),
		"sign": with(3, "m=+64,t=1,p=1"), "no salt": with(4, ""), "salt": with(4, "!!"), "short key": with(5, "AAAA"), "padding": with(5, good[5]+"="),
		"more": quickHash + "$x", "huge": with(5, strings.Repeat("A", 5000)),
	} {
		if err := CheckHash(text); err == nil {
			t.Errorf("%s is taken: %s", name, text)
		}
	}
}

func FuzzParseHash(f *testing.F) {
	f.Add(quickHash)
	f.Add("$argon2id$v=19$m=64,t=1,p=1$$")
	f.Fuzz(func(t *testing.T, s string) {
		if h, err := parseHash(s); err == nil && (h.memory > maxMemory || h.passes > maxPasses || h.lanes > maxLanes || len(h.key) > 64) {
			t.Errorf("%q would cost too much: %+v", s, h)
		}
	})
}

func TestSetSaysWhatIsWrong(t *testing.T) {
	a := newAccess(t, users("anna"))
	for name, s := range map[string]Set{
		"no name":    {Users: []User{{Password: quickHash, Role: Viewer}}},
		"no role":    {Users: []User{{Name: "x", Password: quickHash}}},
		"no hash":    {Users: []User{{Name: "x", Role: Viewer}}},
		"no sum":     {Tokens: []Token{{Name: "x", Role: Viewer}}},
		"twice":      {Users: []User{{Name: "x", Password: quickHash, Role: Viewer}}, Tokens: []Token{{Name: "x", SHA256: strings.Repeat("ab", 32), Role: Viewer}}},
		"wrong role": {Users: []User{{Name: "x", Password: quickHash, Role: 9}}},
	} {
		if err := a.Set(s); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := a.Login(t.Context(), "anna", words, "192.0.2.1:1"); err != nil {
		t.Errorf("a wrong set changed something: %v", err)
	}
}

func TestOpenUntilSomebodyIsConfigured(t *testing.T) {
	a := newAccess(t, Set{})
	id, ok := a.Anyone()
	if !ok || id.Role != Admin || id.Via != ViaOpen || !id.MayWrite("m", "x", device.HazardMove) {
		t.Fatalf("%+v %v", id, ok)
	}
	if err := a.May(driver.Who{}, driver.Action{Device: "m", Path: "x"}, device.HazardMove); err != nil {
		t.Error(err)
	}
	if _, err := a.Login(t.Context(), "", "", "192.0.2.1:1"); !errors.Is(err, ErrNoUsers) {
		t.Error(err)
	}
	if err := a.Set(users("anna")); err != nil {
		t.Fatal(err)
	}
	select {
	case <-id.Ended():
	default:
		t.Error("who came while access was open stays")
	}
	if _, ok := a.Anyone(); ok {
		t.Error("still open")
	}
	if err := a.Set(Set{}); err != nil {
		t.Fatal(err)
	}
	if _, ok := a.Anyone(); !ok {
		t.Error("not open again")
	}
}

func TestTokens(t *testing.T) {
	secret, sum, err := NewToken(rand.Reader)
	if err != nil || CheckSum(sum) != nil || !strings.HasPrefix(secret, "pb_") || len(secret) != 3+43 {
		t.Fatalf("%q %q %v", secret, sum, err)
	}
	other, otherSum, _ := NewToken(rand.Reader)
	set := Set{Tokens: []Token{{Name: "a", SHA256: sum, Role: Viewer}, {Name: "b", SHA256: otherSum, Role: Operator, Writable: []string{}}}}
	a := newAccess(t, set)
	one, err := a.Token(secret)
	if err != nil || one.Name != "a" || one.Role != Viewer || one.Limited {
		t.Fatalf("%+v %v", one, err)
	}
	two, err := a.Token(other)
	if err != nil || two.Name != "b" || !two.Limited || two.MayWrite("m", "x", "") {
		t.Fatalf("%+v %v", two, err)
	}
	for _, wrong := range []string{"", "pb_", secret[:len(secret)-1], secret + "x", sum, strings.Repeat("x", 1<<20)} {
		if _, err := a.Token(wrong); !errors.Is(err, ErrBadToken) {
			t.Errorf("%.50s: %v", wrong, err)
		}
	}
	set.Tokens = set.Tokens[:1]
	if err := a.Set(set); err != nil {
		t.Fatal(err)
	}
	select {
	case <-two.Ended():
	default:
		t.Error("a removed token goes on")
	}
	select {
	case <-one.Ended():
		t.Error("a token that stays ends")
	default:
	}
}

func TestMayWritePatterns(t *testing.T) {
	for _, tt := range []struct {
		patterns []string
		dev      string
		path     device.Path
		hazard   string
		want     bool
	}{
		{[]string{"mill1/macros/*"}, "mill1", "macros/500", "", true},
		{[]string{"mill1/macros/*"}, "mill1", "macros/500", device.HazardLive, true},
		{[]string{"mill1/macros/*"}, "mill1", "macros/500", device.HazardMove, false},
		{[]string{"mill1/macros/500"}, "mill1", "macros/500", device.HazardMove, true},
		{[]string{"*/macros/500"}, "mill1", "macros/500", device.HazardMove, false},
		{[]string{"*/macros/500"}, "mill1", "macros/500", "", true},
		{[]string{"mill1/macros/*"}, "mill2", "macros/500", "", false},
		{[]string{"mill1/macros/*"}, "mill1", "tool/1", "", false},
		{[]string{"*"}, "mill1", "tool/1", "", true}, {[]string{"*"}, "mill1", "tool/1", device.HazardMove, false},
		{[]string{"mill1"}, "mill1", "tool/1", "", false}, {[]string{}, "mill1", "tool/1", "", false},
		{[]string{"mill1/*"}, "mill1", "", "", false},
		{nil, "mill1", "tool/1", device.HazardMove, true}, // the device alone decides
	} {
		id := &Identity{Role: Operator, Writable: tt.patterns, Limited: tt.patterns != nil}
		if got := id.MayWrite(tt.dev, tt.path, tt.hazard); got != tt.want {
			t.Errorf("%q, %s/%s %q: %v", tt.patterns, tt.dev, tt.path, tt.hazard, got)
		}
		id.Role = Viewer
		if id.MayWrite(tt.dev, tt.path, tt.hazard) {
			t.Error("a viewer writes")
		}
	}
}

func TestSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccess(t, users("anna", "carl"))
		start := func(user string) string {
			id, err := a.Login(t.Context(), user, words, "192.0.2.1:1")
			if err != nil {
				t.Fatal(err)
			}
			s, err := a.StartSession(id)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		good := func(s string) bool { _, err := a.Session(s); return err == nil }

		idle, used := start("anna"), start("anna")
		for range 10 {
			time.Sleep(IdleLimit / 8)
			if !good(used) {
				t.Fatal("a session that is used ends")
			}
		}
		if good(idle) {
			t.Error("an idle session lives on")
		}
		held := start("anna")
		id, err := a.Session(held)
		if err != nil {
			t.Fatal(err)
		}
		release := id.Hold()
		time.Sleep(3 * IdleLimit)
		if !good(held) {
			t.Error("a session ends although a stream is open")
		}
		release()
		release()
		time.Sleep(IdleLimit)
		if good(held) {
			t.Error("a session whose stream was closed lives on")
		}
		if left := time.Until(id.Expires); left > AbsoluteLimit-4*IdleLimit {
			t.Errorf("expires in %v", left)
		}
		old := start("anna")
		for range int(AbsoluteLimit / (IdleLimit / 2)) {
			time.Sleep(IdleLimit / 2)
			good(old)
		}
		if good(old) {
			t.Error("a session outlives the absolute limit")
		}

		// A reload keeps sessions whose user still exists with the same password.
		anna, carl := start("anna"), start("carl")
		id, _ = a.Session(anna)
		set := users("anna", "carl")
		set.Users[0].Role = Viewer
		if err := a.Set(set); err != nil {
			t.Fatal(err)
		}
		if now, err := a.Session(anna); err != nil || now.Role != Viewer {
			t.Errorf("the new role does not count: %+v %v", now, err)
		}
		set.Users[0].Password = strings.Replace(quickHash, "MDEy", "MDEz", 1)
		if err := a.Set(set); err != nil {
			t.Fatal(err)
		}
		if good(anna) || !good(carl) {
			t.Error("after anna's password changed", good(anna), good(carl))
		}
		select {
		case <-id.Ended():
		default:
			t.Error("nobody tells the streams of a session that ended")
		}
		a.EndSession(carl)
		a.EndSession(carl)
		if good(carl) || good("") || good(strings.Repeat("x", 1<<20)) {
			t.Error("a session that was ended is good")
		}
		first := start("carl")
		for range maxUserSessions {
			time.Sleep(time.Second)
			start("carl")
		}
		if good(first) || len(a.sessions) != maxUserSessions {
			t.Errorf("%d sessions, the first is %v", len(a.sessions), good(first))
		}
	})
}

func TestLoginIsNotUsedAfterThePasswordChanged(t *testing.T) {
	a := newAccess(t, users("anna"))
	id, err := a.Login(t.Context(), "anna", words, "192.0.2.1:1")
	if err != nil {
		t.Fatal(err)
	}
	set := users("anna")
	set.Users[0].Password = strings.Replace(quickHash, "MDEy", "MDEz", 1)
	if err := a.Set(set); err != nil {
		t.Fatal(err)
	}
	if _, err := a.StartSession(id); err == nil {
		t.Error("a login with the old password starts a session")
	}
	if _, err := a.Login(t.Context(), "anna", words, "192.0.2.1:1"); err == nil {
		t.Error("the old password is remembered")
	}
}

func TestFailuresAreSlowedPerAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccess(t, users("anna"))
		try := func(password, from string) error {
			_, err := a.Login(t.Context(), "anna", password, from)
			return err
		}
		var many *TooMany
		for range freeFailures {
			if err := try("wrong", "192.0.2.1:1"); !errors.Is(err, ErrBadLogin) {
				t.Fatal(err)
			}
		}
		for _, wait := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300} {
			err := try(words, "192.0.2.1:2") // another port of the same address
			if !errors.As(err, &many) || many.After != wait*time.Second {
				t.Fatalf("want a wait of %d s: %v", wait, err)
			}
			time.Sleep(wait * time.Second)
			if err := try("wrong", "[::ffff:192.0.2.1]:3"); !errors.Is(err, ErrBadLogin) {
				t.Fatalf("after %d s: %v", wait, err)
			}
		}
		if err := try(words, "192.0.2.2:1"); err != nil {
			t.Errorf("another address waits too: %v", err)
		}
		time.Sleep(longestWait)
		if err := try(words, "192.0.2.1:1"); err != nil {
			t.Error(err)
		}
		if err := try("wrong", "192.0.2.1:1"); !errors.Is(err, ErrBadLogin) {
			t.Errorf("a good login does not clear what was before: %v", err)
		}
		// The addresses of one IPv6 subscriber are one.
		for i := range freeFailures {
			_ = try("wrong", fmt.Sprintf("[2001:db8::%d]:1", i))
		}
		if err := try(words, "[2001:db8::99]:1"); !errors.As(err, &many) {
			t.Errorf("%v", err)
		}
		for i := range 3 * maxRemembered {
			_ = a.slow.begin(fmt.Sprint(i))
		}
		if len(a.slow.at) != maxRemembered || a.slow.order.Len() != maxRemembered {
			t.Errorf("%d addresses are remembered", len(a.slow.at))
		}
	})
}

func TestAtMostTwoHashesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccess(t, users("anna"))
		var running, most, runs atomic.Int64
		a.checker.run = func(h *hash, p string) bool {
			runs.Add(1)
			if n := running.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(time.Second)
			running.Add(-1)
			return h.matches(p)
		}
		var busy atomic.Int64
		done := make(chan struct{})
		const tries = parallelHashes + waitingHashes + 5
		for i := range tries {
			go func() {
				_, err := a.Login(t.Context(), "anna", words, fmt.Sprintf("192.0.2.%d:1", i))
				if errors.Is(err, ErrBusy) {
					busy.Add(1)
				} else if err != nil {
					t.Error(err)
				}
				done <- struct{}{}
			}()
		}
		for range tries {
			<-done
		}
		if most.Load() != parallelHashes || busy.Load() != 5 {
			t.Errorf("%d at once, %d turned away", most.Load(), busy.Load())
		}
		// A password that was right is not hashed again for a while.
		before := runs.Load()
		for range 100 {
			if _, err := a.Login(t.Context(), "anna", words, "192.0.2.1:1"); err != nil {
				t.Fatal(err)
			}
		}
		if runs.Load() != before {
			t.Error("a password that was right is hashed again")
		}
		if _, err := a.Login(t.Context(), "anna", "wrong", "192.0.2.1:1"); !errors.Is(err, ErrBadLogin) {
			t.Error(err)
		}
		if _, err := a.Login(t.Context(), "nobody", words, "192.0.2.1:1"); !errors.Is(err, ErrBadLogin) || runs.Load() != before+2 {
			t.Errorf("the time of an answer tells who exists: %v, %d hashes", err, runs.Load()-before)
		}
		time.Sleep(cacheFor)
		if _, err := a.Login(t.Context(), "anna", words, "192.0.2.1:1"); err != nil || runs.Load() != before+3 {
			t.Errorf("remembered too long: %v", err)
		}
		// Who goes away while waiting is not counted as a failure.
		a.checker.slots <- struct{}{}
		a.checker.slots <- struct{}{}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := a.Login(ctx, "anna", "other", "192.0.2.77:1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if f := a.slow.at["192.0.2.77"].Value.(*failures); f.count != 0 {
			t.Errorf("%d failures", f.count)
		}
	})
}

func TestListen(t *testing.T) {
	for _, tt := range []struct {
		addr                    string
		somebody, tls, insecure bool
		ok                      bool
		missing                 string
	}{
		{"127.0.0.1:1", false, false, false, true, ""}, {"localhost:1", false, false, false, true, ""}, {"[::1]:1", false, false, false, true, ""},
		{"/run/patchbay.sock", false, false, false, true, ""}, {"[::ffff:127.0.0.1]:1", false, false, false, true, ""},
		{"0.0.0.0:1", true, true, false, true, ""}, {"0.0.0.0:1", true, false, false, false, "no TLS"}, {"0.0.0.0:1", false, true, false, false, "no users"},
		{"192.0.2.1:1", false, false, false, false, "no users and no TLS"}, {"gateway:1", false, false, true, true, "no users and no TLS"},
		{"[::]:1", true, false, true, true, "no TLS"}, {":1", false, false, false, false, "no users and no TLS"},
	} {
		err := CheckListen(tt.addr, tt.somebody, tt.tls, tt.insecure)
		if (err == nil) != tt.ok || Insecure(tt.addr, tt.somebody, tt.tls) != tt.missing || err != nil && !strings.Contains(err.Error(), tt.missing) {
			t.Errorf("%+v: %v, missing %q", tt, err, Insecure(tt.addr, tt.somebody, tt.tls))
		}
	}
}

func BenchmarkToken(b *testing.B) {
	a, err := New(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	secret, sum, _ := NewToken(rand.Reader)
	if err := a.Set(Set{Tokens: []Token{{Name: "t", SHA256: sum, Role: Viewer}}}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Token(secret); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPassword(b *testing.B) {
	text, err := HashPassword(words, rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	h, _ := parseHash(text)
	b.ReportAllocs()
	for b.Loop() {
		if !h.matches(words) {
			b.Fatal("no match")
		}
	}
}
