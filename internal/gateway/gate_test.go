package gateway

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/internal/access"
	"github.com/patchbay-io/patchbay/internal/audit"
	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// hashOfWords is of the password "words and more".
const hashOfWords = "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$rxadMP6oYUVZGHDgoPSh0lr0vSBk1J7up0a6hTzwII0"

// people are anna, who may write everything, carl, who may write some of m, and eve, who may only read.
func people(t *testing.T) *access.Access {
	t.Helper()
	a, err := access.New(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Set(access.Set{Users: []access.User{
		{Name: "anna", Password: hashOfWords, Role: access.Admin},
		{Name: "carl", Password: hashOfWords, Role: access.Operator, Writable: []string{"m/*", "n/gain"}},
		{Name: "dora", Password: hashOfWords, Role: access.Operator},
		{Name: "eve", Password: hashOfWords, Role: access.Viewer},
	}}); err != nil {
		t.Fatal(err)
	}
	return a
}

// guarded runs a gateway with people over the devices m and n.
func guarded(t *testing.T, a *access.Access) (*Gateway, *audit.Log, func()) {
	t.Helper()
	record, err := audit.Open(audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	g := New(Options{Access: a, Audit: record})
	m, n := conf("m", newToy()), conf("n", newToy())
	m.Writable = []string{"*", "power"} // the hazard point is named
	if err := g.SetDevices([]DeviceConfig{m, n}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- g.Run(ctx) }()
	synctest.Wait()
	return g, record, func() {
		cancel()
		<-done
	}
}

func TestWhoMayWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, record, stop := guarded(t, people(t))
		defer stop()
		for _, tt := range []struct {
			user, dev string
			path      device.Path
			code      string // of the refusal; empty: may
			hint      string
		}{
			{"anna", "m", "gain", "", ""}, {"anna", "m", "power", "", ""},
			{"anna", "n", "power", "not-writable", `devices: {n: {writable: ["power"]}}`}, // an admin needs the device's word too
			{"carl", "m", "gain", "", ""}, {"carl", "n", "gain", "", ""},
			{"carl", "n", "mute", "forbidden", `users: {carl: {writable: ["n/mute"]}}`},
			{"carl", "m", "power", "forbidden", `users: {carl: {writable: ["m/power"]}}`}, // m/* is a wildcard
			{"dora", "m", "power", "", ""},
			{"eve", "m", "gain", "forbidden", "users: {eve: {role"},
			{"", "m", "gain", "forbidden", "sign in"}, {"gone", "m", "gain", "forbidden", "sign in again"},
		} {
			value := any(true)
			if tt.path == "gain" {
				value = 1.5
			}
			_, err := g.Write(t.Context(), driver.Who{User: tt.user, Door: "http"}, []north.WriteItem{set(tt.dev, tt.path, value)}, north.WriteOptions{DryRun: true})
			var we *north.WriteError
			if errors.As(err, &we); err == nil && tt.code != "" || err != nil && (we == nil || we.Code != tt.code || !strings.Contains(we.Hint, tt.hint)) {
				t.Errorf("%s writes %s/%s: %v %+v", tt.user, tt.dev, tt.path, err, we)
			}
		}
		if _, err := g.Do(t.Context(), driver.Who{User: "eve"}, "m", "cut", nil, north.WriteOptions{}); err == nil {
			t.Error("a viewer performs a command")
		}
		if n := len(record.Since(0, 0)); n != 12 {
			t.Errorf("%d lines in the audit, want one for each", n)
		}
	})
}

// A door whose controllers have no logins writes what the device's configuration allows; a user is asked about all the same.
func TestNamelessWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _, stop := guarded(t, people(t))
		defer stop()
		for _, tt := range []struct {
			user, dev string
			path      device.Path
			nameless  bool
			code      string
		}{
			{"", "m", "gain", true, ""}, {"", "m", "gain", false, "forbidden"}, {"", "m", "power", true, ""}, {"", "n", "power", true, "not-writable"},
			{"eve", "m", "gain", true, "forbidden"}, {"gone", "m", "gain", true, "forbidden"},
		} {
			value := any(true)
			if tt.path == "gain" {
				value = 1.5
			}
			_, err := g.Write(t.Context(), driver.Who{User: tt.user, Door: "toy"}, []north.WriteItem{set(tt.dev, tt.path, value)},
				north.WriteOptions{DryRun: true, Nameless: tt.nameless})
			var we *north.WriteError
			if errors.As(err, &we); err == nil && tt.code != "" || err != nil && (we == nil || we.Code != tt.code) {
				t.Errorf("%+v: %v", tt, err)
			}
		}
	})
}

// A line of the log has no empty attributes.
func TestGateWritesWhatThereIs(t *testing.T) {
	var log said
	g := New(Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	g.Gate("toy").Done(driver.Who{Addr: "192.0.2.8:1"}, driver.Action{Device: "m", Raw: "open ports/1"}, driver.Outcome{Stage: driver.Sent})
	_, got, _ := strings.Cut(strings.TrimSpace(log.String()), "level=")
	if want := `INFO msg=native door=toy from=192.0.2.8:1 device=m raw="open ports/1" outcome=sent`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestGateOfNativeServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := people(t)
		g, record, stop := guarded(t, a)
		defer stop()
		gate := g.Gate("toy")
		from := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 1234}
		who, err := gate.Login(t.Context(), "carl", "words and more", from)
		if want := (driver.Who{User: "carl", Door: "toy", Addr: "192.0.2.7:1234"}); err != nil || who != want {
			t.Fatalf("%+v %v", who, err)
		}
		if _, err := gate.Login(t.Context(), "carl", "no", from); driver.ClassOf(err) != driver.Auth {
			t.Errorf("a wrong password: %v", err)
		}
		nobody := driver.Who{Door: "toy", Addr: "192.0.2.8:1"}
		for _, tt := range []struct {
			who driver.Who
			a   driver.Action
			may bool
		}{
			{who, driver.Action{Device: "m", Path: "gain"}, true}, {who, driver.Action{Device: "m", Path: "power"}, false},
			{who, driver.Action{Device: "m", Raw: "0x16"}, false}, {driver.Who{User: "dora"}, driver.Action{Device: "m", Raw: "0x16"}, true},
			{driver.Who{User: "carl"}, driver.Action{Device: "n", Raw: "gain"}, true}, // a pattern may name a message
			{driver.Who{User: "eve"}, driver.Action{Device: "m", Raw: "0x16"}, false},
			// A protocol without logins: the device's configuration decides alone.
			{nobody, driver.Action{Device: "m", Raw: "0x16"}, true}, {nobody, driver.Action{Device: "m", Path: "gain"}, true},
			{nobody, driver.Action{Device: "n", Path: "power"}, false}, {nobody, driver.Action{Device: "n", Path: "not/there"}, false},
			{nobody, driver.Action{Device: "m"}, false}, {nobody, driver.Action{Device: "x", Raw: "0x16"}, false},
		} {
			if err := gate.Allow(tt.who, tt.a); (err == nil) != tt.may {
				t.Errorf("%+v does %+v: %v", tt.who, tt.a, err)
			}
		}
		err = gate.Allow(nobody, driver.Action{Device: "n", Path: "power"})
		if driver.ClassOf(err) != driver.Auth || !strings.Contains(driver.HintOf(err), `writable: ["power"]`) {
			t.Errorf("a server of a driver is not told what would allow it: %v, %v, %q", err, driver.ClassOf(err), driver.HintOf(err))
		}
		gate.Done(nobody, driver.Action{Device: "m", Raw: "0x16", Value: device.OfInt(3), Old: device.OfInt(2)}, driver.Outcome{Stage: driver.Refused, Err: errors.New("because")})
		var got []audit.Entry
		for _, e := range record.Since(0, 0) {
			e.At = time.Time{}
			got = append(got, e)
		}
		want := []audit.Entry{
			{Seq: 1, What: "login", User: "carl", Door: "toy", Addr: "192.0.2.7:1234", Outcome: "ok"},
			{Seq: 2, What: "login", User: "carl", Door: "toy", Addr: "192.0.2.7:1234", Outcome: "refused", Why: access.ErrBadLogin.Error()},
			{Seq: 3, What: "native", Door: "toy", Addr: "192.0.2.8:1", Device: "m", Raw: "0x16", Old: "2", New: "3", Outcome: "refused", Why: "because"},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if err := a.Set(access.Set{}); err != nil {
			t.Fatal(err)
		}
		if who, err := gate.Login(t.Context(), "", "", from); err != nil || who.User != "" {
			t.Errorf("without users: %+v %v", who, err)
		}
	})
}

func TestWriteRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, err := access.New(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Set(access.Set{WriteRate: 10, Users: []access.User{
			{Name: "anna", Password: hashOfWords, Role: access.Admin}, {Name: "carl", Password: hashOfWords, Role: access.Operator}}}); err != nil {
			t.Fatal(err)
		}
		g, record, stop := guarded(t, a)
		defer stop()
		write := func(user string, n int) error {
			items := make([]north.WriteItem, n)
			for i := range items {
				items[i] = set("m", "gain", 1)
			}
			_, err := g.Write(t.Context(), driver.Who{User: user}, items, north.WriteOptions{DryRun: true})
			return err
		}
		for i := range 20 {
			if err := write("anna", 1); err != nil {
				t.Fatalf("write %d: %v", i, err)
			}
		}
		var we *north.WriteError
		if err := write("anna", 1); !errors.As(err, &we) || we.Code != "too-many-writes" || !strings.Contains(err.Error(), "10 a second") {
			t.Errorf("the 21st at once: %v", err)
		}
		if err := write("carl", 1); err != nil {
			t.Errorf("somebody else is concerned: %v", err)
		}
		if _, err := g.Do(t.Context(), driver.Who{User: "anna"}, "m", "cut", nil, north.WriteOptions{DryRun: true}); err == nil {
			t.Error("commands are not counted")
		}
		time.Sleep(100 * time.Millisecond)
		if err := write("anna", 1); err != nil {
			t.Errorf("after a tenth of a second: %v", err)
		}
		time.Sleep(time.Minute)
		if err := write("anna", 100); err != nil {
			t.Errorf("one large write after a pause: %v", err)
		}
		if err := write("anna", 1); err == nil {
			t.Error("a large write costs nothing")
		}
		if n := len(g.WriteLog("", 0, 0)); n != 23 || len(record.Since(0, 0)) != 22+100 {
			t.Errorf("%d writes in the log, %d in the audit", n, len(record.Since(0, 0)))
		}
	})
}
