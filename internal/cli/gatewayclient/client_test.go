package gatewayclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func serve(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c, err := New(s.URL+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestRequests(t *testing.T) {
	var got []string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, strings.TrimSpace(r.Method+" "+r.URL.String()+" "+string(body)))
		fmt.Fprint(w, `{"id":"w1","devices":[{"name":"m"}],"points":[{"path":"a","value":null}]}`)
	})
	ctx := context.Background()
	add := 2.5
	if d, err := c.Devices(ctx); err != nil || len(d) != 1 || d[0].Name != "m" {
		t.Errorf("%v %v", d, err)
	}
	if p, err := c.Points(ctx, "m", "a/b"); err != nil || len(p) != 1 || p[0].HasValue() {
		t.Errorf("%v %v", p, err)
	}
	_, _ = c.Device(ctx, "m")
	_, _ = c.Specs(ctx, "m", "")
	_, _ = c.Value(ctx, "m", "a/b")
	if w, err := c.Write(ctx, WriteRequest{Writes: []WriteItem{{Device: "m", Path: "a", Add: &add}}, Wait: true}); err != nil || w.ID != "w1" {
		t.Errorf("%v %v", w, err)
	}
	_, _ = c.Do(ctx, "m", CommandRequest{Path: "cut", Args: map[string]any{"me": "1"}, Wait: true})
	want := []string{
		"GET /api/v1/devices",
		"GET /api/v1/devices/m/points?under=a%2Fb",
		"GET /api/v1/devices/m",
		"GET /api/v1/devices/m/specs",
		"GET /api/v1/devices/m/value?path=a%2Fb",
		`POST /api/v1/writes {"writes":[{"device":"m","path":"a","add":2.5}],"wait":true}`,
		`POST /api/v1/devices/m/commands {"path":"cut","args":{"me":"1"},"wait":true}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestErrors(t *testing.T) {
	ctx := context.Background()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(404)
		fmt.Fprint(w, `{"title":"Not Found","status":404,"detail":"no such point","code":"unknown-point","did_you_mean":"path/1/tool","hint":"h"}`)
	})
	_, err := c.Value(ctx, "m", "x")
	var p *Problem
	if !errors.As(err, &p) || p.Code != "unknown-point" || p.Error() != "no such point" || !cmp.Equal([]string(p.DidYouMean), []string{"path/1/tool"}) {
		t.Errorf("%#v", err)
	}
	for name, h := range map[string]http.HandlerFunc{
		"another program": func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) },
		"another answer":  func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<html>") },
	} {
		_, err := serve(t, h).Devices(ctx)
		var none *NoGateway
		if !errors.As(err, &none) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, bad := range []string{"", "127.0.0.1:8620", "ftp://x", "http://"} {
		if _, err := New(bad, nil); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestEvents(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "device=m&every=1s&under=a" {
			t.Errorf("query %s", r.URL.RawQuery)
		}
		fmt.Fprint(w, "event: hello\nid: e.1\ndata: {}\n\n: comment\nevent: points\nid: e.2\ndata: {\"points\":\ndata: [{\"path\":\"a\",\"value\":1}]}\n\n"+
			"event: specs\ndata: {\"specs\":[{\"path\":\"a\"}],\"label_sets\":{\"m\":{\"s\":[{\"value\":1,\"key\":\"k\"}]}}}\r\n\r\nevent: gone\ndata: {\"gone\":[{\"path\":\"b\"}]}\n\n")
	})
	var got []string
	err := c.Events(context.Background(), Selection{Device: []string{"m"}, Under: []string{"a"}, Every: 1e9}, func(e *Event) error {
		got = append(got, fmt.Sprint(e.Name, " ", e.ID, " ", len(e.Points), len(e.Specs.Specs), len(e.Sets["m"]["s"]), len(e.Gone)))
		return nil
	})
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the end of the stream is %v", err)
	}
	if diff := cmp.Diff([]string{"hello e.1 0 0 0 0", "points e.2 1 0 0 0", "specs e.2 0 1 1 0", "gone e.2 0 0 0 1"}, got); diff != "" {
		t.Error(diff)
	}
	stop := errors.New("enough")
	if err := readEvents(strings.NewReader("event: ping\ndata: {}\n\n"), func(*Event) error { return stop }); err != stop {
		t.Errorf("%v", err)
	}
}

func FuzzReadEvents(f *testing.F) {
	f.Add("event: points\nid: 1\ndata: {\"points\":[{\"value\":1}]}\n\n")
	f.Add("data\n\n:\nid\n\n")
	f.Fuzz(func(t *testing.T, s string) {
		if err := readEvents(strings.NewReader(s), func(*Event) error { return nil }); err == nil {
			t.Error("a stream ended without an error")
		}
	})
}
