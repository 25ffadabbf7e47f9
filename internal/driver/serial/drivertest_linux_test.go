package serial

import (
	"io"
	"testing"

	"github.com/creack/pty"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/drivertest"
	"github.com/patchbay-io/patchbay/internal/tty"
)

// The driver passes what of the suite makes sense without a network, in real time over PTYs whose far end echoes.
func TestSuite(t *testing.T) {
	if m, s, err := pty.Open(); err != nil {
		t.Skipf("no PTY here: %v", err)
	} else {
		m.Close()
		s.Close()
	}
	drivertest.Run(t, drivertest.Target{
		Driver: New(), URL: "serial:/dev/null", Real: true,
		Groups: []string{"describe", "read", "watch", "interest", "streams"},
		Far: func(t *testing.T) drivertest.Far {
			p, err := tty.NewPTY("")
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				io.Copy(p.Master, onlyReader{p.Master}) // a plug that joins what is sent to what is received
			}()
			t.Cleanup(func() {
				p.Close() // ends the plug, in the middle of a write too
				<-done
			})
			return drivertest.Far{URL: "serial:" + p.Name()}
		},
		Points: []driver.Write{{Path: "ports/1/state", Value: device.OfEnum(0)}, {Path: "ports/1/bytes-in", Value: device.OfInt(0)},
			{Path: "ports/1/errors/parity", Value: device.OfInt(0)}},
		Echo: "ports/1", Line: driver.Line{Baud: 115200, Data: 8, HalfStops: 2, Parity: 'N', Flow: driver.FlowNone},
		Except: map[string]string{
			"streams/set": "the kernel keeps a PTY at 8 bits without parity, whatever it is told; TestPort sets what a PTY has",
		},
	})
}

// onlyReader hides that a file can be copied from by the kernel.
type onlyReader struct{ io.Reader }
