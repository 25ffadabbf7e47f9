package rfc2217

import (
	"strings"
	"syscall"
	"testing"

	"github.com/patchbay-io/patchbay/internal/driver"
)

func TestARefusedPortIsExplained(t *testing.T) {
	err := wrap("open", "192.0.2.31:4001", syscall.ECONNREFUSED)
	if driver.ClassOf(err) != driver.RefusedConn || !strings.Contains(driver.HintOf(err), "TCP port of its own") {
		t.Errorf("%v: %q", err, driver.HintOf(err))
	}
	if wrap("open", "192.0.2.31:4001", nil) != nil {
		t.Error("no error became one")
	}
}
