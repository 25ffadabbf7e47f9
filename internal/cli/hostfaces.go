package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"strings"

	"github.com/patchbay-io/patchbay/internal/config"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/mdns"
	"github.com/patchbay-io/patchbay/internal/north/aes70"
	"github.com/patchbay-io/patchbay/internal/oca"
)

// faces are the ways to serve devices of several drivers.
func faces() []config.Face {
	return []config.Face{{
		Name: aes70.Name, Doc: "lets AES70 (OCA) controllers see this device as a tree of objects",
		Options: func() any { return oca.Defaults() },
		Fits: func(d driver.Info) error {
			switch {
			case d.Name == aes70.Name:
				return errors.New("AES70 controllers connect to an aes70 device with the keys of serve itself; write serve: {listen: 127.0.0.1:65000}")
			case d.Panel != "audio":
				return errors.New("this is for audio devices")
			}
			return nil
		},
	}}
}

// newAES70Door makes the door of AES70 controllers.
func (h *host) newAES70Door() *aes70.Door {
	return aes70.New(aes70.Config{Tree: h.gateway.Tree(), Writes: h.gateway, Gate: h.gateway.Gate(aes70.Name), Log: h.log, TLS: h.security.tls,
		Announce: h.announce, Clients: func(dev string) (driver.Sink, func(driver.Commander)) { return h.gateway.Clients(dev, aes70.Name) }})
}

// newResponder makes what tells the local network of servers. Its name is not the computer's own, which belongs to the responder of the
// system.
func newResponder(log *slog.Logger) *mdns.Responder {
	name := "patchbay"
	if host, err := os.Hostname(); err == nil {
		short, _, _ := strings.Cut(host, ".")
		name += "-" + short
	}
	return mdns.New(mdns.Options{Host: name, Log: log})
}

// announce is a driver.Announcer.
func (h *host) announce(ctx context.Context, a driver.Announcement) error {
	at, err := netip.ParseAddrPort(a.Addr.String())
	if err != nil {
		return fmt.Errorf("announce %s: %w", a.Instance, err)
	}
	return h.responder.Announce(ctx, mdns.Service{Type: a.Type, Instance: a.Instance, Addr: at, Text: a.Text})
}

// facesOf are the devices that AES70 controllers see.
func facesOf(c *config.Config) []aes70.Device {
	var out []aes70.Device
	for i := range c.Devices {
		if o, ok := c.Devices[i].Faces[aes70.Name].(*oca.Options); ok {
			out = append(out, aes70.Device{Name: c.Devices[i].Name, Options: o})
		}
	}
	return out
}
