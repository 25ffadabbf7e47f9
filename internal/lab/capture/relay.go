package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/patchbay-io/patchbay/transcript"
)

// Options of a relay.
type Options struct {
	Upstream string // host:port of the device
	// Dial connects to the device; nil is net.Dialer.
	Dial       func(ctx context.Context, network, addr string) (net.Conn, error)
	Timeout    time.Duration // of Dial; 10 s by default
	MaxClients int           // at the same time, further ones are closed at once; 256 by default
	Idle       time.Duration // a UDP peer that says nothing for so long is forgotten; 2 min by default
	Sinks      []Sink
	Redact     *Redaction   // what the sinks must not see; may be nil. It never touches what is passed on.
	Warn       func(string) // called with what a person should know; may be nil; from several goroutines
}

func (o Options) withDefaults() Options {
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.MaxClients <= 0 {
		o.MaxClients = 256
	}
	if o.Idle <= 0 {
		o.Idle = 2 * time.Minute
	}
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
	return o
}

// Stats are what a relay did.
type Stats struct {
	Flows       int
	TurnedAway  int   // clients above MaxClients
	Unreachable int   // clients for which the device could not be reached
	FromClients int64 // bytes
	FromServer  int64 // bytes
	Messages    int64 // reads, or datagrams
}

// relay is what both kinds share.
type relay struct {
	o     Options
	rec   *recorder
	wg    sync.WaitGroup
	flows atomic.Int64

	away, unreachable, fromClients, fromServer, messages atomic.Int64
}

func (r *relay) stats() Stats {
	return Stats{int(r.flows.Load()), int(r.away.Load()), int(r.unreachable.Load()), r.fromClients.Load(), r.fromServer.Load(), r.messages.Load()}
}

func (r *relay) count(dir transcript.Direction, n int) {
	r.messages.Add(1)
	if dir == transcript.FromClient {
		r.fromClients.Add(int64(n))
	} else {
		r.fromServer.Add(int64(n))
	}
}

// bufferSize is how much is read at once in each direction of a connection.
const bufferSize = 32 << 10

// Relay accepts clients from l, connects each to o.Upstream and passes on what both say, until ctx ends or a sink fails. It
// closes l, and everything that it started has ended when it returns. Half-closes and resets are passed on. It returns nil
// when ctx ends.
func Relay(ctx context.Context, l net.Listener, o Options) (Stats, error) {
	r := &relay{o: o.withDefaults()}
	r.rec = startRecorder(o.Sinks, o.Redact)
	ctx, cancel := context.WithCancel(ctx)
	watch := r.watch(ctx, cancel, func() { _ = l.Close() })
	err := r.accept(ctx, l)
	cancel()
	_ = l.Close()
	<-watch
	r.wg.Wait()
	return r.stats(), errors.Join(r.rec.close(), err)
}

// watch runs end when ctx ends or the recording fails, and cancels in both cases.
func (r *relay) watch(ctx context.Context, cancel func(), end func()) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-ctx.Done():
		case <-r.rec.failed:
			cancel()
		}
		end()
	}()
	return done
}

func (r *relay) accept(ctx context.Context, l net.Listener) error {
	slots := make(chan struct{}, r.o.MaxClients)
	for {
		c, err := l.Accept()
		if ctx.Err() != nil {
			if err == nil {
				_ = c.Close()
			}
			return nil
		}
		if err != nil {
			if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ECONNABORTED) {
				r.o.Warn("a client could not be taken: " + err.Error())
				select {
				case <-ctx.Done():
				case <-time.After(100 * time.Millisecond):
				}
				continue
			}
			return fmt.Errorf("accept on %s: %w", l.Addr(), err)
		}
		select {
		case slots <- struct{}{}:
		default:
			r.away.Add(1)
			r.o.Warn(fmt.Sprintf("%s was turned away: there are %d clients already", c.RemoteAddr(), r.o.MaxClients))
			_ = c.Close()
			continue
		}
		r.wg.Go(func() {
			defer func() { <-slots }()
			r.serve(ctx, c)
		})
	}
}

// addrPort is the address of a connection's end, invalid when it has none of the internet.
func addrPort(a net.Addr) netip.AddrPort {
	if a == nil {
		return netip.AddrPort{}
	}
	p, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}

// serve is the life of one client.
func (r *relay) serve(ctx context.Context, client net.Conn) {
	defer client.Close()
	r.flows.Add(1)
	f := &Flow{Network: "tcp", Client: addrPort(client.RemoteAddr()), Upstream: r.o.Upstream}
	dial, cancel := context.WithTimeout(ctx, r.o.Timeout)
	server, err := r.o.Dial(dial, "tcp", r.o.Upstream)
	cancel()
	if err != nil {
		r.unreachable.Add(1)
		reset(client) // first, so that the client learns of it even when the disk is slow
		if r.rec.newFlow(f) == nil && r.rec.put(f, transcript.Neither, transcript.Note, fmt.Sprintf("the device was not reached: %q", err.Error()), nil) == nil {
			_ = r.rec.put(f, transcript.FromServer, transcript.Reset, "", nil) // a failed recording ends the relay by itself
		}
		if ctx.Err() == nil {
			r.o.Warn(fmt.Sprintf("%s came, and %s was not reached: %v", f.Client, r.o.Upstream, err))
		}
		return
	}
	defer server.Close()
	f.Server = addrPort(server.RemoteAddr())
	if r.rec.newFlow(f) != nil {
		return
	}
	stop := context.AfterFunc(ctx, func() { _ = client.Close(); _ = server.Close() })
	defer stop()
	p := pair{r: r, flow: f, ends: [2]net.Conn{client, server}}
	var back sync.WaitGroup
	back.Go(func() { p.pump(transcript.FromServer, server, client) })
	p.pump(transcript.FromClient, client, server)
	back.Wait()
}

// pair is a client's connection and the device's.
type pair struct {
	r    *relay
	flow *Flow
	ends [2]net.Conn
	once sync.Once
}

// pump passes on what src says until src ends, either side breaks or the recording fails. Reads have no deadline: a quiet
// connection is a conversation too, and the relay's context ends it.
func (p *pair) pump(dir transcript.Direction, src, dst net.Conn) {
	rec := p.r.rec
	buf := make([]byte, bufferSize)
	for {
		n, err := src.Read(buf)
		if n > 0 {
			p.r.count(dir, n)
			if rec.put(p.flow, dir, transcript.Data, "", buf[:n]) != nil {
				p.abort()
				return
			}
			if sent, err := dst.Write(buf[:n]); err != nil {
				if !errors.Is(err, net.ErrClosed) {
					_ = rec.put(p.flow, dir, transcript.Note, fmt.Sprintf("the other side took only %d of the last %d bytes", sent, n), nil)
				}
				p.abort()
				return
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			_ = rec.put(p.flow, dir, transcript.Close, "", nil)
			if h, ok := dst.(interface{ CloseWrite() error }); !ok || h.CloseWrite() != nil {
				p.abort()
			}
			return
		default:
			if !errors.Is(err, net.ErrClosed) {
				_ = rec.put(p.flow, dir, transcript.Reset, "", nil)
			}
			p.abort()
			return
		}
	}
}

// abort resets both ends, once.
func (p *pair) abort() {
	p.once.Do(func() {
		for _, c := range p.ends {
			reset(c)
		}
	})
}

// reset closes c so that its peer sees a reset rather than an end. Nothing that c reads tells it from a close.
func reset(c net.Conn) {
	if t, ok := c.(interface{ SetLinger(int) error }); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}
