//go:build !linux

package simulate

import (
	"context"
	"errors"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmserver"
)

var errNoPTY = errors.New("terminals for other programs exist on Linux only")

// ptyEndOf says what to use instead.
func ptyEndOf(link string) (dmserver.Backend, func(context.Context) error, error) {
	return nil, nil, &driver.Error{Op: "pty", Target: link, Class: driver.Unsupported, Err: errNoPTY,
		Hint: "use serial:PORT with one end of a pair of virtual serial ports, such as com0com makes"}
}
