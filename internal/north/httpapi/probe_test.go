package httpapi

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/internal/north"
)

// prober says what it was told to, after a second.
type prober struct {
	asked []string
	err   error
}

func (p *prober) Probe(ctx context.Context, address string, report func(north.ProbeStep)) (north.ProbeResult, error) {
	p.asked = append(p.asked, address)
	report(north.ProbeStep{Name: "connect", Target: address, Outcome: "ok", Took: 1234567 * time.Nanosecond, Sent: []byte{0xa0, 0xa0}, Meaning: "it is open"})
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return north.ProbeResult{}, ctx.Err()
	}
	return north.ProbeResult{Match: true, URLs: []string{"focas://192.0.2.21"}, Verdict: "it speaks FOCAS"}, p.err
}

func askProbe(t *testing.T, d *door, addr, token string) *http.Response {
	t.Helper()
	r := httptest.NewRequest("POST", "http://localhost:8620"+api+"/probe", strings.NewReader(`{"address": "192.0.2.21"}`))
	r.Header.Set("Content-Type", "application/json")
	r.RemoteAddr = addr
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	d.s.Handler().ServeHTTP(w, r)
	return w.Result()
}

func TestProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &prober{}
		d := newDoor(t, Config{Prober: p})
		want := Probe{Match: true, URLs: []string{"focas://192.0.2.21"}, Verdict: "it speaks FOCAS",
			Steps: []ProbeStep{{Step: "connect", Target: "192.0.2.21", Outcome: "ok", TookMS: 1.2, Sent: "a0a0", Meaning: "it is open"}}}
		if diff := cmp.Diff(want, into[Probe](t, askProbe(t, d, "127.0.0.1:5000", ""), 200)); diff != "" {
			t.Error(diff)
		}
		r := askProbe(t, d, "127.0.0.1:5000", "")
		if after := r.Header.Get("Retry-After"); into[Problem](t, r, 429).Code != "too-many-probes" || after != "2" {
			t.Errorf("at once again: wait %q", after)
		}
		time.Sleep(probePause)

		first := make(chan int)
		go func() { first <- askProbe(t, d, "[::1]:5000", "").StatusCode }()
		synctest.Wait()
		into[Problem](t, askProbe(t, d, "127.0.0.1:5001", ""), 429)
		if code := <-first; code != 200 {
			t.Errorf("a probe that another one wanted to join: %d", code)
		}
		time.Sleep(probePause)

		p.err = &north.ProbeError{Code: "unknown-port", Text: "port belongs to nobody", Hint: "take care"}
		if got := into[Problem](t, askProbe(t, d, "127.0.0.1:5000", ""), 422); got.Code != "unknown-port" || got.Hint != "take care" {
			t.Errorf("%+v", got)
		}
		time.Sleep(probePause)
		p.err = errors.New("oops")
		into[Problem](t, askProbe(t, d, "127.0.0.1:5000", ""), 500)
		if len(p.asked) != 4 {
			t.Errorf("asked %d times: %q", len(p.asked), p.asked)
		}
	})
}

func TestProbeIsForAdminsAndThisMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &prober{}
		if got := into[Problem](t, askProbe(t, newDoor(t, Config{Prober: p}), "192.0.2.7:5000", ""), 403); got.Code != "forbidden" || got.Hint == "" {
			t.Errorf("from elsewhere without users: %+v", got)
		}
		a, tokens, _ := people(t)
		d := newDoor(t, Config{Prober: p, Access: a})
		for _, role := range []string{"viewer", "operator"} {
			into[Problem](t, askProbe(t, d, "127.0.0.1:5000", tokens[role]), 403)
		}
		into[Problem](t, askProbe(t, d, "127.0.0.1:5000", ""), 401)
		if len(p.asked) > 0 {
			t.Errorf("probed for those who may not: %q", p.asked)
		}
		into[Probe](t, askProbe(t, d, "192.0.2.7:5000", tokens["admin"]), 200)
		into[Problem](t, askProbe(t, newDoor(t, Config{}), "127.0.0.1:5000", ""), 409)
	})
}

// A door that closes does not wait for a probe.
func TestProbeEndsWithTheDoor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, Config{Prober: &prober{}})
		answer := make(chan int)
		began := time.Now()
		go func() { answer <- askProbe(t, d, "127.0.0.1:5000", "").StatusCode }()
		synctest.Wait()
		close(d.s.closing)
		if code := <-answer; code != 503 || time.Since(began) > 0 {
			t.Errorf("%d after %v", code, time.Since(began))
		}
		d.s.active.Wait()
	})
}
