package north

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// Streams shares the byte streams of devices, such as serial ports, among doors.
type Streams interface {
	// Streams lists the paths of a device's streams, in the device's order; none while the device has not said.
	Streams(dev string) []device.Path
	// OpenStream attaches to a stream. It does not wait for the device unless opt.Wait is set. Errors are *WriteError for
	// what is not allowed or not there, *driver.Error for what the device says.
	OpenStream(ctx context.Context, who driver.Who, dev string, path device.Path, opt StreamOptions) (Stream, error)
}

// StreamOptions say how somebody attaches to a stream.
type StreamOptions struct {
	// Own makes the caller the one who writes. It opens the port. Without it the caller observes: it sees what comes while
	// somebody has the port open, and nothing that it does reaches the device.
	Own bool
	// Take turns the present owner out instead of being refused.
	Take bool
	// Hold opens the port although the caller only observes, and keeps it open without an owner.
	Hold bool
	// Granted leaves out the question whether doors may write the port: the configuration of this very door says so. What is
	// configured about a signed-in user counts all the same.
	Granted bool
	// Wait waits until the port is open, and returns the error when it cannot be.
	Wait bool
	// Keep keeps bytes that could not be sent before the link died, and sends them when it is back. Else they are dropped and
	// counted: half a command that arrives late is dangerous.
	Keep bool
	// Leave leaves RTS and DTR alone when the port is opened, for an owner who sets them himself. Else they are raised with it where
	// the device does not do so, as operating systems do, unless Line names them. Who only looks never touches them.
	Leave bool
	// Line is put into force whenever the port is opened, with what the owner sets later on top.
	Line driver.Line
	// Buffer is how many bytes from the line wait for the caller; 0: 64 KiB. An owner who does not read holds up the device;
	// what has no room for an observer is lost to it and counted.
	Buffer int
	// Trace, when not nil, is told of all bytes of both directions instead of Read, when they pass. It must not block, nor keep b.
	Trace func(toLine bool, b []byte)
	// Retake opens the port again when another host has taken it from the device by force, which goes on as long as both want it. Else
	// that ends the owner, as another owner here does, and the port stays closed until somebody asks for it anew.
	Retake bool
	// Coalesce lets Read wait so long for more bytes after the first. 0: nothing waits.
	Coalesce time.Duration
}

// Stream is one caller's part of a shared stream. Close ends it, and the port is given back when nobody holds it any more.
type Stream interface {
	// Read waits for bytes from the line. It ends with ErrStreamTaken when another owner took over, and with net.ErrClosed.
	io.Reader
	// Write hands bytes to the device and blocks while it takes none. An error that is ErrStreamDown says that the rest was
	// dropped, because the link is down; the stream lives on. Only an owner may write.
	io.Writer
	// Direct offers short pieces from the line to write, instead of Read, whenever Read waits and nothing is on its way before them. It is
	// for an owner. write takes what it can without blocking and returns how much; Read returns the rest. It must not call the stream.
	Direct(write func(b []byte) int)
	SetReadDeadline(time.Time) error
	// Lost is how many bytes were lost to this caller in front of what Read returned last, all together. It stays 0 for owners.
	Lost() uint64
	// State waits for the next change of the stream; the first call returns at once.
	State(ctx context.Context) (StreamState, error)
	// Set, Flush and Drain are for the owner. Set returns what is in force; while the port is not open it is remembered.
	Set(ctx context.Context, line driver.Line) (driver.Line, error)
	Flush(ctx context.Context, in, out bool) error
	Drain(ctx context.Context) error
	// Yield says that the owner only waits for the rest: while it is on, whoever else wants to own the port gets it.
	Yield(on bool)
	// Unacked is how many bytes may not have arrived yet.
	Unacked() int
	Close() error
}

// StreamState is how a stream is.
type StreamState struct {
	Open      bool             // bytes can flow
	Why       string           // why not, when the device said so
	Hint      string           // what a person can check then
	Owner     string           // who writes: "alice (http)"; empty: nobody
	Observers int              // who only listens
	Line      driver.Line      // in force, as far as it is known
	Event     driver.LineEvent // of the input lines; what happened since the caller's last State
	Counts    StreamCounts
}

// StreamCounts are the bytes of a stream since the gateway has known it.
type StreamCounts struct {
	In        uint64 // from the line
	Out       uint64 // handed to the device
	Dropped   uint64 // never sent, because the link was down or died
	Uncertain uint64 // sent, and the link died before the device could say that it has them
	Lost      uint64 // from the line, to observers that did not keep up
	Opens     uint64 // times the port was opened
}

// Errors of a Stream, for errors.Is.
var (
	ErrStreamTaken = errors.New("another owner has taken the port") // here, or by force on another host
	ErrStreamDown  = errors.New("the port is not open; the bytes were dropped")
	ErrNotOwner    = errors.New("only the owner may do that")
)

// SendBreak holds the line in the break state for a time.
func SendBreak(ctx context.Context, s Stream, d time.Duration) error {
	on, off := true, false
	if _, err := s.Set(ctx, driver.Line{Break: &on}); err != nil {
		return err
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	_, err := s.Set(context.WithoutCancel(ctx), driver.Line{Break: &off})
	return err
}
