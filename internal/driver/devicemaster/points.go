package devicemaster

import (
	"fmt"
	"strconv"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmclient"
)

// States of a port.
const (
	stateClosed = iota // nobody here has it; another host may
	stateOpen          // ours
	stateBusy          // another host had it when we tried
	stateLost          // it was ours, and somebody released it
)

const (
	labelsState = "port-state"
	labelsFlow  = "flow-control"
	labelsMode  = "port-mode"
)

// labelSets of the enums of ports.
func labelSets() []device.LabelSet {
	mode := device.LabelSet{ID: labelsMode}
	text := []string{"RS-232", "RS-422", "RS-485, two wires", "RS-485, four wires, slave", "RS-485, four wires, master"}
	for i, m := range modes {
		mode.Items = append(mode.Items, device.Label{Value: int64(i), Key: m.String(), Text: text[i]})
	}
	return []device.LabelSet{
		{ID: labelsState, Items: []device.Label{{Value: stateClosed, Key: "closed", Text: "Closed"}, {Value: stateOpen, Key: "open", Text: "Open"},
			{Value: stateBusy, Key: "busy", Text: "Another host has it"}, {Value: stateLost, Key: "lost", Text: "Released by somebody else"}}},
		{ID: labelsFlow, Items: []device.Label{{Value: int64(driver.FlowNone), Key: "none", Text: "None"},
			{Value: int64(driver.FlowXonXoff), Key: "xon-xoff", Text: "XON/XOFF"}, {Value: int64(driver.FlowRtsCts), Key: "rts-cts", Text: "RTS/CTS"}}},
		mode,
	}
}

// portPath is the stream of a port, which is counted from 0 on the wire and from 1 on the box and here.
func portPath(number int) device.Path { return device.Join("ports", strconv.Itoa(number+1)) }

// portPoints are the points of a port by the last part of their path.
var portPoints = [...]struct {
	name, role, title, doc string
	kind                   device.Kind
	access                 device.Access
	labels, unit           string
	grade                  string
}{
	{"state", "serial.state", "State", "whether the port is ours; the box says nothing about ports that are not", device.Enum, device.R, labelsState, "", device.GradeSpec},
	{"owner", "serial.owner", "Owner", "who has the port: this gateway, or another host when it refused us", device.String, device.R, "", "", device.GradeSpec},
	{"baud", "serial.baud", "Speed", "bits per second, in force or for the next opening; the box does not say whether it has such a rate", device.Int, device.R | device.W, "", "Bd", device.GradeSpec},
	{"format", "serial.format", "Format", "data bits (7 or 8), parity (N, E or O) and stop bits (1 or 2), as 8N1", device.String, device.R | device.W, "", "", device.GradeSpec},
	{"flow", "serial.flow", "Flow control", "in both directions", device.Enum, device.R | device.W, labelsFlow, "", device.GradeSpec},
	{"mode", "serial.mode", "Mode", "of the transceivers", device.Enum, device.R | device.W, labelsMode, "", device.GradeSpec},
	{"rts", "serial.rts", "RTS", "output: request to send", device.Bool, device.R | device.W, "", "", device.GradeSpec},
	{"dtr", "serial.dtr", "DTR", "output: data terminal ready", device.Bool, device.R | device.W, "", "", device.GradeSpec},
	{"break", "serial.break", "Break", "the output line is held in the break state", device.Bool, device.R | device.W, "", "", device.GradeSpec},
	{"cts", "serial.cts", "CTS", "input: clear to send", device.Bool, device.R, "", "", device.GradeSpec},
	{"dsr", "serial.dsr", "DSR", "input: data set ready", device.Bool, device.R, "", "", device.GradeSpec},
	{"cd", "serial.cd", "CD", "input: carrier detect", device.Bool, device.R, "", "", device.GradeSpec},
	{"ri", "serial.ri", "RI", "input: ring indicator", device.Bool, device.R, "", "", device.GradeSpec},
	{"errors/parity", "serial.errors", "Parity errors", "reports of the box since the session began", device.Int, device.R, "", "", device.GradeSpec},
	{"errors/framing", "serial.errors", "Framing errors", "reports of the box since the session began", device.Int, device.R, "", "", device.GradeSpec},
	{"errors/break", "serial.errors", "Breaks", "reports of the box since the session began", device.Int, device.R, "", "", device.GradeSpec},
	{"errors/overrun", "serial.errors", "Overruns", "reports of the box since the session began", device.Int, device.R, "", "", device.GradeSpec},
	{"bytes-in", "serial.bytes-in", "Bytes in", "from the line, since the session began", device.Int, device.R, "", "B", device.GradeSpec},
	{"bytes-out", "serial.bytes-out", "Bytes out", "to the line, since the session began", device.Int, device.R, "", "B", device.GradeSpec},
	{"outstanding", "serial.outstanding", "Outstanding", "bytes sent that the box has not acknowledged", device.Int, device.R, "", "B", device.GradeSpec},
}

// boxPoint is what the box says of itself, once.
type boxPoint struct {
	path             device.Path
	role, title, doc string
	value            device.Value
}

func boxPoints(id *devicemaster.IDResponse, ports int) []boxPoint {
	text := device.OfString
	out := []boxPoint{
		{"model", "id.model", "Model", "the box's model number", text(strconv.Itoa(int(id.Model)))},
		{"firmware", "id.version", "Firmware", "name and version", text(id.FirmwareText())},
		{"mac", "id.serial", "MAC", "Ethernet address", text(id.MAC.String())},
		{"port-count", "", "Ports", "how many serial ports the box has", device.OfInt(int64(ports))},
		{"program", "", "Program", "what the box runs", text(id.Program.String())},
		{"board-revision", "", "Board revision", "7 is G", device.OfInt(int64(id.BoardRevision))},
		{"network/address", "", "Address", "IPv4, as the box has it", text(id.IP.String())},
		{"network/mask", "", "Mask", "IPv4", text(id.Mask.String())},
		{"network/gateway", "", "Gateway", "IPv4", text(id.Gateway.String())},
	}
	for i, a := range id.Apps {
		out = append(out, boxPoint{device.Join("applications", strconv.Itoa(i+1), "version"), "", fmt.Sprintf("Application %d", i+1),
			fmt.Sprintf("version of application %#04x", a.ID), text(fmt.Sprintf("%d.%d", a.Major, a.Minor))})
	}
	if id.Size > 0 { // an old box says nothing behind its MAC
		out = out[1:4]
	}
	return out
}

// linkPoints are about the conversation.
var linkPoints = [...]struct {
	name, title, doc, unit string
	kind                   device.Kind
	value                  func(s *dmclient.Stats) device.Value
}{
	{"round-trip", "Round trip", "time of the last ping", "ms", device.Float, func(s *dmclient.Stats) device.Value {
		return device.OfFloat(float64(s.RTT.Microseconds()) / 1000)
	}},
	{"bytes-sent", "Bytes sent", "over this connection", "B", device.Int, func(s *dmclient.Stats) device.Value { return device.OfInt(int64(s.BytesOut)) }},
	{"bytes-received", "Bytes received", "over this connection", "B", device.Int, func(s *dmclient.Stats) device.Value { return device.OfInt(int64(s.BytesIn)) }},
	{"messages", "Messages", "received over this connection", "", device.Int, func(s *dmclient.Stats) device.Value { return device.OfInt(int64(s.Messages)) }},
	{"unknown-messages", "Unknown messages", "that nobody knows; what came with them was dropped", "", device.Int, func(s *dmclient.Stats) device.Value { return device.OfInt(int64(s.Unknown)) }},
	{"resyncs", "Resynchronisations", "times that the box's count of bytes did not fit ours", "", device.Int, func(s *dmclient.Stats) device.Value { return device.OfInt(int64(s.Resyncs)) }},
}

// specs are all points of the session.
func (s *session) specs() []device.Spec {
	id := s.link.ID()
	var out []device.Spec
	for _, b := range boxPoints(&id, len(s.ports)) {
		out = append(out, device.Spec{Path: b.path, Kind: b.value.Kind, Rate: device.Static, Access: device.R, Role: b.role, Title: b.title, Doc: b.doc, Grade: device.GradeSpec})
	}
	for i := range s.ports {
		for _, p := range portPoints {
			spec := device.Spec{Path: portPath(i) + "/" + device.Path(p.name), Kind: p.kind, Rate: device.Normal, Access: p.access, Unit: p.unit,
				Labels: p.labels, Role: p.role, Title: fmt.Sprintf("Port %d: %s", i+1, p.title), Doc: p.doc, Grade: p.grade}
			if p.access&device.W != 0 {
				spec.Confirm = device.ByNotify
			}
			if p.name == "baud" {
				spec.Min, spec.Max = 50, 1_000_000
			}
			out = append(out, spec)
		}
	}
	for _, p := range linkPoints {
		out = append(out, device.Spec{Path: device.Path("_link/" + p.name), Kind: p.kind, Rate: device.Normal, Access: device.R, Unit: p.unit,
			Title: p.title, Doc: p.doc, Grade: device.GradeSpec})
	}
	return out
}

func (s *session) commands() []device.Command {
	var out []device.Command
	for i := range s.ports {
		at := portPath(i)
		title := fmt.Sprintf("Port %d: ", i+1)
		out = append(out,
			device.Command{Path: at.Child("flush"), Title: title + "flush", Doc: "drops what is buffered in both directions", Grade: device.GradeSpec},
			device.Command{Path: at.Child("break"), Title: title + "break", Doc: "holds the line in the break state for 250 ms", Grade: device.GradeSpec},
			device.Command{Path: at.Child("release"), Title: title + "release", Hazard: device.HazardLive,
				Doc: "takes the port from whoever has it, on this or another host", Grade: device.GradeSpec})
	}
	return out
}

func (s *session) streams() []device.Path {
	out := make([]device.Path, len(s.ports))
	for i := range s.ports {
		out[i] = portPath(i)
	}
	return out
}

// samples are all values now, in the order of specs.
func (s *session) samples(now time.Time) []device.Sample {
	id := s.link.ID()
	var out []device.Sample
	put := func(p device.Path, v device.Value) {
		out = append(out, device.Sample{Path: p, Value: v, Received: now})
	}
	for _, b := range boxPoints(&id, len(s.ports)) {
		put(b.path, b.value)
	}
	for _, p := range s.ports {
		out = s.portSamples(p, out, now)
	}
	stats := s.link.Stats()
	for _, p := range linkPoints {
		put(device.Path("_link/"+p.name), p.value(&stats))
	}
	return out
}

// portSamples appends the values of one port.
func (s *session) portSamples(p *port, out []device.Sample, now time.Time) []device.Sample {
	v := p.view(s)
	at := portPath(p.number)
	for _, point := range portPoints {
		sample := device.Sample{Path: at + "/" + device.Path(point.name), Received: now}
		sample.Value, sample.Quality, sample.Reason = v.value(point.name)
		out = append(out, sample)
	}
	return out
}

// view is a port at one instant.
type view struct {
	state       int64
	owner       string
	line        driver.Line
	inputs      devicemaster.Inputs
	counts      dmclient.Counts
	outstanding int
}

func (v *view) value(name string) (device.Value, device.Quality, string) {
	open := v.state == stateOpen
	output := func(b *bool) (device.Value, device.Quality, string) {
		if !open || b == nil {
			return device.Value{}, device.Bad, device.ReasonNotReported
		}
		return device.OfBool(*b), device.Good, ""
	}
	input := func(bit devicemaster.Inputs) (device.Value, device.Quality, string) {
		if !open {
			return device.Value{}, device.Bad, device.ReasonNotReported
		}
		return device.OfBool(v.inputs&bit != 0), device.Good, ""
	}
	good := func(x device.Value) (device.Value, device.Quality, string) { return x, device.Good, "" }
	count := func(n uint64) (device.Value, device.Quality, string) { return good(device.OfInt(int64(n))) }
	switch name {
	case "state":
		return good(device.OfEnum(v.state))
	case "owner":
		return good(device.OfString(v.owner))
	case "baud":
		return good(device.OfInt(int64(v.line.Baud)))
	case "format":
		return good(device.OfString(v.line.Format()))
	case "flow":
		return good(device.OfEnum(int64(v.line.Flow)))
	case "mode":
		for i, m := range modes {
			if m.String() == v.line.Mode {
				return good(device.OfEnum(int64(i)))
			}
		}
	case "rts":
		return output(v.line.RTS)
	case "dtr":
		return output(v.line.DTR)
	case "break":
		return output(v.line.Break)
	case "cts":
		return input(devicemaster.CTS)
	case "dsr":
		return input(devicemaster.DSR)
	case "cd":
		return input(devicemaster.CD)
	case "ri":
		return input(devicemaster.RI)
	case "errors/parity":
		return count(v.counts.Parity)
	case "errors/framing":
		return count(v.counts.Framing)
	case "errors/break":
		return count(v.counts.Breaks)
	case "errors/overrun":
		return count(v.counts.Overrun)
	case "bytes-in":
		return count(v.counts.In)
	case "bytes-out":
		return count(v.counts.Out)
	case "outstanding":
		return good(device.OfInt(int64(v.outstanding)))
	}
	return device.Value{}, device.Bad, device.ReasonUnsupported
}
