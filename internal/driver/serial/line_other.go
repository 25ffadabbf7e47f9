//go:build !linux

package serial

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"go.bug.st/serial"

	"github.com/patchbay-io/patchbay/internal/driver"
)

const (
	linePoll  = 20 * time.Millisecond
	readPoll  = 100 * time.Millisecond // how soon a deadline or Close ends Read
	writeSize = 256                    // bytes of one call, so that Close ends a Write between two
)

// line is an open port through the library that knows the systems besides Linux. It has no flow control there.
type line struct {
	port serial.Port
	stop chan struct{}

	set  sync.Mutex
	mode serial.Mode
	in   driver.Line

	mu       sync.Mutex
	deadline time.Time
	closed   bool
	first    bool
	lines    serial.ModemStatusBits
}

func open(name string, l driver.Line) (driver.Stream, error) {
	base := driver.Line{Baud: 9600, Data: 8, HalfStops: 2, Parity: 'N', Flow: driver.FlowNone}
	in := l.Over(base)
	in.Flow = driver.FlowNone
	s := &line{stop: make(chan struct{}), first: true, in: in, mode: modeOf(in)}
	if l.RTS != nil || l.DTR != nil {
		s.mode.InitialStatusBits = &serial.ModemOutputBits{RTS: l.RTS == nil || *l.RTS, DTR: l.DTR == nil || *l.DTR}
	}
	port, err := serial.Open(name, &s.mode)
	if err != nil {
		return nil, known(err)
	}
	if err := port.SetReadTimeout(readPoll); err != nil {
		return nil, errors.Join(err, port.Close())
	}
	s.port = port
	return s, nil
}

// known turns the library's errors into those of the standard library.
func known(err error) error {
	var pe *serial.PortError
	if !errors.As(err, &pe) {
		return err
	}
	switch pe.Code() {
	case serial.PortNotFound:
		return os.ErrNotExist
	case serial.PermissionDenied:
		return os.ErrPermission
	case serial.InvalidSerialPort:
		return errNoTerminal
	case serial.PortClosed:
		return net.ErrClosed
	}
	return err
}

func isBusy(err error) bool {
	var pe *serial.PortError
	return errors.As(err, &pe) && pe.Code() == serial.PortBusy
}

func modeOf(l driver.Line) serial.Mode {
	m := serial.Mode{BaudRate: int(l.Baud), DataBits: int(l.Data)}
	switch l.Parity {
	case 'O':
		m.Parity = serial.OddParity
	case 'E':
		m.Parity = serial.EvenParity
	case 'M':
		m.Parity = serial.MarkParity
	case 'S':
		m.Parity = serial.SpaceParity
	}
	switch l.HalfStops {
	case 3:
		m.StopBits = serial.OnePointFiveStopBits
	case 4:
		m.StopBits = serial.TwoStopBits
	}
	return m
}

func (s *line) state() (time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return s.deadline, net.ErrClosed
	}
	if !s.deadline.IsZero() && !time.Now().Before(s.deadline) {
		return s.deadline, os.ErrDeadlineExceeded
	}
	return s.deadline, nil
}

func (s *line) Read(p []byte) (int, error) {
	for {
		if _, err := s.state(); err != nil {
			return 0, err
		}
		n, err := s.port.Read(p)
		if n > 0 || err != nil {
			return n, known(err)
		}
	}
}

func (s *line) Write(p []byte) (n int, err error) {
	for n < len(p) {
		if _, err := s.state(); err != nil {
			return n, err
		}
		k, err := s.port.Write(p[n:min(len(p), n+writeSize)])
		n += k
		if err != nil {
			return n, known(err)
		}
	}
	return n, nil
}

func (s *line) SetDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline = t
	return nil
}

func (s *line) Close() error {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	s.mu.Unlock()
	if !first {
		return nil
	}
	close(s.stop)
	return errors.Join(s.port.ResetOutputBuffer(), s.port.Close())
}

// Unacked is not known here.
func (s *line) Unacked() int { return 0 }

func (s *line) Set(_ context.Context, l driver.Line) (driver.Line, error) {
	s.set.Lock()
	defer s.set.Unlock()
	l.Flow, l.Mode = driver.FlowAsIs, ""
	next := l.Over(s.in)
	if m := modeOf(next); m.BaudRate != s.mode.BaudRate || m.DataBits != s.mode.DataBits || m.Parity != s.mode.Parity || m.StopBits != s.mode.StopBits {
		if err := s.port.SetMode(&m); err != nil {
			return s.in, known(err)
		}
		s.mode = m
	}
	if l.RTS != nil {
		if err := s.port.SetRTS(*l.RTS); err != nil {
			return s.in, known(err)
		}
	}
	if l.DTR != nil {
		if err := s.port.SetDTR(*l.DTR); err != nil {
			return s.in, known(err)
		}
	}
	if l.Break != nil && *l.Break { // the library knows breaks of a length only
		if err := s.port.Break(250 * time.Millisecond); err != nil {
			return s.in, known(err)
		}
	}
	next.Break = nil
	s.in = next
	return s.in, nil
}

func (s *line) Flush(_ context.Context, in, out bool) error {
	var err error
	if in {
		err = s.port.ResetInputBuffer()
	}
	if out {
		err = errors.Join(err, s.port.ResetOutputBuffer())
	}
	return known(err)
}

// Drain waits in the system; Close ends it by dropping what is left.
func (s *line) Drain(context.Context) error { return known(s.port.Drain()) }

func (s *line) Event(ctx context.Context) (driver.LineEvent, error) {
	tick := time.NewTicker(linePoll)
	defer tick.Stop()
	for {
		m, err := s.port.GetModemStatusBits()
		if err != nil {
			m = &serial.ModemStatusBits{}
		}
		s.mu.Lock()
		news := s.first || *m != s.lines
		s.first, s.lines = false, *m
		s.mu.Unlock()
		if news {
			return driver.LineEvent{CTS: m.CTS, DSR: m.DSR, CD: m.DCD, RI: m.RI}, nil
		}
		select {
		case <-tick.C:
		case <-s.stop:
			return driver.LineEvent{}, net.ErrClosed
		case <-ctx.Done():
			return driver.LineEvent{}, ctx.Err()
		}
	}
}
