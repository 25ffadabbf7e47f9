package replay

import (
	"bytes"
	"errors"
	"io"
	"time"

	"github.com/patchbay-io/patchbay/protocol/fcxml"
	"github.com/patchbay-io/patchbay/transcript"
)

// FCXML is what Focusrite Control said about a device in a recording: its controls, what they were worth when the program first
// heard of them, and what changed later and when. It comes from the first connection on which a device arrives, and is about the
// first device there that tells its values, or the first one when none does. The server pushes, so a recording cannot answer by
// request; a simulated one can begin with that device and take the changes at their time.
type FCXML struct {
	Device  *fcxml.Element
	Values  map[uint32]string // by the number of the control; what the server leaves out is at rest
	Changes []FCXMLChange
}

// FCXMLChange is one message, and how long after the first values it came.
type FCXMLChange struct {
	After   time.Duration
	Items   []fcxml.Assign
	Plugged *bool // not nil: the device was plugged in again, or taken away
}

// ErrNoArrival is the cause when a recording does not show what the device is.
var ErrNoArrival = errors.New("the recording has no device-arrival, in which Focusrite Control says what controls there are; " +
	"begin recording before the program connects")

// ReadFCXML reads a recording from a file.
func ReadFCXML(name string) (*FCXML, error) { return readFile(name, NewFCXML) }

// NewFCXML learns from a recording.
func NewFCXML(t *transcript.Transcript) (*FCXML, error) {
	if err := mustBe(t, "Focusrite Control", "fcxml"); err != nil {
		return nil, err
	}
	for _, f := range eachFlow(t, func(*transcript.Event) *controlFlow { return new(controlFlow) }) {
		if r := f.learn(); r != nil {
			return r, nil
		}
	}
	return nil, ErrNoArrival
}

// controlFlow is what the server says on one connection. As an [io.Reader] it gives the bytes event by event.
type controlFlow struct {
	events []*transcript.Event
	next   int
}

func (f *controlFlow) feed(e *transcript.Event) {
	if e.Dir == transcript.FromServer && len(e.Data) > 0 {
		f.events = append(f.events, e)
	}
}

// Read implements [io.Reader].
func (f *controlFlow) Read(b []byte) (int, error) {
	if f.next == len(f.events) {
		return 0, io.EOF
	}
	e := f.events[f.next]
	n := copy(b, e.Data)
	if n < len(e.Data) { // the rest is the next read's
		rest := *e
		rest.Data = e.Data[n:]
		f.events[f.next] = &rest
		return n, nil
	}
	f.next++
	return n, nil
}

// at is when the bytes came that were read last.
func (f *controlFlow) at() time.Duration { return f.events[max(f.next-1, 0)].Offset }

// told is what the server says of one device.
type told struct {
	FCXML
	id    string // as it is called now
	began bool
	from  time.Duration
}

// learn is what the connection tells about a device; nil when none arrives.
func (f *controlFlow) learn() *FCXML {
	var all []*told
	of := func(id string) *told {
		for _, d := range all {
			if d.id == id {
				return d
			}
		}
		return nil
	}
	frames := fcxml.NewReader(f)
	for {
		frame, err := frames.Next()
		if err != nil {
			break // the end, or bytes that no program would read on from
		}
		m, err := fcxml.Parse(bytes.Clone(frame.Payload))
		if err != nil {
			continue
		}
		switch m := m.(type) {
		case fcxml.DeviceArrival:
			for _, e := range m.Devices {
				all = arrived(all, e, f.at())
			}
		case fcxml.DeviceRemoval:
			if d := of(m.Device); d != nil {
				d.plugged(f.at(), false)
			}
		case fcxml.Set:
			if d := of(m.Device); d != nil {
				d.set(f.at(), m.Items)
			}
		}
	}
	for _, d := range all {
		if d.began {
			return &d.FCXML
		}
	}
	if len(all) > 0 {
		return &all[0].FCXML
	}
	return nil
}

// arrived adds a device, or notes that a known one is back: it has another number then, and the serial number of before.
func arrived(all []*told, e *fcxml.Element, at time.Duration) []*told {
	if _, err := fcxml.NewSchema(e); err != nil {
		return all
	}
	for _, d := range all {
		if serial := e.Attr("serial-number"); serial != "" && serial == d.Device.Attr("serial-number") {
			d.id = e.Attr("id")
			d.plugged(at, true)
			return all
		}
	}
	return append(all, &told{FCXML: FCXML{Device: e, Values: map[uint32]string{}}, id: e.Attr("id")})
}

func (d *told) plugged(at time.Duration, in bool) {
	if d.began {
		d.Changes = append(d.Changes, FCXMLChange{After: at - d.from, Plugged: &in})
	}
}

func (d *told) set(at time.Duration, items []fcxml.Assign) {
	if d.began {
		d.Changes = append(d.Changes, FCXMLChange{After: at - d.from, Items: items})
		return
	}
	d.began, d.from = true, at
	for _, i := range items {
		d.Values[i.ID] = i.Value
	}
}
