package fc2server

import (
	"context"
	"errors"
	"net"
	"slices"
	"time"

	"github.com/patchbay-io/patchbay/protocol/fc2"
)

// pairing is one that is going on: of its place among the few there are, until it is over.
type pairing struct {
	request Request
	conn    uint64
	host    string
	code    []byte // nil while a person is being asked
	tries   int
	hide    func()
	timer   *time.Timer
	unbind  func() bool
	ctx     context.Context // ends with the pairing, and with its connection
	cancel  context.CancelFunc
}

var errBusy = errors.New("as many programs are being paired as may be, one of this address, or it has asked too often")

// hostOf is the address of a peer without the port: what one stranger has one of.
func hostOf(a net.Addr) string {
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	return host
}

// room reports whether there is a place for one more of an address; the lock is held.
func (s *Server) room(host string) bool {
	return len(s.pairings) < s.opts.Pairings && !slices.ContainsFunc(s.pairings, func(p *pairing) bool { return p.host == host })
}

// begin takes a place for a pairing.
func (s *Server) begin(ctx context.Context, conn uint64, host string, r Request) (*pairing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.room(host) || !s.asked.take(host, time.Now(), s.opts.Every, s.opts.Burst) {
		return nil, errBusy
	}
	s.requests++
	r.ID = s.requests
	p := &pairing{request: r, conn: conn, host: host}
	p.ctx, p.cancel = context.WithCancel(ctx)
	s.pairings = append(s.pairings, p)
	p.unbind = context.AfterFunc(ctx, func() { s.end(p) })
	return p, nil
}

// of is the pairing of a connection, nil when it has none; the lock is held.
func (s *Server) of(conn uint64) *pairing {
	for _, p := range s.pairings {
		if p.conn == conn {
			return p
		}
	}
	return nil
}

// end gives the place back.
func (s *Server) end(p *pairing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over(p)
}

// over is end with the lock held; it reports whether the pairing was still going on.
func (s *Server) over(p *pairing) bool {
	i := slices.Index(s.pairings, p)
	if i < 0 {
		return false
	}
	s.pairings = slices.Delete(s.pairings, i, i+1)
	p.unbind()
	p.cancel()
	if p.timer != nil {
		p.timer.Stop()
	}
	if p.hide != nil {
		p.hide()
	}
	return true
}

// Cancel ends the pairing with the number of its request, whether the person is being asked or the code is shown, and reports
// whether there was one.
func (s *Server) Cancel(id uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pairings {
		if p.request.ID == id {
			return s.over(p)
		}
	}
	return false
}

// State is what the person is about: fc2.StateApproving while somebody waits for an answer, else fc2.StateScanning while a code
// is shown, else fc2.StateReady. A program is told what concerns itself.
func (s *Server) State() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := fc2.StateReady
	for _, p := range s.pairings {
		if p.code == nil {
			return fc2.StateApproving
		}
		state = fc2.StateScanning
	}
	return state
}

// stateFor is what the agent says to a connection. Programs ask for nothing unless it is ready, so that one that is being paired
// must not be seen by the others (that the real one does the same is a guess).
func (s *Server) stateFor(conn uint64, host string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.of(conn)
	switch {
	case p != nil && p.code != nil:
		return fc2.StateScanning
	case p != nil || !s.room(host):
		return fc2.StateApproving
	}
	return fc2.StateReady
}
