package fc2server

import (
	"context"
	"crypto/subtle"
	"errors"
	"io"
	"time"

	"github.com/patchbay-io/patchbay/protocol/fc2"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaserver"
)

// apiVersion is what the agent says; Focusrite Control 2 says so too.
const apiVersion = 1

// pairing is the one that is going on.
type pairing struct {
	request Request
	conn    uint64
	code    []byte // nil while a person is being asked
	tries   int
	hide    func()
	timer   *time.Timer
	unbind  func() bool
}

// State is what the agent says about itself.
func (s *Server) State() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state()
}

func (s *Server) state() string {
	switch {
	case s.pairing == nil:
		return fc2.StateReady
	case s.pairing.code == nil:
		return fc2.StateApproving
	}
	return fc2.StateScanning
}

// call answers the commands of the pairing agent.
func (s *Server) call(ctx context.Context, c *ocaserver.Conn, cmd ocp1.Command) (uint8, []byte, error) {
	refuse := func(status ocp1.Status) (uint8, []byte, error) {
		return 0, nil, &ocp1.Error{Target: cmd.Target, Method: cmd.Method, Status: status}
	}
	p := ocp1.NewParams("pairing", cmd.Params)
	switch cmd.Method {
	case fc2.MethodGetAPIVersion:
		return 1, ocp1.AppendU16(nil, apiVersion), nil
	case fc2.MethodGetOnboardingState:
		return 1, ocp1.AppendString(nil, s.State()), nil
	case fc2.MethodRequestApproval:
		key, request := p.Blob("key"), p.Blob("request")
		if p.End() != nil || len(key) != fc2.KeySize {
			return refuse(ocp1.StatusParameterError)
		}
		r := Request{Key: fc2.PublicKey(key), Addr: c.RemoteAddr().String()}
		name, err := fc2.OpenRequest(request, s.opts.Identity, r.Key)
		if err != nil {
			return refuse(ocp1.StatusParameterError)
		}
		r.Name = name
		ok, err := s.approve(ctx, c.ID(), r)
		if err != nil {
			return refuse(ocp1.StatusBusy)
		}
		return 1, ocp1.AppendString(nil, decision(ok)), nil
	case fc2.MethodSendQRData:
		code := p.Blob("code")
		if p.End() != nil {
			return refuse(ocp1.StatusParameterError)
		}
		ok, err := s.check(c.ID(), code)
		if err != nil {
			return refuse(ocp1.StatusProcessingFailed)
		}
		return 1, ocp1.AppendString(nil, decision(ok)), nil
	}
	return refuse(ocp1.StatusBadMethod)
}

func decision(ok bool) string {
	if ok {
		return fc2.DecisionApproved
	}
	return fc2.DecisionDenied
}

var errBusy = errors.New("a program is being paired, or too many have asked")

// begin takes the one place for a pairing, if it is free and requests have not come too fast.
func (s *Server) begin(ctx context.Context, conn uint64, r Request) (*pairing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if !s.filled.IsZero() {
		s.tokens = min(s.tokens+float64(now.Sub(s.filled))/float64(s.opts.Every), float64(s.opts.Burst))
	}
	s.filled = now
	if s.pairing != nil || s.tokens < 1 {
		return nil, errBusy
	}
	s.tokens--
	p := &pairing{request: r, conn: conn}
	s.pairing = p
	p.unbind = context.AfterFunc(ctx, func() { s.end(p) })
	return p, nil
}

// end gives the place back.
func (s *Server) end(p *pairing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over(p)
}

// over is end with the lock held.
func (s *Server) over(p *pairing) {
	if s.pairing != p {
		return
	}
	s.pairing = nil
	p.unbind()
	if p.timer != nil {
		p.timer.Stop()
	}
	if p.hide != nil {
		p.hide()
	}
}

// approve asks the person, and shows the code after a yes.
func (s *Server) approve(ctx context.Context, conn uint64, r Request) (bool, error) {
	p, err := s.begin(ctx, conn, r)
	if err != nil {
		return false, err
	}
	limited, cancel := context.WithTimeout(ctx, s.opts.ApproveWithin)
	defer cancel()
	ok, err := s.opts.Person.Approve(limited, r)
	if !ok || err != nil {
		s.end(p)
		return false, nil // who does not answer has not approved
	}
	code := make([]byte, codeSize)
	if _, err := io.ReadFull(s.opts.Random, code); err != nil {
		s.end(p)
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pairing != p { // the program has gone
		return false, nil
	}
	p.code = code
	p.hide = s.opts.Person.Show(r, append([]byte(nil), code...))
	p.timer = time.AfterFunc(s.opts.CodeWithin, func() { s.end(p) })
	return true, nil
}

// check compares the code, and lets the program in.
func (s *Server) check(conn uint64, code []byte) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pairing
	if p == nil || p.code == nil || p.conn != conn {
		return false, nil
	}
	if subtle.ConstantTimeCompare(code, p.code) != 1 {
		if p.tries++; p.tries >= maxTries {
			s.over(p)
		}
		return false, nil
	}
	err := s.opts.Store.Approve(p.request.Key, p.request.Name)
	s.over(p)
	return err == nil, err
}
