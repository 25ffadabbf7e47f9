package dmsim

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmserver"
)

// Instrument is a thermometer that says its reading once a second and answers the questions *IDN?, MEAS?, UNIT? and
// SYST:ERR?. The reading goes slowly up and down.
func Instrument() dmserver.Backend {
	reading := func() string {
		return fmt.Sprintf("%+.2f", 21.5+2.5*math.Sin(float64(time.Now().UnixMilli())/60e3))
	}
	return Script{
		Every: time.Second,
		Say:   func(n int) string { return fmt.Sprintf("%05d;%s;C\r\n", n, reading()) },
		Answer: func(line string) string {
			switch strings.ToUpper(strings.TrimSpace(line)) {
			case "*IDN?":
				return "PATCHBAY,SIMULATED THERMOMETER,0,1.0\r\n"
			case "MEAS?":
				return reading() + "\r\n"
			case "UNIT?":
				return "C\r\n"
			case "SYST:ERR?":
				return "0,\"No error\"\r\n"
			}
			return "-113,\"Undefined header\"\r\n"
		},
	}
}
