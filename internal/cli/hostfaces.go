package cli

import (
	"errors"

	"github.com/patchbay-io/patchbay/internal/config"
	"github.com/patchbay-io/patchbay/internal/driver"
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
	return aes70.New(aes70.Config{Tree: h.gateway.Tree(), Writes: h.gateway, Gate: h.gateway.Gate(aes70.Name), Log: h.log})
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
