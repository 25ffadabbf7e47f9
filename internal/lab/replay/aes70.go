package replay

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/transcript"
)

// AES70 is a device that answers as a real one did in a recording. Equal commands take the recorded responses in turn, and begin
// again after the last. A property that has changed since is answered with what it was changed to, by an announcement of the device
// that [AES70.Change] plays or by a controller that sets it. Whatever else nobody asked in the recording is refused. All methods may
// be called at the same time.
type AES70 struct {
	Changes []AES70Change
	EV1     bool // the device took no subscription to events of the second kind

	refused2, took2 bool // subscriptions to them

	mu      sync.Mutex
	classes map[ocp1.ONo]ocp1.ClassIdentification // of the objects that were spoken to or spoke; the zero value where it was not said
	answers map[string]*turns[ocp1.Response]
}

// AES70Change is a change that the device announced, and how long after the first subscription.
type AES70Change struct {
	After   time.Duration
	Emitter ocp1.ONo
	Change  ocp1.PropertyChange
}

// ErrNoObjects is the cause when a recording does not show what objects a device has.
var ErrNoObjects = errors.New("the recording has no answer of a root block, so it cannot stand for an AES70 device; begin recording before the " +
	"controller connects, and over TCP: what is inside WebSockets or TLS is not read here")

// ReadAES70 reads a recording from a file.
func ReadAES70(name string) (*AES70, error) { return readFile(name, NewAES70) }

// NewAES70 learns from a recording.
func NewAES70(t *transcript.Transcript) (*AES70, error) {
	if err := mustBe(t, "AES70", "aes70"); err != nil {
		return nil, err
	}
	r := &AES70{classes: map[ocp1.ONo]ocp1.ClassIdentification{}, answers: map[string]*turns[ocp1.Response]{}}
	var from time.Duration
	flows := eachFlow(t, func(*transcript.Event) *ocaFlow { return &ocaFlow{r: r, asked: map[uint32]ocp1.Command{}} })
	for _, f := range flows {
		if len(f.changes) > 0 { // two controllers hear the same: one is enough
			r.Changes, from = f.changes, f.subscribed
			break
		}
	}
	r.EV1 = r.refused2 && !r.took2
	for i := range r.Changes {
		r.Changes[i].After = max(0, r.Changes[i].After-from)
	}
	if !r.knows(ocp1.RootBlockONo) {
		return nil, ErrNoObjects
	}
	return r, nil
}

// knows reports whether an object has answered anything.
func (r *AES70) knows(ono ocp1.ONo) bool {
	_, ok := r.classes[ono]
	return ok
}

// Objects are the objects of the recording with their classes, in order of their numbers; the subscription manager is left out,
// since who subscribes now need not be who subscribed then.
func (r *AES70) Objects() []ocp1.ObjectIdentification {
	var out []ocp1.ObjectIdentification
	for ono, class := range r.classes {
		if ono != ocp1.SubscriptionManagerONo {
			out = append(out, ocp1.ObjectIdentification{ONo: ono, Class: class})
		}
	}
	slices.SortFunc(out, func(a, b ocp1.ObjectIdentification) int { return cmp.Compare(a.ONo, b.ONo) })
	return out
}

// Answer is the response to a command. changed is not nil when the command has set a property, which subscribers are to be told.
func (r *AES70) Answer(cmd ocp1.Command) (count uint8, values []byte, changed *ocp1.PropertyChange, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	refused := func(s ocp1.Status) error { return &ocp1.Error{Target: cmd.Target, Method: cmd.Method, Status: s} }
	t := r.answers[commandKey(&cmd)]
	if t != nil {
		if a := t.take(); a.Status != ocp1.StatusOK {
			return 0, nil, nil, refused(a.Status)
		} else if a.Count > 0 || len(cmd.Params) == 0 {
			return a.Count, a.Params, nil, nil
		}
	}
	if prop, ok := propertySetBy(r.classes[cmd.Target].Class, cmd.Method); ok && cmd.Count == 1 {
		value := bytes.Clone(cmd.Params)
		if r.set(cmd.Target, prop, value) {
			return 0, nil, &ocp1.PropertyChange{Property: prop, Value: value, Change: ocp1.CurrentChanged}, nil
		}
	}
	if t != nil {
		return 0, nil, nil, nil
	}
	return 0, nil, nil, refused(ocp1.StatusNotImplemented)
}

// Change plays a change: from now on the property is answered with it.
func (r *AES70) Change(c *AES70Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.Change.Change == ocp1.CurrentChanged {
		r.set(c.Emitter, c.Change.Property, c.Change.Value)
	}
}

// set makes value what the getter of a property answers; limits that it answered besides stay. It reports whether that getter was
// asked in the recording, with values as long as this one where their length is fixed.
func (r *AES70) set(ono ocp1.ONo, prop ocp1.ID, value []byte) bool {
	getter, ok := propertyGetter(r.classes[ono].Class, prop)
	if !ok {
		return false
	}
	t := r.answers[commandKey(&ocp1.Command{Target: ono, Method: getter})]
	if t == nil {
		return false
	}
	a := t.list[0]
	switch {
	case a.Status != ocp1.StatusOK || a.Count == 0:
		return false
	case a.Count == 1:
		a.Params = value
	case len(a.Params) != int(a.Count)*len(value): // a value and its limits are of one type
		return false
	default:
		a.Params = append(bytes.Clone(value), a.Params[len(value):]...)
	}
	t.list, t.next = []ocp1.Response{a}, 0
	return true
}

// ocaFlow pairs the commands and responses of one connection.
type ocaFlow struct {
	r          *AES70
	bufs       [2][]byte
	broken     [2]bool // bytes that are no message: nothing more is learned from that direction
	asked      map[uint32]ocp1.Command
	subscribed time.Duration
	subscribes bool
	changes    []AES70Change // After is when
}

func (f *ocaFlow) feed(e *transcript.Event) {
	n := 0
	if e.Dir == transcript.FromServer {
		n = 1
	}
	if f.broken[n] {
		return
	}
	f.bufs[n] = append(f.bufs[n], e.Data...)
	for {
		m, rest, err := ocp1.ParseMessage(f.bufs[n], ocp1.MaxMessage)
		if err != nil {
			f.broken[n] = !errors.Is(err, ocp1.ErrShort)
			return
		}
		if n == 0 {
			f.said(m)
		} else {
			f.heard(e.Offset, m)
		}
		f.bufs[n] = rest
	}
}

func (f *ocaFlow) said(m ocp1.Message) {
	if m.Type != ocp1.TypeCommandRrq {
		return
	}
	p := m.PDUs()
	for c, ok := p.Command(); ok; c, ok = p.Command() {
		c.Params = bytes.Clone(c.Params)
		f.asked[c.Handle] = c
	}
}

func (f *ocaFlow) heard(at time.Duration, m ocp1.Message) {
	p := m.PDUs()
	switch m.Type {
	case ocp1.TypeResponse:
		for a, ok := p.Response(); ok; a, ok = p.Response() {
			if c, asked := f.asked[a.Handle]; asked {
				delete(f.asked, a.Handle)
				f.answered(at, &c, a)
			}
		}
	case ocp1.TypeNotification:
		for n, ok := p.Notification(); ok; n, ok = p.Notification() {
			f.event(at, n.Event, n.Data)
		}
	case ocp1.TypeNotification2:
		for n, ok := p.Notification2(); ok; n, ok = p.Notification2() {
			f.event(at, n.Event, n.Data)
		}
	}
}

func (f *ocaFlow) answered(at time.Duration, c *ocp1.Command, a ocp1.Response) {
	if c.Target == ocp1.SubscriptionManagerONo {
		switch {
		case c.Method == ocp1.MethodAddSubscription2 && a.Status != ocp1.StatusOK:
			f.r.refused2 = true
		case c.Method == ocp1.MethodAddSubscription2:
			f.r.took2 = true
		}
		if a.Status == ocp1.StatusOK && !f.subscribes {
			f.subscribes, f.subscribed = true, at
		}
	}
	if !f.r.knows(c.Target) && a.Status != ocp1.StatusBadONo {
		f.r.classes[c.Target] = ocp1.ClassIdentification{}
	}
	a.Params = bytes.Clone(a.Params)
	put(f.r.answers, commandKey(c), a)
	if a.Status != ocp1.StatusOK {
		return
	}
	p := ocp1.NewParams("recording", a.Params)
	switch c.Method {
	case ocp1.ID{Level: 3, Index: 5}: // GetMembers, when it is a block
		if class := f.r.classes[c.Target].Class; c.Target != ocp1.RootBlockONo && !class.IsA(ocp1.ClassBlock) {
			return
		}
		for _, m := range ocp1.ListOf(&p, "members", p.ObjectIdentification) {
			f.r.classes[m.ONo] = m.Class
		}
	case ocp1.ID{Level: 1, Index: 1}:
		if class := p.ClassIdentification("class"); p.End() == nil {
			f.r.classes[c.Target] = class
		}
	}
}

func (f *ocaFlow) event(at time.Duration, e ocp1.Event, data []byte) {
	c, err := ocp1.ParsePropertyChange(bytes.Clone(data))
	if err != nil || e.ID != ocp1.PropertyChanged {
		return
	}
	f.changes = append(f.changes, AES70Change{After: at, Emitter: e.Emitter, Change: c})
}

// commandKey is what makes two commands one.
func commandKey(c *ocp1.Command) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(c.Target))
	b = binary.BigEndian.AppendUint16(b, c.Method.Level)
	b = binary.BigEndian.AppendUint16(b, c.Method.Index)
	return string(append(append(b, c.Count), c.Params...))
}

// classAt is the class of the level among id and its ancestors; nil when it is not known.
func classAt(id ocp1.ClassID, level uint16) *ocp1.Class {
	for ; id.Len() > 0; id = id.Parent() {
		if c, ok := ocp1.ClassByID(id); ok && c.Level() == level {
			return c
		}
	}
	return nil
}

// propertyGetter is the method that gives a property: by its name, which is how the standard has them all.
func propertyGetter(class ocp1.ClassID, prop ocp1.ID) (ocp1.ID, bool) {
	p, ok := ocp1.PropertyOf(class, prop)
	if !ok {
		return ocp1.ID{}, false
	}
	for _, m := range classAt(class, prop.Level).Methods {
		if m.Name == "Get"+p.Name && len(m.In) == 0 {
			return ocp1.ID{Level: prop.Level, Index: m.Index}, true
		}
	}
	return ocp1.ID{}, false
}

// propertySetBy is the property that a method sets.
func propertySetBy(class ocp1.ClassID, method ocp1.ID) (ocp1.ID, bool) {
	m, ok := ocp1.MethodOf(class, method)
	if !ok || len(m.In) != 1 || len(m.Out) > 0 {
		return ocp1.ID{}, false
	}
	for _, p := range classAt(class, method.Level).Properties {
		if m.Name == "Set"+p.Name {
			return ocp1.ID{Level: method.Level, Index: p.Index}, true
		}
	}
	return ocp1.ID{}, false
}
