package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/patchbay-io/patchbay/internal/cli/gatewayclient"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
	"github.com/patchbay-io/patchbay/internal/plural"
)

// termFlags are the flags of term.
type termFlags struct {
	line, escape  string
	observe, take bool
	linger        time.Duration
}

func (a *app) termCommand() *cobra.Command {
	var f termFlags
	c := &cobra.Command{
		Use:   "term DEVICE/PORT | URL [PORT]",
		Short: "Talk to a serial port in this terminal",
		Long: `Talk to a serial port in this terminal. PORT is a number, or a path such as ports/3. Everything that is typed goes to the line,
but for the escape key, Ctrl-T: after it q quits, b sends a break, d and r switch DTR and RTS, f throws away what is buffered,
s shows the port, Ctrl-T sends itself, and ? lists this. When the input is no terminal, all of it is sent, and the command ends
when the line has taken it and has been silent for a moment. It fails when the line has not taken everything.`,
		Example: "  patchbay term box/3\n  patchbay term box/3 --line 115200n81\n  patchbay term serial:/dev/ttyUSB0\n  patchbay term rfc2217://192.0.2.30:4001",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.term(cmd.Context(), args, f)
		},
	}
	c.Flags().StringVar(&f.line, "line", "", "settings to put into force, such as 9600n81; default: as they are")
	c.Flags().StringVar(&f.escape, "escape", "t", "letter of the escape key, with Ctrl")
	c.Flags().BoolVar(&f.observe, "observe", false, "only read along; opens nothing")
	c.Flags().BoolVar(&f.take, "take", false, "take the port from whoever has it")
	c.Flags().DurationVar(&f.linger, "linger", 500*time.Millisecond, "how long to wait for answers when the line has taken all of an input that is no terminal")
	return c
}

// splitPort tells the device from the port; the port of a device URL may be left out when there is one, or stand behind the host.
func splitPort(args []string) (where []string, path string, err error) {
	wrong := usageError(errors.New("give a port: DEVICE/3, or a device URL and the number of the port"))
	switch {
	case isURL(args[0]) && len(args) == 1:
		u, err := url.Parse(args[0])
		if err != nil || u.Host == "" || len(u.Path) < 2 || strings.Trim(u.Path[1:], "0123456789") != "" {
			return args, "ports/1", nil
		}
		path = u.Path[1:] // devicemaster://HOST/3
		u.Path = ""
		args = []string{u.String()}
	case isURL(args[0]):
		path = args[1]
	case len(args) == 1:
		dev, rest, ok := strings.Cut(args[0], "/")
		if !ok || rest == "" {
			return nil, "", wrong
		}
		args, path = []string{dev}, rest
	default:
		return nil, "", wrong
	}
	if strings.Trim(path, "0123456789") == "" {
		path = "ports/" + path
	}
	return args[:1], path, checkPath(path)
}

// openPort attaches to a port of a running gateway, or of a device URL.
func (a *app) openPort(ctx context.Context, where []string, path string, opt gatewayclient.PortOptions) (*target, *gatewayclient.Port, error) {
	open, cancel := a.deadline(ctx)
	defer cancel()
	var allow []string
	if isURL(where[0]) {
		allow = []string{path} // whoever names the device himself may write to its port
	}
	t, places, err := a.connect(open, where, allow)
	if err != nil {
		return nil, nil, cause(open, err)
	}
	p, err := t.Port(open, places[0].device, path, opt)
	if err != nil {
		t.close()
		return nil, nil, cause(open, err)
	}
	return t, p, nil
}

func (a *app) term(ctx context.Context, args []string, f termFlags) error {
	where, path, err := splitPort(args)
	if err != nil {
		return err
	}
	if f.line != "" {
		if _, err := driver.ParseLine(f.line); err != nil {
			return usageError(err)
		}
	}
	if len(f.escape) != 1 || f.escape[0] < 'a' || f.escape[0] > 'z' {
		return usageError(fmt.Errorf("--escape %q is no letter from a to z", f.escape))
	}
	t, p, err := a.openPort(ctx, where, path, gatewayclient.PortOptions{Own: !f.observe, Take: f.take, Line: f.line})
	if err != nil {
		return err
	}
	defer t.close()
	s := &terminal{app: a, port: p, escape: f.escape[0] - 'a' + 1, name: args[0], flags: f}
	err = s.run(ctx)
	_ = p.Close() // the gateway may have closed it first
	return err
}

// terminal is a conversation with a port.
type terminal struct {
	*app
	port    *gatewayclient.Port
	escape  byte
	name    string
	flags   termFlags
	raw     bool
	quit    bool
	after   bool // the escape key was the last
	state   gatewayclient.PortEvent
	said    string
	unsent  int  // bytes that could not be sent
	opened  bool // the port was open at some time
	drained bool // the line has taken all of an input that has ended, or takes nothing more
	other   bool // it was said that other settings are in force than --line asked for
}

// notice is a line for the person, whatever mode the terminal is in.
func (s *terminal) notice(format string, args ...any) {
	end := "\n"
	if s.raw {
		end = "\r\n"
	}
	fmt.Fprintf(s.Err, "[%s]%s", fmt.Sprintf(format, args...), end)
}

func (s *terminal) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if f, ok := s.In.(*os.File); ok && s.inTerminal {
		before, err := term.MakeRaw(int(f.Fd()))
		if err != nil {
			return err
		}
		s.raw = true
		defer func() { _ = term.Restore(int(f.Fd()), before) }() // there is nobody left to tell
		s.notice("%s: Ctrl-%c q quits, Ctrl-%c ? helps", s.name, s.escape+'A'-1, s.escape+'A'-1)
	}
	type message struct {
		data  []byte
		event *gatewayclient.PortEvent
		err   error
	}
	in, out := make(chan []byte), make(chan message)
	sent := make(chan error, 1)
	go func() { sent <- s.input(ctx, in) }() // reading cannot be ended; the goroutine ends with the input or the program
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			data, event, err := s.port.Next(ctx)
			select {
			case out <- message{data, event, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	defer func() { cancel(); <-done }()
	var last <-chan time.Time
	lingers := false
	for !s.quit {
		switch known := s.opened || s.state.Why != ""; {
		case s.drained && known && (last == nil || !lingers):
			last, lingers = time.After(s.flags.linger), true
		case s.drained && last == nil: // nothing was sent, and the port is still being opened
			last = time.After(s.timeout)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-last:
			if s.unsent > 0 { // a program has to know
				return &failure{code: exitFailed, kind: "not-sent", err: fmt.Errorf("%s not sent", plural.Of(s.unsent, "byte"))}
			}
			if !s.opened {
				return &failure{code: exitFailed, kind: "not-open", err: errors.New("the port was not opened")}
			}
			return nil
		case err := <-sent:
			if err != nil || s.raw { // the terminal is gone
				return err
			}
		case b := <-in:
			if err := s.typed(ctx, b); err != nil {
				return err
			}
		case m := <-out:
			switch {
			case errors.Is(m.err, io.EOF):
				return nil
			case m.err != nil:
				return &failure{code: exitFailed, kind: "closed", err: m.err}
			case m.event != nil:
				s.event(m.event)
			default:
				if _, err := s.Out.Write(m.data); err != nil {
					return err
				}
				if last != nil {
					last = time.After(s.flags.linger)
				}
			}
		}
	}
	return nil
}

// input reads until the input ends. What is typed goes to keys; everything else goes to the line, which may hold it up, and it is asked
// then whether the line has taken all of it. Who only observes sends nothing, and goes on until it is interrupted.
func (s *terminal) input(ctx context.Context, keys chan<- []byte) error {
	for {
		b := make([]byte, 4096)
		n, err := s.In.Read(b)
		switch {
		case n == 0 || s.flags.observe && !s.raw:
		case s.raw:
			select {
			case keys <- b[:n]:
			case <-ctx.Done():
				return nil
			}
		default:
			if s.port.Write(ctx, b[:n]) != nil {
				return nil // Next says why
			}
		}
		switch {
		case err == nil:
			continue
		case !errors.Is(err, io.EOF):
			return fmt.Errorf("reading what is to be sent: %w", err)
		case !s.raw && !s.flags.observe:
			_ = s.port.Drain(ctx) // Next says why
		}
		return nil
	}
}

// typed sends what was typed, and does what stands behind the escape key.
func (s *terminal) typed(ctx context.Context, b []byte) error {
	var send []byte
	for _, c := range b {
		switch {
		case s.after:
			s.after = false
			if c == s.escape {
				send = append(send, c)
				continue
			}
			if err := s.command(ctx, c); err != nil {
				return err
			}
		case c == s.escape:
			s.after = true
		default:
			send = append(send, c)
		}
	}
	if len(send) == 0 || s.flags.observe {
		return nil
	}
	return s.port.Write(ctx, send)
}

func (s *terminal) command(ctx context.Context, c byte) error {
	flip := func(b *bool) *bool { on := b == nil || !*b; return &on }
	switch c {
	case 'q', 'x':
		s.quit = true
		s.notice("bye")
	case 'b':
		s.notice("break")
		return s.port.Do(ctx, gatewayclient.PortCommand{Type: "break"})
	case 'd':
		on := flip(s.state.DTR)
		s.notice("DTR %s", onOff(on))
		return s.port.Do(ctx, gatewayclient.PortCommand{Type: "set", DTR: on})
	case 'r':
		on := flip(s.state.RTS)
		s.notice("RTS %s", onOff(on))
		return s.port.Do(ctx, gatewayclient.PortCommand{Type: "set", RTS: on})
	case 'f':
		s.notice("flush")
		return s.port.Do(ctx, gatewayclient.PortCommand{Type: "flush", In: true, Out: true})
	case 's':
		s.notice("%s", s.stateText())
	default:
		s.notice("q quit, b break, d DTR, r RTS, f flush, s state, Ctrl-%c itself", s.escape+'A'-1)
	}
	return nil
}

func onOff(b *bool) string {
	switch {
	case b == nil:
		return "?"
	case *b:
		return "on"
	}
	return "off"
}

func (s *terminal) stateText() string {
	e := &s.state
	if !e.Open {
		return notOpen(e)
	}
	lines := ""
	for _, l := range []struct {
		on   bool
		name string
	}{{e.CTS, "CTS"}, {e.DSR, "DSR"}, {e.CD, "CD"}, {e.RI, "RI"}} {
		if l.on {
			lines += " " + l.name
		}
	}
	return fmt.Sprintf("%d %s, flow %s, RTS %s, DTR %s, on:%s; owner %s, %d reading along", e.Baud, e.Format, e.Flow, onOff(e.RTS), onOff(e.DTR), lines, e.Owner, e.Observers)
}

// notOpen says that a port is not open, why, and what a person can check.
func notOpen(e *gatewayclient.PortEvent) string {
	text := "not open"
	if e.Why != "" {
		text += ": " + e.Why
	}
	if e.Hint != "" {
		text += " (" + e.Hint + ")"
	}
	return text
}

// compare says once when an open port has other settings than --line asked for: not every device has all of them.
func (s *terminal) compare(e *gatewayclient.PortEvent) {
	if s.flags.line == "" || s.flags.observe || s.other || !e.Open {
		return
	}
	in, err := driver.ParseLine(fmt.Sprintf("%d %s", e.Baud, e.Format))
	want, werr := driver.ParseLine(s.flags.line)
	if err == nil && werr == nil && want.Over(in) != in {
		s.other = true
		s.notice("the port has %d %s in place of %s", e.Baud, e.Format, s.flags.line)
	}
}

// event shows what a person should know.
func (s *terminal) event(e *gatewayclient.PortEvent) {
	switch e.Type {
	case "gap":
		s.notice("%s missing here: this terminal was too slow", plural.Of(e.Bytes, "byte"))
	case "dropped":
		if !s.raw {
			s.unsent += int(e.Bytes)
		}
		s.notice("%s not sent: %s", plural.Of(e.Bytes, "byte"), strings.ReplaceAll(e.Text, "\n", ": "))
	case "drained":
		s.drained = true
		if e.Bytes > 0 {
			s.unsent += int(e.Bytes)
			s.notice("the line has not taken %s, and nothing for %v: is its flow control in the way?", plural.Of(e.Bytes, "byte"), north.SettleWait)
		}
	case "error":
		s.notice("%s", e.Text)
	case "line":
		s.state = *e
		said := "open"
		if !e.Open {
			said = notOpen(e)
		}
		s.opened = s.opened || e.Open
		if said != s.said && (s.said != "" || said != "open") {
			s.notice("%s", said)
		}
		s.said = said
		s.compare(e)
		for _, h := range e.Happened {
			s.notice("%s", h)
		}
	}
}
