package focas

import (
	"slices"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/protocol/focas"
)

// board joins the alarms and messages of all paths into the lists of the device. The control does not say when an alarm
// came, so first-seen is when this session met it.
type board struct {
	alarms   map[uint16][]row
	messages map[uint16][]row
}

type row struct {
	key   string
	since time.Time
	cells []device.Value
}

func newBoard() *board { return &board{alarms: map[uint16][]row{}, messages: map[uint16][]row{}} }

// put replaces the rows of a path, keeping since for those that were there before.
func put(by map[uint16][]row, path uint16, fresh []row) {
	for i := range fresh {
		if k := slices.IndexFunc(by[path], func(r row) bool { return r.key == fresh[i].key }); k >= 0 {
			fresh[i].since = by[path][k].since
		}
	}
	by[path] = fresh
}

// list is the rows of all paths, newest first; rows of one time stay in the control's order.
func list(by map[uint16][]row) device.Value {
	var all []row
	paths := make([]uint16, 0, len(by))
	for p := range by {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	for _, p := range paths {
		all = append(all, by[p]...)
	}
	slices.SortStableFunc(all, func(a, b row) int { return b.since.Compare(a.since) })
	rows := make(device.Rows, len(all))
	for i, r := range all {
		rows[i] = append(slices.Clone(r.cells), device.OfString(r.since.UTC().Format("2006-01-02T15:04:05.000Z")))
	}
	return device.OfRows(rows)
}

func column(name string, k device.Kind, title string) device.Spec {
	return device.Spec{Path: device.Path(name), Kind: k, Title: title}
}

// addAlarms makes the lists of alarms and operator messages. Each path is asked by itself; what a path reports goes into
// the lists of the device, which belong to the last path's sources so that they are complete.
func (s *session) addAlarms(t *table, ctl *control) {
	b := newBoard()
	last := len(ctl.paths) - 1
	var alarmSources, messageSources []int
	for i, p := range ctl.paths {
		var alarms, messages []device.Spec
		alarms = append(alarms, device.Spec{Path: p.root.Child("alarm-count"), Kind: device.Int, Title: "Alarms of the path", Doc: "number of active alarms (cnc_rdalmmsg2)"})
		messages = append(messages, device.Spec{Path: p.root.Child("message-count"), Kind: device.Int, Title: "Messages of the path", Doc: "number of operator messages (cnc_rdopmsg3)"})
		if i == last {
			alarms = append(alarms,
				device.Spec{Path: "alarms", Kind: device.List, Role: "cnc.alarms", Title: "Alarms", Doc: "active alarms as the control writes them, newest first (cnc_rdalmmsg2)",
					Columns: []device.Spec{column("code", device.String, "Code"), column("axis", device.String, "Axis"), column("text", device.String, "Text"),
						column("line", device.String, "As on the control"), column("number", device.Int, "Number"), column("type", device.Int, "Type"), column("path", device.Int, "Path"), column("first-seen", device.String, "First seen")}},
				device.Spec{Path: "alarm-count", Kind: device.Int, Role: "cnc.alarm-count", Title: "Number of alarms", Doc: "active alarms of all paths"})
			messages = append(messages,
				device.Spec{Path: "messages", Kind: device.List, Role: "cnc.messages", Title: "Messages", Doc: "operator messages of the machine's maker (cnc_rdopmsg3)",
					Columns: []device.Spec{column("number", device.Int, "Number"), column("text", device.String, "Text"), column("type", device.Int, "Type"), column("path", device.Int, "Path"), column("first-seen", device.String, "First seen")}},
				device.Spec{Path: "message-count", Kind: device.Int, Role: "cnc.message-count", Title: "Number of messages", Doc: "operator messages of all paths"})
		}
		alarmSources = append(alarmSources, s.addPathAlarms(t, ctl, p, b, alarms))
		messageSources = append(messageSources, s.addPathMessages(t, ctl, p, b, messages))
	}
	if last > 0 {
		t.sources[alarmSources[last]].needs = alarmSources[:last]
		t.sources[messageSources[last]].needs = messageSources[:last]
	}
}

func (s *session) addPathAlarms(t *table, ctl *control, p *path, b *board, specs []device.Spec) int {
	read := func(textSize int) func([]byte, *samples) error {
		return func(payload []byte, out *samples) error {
			found, err := focas.ParseAlarms(payload, textSize)
			if err != nil {
				return err
			}
			fresh := make([]row, len(found.Items))
			for i, a := range found.Items {
				axis := p.axisName(a.Axis)
				line := text([]byte(a.Format(ctl.family, axis)))
				fresh[i] = row{line, out.now, []device.Value{device.OfString(a.Code(ctl.family)), device.OfString(axis), device.OfString(text([]byte(a.Text()))),
					device.OfString(line), device.OfInt(int64(a.Number)), device.OfInt(int64(a.Type)), device.OfInt(int64(p.number))}}
			}
			put(b.alarms, p.number, fresh)
			out.set(p.root.Child("alarm-count"), device.OfInt(int64(len(fresh))))
			if len(specs) > 1 {
				out.set("alarms", list(b.alarms))
				out.set("alarm-count", device.OfInt(count(b.alarms)))
			}
			return nil
		}
	}
	request := func(size int) focas.Request { return focas.AlarmsRequest(p.number, focas.AllAlarms, alarmsAsked, size) }
	return t.add(&source{name: "cnc_rdalmmsg2", request: request(focas.AlarmText64), payload: alarmsAsked * 80, rate: device.Normal, steady: len(ctl.paths) == 1, decode: read(focas.AlarmText64),
		other: &source{name: "cnc_rdalmmsg", request: request(focas.AlarmText32), payload: alarmsAsked * 48, decode: read(focas.AlarmText32)}}, specs...)
}

func (s *session) addPathMessages(t *table, ctl *control, p *path, b *board, specs []device.Spec) int {
	decode := func(payload []byte, out *samples) error {
		found, err := focas.ParseOpMessages(payload)
		if err != nil {
			return err
		}
		var fresh []row
		for _, m := range found.Items {
			words := text([]byte(m.Text()))
			if words == "" {
				continue // the place of a message that is not there
			}
			fresh = append(fresh, row{words, out.now, []device.Value{device.OfInt(int64(m.Number)), device.OfString(words), device.OfInt(int64(m.Type)), device.OfInt(int64(p.number))}})
		}
		put(b.messages, p.number, fresh)
		out.set(p.root.Child("message-count"), device.OfInt(int64(len(fresh))))
		if len(specs) > 1 {
			out.set("messages", list(b.messages))
			out.set("message-count", device.OfInt(count(b.messages)))
		}
		return nil
	}
	src := &source{name: "cnc_rdopmsg", request: focas.OpMessageRequest(p.number, -1), payload: focas.OpMessageSize, rate: device.Normal, steady: len(ctl.paths) == 1, decode: decode}
	if ctl.dialect == focas.Series30i {
		src = &source{name: "cnc_rdopmsg3", request: focas.OpMessages3Request(p.number, -1, messagesAsked), payload: messagesAsked * focas.OpMessageSize,
			rate: device.Normal, steady: len(ctl.paths) == 1, decode: decode, other: src}
	}
	return t.add(src, specs...)
}

func count(by map[uint16][]row) int64 {
	n := 0
	for _, rows := range by {
		n += len(rows)
	}
	return int64(n)
}
