package transcript

import (
	"fmt"
	"time"
)

// Version is the format that this package writes.
const Version = 1

// Direction says who sent something.
type Direction byte

// The directions, as they stand in the file.
const (
	FromClient Direction = '>' // client to server; the client is who opened the flow
	FromServer Direction = '<' // server to client
	Neither    Direction = '=' // a remark about the flow
)

// String is the direction in words.
func (d Direction) String() string {
	switch d {
	case FromClient:
		return "client"
	case FromServer:
		return "server"
	case Neither:
		return "neither"
	}
	return fmt.Sprintf("direction(%#02x)", byte(d))
}

// Kind is what happened.
type Kind uint8

// The kinds.
const (
	Open     Kind = iota + 1 // the flow begins; Text is network and address
	Data                     // bytes of a stream
	Datagram                 // one datagram
	Close                    // this side will send no more
	Reset                    // this side broke the flow
	Note                     // Text says something about the flow at this moment
	Comment                  // a comment line; it has no direction, flow or time
)

var kindNames = [...]string{"", "open", "data", "datagram", "close", "reset", "note", "comment"}

// String is the word in the file.
func (k Kind) String() string {
	if k > 0 && int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Event is one thing that happened. Offset is the time since the start of the recording, never below 0. Data is set for
// [Data] and [Datagram] alone, and may be empty. Text is one line without space at its ends.
type Event struct {
	Flow   uint32
	Dir    Direction
	Offset time.Duration
	Kind   Kind
	Text   string
	Data   []byte
}

// Transcript is a recorded conversation.
type Transcript struct {
	Header Header
	Events []Event
}

// Flows are the numbers of the flows, in order of appearance.
func (t *Transcript) Flows() []uint32 {
	var out []uint32
	seen := map[uint32]bool{}
	for i := range t.Events {
		if e := &t.Events[i]; e.Kind != Comment && !seen[e.Flow] {
			seen[e.Flow] = true
			out = append(out, e.Flow)
		}
	}
	return out
}

// Bytes is everything that one side of a flow sent, joined.
func (t *Transcript) Bytes(flow uint32, dir Direction) []byte {
	var out []byte
	for i := range t.Events {
		if e := &t.Events[i]; e.Flow == flow && e.Dir == dir && (e.Kind == Data || e.Kind == Datagram) {
			out = append(out, e.Data...)
		}
	}
	return out
}
