package serving

import (
	"fmt"
	"slices"
	"strings"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// Points are patterns of the points that programs may change, as in writable: outputs/*.
type Points []string

// Allow reports whether a point is among them. A wildcard never lets a point through that moves a machine; those are named
// one by one.
func (p Points) Allow(path device.Path, hazard string) bool {
	return slices.ContainsFunc(p, func(pattern string) bool {
		return path.Match(pattern) && (hazard != device.HazardMove || !strings.Contains(pattern, "*"))
	})
}

// NotAllowed is the refusal of what they do not hold. who is what a client is called: "program".
func NotAllowed(dev, who string, path device.Path) error {
	return &driver.Error{Op: "forward", Target: dev, Class: driver.Auth, Err: fmt.Errorf("a %s may not change %s", who, path),
		Hint: fmt.Sprintf("add it to the device's section to allow it: devices.%s.serve.allow: [%s]", dev, path)}
}
