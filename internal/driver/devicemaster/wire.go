package devicemaster

import (
	"context"
	"sync"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmserver"
)

// StreamWire makes an open serial line of any kind what hangs on a port of a box: bytes, settings and line states pass both ways.
// ctx bounds the look at the present line states. Closing the wire closes the stream.
func StreamWire(ctx context.Context, st driver.Stream, line dmserver.Line) dmserver.Wire {
	inner, cancel := context.WithCancel(context.Background())
	w := &wire{Stream: st, ctx: inner, cancel: cancel}
	if e, err := st.Event(ctx); err == nil { // the first one is the present state
		line.SetInputs(inputs(e))
	}
	w.wg.Go(func() { w.follow(line) })
	return w
}

// wire is an open port of some device.
type wire struct {
	driver.Stream
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

func (w *wire) Send(b []byte) (int, error) { return w.Write(b) }
func (w *wire) Recv(b []byte) (int, error) { return w.Read(b) }

// Set passes on what a driver has set, and nothing that it has left alone. What the far port does not have stays as it is there:
// this protocol has no answer that could say so.
func (w *wire) Set(s dmserver.Settings) {
	var l driver.Line
	if s.Given&dmserver.GivenBaud != 0 {
		l.Baud = s.Baud
	}
	if s.Given&dmserver.GivenLine != 0 {
		l.Data, l.HalfStops, l.Parity, l.Flow = s.Line.Data(), 2*s.Line.Stop(), s.Line.Parity(), flow(s.Line)
	}
	if _, ok := modeOf(s.Mode.String()); ok && s.Given&dmserver.GivenMode != 0 {
		l.Mode = s.Mode.String()
	}
	if s.Given&dmserver.GivenOutputs != 0 {
		rts, dtr, brk := s.Outputs&devicemaster.RTS != 0, s.Outputs&devicemaster.DTR != 0, s.Outputs&devicemaster.Break != 0
		l.RTS, l.DTR, l.Break = &rts, &dtr, &brk
	}
	_, _ = w.Stream.Set(w.ctx, l)
}

func (w *wire) Flush(in, out bool) { _ = w.Stream.Flush(w.ctx, in, out) }

func (w *wire) Close() error {
	w.cancel()
	err := w.Stream.Close()
	w.wg.Wait()
	return err
}

// follow passes on what happens on the line.
func (w *wire) follow(line dmserver.Line) {
	for {
		e, err := w.Event(w.ctx)
		if err != nil {
			return
		}
		line.SetInputs(inputs(e))
		var errs devicemaster.LineErrors
		for _, x := range []struct {
			on  bool
			bit devicemaster.LineErrors
		}{{e.Break, devicemaster.BreakError}, {e.Framing, devicemaster.FramingError}, {e.Parity, devicemaster.ParityError}, {e.Overrun, devicemaster.Overflow}} {
			if x.on {
				errs |= x.bit
			}
		}
		line.Report(errs)
	}
}

func inputs(e driver.LineEvent) (in devicemaster.Inputs) {
	for _, x := range []struct {
		on  bool
		bit devicemaster.Inputs
	}{{e.CTS, devicemaster.CTS}, {e.DSR, devicemaster.DSR}, {e.CD, devicemaster.CD}, {e.RI, devicemaster.RI}} {
		if x.on {
			in |= x.bit
		}
	}
	return in
}
