// Package drivertest is the conformance suite that every driver passes: a [Target] says how to make the driver and its far
// end, [Run] holds the driver against the contract in named subtests.
//
// Everything runs in simulated time over a network in memory, each subtest in a testing/synctest bubble of its own with a far
// end of its own, so timeouts of minutes take no time and a goroutine that is left behind is found. Against a real device
// (Target.Real) the groups that only read run in real time.
//
// To add a test, write a func(*world), and add it to the table of its group; the name is what Target.Except uses.
package drivertest

import (
	"context"
	"net"
	"net/url"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// Target describes a driver and its far end.
type Target struct {
	Driver driver.Driver
	// URL of the device; its host and port are where the far end listens. "focas://192.0.2.10:8193" when it is simulated.
	URL string
	// Options makes the filled options of the device; nil: the driver's defaults.
	Options func() any
	// Far makes a far end for one subtest. It runs inside the subtest's bubble.
	Far func(t *testing.T) Far
	// Points are some points whose values are known when the far end has just been made.
	Points []driver.Write
	// Writes are writes that the device takes, with values that differ from what is there. Empty: the write group is
	// skipped, which is right only when the driver cannot write.
	Writes []driver.Write
	// Refused is a write that the device itself refuses; nil: that test is skipped.
	Refused *driver.Write
	// BadLogin makes options with a login that the far end does not accept; nil: the device knows no login.
	BadLogin func() any
	// Keys is what the key store holds when a subtest begins, for a driver whose far end and server must know it already; nil:
	// nothing.
	Keys map[string][]byte
	// ServeOptions makes the options of the driver's native server that listens on the given address and lets Writes
	// through when the gate agrees; nil: the driver has none.
	ServeOptions func(listen string) any
	// Mute says that the protocol has no word for no: to its client, a write that a server refuses looks like any other that
	// nothing comes of.
	Mute bool
	// Echo is a stream whose far end sends back what it gets, and takes a bounded amount while nobody reads. Empty: the streams
	// group is skipped, which is right only when the driver has none.
	Echo device.Path
	// Taken is a stream that somebody else has; empty: that test is skipped.
	Taken device.Path
	// Line is what streams are opened with.
	Line driver.Line
	// Patience is how long the driver may take to notice that a peer is silent or gone; 0: a minute.
	Patience time.Duration
	// Groups are the groups to run; empty: all, or those that only read when Real. One that does more runs against a real
	// device when it is named here, without the checks that need the network in memory.
	Groups []string
	// Except are the subtests that this target cannot pass, "life/garbage", each with the reason.
	Except map[string]string
	// Real runs in real time over the real network against the device at URL, or what Far has made on this computer.
	Real bool
}

// Far is one far end and the handles that tests have on it. Nil handles skip the tests that need them.
type Far struct {
	// URL is where this far end is; empty: at Target.URL.
	URL string
	// Serve is the device, or ServePackets when the scheme of Target.URL is one of UDP. It blocks until ctx ends, and waits for
	// what it started. Nil together with Dial when the target is real.
	Serve        func(ctx context.Context, l net.Listener) error
	ServePackets func(ctx context.Context, p net.PacketConn) error
	// Dial replaces the network, for instance by the replay of a transcript.
	Dial driver.Opener[net.Conn]
	// Change makes the device change a point by itself, and returns which one and its new value.
	Change func() (device.Path, device.Value)
	// ChangeSpecs makes the device change its set of points.
	ChangeSpecs func()
	// ChangeLine makes the inputs of the line at Target.Echo change while it is open, and returns what they are then.
	ChangeLine func() driver.LineEvent
	// Received is how many bytes the far end of the stream at Target.Echo has got, all together.
	Received func() int
	// Writes is how many writes the device has carried out.
	Writes func() int
	// Done is asked at the end of the subtest; an error fails it.
	Done func() error
}

type check struct {
	name string
	run  func(*world)
}

type group struct {
	name   string
	reads  bool   // only reads, so that it may run against a real device
	faults bool   // disturbs the connection, so that it needs the network in memory
	over   string // "tcp" or "udp" when it fits one of them alone
	checks []check
}

func groups() []group {
	return []group{
		{"describe", true, false, "", describeChecks()},
		{"open", false, true, "", openChecks()},
		{"read", true, false, "", readChecks()},
		{"watch", true, false, "", watchChecks()},
		{"interest", true, false, "", interestChecks()},
		{"cancel", false, true, "", cancelChecks()},
		{"write", false, false, "", writeChecks()},
		{"streams", false, true, "", streamChecks()},
		{"life", false, true, "tcp", lifeChecks()},
		{"packets", false, true, "udp", packetChecks()},
		{"close", false, true, "", closeChecks()},
		{"limits", false, true, "tcp", limitChecks()},
		{"serve", false, true, "", serveChecks()},
		{"load", false, true, "", loadChecks()},
	}
}

// Run runs the suite as subtests named group/check.
func Run(t *testing.T, target Target) {
	t.Helper()
	if target.Patience == 0 {
		target.Patience = time.Minute
	}
	names := map[string]bool{}
	for _, g := range groups() {
		for _, c := range g.checks {
			names[g.name+"/"+c.name] = true
		}
		if len(target.Groups) > 0 && !slices.Contains(target.Groups, g.name) || target.Real && !g.reads && !slices.Contains(target.Groups, g.name) {
			continue
		}
		t.Run(g.name, func(t *testing.T) {
			if u, err := url.Parse(target.URL); err == nil && g.over != "" && schemeOf(target.Driver, u).Network != g.over {
				t.Skipf("it is about %s", g.over)
			}
			for _, c := range g.checks {
				t.Run(c.name, func(t *testing.T) {
					if reason := target.Except[g.name+"/"+c.name]; reason != "" {
						t.Skipf("known exception: %s", reason)
					}
					if target.Real {
						runWorld(t, target, c.run)
						return
					}
					synctest.Test(t, func(t *testing.T) { runWorld(t, target, c.run) })
				})
			}
		})
	}
	for name := range target.Except {
		if !names[name] {
			t.Errorf("exception %q names no check", name)
		}
	}
}
