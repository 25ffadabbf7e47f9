package fc2server

import (
	"fmt"
	"testing"
	"time"
)

// An address may ask so often at once and so often in the long run; only so many addresses are remembered, and those that have not asked
// for long are not.
func TestRates(t *testing.T) {
	const every, burst = 10 * time.Second, 3
	var m rates
	now := time.Unix(1000, 0)
	take := func(host string, want bool) {
		t.Helper()
		if got := m.take(host, now, every, burst); got != want {
			t.Errorf("%s at %v: %v", host, now.Sub(time.Unix(1000, 0)), got)
		}
	}
	for range burst {
		take("a", true)
	}
	take("a", false)
	take("b", true)
	now = now.Add(every - time.Millisecond)
	take("a", false)
	now = now.Add(time.Millisecond)
	take("a", true)
	take("a", false)
	now = now.Add(time.Hour)
	for range burst {
		take("a", true)
	}
	take("a", false)
	for i := range maxHosts - 1 {
		take(fmt.Sprint("host ", i), true)
	}
	if len(m) != maxHosts {
		t.Errorf("%d addresses are remembered", len(m))
	}
	take("one more", false)
	now = now.Add(every)
	take("one more", true)
	if len(m) != 2 { // a has two to get back
		t.Errorf("%d addresses are remembered", len(m))
	}
}
