package httpapi

import (
	"time"

	"github.com/patchbay-io/patchbay/internal/access"
	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// timeLayout is RFC 3339 with milliseconds; all times are UTC.
const timeLayout = "2006-01-02T15:04:05.000Z07:00"

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(timeLayout)
}

// Device is a configured device with the state of its link.
type Device struct {
	Name        string            `json:"name"`
	Driver      string            `json:"driver"`
	Title       string            `json:"title"`
	Panel       string            `json:"panel" doc:"which panel of the page suits it; empty: none in particular"`
	URL         string            `json:"url" doc:"without secrets"`
	Simulated   bool              `json:"simulated"`
	Labels      map[string]string `json:"labels" doc:"site, area, line, cell"`
	Writable    []string          `json:"writable" doc:"patterns of points that may be written, as configured"`
	WritableAll bool              `json:"writable_all" doc:"a simulated device that takes every write"`
	ConfigKey   string            `json:"config_key" doc:"where writable stands in the configuration"`
	Link        Link              `json:"link"`
	PointCount  int               `json:"point_count"`
}

// Link is the state of the connection to a device.
type Link struct {
	State       string   `json:"state" doc:"connecting, up, waiting, down or stopped"`
	Since       string   `json:"since,omitempty" format:"date-time"`
	Error       string   `json:"error,omitempty"`
	ErrorClass  string   `json:"error_class,omitempty"`
	Hint        string   `json:"hint,omitempty"`
	NextAttempt string   `json:"next_attempt,omitempty" format:"date-time"`
	RoundTripMS *float64 `json:"round_trip_ms,omitempty"`
	Condition   string   `json:"condition,omitempty" doc:"what the device wants from a person"`
	LastData    string   `json:"last_data,omitempty" format:"date-time"`
}

// Spec says what a point is.
type Spec struct {
	Device      string            `json:"device,omitempty"`
	Path        string            `json:"path"`
	Kind        string            `json:"kind" enum:"bool,int,float,string,enum,bytes,list,none"`
	Rate        string            `json:"rate" doc:"static, slow, normal, fast or meter"`
	Access      string            `json:"access" doc:"r, w, rw or empty, as the device allows it"`
	Unit        string            `json:"unit,omitempty"`
	Min         *float64          `json:"min,omitempty"`
	Max         *float64          `json:"max,omitempty"`
	Step        float64           `json:"step,omitempty"`
	Decimals    int               `json:"decimals,omitempty"`
	Labels      string            `json:"labels,omitempty" doc:"id of the label set of an enum"`
	Columns     []Spec            `json:"columns,omitempty" doc:"of a list; path is the column's name"`
	Confirm     string            `json:"confirm,omitempty" doc:"notify, read-back, or empty when a write cannot be confirmed"`
	Title       string            `json:"title,omitempty"`
	Doc         string            `json:"doc,omitempty"`
	Role        string            `json:"role,omitempty"`
	Hazard      string            `json:"hazard,omitempty" doc:"live, hazard, or empty for plain"`
	Grade       string            `json:"grade,omitempty" doc:"evidence: spec, seen, inferred or guess"`
	Attributes  map[string]string `json:"attributes,omitempty" doc:"the device's own words: name, label, object-number, …"`
	Writable    bool              `json:"writable,omitempty" doc:"the configuration allows writes by who asks"`
	WritableKey string            `json:"writable_key,omitempty" doc:"where the configuration would allow writes"`
}

// Label names one value of an enum.
type Label struct {
	Value int64  `json:"value"`
	Key   string `json:"key"`
	Text  string `json:"text"`
	Short string `json:"short,omitempty" doc:"the same where there is little room, as on a button"`
}

// Point is what a point holds. [Server] writes it in two ways that give the same: encoding/json for answers, appendPoint
// for events.
type Point struct {
	Device   string `json:"device"`
	Path     string `json:"path"`
	Value    any    `json:"value" doc:"natural JSON; null before the first value and for what is no number"`
	Text     string `json:"text" doc:"as a person reads it, without the unit"`
	Label    string `json:"label,omitempty" doc:"text of an enum's label"`
	Quality  string `json:"quality" enum:"good,uncertain,bad"`
	Reason   string `json:"reason,omitempty" doc:"why it is not good"`
	Source   string `json:"source,omitempty" format:"date-time" doc:"the device's own time"`
	Received string `json:"received,omitempty" format:"date-time"`
	Seq      uint64 `json:"seq"`
}

// Command is an action that is not a point.
type Command struct {
	Path        string `json:"path"`
	Args        []Spec `json:"args"`
	Title       string `json:"title,omitempty"`
	Doc         string `json:"doc,omitempty"`
	Role        string `json:"role,omitempty"`
	Hazard      string `json:"hazard,omitempty"`
	Grade       string `json:"grade,omitempty"`
	Writable    bool   `json:"writable,omitempty"`
	WritableKey string `json:"writable_key,omitempty"`
}

func (s *Server) deviceObject(d *north.Device) Device {
	out := Device{
		Name: d.Name, Driver: d.Driver, Title: d.Title, Panel: d.Panel, URL: d.URL, Simulated: d.Simulated,
		Labels: d.Labels, Writable: d.Writable, WritableAll: d.WritableAll, ConfigKey: d.ConfigKey, PointCount: s.tree.Count(d.Name),
	}
	if out.Labels == nil {
		out.Labels = map[string]string{}
	}
	if out.Writable == nil {
		out.Writable = []string{}
	}
	out.Link.State = "connecting"
	points, _ := s.tree.Points(device.Filter{Devices: []string{d.Name}, Under: []device.Path{device.LinkRoot}})
	for i := range points {
		out.Link.set(&points[i])
	}
	return out
}

func (l *Link) set(p *device.Point) {
	v := p.Sample.Value
	if v.IsZero() {
		return
	}
	text, _ := device.JSON(p.Spec, p.Labels, v).(string)
	switch p.Spec.Path {
	case "_link/state":
		if text != "" {
			l.State = text
		}
	case "_link/since":
		l.Since = text
	case "_link/error":
		l.Error = text
	case "_link/error-class":
		l.ErrorClass = text
	case "_link/hint":
		l.Hint = text
	case "_link/next-attempt":
		l.NextAttempt = text
	case "_link/condition":
		l.Condition = text
	case "_link/last-data":
		l.LastData = text
	case "_link/round-trip":
		if ms, ok := milliseconds(p.Spec.Unit, v.Float()); ok && p.Sample.Quality != device.Bad {
			l.RoundTripMS = &ms
		}
	}
}

func milliseconds(unit string, v float64) (float64, bool) {
	switch unit {
	case "s":
		return v * 1000, true
	case "ms":
		return v, true
	case "µs":
		return v / 1000, true
	}
	return 0, false
}

func specObject(id *access.Identity, d *north.Device, s *device.Spec) Spec {
	out := column(s)
	out.Device = d.Name
	if s.Access&device.W != 0 {
		out.Writable, out.WritableKey = mayWrite(id, d, s.Path, s.Hazard)
	}
	return out
}

func column(s *device.Spec) Spec {
	out := Spec{
		Path: string(s.Path), Kind: s.Kind.String(), Rate: s.Rate.String(), Access: s.Access.String(), Unit: s.Unit, Step: s.Step,
		Decimals: s.Decimals, Labels: s.Labels, Title: s.Title, Doc: s.Doc, Role: s.Role, Hazard: s.Hazard, Grade: s.Grade,
		Attributes: s.Attributes,
	}
	if s.HasRange() {
		out.Min, out.Max = &s.Min, &s.Max
	}
	switch s.Confirm {
	case device.ByNotify:
		out.Confirm = "notify"
	case device.ByReadBack:
		out.Confirm = "read-back"
	}
	for i := range s.Columns {
		out.Columns = append(out.Columns, column(&s.Columns[i]))
	}
	return out
}

func labelObjects(l *device.LabelSet) []Label {
	out := make([]Label, len(l.Items))
	for i, it := range l.Items {
		out[i] = Label{Value: it.Value, Key: it.Key, Text: it.Text, Short: it.Short}
	}
	return out
}

func pointObject(p *device.Point) Point {
	out := Point{
		Device: p.Device, Path: string(p.Spec.Path), Value: device.JSON(p.Spec, p.Labels, p.Sample.Value),
		Text: device.Text(p.Spec, p.Labels, p.Sample.Value), Quality: p.Sample.Quality.String(), Reason: p.Sample.Reason,
		Source: stamp(p.Sample.Source), Received: stamp(p.Sample.Received), Seq: p.Seq,
	}
	if p.Sample.Value.Kind == device.Enum {
		if l, ok := p.Labels.ByValue(p.Sample.Value.Int()); ok {
			out.Label = l.Text
		}
	}
	return out
}

func commandObject(id *access.Identity, d *north.Device, c *device.Command) Command {
	out := Command{
		Path: string(c.Path), Args: []Spec{}, Title: c.Title, Doc: c.Doc, Role: c.Role, Hazard: c.Hazard, Grade: c.Grade,
	}
	out.Writable, out.WritableKey = mayWrite(id, d, c.Path, c.Hazard)
	for i := range c.Args {
		out.Args = append(out.Args, column(&c.Args[i]))
	}
	return out
}

// Who is the origin of a write.
type Who struct {
	User string `json:"user"`
	Door string `json:"door"`
	Addr string `json:"addr"`
}

// Step is one stage of one item.
type Step struct {
	Stage string `json:"stage" enum:"accepted,sent,acknowledged,confirmed,refused,failed,timed-out,uncertain,dry-run"`
	At    string `json:"at" format:"date-time"`
	Final bool   `json:"final"`
	Class string `json:"class,omitempty"`
	Text  string `json:"text,omitempty"`
	Hint  string `json:"hint,omitempty"`
}

// WriteItem is one point or command of a write with everything that became of it.
type WriteItem struct {
	Device  string `json:"device"`
	Path    string `json:"path"`
	Command bool   `json:"command,omitempty"`
	Old     any    `json:"old" doc:"value before; null for a command"`
	New     any    `json:"new" doc:"value asked for"`
	Args    []any  `json:"args,omitempty"`
	Now     any    `json:"now" doc:"what the device says after the write, or what a command returned"`
	Steps   []Step `json:"steps"`
}

// Write is one write or command.
type Write struct {
	ID    string      `json:"id"`
	Seq   uint64      `json:"seq" doc:"grows with every step of any write; not the sequence of points"`
	At    string      `json:"at" format:"date-time"`
	Who   Who         `json:"who"`
	Stage string      `json:"stage" doc:"of the item that is least far, or of the one that ended worst"`
	Final bool        `json:"final" doc:"nothing more will happen"`
	Items []WriteItem `json:"items"`
}

func (s *Server) writeObject(w *north.WriteState) Write {
	stage, final := overall(w)
	out := Write{
		ID: w.ID, Seq: w.Seq, At: stamp(w.At), Who: Who{w.Who.User, w.Who.Door, w.Who.Addr}, Stage: string(stage), Final: final,
		Items: make([]WriteItem, len(w.Items)),
	}
	for i := range w.Items {
		out.Items[i] = s.itemObject(&w.Items[i])
	}
	return out
}

func (s *Server) itemObject(it *north.ItemState) WriteItem {
	spec, labels := &device.Spec{Path: it.Path}, (*device.LabelSet)(nil)
	var args []device.Spec
	if it.Command {
		args = s.commandArgs(it.Device, it.Path)
	} else if p, ok := s.tree.Point(it.Device, it.Path); ok {
		spec, labels = p.Spec, p.Labels
	}
	out := WriteItem{
		Device: it.Device, Path: string(it.Path), Command: it.Command, Steps: make([]Step, len(it.Steps)),
		Old: device.JSON(spec, labels, it.Old), New: device.JSON(spec, labels, it.New), Now: device.JSON(spec, labels, it.Now),
	}
	for i, a := range it.Args {
		arg, set := &device.Spec{}, (*device.LabelSet)(nil)
		if i < len(args) {
			arg = &args[i]
			set = s.tree.LabelSets(it.Device)[arg.Labels]
		}
		out.Args = append(out.Args, device.JSON(arg, set, a))
	}
	for i, st := range it.Steps {
		out.Steps[i] = Step{Stage: string(st.Stage), At: stamp(st.At), Final: st.Final || st.Stage.Ended(), Text: st.Text, Hint: st.Hint}
		if st.Class != driver.Internal || st.Stage == north.StageFailed {
			out.Steps[i].Class = st.Class.String()
		}
	}
	return out
}

func (s *Server) commandArgs(dev string, path device.Path) []device.Spec {
	for _, c := range s.tree.Commands(dev) {
		if c.Path == path {
			return c.Args
		}
	}
	return nil
}

// overall is the stage of a write of several items: while one is open the least far of the open ones, else the worst end.
func overall(w *north.WriteState) (north.Stage, bool) {
	rank := map[north.Stage]int{
		north.StageAccepted: 0, north.StageSent: 1, north.StageAcknowledged: 2,
		north.StageFailed: 3, north.StageRefused: 4, north.StageUncertain: 5, north.StageTimedOut: 6,
		north.StageDryRun: 10, north.StageConfirmed: 11,
	}
	const endedUnconfirmed = 6 // sent and acknowledged as ends stand behind the bad ends
	stage, best, final := north.StageAccepted, 1<<10, true
	for i := range w.Items {
		last := w.Items[i].Last()
		r := rank[last.Stage]
		switch ended := last.Final || last.Stage.Ended(); {
		case !ended:
			final = false
		case r < 3 && last.Stage != "":
			r += endedUnconfirmed + 1
		}
		if r < best {
			best, stage = r, last.Stage
		}
	}
	if stage == "" {
		stage = north.StageAccepted
	}
	return stage, final && len(w.Items) > 0
}
