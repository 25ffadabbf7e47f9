package simulate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/patchbay-io/patchbay/internal/driver"
	boxdriver "github.com/patchbay-io/patchbay/internal/driver/devicemaster"
	"github.com/patchbay-io/patchbay/internal/driver/serial"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmserver"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmsim"
)

// lineEnds make what hangs on the ports of a box and lies outside it: serial ports of this computer, terminals for other
// programs, and devices that a file describes.
type lineEnds struct {
	told func(error)
	run  []func(context.Context) error
}

func (e *lineEnds) runAll(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, run := range e.run {
		g.Go(func() error { return run(ctx) })
	}
	return g.Wait()
}

// attach makes the end that a word of a layout names, KIND:NAME.
func (e *lineEnds) attach(word string) (dmserver.Backend, error) {
	kind, name, _ := strings.Cut(word, ":")
	switch kind {
	case "serial", "pty", "script":
		if name == "" {
			return nil, fmt.Errorf("%q names nothing; write serial:/dev/ttyUSB0, pty:/tmp/instrument, script:device.yaml", word)
		}
	}
	switch kind {
	case "serial":
		if err := serial.Check(name); err != nil {
			return nil, err
		}
		return &serialEnd{name: name, told: e.told}, nil
	case "pty":
		b, run, err := ptyEndOf(name)
		if err == nil {
			e.run = append(e.run, run)
		}
		return b, err
	case "script":
		return scriptOf(name)
	}
	return nil, fmt.Errorf("%q is unknown; a port is one of %s, serial:PORT, pty:LINK, script:FILE", word, strings.Join(dmsim.LayoutWords(), ", "))
}

// serialEnd is a serial port of this computer. It is open while a driver has the port of the box open.
type serialEnd struct {
	name string
	told func(error)
}

// Open opens the port with the settings that a port of a box has at first: 9600 8N1, RTS and DTR off.
func (e *serialEnd) Open(ctx context.Context, line dmserver.Line) (dmserver.Wire, error) {
	off := false
	s, err := serial.OpenPort(e.name, driver.Line{Baud: 9600, Data: 8, Parity: 'N', HalfStops: 2, Flow: driver.FlowNone, RTS: &off, DTR: &off})
	if err != nil {
		if e.told != nil {
			e.told(err)
		}
		return nil, err
	}
	return &pluggedWire{Wire: boxdriver.StreamWire(ctx, s, line), of: e}, nil
}

// pluggedWire tells when its port is pulled out. The driver at the box is told no more than that the port is not its own any more.
type pluggedWire struct {
	dmserver.Wire
	of *serialEnd
}

func (w *pluggedWire) Recv(b []byte) (int, error) {
	n, err := w.Wire.Recv(b)
	if err != nil && !errors.Is(err, net.ErrClosed) && w.of.told != nil {
		w.of.told(&driver.Error{Op: "read", Target: w.of.name, Class: driver.Closed, Err: fmt.Errorf("the port is gone: %w", err),
			Hint: "plug it in again; until then the port of the box is busy"})
	}
	return n, err
}

// scriptFile is a device that a file describes; docs/guide/devicemaster.md explains the keys to users.
type scriptFile struct {
	Every     time.Duration     `yaml:"every"`     // how often it says something by itself; 0 is never
	Say       []string          `yaml:"say"`       // what, in turn; {n} is how often it has said something
	Answers   map[string]string `yaml:"answers"`   // by the line that came in, without its end
	Otherwise string            `yaml:"otherwise"` // the answer to any other line
}

// scriptOf reads a device from a file.
func scriptOf(name string) (dmserver.Backend, error) {
	text, err := readScenario(name)
	if err != nil {
		return nil, err
	}
	var f scriptFile
	if err := decodeFile(name, text, &f); err != nil {
		return nil, err
	}
	switch {
	case f.Every < 0 || f.Every > 0 && f.Every < time.Millisecond:
		return nil, fmt.Errorf("%s: every: %v is too often; give 1ms or more", name, f.Every)
	case f.Every > 0 && len(f.Say) == 0:
		return nil, fmt.Errorf("%s: every: there is nothing to say; write say: [\"hello\\r\\n\"]", name)
	case f.Every == 0 && len(f.Say) > 0:
		return nil, fmt.Errorf("%s: say: it is not said how often; write every: 1s", name)
	case len(f.Say) == 0 && len(f.Answers) == 0 && f.Otherwise == "":
		return nil, fmt.Errorf("%s: %w", name, errSilentScript)
	}
	return dmsim.Script{
		Every: f.Every,
		Say: func(n int) string {
			return strings.ReplaceAll(f.Say[n%len(f.Say)], "{n}", strconv.Itoa(n))
		},
		Answer: func(line string) string {
			if a, ok := f.Answers[line]; ok {
				return a
			}
			return f.Otherwise
		},
	}, nil
}

var errSilentScript = errors.New("it says and answers nothing; give every and say, or answers")
