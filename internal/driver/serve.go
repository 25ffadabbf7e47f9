package driver

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"

	"github.com/patchbay-io/patchbay/internal/device"
)

// Server is an ability of a Driver, not of a session: it outlives the link, opens its own listeners, may show several
// devices, and tells its clients when the upstream is lost. It works on the undecorated session and therefore asks the
// Gate for every action.
type Server interface {
	// ServeOptions returns a pointer to a new options struct filled with the defaults, like [Driver.Options]. It is what the
	// key "serve" of a device section is read into.
	ServeOptions() any
	// Serve listens and serves until ctx ends, and then leaves nothing running. options is a pointer that ServeOptions has
	// made, nil for the defaults. It returns early only when it cannot serve at all, with an *Error: the address is taken,
	// the options are wrong.
	Serve(ctx context.Context, env ServeEnv, options any) error
}

// Shower is an ability of the options of a server: it shows other devices besides its own, by name.
type Shower interface{ Shows() []string }

// Encrypter is an ability of the options of a server, and of a door: it listens with TLS, under the certificate of the gateway itself.
type Encrypter interface {
	Encrypts() string // the option that says so; empty: it does not
}

// ServeEnv is the outside world of a native server.
type ServeEnv struct {
	Listen       Opener[net.Listener]
	ListenPacket Opener[net.PacketConn]
	Upstreams    []Upstream // the device itself, then what a [Shower] names
	OpenStream   func(ctx context.Context, device string, path device.Path, line Line) (Stream, error)
	Gate         Gate
	Sink         Sink            // its clients are points
	Commands     func(Commander) // for instance "disconnect this client"
	Keys         KeyStore        // identities of the server, and of the programs that it has let in; nil: there is no place for them
	TLS          *tls.Config     // the gateway's own certificate, for an [Encrypter]; nil: it has none
	Announce     Announcer       // nil: the local network is told of nothing
	Log          *slog.Logger
}

// Announcer tells the local network of a service until ctx ends, and takes it back then. An error comes at once, and is about the
// service.
type Announcer func(ctx context.Context, a Announcement) error

// Announcement is a service for those who look for it by multicast DNS (DNS-SD).
type Announcement struct {
	Type     string   // "_oca._tcp"
	Instance string   // what people read; when it is taken, a number is put behind it
	Addr     net.Addr // of the listener; on every interface when it is unspecified
	Text     []string // key=value each
}

// Upstream is a device that a native server shows.
type Upstream interface {
	Name() string
	// Session waits for a live, undecorated session; gone closes at its end.
	Session(ctx context.Context) (s Session, gone <-chan struct{}, err error)
}

// Gate is permission and audit, for doors and native servers alike.
type Gate interface {
	Login(ctx context.Context, user, secret string, from net.Addr) (Who, error)
	Allow(Who, Action) error
	Done(Who, Action, Outcome)
}

// Who is the origin of an action.
type Who struct {
	User string // empty: nobody is signed in
	Door string // "http", "cli", "mqtt", "atem", …
	Addr string // where from
}

// Action is what somebody wants to do.
type Action struct {
	Device string
	Path   device.Path // empty: a rule must name Raw
	Value  device.Value
	Raw    string // a message nobody maps to a point: "DCut", "0x16"

	Old device.Value // what Value replaces, for the audit; zero: not known
}

// Prober is an ability of a Driver: it says whether an address speaks the protocol, without changing anything there.
type Prober interface {
	Probe(ctx context.Context, env Env, addr string) (Finding, error)
}

// Finding is what a probe found.
type Finding struct {
	Match   bool
	Reasons []string // in words, the most telling first
	Scheme  string   // of the device's URL, when it is another than the one that was asked for; empty: the same
	Port    uint16   // the same of its port; 0: the one that was asked
}
