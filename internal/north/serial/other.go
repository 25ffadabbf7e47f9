//go:build !linux

package serial

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
)

// setUserTimeout does nothing: this system has no such setting.
func setUserTimeout(*net.TCPConn, time.Duration) {}

// ErrNoPTY is why there is no PTY.
var ErrNoPTY = errors.New("PTYs with settings that can be followed exist on Linux only")

func (o *offer) servePTY(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// CheckPTY says why a PTY cannot be had on this system.
func CheckPTY() error {
	return &driver.Error{Op: "pty", Target: "this system", Class: driver.Unsupported, Err: ErrNoPTY,
		Hint: "use rfc2217 or raw instead: pyserial opens rfc2217://HOST:PORT, com0com with hub4com makes a COM port of it"}
}
