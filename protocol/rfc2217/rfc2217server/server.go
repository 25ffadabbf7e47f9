package rfc2217server

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/patchbay-io/patchbay/protocol/rfc2217"
)

// Port is what a client gets to see as a serial port. Its methods are called from several goroutines; Read from one, Write from
// one.
type Port interface {
	// Read waits for bytes from the line, Write blocks while the line takes none. Both end when the port is closed, which
	// whoever calls [Serve] does when ctx ends.
	io.ReadWriter
	// Set puts what is not zero into force and returns everything that is in force then, as far as it is known. What it cannot
	// do it leaves as it is: the client learns from the answer. An error ends the connection.
	Set(ctx context.Context, s rfc2217.Settings) (rfc2217.Settings, error)
	// Purge throws away what is buffered.
	Purge(ctx context.Context, what rfc2217.Purge) error
	// Event waits for a change of the input lines; the first call returns at once. The lower half of the modem state is not
	// looked at: what changed is found out here.
	Event(ctx context.Context) (rfc2217.ModemState, rfc2217.LineState, error)
}

// DefaultSignature is told to clients of a server that has none.
const DefaultSignature = "RFC 2217 port"

// Options of a connection; the zero value works.
type Options struct {
	// Signature is what clients are told when they ask. Empty: DefaultSignature, since an empty one would ask back.
	Signature string
	// WriteTimeout ends the connection of a client that takes nothing for so long. 0: never.
	WriteTimeout time.Duration
	// TryWrite writes to the client's connection what it can without waiting, and returns how much. With it a [DirectPort] is served
	// faster. nil: everything is read and written by turns.
	TryWrite func(b []byte) int
	// Greeting is sent in front of everything else, after the options are offered.
	Greeting []byte
}

// Stats are what a connection has done.
type Stats struct {
	In, Out uint64 // bytes of the line, to it and from it
	Bad     uint64 // commands that made no sense
	Ignored uint64 // requests about options that came too often
}

// connection is one client.
type connection struct {
	net.Conn
	port Port
	opts Options

	wsem chan struct{} // held by who writes to the client
	out  []byte

	mu        sync.Mutex
	neg       rfc2217.Negotiator
	agreed    bool // on com-port control
	suspended chan struct{}
	lineMask  rfc2217.LineState
	modemMask rfc2217.ModemState
	lines     rfc2217.ModemState // as last told
	told      bool
	known     bool // lines are known
	nvt       bool // the client refuses to get binary

	stats struct{ in, out, bad atomic.Uint64 }
}

// Serve offers port to the client behind conn until one of them ends or ctx does; then it closes conn. It returns nil when the
// client went away, else why it ended. The port's Read and Write must end when the caller closes the port, which it does as soon
// as ended is called; Serve waits for them.
func Serve(ctx context.Context, conn net.Conn, port Port, opts Options, ended func()) (Stats, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if opts.Signature == "" {
		opts.Signature = DefaultSignature
	}
	c := &connection{Conn: conn, port: port, opts: opts, modemMask: 255, wsem: make(chan struct{}, 1)}
	c.neg.Accept = func(local bool, option byte) bool {
		switch option {
		case rfc2217.OptBinary, rfc2217.OptSGA:
			return true
		case rfc2217.OptComPort:
			return true
		case rfc2217.OptEcho: // a terminal that asks is not to echo by itself; what the line echoes, it sees
			return local
		}
		return false
	}
	var first error
	var once sync.Once
	finish := func(err error) {
		once.Do(func() {
			first = err
			cancel()
			conn.Close()
			ended()
		})
	}
	var wg sync.WaitGroup
	wg.Go(func() { <-ctx.Done(); finish(context.Cause(ctx)) })
	if err := c.hello(); err != nil {
		finish(gone(err))
	}
	if d, ok := port.(DirectPort); ok && opts.TryWrite != nil {
		d.Direct(c.direct)
	}
	wg.Go(func() { finish(c.fromLine()) })
	wg.Go(func() { finish(c.events(ctx)) })
	finish(c.fromClient(ctx))
	wg.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	s := Stats{In: c.stats.in.Load(), Out: c.stats.out.Load(), Bad: c.stats.bad.Load(), Ignored: c.neg.Ignored()}
	return s, first
}

// hello is what the server says first: it asks for com-port control and binary both ways.
func (c *connection) hello() error {
	c.mu.Lock()
	var b []byte
	b = c.neg.Ask(b, false, rfc2217.OptComPort, true)
	b = c.neg.Ask(b, true, rfc2217.OptBinary, true)
	b = c.neg.Ask(b, false, rfc2217.OptBinary, true)
	b = c.neg.Ask(b, true, rfc2217.OptSGA, true)
	b = c.neg.Ask(b, false, rfc2217.OptSGA, true)
	c.mu.Unlock()
	return c.send(rfc2217.AppendData(b, c.opts.Greeting, true))
}

func (c *connection) send(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	c.wsem <- struct{}{}
	defer func() { <-c.wsem }()
	return c.write(b)
}

// write runs under wsem.
func (c *connection) write(b []byte) error {
	if c.opts.WriteTimeout > 0 {
		if err := c.SetWriteDeadline(time.Now().Add(c.opts.WriteTimeout)); err != nil {
			return err
		}
	}
	_, err := c.Conn.Write(b)
	return err
}

// fromLine sends what comes from the line.
func (c *connection) fromLine() error {
	in := make([]byte, 8<<10)
	for {
		n, err := c.port.Read(in)
		if n > 0 {
			c.waitResumed()
			c.mu.Lock()
			nvt := c.nvt
			c.mu.Unlock()
			c.wsem <- struct{}{}
			c.out = rfc2217.AppendData(c.out[:0], in[:n], nvt)
			werr := c.write(c.out)
			<-c.wsem
			if werr != nil {
				return gone(werr)
			}
			c.stats.out.Add(uint64(n))
		}
		if err != nil {
			return err
		}
	}
}

// waitResumed waits while the client wants no data. The wait ends with the connection, which closes the channel too.
func (c *connection) waitResumed() {
	c.mu.Lock()
	wait := c.suspended
	c.mu.Unlock()
	if wait != nil {
		<-wait
	}
}

func (c *connection) resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.suspended != nil {
		close(c.suspended)
		c.suspended = nil
	}
}

// gone makes nil of errors that say only that the client is gone. Whether it is a read or a write that meets its end is chance.
func gone(err error) error {
	for _, end := range []error{io.EOF, net.ErrClosed, syscall.EPIPE, syscall.ECONNRESET, syscall.Errno(10053), syscall.Errno(10054)} { // the last two are those of Windows
		if errors.Is(err, end) {
			return nil
		}
	}
	return err
}

// fromClient takes what the client says until it ends.
func (c *connection) fromClient(ctx context.Context) error {
	defer c.resume()
	var dec rfc2217.Decoder
	in := make([]byte, 8<<10)
	var answer []byte
	for {
		n, err := c.Read(in)
		answer = answer[:0]
		for rest := in[:n]; len(rest) > 0; {
			var it rfc2217.Item
			it, rest = dec.Next(rest)
			if it.Kind == rfc2217.Data {
				k, err := c.port.Write(it.Data)
				c.stats.in.Add(uint64(k))
				if err != nil {
					return err
				}
				continue
			}
			var err error
			if answer, err = c.take(ctx, &it, &dec, answer); err != nil {
				return err
			}
		}
		if err := c.send(answer); err != nil {
			return gone(err)
		}
		if err != nil {
			return gone(err)
		}
	}
}

// take understands what is no data and appends the answer.
func (c *connection) take(ctx context.Context, it *rfc2217.Item, dec *rfc2217.Decoder, answer []byte) ([]byte, error) {
	switch it.Kind {
	case rfc2217.Negotiate:
		return c.negotiate(it, dec, answer), nil
	case rfc2217.Command:
		switch it.Verb {
		case rfc2217.AYT:
			return append(answer, "[yes]"...), nil
		case rfc2217.BRK:
			_, err := c.port.Set(ctx, rfc2217.Settings{Break: rfc2217.ControlBreakOn})
			if err == nil {
				_, err = c.port.Set(ctx, rfc2217.Settings{Break: rfc2217.ControlBreakOff})
			}
			return answer, err
		}
	case rfc2217.Sub:
		if it.Option != rfc2217.OptComPort {
			break
		}
		m, err := rfc2217.ParseMessage(it.Data)
		if err != nil || m.Server && m.Code != rfc2217.Signature {
			c.stats.bad.Add(1)
			break
		}
		return c.comPort(ctx, &m, answer)
	case rfc2217.TooLong, rfc2217.Malformed:
		c.stats.bad.Add(1)
	}
	return answer, nil
}

func (c *connection) negotiate(it *rfc2217.Item, dec *rfc2217.Decoder, answer []byte) []byte {
	if it.Option == rfc2217.OptTimingMark && it.Verb == rfc2217.DO { // everything before it was taken (RFC 860)
		return append(answer, rfc2217.IAC, rfc2217.WILL, rfc2217.OptTimingMark)
	}
	c.mu.Lock()
	answer, changed := c.neg.Receive(answer, it.Verb, it.Option)
	switch {
	case it.Option == rfc2217.OptBinary && it.Verb == rfc2217.WONT:
		dec.NVT = true
	case it.Option == rfc2217.OptBinary && it.Verb == rfc2217.WILL:
		dec.NVT = false
	case it.Option == rfc2217.OptBinary && it.Verb == rfc2217.DONT:
		c.nvt = true
	case it.Option == rfc2217.OptBinary && it.Verb == rfc2217.DO:
		c.nvt = false
	case it.Option == rfc2217.OptComPort && changed:
		c.agreed = c.neg.Remote(rfc2217.OptComPort) || c.neg.Local(rfc2217.OptComPort)
		answer = c.tellFirst(answer)
	}
	c.mu.Unlock()
	return answer
}

// tellFirst appends the first word on the modem lines, once; the lock is held.
func (c *connection) tellFirst(answer []byte) []byte {
	if !c.agreed || !c.known || c.told {
		return answer
	}
	c.told = true
	m := rfc2217.Message{Code: rfc2217.NotifyModemState, Server: true, Value: uint32(c.lines)}
	return m.AppendTo(answer)
}

// comPort does what a message of the client asks for and appends the answer.
func (c *connection) comPort(ctx context.Context, m *rfc2217.Message, answer []byte) ([]byte, error) {
	reply := rfc2217.Message{Code: m.Code, Server: true, Value: m.Value}
	switch m.Code {
	case rfc2217.Signature:
		if len(m.Text) > 0 { // its own
			return answer, nil
		}
		reply.Text = []byte(c.opts.Signature)
	case rfc2217.FlowControlSuspend:
		c.mu.Lock()
		if c.suspended == nil {
			c.suspended = make(chan struct{})
		}
		c.mu.Unlock()
		return answer, nil
	case rfc2217.FlowControlResume:
		c.resume()
		return answer, nil
	case rfc2217.SetLineStateMask:
		c.mu.Lock()
		c.lineMask = rfc2217.LineState(m.Value)
		c.mu.Unlock()
	case rfc2217.SetModemStateMask:
		c.mu.Lock()
		c.modemMask = rfc2217.ModemState(m.Value)
		c.mu.Unlock()
	case rfc2217.NotifyModemState: // a question
		c.mu.Lock()
		known := c.known
		reply.Value = uint32(c.lines)
		c.told = c.told || known
		c.mu.Unlock()
		if !known { // the first word on the lines is the answer
			return answer, nil
		}
	case rfc2217.NotifyLineState:
		reply.Value = 0
	case rfc2217.PurgeData:
		if rfc2217.Purge(m.Value)&rfc2217.PurgeBoth != 0 {
			if err := c.port.Purge(ctx, rfc2217.Purge(m.Value)&rfc2217.PurgeBoth); err != nil {
				return answer, err
			}
		}
	default:
		var s rfc2217.Settings
		s.Take(m)
		inForce, err := c.port.Set(ctx, s)
		if err != nil {
			return answer, err
		}
		reply = inForce.Answer(m)
	}
	return reply.AppendTo(answer), nil
}

// events tells the client what happens on the line.
func (c *connection) events(ctx context.Context) error {
	for {
		modem, line, err := c.port.Event(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		var b []byte
		c.mu.Lock()
		state := modem.Since(c.lines)
		if !c.known {
			state = modem.Lines()
		}
		first := !c.known
		// The bits of change have none for RI going on, which is a change all the same.
		changed := byte(state)&0x0f | byte(modem.Lines()^c.lines)>>4
		c.lines, c.known = modem.Lines(), true
		switch {
		case !c.agreed:
		case !c.told:
			b = c.tellFirst(b)
		case !first && changed&byte(c.modemMask|c.modemMask>>4) != 0:
			m := rfc2217.Message{Code: rfc2217.NotifyModemState, Server: true, Value: uint32(state)}
			b = m.AppendTo(b)
		}
		if line &= c.lineMask; c.agreed && line != 0 {
			m := rfc2217.Message{Code: rfc2217.NotifyLineState, Server: true, Value: uint32(line)}
			b = m.AppendTo(b)
		}
		c.mu.Unlock()
		if err := c.send(b); err != nil {
			return gone(err)
		}
	}
}
