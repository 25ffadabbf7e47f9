package aes70

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/oca"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaclient"
)

const unsupported = driver.Unsupported

// session is one conversation with one device.
type session struct {
	client  *ocaclient.Client
	target  string
	opts    *Options
	dirty   chan struct{} // the tree has changed
	serving chan struct{} // served has changed

	mu     sync.Mutex
	board  *board
	sink   driver.Sink          // nil: nobody watches
	mirror *oca.Mirror          // nil: no native server
	served map[device.Path]bool // meters that controllers of the native server want
}

func newSession(target string, opts *Options) *session {
	return &session{target: target, opts: opts, dirty: make(chan struct{}, 1), serving: make(chan struct{}, 1), board: makeBoard(&ocaclient.Object{ONo: ocp1.RootBlockONo})}
}

// begin asks for everything.
func (s *session) begin(ctx context.Context) error {
	b, err := s.survey(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.board = b
	s.mu.Unlock()
	return s.fill(ctx, b)
}

// survey asks what the device is and which objects it has.
func (s *session) survey(ctx context.Context) (*board, error) {
	model, err := s.client.Model(ctx)
	var no *ocp1.Error
	if err != nil && !errors.As(err, &no) { // a device without a device manager is a device
		return nil, err
	}
	root, err := s.client.Tree(ctx)
	if err != nil {
		return nil, err
	}
	b := makeBoard(root)
	for _, pt := range b.list {
		if pt.spec.Role == "audio.monitor.level" && s.opts.MaxStep > 0 {
			pt.attribute("max-step", strconv.FormatFloat(s.opts.MaxStep, 'g', -1, 64))
		}
	}
	now := time.Now()
	b.said("model", "id.model", "Model", model.Name, now)
	b.said("manufacturer", "", "Manufacturer", model.Manufacturer, now)
	for _, t := range []struct {
		path        device.Path
		role, title string
		method      ocp1.ID
	}{{"serial", "id.serial", "Serial number", id(3, 3)}, {"firmware", "id.version", "Firmware", id(3, 20)}, {"device-name", "", "Device name", id(3, 4)}} {
		text, err := s.client.DeviceText(ctx, t.method)
		if err != nil {
			return nil, err
		}
		if t.path == "firmware" && text == "" {
			text = model.Version
		}
		b.said(t.path, t.role, t.title, text, now)
	}
	return b, nil
}

// fill subscribes to the points of a board and then reads them, so that no change falls between.
func (s *session) fill(ctx context.Context, b *board) error {
	var told []*point
	var objects []ocp1.ONo
	for _, pt := range b.list {
		if pt.object != nil && pt.spec.Rate != device.Meter {
			told, objects = append(told, pt), append(objects, pt.object.ONo)
		}
	}
	n := len(objects)
	for o := range b.blocks {
		objects = append(objects, o)
	}
	errs, err := s.client.Subscribe(ctx, objects...)
	if err != nil {
		return err
	}
	s.mu.Lock()
	for i, pt := range told[:n] {
		pt.told = errs[i] == nil
		if !pt.told && pt.kind.writable() {
			pt.spec.Confirm = device.ByReadBack
		}
	}
	s.mu.Unlock()
	return s.readAll(ctx, b)
}

// readAll asks for the names of positions, what is in use, and the values of all points but meters.
func (s *session) readAll(ctx context.Context, b *board) error {
	var calls []ocaclient.Call
	var take []func(values []byte, err error)
	add := func(o ocp1.ONo, method ocp1.ID, f func(values []byte, err error)) {
		calls, take = append(calls, ocaclient.Call{Target: o, Method: method}), append(take, f)
	}
	for _, pt := range b.list {
		if pt.object == nil {
			continue
		}
		if pt.spec.Kind == device.Enum {
			add(pt.object.ONo, id(4, 5), pt.takeNames)
		}
		add(pt.object.ONo, id(2, 1), pt.takeEnabled)
		if pt.spec.Rate != device.Meter {
			add(pt.object.ONo, pt.kind.get, pt.takeAnswer)
		}
	}
	if err := s.client.DoAll(ctx, calls); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range calls {
		take[i](calls[i].Values, calls[i].Err)
	}
	return nil
}

func (pt *point) takeNames(values []byte, err error) {
	if err != nil {
		return
	}
	p := ocp1.NewParams("GetPositionNames", values)
	names := ocp1.ListOf(&p, "Names", p.String)
	if p.End() == nil {
		pt.setNames(names, 0)
	}
}

func (pt *point) takeEnabled(values []byte, err error) {
	if err == nil && len(values) == 1 {
		pt.setEnabled(values[0] != 0)
	}
}

func (pt *point) takeAnswer(values []byte, err error) {
	if err != nil {
		pt.refuse(err, time.Now())
		return
	}
	if pt.spec.Kind == device.Enum && len(values) == 6 && len(pt.labels.Items) > 0 { // names count from the lowest position
		p := ocp1.NewParams("GetPosition", values[2:4])
		if low := int64(p.U16("min")); low != pt.labels.Items[0].Value {
			names := make([]string, len(pt.labels.Items))
			for i, it := range pt.labels.Items {
				names[i] = it.Text
			}
			pt.setNames(names, low)
		}
	}
	told := pt.sample
	pt.take(values, time.Now())
	if !told.Received.IsZero() { // an event has come since the question, and may be newer than the answer
		pt.sample = told
	}
}

// Abilities: everything that the device lets be set can be written.
func (s *session) Abilities() driver.Abilities { return driver.Abilities{Writer: s} }

// Close ends the session.
func (s *session) Close() error { return s.client.Close() }

// Read asks the device.
func (s *session) Read(ctx context.Context, paths []device.Path) ([]device.Sample, error) {
	calls := make([]ocaclient.Call, 0, len(paths))
	points := make([]*point, len(paths))
	s.mu.Lock()
	for i, p := range paths {
		if pt := s.board.byPath[p]; pt != nil {
			points[i] = pt
			if pt.object != nil {
				calls = append(calls, ocaclient.Call{Target: pt.object.ONo, Method: pt.kind.get})
			}
		}
	}
	s.mu.Unlock()
	if len(calls) == 0 {
		if err := s.over(ctx); err != nil {
			return nil, wrap("read", s.target, err)
		}
	}
	if err := s.client.DoAll(ctx, calls); err != nil {
		return nil, wrap("read", s.target, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	out := make([]device.Sample, len(paths))
	for i, p := range paths {
		pt := points[i]
		switch {
		case pt == nil:
			out[i] = device.Sample{Path: p, Quality: device.Bad, Reason: device.ReasonUnsupported, Received: now}
			continue
		case pt.object == nil:
			out[i] = pt.sample
			continue
		}
		shown := *pt // what the device tells by itself may be newer than this answer
		if calls[0].Err != nil {
			shown.refuse(calls[0].Err, now)
		} else {
			shown.take(calls[0].Values, now)
		}
		calls = calls[1:]
		out[i] = shown.sample
	}
	return out, nil
}

// over is why nothing can be asked any more; nil while it can.
func (s *session) over(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.client.Err()
}
