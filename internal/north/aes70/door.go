package aes70

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
	"github.com/patchbay-io/patchbay/internal/oca"
)

// Name is what the door is called in the configuration, where it is a key of serve, and in the audit.
const Name = "aes70"

// Config is what the door needs.
type Config struct {
	Tree   north.Tree
	Writes north.Writes
	Gate   driver.Gate  // of this door; controllers have no logins
	Log    *slog.Logger // nil: none
	// Listen opens listeners; nil: the network of this machine.
	Listen driver.Opener[net.Listener]
	// Clients is where the controllers of a device are shown: a sink for points below device.ClientsRoot whose names begin with Name and a
	// hyphen, and what takes the performer of their commands. nil: they are not shown.
	Clients func(device string) (driver.Sink, func(driver.Commander))
	// TLS has the certificate of this gateway; nil: there is none, and no controller comes over TLS.
	TLS *tls.Config
	// Announce tells the local network; nil: it is told of nothing.
	Announce driver.Announcer
}

// Device is a device that controllers see, and how.
type Device struct {
	Name    string
	Options *oca.Options
}

// Door serves devices. Make it with [New], tell it the devices with [Door.Set], and call [Door.Run]. All methods may be called at the
// same time.
type Door struct {
	cfg   Config
	log   *slog.Logger
	faces *north.Offers[*oca.Options, *face]
}

// New makes a door; it starts nothing.
func New(cfg Config) *Door {
	d := &Door{cfg: cfg, log: cfg.Log}
	d.faces = north.NewOffers(d.newFace, func(ctx context.Context, f *face) { f.run(ctx) })
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	if d.cfg.Listen == nil {
		d.cfg.Listen = driver.Listen
	}
	return d
}

// Set makes devices what is served. Those that stay the same keep their controllers. It is called whenever the configuration may have
// changed anything of a device, which then has forgotten its controllers and is told of them again.
func (d *Door) Set(devices []Device) {
	next := map[string]*oca.Options{}
	for _, dev := range devices {
		next[dev.Name] = dev.Options
	}
	d.faces.Set(next)
	for _, f := range d.faces.All() {
		f.showClients()
	}
}

// Run serves until ctx ends, and returns nil when nothing of it is left. It may be called again then.
func (d *Door) Run(ctx context.Context) error {
	d.faces.Run(ctx)
	return nil
}

// Measures are what the door counts, for each device that it serves.
func (d *Door) Measures(yield func(north.Measure)) {
	for _, m := range [...]struct {
		name, help string
		counter    bool
		of         func(*face) float64
	}{
		{"aes70_controllers", "AES70 controllers that are connected to a device of any driver", false, func(f *face) float64 { return float64(f.clients.Len()) }},
		{"aes70_changes_total", "Changes that AES70 controllers asked for and that were carried out", true, func(f *face) float64 { return float64(f.carried.Load()) }},
		{"aes70_refused_total", "Changes that AES70 controllers asked for and that were not carried out", true, func(f *face) float64 { return float64(f.refused.Load()) }},
	} {
		for name, f := range d.faces.All() {
			yield(north.Measure{Name: m.name, Help: m.help, Counter: m.counter, Labels: []north.MeasureLabel{{Key: "device", Value: name}}, Value: m.of(f)})
		}
	}
}
