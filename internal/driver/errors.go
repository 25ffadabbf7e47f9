package driver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
)

// Class says what a program should do about an error. It alone decides whether the gateway tries again.
type Class uint8

// The classes.
const (
	Internal        Class = iota // a bug or a broken invariant of ours
	Unreachable                  // no route, no such host, host down
	RefusedConn                  // the host answered and nothing listens there
	Timeout                      // it did not answer in time
	Closed                       // it closed or reset the connection
	NotThisProtocol              // something answered, but it does not speak this protocol
	Auth                         // it wants a login that it did not get
	DeviceSaidNo                 // it speaks the protocol and refused
	Unsupported                  // it speaks the protocol and does not have this
	Busy                         // it has no room now
)

var classNames = [...]string{"internal", "unreachable", "refused", "timeout", "closed", "not-this-protocol", "auth",
	"device-said-no", "unsupported", "busy"}

// String is the name used in HTTP, logs and exit codes.
func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return "internal"
}

// Retry reports whether trying again without a human may help. NotThisProtocol and Auth are tried again too, but slowly:
// someone may be changing the other side right now.
func (c Class) Retry() bool { return c != Internal && c != Unsupported }

// ErrTaken is the cause of a stream's end when the device has given the port to somebody else, on another host or with a tool. It is
// not to be opened again by itself: two who do that fight.
var ErrTaken = errors.New("somebody else has taken the port")

// ErrRenew is in the chain of the error that ends a session on purpose, because of something that somebody has done: the next one is
// another one, such as the device itself after pairing. Nothing has failed, and whoever has done it waits for the next one.
var ErrRenew = errors.New("the session is opened anew")

// Error is every error that crosses the driver boundary.
type Error struct {
	Op     string // "open", "read", "write", …
	Target string // the device's address
	Hint   string // what a person can do about it; may be empty
	Class  Class
	Err    error
}

// Error is "op target: cause". Of a connection that could not be made it leaves out what the layers below repeat.
func (e *Error) Error() string { return fmt.Sprintf("%s %s: %v", e.Op, e.Target, brief(e.Err)) }

// brief is the cause of a failed dial without the address, which the target says already, and what a bare end means; other errors
// stay as they are.
func brief(err error) error {
	if err == io.EOF { // a word of programmers, when nobody on the way has said it in others
		return errEnd
	}
	var dial *net.OpError
	if !errors.As(err, &dial) || dial.Op != "dial" {
		return err
	}
	var call *os.SyscallError
	if errors.As(dial.Err, &call) {
		return call.Err
	}
	return dial.Err
}

var errEnd = errors.New("the other side closed the connection: EOF")

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// ClassOf finds the class of any error: its own when it is an *Error, else by what the standard library says about it.
func ClassOf(err error) Class {
	var de *Error
	if errors.As(err, &de) {
		return de.Class
	}
	return classOfNet(err)
}

// HintOf is the hint of the outermost *Error that has one.
func HintOf(err error) string {
	for err != nil {
		var de *Error
		if !errors.As(err, &de) {
			return ""
		}
		if de.Hint != "" {
			return de.Hint
		}
		err = de.Err
	}
	return ""
}

func classOfNet(err error) Class {
	var dns *net.DNSError
	var ne net.Error
	var op *net.OpError
	if c, ok := classOfWinsock(err); ok {
		return c
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return RefusedConn
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.As(err, &dns):
		return Unreachable
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		return Timeout
	case errors.Is(err, net.ErrClosed), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, context.Canceled):
		return Closed
	case errors.As(err, &ne) && ne.Timeout():
		return Timeout
	case errors.As(err, &op): // whatever else a network can have: trying again may help
		if op.Op == "dial" {
			return Unreachable
		}
		return Closed
	}
	return Internal
}

// AddressTaken reports whether somebody listens at an address already, so that nobody else can.
func AddressTaken(err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, syscall.Errno(10048)) // as Windows says it
}

// classOfWinsock knows the numbers of Windows, where the names of syscall stand for other numbers than the network gives.
func classOfWinsock(err error) (Class, bool) {
	var number syscall.Errno
	if !errors.As(err, &number) {
		return 0, false
	}
	switch number {
	case 10061:
		return RefusedConn, true
	case 10050, 10051, 10064, 10065: // network down or unreachable, host down or unreachable
		return Unreachable, true
	case 10060:
		return Timeout, true
	case 10052, 10053, 10054, 10058: // reset by the network, this computer or the peer; shut down
		return Closed, true
	}
	return 0, false
}

// WrapNet makes an *Error of a network error, with its class found from the error itself; nil stays nil, and an *Error
// stays as it is.
func WrapNet(op, target string, err error) error {
	if err == nil {
		return nil
	}
	var de *Error
	if errors.As(err, &de) {
		return err
	}
	return &Error{Op: op, Target: target, Class: classOfNet(err), Err: err}
}
