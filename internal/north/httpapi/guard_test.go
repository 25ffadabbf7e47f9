package httpapi

import (
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/internal/north/northtest"
	"github.com/patchbay-io/patchbay/internal/testnet"
)

func TestListensOnLoopbackOnly(t *testing.T) {
	gw := northtest.New()
	for addr, ok := range map[string]bool{
		"": true, "127.0.0.1:0": true, "localhost:8620": true, "[::1]:8620": true, "127.0.0.2:1": true,
		"0.0.0.0:8620": false, ":8620": false, "[::]:8620": false, "192.0.2.1:8620": false, "gateway.example:8620": false, "8620": false,
	} {
		_, err := New(Config{Listen: addr}, gw.Tree, gw, gw, nil)
		if (err == nil) != ok {
			t.Errorf("%q: %v", addr, err)
		}
		if err != nil && strings.Contains(addr, ":") && !strings.Contains(err.Error(), "no users and no TLS") {
			t.Errorf("%q: the error does not say why: %v", addr, err)
		}
	}
	if _, err := New(Config{Listener: new(testnet.Network).MustListen("192.0.2.1:80")}, gw.Tree, gw, gw, nil); err == nil {
		t.Error("takes a listener that is not on loopback")
	}
	for _, h := range []string{"", "http://x", "*", "a b"} {
		if _, err := New(Config{Hosts: []string{h}}, gw.Tree, gw, gw, nil); err == nil {
			t.Errorf("takes host %q", h)
		}
	}
	if _, err := New(Config{Streams: -1}, gw.Tree, gw, gw, nil); err == nil {
		t.Error("takes -1 streams")
	}
}

func TestHostHeader(t *testing.T) {
	d := newDoor(t, Config{Hosts: []string{"Gateway.example"}})
	for host, ok := range map[string]bool{
		"localhost": true, "LOCALHOST:8620": true, "127.0.0.1:1": true, "[::1]:8620": true, "[::1]": true, "gateway.example.:80": true,
		"evil.example": false, "localhost.evil.example": false, "": false, "192.0.2.1": false,
	} {
		for _, target := range []string{"/", "/healthz", api + "/devices", api + "/events"} {
			if ok && strings.HasSuffix(target, "events") {
				continue
			}
			r := d.do("GET", target, "", "Host: "+host)
			if ok && r.StatusCode != 200 {
				t.Errorf("%s %s: %d", host, target, r.StatusCode)
			}
			if !ok {
				if p := into[Problem](t, r, http.StatusMisdirectedRequest); p.Code != "unknown-host" || !strings.Contains(p.Hint, "hosts:") {
					t.Errorf("%s %s: %+v", host, target, p)
				}
			}
		}
	}
}

func TestCrossOrigin(t *testing.T) {
	d := newDoor(t, Config{})
	body := `{"writes": [{"device": "mill1", "path": "bool/yes", "toggle": true}]}`
	for _, h := range []string{"Origin: https://evil.example", "Sec-Fetch-Site: cross-site", "Origin: null"} {
		if p := into[Problem](t, d.do("POST", api+"/writes", body, h), 403); p.Code != "cross-origin" {
			t.Errorf("%s: %+v", h, p)
		}
		if p := into[Problem](t, d.do("PUT", api+"/devices/mill1/value?path=bool/yes", "false", h), 403); p.Code != "cross-origin" {
			t.Errorf("%s: %+v", h, p)
		}
	}
	if p := into[Problem](t, d.do("GET", api+"/events", "", "Sec-Fetch-Site: cross-site"), 403); p.Code != "cross-origin" {
		t.Errorf("events: %+v", p)
	}
	if n := len(d.gw.WriteLog("", 0, 0)); n != 0 {
		t.Errorf("%d writes went through", n)
	}
	for _, h := range []string{"Origin: http://localhost:8620", "Sec-Fetch-Site: same-origin", "X-None: x"} {
		if r := d.do("POST", api+"/writes", body, h); r.StatusCode != 200 {
			t.Errorf("%s: %d", h, r.StatusCode)
		}
	}
}

func TestPageAndHeaders(t *testing.T) {
	d := newDoor(t, Config{})
	for target, want := range map[string]struct {
		status int
		cache  string
	}{
		"/": {200, "no-cache"}, "/d/mill1": {200, "no-cache"}, "/d/mill1?wall": {200, "no-cache"}, "/tally/desk/3010": {200, "no-cache"},
		"/assets/app-1234.js": {200, "public, max-age=31536000, immutable"}, "/favicon.svg": {200, "no-cache"},
		"/assets/gone.js": {404, "no-store"}, "/nothing": {404, "no-store"},
		api + "/devices": {200, "no-store"}, "/apix": {404, "no-store"},
	} {
		r := d.do("GET", target, "")
		if r.StatusCode != want.status || r.Header.Get("Cache-Control") != want.cache {
			t.Errorf("%s: %d, %q", target, r.StatusCode, r.Header.Get("Cache-Control"))
		}
		if r.Header.Get("Content-Security-Policy") != contentPolicy || r.Header.Get("X-Content-Type-Options") != "nosniff" || r.Header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: headers %v", target, r.Header)
		}
	}
	r := d.do("GET", "/", "")
	if ct := r.Header.Get("Content-Type"); !strings.HasPrefix(ct, "text/html") || !strings.Contains(text(t, r), "<title>") {
		t.Errorf("index: %s", ct)
	}
	if r := d.do("GET", "/d/x", "", "If-None-Match: "+r.Header.Get("ETag")); r.StatusCode != 304 {
		t.Errorf("the page that the browser has is sent again: %d", r.StatusCode)
	}
	if p := into[Problem](t, d.do("POST", "/", ""), 405); p.Code != "method-not-allowed" {
		t.Errorf("got %+v", p)
	}
}

func TestReady(t *testing.T) {
	d := newDoor(t, Config{})
	if h := into[Health](t, d.do("GET", "/healthz", ""), 200); h.Status != "ok" {
		t.Errorf("got %+v", h)
	}
	if h := into[Health](t, d.do("GET", "/readyz", ""), 200); h.Status != "ok" {
		t.Errorf("got %+v", h)
	}
	d.gw.Tree.Remove(northtest.Down)
	if h := into[Health](t, d.do("GET", "/readyz", ""), 503); h.Status != "starting" || len(h.Waiting) != 1 || h.Waiting[0] != northtest.Down {
		t.Errorf("got %+v", h)
	}
}

func TestListenFailure(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	d := newDoor(t, Config{Listen: l.Addr().String()})
	if err := d.s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("got %v", err)
	}
}
