package vectors

import "testing"

func TestLoad(t *testing.T) {
	vs, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if len(vs) != 236 {
		t.Errorf("%d exchanges, want all 236", len(vs))
	}
	names := map[string]bool{}
	for _, v := range vs {
		if names[v.Name()] {
			t.Errorf("two vectors are called %s", v.Name())
		}
		names[v.Name()] = true
		if len(v.Steps) < 2 || !v.Steps[0].Request {
			t.Errorf("%s: %d frames, want a request and an answer at least", v.Name(), len(v.Steps))
		}
		if v.Call == "" || v.Version == 0 || v.Classic != (v.Version <= 2) {
			t.Errorf("%s: call %q, version %d, classic %v", v.Name(), v.Call, v.Version, v.Classic)
		}
	}
}
