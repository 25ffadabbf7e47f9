package driver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
)

func TestAddressTaken(t *testing.T) {
	for e, want := range map[syscall.Errno]bool{syscall.EADDRINUSE: true, 10048: true, syscall.EACCES: false, 10061: false} {
		err := &net.OpError{Op: "listen", Net: "tcp", Err: os.NewSyscallError("bind", e)}
		if AddressTaken(err) != want {
			t.Errorf("%v: %v", err, !want)
		}
	}
}

func TestClassOf(t *testing.T) {
	sys := func(e syscall.Errno) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", e)}
	}
	for _, tt := range []struct {
		err  error
		want Class
	}{
		{sys(syscall.ECONNREFUSED), RefusedConn},
		{sys(syscall.EHOSTUNREACH), Unreachable},
		{sys(syscall.ENETUNREACH), Unreachable},
		{sys(syscall.ETIMEDOUT), Timeout},
		{sys(syscall.ECONNRESET), Closed},
		{sys(syscall.EPIPE), Closed},
		{sys(syscall.EMFILE), Unreachable},
		{&net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.EIO)}, Closed},
		{sys(10061), RefusedConn}, // as Windows says it
		{sys(10065), Unreachable},
		{sys(10060), Timeout},
		{&net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("wsarecv", syscall.Errno(10054))}, Closed},
		{&net.DNSError{Err: "no such host", Name: "x"}, Unreachable},
		{context.DeadlineExceeded, Timeout},
		{os.ErrDeadlineExceeded, Timeout},
		{context.Canceled, Closed},
		{io.EOF, Closed},
		{io.ErrUnexpectedEOF, Closed},
		{net.ErrClosed, Closed},
		{io.ErrClosedPipe, Closed},
		{errors.New("anything"), Internal},
		{nil, Internal},
		{&Error{Class: Busy, Err: io.EOF}, Busy},
		{fmt.Errorf("around: %w", &Error{Class: Auth}), Auth},
	} {
		if got := ClassOf(tt.err); got != tt.want {
			t.Errorf("ClassOf(%v) = %v, want %v", tt.err, got, tt.want)
		}
	}
}

func TestRetry(t *testing.T) {
	for c := Internal; c <= Busy; c++ {
		if got, want := c.Retry(), c != Internal && c != Unsupported; got != want {
			t.Errorf("%v.Retry() = %v", c, got)
		}
		if c.String() == "internal" != (c == Internal) {
			t.Errorf("class %d is called %q", c, c)
		}
	}
	if Class(200).String() != "internal" {
		t.Error("an unknown class has a name of its own")
	}
}

func TestHintOf(t *testing.T) {
	inner := &Error{Op: "read", Hint: "inner", Err: io.EOF}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{io.EOF, ""},
		{inner, "inner"},
		{&Error{Op: "open", Err: fmt.Errorf("x: %w", inner)}, "inner"},
		{&Error{Op: "open", Hint: "outer", Err: inner}, "outer"},
	} {
		if got := HintOf(tt.err); got != tt.want {
			t.Errorf("HintOf(%v) = %q, want %q", tt.err, got, tt.want)
		}
	}
}

func TestWrapNet(t *testing.T) {
	if WrapNet("open", "x", nil) != nil {
		t.Error("nil does not stay nil")
	}
	own := &Error{Class: Busy, Op: "open", Target: "y", Err: io.EOF}
	if err := WrapNet("read", "x", own); err != error(own) {
		t.Errorf("an Error becomes %v", err)
	}
	err := WrapNet("read", "192.0.2.1:8193", io.EOF)
	if err.Error() != "read 192.0.2.1:8193: the other side closed the connection: EOF" || !errors.Is(err, io.EOF) || ClassOf(err) != Closed {
		t.Errorf("wrapped: %v, class %v", err, ClassOf(err))
	}
}

func TestDialErrorsAreBrief(t *testing.T) {
	addr := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 8193}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("focas connect 192.0.2.1:8193: %w", &net.OpError{Op: "dial", Net: "tcp", Addr: addr,
			Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}), "open mill: connection refused"},
		{&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "mill", IsNotFound: true}}, "open mill: lookup mill: no such host"},
		{&net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}, "open mill: read tcp: i/o timeout"},
		{io.EOF, "open mill: the other side closed the connection: EOF"},
	} {
		e := &Error{Op: "open", Target: "mill", Err: tt.err}
		if e.Error() != tt.want {
			t.Errorf("%q, want %q", e, tt.want)
		}
		if !errors.Is(e, tt.err) {
			t.Errorf("%q hides its cause", e)
		}
	}
}
