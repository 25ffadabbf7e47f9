package httpapi

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestWrites(t *testing.T) {
	d := newDoor(t, Config{})
	for _, c := range []struct {
		body, stage, now string
		status           int
	}{
		{`{"writes": [{"device": "mill1", "path": "bool/yes", "toggle": true}]}`, "confirmed", "false", 200},
		{`{"writes": [{"device": "mill1", "path": "int/override", "add": 1000}]}`, "confirmed", "200", 200},
		{`{"writes": [{"device": "mill1", "path": "int/override", "value": 90, "if_value": 200}], "deadline": "500ms"}`, "confirmed", "90", 200},
		{`{"writes": [{"device": "mill1", "path": "int/override", "value": 10}], "dry_run": true, "wait": true}`, "dry-run", "90", 200},
		{`{"writes": [{"device": "mill1", "path": "enum/switch", "value": "On"}]}`, "confirmed", "on", 200},
		{`{"writes": [{"device": "mill1", "path": "no/thanks", "value": 1}], "wait": true}`, "refused", "0", 200},
		{`{"writes": [{"device": "mill1", "path": "slow/confirm", "value": 1}, {"device": "mill1", "path": "bool/yes", "value": true}]}`, "sent", "", 202},
	} {
		w := into[Write](t, d.do("POST", api+"/writes", c.body), c.status)
		if w.Stage != c.stage || w.Final != (c.status == 200) || w.Who.Door != "http" || w.Who.Addr == "" {
			t.Errorf("%s: %+v", c.body, w)
		}
		if c.now == "" {
			continue
		}
		if got := text(t, d.do("GET", api+"/devices/mill1/value?format=text&path="+w.Items[0].Path, "")); got != c.now+"\n" {
			t.Errorf("%s: now %q", c.body, got)
		}
		if again := into[Write](t, d.do("GET", api+"/writes/"+w.ID, ""), 200); again.Seq != w.Seq {
			t.Errorf("%s: by id %+v", c.body, again)
		}
	}
	all := into[WriteList](t, d.do("GET", api+"/writes", ""), 200)
	if len(all.Writes) != 7 || all.Seq != all.Writes[6].Seq {
		t.Errorf("the log has %d", len(all.Writes))
	}
	part := into[WriteList](t, d.do("GET", api+"/writes?device=mill1&max=2&since=2", ""), 200)
	if len(part.Writes) != 2 || part.Writes[0].ID != all.Writes[1].ID {
		t.Errorf("got %+v", part)
	}
	c := into[Write](t, d.do("POST", api+"/devices/mill1/commands", `{"path": "flush", "args": {"side": "on"}}`), 200)
	if c.Stage != "acknowledged" || !c.Final || !c.Items[0].Command || c.Items[0].Args[0] != "on" || c.Items[0].Now != "flushed" {
		t.Errorf("got %+v", c)
	}
}

func TestWaitForTheOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, Config{})
		const body = `{"writes": [{"device": "mill1", "path": "slow/confirm", "value": 5}], "wait": true}`
		go func() {
			time.Sleep(time.Second)
			d.gw.Release()
		}()
		start := time.Now()
		if w := into[Write](t, d.do("POST", api+"/writes", body), 200); w.Stage != "confirmed" || time.Since(start) != time.Second {
			t.Errorf("%+v after %v", w, time.Since(start))
		}
		// A gateway that never ends a write does not hold the request for ever.
		if w := into[Write](t, d.do("POST", api+"/writes", body), 202); w.Stage != "sent" || w.Final {
			t.Errorf("got %+v", w)
		}
	})
}

// The client that asked goes away: its waiting ends, the write does not.
func TestCancelledRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, Config{})
		ctx, cancel := context.WithCancel(t.Context())
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "http://localhost"+api+"/writes",
			strings.NewReader(`{"writes": [{"device": "mill1", "path": "slow/confirm", "value": 6}], "wait": true}`))
		r.Header.Set("Content-Type", "application/json")
		done := make(chan struct{})
		go func() {
			d.s.Handler().ServeHTTP(httptest.NewRecorder(), r)
			close(done)
		}()
		synctest.Wait()
		cancel()
		start := time.Now()
		<-done
		if time.Since(start) != 0 {
			t.Error("a request that nobody waits for goes on")
		}
		if err := d.gw.WriteContexts()[0].Err(); err != nil {
			t.Errorf("the write was cancelled: %v", err)
		}
		d.gw.Release()
		if got := text(t, d.do("GET", api+"/devices/mill1/value?format=text&path=slow/confirm", "")); got != "6\n" {
			t.Errorf("now %q", got)
		}
	})
}
