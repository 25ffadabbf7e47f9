package driver

import (
	"context"
	"io"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
)

// Streamer opens byte streams, such as serial ports. A stream dies with its session; the gateway shares and reopens.
type Streamer interface {
	OpenStream(ctx context.Context, path device.Path, line Line) (Stream, error)
}

// Stream is one open byte stream. Bytes are never merged; Write blocks while the far end is full.
type Stream interface {
	io.ReadWriteCloser
	SetDeadline(time.Time) error
	Unacked() int                                         // bytes sent whose arrival is unknown
	Set(ctx context.Context, line Line) (Line, error)     // returns what is in force
	Flush(ctx context.Context, in, out bool) error        // drops what is buffered
	Drain(ctx context.Context) error                      // waits until everything is on the line
	Event(ctx context.Context) (event LineEvent, _ error) // waits for the next change of the line
}

// Line is the settings of a serial line. A nil pointer leaves the setting as it is.
type Line struct {
	Baud                   uint32
	Data, HalfStops        uint8
	Parity                 byte // 'N', 'E', 'O', 'M', 'S'
	XonXoff, RtsCts        bool
	RTS, DTR, Break, RS485 *bool
}

// LineEvent is the state of a serial line and what just happened on it.
type LineEvent struct{ CTS, DSR, CD, RI, Break, Framing, Parity, Overrun, Idle bool }
