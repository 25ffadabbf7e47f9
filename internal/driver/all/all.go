// Package all is the explicit list of drivers. Adding one here makes it known to configuration, command line and gateway.
package all

import (
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/aes70"
	"github.com/patchbay-io/patchbay/internal/driver/atem"
	"github.com/patchbay-io/patchbay/internal/driver/devicemaster"
	"github.com/patchbay-io/patchbay/internal/driver/fc2"
	"github.com/patchbay-io/patchbay/internal/driver/fcxml"
	"github.com/patchbay-io/patchbay/internal/driver/focas"
	"github.com/patchbay-io/patchbay/internal/driver/is12"
	"github.com/patchbay-io/patchbay/internal/driver/rfc2217"
	"github.com/patchbay-io/patchbay/internal/driver/serial"
)

// Drivers lists every driver, in the order in which help and errors name them.
func Drivers() []driver.Driver {
	return []driver.Driver{focas.New(), atem.New(), atem.NewRelay(), fcxml.New(), fc2.New(), aes70.New(), is12.New(), devicemaster.New(), rfc2217.New(), serial.New()}
}
