package fcclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/patchbay-io/patchbay/protocol/fcxml"
)

// ErrNoEcho is the cause when something answers a keep-alive with another message.
var ErrNoEcho = errors.New("a keep-alive was answered with something else")

// Probe asks what listens at the other end of conn with a bare keep-alive, which a server echoes before anybody has said who
// they are, and which asks no person for approval. It closes conn. ctx should have a deadline.
func Probe(ctx context.Context, conn net.Conn) error {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	fail := func(err error) error {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return fmt.Errorf("fcxml probe: %w", err)
	}
	if _, err := conn.Write(fcxml.AppendMessage(nil, fcxml.KeepAlive{})); err != nil {
		return fail(err)
	}
	f, err := fcxml.NewReader(conn).Next()
	if err != nil {
		return fail(err)
	}
	if m, err := fcxml.Parse(f.Payload); err != nil {
		return fail(err)
	} else if _, ok := m.(fcxml.KeepAlive); !ok {
		return fail(ErrNoEcho)
	}
	return nil
}
