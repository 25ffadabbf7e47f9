package driver

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/url"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
)

// Driver makes sessions for one protocol. It holds no state of its own and is safe for concurrent use.
type Driver interface {
	// Info describes the driver. It is constant and does no I/O.
	Info() Info
	// Options returns a pointer to a new options struct filled with the defaults. Its fields carry yaml, doc and
	// jsonschema tags; Target.Options is such a pointer after configuration has been read into it. If the pointer has a
	// method Validate() error, configuration calls it.
	Options() any
	// Open connects, identifies the device and returns when the session can be used. ctx bounds Open alone, not the
	// session. An error is an *Error, and nothing is left running or open.
	Open(ctx context.Context, env Env, target Target) (Session, error)
}

// Info describes a driver.
type Info struct {
	Name    string   // the driver's name in configuration: "focas"
	Title   string   // what people call it: "FANUC FOCAS"
	Speaks  string   // what its devices speak, in a sentence: "the DeviceMaster protocol"; empty: Title
	Panel   string   // which panel of the page suits its devices: "cnc", "switcher", "serial", "audio" or ""
	Schemes []Scheme // the first is the canonical one
	Can     Can      // upper bound; a session may do less
}

// Language is what the devices of the driver speak, for a sentence such as "it speaks FANUC FOCAS".
func (i Info) Language() string {
	if i.Speaks != "" {
		return i.Speaks
	}
	return i.Title
}

// Scheme is a URL scheme that leads to the driver.
type Scheme struct {
	Name, Network string // "focas", "tcp"; or LocalNetwork
	Port          uint16 // used when the URL has none
	Path          string // what the path of the URL names, in a word; empty: the URL has none
	NoTwin        bool   // neither a simulator nor a recording can be at the other end, which has to speak TLS for example
}

// LocalNetwork is the Network of a scheme whose URLs name something of this machine and no host: serial:/dev/ttyUSB0.
const LocalNetwork = "local"

// Can is what a driver is able to do at all.
type Can uint8

// The ability bits.
const (
	CanWrite Can = 1 << iota
	CanCommand
	CanStream
	CanServe
	CanProbe
)

// Target is one configured device as the driver sees it.
type Target struct {
	Name    string   // the device's name in configuration
	URL     *url.URL // scheme and host, and the path of a scheme that has one; the driver adds its default port
	Options any      // what Driver.Options returned, filled
}

// Opener opens something on a network: a connection, a listener, a packet connection.
type Opener[T any] func(ctx context.Context, network, addr string) (T, error)

// Env is the outside world of a session. Everything a driver needs from outside comes through it, so that recording,
// faults, replay and simulated time are written once.
type Env struct {
	Dial         Opener[net.Conn]
	ListenPacket Opener[net.PacketConn]
	Keys         KeyStore     // identities, mode 0600; nil when the driver needs none
	Rand         io.Reader    // session ids, nonces
	Log          *slog.Logger // carries the device's name already; never nil
}

// KeyStore keeps a driver's identities between runs. The error of Load satisfies errors.Is(err, fs.ErrNotExist) when there is none
// of that name; with any other error there is one that must not be replaced.
type KeyStore interface {
	Load(name string) ([]byte, error)
	Store(name string, value []byte) error
}

// Session is one live conversation with one device. All methods are safe for concurrent use. The ctx of a call is the
// gateway's, never an HTTP request's: a browser that goes away does not cut the link to a machine. On a protocol without
// request ids a cancelled call ends the session, since the late reply would answer the next question.
type Session interface {
	// Read returns one sample for each path, in order. A point that cannot be read is a Bad sample with a reason; the
	// error is for the session as a whole.
	Read(ctx context.Context, paths []device.Path) ([]device.Sample, error)
	// Watch sends one Full change, then changes, until ctx ends (it returns ctx.Err()) or the link does (an *Error).
	// It is called at most once. Drivers of polled protocols call [Poll].
	Watch(ctx context.Context, want Interest, sink Sink) error
	// Abilities are fixed for the life of the session.
	Abilities() Abilities
	// Close ends the session politely where the protocol can, waits for what it started, and is idempotent. Calls in
	// progress return an error that satisfies errors.Is(err, net.ErrClosed).
	Close() error
}

// Abilities of a session; nil is absent. They are fields, not type assertions, so that a decorator replaces or clears
// one and nothing slips past it.
type Abilities struct {
	Writer    Writer
	Commander Commander
	Streamer  Streamer
	// Raise asks that RTS and DTR be raised for whoever opens a stream to use it and names neither: the device leaves them down with
	// an opening, unlike the operating systems. It is not for who only looks.
	Raise bool
}

// Interest says which points anyone wants, and how often.
type Interest interface {
	// Every is the period that somebody asks for: below 0 nobody wants the point, 0 the default of its rate class.
	Every(device.Path) time.Duration
	// Changed is closed when an answer of Every may differ. Take it before calling Every.
	Changed() <-chan struct{}
}

// Sink receives what a device says. Apply is atomic, never blocks, and keeps no reference to the slices of c.
type Sink interface{ Apply(c *Change) }

// Everything is an Interest that wants each point at the pace of its rate class, meters included.
type Everything struct{}

// Every returns 0.
func (Everything) Every(device.Path) time.Duration { return 0 }

// Changed returns a channel that never closes.
func (Everything) Changed() <-chan struct{} { return nil }
