package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/patchbay-io/patchbay/internal/access"
	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/north"
)

// perEvent is how many points one event holds at most: a large selection is sent in pieces, so that it needs no large buffer.
const perEvent = 256

// stream writes one event stream. One goroutine uses it.
type stream struct {
	s       *Server
	id      *access.Identity
	w       http.ResponseWriter
	control *http.ResponseController
	epoch   string
	pos     position // all before it was written
	writes  bool
	devices []string // of writes; none: all
	reason  string   // why the next reset comes
	scratch *[]byte
	buf     []byte
}

func (s *Server) newStream(w http.ResponseWriter, id *access.Identity, sub *subscribe) *stream {
	scratch, _ := s.buffers.Get().(*[]byte)
	st := &stream{
		s: s, id: id, w: w, control: http.NewResponseController(w), epoch: s.tree.Epoch(), writes: sub.writes, devices: sub.filter.Devices,
		scratch: scratch, buf: (*scratch)[:0],
	}
	// The log is told apart from the points: a new reader gets what happens from now on, a returning one what it missed.
	log := position{}
	for _, w := range s.writes.WriteLog("", 0, 0) {
		log.writes = max(log.writes, w.Seq)
	}
	st.pos = log
	st.reason = "first"
	if sub.since == "" {
		return st
	}
	epoch, pos, hasWrites, ok := parsePosition(sub.since)
	switch {
	case !ok:
		st.reason = "unknown-position"
	case epoch != st.epoch:
		st.reason = "new-epoch"
	default:
		if st.pos.points = pos.points; pos.points > 0 {
			st.reason = "too-old"
		}
		if hasWrites && pos.writes <= log.writes {
			st.pos.writes = pos.writes
		}
	}
	return st
}

func (st *stream) release() {
	const keep = 256 << 10
	if cap(st.buf) <= keep {
		*st.scratch = st.buf
		st.s.buffers.Put(st.scratch)
	}
}

type result struct {
	batch device.Batch
	err   error
}

// run writes events until ctx ends, the server closes or the client takes nothing more.
func (st *stream) run(ctx context.Context, sub *subscribe) error {
	subscription := st.s.tree.Subscribe(sub.filter, st.pos.points)
	// The reader takes from the tree only when asked, so that what changes in between is merged there. It ends with the
	// subscription, and run waits for it.
	asks, results, ended := make(chan struct{}, 1), make(chan result, 1), make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer close(ended)
		for range asks {
			b, err := subscription.Next(ctx)
			results <- result{b, err}
		}
	}()
	defer func() {
		cancel()
		subscription.Close()
		close(asks)
		<-ended
	}()

	if err := st.hello(); err != nil {
		return err
	}
	asks <- struct{}{}
	pace := time.NewTimer(sub.every)
	pace.Stop()
	defer pace.Stop()
	ping := time.NewTimer(pingEvery)
	defer ping.Stop()
	var logChanged <-chan struct{}
	for {
		if st.writes {
			logChanged = st.s.writes.WriteLogChanged()
			if err := st.logEvents(); err != nil {
				return err
			}
		}
		select {
		case r := <-results:
			if r.err != nil {
				return r.err
			}
			if err := st.batch(&r.batch); err != nil {
				return err
			}
			pace.Reset(sub.every)
		case <-pace.C:
			asks <- struct{}{}
			continue
		case <-logChanged:
		case <-ping.C:
			if err := st.ping(); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		case <-st.id.Ended():
			return nil
		case <-st.s.closing:
			return nil
		}
		ping.Reset(pingEvery)
	}
}

func (st *stream) begin(event string) {
	st.buf = append(st.buf, "event: "...)
	st.buf = append(st.buf, event...)
	st.buf = append(st.buf, "\ndata: "...)
}

// end closes an event with the position that a reader has reached who got it.
func (st *stream) end() {
	st.buf = append(st.buf, "\nid: "...)
	st.buf = append(st.buf, st.epoch...)
	st.buf = append(st.buf, '.')
	st.buf = strconv.AppendUint(st.buf, st.pos.points, 10)
	if st.writes {
		st.buf = append(st.buf, '.')
		st.buf = strconv.AppendUint(st.buf, st.pos.writes, 10)
	}
	st.buf = append(st.buf, "\n\n"...)
}

// flush sends what was written, within streamTimeout.
func (st *stream) flush() error {
	if len(st.buf) == 0 {
		return nil
	}
	// Writers that know no deadlines, as in tests without a network, write at once.
	_ = st.control.SetWriteDeadline(time.Now().Add(streamTimeout))
	_, err := st.w.Write(st.buf)
	st.buf = st.buf[:0]
	if err != nil {
		return err
	}
	return st.control.Flush()
}

func (st *stream) hello() error {
	_, seq := st.s.tree.Points(device.Filter{Devices: []string{""}}) // selects nothing: only the sequence is wanted
	st.buf = append(st.buf, "retry: "...)
	st.buf = strconv.AppendInt(st.buf, retryMS, 10)
	st.buf = append(st.buf, '\n')
	st.begin("hello")
	st.buf = append(st.buf, `{"epoch":`...)
	st.buf = appendString(st.buf, st.epoch)
	st.buf = append(st.buf, `,"seq":`...)
	st.buf = strconv.AppendUint(st.buf, seq, 10)
	st.buf = append(st.buf, `,"version":`...)
	st.buf = appendString(st.buf, st.s.cfg.Version)
	st.buf = append(st.buf, '}')
	st.end()
	return st.flush()
}

func (st *stream) ping() error {
	st.begin("ping")
	st.buf = append(st.buf, `{"at":"`...)
	st.buf = time.Now().UTC().AppendFormat(st.buf, timeLayout)
	st.buf = append(st.buf, `"}`...)
	st.end()
	return st.flush()
}

// batch writes one delivery of the tree, a large one in pieces. The position moves on with its last event alone: a spec
// may be older than the point's last change, so a reader who loses the connection in the middle needs all of it again.
func (st *stream) batch(b *device.Batch) error {
	if b.Reset {
		st.pos.points = 0
		st.begin("reset")
		st.buf = append(st.buf, `{"reason":`...)
		st.buf = appendString(st.buf, st.reason)
		st.buf = append(st.buf, '}')
		if len(b.Updates) == 0 {
			st.pos.points = b.Seq
		}
		st.end()
		st.reason = "too-old"
	}
	for rest := b.Updates; len(rest) > 0; {
		piece := rest[:min(perEvent, len(rest))]
		rest = rest[len(piece):]
		upTo := st.pos.points
		if len(rest) == 0 {
			upTo = b.Seq
		}
		if err := st.piece(piece, upTo); err != nil {
			return err
		}
	}
	return st.flush()
}

// piece writes a part of a batch; its last event carries the position upTo.
func (st *stream) piece(updates []device.Update, upTo uint64) error {
	gone, points, specs, merged := 0, 0, 0, uint64(0)
	for i := range updates {
		merged += uint64(updates[i].Merged)
		switch u := &updates[i]; {
		case u.Gone:
			gone++
		case u.SpecChanged:
			specs++
			points++
		default:
			points++
		}
	}
	if merged > 0 {
		st.s.mergedChanges.Add(merged)
	}
	if gone > 0 {
		if points == 0 {
			st.pos.points = upTo
		}
		st.gone(updates)
	}
	if specs > 0 {
		if err := st.specs(updates); err != nil {
			return err
		}
	}
	if points > 0 {
		st.pos.points = upTo
		st.points(updates)
	}
	return st.flush()
}

func (st *stream) gone(updates []device.Update) {
	st.begin("gone")
	st.buf = append(st.buf, `{"gone":[`...)
	first := true
	for i := range updates {
		u := &updates[i]
		if !u.Gone {
			continue
		}
		if !first {
			st.buf = append(st.buf, ',')
		}
		first = false
		st.buf = append(st.buf, `{"device":`...)
		st.buf = appendString(st.buf, u.Device)
		st.buf = append(st.buf, `,"path":`...)
		st.buf = appendString(st.buf, string(u.Spec.Path))
		st.buf = append(st.buf, `,"seq":`...)
		st.buf = strconv.AppendUint(st.buf, u.Seq, 10)
		st.buf = append(st.buf, '}')
	}
	st.buf = append(st.buf, "]}"...)
	st.end()
}

func (st *stream) points(updates []device.Update) {
	st.begin("points")
	st.buf = append(st.buf, `{"points":[`...)
	first := true
	for i := range updates {
		u := &updates[i]
		if u.Gone {
			continue
		}
		if !first {
			st.buf = append(st.buf, ',')
		}
		first = false
		st.buf = appendPoint(st.buf, &u.Point)
		st.buf = append(st.buf, `,"merged":`...)
		st.buf = strconv.AppendUint(st.buf, uint64(u.Merged), 10)
		st.buf = append(st.buf, '}')
	}
	st.buf = append(st.buf, "]}"...)
	st.end()
}

// specEvent is the data of a specs event.
type specEvent struct {
	Specs     []Spec                        `json:"specs"`
	LabelSets map[string]map[string][]Label `json:"label_sets"`
}

func (st *stream) specs(updates []device.Update) error {
	out := specEvent{LabelSets: map[string]map[string][]Label{}}
	known := map[string]north.Device{}
	for i := range updates {
		u := &updates[i]
		if u.Gone || !u.SpecChanged {
			continue
		}
		d, ok := known[u.Device]
		if !ok {
			if d, ok = st.s.devices.Device(u.Device); !ok {
				d.Name = u.Device // just taken out of the configuration; its tombstones follow
			}
			known[u.Device] = d
		}
		out.Specs = append(out.Specs, specObject(st.id, &d, u.Spec))
		if u.Labels == nil {
			continue
		}
		sets := out.LabelSets[u.Device]
		if sets == nil {
			sets = map[string][]Label{}
			out.LabelSets[u.Device] = sets
		}
		if sets[u.Labels.ID] == nil {
			sets[u.Labels.ID] = labelObjects(u.Labels)
		}
	}
	return st.object("specs", out)
}

// object writes an event through encoding/json, for what is rare.
func (st *stream) object(event string, data any) error {
	j, err := json.Marshal(data)
	if err != nil {
		return err
	}
	st.begin(event)
	st.buf = append(st.buf, j...)
	st.end()
	return nil
}

// logEvents writes the writes that took a step since the last time.
func (st *stream) logEvents() error {
	for _, w := range st.s.writes.WriteLog("", st.pos.writes, 0) {
		st.pos.writes = max(st.pos.writes, w.Seq)
		if !concerns(&w, st.devices) {
			continue
		}
		if err := st.object("write", st.s.writeObject(&w)); err != nil {
			return err
		}
	}
	return st.flush()
}

func concerns(w *north.WriteState, devices []string) bool {
	if len(devices) == 0 {
		return true
	}
	return slices.ContainsFunc(w.Items, func(it north.ItemState) bool { return slices.Contains(devices, it.Device) })
}
