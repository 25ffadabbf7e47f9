package capture

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/transcript"
)

// maxDatagram is the largest datagram of IP.
const maxDatagram = 64 << 10

// RelayPackets passes datagrams on between the peers that come to p and o.Upstream, until ctx ends or a sink fails. Each
// peer is a flow with a socket of its own towards the device, so that answers find their way back. It closes p, and
// everything that it started has ended when it returns. It returns nil when ctx ends.
func RelayPackets(ctx context.Context, p net.PacketConn, o Options) (Stats, error) {
	r := &packetRelay{relay: relay{o: o.withDefaults()}, p: p, peers: map[string]*peer{}}
	r.rec = startRecorder(o.Sinks, o.Redact)
	ctx, cancel := context.WithCancel(ctx)
	watch := r.watch(ctx, cancel, func() { _ = p.Close() })
	err := r.receive(ctx)
	cancel()
	_ = p.Close()
	<-watch
	r.wg.Wait()
	return r.stats(), errors.Join(r.rec.close(), err)
}

type packetRelay struct {
	relay
	p net.PacketConn

	mu    sync.Mutex
	peers map[string]*peer
}

type peer struct {
	addr   net.Addr
	flow   *Flow
	server net.Conn
}

func (r *packetRelay) receive(ctx context.Context) error {
	buf := make([]byte, maxDatagram)
	for {
		n, from, err := r.p.ReadFrom(buf)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			if unreached(err) {
				continue // of a datagram sent earlier; it says nothing about the socket
			}
			return fmt.Errorf("receive on %s: %w", r.p.LocalAddr(), err)
		}
		q := r.peer(ctx, from)
		if q == nil {
			continue
		}
		r.count(transcript.FromClient, n)
		if r.rec.put(q.flow, transcript.FromClient, transcript.Datagram, "", buf[:n]) != nil {
			return nil // close tells the cause
		}
		if _, err := q.server.Write(buf[:n]); err != nil && ctx.Err() == nil {
			_ = r.rec.put(q.flow, transcript.FromClient, transcript.Note, fmt.Sprintf("not passed on: %q", err.Error()), nil)
		}
	}
}

// peer finds or makes the flow of an address; nil when there is no room or no device.
func (r *packetRelay) peer(ctx context.Context, from net.Addr) *peer {
	name := from.String()
	r.mu.Lock()
	q, n := r.peers[name], len(r.peers)
	r.mu.Unlock()
	if q != nil {
		return q
	}
	if n >= r.o.MaxClients {
		if r.away.Add(1) == 1 {
			r.o.Warn(fmt.Sprintf("%s was turned away: there are %d peers already; further ones are counted", name, r.o.MaxClients))
		}
		return nil
	}
	dial, cancel := context.WithTimeout(ctx, r.o.Timeout)
	server, err := r.o.Dial(dial, "udp", r.o.Upstream)
	cancel()
	if err != nil {
		if r.unreachable.Add(1) == 1 {
			r.o.Warn(fmt.Sprintf("%s came, and %s was not reached: %v", name, r.o.Upstream, err))
		}
		return nil
	}
	r.flows.Add(1)
	q = &peer{addr: from, server: server,
		flow: &Flow{Network: "udp", Client: addrPort(from), Server: addrPort(server.RemoteAddr()), Upstream: r.o.Upstream}}
	if r.rec.newFlow(q.flow) != nil {
		_ = server.Close()
		return nil
	}
	r.mu.Lock()
	r.peers[name] = q
	r.mu.Unlock()
	r.wg.Go(func() { r.answer(ctx, name, q) })
	return q
}

// answer passes back what the device says to one peer, until the peer has been idle for too long. What the peer says is
// not seen here, so the relay looks whether the device answered: a device that never answers within the idle time gets a
// new socket with the peer's next datagram.
func (r *packetRelay) answer(ctx context.Context, name string, q *peer) {
	stop := context.AfterFunc(ctx, func() { _ = q.server.Close() })
	defer stop()
	defer func() {
		r.mu.Lock()
		delete(r.peers, name)
		r.mu.Unlock()
		_ = q.server.Close()
		_ = r.rec.put(q.flow, transcript.FromServer, transcript.Close, "", nil)
	}()
	buf := make([]byte, maxDatagram)
	for {
		_ = q.server.SetReadDeadline(time.Now().Add(r.o.Idle)) // a closed socket says so when it is read
		n, err := q.server.Read(buf)
		switch {
		case err == nil:
		case unreached(err):
			if r.rec.put(q.flow, transcript.FromServer, transcript.Note, "the device's host says that nothing listens there", nil) != nil {
				return
			}
			continue
		default:
			return
		}
		r.count(transcript.FromServer, n)
		if r.rec.put(q.flow, transcript.FromServer, transcript.Datagram, "", buf[:n]) != nil {
			return
		}
		if _, err := r.p.WriteTo(buf[:n], q.addr); err != nil && ctx.Err() == nil {
			_ = r.rec.put(q.flow, transcript.FromServer, transcript.Note, fmt.Sprintf("not passed on: %q", err.Error()), nil)
		}
	}
}
