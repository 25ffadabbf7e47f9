package serialport

import (
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// Path is that of the one port.
const Path device.Path = "ports/1"

// Label sets of the points.
const (
	stateLabels = "port-state"
	flowLabels  = "port-flow"
)

func labels() []device.LabelSet {
	flow := device.LabelSet{ID: flowLabels}
	for f := driver.FlowNone; f <= driver.FlowRtsCts; f++ {
		flow.Items = append(flow.Items, device.Label{Value: int64(f), Key: f.String(), Text: f.String()})
	}
	return []device.LabelSet{flow, {ID: stateLabels, Items: []device.Label{{Value: 0, Key: "closed", Text: "closed"}, {Value: 1, Key: "open", Text: "open"}}}}
}

func specs(extra []device.Spec) []device.Spec {
	out := append([]device.Spec{}, extra...)
	add := func(name string, kind device.Kind, access device.Access, role, title, doc string, change func(*device.Spec)) {
		s := device.Spec{Path: Path + "/" + device.Path(name), Kind: kind, Rate: device.Fast, Access: access, Role: role, Title: title, Doc: doc,
			Grade: device.GradeSpec}
		if access&device.W != 0 {
			s.Confirm = device.ByNotify
		}
		if change != nil {
			change(&s)
		}
		out = append(out, s)
	}
	add("state", device.Enum, device.R, "serial.state", "State", "whether patchbay has the port open", func(s *device.Spec) { s.Labels = stateLabels })
	add("owner", device.String, device.R, "serial.owner", "Owner", "patchbay while it has the port, else empty", nil)
	add("baud", device.Int, device.RW, "serial.baud", "Speed", "bits per second", func(s *device.Spec) { s.Unit, s.Min, s.Max = "Bd", 1, 20_000_000 })
	add("format", device.String, device.RW, "serial.format", "Format", "data bits, parity and stop bits, as 8N1", nil)
	add("flow", device.Enum, device.RW, "serial.flow", "Flow control", "who stops whom, and how", func(s *device.Spec) { s.Labels = flowLabels })
	add("rts", device.Bool, device.RW, "serial.rts", "RTS", "request to send", nil)
	add("dtr", device.Bool, device.RW, "serial.dtr", "DTR", "data terminal ready; some machines start anew when it changes", nil)
	add("break", device.Bool, device.RW, "serial.break", "Break", "the line is held in the break state", nil)
	add("cts", device.Bool, device.R, "serial.cts", "CTS", "clear to send", nil)
	add("dsr", device.Bool, device.R, "serial.dsr", "DSR", "data set ready", nil)
	add("cd", device.Bool, device.R, "serial.cd", "CD", "carrier detect", nil)
	add("ri", device.Bool, device.R, "serial.ri", "RI", "ring indicator", nil)
	for _, name := range []string{"framing", "parity", "overrun", "break"} {
		add("errors/"+name, device.Int, device.R, "serial.errors", "Errors: "+name, "times that the far end reported it", nil)
	}
	bytes := func(s *device.Spec) { s.Unit, s.Rate = "B", device.Normal }
	add("bytes-in", device.Int, device.R, "serial.bytes-in", "Bytes in", "bytes that came from the line", bytes)
	add("bytes-out", device.Int, device.R, "serial.bytes-out", "Bytes out", "bytes that went to the line", bytes)
	add("outstanding", device.Int, device.R, "serial.outstanding", "Outstanding", "bytes sent whose arrival is not known", bytes)
	return out
}

func commands() []device.Command {
	return []device.Command{
		{Path: Path + "/flush", Title: "Flush", Doc: "throw away what is buffered, both ways"},
		{Path: Path + "/break", Title: "Send a break", Doc: "hold the line in the break state for 250 ms"},
	}
}

// samples are the values of all points but the extra ones; the lock is held.
func (s *Session) samples(now time.Time) []device.Sample {
	var out []device.Sample
	add := func(name string, v device.Value, known bool) {
		x := device.Sample{Path: Path + "/" + device.Path(name), Value: v, Received: now}
		if !known {
			x.Quality, x.Reason, x.Value = device.Bad, device.ReasonNotReported, device.Value{}
		}
		out = append(out, x)
	}
	owner := ""
	if s.stream != nil {
		owner = "patchbay"
	}
	add("state", device.OfEnum(int64(b2i(s.stream != nil))), true)
	add("owner", device.OfString(owner), true)
	open := s.raw != nil
	l := s.line
	add("baud", device.OfInt(int64(l.Baud)), open && l.Baud != 0)
	add("format", device.OfString(l.Format()), open && l.Data != 0 && l.Parity != 0 && l.HalfStops != 0)
	add("flow", device.OfEnum(int64(l.Flow)), open && l.Flow != driver.FlowAsIs)
	for name, b := range map[string]*bool{"rts": l.RTS, "dtr": l.DTR, "break": l.Break} {
		add(name, device.OfBool(b != nil && *b), open && b != nil)
	}
	e := s.event
	for name, on := range map[string]bool{"cts": e.CTS, "dsr": e.DSR, "cd": e.CD, "ri": e.RI} {
		add(name, device.OfBool(on), open && s.heard)
	}
	for name, n := range map[string]int64{"framing": s.errors.framing, "parity": s.errors.parity, "overrun": s.errors.overrun, "break": s.errors.breaks} {
		add("errors/"+name, device.OfInt(n), true)
	}
	outstanding := 0
	if s.raw != nil {
		outstanding = s.raw.Unacked()
	}
	add("bytes-in", device.OfInt(s.in.Load()), true)
	add("bytes-out", device.OfInt(s.out.Load()), true)
	add("outstanding", device.OfInt(int64(outstanding)), true)
	return append(out, s.cfg.Samples...)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
