package simulate

import (
	"context"
	"errors"
	"net"
	"net/url"
	"sync"

	"github.com/patchbay-io/patchbay/internal/lab/replay"
	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmserver"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmsim"
	"github.com/patchbay-io/patchbay/protocol/rfc2217"
	"github.com/patchbay-io/patchbay/protocol/rfc2217/rfc2217server"
)

// rfc2217Kind is how a simulated server of one port is made by name. What hangs on the port are the ends of a simulated box.
func rfc2217Kind() Kind {
	return Kind{
		Driver: "rfc2217", Settings: []string{"line"},
		New: func(settings url.Values) (Device, error) {
			word := settings.Get("line")
			if word == "" {
				word = "echo"
			}
			var ends lineEnds
			end, err := ends.of(word)
			if err != nil {
				return Device{}, err
			}
			d := telnetDevice(end, "simulated port, "+word)
			if len(ends.run) > 0 {
				d.Run = ends.runAll
			}
			return d, nil
		},
		Replay: func(file string) (Device, error) {
			r, err := replay.ReadRFC2217(file)
			if err != nil {
				return Device{}, err
			}
			return telnetDevice(recordedEnd(r.Line), r.Signature), nil
		},
	}
}

// of is the end that one word names, of a layout or of [lineEnds.attach].
func (e *lineEnds) of(word string) (dmserver.Backend, error) {
	switch word {
	case "echo":
		return dmsim.Echo(), nil
	case "instrument":
		return dmsim.Instrument(), nil
	case "sink":
		return dmsim.Sink(), nil
	case "drain":
		return dmsim.Paced(dmsim.Sink()), nil
	case "null", "taken":
		return nil, errors.New("line: null and taken need a box of several ports; write echo, instrument, sink, drain, script:FILE, serial:PORT or pty:LINK")
	}
	return e.attach(word)
}

// telnetDevice offers one line to one client at a time.
func telnetDevice(end dmserver.Backend, signature string) Device {
	t := &telnetServer{end: end, signature: signature, turn: make(chan struct{}, 1)}
	return Device{Services: []Service{{Network: "tcp", Port: 2217, Stream: t.serve}}}
}

type telnetServer struct {
	end       dmserver.Backend
	signature string
	turn      chan struct{} // held by the client that has the line
}

func (t *telnetServer) serve(ctx context.Context, l net.Listener) error {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	defer l.Close()
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return err
		}
		wg.Go(func() { t.client(ctx, conn) })
	}
}

// client serves one client; whoever comes while another has the line is told so and sent away, as ser2net does.
func (t *telnetServer) client(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	default:
		_, _ = conn.Write([]byte("Port already in use\r\n")) // it may be gone already
		return
	}
	p := &telnetPort{changed: make(chan struct{}), set: dmserver.DefaultSettings()}
	wire, err := t.end.Open(ctx, p)
	if err != nil {
		_, _ = conn.Write([]byte("The port cannot be opened\r\n")) // as above
		return
	}
	p.Wire = wire
	_, _ = rfc2217server.Serve(ctx, conn, p, rfc2217server.Options{Signature: t.signature}, func() { wire.Close() }) // the client goes, or the line ends
}

// telnetPort is an end of a line as a port of RFC 2217.
type telnetPort struct {
	dmserver.Wire

	mu      sync.Mutex
	set     dmserver.Settings
	inputs  devicemaster.Inputs
	errs    devicemaster.LineErrors
	told    bool
	changed chan struct{} // closed and replaced when inputs or errs are news
}

// SetInputs implements [dmserver.Line].
func (p *telnetPort) SetInputs(in devicemaster.Inputs) { p.happened(&in, 0) }

// Report implements [dmserver.Line].
func (p *telnetPort) Report(e devicemaster.LineErrors) {
	if e != 0 {
		p.happened(nil, e)
	}
}

func (p *telnetPort) happened(in *devicemaster.Inputs, e devicemaster.LineErrors) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if in != nil {
		p.inputs = *in
	}
	p.errs |= e
	p.told = false
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *telnetPort) Read(b []byte) (int, error) { return p.Recv(b) }

func (p *telnetPort) Write(b []byte) (int, error) {
	for n := 0; ; {
		if n == len(b) {
			return n, nil
		}
		k, err := p.Send(b[n:])
		if n += k; err != nil {
			return n, err
		}
	}
}

// Set does what a DeviceMaster could do; the answer has what is in force.
func (p *telnetPort) Set(_ context.Context, s rfc2217.Settings) (rfc2217.Settings, error) {
	p.mu.Lock()
	before := p.set
	set := &p.set
	if s.Baud != 0 {
		set.Baud, set.Given = s.Baud, set.Given|dmserver.GivenBaud
	}
	data, parity, stop := set.Line.Data(), set.Line.Parity(), set.Line.Stop()
	if s.Data != 0 {
		data = s.Data
	}
	if s.Parity != 0 && s.Parity <= rfc2217.ParityEven {
		parity = "NOE"[s.Parity-1]
	}
	if s.Stop == rfc2217.Stop1 || s.Stop == rfc2217.Stop2 {
		stop = uint8(s.Stop)
	}
	if f, ok := devicemaster.Format(data, parity, stop); ok {
		set.Line = set.Line.WithFormat(f)
	}
	switch s.Flow {
	case rfc2217.ControlFlowNone:
		set.Line = set.Line.WithFlow(0)
	case rfc2217.ControlFlowXonXoff:
		set.Line = set.Line.WithFlow(devicemaster.XonXoff)
	case rfc2217.ControlFlowRtsCts:
		set.Line = set.Line.WithFlow(devicemaster.RTSCTS)
	}
	if set.Line != before.Line {
		set.Given |= dmserver.GivenLine
	}
	for _, x := range outputControls {
		switch *x.of(&s) {
		case x.on:
			set.Outputs, set.Given = set.Outputs|x.bit, set.Given|dmserver.GivenOutputs
		case x.off:
			set.Outputs, set.Given = set.Outputs&^x.bit, set.Given|dmserver.GivenOutputs
		}
	}
	now := p.set
	p.mu.Unlock()
	if now != before {
		p.Wire.Set(now)
	}
	return inForce(now), nil
}

var outputControls = [...]struct {
	of      func(*rfc2217.Settings) *rfc2217.Control
	on, off rfc2217.Control
	bit     devicemaster.Outputs
}{
	{func(s *rfc2217.Settings) *rfc2217.Control { return &s.RTS }, rfc2217.ControlRTSOn, rfc2217.ControlRTSOff, devicemaster.RTS},
	{func(s *rfc2217.Settings) *rfc2217.Control { return &s.DTR }, rfc2217.ControlDTROn, rfc2217.ControlDTROff, devicemaster.DTR},
	{func(s *rfc2217.Settings) *rfc2217.Control { return &s.Break }, rfc2217.ControlBreakOn, rfc2217.ControlBreakOff, devicemaster.Break},
}

func inForce(s dmserver.Settings) rfc2217.Settings {
	out := rfc2217.Settings{Baud: s.Baud, Data: s.Line.Data(), Stop: rfc2217.StopSize(s.Line.Stop()), Flow: rfc2217.ControlFlowNone}
	for i, c := range "NOE" {
		if byte(c) == s.Line.Parity() {
			out.Parity = rfc2217.Parity(i + 1)
		}
	}
	switch {
	case s.Line&devicemaster.RTSCTS != 0:
		out.Flow = rfc2217.ControlFlowRtsCts
	case s.Line&devicemaster.XonXoff != 0:
		out.Flow = rfc2217.ControlFlowXonXoff
	}
	for _, x := range outputControls {
		if *x.of(&out) = x.off; s.Outputs&x.bit != 0 {
			*x.of(&out) = x.on
		}
	}
	return out
}

func (p *telnetPort) Purge(_ context.Context, what rfc2217.Purge) error {
	p.Flush(what&rfc2217.PurgeReceive != 0, what&rfc2217.PurgeTransmit != 0)
	return nil
}

// Event waits for news of the line; the first call has the present state.
func (p *telnetPort) Event(ctx context.Context) (rfc2217.ModemState, rfc2217.LineState, error) {
	for {
		p.mu.Lock()
		in, errs, told, changed := p.inputs, p.errs, p.told, p.changed
		p.told, p.errs = true, 0
		p.mu.Unlock()
		if !told {
			return replay.ModemStateOf(in), replay.LineStateOf(errs), nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return 0, 0, ctx.Err()
		}
	}
}
