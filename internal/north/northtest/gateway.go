package northtest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// Gateway is north.Devices and north.Writes over [Tree]. Writes to [Mill] take effect at once, but for "slow/confirm",
// which waits for Release, and "no/thanks", which the device refuses. It is safe for concurrent use.
type Gateway struct {
	Tree *device.Tree

	mu      sync.Mutex
	log     []*north.WriteState
	seq     uint64
	changed chan struct{}
	ctxs    []context.Context
}

// New makes a gateway over a tree of its own.
func New() *Gateway { return &Gateway{Tree: Tree(), changed: make(chan struct{})} }

// Devices lists [Mill] and [Down].
func (g *Gateway) Devices() []north.Device {
	return []north.Device{
		{
			Name: Mill, Driver: "toy", Title: "Toy Mill", Panel: "cnc", URL: "toy://192.0.2.21:8193", Simulated: true, Labels: map[string]string{"site": "Ulm", "cell": "3"},
			Writable: []string{"bool/*", "int/*", "string/*", "enum/*", "slow/*", "no/*", "flush"}, ConfigKey: "devices.mill1.writable",
		},
		{Name: Down, Driver: "toy", Title: "Toy Press", URL: "toy://192.0.2.9:8193", ConfigKey: "devices.press.writable"},
	}
}

// Device finds one of them.
func (g *Gateway) Device(name string) (north.Device, bool) {
	for _, d := range g.Devices() {
		if d.Name == name {
			return d, true
		}
	}
	return north.Device{}, false
}

// Write checks and performs items as a gateway does.
func (g *Gateway) Write(ctx context.Context, who driver.Who, items []north.WriteItem, opt north.WriteOptions) (north.WriteState, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ctxs = append(g.ctxs, ctx)
	w := g.open(who)
	for i := range items {
		st, err := g.check(&items[i])
		w.Items = append(w.Items, st)
		if err != nil {
			err.Item, err.Device, err.Path = i, items[i].Device, items[i].Path
			g.step(w, i, north.Step{Stage: north.StageRefused, Text: err.Text, Hint: err.Hint, Class: err.Class})
			return copyOf(w), err
		}
	}
	for i := range w.Items {
		g.perform(w, i, opt)
	}
	return copyOf(w), nil
}

// Do performs the command "flush", which returns its argument.
func (g *Gateway) Do(_ context.Context, who driver.Who, dev string, path device.Path, args map[string]any, opt north.WriteOptions) (north.WriteState, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	w := g.open(who)
	w.Items = []north.ItemState{{Device: dev, Path: path, Command: true}}
	if dev != Mill || path != "flush" {
		err := &north.WriteError{Code: "unknown-command", Device: dev, Path: path, Text: "there is no such command"}
		err.DidYouMean, _ = device.Nearest(string(path), []string{"flush"})
		g.step(w, 0, north.Step{Stage: north.StageRefused, Text: err.Text})
		return copyOf(w), err
	}
	c := g.Tree.Commands(dev)[0]
	v, err := device.Coerce(&c.Args[0], g.Tree.LabelSets(dev)["on-off"], args["side"])
	if err != nil {
		g.step(w, 0, north.Step{Stage: north.StageRefused, Text: err.Error()})
		return copyOf(w), &north.WriteError{Code: "wrong-type", Device: dev, Path: path, Text: err.Error()}
	}
	w.Items[0].Args = []device.Value{v}
	if opt.DryRun {
		g.step(w, 0, north.Step{Stage: north.StageDryRun, Final: true})
		return copyOf(w), nil
	}
	w.Items[0].Now = device.OfString("flushed")
	g.step(w, 0, north.Step{Stage: north.StageAcknowledged, Final: true})
	return copyOf(w), nil
}

func (g *Gateway) open(who driver.Who) *north.WriteState {
	w := &north.WriteState{ID: "w" + strconv.Itoa(len(g.log)+1), At: Moment(), Who: who}
	g.log = append(g.log, w)
	return w
}

func (g *Gateway) check(it *north.WriteItem) (north.ItemState, *north.WriteError) {
	st := north.ItemState{Device: it.Device, Path: it.Path}
	d, ok := g.Device(it.Device)
	if !ok {
		return st, &north.WriteError{Code: "unknown-device", Text: "there is no such device"}
	}
	p, ok := g.Tree.Point(it.Device, it.Path)
	if !ok {
		return st, &north.WriteError{Code: "unknown-point", Text: "there is no such point"}
	}
	st.Old = p.Sample.Value
	switch {
	case p.Spec.Access&device.W == 0:
		return st, &north.WriteError{Code: "read-only", Text: "the device does not let it be written"}
	case !slices.ContainsFunc(d.Writable, func(pat string) bool {
		return pat == string(it.Path) || p.Spec.Hazard != device.HazardMove && it.Path.Match(pat)
	}):
		return st, &north.WriteError{Code: "not-writable", Text: "the configuration does not allow it",
			Hint: fmt.Sprintf("devices: {%s: {writable: [%q]}}", it.Device, it.Path)}
	case p.Sample.Reason == device.ReasonLinkDown:
		return st, &north.WriteError{Code: "link-down", Text: "no connection", Class: driver.Unreachable}
	}
	if it.IfValue != nil {
		want, err := device.Coerce(p.Spec, p.Labels, it.IfValue)
		if err != nil || !want.Equal(p.Sample.Value) {
			return st, &north.WriteError{Code: "if-value", Text: "it holds another value"}
		}
	}
	v, err := next(&p, it)
	if err != nil {
		code := "wrong-type"
		if ve, ok := err.(*device.ValueError); ok && ve.OutOfRange {
			code = "out-of-range"
		}
		return st, &north.WriteError{Code: code, Text: err.Error()}
	}
	st.New = v
	return st, nil
}

func next(p *device.Point, it *north.WriteItem) (device.Value, error) {
	switch old := p.Sample.Value; it.Op {
	case north.OpToggle:
		if p.Spec.Kind == device.Enum {
			return device.OfEnum(1 - old.Int()), nil
		}
		return device.OfBool(!old.Bool()), nil
	case north.OpAdd:
		by, err := device.Coerce(&device.Spec{Kind: device.Int}, nil, it.Value)
		return device.OfInt(min(max(old.Int()+by.Int(), int64(p.Spec.Min)), int64(p.Spec.Max))), err
	}
	return device.Coerce(p.Spec, p.Labels, it.Value)
}

func (g *Gateway) perform(w *north.WriteState, i int, opt north.WriteOptions) {
	it := &w.Items[i]
	if opt.DryRun {
		g.step(w, i, north.Step{Stage: north.StageDryRun, Final: true})
		return
	}
	g.step(w, i, north.Step{Stage: north.StageAccepted})
	switch it.Path {
	case "no/thanks":
		g.step(w, i, north.Step{Stage: north.StageRefused, Final: true, Class: driver.DeviceSaidNo, Text: "the device said no", Hint: "ask it nicely"})
		return
	case "slow/confirm":
		g.step(w, i, north.Step{Stage: north.StageSent})
		return
	}
	g.finish(w, i)
}

func (g *Gateway) finish(w *north.WriteState, i int) {
	it := &w.Items[i]
	g.Tree.Apply(it.Device, &device.Delta{Samples: []device.Sample{{Path: it.Path, Value: it.New, Received: Moment()}}})
	it.Now = it.New
	g.step(w, i, north.Step{Stage: north.StageConfirmed, Final: true})
}

// Release lets the writes that were held back take effect.
func (g *Gateway) Release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, w := range g.log {
		for i := range w.Items {
			if w.Items[i].Last().Stage == north.StageSent {
				g.finish(w, i)
			}
		}
	}
}

func (g *Gateway) step(w *north.WriteState, i int, s north.Step) {
	g.seq++
	w.Seq = g.seq
	s.At = Moment().Add(time.Duration(g.seq) * time.Millisecond)
	w.Items[i].Steps = append(w.Items[i].Steps, s)
	close(g.changed)
	g.changed = make(chan struct{})
}

func copyOf(w *north.WriteState) north.WriteState {
	c := *w
	c.Items = slices.Clone(w.Items)
	for i := range c.Items {
		c.Items[i].Steps = slices.Clone(c.Items[i].Steps)
	}
	return c
}

// WriteByID finds a write.
func (g *Gateway) WriteByID(id string) (north.WriteState, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, w := range g.log {
		if w.ID == id {
			return copyOf(w), true
		}
	}
	return north.WriteState{}, false
}

// WriteLog lists writes with a step after since.
func (g *Gateway) WriteLog(dev string, since uint64, most int) []north.WriteState {
	g.mu.Lock()
	defer g.mu.Unlock()
	var out []north.WriteState
	for _, w := range g.log {
		if w.Seq <= since || dev != "" && !slices.ContainsFunc(w.Items, func(it north.ItemState) bool { return it.Device == dev }) {
			continue
		}
		out = append(out, copyOf(w))
	}
	slices.SortFunc(out, func(a, b north.WriteState) int { return int(int64(a.Seq) - int64(b.Seq)) })
	if most > 0 && len(out) > most {
		out = out[:most]
	}
	return out
}

// WriteLogChanged is closed at the next step of any write.
func (g *Gateway) WriteLogChanged() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.changed
}

// WriteContexts are the contexts that writes came with.
func (g *Gateway) WriteContexts() []context.Context {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.ctxs)
}
