package devicemaster

import (
	"fmt"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmclient"
)

// Options of a devicemaster device. The zero value is not usable; start from [Driver.Options].
type Options struct {
	Line        string        `yaml:"line" doc:"settings of a port that nobody has set otherwise, such as 9600n81"`
	Flow        string        `yaml:"flow" jsonschema:"enum=none,enum=rts-cts,enum=xon-xoff" doc:"flow control of such a port: none, rts-cts or xon-xoff"`
	Mode        string        `yaml:"mode" jsonschema:"enum=rs-232,enum=rs-422,enum=rs-485,enum=rs-485-slave,enum=rs-485-master" doc:"transceivers of such a port: rs-232, rs-422, rs-485, rs-485-slave or rs-485-master"`
	Raise       bool          `yaml:"raise" doc:"RTS and DTR are raised for whoever opens a port to use it, as the maker's drivers do; false: only when somebody names them"`
	Idle        time.Duration `yaml:"idle" jsonschema:"type=string" doc:"the box tells when a line was silent for so long; 0 is never"`
	ScanPeriod  int           `yaml:"scan_period" doc:"how often the box looks at its ports, in milliseconds, 1 to 255; less is quicker and loads the box"`
	LinkTimeout time.Duration `yaml:"link_timeout" jsonschema:"type=string" doc:"a box that answers no ping for so long is gone; the box gives our ports to others after the same time"`
	Timeout     time.Duration `yaml:"timeout" jsonschema:"type=string" doc:"longest wait for the connection and each answer at its start"`
}

func defaults() *Options {
	return &Options{Line: "9600n81", Flow: "none", Mode: "rs-232", Raise: true, ScanPeriod: dmclient.DefaultScanPeriod, LinkTimeout: dmclient.DefaultLinkTimeout,
		Timeout: dmclient.DefaultTimeout}
}

// Validate says what is wrong with the options and what would be right.
func (o *Options) Validate() error {
	l, err := driver.ParseLine(o.Line)
	if err != nil {
		return fmt.Errorf("line: %w", err)
	}
	if l.Data != 0 {
		if _, ok := devicemaster.Format(l.Data, l.Parity, l.HalfStops/2); !ok || l.HalfStops%2 != 0 {
			return fmt.Errorf("line: a DeviceMaster has no %s; it has 7 or 8 data bits, parity n, e or o, and 1 or 2 stop bits", l.Format())
		}
	}
	if _, ok := flowOf(o.Flow); !ok {
		return fmt.Errorf("flow: %q is none of none, rts-cts, xon-xoff", o.Flow)
	}
	if _, ok := modeOf(o.Mode); !ok {
		return fmt.Errorf("mode: %q is none of rs-232, rs-422, rs-485, rs-485-slave, rs-485-master", o.Mode)
	}
	switch {
	case o.ScanPeriod < 1 || o.ScanPeriod > 255:
		return fmt.Errorf("scan_period: %d is out of range; give 1 to 255 milliseconds", o.ScanPeriod)
	case o.LinkTimeout < 2*time.Second || o.LinkTimeout > 24*time.Hour:
		return fmt.Errorf("link_timeout: %v is out of range; give 2s to 24h", o.LinkTimeout)
	case o.Timeout < 100*time.Millisecond || o.Timeout > time.Minute:
		return fmt.Errorf("timeout: %v is out of range; give 100ms to 1m", o.Timeout)
	case o.Idle < 0 || o.Idle > time.Hour:
		return fmt.Errorf("idle: %v is out of range; give 0s to 1h", o.Idle)
	}
	return nil
}

// settings are those of a port that nobody has set otherwise; the options are valid.
func (o *Options) settings() dmclient.Settings {
	line, chars, idle := devicemaster.LineSettings(0), devicemaster.DefaultChars(), uint32(o.Idle.Milliseconds())
	s := dmclient.Settings{Baud: 9600, Line: &line, Mode: devicemaster.RS232, Chars: &chars, Idle: &idle}
	l, err := driver.ParseLine(o.Line)
	if err == nil {
		l.Mode = o.Mode
		l.Flow, _ = flowOf(o.Flow)
		s, _ = merge(s, l)
	}
	return s
}

func flowOf(name string) (driver.Flow, bool) {
	for _, f := range []driver.Flow{driver.FlowNone, driver.FlowXonXoff, driver.FlowRtsCts} {
		if f.String() == name {
			return f, true
		}
	}
	return driver.FlowAsIs, false
}

// modes are the electrical modes; their places are the values of the mode points.
var modes = [...]devicemaster.Mode{devicemaster.RS232, devicemaster.RS422, devicemaster.RS485, devicemaster.RS485Slave, devicemaster.RS485Master}

func modeOf(name string) (devicemaster.Mode, bool) {
	for _, m := range modes {
		if m.String() == name {
			return m, true
		}
	}
	return 0, false
}
