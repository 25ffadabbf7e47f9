package gateway

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
)

// showing are the options of a server that shows other devices too.
type showing struct{ others []string }

func (s *showing) Shows() []string { return s.others }

// showingToy has such a server.
type showingToy struct{ *servingToy }

func (showingToy) ServeOptions() any { return new(showing) }

func (s showingToy) Serve(ctx context.Context, env driver.ServeEnv, _ any) error {
	up := env.Upstreams[1]
	for {
		_, gone, err := up.Session(ctx)
		if err != nil {
			return ctx.Err()
		}
		s.note("up " + up.Name())
		select {
		case <-gone:
			s.note("gone")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// A server gets the sessions of the other devices that its options name, also when those are configured anew.
func TestServerShowsAnotherDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := showingToy{&servingToy{toy: newToy()}}
		front := conf("m", s)
		front.Serve, front.ServeSection = &showing{[]string{"n"}}, "a"
		other := conf("n", newToy())
		g, stop := running(t, front, other)
		synctest.Wait()
		s.want(t, "up n")
		other.Section += " changed"
		if err := g.SetDevices([]DeviceConfig{front, other}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		time.Sleep(time.Second)
		s.want(t, "gone", "up n")
		// A name that stands for nothing is told where people look for the clients.
		if err := g.SetDevices([]DeviceConfig{front}); err != nil {
			t.Fatal(err)
		}
		front.ServeSection = "b"
		if err := g.SetDevices([]DeviceConfig{front}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if v := sample(t, g, "m", "_clients/error").Value; !strings.Contains(v.Str(), `"n" is no other device`) {
			t.Errorf("%v", v)
		}
		stop()
	})
}
