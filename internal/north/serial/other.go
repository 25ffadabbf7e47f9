//go:build !linux

package serial

import (
	"context"
	"errors"
	"net"
	"runtime"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
)

// setUserTimeout does nothing: this system has no such setting.
func setUserTimeout(*net.TCPConn, time.Duration) {}

// ErrNoPTY is why there is no PTY.
var ErrNoPTY = errors.New("PTYs whose settings can be followed are there on Linux only")

// servePTY says that there is none.
func (o *offer) servePTY(ctx context.Context) error {
	o.log.Error("the serial port is not offered", "as", "pty", "error", CheckPTY(), "hint", driver.HintOf(CheckPTY()))
	<-ctx.Done()
	return nil
}

// CheckPTY says why a PTY cannot be had on this system.
func CheckPTY() error {
	hint := "offer the port as raw, and let socat make the PTY: socat pty,link=/tmp/instrument,raw,echo=0 TCP:HOST:PORT"
	if runtime.GOOS == "windows" {
		hint = "offer the port as rfc2217, and let hub4com with com0com make a COM port of it"
	}
	return &driver.Error{Op: "pty", Target: runtime.GOOS, Class: driver.Unsupported, Err: ErrNoPTY,
		Hint: hint + "; programs such as those with pyserial open rfc2217://HOST:PORT themselves"}
}
