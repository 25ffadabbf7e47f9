package serving_test

import (
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/patchbay-io/patchbay/internal/driver/serving"
)

func TestNetworks(t *testing.T) {
	for _, c := range []struct {
		text, addr string
		hold       bool
	}{
		{"192.0.2.10", "192.0.2.10:5", true},
		{"192.0.2.10", "192.0.2.11:5", false},
		{"192.0.2.10", "[::ffff:192.0.2.10]:5", true},
		{"192.0.2.77/24", "192.0.2.1:5", true}, // the host part is left out
		{"[192.0.2.10, 198.51.100.0/24]", "198.51.100.3:5", true},
		{"192.0.2.10, 198.51.100.0/24", "198.51.100.3:5", true},
		{"2001:db8::/32", "[2001:db8::1]:5", true},
		{"fe80::/10", "[fe80::1%eth0]:5", true},
		{"fe80::/10", "192.0.2.1:5", false},
		{"192.0.2.10", "192.0.2.10", false}, // no port: no address of a connection
		{"[]", "192.0.2.10:5", false},
	} {
		var n serving.Networks
		if err := yaml.Unmarshal([]byte(c.text), &n); err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if n.Hold(c.addr) != c.hold || n.Admit(c.addr) != (c.hold || len(n) == 0) {
			t.Errorf("%s and %s: hold %v, admit %v", c.text, c.addr, n.Hold(c.addr), n.Admit(c.addr))
		}
		again, err := yaml.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		var same serving.Networks
		if err := yaml.Unmarshal(again, &same); err != nil || same.Hold(c.addr) != c.hold {
			t.Errorf("%s became %s: %v", c.text, again, err)
		}
	}
	for _, text := range []string{"somewhere", "192.0.2.0/33", "[192.0.2.1, x]", "{a: b}"} {
		var n serving.Networks
		if err := yaml.Unmarshal([]byte(text), &n); err == nil || !strings.Contains(err.Error(), "192.0.2.10") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestCheckListen(t *testing.T) {
	for addr, want := range map[string]bool{"127.0.0.1:0": true, "localhost:1": true, "[::1]:80": true, ":80": false, "0.0.0.0:80": false, "desk:80": false} {
		if loopback, err := serving.CheckListen("listen", addr, 4606); err != nil || loopback != want {
			t.Errorf("%s: %v %v", addr, loopback, err)
		}
	}
	for _, addr := range []string{"", "127.0.0.1", "127.0.0.1:http", "127.0.0.1:65536"} {
		if _, err := serving.CheckListen("ws", addr, 4606); err == nil || !strings.Contains(err.Error(), "ws: ") || !strings.Contains(err.Error(), "127.0.0.1:4606") {
			t.Errorf("%q: %v", addr, err)
		}
	}
	for n, ok := range map[int]bool{0: false, 1: true, 16: true, 17: false} {
		if err := serving.CheckClients(n, 16); (err == nil) != ok {
			t.Errorf("%d: %v", n, err)
		}
	}
}
