package aes70

import (
	"fmt"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/oca"
)

// ServeOptions are those of the server that AES70 controllers connect to. Start from [Driver.ServeOptions].
type ServeOptions = oca.Options

func serveDefaults() *ServeOptions { return oca.Defaults() }

func notAllowed(dev string, path device.Path) error {
	return &driver.Error{Op: "forward", Target: dev, Class: driver.Auth, Err: fmt.Errorf("a controller may not change %s", path),
		Hint: fmt.Sprintf("add it to the device's section to allow it: devices.%s.serve.allow: [%s]", dev, path)}
}
