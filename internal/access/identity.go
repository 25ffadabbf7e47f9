package access

import (
	"slices"
	"strings"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
)

// How somebody was recognised.
const (
	ViaOpen    = "open"    // nobody is configured
	ViaSession = "session" // the page
	ViaToken   = "token"   // a program
)

// Identity is somebody who was recognised, as configuration said at that moment. It is not changed afterwards.
type Identity struct {
	Name     string // of the user or token; empty when access is open
	Role     Role
	Via      string
	Writable []string // patterns DEVICE/PATH that narrow what may be written
	Limited  bool     // Writable counts; else everything that the devices allow
	Expires  time.Time

	stored string // the password hash that was checked by Login
	ended  <-chan struct{}
	hold   func() (release func())
}

// Ended is closed when the identity is no longer good: signed out, removed from the configuration, or superseded because
// users were configured at last. Time alone does not close it; see Expires, which is zero when there is no limit.
func (id *Identity) Ended() <-chan struct{} { return id.ended }

// Hold keeps a session from expiring for being idle until release is called: a stream of events is open. release is
// idempotent.
func (id *Identity) Hold() (release func()) {
	if id.hold == nil {
		return func() {}
	}
	return id.hold()
}

// MayWrite reports whether the identity may write a point, or perform a command, of that hazard, as far as it is about
// the identity: the device's own configuration counts besides. A pattern with a wildcard never grants a hazard point.
func (id *Identity) MayWrite(dev string, path device.Path, hazard string) bool {
	switch {
	case id.Role < Operator:
		return false
	case id.Role == Admin || !id.Limited:
		return true
	}
	return slices.ContainsFunc(id.Writable, func(pattern string) bool {
		return (hazard != device.HazardMove || !strings.Contains(pattern, "*")) && matches(pattern, dev, path)
	})
}

// matches fits a pattern DEVICE/PATH; DEVICE may be "*", and "*" alone is everything.
func matches(pattern, dev string, path device.Path) bool {
	if pattern == "*" || pattern == "**" {
		return true
	}
	of, rest, ok := strings.Cut(pattern, "/")
	return ok && (of == "*" || of == dev) && path.Match(rest)
}
