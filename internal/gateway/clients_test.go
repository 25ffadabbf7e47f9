package gateway

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// porter performs the commands of a door's clients.
type porter struct{ done []device.Path }

func (p *porter) Do(_ context.Context, path device.Path, _ []device.Value) (device.Value, driver.Outcome) {
	p.done = append(p.done, path)
	return device.Value{}, driver.Outcome{Stage: driver.Acked}
}

// The clients of a door and those of the device's own server stand beside each other: neither takes the other's away, and a command goes
// to whom it belongs.
func TestClientsOfADoor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &servingToy{toy: newToy()}
		g, stop := running(t, servingConf(s, "a"))
		defer stop()
		synctest.Wait()
		p := &porter{}
		sink, commands := g.Clients("m", "mirror")
		tell := func() {
			commands(p)
			point := func(path device.Path) device.Spec {
				return device.Spec{Path: path, Kind: device.String, Access: device.R}
			}
			sink.Apply(&driver.Change{
				Specs:    []device.Spec{point("_clients/mirror-1/address"), point("_clients/1/name"), point("gain")},
				Samples:  []device.Sample{{Path: "_clients/mirror-1/address", Value: device.OfString("there"), Received: time.Now()}},
				Commands: []device.Command{{Path: "_clients/mirror-1/disconnect"}, {Path: "_clients/1/stop"}, {Path: "cut"}},
			})
		}
		shown := func() string {
			var out []string
			points, _ := g.Tree().Points(device.Filter{Devices: []string{"m"}, Under: []device.Path{device.ClientsRoot}})
			for _, x := range points {
				out = append(out, string(x.Spec.Path))
			}
			for _, c := range g.Tree().Commands("m") {
				if c.Path.Under(device.ClientsRoot) {
					out = append(out, string(c.Path))
				}
			}
			return strings.Join(out, " ")
		}
		want := func(when, text string) {
			t.Helper()
			if d := cmp.Diff(text, shown()); d != "" {
				t.Errorf("%s: %s", when, d)
			}
		}
		do := func(path device.Path) string {
			state, err := g.Do(t.Context(), tester, "m", path, nil, north.WriteOptions{Wait: true})
			if err != nil {
				return err.Error()
			}
			return stages(&state.Items[0])
		}

		tell()
		want("both", "_clients/1/address _clients/mirror-1/address _clients/1/disconnect _clients/mirror-1/disconnect")
		for _, path := range []device.Path{"_clients/mirror-1/disconnect", "_clients/1/disconnect"} {
			if got := do(path); got != "accepted sent acknowledged" {
				t.Errorf("%s: %s", path, got)
			}
		}
		if d := cmp.Diff([]device.Path{"_clients/mirror-1/disconnect"}, p.done); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]device.Path{"_clients/1/disconnect"}, s.done); d != "" {
			t.Error(d)
		}

		off := servingConf(s, "a")
		off.Serve, off.ServeSection = nil, ""
		set := func(c DeviceConfig) {
			t.Helper()
			if err := g.SetDevices([]DeviceConfig{c}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		set(off)
		want("without the server", "_clients/mirror-1/address _clients/mirror-1/disconnect")
		if got := do("_clients/mirror-1/disconnect"); got != "accepted sent acknowledged" {
			t.Errorf("without the server: %s", got)
		}
		set(servingConf(s, "a"))
		sink.Apply(&driver.Change{Gone: []device.Path{device.ClientsRoot}, Commands: []device.Command{}})
		want("without the door", "_clients/1/address _clients/1/disconnect")

		tell()
		other := servingConf(s, "a")
		other.Section = "another"
		set(other)
		tell() // who keeps a door tells everything again
		want("configured anew", "_clients/1/address _clients/mirror-1/address _clients/1/disconnect _clients/mirror-1/disconnect")
		if got := do("_clients/mirror-1/disconnect"); got != "accepted sent acknowledged" {
			t.Errorf("configured anew: %s", got)
		}
		if err := g.SetDevices(nil); err != nil {
			t.Fatal(err)
		}
		tell() // and nothing happens to a device that is not there
	})
}
