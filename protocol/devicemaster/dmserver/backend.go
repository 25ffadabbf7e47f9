package dmserver

import (
	"context"

	"github.com/patchbay-io/patchbay/protocol/devicemaster"
)

// Backend is what hangs on a port.
type Backend interface {
	// Open is called when a client asks for the port and nobody else has it; an error is told as busy. ctx bounds Open
	// alone. line is for what happens on the line, from now on until the wire is closed; inputs that are set before Open
	// returns are in its answer.
	Open(ctx context.Context, line Line) (Wire, error)
}

// Line is where a backend tells what happens. Its methods never block.
type Line interface {
	SetInputs(devicemaster.Inputs)
	Report(devicemaster.LineErrors)
}

// Wire is an open port of a backend. One goroutine sends and one receives, and others call the rest, at the same time.
type Wire interface {
	// Send takes bytes of the client, at least one, and returns how many; they are acknowledged then. It blocks while the
	// line does not take any. An error takes the port from its owner.
	Send(b []byte) (int, error)
	// Recv waits for bytes for the client. An error takes the port from its owner.
	Recv(b []byte) (int, error)
	// Set puts settings into force.
	Set(Settings)
	// Flush drops what the wire holds: in is what the client has not received, out what it has sent. A Send that waits for
	// the line may take its bytes then, and drop them.
	Flush(in, out bool)
	// Close ends Send and Recv.
	Close() error
}

// Given says which settings a client has sent; the others are assumed.
type Given uint8

// The settings, one bit each.
const (
	GivenBaud Given = 1 << iota
	GivenLine
	GivenMode
	GivenOutputs
	GivenChars
	GivenIdle
)

// Settings of a port.
type Settings struct {
	Baud    uint32
	Line    devicemaster.LineSettings
	Mode    devicemaster.Mode
	Outputs devicemaster.Outputs
	Chars   devicemaster.Chars
	Idle    uint32 // ms
	Given   Given
}

// DefaultSettings are those of a port that nobody has set: 9600 8N1, RS-232, RTS and DTR off.
func DefaultSettings() Settings {
	return Settings{Baud: 9600, Mode: devicemaster.RS232, Chars: devicemaster.DefaultChars()}
}
