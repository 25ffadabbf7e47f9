package simulate

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmserver"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmsim"
)

// devicemasterKind is how the simulated DeviceMaster is made by name.
func devicemasterKind() Kind {
	return Kind{
		Driver: "devicemaster", Settings: []string{"layout", "mac", "paced", "state", "vary"},
		New: func(settings url.Values) (Device, error) {
			d, err := NewDeviceMaster(settings, nil)
			if err != nil {
				return Device{}, err
			}
			return d.Device(), nil
		},
		Replay: replayDeviceMaster,
	}
}

// DeviceMaster is a simulated box and what hangs on its ports.
type DeviceMaster struct {
	*dmsim.Sim
	ends lineEnds
}

// NewDeviceMaster makes a simulated box; it starts nothing. Its settings are layout, mac, paced, state and vary (words of
// [DeviceMasterVariationNames], with commas). told, when set, is called with what goes wrong with serial ports of this computer
// while the box runs, from any goroutine.
func NewDeviceMaster(settings url.Values, told func(error)) (*DeviceMaster, error) {
	o, err := deviceMasterOptions(settings)
	if err != nil {
		return nil, err
	}
	d := new(DeviceMaster)
	d.ends.told = told
	o.Attach = d.ends.attach
	if d.Sim, err = dmsim.New(o); err != nil {
		return nil, fmt.Errorf("layout: %w", err)
	}
	return d, nil
}

// Device is the driver port of the box, its discovery, and what has to run for its ports.
func (d *DeviceMaster) Device() Device {
	out := Device{Services: []Service{
		{Network: "tcp", Port: devicemaster.Port, Stream: d.Serve},
		{Network: "udp", Port: devicemaster.Port, Packets: d.AnswerDiscovery, Sought: true},
	}}
	if len(d.ends.run) > 0 {
		out.Run = d.ends.runAll
	}
	return out
}

func deviceMasterOptions(settings url.Values) (o dmsim.Options, err error) {
	o.Layout = settings.Get("layout")
	if s := settings.Get("mac"); s != "" {
		b, err := net.ParseMAC(s)
		if err != nil || copy(o.MAC[:], b) != len(b) {
			return o, fmt.Errorf("mac: %q is no Ethernet address; write it like 00:c0:4e:00:00:02", s)
		}
	}
	if s := settings.Get("paced"); s != "" {
		if o.Paced, err = strconv.ParseBool(s); err != nil {
			return o, fmt.Errorf("paced: %q is neither true nor false", s)
		}
	}
	if s := settings.Get("state"); s != "" {
		n, err := strconv.ParseUint(s, 0, 8)
		if err != nil {
			return o, fmt.Errorf("state: %q is no byte; 0 and 2 were seen", s)
		}
		o.State = uint8(n)
	}
	if s := settings.Get("vary"); s != "" {
		for word := range strings.SplitSeq(s, ",") {
			if err := vary(&o.Variations, strings.TrimSpace(word)); err != nil {
				return o, err
			}
		}
	}
	return o, nil
}

// DeviceMasterVariationNames are what boxes were seen to do differently.
func DeviceMasterVariationNames() []string {
	return []string{"total-after-done", "no-total", "initial-inputs", "idle-glued", "keep-printed", "single-byte-seq", "hold"}
}

func vary(v *dmserver.Variations, word string) error {
	switch word {
	case "total-after-done":
		v.Total = dmserver.TotalAfterDone
	case "no-total":
		v.Total = dmserver.TotalNever
	case "initial-inputs":
		v.InitialInputs = true
	case "idle-glued":
		v.IdleGlued = true
	case "keep-printed":
		v.KeepPrinted = true
	case "single-byte-seq":
		v.SingleByteSeq = true
	case "hold":
		v.Hold = true
	default:
		return fmt.Errorf("vary: %q is none; known: %s", word, strings.Join(DeviceMasterVariationNames(), ", "))
	}
	return nil
}

// DeviceMasterFaults reads names of faults such as "omit-pings" or "split=7".
func DeviceMasterFaults(args []string) (f dmsim.Faults, err error) {
	for _, arg := range args {
		name, value, has := strings.Cut(arg, "=")
		n, convErr := strconv.Atoi(value)
		flags := map[string]*bool{"omit-totals": &f.OmitTotals, "omit-done": &f.OmitDone, "omit-assigned": &f.OmitAssigned, "omit-pings": &f.OmitPings,
			"omit-id": &f.OmitID, "omit-status": &f.OmitStatus, "busy": &f.Busy, "zeros": &f.StrayZeros, "unknown": &f.UnknownOps, "silent": &f.Silent}
		numbers := map[string]*int{"short-id": &f.ShortID, "long-id": &f.LongID, "split": &f.Split}
		switch {
		case flags[name] != nil && !has:
			*flags[name] = true
		case numbers[name] != nil && convErr == nil && n > 0:
			*numbers[name] = n
		case name == "delay":
			if f.Delay, err = time.ParseDuration(value); err != nil || f.Delay <= 0 {
				return f, fmt.Errorf("fault delay: %q is no duration; write delay=50ms", value)
			}
		default:
			return f, fmt.Errorf("fault %q is none; known: %s", arg, strings.Join(DeviceMasterFaultNames(), ", "))
		}
	}
	return f, nil
}

// DeviceMasterFaultNames are the faults with what they take.
func DeviceMasterFaultNames() []string {
	return []string{"omit-totals", "omit-done", "omit-assigned", "omit-pings", "omit-id", "omit-status", "busy", "zeros", "unknown", "silent",
		"short-id=BYTES", "long-id=BYTES", "split=BYTES", "delay=TIME"}
}
