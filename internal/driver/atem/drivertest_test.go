package atem

import (
	"testing"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/drivertest"
	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/atem/atemserver"
)

// fromMemory is why the checks that interrupt a Read do not concern these drivers.
const fromMemory = "a switcher pushes: Read gives what it has said last and asks nothing"

// suite is what the switcher of the tests has, whatever carries it.
func suite(d driver.Driver, url string) drivertest.Target {
	return drivertest.Target{
		Driver: d,
		URL:    url,
		Points: []driver.Write{
			{Path: "me/1/program", Value: device.OfEnum(1)},
			{Path: "me/1/preview", Value: device.OfEnum(2)},
			{Path: "inputs/1/tally", Value: device.OfEnum(tallyProgram)},
			{Path: "inputs/3/tally", Value: device.OfEnum(tallyOff)},
			{Path: "identity/model", Value: device.OfString("ATEM Example")},
		},
		Writes: []driver.Write{
			{Path: "me/1/preview", Value: device.OfEnum(3)},
			{Path: "me/1/program", Value: device.OfEnum(2)},
			{Path: "me/1/transition/rate", Value: device.OfInt(50)},
			{Path: "aux/1/source", Value: device.OfEnum(3)},
			{Path: "inputs/2/name", Value: device.OfString("Stage left")},
			{Path: "audio/1/gain", Value: device.OfFloat(-50.05)},
		},
		Refused: &driver.Write{Path: "inputs/2/label", Value: device.OfString("too long")},
		Except:  map[string]string{"cancel/during": fromMemory, "close/during-read": fromMemory},
	}
}

func handles(f *far) drivertest.Far {
	return drivertest.Far{
		ServePackets: f.servePackets,
		Serve:        f.serveRelay,
		Change: func() (device.Path, device.Value) {
			f.say(&atem.PreviewSource{Source: 0})
			return "me/1/preview", device.OfEnum(0)
		},
		ChangeSpecs: func() {
			f.say(&atem.Topology{MEs: 1, Sources: 4, DSKs: 0, Auxes: 1, MediaPlayers: 1})
		},
		Writes: func() int { return int(f.writes.Load()) },
	}
}

// served are the options of a server that lets everything through.
func served(at func(o *ServeOptions, listen string)) func(listen string) any {
	return func(listen string) any {
		o := serveDefaults()
		at(o, listen)
		o.Allow, _ = ParseCommands([]string{"*"})
		o.From = network("192.0.2.0/24")
		return o
	}
}

// The driver over UDP against a switcher.
func TestDriver(t *testing.T) {
	target := suite(New(), "atem://192.0.2.10")
	target.Far = func(*testing.T) drivertest.Far { return handles(newFar(atemserver.Options{})) }
	target.Mute = true
	target.ServeOptions = served(func(o *ServeOptions, listen string) { o.ATEM = listen })
	drivertest.Run(t, target)
}

// The driver over the relay against the same switcher.
func TestRelay(t *testing.T) {
	target := suite(NewRelay(), "openswitcher://operator@192.0.2.10/device")
	login := func(password string) func() any {
		return func() any {
			o := relayDefaults()
			o.Password = driver.NewSecret(password)
			return o
		}
	}
	target.Mute = true
	target.ServeOptions = served(func(o *ServeOptions, listen string) { o.ATEM, o.OpenSwitcher = "", listen })
	target.Options, target.BadLogin = login("on air"), login("off air")
	target.Far = func(*testing.T) drivertest.Far { return handles(newFar(atemserver.Options{})) }
	drivertest.Run(t, target)
}
