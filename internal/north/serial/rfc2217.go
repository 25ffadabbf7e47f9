package serial

import (
	"context"
	"errors"
	"sync"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
	"github.com/patchbay-io/patchbay/protocol/rfc2217"
	"github.com/patchbay-io/patchbay/protocol/rfc2217/rfc2217server"
)

// serveRFC2217 speaks telnet with com-port control.
func (o *offer) serveRFC2217(ctx context.Context, c *client, s north.Stream, own bool) {
	port := &telnetPort{Stream: s, own: own}
	stats, err := rfc2217server.Serve(ctx, c, port, rfc2217server.Options{Signature: "patchbay " + o.port.name(), TryWrite: direct(c.Conn)}, func() {
		if own {
			s.Yield(true)
			c.leaving.Store(true)
			north.Settle(ctx, s)
		}
		s.Close()
	})
	if err = ended(err); err != nil {
		o.log.Info("rfc2217 client ended", "error", err)
	}
	if stats.Bad+stats.Ignored > 0 {
		o.log.Warn("an rfc2217 client sent what makes no sense", "messages", stats.Bad, "options", stats.Ignored)
	}
}

// telnetPort is a stream as the server for RFC 2217 wants it.
type telnetPort struct {
	north.Stream
	own bool

	mu   sync.Mutex
	line driver.Line // as last told, for those who only read
}

// Write drops what cannot be sent: the client learns of a lost link from nothing but the missing answers, as with a cable.
func (t *telnetPort) Write(p []byte) (int, error) {
	n, err := t.Stream.Write(p)
	if errors.Is(err, north.ErrStreamDown) || errors.Is(err, north.ErrNotOwner) {
		return len(p), nil
	}
	return n, err
}

// Set puts settings into force; for somebody who only reads along it tells those in force.
func (t *telnetPort) Set(ctx context.Context, s rfc2217.Settings) (rfc2217.Settings, error) {
	if !t.own {
		t.mu.Lock()
		defer t.mu.Unlock()
		return settingsOf(t.line), nil
	}
	in, err := t.Stream.Set(ctx, lineOf(s))
	if errors.Is(err, north.ErrStreamTaken) {
		return rfc2217.Settings{}, err
	}
	return settingsOf(in), nil // what the device refuses is answered with what is in force
}

// Purge throws away what is buffered.
func (t *telnetPort) Purge(ctx context.Context, what rfc2217.Purge) error {
	err := t.Flush(ctx, what&rfc2217.PurgeReceive != 0, what&rfc2217.PurgeTransmit != 0)
	if errors.Is(err, north.ErrStreamTaken) {
		return err
	}
	return nil
}

// Event waits for a change of the input lines.
func (t *telnetPort) Event(ctx context.Context) (rfc2217.ModemState, rfc2217.LineState, error) {
	st, err := t.State(ctx)
	t.mu.Lock()
	t.line = st.Line
	t.mu.Unlock()
	var m rfc2217.ModemState
	var l rfc2217.LineState
	for _, x := range [...]struct {
		on  bool
		bit rfc2217.ModemState
	}{{st.Event.CTS, rfc2217.ModemCTS}, {st.Event.DSR, rfc2217.ModemDSR}, {st.Event.CD, rfc2217.ModemCD}, {st.Event.RI, rfc2217.ModemRI}} {
		if x.on {
			m |= x.bit
		}
	}
	for _, x := range [...]struct {
		on  bool
		bit rfc2217.LineState
	}{{st.Event.Break, rfc2217.LineBreak}, {st.Event.Framing, rfc2217.LineFraming}, {st.Event.Parity, rfc2217.LineParity}, {st.Event.Overrun, rfc2217.LineOverrun}} {
		if x.on {
			l |= x.bit
		}
	}
	return m, l, err
}

const parityOrder = "?NOEMS" // by the numbers of RFC 2217

func lineOf(s rfc2217.Settings) driver.Line {
	l := driver.Line{Baud: s.Baud, Data: s.Data, HalfStops: [...]uint8{0, 2, 4, 3}[s.Stop], Break: on(s.Break, rfc2217.ControlBreakOn),
		DTR: on(s.DTR, rfc2217.ControlDTROn), RTS: on(s.RTS, rfc2217.ControlRTSOn)}
	if s.Parity != 0 {
		l.Parity = parityOrder[s.Parity]
	}
	switch s.Flow {
	case rfc2217.ControlFlowNone:
		l.Flow = driver.FlowNone
	case rfc2217.ControlFlowXonXoff:
		l.Flow = driver.FlowXonXoff
	case rfc2217.ControlFlowRtsCts:
		l.Flow = driver.FlowRtsCts
	}
	return l
}

func on(c, yes rfc2217.Control) *bool {
	if c == 0 {
		return nil
	}
	b := c == yes
	return &b
}

func settingsOf(l driver.Line) rfc2217.Settings {
	s := rfc2217.Settings{Baud: l.Baud, Data: l.Data, Break: pick(l.Break, rfc2217.ControlBreakOn, rfc2217.ControlBreakOff),
		DTR: pick(l.DTR, rfc2217.ControlDTROn, rfc2217.ControlDTROff), RTS: pick(l.RTS, rfc2217.ControlRTSOn, rfc2217.ControlRTSOff)}
	for i := 1; i < len(parityOrder); i++ {
		if parityOrder[i] == l.Parity {
			s.Parity = rfc2217.Parity(i)
		}
	}
	switch l.HalfStops {
	case 2:
		s.Stop = rfc2217.Stop1
	case 3:
		s.Stop = rfc2217.Stop1Half
	case 4:
		s.Stop = rfc2217.Stop2
	}
	switch l.Flow {
	case driver.FlowNone:
		s.Flow = rfc2217.ControlFlowNone
	case driver.FlowXonXoff:
		s.Flow = rfc2217.ControlFlowXonXoff
	case driver.FlowRtsCts:
		s.Flow = rfc2217.ControlFlowRtsCts
	}
	return s
}

func pick(b *bool, yes, no rfc2217.Control) rfc2217.Control {
	switch {
	case b == nil:
		return 0
	case *b:
		return yes
	}
	return no
}
