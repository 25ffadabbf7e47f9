package cli

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/lab/simulate"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmsim"
	"github.com/patchbay-io/patchbay/transcript"
)

// simDeviceMasterFlags are the flags of sim devicemaster.
type simDeviceMasterFlags struct {
	listen, discovery, layout, mac string
	paced                          bool
	state                          uint8
	vary, faults                   []string
	record                         string
}

func (a *app) simDeviceMasterCommand() *cobra.Command {
	var f simDeviceMasterFlags
	c := &cobra.Command{
		Use:   "devicemaster",
		Short: "Serve a simulated DeviceMaster with serial ports that talk to each other",
		Long: `Serve a simulated DeviceMaster serial server, until interrupted. The first line of standard output is the address for drivers,
the second that of discovery.

The layout says what hangs on each port, in order. 1 to 32 ports, each one of
  null              an end of a cable; the next null is the other end
  echo              sends back what it gets
  sink              takes everything and says nothing
  drain             takes everything as fast as its baud rate allows
  instrument        a thermometer that talks and answers *IDN?
  script:FILE       a device that talks and answers as FILE says, see docs/guide/devicemaster.md
  serial:/dev/tty…  a serial port of this computer (serial:COM3)
  pty:LINK          a terminal that other programs open as LINK (Linux)
  taken             another host has it
A real port is opened when a driver opens it. LINK is removed at the end, and nothing that is there is overwritten.

Boxes were seen to differ; --vary makes this one do so:
  ` + strings.Join(simulate.DeviceMasterVariationNames(), ", ") + `

Faults (--fault NAME or NAME=VALUE, may be repeated):
  ` + strings.Join(simulate.DeviceMasterFaultNames()[:8], ", ") + `,
  ` + strings.Join(simulate.DeviceMasterFaultNames()[8:], ", "),
		Example: `  patchbay sim devicemaster --layout null,null,instrument
  patchbay sim devicemaster --layout serial:/dev/ttyUSB0,pty:/tmp/instrument
  patchbay sim devicemaster --paced --fault split=1 --record session.transcript`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.simDeviceMaster(cmd.Context(), f) },
	}
	fl := c.Flags()
	fl.StringVar(&f.listen, "listen", "127.0.0.1:4606", "address for drivers")
	fl.StringVar(&f.discovery, "discovery", "", "address that answers programs which look for boxes, over UDP (default as --listen)")
	fl.StringVar(&f.layout, "layout", dmsim.DefaultLayout, "what hangs on the ports")
	fl.StringVar(&f.mac, "mac", "", "Ethernet address of the box (default 00:c0:4e:00:00:01)")
	fl.BoolVar(&f.paced, "paced", false, "lines are as slow as their baud rate")
	fl.Uint8Var(&f.state, "state", 0, "the byte of the identification whose meaning nobody knows; 0 and 2 were seen")
	fl.StringSliceVar(&f.vary, "vary", nil, "do as some boxes do, see above")
	fl.StringArrayVar(&f.faults, "fault", nil, "make it misbehave, see above")
	fl.StringVar(&f.record, "record", "", "file that the conversation is written to")
	return c
}

func (a *app) simDeviceMaster(ctx context.Context, f simDeviceMasterFlags) error {
	faults, err := simulate.DeviceMasterFaults(f.faults)
	if err != nil {
		return usageError(err)
	}
	told := func(err error) {
		fmt.Fprintf(a.Err, "patchbay: %v\n", err)
		if hint := driver.HintOf(err); hint != "" {
			fmt.Fprintf(a.Err, "  %s\n", hint)
		}
	}
	if f.discovery == "" {
		f.discovery = f.listen
	}
	sim, err := simulate.NewDeviceMaster(url.Values{"layout": {f.layout}, "mac": {f.mac}, "paced": {strconv.FormatBool(f.paced)},
		"state": {strconv.Itoa(int(f.state))}, "vary": {strings.Join(f.vary, ",")}}, told)
	if err != nil {
		return usageError(err)
	}
	sim.SetFaults(faults)
	return a.serveSimulated(ctx, simulated{device: sim.Device(), listen: []string{f.listen, f.discovery}, record: f.record,
		head: transcript.Header{Protocol: "devicemaster", Device: "simulated DeviceMaster"}})
}
