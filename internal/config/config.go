package config

import (
	"net/url"

	"github.com/patchbay-io/patchbay/internal/access"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// Version is the version of the file format that this program writes and reads.
const Version = 1

// DefaultListen is where the HTTP door listens when nobody says otherwise.
const DefaultListen = "127.0.0.1:8620"

// Config is a whole configuration after defaults, file, environment and flags. It is not changed after [Load].
type Config struct {
	File    string   // where it was read from; empty: no file
	Version int      // of the file format
	Listen  string   // host:port of the HTTP door; port 0 takes a free one
	Hosts   []string // names in the Host header that are accepted besides those of loopback
	Log     Log
	Metrics Metrics
	Access  access.Set // who is let in; nobody: whoever reaches the gateway
	TLS     TLS
	// Insecure lets the HTTP door listen beyond this machine without users or TLS.
	Insecure bool
	Audit    Audit
	Serial   Serial   // serial ports as TCP ports and PTYs
	Devices  []Device // in the order of the file
	// Notes are what may turn out to be wrong, each with its place: it depends on the devices.
	Notes []string

	secrets []string
	ports   []setting         // of the section serial
	people  []setting         // users and tokens, for Explain
	origins map[string]string // "listen" -> "flag --listen"
}

// Log says what is logged and how.
type Log struct {
	Level  string // debug, info, warn or error
	Format string // auto (text on a terminal, else JSON), text or json
}

// The twins of a device: its far end is a simulator inside this process, or a recording that answers by request.
const (
	TwinSim    = "sim"
	TwinReplay = "replay"
)

// Device is one configured device.
type Device struct {
	Name    string
	Driver  driver.Driver
	Twin    string     // TwinSim, TwinReplay, or empty for a real device
	TwinArg url.Values // settings of the twin, such as profile; of a recording "file"
	Target  driver.Target
	Display string            // the URL as written, with secrets hidden
	Labels  map[string]string // site, area, line, cell
	// Writable holds patterns of points that doors may write. A pattern with a wildcard never grants a hazard point.
	Writable []string
	// Fingerprint is equal exactly when everything about the connection is equal: driver, address and options. Labels and
	// permissions are not in it.
	Fingerprint string
	// Serve holds the options of the device's native server, as the driver's ServeOptions makes them; nil: none is wanted.
	// ServeFingerprint is equal exactly when they are.
	Serve            any
	ServeFingerprint string
	// Faces holds the options of what else serves the device, by the name of the [Face]; each as the face's Options makes them.
	Faces map[string]any

	settings []setting
	marks    map[string]string // options by key as digests, so that a changed secret shows as changed and not what it is
}

// Secrets lists every value that must not appear in any output: what ${env:} and ${file:} gave, passwords in URLs and
// secret options. The caller must not show it.
func (c *Config) Secrets() []string { return append([]string(nil), c.secrets...) }

// WritableKey is where the writable patterns of a device stand in the file.
func WritableKey(device string) string { return "devices." + device + ".writable" }

// Flags are settings of the command line; empty ones are unset. They win over everything else.
type Flags struct {
	Listen, LogLevel, LogFormat string
	Hosts                       []string
}

// Input is everything that a configuration is made of.
type Input struct {
	// File is read unless it is empty. Data, when not nil, is taken as its content.
	File string
	Data []byte
	// URLs are devices given on the command line: a URL, or NAME=URL. They are added to those of the file.
	URLs []string
	// Getenv looks up an environment variable, as os.LookupEnv does. nil: there are none.
	Getenv  func(string) (string, bool)
	Flags   Flags
	Drivers []driver.Driver
	// Twins names the settings that the simulator of a driver takes, by driver name. A driver that is absent has no twins.
	Twins map[string][]string
	// Faces are what can serve devices of several drivers.
	Faces []Face
}
