package focassim

import (
	"testing"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// ask puts one question to the machine without a connection.
func ask(s *Sim, q focas.Request) (r focas.Reply) {
	s.do(func(m *machine) { r = (&asked{s: s, m: m, conn: 1, q: &q}).answer() })
	return r
}

// read asks and takes the payload apart; a refusal ends the test.
func read[T any](t *testing.T, s *Sim, q focas.Request, parse func([]byte) (T, error)) T {
	t.Helper()
	r := ask(s, q)
	if r.Code != 0 {
		t.Fatalf("%v%v: %v", q.Func, q.Args, r.Code)
	}
	v, err := parse(r.Payload)
	if err != nil {
		t.Fatalf("%v%v: %v", q.Func, q.Args, err)
	}
	return v
}

// cnc is a request to path 1 by function code, for arguments that the builders of package focas do not make.
func cnc(f focas.Func, args ...int32) focas.Request {
	q := focas.Request{Class: focas.ClassCNC, Path: 1, Func: f}
	copy(q.Args[:], args)
	return q
}

// with is the request with data.
func with(q focas.Request, data []byte) focas.Request {
	q.Data = data
	return q
}

// runProgram makes text the main program of path 1 and starts it.
func runProgram(t *testing.T, s *Sim, text string) *pathState {
	t.Helper()
	p := s.m.paths[0]
	if err := s.AddProgram(1, text); err != nil {
		t.Fatal(err)
	}
	prog, err := parseProgram(text)
	if err != nil {
		t.Fatal(err)
	}
	p.main = p.store.byNumber(prog.number)
	s.CycleStart()
	return p
}
