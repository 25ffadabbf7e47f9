package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/patchbay-io/patchbay/internal/cli/gatewayclient"
	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
	"github.com/patchbay-io/patchbay/internal/north/serial"
	"github.com/patchbay-io/patchbay/internal/obs"
)

func (a *app) ptyCommand() *cobra.Command {
	var line string
	c := &cobra.Command{
		Use:   "pty DEVICE/PORT LINK | URL [PORT] LINK",
		Short: "Make a serial port appear as a local terminal device (PTY)",
		Long: `Make a serial port appear as a local terminal device (PTY) with the name LINK, until interrupted. Programs open LINK as they open
/dev/ttyUSB0; speed, stop bits and flow control that they set are followed. The port is open while a program has LINK open.
A gateway does the same for all its ports with the section serial of its configuration.`,
		Example: "  patchbay pty box/3 /tmp/instrument\n  patchbay pty rfc2217://192.0.2.30:4001 /tmp/instrument",
		Args:    cobra.RangeArgs(2, 3),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.pty(cmd.Context(), args, line) },
	}
	c.Flags().StringVar(&line, "line", "", "settings when the port is opened, such as 9600n81")
	return c
}

func (a *app) pty(ctx context.Context, args []string, text string) error {
	if err := serial.CheckPTY(); err != nil {
		return &failure{code: exitFailed, kind: "unsupported", err: err, hint: driver.HintOf(err)}
	}
	where, path, err := splitPort(args[:len(args)-1])
	if err != nil {
		return err
	}
	link, err := filepath.Abs(args[len(args)-1])
	if err != nil {
		return err
	}
	var line driver.Line
	if text != "" {
		if line, err = driver.ParseLine(text); err != nil {
			return usageError(err)
		}
	}
	if info, err := os.Stat(filepath.Dir(link)); err != nil || !info.IsDir() {
		return &failure{code: exitUsage, kind: "usage", err: fmt.Errorf("%s is no folder, so %s cannot be made", filepath.Dir(link), link),
			hint: "Make the folder, or give LINK another path."}
	}
	log, err := obs.NewLogger(a.Streams.Err, obs.LogOptions{Level: orElse(a.logLevel, "info"), Format: orElse(a.logForm, "auto"), Terminal: a.errTerminal, Secrets: a.secrets})
	if err != nil {
		return usageError(err)
	}
	var allow []string
	if isURL(where[0]) {
		allow = []string{path}
	}
	open, cancel := a.deadline(ctx)
	defer cancel()
	t, places, err := a.connect(open, where, allow)
	if err != nil {
		return cause(open, err)
	}
	defer t.close()
	dev := places[0].device
	p, err := t.Port(open, dev, path, gatewayclient.PortOptions{}) // is there such a port?
	if err != nil {
		return cause(open, err)
	}
	if err := p.Close(); err != nil && ctx.Err() != nil {
		return nil
	}
	d := serial.New(serial.Config{Streams: remotePorts{t.Client}, Log: log})
	d.Set([]serial.Port{{Device: dev, Path: device.Path(path), PTY: link, PTYOwner: -1, PTYGroup: -1, Line: line}})
	return d.Run(ctx)
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// remotePorts are the ports of a gateway behind its HTTP interface.
type remotePorts struct{ client *gatewayclient.Client }

// Streams is not known here.
func (remotePorts) Streams(string) []device.Path { return nil }

// OpenStream attaches to a port of the gateway.
func (r remotePorts) OpenStream(ctx context.Context, _ driver.Who, dev string, path device.Path, opt north.StreamOptions) (north.Stream, error) {
	o := gatewayclient.PortOptions{Own: opt.Own, Take: opt.Take}
	if opt.Line != (driver.Line{}) {
		o.Line = opt.Line.String()
	}
	p, err := r.client.Port(ctx, dev, string(path), o)
	if err != nil {
		var problem *gatewayclient.Problem
		class := driver.Closed
		if errors.As(err, &problem) && problem.Code == "busy" {
			class = driver.Busy
		}
		return nil, &driver.Error{Op: "open", Target: dev + "/" + string(path), Class: class, Err: err}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &remotePort{p: p, ctx: ctx, cancel: cancel, done: make(chan struct{}), changed: make(chan struct{})}
	s.cond.L = &s.mu
	go s.pump()
	return s, nil
}

// remotePort is a port of a gateway as a north.Stream.
type remotePort struct {
	p      *gatewayclient.Port
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}
	once   sync.Once

	mu      sync.Mutex
	cond    sync.Cond
	data    []byte
	lost    uint64
	err     error
	line    driver.Line
	state   north.StreamState
	told    bool
	changed chan struct{}
	written uint64 // bytes
	drained uint64 // of them, those that the line has taken
	asked   uint64 // what was written when the gateway was asked whether the line has taken it; 0: it is not asked
	until   time.Time
	timer   *time.Timer
}

const remoteBuffer = 256 << 10

func (s *remotePort) pump() {
	defer close(s.done)
	for {
		data, e, err := s.p.Next(s.ctx)
		s.mu.Lock()
		for len(s.data) > remoteBuffer && s.err == nil { // back-pressure
			s.cond.Wait()
		}
		s.data = append(s.data, data...)
		switch {
		case err != nil && s.err == nil:
			s.err = errors.Join(net.ErrClosed, err)
		case e != nil && e.Type == "gap":
			s.lost += e.Bytes
		case e != nil && e.Type == "drained":
			s.drained, s.asked = s.asked-min(e.Bytes, s.asked), 0
		case e != nil && e.Type == "line":
			line, _ := driver.ParseLine("1 " + e.Format) // what is not known stays open
			line.Baud, line.RTS, line.DTR = e.Baud, e.RTS, e.DTR
			line.Flow, _ = driver.ParseFlow(e.Flow)
			s.state = north.StreamState{Open: e.Open, Why: e.Why, Hint: e.Hint, Owner: e.Owner, Observers: e.Observers, Line: line,
				Event: driver.LineEvent{CTS: e.CTS, DSR: e.DSR, CD: e.CD, RI: e.RI}}
			s.line, s.told = line, false
		}
		ended := s.err != nil
		close(s.changed)
		s.changed = make(chan struct{})
		s.cond.Broadcast()
		s.mu.Unlock()
		if ended {
			return
		}
	}
}

func (s *remotePort) Read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.data) == 0 {
		switch {
		case s.err != nil:
			return 0, s.err
		case !s.until.IsZero() && !time.Now().Before(s.until):
			return 0, os.ErrDeadlineExceeded
		}
		s.cond.Wait()
	}
	n := copy(b, s.data)
	s.data = append(s.data[:0], s.data[n:]...)
	s.cond.Broadcast()
	return n, nil
}

func (s *remotePort) Write(b []byte) (int, error) {
	if err := s.p.Write(s.ctx, b); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written += uint64(len(b))
	return len(b), nil
}

func (s *remotePort) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until = t
	if s.timer != nil {
		s.timer.Stop()
	}
	s.timer = time.AfterFunc(time.Until(t), func() {
		s.mu.Lock() // a Read that has looked at the time and does not wait yet would miss it
		defer s.mu.Unlock()
		s.cond.Broadcast()
	})
	return nil
}

func (s *remotePort) Lost() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

func (s *remotePort) State(ctx context.Context) (north.StreamState, error) {
	for {
		s.mu.Lock()
		state, told, err, changed := s.state, s.told, s.err, s.changed
		s.told = true
		s.mu.Unlock()
		if err != nil || !told {
			return state, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return state, ctx.Err()
		}
	}
}

func (s *remotePort) Set(ctx context.Context, l driver.Line) (driver.Line, error) {
	c := gatewayclient.PortCommand{Type: "set", Flow: l.Flow.String(), Mode: l.Mode, RTS: l.RTS, DTR: l.DTR}
	s.mu.Lock()
	full := l.Over(s.line)
	s.mu.Unlock()
	switch {
	case full.Format() != "" && full.HalfStops != 0 && full.Parity != 0 && full.Data != 0 && full.Baud != 0:
		c.Line = full.String()
	case l.Baud != 0:
		c.Line = driver.Line{Baud: l.Baud}.String()
	}
	if err := s.p.Do(ctx, c); err != nil {
		return full, err
	}
	if l.Break != nil && *l.Break {
		return full, s.p.Do(ctx, gatewayclient.PortCommand{Type: "break"})
	}
	return full, nil
}

func (s *remotePort) Flush(ctx context.Context, in, out bool) error {
	return s.p.Do(ctx, gatewayclient.PortCommand{Type: "flush", In: in, Out: out})
}

// Drain waits until the line has taken what was written before, or has taken nothing for [north.SettleWait].
func (s *remotePort) Drain(ctx context.Context) error {
	s.mu.Lock()
	want, told := s.written, false
	s.mu.Unlock()
	for {
		s.mu.Lock()
		err, changed, ask := s.err, s.changed, false
		switch {
		case err != nil || s.drained >= want:
			s.mu.Unlock()
			return err
		case s.asked == 0 && told: // the answer was not what was hoped for
			s.mu.Unlock()
			return errNotTaken
		case s.asked == 0:
			s.asked, ask = s.written, true
		}
		told = told || s.asked >= want
		s.mu.Unlock()
		if ask {
			if err := s.p.Drain(ctx); err != nil {
				return err
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

var errNotTaken = errors.New("the line takes nothing")

// Direct is not done: what comes has come through the network.
func (s *remotePort) Direct(func([]byte) int) {}

// Yield is nothing that can be told through HTTP.
func (s *remotePort) Yield(bool) {}

// Unacked is what the line is not known to have taken.
func (s *remotePort) Unacked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int(s.written - s.drained)
}

func (s *remotePort) Close() error {
	s.once.Do(func() {
		s.mu.Lock()
		if s.err == nil {
			s.err = net.ErrClosed
		}
		s.cond.Broadcast()
		if s.timer != nil {
			s.timer.Stop()
		}
		s.mu.Unlock()
		go func() { // wait for the other side's goodbye elsewhere
			_ = s.p.Close()
			s.cancel()
		}()
		<-s.done
	})
	return nil
}

var _ io.ReadWriteCloser = (*remotePort)(nil)
