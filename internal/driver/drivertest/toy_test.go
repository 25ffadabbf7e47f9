package drivertest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// toy is a driver for toyFar, polled or pushing, with at most one bug.
type toy struct {
	push bool
	bug  string
}

type toyOptions struct {
	Period time.Duration `yaml:"period"`
}

const toyTimeout = 3 * time.Second

func (d toy) Info() driver.Info {
	i := driver.Info{Name: "toy", Title: "Toy", Schemes: []driver.Scheme{{Name: "toy", Network: "tcp", Port: 7}}, Can: driver.CanWrite}
	if d.bug == "hides-ability" {
		i.Can = 0
	}
	return i
}

func (d toy) Options() any { return &toyOptions{Period: time.Second} }

func (d toy) specs() []device.Spec {
	spec := func(p device.Path, r device.Rate, a device.Access) device.Spec {
		return device.Spec{Path: p, Kind: device.Int, Rate: r, Access: a, Title: string(p), Grade: device.GradeSeen, Confirm: device.ByReadBack}
	}
	s := []device.Spec{spec("a", device.Normal, device.RW), spec("b", device.Slow, device.RW), spec("level", device.Meter, device.R),
		spec("fixed", device.Static, device.R)}
	if d.bug == "bad-path" {
		s[0].Title, s[1].Grade = "", ""
	}
	return s
}

func (d toy) Open(ctx context.Context, env driver.Env, t driver.Target) (driver.Session, error) {
	addr := net.JoinHostPort(t.URL.Hostname(), "7")
	if d.bug == "forgets-deadline" {
		ctx = context.WithoutCancel(ctx)
	}
	c, err := env.Dial(ctx, "tcp", addr)
	if err != nil {
		if d.bug == "plain-error" {
			return nil, err
		}
		return nil, driver.WrapNet("open", addr, err)
	}
	s := &toySession{d: d, addr: addr, c: c, replies: make(chan string, 1), pushes: make(chan string, 16), dead: make(chan struct{}),
		turn: make(chan struct{}, 1), period: t.Options.(*toyOptions).Period}
	if d.bug == "keeps-late-replies" { // and knows no reply too many
		s.replies = make(chan string, 16)
	}
	in := bufio.NewReaderSize(c, 4096)
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })
	c.SetReadDeadline(time.Now().Add(toyTimeout))
	line, err := in.ReadSlice('\n')
	if stop(); err == nil {
		c.SetReadDeadline(time.Time{})
	}
	if ctx.Err() != nil && err != nil {
		err = ctx.Err()
	}
	if string(line) != "toy 1\n" {
		if err == nil || errors.Is(err, bufio.ErrBufferFull) {
			err = &driver.Error{Op: "open", Target: addr, Class: driver.NotThisProtocol, Err: fmt.Errorf("the greeting is %.20q", line)}
		} else if len(line) > 0 && !errors.Is(err, context.Canceled) {
			err = &driver.Error{Op: "open", Target: addr, Class: driver.NotThisProtocol, Err: err}
		}
		if d.bug == "wrong-class" {
			err = &driver.Error{Op: "open", Target: addr, Class: driver.Busy, Err: errors.New("something went wrong")}
		}
		if d.bug != "leaves-connection" {
			c.Close()
		}
		return nil, driver.WrapNet("open", addr, err)
	}
	s.life, s.end = context.WithCancelCause(context.Background())
	s.wg.Go(func() { s.reader(in) })
	if d.bug == "leaks-goroutine" {
		never := make(chan struct{})
		go func() { <-never }()
	}
	return s, nil
}

type toySession struct {
	d       toy
	addr    string
	c       net.Conn
	period  time.Duration
	turn    chan struct{} // one exchange at a time
	replies chan string
	pushes  chan string
	wg      sync.WaitGroup

	mu    sync.Mutex
	dead  chan struct{}
	cause error
	life  context.Context // ends with the session, its cause is why
	end   context.CancelCauseFunc
}

func (s *toySession) reader(in *bufio.Reader) {
	for {
		line, err := in.ReadSlice('\n')
		kind, rest, _ := strings.Cut(strings.TrimSuffix(string(line), "\n"), " ")
		switch {
		case err != nil:
			s.die(err)
			return
		case kind == "r":
			select {
			case s.replies <- rest:
				continue
			default:
			}
		case kind == "p" && s.d.push:
			select {
			case s.pushes <- rest:
			case <-s.dead:
				return
			}
			continue
		}
		s.die(&driver.Error{Op: "read", Target: s.addr, Class: driver.NotThisProtocol, Err: fmt.Errorf("unexpected line %.20q", line)})
		return
	}
}

// die ends the session; the first cause stays.
func (s *toySession) die(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause == nil {
		if errors.Is(cause, bufio.ErrBufferFull) {
			cause = &driver.Error{Op: "read", Target: s.addr, Class: driver.NotThisProtocol, Err: cause}
		}
		s.cause = driver.WrapNet("read", s.addr, cause)
		if s.d.bug == "wrong-class-later" {
			s.cause = &driver.Error{Op: "read", Target: s.addr, Class: driver.Internal, Err: cause}
		}
		close(s.dead)
		s.end(s.cause)
		s.c.Close()
	}
}

// errNotSent is the cause when an exchange ended before anything was sent.
var errNotSent = errors.New("nothing was sent")

func (s *toySession) ask(ctx context.Context, line string) (string, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	select {
	case <-s.dead:
		return "", &driver.Error{Op: "ask", Target: s.addr, Class: driver.ClassOf(s.cause), Err: fmt.Errorf("%w: %w", errNotSent, s.cause)}
	default:
	}
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if _, err := io.WriteString(s.c, line+"\n"); err != nil {
		s.die(err)
		return "", s.cause
	}
	timer := time.NewTimer(toyTimeout)
	defer timer.Stop()
	done := ctx.Done()
	if s.d.bug == "ignores-cancel" {
		done = nil
	}
	select {
	case r := <-s.replies:
		return r, nil
	case <-s.dead:
		return "", s.cause
	case <-timer.C:
		s.die(os.ErrDeadlineExceeded)
		return "", s.cause
	case <-done:
		if s.d.bug != "keeps-late-replies" {
			s.die(ctx.Err())
		}
		return "", ctx.Err()
	}
}

func (s *toySession) Read(ctx context.Context, paths []device.Path) ([]device.Sample, error) {
	var words []string
	for _, p := range paths {
		words = append(words, string(p))
	}
	r, err := s.ask(ctx, "get "+strings.Join(words, " "))
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(r)
	if len(fields) != len(paths) {
		err := &driver.Error{Op: "read", Target: s.addr, Class: driver.NotThisProtocol, Err: fmt.Errorf("%d answers to %d questions", len(fields), len(paths))}
		s.die(err)
		return nil, err
	}
	out := make([]device.Sample, len(paths))
	for i, f := range fields {
		out[i] = toySample(f)
		if s.d.bug == "spoils-others" && out[i].Quality == device.Bad {
			return nil, &driver.Error{Op: "read", Target: s.addr, Class: driver.Unsupported, Err: errors.New("no such point")}
		}
	}
	if s.d.bug == "sorts" && len(out) > 1 && out[0].Path > out[1].Path {
		out[0], out[1] = out[1], out[0]
	}
	return out, nil
}

func toySample(f string) device.Sample {
	name, v, _ := strings.Cut(f, "=")
	n, err := strconv.Atoi(v)
	if err != nil {
		return device.Sample{Path: device.Path(name), Quality: device.Bad, Reason: device.ReasonUnsupported, Received: time.Now()}
	}
	return device.Sample{Path: device.Path(name), Value: device.OfInt(int64(n)), Received: time.Now()}
}

func (s *toySession) Watch(ctx context.Context, want driver.Interest, sink driver.Sink) error {
	if s.d.bug == "meters-always" {
		want = driver.Everything{}
	}
	if s.d.bug == "no-full" {
		sink = notFull{sink}
	}
	if s.d.bug == "duplicates" {
		sink = doubling{sink}
	}
	if !s.d.push {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		defer context.AfterFunc(s.life, func() { cancel(context.Cause(s.life)) })()
		return driver.Poll(ctx, s.d.specs(), func(device.Rate) time.Duration { return s.period }, s.Read, want, sink)
	}
	return s.watchPushes(ctx, want, sink)
}

// watchPushes subscribes, reads everything once, and hands on what the device says. The level is asked for while wanted.
func (s *toySession) watchPushes(ctx context.Context, want driver.Interest, sink driver.Sink) error {
	if _, err := s.ask(ctx, "sub"); err != nil {
		return err
	}
	samples, err := s.Read(ctx, []device.Path{"a", "b", "fixed"})
	if err != nil {
		return err
	}
	sink.Apply(&driver.Change{Full: true, Specs: s.d.specs(), Samples: samples})
	tick := time.NewTicker(s.period)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.dead:
			return s.cause
		case p := <-s.pushes:
			sink.Apply(&driver.Change{Samples: []device.Sample{toySample(p)}})
		case <-tick.C:
			ask := []device.Path{"fixed"} // a sign of life
			if want.Every("level") >= 0 {
				ask = append(ask, "level")
			}
			if samples, err = s.Read(ctx, ask); err != nil {
				return err
			}
			sink.Apply(&driver.Change{Samples: samples[1:]})
		}
	}
}

func (s *toySession) Abilities() driver.Abilities { return driver.Abilities{Writer: s} }

func (s *toySession) Write(ctx context.Context, writes []driver.Write) ([]driver.Outcome, error) {
	out := make([]driver.Outcome, len(writes))
	for i, w := range writes {
		if w.Path == "level" && s.d.bug != "writes-anything" {
			out[i] = driver.Outcome{Stage: driver.Refused, Err: &driver.Error{Op: "write", Target: s.addr, Class: driver.Unsupported, Err: errors.New("read-only")}}
			continue
		}
		line := fmt.Sprintf("set %s %v", w.Path, w.Value)
		r, err := s.ask(ctx, line)
		if s.d.bug == "writes-twice" {
			r, err = s.ask(ctx, line)
		}
		switch {
		case errors.Is(err, errNotSent):
			out[i] = driver.Outcome{Stage: driver.Refused, Err: err}
		case err != nil && s.d.bug == "claims-success":
			out[i] = driver.Outcome{Stage: driver.Acked}
		case err != nil:
			out[i] = driver.Outcome{Stage: driver.Uncertain, Err: err}
		case r == "ok" || s.d.bug == "ignores-refusal":
			out[i] = driver.Outcome{Stage: driver.Acked}
		default:
			out[i] = driver.Outcome{Stage: driver.Refused, Err: &driver.Error{Op: "write", Target: s.addr, Class: driver.DeviceSaidNo, Err: errors.New("it said no")}}
		}
	}
	return out, nil
}

func (s *toySession) Close() error {
	if s.d.bug == "close-once" {
		close(s.dead)
	}
	if s.d.bug == "close-forgets" {
		return nil
	}
	s.die(net.ErrClosed)
	s.wg.Wait()
	return nil
}

type notFull struct{ driver.Sink }

func (n notFull) Apply(c *driver.Change) {
	d := *c
	d.Full = false
	n.Sink.Apply(&d)
}

type doubling struct{ driver.Sink }

func (d doubling) Apply(c *driver.Change) {
	e := *c
	e.Samples = append(append([]device.Sample(nil), c.Samples...), c.Samples...)
	d.Sink.Apply(&e)
}
