package simulate

import (
	"bytes"
	"encoding/json"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/patchbay-io/patchbay/protocol/fc2/fc2server"
	"github.com/patchbay-io/patchbay/protocol/fc2/fc2sim"
)

// The screen shows everybody who asks, each with buttons of his own, and the code; a click is about the one it was made for.
func TestFC2Page(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := fc2sim.New(fc2sim.Options{})
		page := FC2Page(sim)
		do := func(method, path string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			page.ServeHTTP(w, httptest.NewRequest(method, path, http.NoBody))
			return w
		}
		want := func(method, path string, status int) *httptest.ResponseRecorder {
			t.Helper()
			w := do(method, path)
			if w.Code != status {
				t.Errorf("%s %s: %d %s, want %d", method, path, w.Code, w.Body, status)
			}
			return w
		}
		prompt := func() (p fc2Prompt) {
			t.Helper()
			if err := json.Unmarshal(want("GET", "/api/prompt", http.StatusOK).Body.Bytes(), &p); err != nil {
				t.Fatal(err)
			}
			return p
		}
		ask := func(id uint64, name string) chan bool {
			answer := make(chan bool, 1)
			go func() {
				ok, err := sim.Approve(t.Context(), fc2server.Request{ID: id, Name: name, Addr: "192.0.2.10:40000"})
				answer <- ok && err == nil
			}()
			synctest.Wait()
			return answer
		}

		if p := prompt(); p.Asks != nil || p.State != "ready" || len(p.ServerKey) != 64 {
			t.Errorf("%+v", p)
		}
		want("POST", "/api/approve", http.StatusConflict)
		want("GET", "/api/code.png", http.StatusNotFound)
		stranger, phone := ask(1, "<b>stranger"), ask(2, "phone")
		if p := prompt(); p.Asks == nil || p.Asks.Name != "<b>stranger" || len(p.Behind) != 1 || p.Behind[0].ID != 2 {
			t.Errorf("%+v", p)
		}
		screen := do("GET", "/").Body.String()
		for _, part := range []string{"&lt;b&gt;stranger", "phone", `action="api/approve?id=1"`, `action="api/deny?id=2"`, "192.0.2.10:40000"} {
			if !strings.Contains(screen, part) {
				t.Errorf("the screen has no %s:\n%s", part, screen)
			}
		}
		want("POST", "/api/approve?id=one", http.StatusConflict)
		want("POST", "/api/approve?id=3", http.StatusConflict)
		want("POST", "/api/approve?id=2", http.StatusNoContent)
		want("POST", "/api/approve?id=2", http.StatusConflict)
		want("POST", "/api/deny", http.StatusNoContent)
		if !<-phone || <-stranger {
			t.Error("the clicks were taken for others")
		}

		hide := sim.Show(fc2server.Request{ID: 2, Name: "phone"}, []byte{0xab, 0xcd})
		if p := prompt(); p.CodeFor == nil || p.CodeFor.Name != "phone" || p.Code != "abcd" {
			t.Errorf("%+v", p)
		}
		if screen := do("GET", "/").Body.String(); !strings.Contains(screen, "abcd") || !strings.Contains(screen, `action="api/deny?id=2"`) {
			t.Errorf("no code on the screen:\n%s", screen)
		}
		if _, err := png.Decode(bytes.NewReader(want("GET", "/api/code.png", http.StatusOK).Body.Bytes())); err != nil {
			t.Error(err)
		}
		hide()
		want("GET", "/api/code.png", http.StatusNotFound)
	})
}
