package dmsim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"

	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmserver"
)

// DefaultLayout is what hangs on the ports of a box when nothing is said: two null modems, an instrument, an echo, a sink,
// and a port that somebody else has.
const DefaultLayout = "null,null,null,null,instrument,echo,sink,taken"

// Options of a simulated box. The zero value is a box with [DefaultLayout].
type Options struct {
	// Layout is what hangs on the ports, one word for each: null (the next null is the other end), echo, instrument, sink,
	// drain, taken. Empty is [DefaultLayout]. It is not used when Backends are given.
	Layout string
	// Attach makes what hangs on a port whose word is none of these; nil: there are no others.
	Attach func(word string) (dmserver.Backend, error)
	// Backends are what hangs on the ports instead.
	Backends []dmserver.Backend
	// Paced makes lines as slow as their baud rate.
	Paced bool
	// State is the byte of the ID response whose meaning nobody knows; 0 and 2 were seen.
	State uint8
	// MAC and IP are the box's own; zero is made up.
	MAC devicemaster.MAC
	IP  devicemaster.IPv4
	// Variations are what boxes were seen to do differently.
	Variations dmserver.Variations
	// Changed is called when a port or a client has changed; it must not block or call the simulator.
	Changed func()
	// WrapConn, when set, goes around each accepted connection, next to the wire: a recorder sees what faults do.
	WrapConn func(net.Conn) net.Conn
}

// Sim is a simulated box. All methods may be called at the same time.
type Sim struct {
	*dmserver.Server
	taps []*tap

	mu     sync.Mutex
	faults Faults
}

// LayoutWords are the words of [Options.Layout].
func LayoutWords() []string { return []string{"null", "echo", "instrument", "sink", "drain", "taken"} }

// backends makes what a layout says.
func backends(layout string, attach func(string) (dmserver.Backend, error)) ([]dmserver.Backend, error) {
	var out []dmserver.Backend
	var other dmserver.Backend // the end of a null modem that is still to come
	for word := range strings.SplitSeq(layout, ",") {
		var b dmserver.Backend
		switch word = strings.TrimSpace(word); word {
		case "null":
			if b, other = other, nil; b == nil {
				b, other = NullModem()
			}
		case "echo":
			b = Echo()
		case "instrument":
			b = Instrument()
		case "sink":
			b = Sink()
		case "drain":
			b = Paced(Sink())
		case "taken":
			b = Taken()
		default:
			if attach == nil {
				return nil, fmt.Errorf("port %d is %q; a port is one of %s", len(out)+1, word, strings.Join(LayoutWords(), ", "))
			}
			var err error
			if b, err = attach(word); err != nil {
				return nil, fmt.Errorf("port %d: %w", len(out)+1, err)
			}
		}
		out = append(out, b)
	}
	if other != nil {
		return nil, errors.New("a null modem has two ends: the number of ports with the word null is odd")
	}
	return out, nil
}

// New makes a box and switches it on; it starts nothing. The error is about the options.
func New(o Options) (*Sim, error) {
	if o.Layout == "" {
		o.Layout = DefaultLayout
	}
	if o.Backends == nil {
		var err error
		if o.Backends, err = backends(o.Layout, o.Attach); err != nil {
			return nil, err
		}
	}
	s := new(Sim)
	all := make([]dmserver.Backend, len(o.Backends))
	for i, b := range o.Backends {
		if o.Paced {
			b = Paced(b)
		}
		t := &tap{Backend: b}
		s.taps = append(s.taps, t)
		all[i] = t
	}
	var err error
	s.Server, err = dmserver.New(dmserver.Options{
		ID: func() devicemaster.IDResponse {
			id := devicemaster.Identity(uint8(len(all)), o.State)
			if o.MAC != (devicemaster.MAC{}) {
				id.MAC = o.MAC
			}
			if o.IP != (devicemaster.IPv4{}) {
				id.IP = o.IP
			}
			return id
		},
		Backends: all, Variations: o.Variations, Changed: o.Changed, Tamper: s.tamper, Permit: s.permit,
		WrapConn: func(c net.Conn) net.Conn {
			if o.WrapConn != nil {
				c = o.WrapConn(c)
			}
			return &faultConn{Conn: c, sim: s, closed: make(chan struct{})}
		},
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// SetInputs makes the modem inputs of a port, counted from 0, what they are given as. It reports whether somebody has the
// port open.
func (s *Sim) SetInputs(port int, in devicemaster.Inputs) bool {
	l := s.line(port)
	if l != nil {
		l.SetInputs(in)
	}
	return l != nil
}

// Report makes the line of a port have errors. It reports whether somebody has the port open.
func (s *Sim) Report(port int, e devicemaster.LineErrors) bool {
	l := s.line(port)
	if l != nil {
		l.Report(e)
	}
	return l != nil
}

func (s *Sim) line(port int) dmserver.Line {
	if port < 0 || port >= len(s.taps) {
		return nil
	}
	t := s.taps[port]
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.line
}

// tap is a back end whose line can be spoken for.
type tap struct {
	dmserver.Backend
	mu   sync.Mutex
	line dmserver.Line
}

func (t *tap) Open(ctx context.Context, line dmserver.Line) (dmserver.Wire, error) {
	w, err := t.Backend.Open(ctx, line)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	t.line = line
	t.mu.Unlock()
	return &tapWire{Wire: w, t: t, line: line}, nil
}

type tapWire struct {
	dmserver.Wire
	t    *tap
	line dmserver.Line
}

func (w *tapWire) Close() error {
	w.t.mu.Lock()
	if w.t.line == w.line {
		w.t.line = nil
	}
	w.t.mu.Unlock()
	return w.Wire.Close()
}
