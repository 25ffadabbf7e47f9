package dmserver

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/internal/tcpserver"
)

// ErrServerClosed is what Serve returns after Shutdown or Close. It wraps net.ErrClosed.
var ErrServerClosed = tcpserver.ErrServerClosed

// DefaultLinkTimeout is after how long without a ping the ports of a client that has set no time are free again.
const DefaultLinkTimeout = 120 * time.Second

const (
	openWithin = 900 * time.Millisecond // the maker's driver waits a second for the answer
	writeWait  = 10 * time.Second
	maxOut     = 1 << 20 // bytes that wait for a client that does not read
)

// TotalOnOpen says when a box tells the zeroed count of bytes around an opening. All three were seen on one box.
type TotalOnOpen uint8

// The ways.
const (
	TotalWithOpen  TotalOnOpen = iota // behind the answer to the opening
	TotalAfterDone                    // behind the answer to the first action
	TotalNever
)

// Variations are what boxes were seen to do differently. The zero value is the usual way.
type Variations struct {
	Total         TotalOnOpen
	InitialInputs bool // tells the inputs once more behind the answer to an opening
	IdleGlued     bool // tells the silence in one write with the bytes before it, as if its time had passed already
	KeepPrinted   bool // takes a baud rate that was printed a byte out of place as it stands; see devicemaster.BaudSlip
	SingleByteSeq bool // reads each block as a sequence number and one byte, and echoes the number; see devicemaster.DecoderOptions
	Hold          bool // keeps the ports of a lost connection for its link timeout; the same address may take them back (guess)
}

// Ask is something that a client wants and that [Options.Permit] decides on.
type Ask struct {
	Port    int  // counted from 0
	Release bool // take the port from whoever has it; else open it
}

// Options of a server.
type Options struct {
	// ID is who the box says it is; its number of ports becomes that of Backends. Nil is devicemaster.Identity.
	ID func() devicemaster.IDResponse
	// Backends are what hangs on the ports, 1 to 32.
	Backends []Backend
	// Permit, when set, is asked before a port is opened or released; an error is answered with busy, or not at all.
	Permit     func(ctx context.Context, c *Conn, a Ask) error
	Variations Variations
	// Tamper, when set, sees each message on its way out and appends what is sent instead to b; a test's way to break things.
	Tamper func(b []byte, op devicemaster.Op, message []byte) []byte
	// MaxConns is the largest number of connections at a time. 0: no limit.
	MaxConns int
	// Changed is called when a port has been taken, given back or set, or a client came or went. It must not block or call
	// the server.
	Changed func()
	// WrapConn, when set, goes around each accepted connection.
	WrapConn func(net.Conn) net.Conn
}

// Server is a box. All methods may be called at the same time.
type Server struct {
	opts Options
	tcp  *tcpserver.Server

	pumps sync.WaitGroup

	mu      sync.Mutex
	serving int
	ports   []*port
	conns   map[*Conn]struct{}
	stats   Stats
}

// Stats is what a box has done so far.
type Stats struct {
	Tools    uint64 // tool requests that were passed over
	Strays   uint64 // messages about no port, or about one that the box does not have
	Unknown  uint64 // times that an unknown message came
	Dropped  uint64 // bytes that were dropped because of that
	Zeros    uint64 // zero bytes between messages
	Refused  uint64 // openings answered with busy
	Overruns uint64 // bytes beyond the buffer of a port, dropped
	Resyncs  uint64 // totals that did not fit what was sent
}

// New makes a box; it starts nothing. The error is about the number of ports.
func New(o Options) (*Server, error) {
	if n := len(o.Backends); n < 1 || n > devicemaster.MaxPorts {
		return nil, fmt.Errorf("devicemaster: a box has 1 to %d ports, not %d", devicemaster.MaxPorts, n)
	}
	if o.ID == nil {
		o.ID = func() devicemaster.IDResponse { return devicemaster.Identity(8, 0) }
	}
	s := &Server{opts: o, conns: map[*Conn]struct{}{}}
	for i, b := range o.Backends {
		s.ports = append(s.ports, &port{number: i, backend: b})
	}
	s.tcp = tcpserver.New(s.serveConn, tcpserver.Options{MaxConns: o.MaxConns, WriteTimeout: writeWait, Wrap: o.WrapConn})
	return s, nil
}

// ID is who the box says it is.
func (s *Server) ID() devicemaster.IDResponse {
	id := s.opts.ID()
	id.Ports = uint8(len(s.ports))
	return id
}

// Serve serves ln until ctx ends or the server is stopped; it closes ln and returns after the last connection has ended and
// every port is free. The error is ctx's, [ErrServerClosed], or the listener's.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	s.mu.Lock()
	s.serving++
	s.mu.Unlock()
	err := s.tcp.Serve(ctx, ln)
	s.mu.Lock()
	s.serving--
	last := s.serving == 0
	s.mu.Unlock()
	if last {
		s.freeAll()
		s.pumps.Wait()
	}
	return err
}

// Shutdown stops accepting, waits until clients have read what they are owed, and ends.
func (s *Server) Shutdown(ctx context.Context) error { return s.tcp.Shutdown(ctx) }

// Close closes everything and waits. It may be called again.
func (s *Server) Close() error { return s.tcp.Close() }

// Drop ends every connection and keeps listening; with reset the clients see what a power cut of the box looks like.
func (s *Server) Drop(reset bool) { s.tcp.Drop(reset) }

// Stats is what the box has done so far.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// ConnStats are connection counters since the server was made.
func (s *Server) ConnStats() tcpserver.Stats { return s.tcp.Stats() }

// Conns are the clients, in no order.
func (s *Server) Conns() []*Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*Conn
	for c := range s.conns {
		out = append(out, c)
	}
	return out
}

// PortInfo is the state of a port.
type PortInfo struct {
	Owner    net.Addr // nil: free
	Client   uint64   // the owner's connection; 0 while its connection is lost and the port is held
	Settings Settings
	Inputs   devicemaster.Inputs
	In, Out  uint64 // bytes of the line towards the client, and from it
}

// Ports are the states of all ports.
func (s *Server) Ports() []PortInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]PortInfo, len(s.ports))
	for i, p := range s.ports {
		l := p.lease
		if l == nil {
			continue
		}
		out[i] = PortInfo{Owner: l.addr, Settings: l.settings, Inputs: l.inputs, In: l.in, Out: l.out}
		if l.conn != nil {
			out[i].Client = l.conn.ID()
		}
	}
	return out
}

// Release takes a port, counted from 0, from its owner, who is told. It reports whether it had one.
func (s *Server) Release(n int) bool {
	if n < 0 || n >= len(s.ports) {
		return false
	}
	s.mu.Lock()
	l := s.ports[n].lease
	if l != nil {
		l.evict()
	}
	s.mu.Unlock()
	return l != nil && s.free(l)
}

func (s *Server) changed() {
	if s.opts.Changed != nil {
		s.opts.Changed()
	}
}

// AnswerDiscovery answers scans on pc until ctx ends; the error is ctx's or that of the connection, which it closes. Scans
// for another box by its MAC address are not answered.
func (s *Server) AnswerDiscovery(ctx context.Context, pc net.PacketConn) error {
	stop := context.AfterFunc(ctx, func() { pc.Close() })
	defer stop()
	defer pc.Close()
	buf := make([]byte, 2048)
	for {
		n, from, err := pc.ReadFrom(buf)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return err
		}
		d, err := devicemaster.ParseDiscovery(buf[:n])
		if err != nil || d.Function != devicemaster.DiscoveryScan {
			continue
		}
		id := s.ID()
		if mac, ok := d.MAC(); ok && mac != id.MAC {
			continue
		}
		answer := devicemaster.Discovery{Seq: d.Seq, Function: devicemaster.DiscoveryResponse, Tags: devicemaster.ResponseTags(&id)}
		if _, err := pc.WriteTo(answer.Append(nil), from); err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
	}
}
