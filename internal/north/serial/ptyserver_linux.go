package serial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// Bits of the byte in front of each read in packet mode.
const (
	pktFlushRead  = 0x01
	pktFlushWrite = 0x02
	pktIoctl      = 0x40
)

// servePTY offers the port as a PTY until ctx ends, or until somebody else takes the port: programs see that as a hang-up. The port is
// open while a program has the PTY open.
func (o *offer) servePTY(ctx context.Context) (err error) {
	t, err := newTerminal(&o.port)
	if err != nil {
		return err
	}
	o.log.Info("serial port offered", "as", "pty", "link", t.link, "terminal", t.Name())
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := &ptyServer{offer: o, t: t, tried: make(chan struct{})}
	var closing error
	closed := make(chan struct{})
	end := func() { closing = t.Close(); close(closed) }
	stop := context.AfterFunc(ctx, end)
	var wg sync.WaitGroup
	users := make(chan bool, 16)
	wg.Go(func() {
		defer close(users)
		_ = t.opened(func(inUse bool) { users <- inUse }) // it ends with the PTY
	})
	wg.Go(func() {
		if p.follow(ctx, users) {
			o.log.Warn("somebody else has taken the port; programs that have the PTY open see a hang-up", "link", t.link)
		}
		cancel()
		for range users { // so that the watcher ends
		}
	})
	err = p.fromProgram(ctx)
	if stop() {
		end()
	}
	<-closed
	wg.Wait()
	if err == nil || ctx.Err() != nil {
		err = closing
	}
	return err
}

// ptyServer is a PTY while it is offered.
type ptyServer struct {
	*offer
	t *terminal

	passing sync.Mutex // held from the moment when something is taken from a program until the port has it
	hung    bool       // the program has set speed 0; only fromProgram looks at it

	mu     sync.Mutex
	stream north.Stream  // nil: no program has the PTY open, or it cannot have the port
	tried  chan struct{} // closed and replaced when the stream was opened or could not be
}

func (p *ptyServer) current() north.Stream {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stream
}

// withdraw takes the stream away. Who waits for one goes on waiting: the next program may have come.
func (p *ptyServer) withdraw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stream = nil
}

// put makes s the stream, nil when there can be none, and wakes the one who waits for it.
func (p *ptyServer) put(s north.Stream) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stream = s
	close(p.tried)
	p.tried = make(chan struct{})
}

// follow opens the port when a program opens the PTY, and gives it back when the last one has closed it. It reports whether somebody
// else has taken the port; else it ends with the PTY.
func (p *ptyServer) follow(ctx context.Context, users <-chan bool) (taken bool) {
	inUse := false
	var ended <-chan error // of the present stream
	var wg sync.WaitGroup
	release := func() {
		if s := p.current(); s != nil {
			p.withdraw()
			s.Close()
		}
		wg.Wait()
	}
	defer release()
	said := ""
	retry := time.NewTicker(again / 4)
	defer retry.Stop()
	for {
		select {
		case now, ok := <-users:
			if !ok {
				return false
			}
			if inUse = now; !now {
				inUse = p.leave(ctx, users, ended)
			}
		case err := <-ended:
			release()
			if inUse && errors.Is(err, north.ErrStreamTaken) {
				return true
			}
		case <-retry.C:
			p.relink()
		}
		if !inUse || p.current() != nil || ctx.Err() != nil {
			continue
		}
		s, err := p.open(ctx)
		if err != nil {
			if err.Error() != said {
				said = err.Error()
				p.log.Warn("a program has the PTY open and cannot have the port; what it writes is dropped", "error", err, "hint", driver.HintOf(err))
			}
			p.put(nil)
			continue
		}
		said = ""
		why := make(chan error, 1)
		ended = why
		p.put(s)
		wg.Go(func() { why <- p.toProgram(s) })
	}
}

// relink makes the name again that somebody has removed.
func (p *ptyServer) relink() {
	if _, err := os.Lstat(p.t.link); !errors.Is(err, os.ErrNotExist) {
		return
	}
	err := p.t.Link()
	if errors.Is(err, os.ErrClosed) { // it is not offered any more: the end has removed the name
		return
	}
	p.log.Warn("the name of the PTY was gone and is made again", "link", p.t.link, "error", err)
}

// leave gives the port back when the last program has closed the PTY, after everything has left that was written. It reports whether
// another program has come meanwhile, which goes on with the port as it is.
func (p *ptyServer) leave(ctx context.Context, users <-chan bool, ended <-chan error) (back bool) {
	s := p.current()
	if s == nil { // the program could not have the port; what it wrote is not for the next one
		for !p.passing.TryLock() {
			p.put(nil) // wakes fromProgram, which then drops
			pause(ctx, time.Millisecond)
		}
		defer p.passing.Unlock()
		p.t.drop(true)
		return false
	}
	s.Yield(true)
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan bool, 1)
	go func() { done <- p.emptied(waiting, s) }()
	var clean bool
	select {
	case clean = <-done:
	case back = <-users: // false: the PTY is closed
		cancel()
		if clean = <-done; back && !clean {
			s.Yield(false)
			return true
		}
	}
	p.withdraw()
	s.Close()
	for waits := true; waits; { // toProgram may be in the middle of what nobody reads any more
		p.t.drop(!clean)
		select {
		case err := <-ended:
			p.log.Debug("the port is given back", "error", err)
			waits = false
		case <-time.After(time.Millisecond):
		}
	}
	p.t.drop(!clean)
	p.told(ctx)
	return back
}

// told waits until fromProgram has heard of the dropping, which is not for the next stream. When it has something in its hands, it has:
// the kernel tells of that in front of everything.
func (p *ptyServer) told(ctx context.Context) {
	for ctx.Err() == nil && p.passing.TryLock() {
		more := p.t.written()
		p.passing.Unlock()
		if !more {
			return
		}
		pause(ctx, time.Millisecond)
	}
}

// emptied waits until nothing that a program has written is left on the way, and takes the port away then. It is false when ctx ends
// before, or the port has taken nothing for long.
func (p *ptyServer) emptied(ctx context.Context, s north.Stream) bool {
	for p.drained(ctx) {
		north.Settle(ctx, s)
		if ctx.Err() == nil && p.passing.TryLock() {
			more := p.t.written()
			if !more {
				p.withdraw()
			}
			p.passing.Unlock()
			if !more {
				return true
			}
		}
	}
	return false
}

// drained waits until fromProgram has passed on everything that was written. It is false when ctx ends before, or the port has taken
// nothing for long.
func (p *ptyServer) drained(ctx context.Context) bool {
	for until := time.Now().Add(north.SettleWait); ctx.Err() == nil && time.Now().Before(until); pause(ctx, time.Millisecond) {
		if p.passing.TryLock() {
			more := p.t.written()
			p.passing.Unlock()
			if !more {
				return true
			}
			until = time.Now().Add(north.SettleWait)
		}
	}
	return false
}

// open attaches with the settings that the program has chosen.
func (p *ptyServer) open(ctx context.Context) (north.Stream, error) {
	s, _, err := p.attach(ctx, driver.Who{Door: "pty", Addr: p.port.PTY}, false)
	if err != nil {
		return nil, err
	}
	if line, err := p.t.settings(); err == nil {
		if _, err := s.Set(ctx, line); err != nil && !errors.Is(err, north.ErrNotOwner) {
			p.log.Warn("the port does not take the settings of the PTY", "line", line.String(), "error", err)
		}
	}
	return s, nil
}

// toProgram passes on what comes from the line until the stream ends, and returns why.
func (p *ptyServer) toProgram(s north.Stream) error {
	s.Direct(direct(p.t.Master))
	buf := make([]byte, 8<<10)
	for {
		n, err := s.Read(buf)
		for b := buf[:n]; len(b) > 0; {
			k, err := p.t.Master.Write(b)
			b = b[k:]
			if err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
}

// fromProgram passes on what the program writes and sets, until the PTY is closed.
func (p *ptyServer) fromProgram(ctx context.Context) error {
	buf := make([]byte, 8<<10)
	for {
		n, err := p.t.Take(&p.passing, buf)
		if err == nil && n > 0 {
			p.pass(ctx, buf[:n])
		}
		p.passing.Unlock()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("pty %s: %w", p.t.link, err)
		}
	}
}

// pass takes one message of the PTY in packet mode: what kind it is, and bytes.
func (p *ptyServer) pass(ctx context.Context, b []byte) {
	if b[0] != 0 {
		s := p.current()
		if b[0]&pktIoctl != 0 { // it may come while the port is opened with the settings before
			s = p.wait(ctx)
		}
		if s != nil {
			p.control(ctx, s, b[0])
		}
		return
	}
	if s := p.wait(ctx); s != nil {
		if _, err := s.Write(b[1:]); err != nil && !errors.Is(err, north.ErrStreamDown) {
			p.log.Debug("pty", "error", err)
		}
	}
}

// wait gives the stream. A program that writes at once is ahead of the news that it has opened the PTY, and of the opening of the port.
// It is nil when that fails.
func (p *ptyServer) wait(ctx context.Context) north.Stream {
	p.mu.Lock()
	s, tried := p.stream, p.tried
	p.mu.Unlock()
	if s != nil {
		return s
	}
	select {
	case <-tried:
	case <-ctx.Done():
	}
	return p.current()
}

// control does what the program did with the terminal instead of writing to it.
func (p *ptyServer) control(ctx context.Context, s north.Stream, bits byte) {
	if bits&(pktFlushRead|pktFlushWrite) != 0 {
		if err := s.Flush(ctx, bits&pktFlushRead != 0, bits&pktFlushWrite != 0); err != nil {
			p.log.Debug("pty flush", "error", err)
		}
	}
	if bits&pktIoctl != 0 {
		line, err := p.t.settings()
		if hung := line.Baud == 0; err == nil && hung != p.hung { // speed 0 is how a program lets the lines fall
			up := !hung
			p.hung, line.DTR, line.RTS = hung, &up, &up
		}
		if err == nil {
			_, err = s.Set(ctx, line)
		}
		if err != nil {
			p.log.Warn("the port does not take the settings of the PTY", "line", line.String(), "error", err)
		}
	}
}
