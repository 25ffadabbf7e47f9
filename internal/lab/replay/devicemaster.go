package replay

import (
	"errors"
	"time"

	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/transcript"
)

// DeviceMaster is what a box said in a recording: who it is, and what came from the lines of its ports. A box answers the
// administration of a link by rule, as a simulated one does; what is worth playing is the lines.
type DeviceMaster struct {
	ID    *devicemaster.IDResponse // nil: the recording begins behind it
	Lines []SerialLine             // by port; as many as the box has, or as were spoken of when it did not say
}

// ErrNoPort is the cause when a recording has nothing that a port could say.
var ErrNoPort = errors.New("the recording has neither an ID response nor the opening of a port")

// ReadDeviceMaster reads a recording from a file.
func ReadDeviceMaster(name string) (*DeviceMaster, error) {
	return readFile(name, NewDeviceMaster)
}

// NewDeviceMaster learns from a recording.
func NewDeviceMaster(t *transcript.Transcript) (*DeviceMaster, error) {
	if err := mustBe(t, "a DeviceMaster", "devicemaster"); err != nil {
		return nil, err
	}
	r := new(DeviceMaster)
	for _, f := range eachFlow(t, func(*transcript.Event) *boxFlow { return newBoxFlow(r) }) {
		f.end()
	}
	if len(r.Lines) == 0 && r.ID == nil {
		return nil, ErrNoPort
	}
	want := len(r.Lines)
	if r.ID != nil {
		want = max(want, int(r.ID.Ports))
	}
	for len(r.Lines) < min(max(want, 1), devicemaster.MaxPorts) {
		r.Lines = append(r.Lines, SerialLine{})
	}
	return r, nil
}

// line is a port of the box; nil when no box has so many.
func (r *DeviceMaster) line(port uint8) *SerialLine {
	if port >= devicemaster.MaxPorts {
		return nil
	}
	for len(r.Lines) <= int(port) {
		r.Lines = append(r.Lines, SerialLine{})
	}
	return &r.Lines[port]
}

// boxFlow is one connection of a recording.
type boxFlow struct {
	r        *DeviceMaster
	client   *devicemaster.Decoder
	box      *devicemaster.Decoder
	asked    bool   // for an ID response
	identity []byte // what came of it
	open     map[uint8]*lineRecord
	order    []uint8
}

func newBoxFlow(r *DeviceMaster) *boxFlow {
	return &boxFlow{r: r, client: devicemaster.NewDecoder(devicemaster.ToDevice, devicemaster.DecoderOptions{}),
		box: devicemaster.NewDecoder(devicemaster.FromDevice, devicemaster.DecoderOptions{}), open: map[uint8]*lineRecord{}}
}

func (f *boxFlow) feed(e *transcript.Event) {
	if e.Dir == transcript.FromClient {
		if f.asked && len(f.identity) >= devicemaster.MinIDResponse { // it has gone on, so that was all
			f.identified(len(f.identity))
		}
		each(f.client, e.Data, func(m *devicemaster.Message) { f.said(e.Offset, m) })
		return
	}
	b := e.Data
	if f.asked {
		f.identity = append(f.identity, b...)
		n, done := devicemaster.ScanIDResponse(f.identity)
		if !done {
			return
		}
		b = f.identity[n:]
		f.identified(n)
	}
	each(f.box, b, func(m *devicemaster.Message) { f.heard(e.Offset, m) })
}

// identified takes the first n bytes that came after the request as the ID response.
func (f *boxFlow) identified(n int) {
	if id, err := devicemaster.ParseIDResponse(f.identity[:n]); err == nil && f.r.ID == nil {
		f.r.ID = &id
	}
	f.asked, f.identity = false, nil
}

// each decodes bytes; what is no message is passed over, as a box and a driver do.
func each(d *devicemaster.Decoder, b []byte, take func(*devicemaster.Message)) {
	d.Feed(b)
	for {
		m, ok, err := d.Next()
		if err == nil && !ok {
			return
		}
		if err == nil {
			take(&m)
		}
	}
}

// said takes a message of the client.
func (f *boxFlow) said(at time.Duration, m *devicemaster.Message) {
	if m.Op == devicemaster.ToolID {
		f.asked, f.identity = true, nil
		return
	}
	if r := f.open[m.Port]; r != nil && m.Selected && m.Op == devicemaster.OpData {
		r.client(at, len(m.Data))
	}
}

// heard takes a message of the box.
func (f *boxFlow) heard(at time.Duration, m *devicemaster.Message) {
	if !m.Selected {
		return
	}
	if m.Op == devicemaster.OpStatus {
		f.status(at, m)
		return
	}
	var s LineStep
	switch m.Op {
	case devicemaster.OpData:
		s.Data = m.Data
	case devicemaster.OpInputs:
		s.Inputs, s.Changed = devicemaster.Inputs(m.Value), true
	case devicemaster.OpErrors:
		s.Errors = devicemaster.LineErrors(m.Value)
	default:
		return
	}
	r := f.open[m.Port]
	if r == nil {
		r = f.begin(at, m.Port, 0) // the recording begins after the opening
	}
	if r != nil {
		r.step(at, s)
	}
}

func (f *boxFlow) status(at time.Duration, m *devicemaster.Message) {
	switch devicemaster.Status(m.Value) {
	case devicemaster.Opened:
		f.close(m.Port)
		f.begin(at, m.Port, m.Inputs)
	case devicemaster.Busy:
		if l := f.r.line(m.Port); l != nil {
			l.Taken = true
		}
	default:
		f.close(m.Port)
	}
}

// begin begins an opening; nil when no box has the port.
func (f *boxFlow) begin(at time.Duration, port uint8, in devicemaster.Inputs) *lineRecord {
	if f.r.line(port) == nil {
		return nil
	}
	r := &lineRecord{Opening: Opening{Inputs: in}, at: at}
	f.open[port] = r
	f.order = append(f.order, port)
	return r
}

// close puts an opening down.
func (f *boxFlow) close(port uint8) {
	if r := f.open[port]; r != nil {
		l := f.r.line(port)
		l.Openings = append(l.Openings, r.Opening)
		delete(f.open, port)
	}
}

func (f *boxFlow) end() {
	if f.asked && len(f.identity) > 0 {
		f.identified(len(f.identity))
	}
	for _, port := range f.order {
		f.close(port)
	}
}
