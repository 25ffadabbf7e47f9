//go:build !linux

package driver

import "time"

// giveUp does nothing: these systems have no such setting.
func giveUp(uintptr, time.Duration) {}

// share does nothing: Windows gives what is sent to everybody to a socket at one address, and the others have no such socket.
func share(uintptr) error { return nil }
