package serial

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// Port is what the door offers of one serial port.
type Port struct {
	Device string
	Path   device.Path
	Line   driver.Line // put into force when the port is opened; RTS and DTR too

	RFC2217, Raw string // addresses to listen on; empty: none
	PTY          string // the symlink to the PTY; empty: none
	PTYMode      os.FileMode
	PTYOwner     int // user id, -1: whoever runs this
	PTYGroup     int

	Observe    bool // clients only read, and the port is held open
	MaxClients int  // of each listener: one owns, the others read along; 0: 1
	KickOld    bool // a new client takes the port over
	Keep       bool // keep what could not be sent over a link loss
	Retake     bool // take the port back that another host has taken by force
	// HalfClose is how long a client of Raw that has closed its sending side is still served while nothing comes and nothing is
	// taken; 0: no longer than the line needs for what the client has sent.
	HalfClose   time.Duration
	Coalesce    time.Duration
	KeepAlive   time.Duration // of TCP; 0: 15 s
	UserTimeout time.Duration // how long bytes may stay unacknowledged before TCP gives up; 0: the system's
	TLS         bool
	Login       bool // ask for user and password first

	Log     string // a file for all bytes with their times; empty: none
	LogSize int64  // bytes after which it is put aside as FILE.1; 0: 10 MB
}

// name is what people call a port.
func (p *Port) name() string { return p.Device + "/" + string(p.Path) }

// Config is what the door needs besides the ports.
type Config struct {
	Streams north.Streams
	Log     *slog.Logger // nil: none
	// Login checks a user; needed when a port asks for one.
	Login func(ctx context.Context, user, secret string, from net.Addr) (driver.Who, error)
	TLS   *tls.Config // for ports with TLS
	// CheckListen says whether an address may be listened on; nil: every one.
	CheckListen func(addr string, login, tls bool) error
	// Listen opens listeners; nil: the network of this machine.
	Listen func(ctx context.Context, network, addr string) (net.Listener, error)
}
