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
		return 1, ocp1.AppendString(nil, s.stateFor(c.ID(), hostOf(c.RemoteAddr()))), nil
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
		ok, err := s.approve(ctx, c.ID(), hostOf(c.RemoteAddr()), r)
		switch {
		case errors.Is(err, errBusy):
			return refuse(ocp1.StatusBusy)
		case err != nil:
			return refuse(ocp1.StatusProcessingFailed)
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

// approve asks the person, and shows the code after a yes.
func (s *Server) approve(ctx context.Context, conn uint64, host string, r Request) (bool, error) {
	p, err := s.begin(ctx, conn, host, r)
	if err != nil {
		return false, err
	}
	limited, cancel := context.WithTimeout(p.ctx, s.opts.ApproveWithin)
	defer cancel()
	ok, err := s.opts.Person.Approve(limited, p.request)
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
	if p.ctx.Err() != nil { // the program has gone, or the person thought better of it
		return false, nil
	}
	p.code = code
	p.hide = s.opts.Person.Show(p.request, append([]byte(nil), code...))
	p.timer = time.AfterFunc(s.opts.CodeWithin, func() { s.end(p) })
	return true, nil
}

// check compares the code, and lets the program in.
func (s *Server) check(conn uint64, code []byte) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.of(conn)
	if p == nil || p.code == nil {
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
