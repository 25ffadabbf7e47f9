package httpapi

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"go.uber.org/goleak"

	"github.com/patchbay-io/patchbay/internal/north/northtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// door is a server over the fixed tree, asked without a network.
type door struct {
	t  *testing.T
	gw *northtest.Gateway
	s  *Server
}

func newDoor(t *testing.T, cfg Config) *door {
	t.Helper()
	gw := northtest.New()
	cfg.Version = "v0-test"
	page := fstest.MapFS{
		"index.html": {Data: []byte("<!doctype html><title>patchbay</title>")}, "assets/app-1234.js": {Data: []byte("export{}")},
		"favicon.svg": {Data: []byte("<svg xmlns='http://www.w3.org/2000/svg'/>")},
	}
	s, err := New(cfg, gw.Tree, gw, gw, page)
	if err != nil {
		t.Fatal(err)
	}
	return &door{t, gw, s}
}

// do sends one request; headers are "Name: value".
func (d *door) do(method, target, body string, headers ...string) *http.Response {
	d.t.Helper()
	r := httptest.NewRequest(method, "http://localhost:8620"+target, strings.NewReader(body))
	if strings.HasPrefix(body, "{") {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			r.Host = value
		}
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	d.s.Handler().ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// into decodes an answer that must have the status.
func into[T any](t *testing.T, r *http.Response, status int) T {
	t.Helper()
	body := text(t, r)
	if r.StatusCode != status {
		t.Fatalf("status %d, want %d: %s", r.StatusCode, status, body)
	}
	var v T
	dec := json.NewDecoder(bytes.NewReader([]byte(body)))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return v
}
