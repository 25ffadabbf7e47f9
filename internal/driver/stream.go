package driver

import (
	"context"
	"io"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
)

// Streamer opens byte streams, such as serial ports. A stream dies with its session; the gateway shares and reopens.
type Streamer interface {
	// OpenStream takes the port for this session, puts line into force and returns when bytes can flow. A port that
	// somebody else has is an *Error of class Busy, an unknown path one of class Unsupported. Opening changes what line
	// names and nothing else; in particular RTS and DTR only when it names them, where the device leaves that choice.
	OpenStream(ctx context.Context, path device.Path, line Line) (Stream, error)
}

// Stream is one open byte stream. Bytes are never merged, lost, doubled or reordered while it lives; when its link dies, or
// the port is taken away, every call returns an *Error. One goroutine may read, one write and others call the rest at the
// same time.
type Stream interface {
	// Read waits for at least one byte and returns what is there, without waiting for more. Write blocks while the far end
	// is full; how many bytes it returns is how many were handed to the link, in front of everything that was not.
	// Close gives the port back, is idempotent and ends calls in progress with an error that is net.ErrClosed.
	io.ReadWriteCloser
	// SetDeadline bounds Read and Write, those in progress too; the error is os.ErrDeadlineExceeded and the stream lives on.
	SetDeadline(time.Time) error
	// Unacked is how many of the bytes that Write has counted may not have reached the device. After the end of the stream
	// it stays what it was then: those bytes are uncertain, and nobody sends them again.
	Unacked() int
	// Set changes what line names and returns all that is in force then, which may differ from what was asked.
	Set(ctx context.Context, line Line) (Line, error)
	// Flush drops what is buffered: in is what came from the line and was not read, out what was not sent to it yet.
	Flush(ctx context.Context, in, out bool) error
	// Drain waits until everything that was written has left, as far as the protocol can tell.
	Drain(ctx context.Context) error
	// Event waits for the next change of the line. The first call returns the present state at once.
	Event(ctx context.Context) (LineEvent, error)
}

// Flow is a way of flow control on a line.
type Flow uint8

// The ways.
const (
	FlowAsIs    Flow = iota // leave it
	FlowNone                // none
	FlowXonXoff             // by characters in the stream
	FlowRtsCts              // by the lines RTS and CTS
)

var flowNames = [...]string{"", "none", "xon-xoff", "rts-cts"}

// String is the name used in configuration and as the key of labels.
func (f Flow) String() string {
	if int(f) < len(flowNames) {
		return flowNames[f]
	}
	return "unknown"
}

// ParseFlow finds a way by its name.
func ParseFlow(name string) (Flow, bool) {
	for f, n := range flowNames {
		if n == name && n != "" {
			return Flow(f), true
		}
	}
	return FlowAsIs, false
}

// Line is the settings of a serial line. A zero number, an empty text and a nil pointer leave the setting as it is.
type Line struct {
	Baud      uint32
	Data      uint8 // data bits: 5 to 8
	HalfStops uint8 // stop bits in halves: 2, 3 or 4
	Parity    byte  // 'N', 'E', 'O', 'M', 'S'
	Flow      Flow
	Mode      string // of the transceivers, a key of the port's mode point: "rs-232", "rs-422", "rs-485", …
	RTS, DTR  *bool
	Break     *bool // holds the line in the break state
}

// LineEvent is the state of a serial line and what happened on it since the event before.
type LineEvent struct {
	CTS, DSR, CD, RI                        bool // as they are now
	Break, Framing, Parity, Overrun, Ringed bool // happened at least once
	Idle                                    bool // nothing came for the time that was set for it
}
