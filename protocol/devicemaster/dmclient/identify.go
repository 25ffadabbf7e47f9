package dmclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/patchbay-io/patchbay/protocol/devicemaster"
)

// Identify connects to addr, asks who is there, and closes the connection. It begins no session and changes nothing on the box.
// timeout bounds the connecting and the answer; 0 is [DefaultTimeout]. The errors are those of [Dial].
func Identify(ctx context.Context, open Opener, addr string, timeout time.Duration) (devicemaster.IDResponse, error) {
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	conn, err := dial(ctx, open, addr, timeout)
	if err != nil {
		return devicemaster.IDResponse{}, err
	}
	defer conn.Close()
	id, err := identify(ctx, conn, timeout)
	if err != nil {
		return id, fmt.Errorf("devicemaster identify %s: %w", addr, err)
	}
	return id, nil
}

// maxIDResponse bounds what is read as an ID response.
const maxIDResponse = 2048

// identify asks who is there. The response has no length: it ends where its structure says, or when nothing comes any more.
func identify(ctx context.Context, conn net.Conn, timeout time.Duration) (devicemaster.IDResponse, error) {
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	none := devicemaster.IDResponse{}
	deadline := time.Now().Add(timeout)
	conn.SetDeadline(deadline)
	if ctx.Err() != nil {
		return none, ctx.Err()
	}
	if _, err := conn.Write(devicemaster.ToolRequest{Command: devicemaster.ToolID}.Append(nil)); err != nil {
		return none, orContext(ctx, err)
	}
	buf := make([]byte, 0, maxIDResponse)
	for {
		n, err := conn.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if ctx.Err() != nil {
			return none, ctx.Err()
		}
		at, done := devicemaster.ScanIDResponse(buf)
		switch {
		case done && at < len(buf):
			return none, fmt.Errorf("%w: %d bytes behind its ID response", ErrNotDeviceMaster, len(buf)-at)
		case done:
			return acceptable(buf)
		case errors.Is(err, os.ErrDeadlineExceeded):
			if len(buf) == 0 {
				return none, fmt.Errorf("%w: %w", ErrNoAnswer, err)
			}
			id, err := acceptable(buf)
			if errors.Is(err, devicemaster.ErrShort) && time.Now().Before(deadline) {
				conn.SetDeadline(deadline) // the rest may be late
				if ctx.Err() != nil {
					return none, ctx.Err()
				}
				continue
			}
			return id, err
		case err == io.EOF && len(buf) > 0:
			return none, fmt.Errorf("%w: it closed after %d bytes", ErrNotDeviceMaster, len(buf))
		case err != nil:
			return none, fmt.Errorf("the box closed the connection: %w", err)
		case len(buf) == cap(buf):
			return none, fmt.Errorf("%w: more than %d bytes", ErrNotDeviceMaster, cap(buf))
		}
		if len(buf) >= devicemaster.MinIDResponse {
			if _, err := acceptable(buf); err != nil && !errors.Is(err, devicemaster.ErrShort) { // more may be on its way
				return none, err
			}
		}
		conn.SetDeadline(sooner(time.Now().Add(quiet), deadline)) // bytes that drip do not make the wait longer
		if ctx.Err() != nil {
			return none, ctx.Err()
		}
	}
}

func sooner(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// acceptable parses an ID response and rejects what no box can have said.
func acceptable(b []byte) (devicemaster.IDResponse, error) {
	r, err := devicemaster.ParseIDResponse(b)
	if err != nil {
		return r, fmt.Errorf("%w: %w", ErrNotDeviceMaster, err)
	}
	for _, c := range r.FirmwareText() {
		if c < 0x20 || c > 0x7e {
			return r, fmt.Errorf("%w: its firmware would be called %q", ErrNotDeviceMaster, r.FirmwareText())
		}
	}
	if known := r.Size == 0 || r.Size > 99; known && (r.Ports == 0 || r.Ports > devicemaster.MaxPorts) {
		return r, fmt.Errorf("%w: it would have %d ports", ErrNotDeviceMaster, r.Ports)
	}
	return r, nil
}
