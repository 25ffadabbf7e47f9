package focas

import (
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/protocol/focas"
)

var errShortPMC = errors.New("the control sent less PMC data than asked for")

// addIdentity makes what the control is. What was said at the opening costs no frame.
func (s *session) addIdentity(t *table, p *path) {
	fixed := []struct{ segment, role, title, value, doc string }{
		{"model", "id.model", "Model", p.info.Model(), "type of the control (cnc_sysinfo)"},
		{"kind", "", "Kind", p.info.KindText(), "M machining centre, T lathe, and others (cnc_sysinfo)"},
		{"series", "id.series", "Series", p.info.SeriesText(), "software series (cnc_sysinfo)"},
		{"version", "id.version", "Version", p.info.EditionText(), "software edition (cnc_sysinfo)"},
		{"dialect", "", "Dialect", s.client.Dialect().String(), "set of function codes, by the protocol version " + strconv.Itoa(int(s.client.OpenReply().Version))},
	}
	for _, f := range fixed {
		at := device.Join("identity", f.segment)
		t.said[at] = device.OfString(f.value)
		if p.infoErr != nil && f.segment != "dialect" {
			delete(t.said, at)
		}
		t.tell(device.Spec{Path: at, Kind: device.String, Rate: device.Static, Role: f.role, Title: f.title, Doc: f.doc})
	}
	t.add(&source{name: "cnc_rdcncid", request: focas.CNCIDRequest(p.number), payload: 16, rate: device.Static,
		decode: func(b []byte, out *samples) error {
			id, err := focas.ParseCNCID(b)
			out.set("identity/serial", device.OfString(id.String()))
			return err
		}},
		device.Spec{Path: "identity/serial", Kind: device.String, Role: "id.serial", Title: "CNC id", Doc: "the control's identity number (cnc_rdcncid)"})
}

// addTimers makes the control's clock and counters of time.
func (s *session) addTimers(t *table, p *path) {
	for _, x := range []struct {
		segment, role, title string
		which                int32
	}{
		{"power-on", "cnc.timer.power-on", "Power on", focas.TimerPowerOn},
		{"operating", "cnc.timer.operating", "Operating", focas.TimerOperating},
		{"cutting", "cnc.timer.cutting", "Cutting", focas.TimerCutting},
		{"cycle", "cnc.timer.cycle", "Cycle", focas.TimerCycle},
	} {
		at := device.Join("timers", x.segment)
		t.add(&source{name: "cnc_rdtimer " + x.segment, request: focas.TimerRequest(p.number, x.which), payload: focas.TimerSize, rate: device.Normal,
			decode: func(b []byte, out *samples) error {
				timer, err := focas.ParseTimer(b, focas.TimerAuto)
				out.set(at, device.OfFloat(timer.Duration().Seconds()))
				return err
			}},
			device.Spec{Path: at, Kind: device.Float, Unit: "s", Role: x.role, Title: x.title, Doc: "time counted by the control (cnc_rdtimer " + strconv.Itoa(int(x.which)) + ")"})
	}
	var date focas.Clock
	var last time.Time // the moment that shown is the text of
	var shown device.Value
	t.add(&source{name: "cnc_gettimer date", request: focas.ClockRequest(p.number, focas.ClockDate), payload: focas.ClockSize, rate: device.Normal,
		decode: func(b []byte, _ *samples) (err error) {
			date, err = focas.ParseClock(b)
			return err
		}})
	t.add(&source{name: "cnc_gettimer time", request: focas.ClockRequest(p.number, focas.ClockTime), payload: focas.ClockSize, rate: device.Normal,
		decode: func(b []byte, out *samples) error {
			c, err := focas.ParseClock(b)
			if err != nil {
				return err
			}
			c.Year, c.Month, c.Day = date.Year, date.Month, date.Day
			at, err := c.In(time.UTC)
			if err != nil {
				return err
			}
			if at != last {
				last, shown = at, device.OfString(at.Format("2006-01-02T15:04:05"))
			}
			out.set("clock", shown)
			return nil
		}},
		device.Spec{Path: "clock", Kind: device.String, Role: "cnc.clock", Title: "Clock", Doc: "the control's own date and time, in its own time zone (cnc_gettimer)"})
}

// Parameters that count parts. (spec: FANUC's parameter manuals)
const (
	paramParts    = 6711
	paramTotal    = 6712
	paramRequired = 6713
)

// addParts makes the part counters of a path.
func (s *session) addParts(t *table, ctl *control, p *path) {
	for _, x := range []struct {
		segment, role, title, doc string
		number                    int32
	}{
		{"part-count", "cnc.part-count", "Parts", "parts made, parameter 6711", paramParts},
		{"part-total", "cnc.part-total", "Parts in total", "parts made in total, parameter 6712", paramTotal},
		{"part-target", "cnc.part-target", "Parts required", "parts required, parameter 6713", paramRequired},
	} {
		at := p.root.Child(x.segment)
		t.add(&source{name: fmt.Sprintf("cnc_rdparam %d", x.number), request: focas.ParamRequest(ctl.dialect, p.number, x.number, x.number, focas.NoAxis),
			payload: s.recordSize(ctl.dialect), rate: device.Normal, steady: true,
			decode: func(b []byte, out *samples) error {
				r, err := focas.ParseRecord(ctl.dialect, b)
				if err != nil {
					return err
				}
				if values := r.Values(); len(values) > 0 {
					out.set(at, device.OfInt(int64(focas.ParamType(r.Type&3).Of(values[0]).Mantissa)))
				}
				return nil
			}},
			device.Spec{Path: at, Kind: device.Int, Role: x.role, Title: x.title, Doc: x.doc, Grade: device.GradeSpec})
	}
}

// recordSize is how large one parameter record comes: the 30i dialect always sends 32 slots, the classic one as many as
// the open reply says.
func (s *session) recordSize(d focas.Dialect) int {
	if d == focas.Series30i {
		return focas.RecordSize(d, focas.MaxSlots)
	}
	reply := s.client.OpenReply()
	n := int(reply.MaxAxes)
	if n < 1 || n > focas.MaxSlots {
		n = focas.ClassicSlots
	}
	return focas.RecordSize(d, n)
}

// text is what the control sent as text. Bytes beyond ASCII depend on the control's language, which it does not tell;
// what is no UTF-8 is shown as Latin-1, so that nothing is lost.
func text(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes)
}
