package config

import (
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"

	"github.com/patchbay-io/patchbay/internal/access"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// Serial says how serial ports are offered to programs.
type Serial struct {
	Folder string // of the PTYs' names; empty: none
	Ports  []SerialPort
}

// SerialPort is what is offered of one port, or of all ports of a device.
type SerialPort struct {
	Device string
	Path   string      // "ports/3", which may be written as 3, or "*": all
	Line   driver.Line // with RTS and DTR of on_open

	RFC2217, Raw string // HOST:PORT; of all ports HOST:PORT of the first
	PTY          string // a whole path; "auto": the device's name and the port's number in the folder
	PTYMode      os.FileMode
	PTYOwner     int // -1: unchanged
	PTYGroup     int

	Observe, KickOld, Keep, Retake, TLS, Login  bool
	MaxClients                                  int
	Coalesce, KeepAlive, UserTimeout, HalfClose time.Duration
	Log                                         string
	LogSize                                     int64
}

// Bounds of half_close.
const (
	defaultHalfClose = 3 * time.Second
	maxHalfClose     = time.Hour
)

// What systems take: Linux refuses keep-alive beyond 32,767 seconds, and a user timeout that has more milliseconds than 31 bits.
const (
	maxKeepAlive   = 9 * time.Hour
	maxUserTimeout = 24 * time.Hour
)

// serialKeys are the keys of a port, with what they are for.
var serialKeys = []struct{ name, doc string }{
	{"line", "speed, data bits, parity and stop bits when the port is opened, such as 9600n81"},
	{"flow", "flow control when the port is opened: none, xon-xoff or rts-cts"},
	{"mode", "mode of the transceivers, such as rs-232, rs-422, rs-485; as the device names it"},
	{"on_open", "lines that are set when the port is opened: {dtr: true, rts: true}"},
	{"rfc2217", "listen for RFC 2217 clients: PORT or HOST:PORT; for all ports of a device the first, written 4001+"},
	{"raw", "listen for plain TCP clients: PORT or HOST:PORT; for all ports of a device the first, written 4001+"},
	{"pty", "make a PTY: true for NAME-NUMBER in serial.folder, or the whole path of its name"},
	{"pty_mode", "permissions of the PTY, such as 0660"},
	{"pty_owner", "user that the PTY belongs to"},
	{"pty_group", "group that the PTY belongs to"},
	{"observe", "clients only read, and the port is held open"},
	{"max_clients", "clients of each listener; the first owns the port, the others read along; default 1"},
	{"kick_old", "a new client takes the port from the one before"},
	{"keep", "keep what could not be sent over a loss of the link, instead of dropping it"},
	{"retake", "take the port back when another host has taken it by force; default false: it is opened again when somebody asks for it"},
	{"half_close", "how long a client of raw that has closed its sending side is served while the line is silent, 0s to 1h; default 3s"},
	{"coalesce", "wait so long for more bytes before they are passed on; default 0s, nothing waits"},
	{"keep_alive", "how often TCP asks a silent client whether it is there; default 15s"},
	{"user_timeout", "how long sent bytes may stay unacknowledged before TCP gives the client up (Linux)"},
	{"tls", "encrypt with the certificate of the section tls"},
	{"login", "ask clients for user and password first, in lines of text"},
	{"log", "file for all bytes with their times"},
	{"log_size", "bytes after which the log is put aside as FILE.1; default 10485760"},
}

func serialKeyNames() []string {
	var out []string
	for _, k := range serialKeys {
		out = append(out, k.name)
	}
	return out
}

// serial reads the section of that name.
func (l *loader) serial(n ast.Node) {
	for _, kv := range l.mapping(n, "serial") {
		switch kv.key {
		case "folder":
			l.scalar(kv.value, "serial.folder", func(s string) error {
				if !filepath.IsAbs(s) {
					return fmt.Errorf("%q is no whole path", s)
				}
				l.c.Serial.Folder = s
				return nil
			})
		case "ports":
			for _, kv := range l.mapping(kv.value, "serial.ports") {
				l.serialPort(kv)
			}
		default:
			l.unknownKey(kv, []string{"folder", "ports"})
		}
	}
	for _, p := range l.c.Serial.Ports {
		if p.PTY == "auto" && l.c.Serial.Folder == "" {
			l.at(n.GetToken(), "serial: %s/%s wants a PTY and no folder is named; write folder: /run/patchbay", p.Device, p.Path)
		}
	}
}

func (l *loader) serialPort(kv pair) {
	dev, path, ok := strings.Cut(kv.key, "/")
	if !ok || !deviceName.MatchString(dev) || path == "" || strings.Contains(path, "*") && path != "*" {
		l.at(kv.token, "%q names no port; write DEVICE/NUMBER such as box/3, or DEVICE/* for all ports", kv.key)
		return
	}
	if strings.Trim(path, "0123456789") == "" { // box/3, as on the command line
		path = "ports/" + path
	}
	name := dev + "/" + path
	if slices.ContainsFunc(l.c.Serial.Ports, func(o SerialPort) bool { return o.Device == dev && o.Path == path }) {
		l.at(kv.token, "%q is %s, which is there already; write the keys of both into one", kv.key, name)
		return
	}
	p := SerialPort{Device: dev, Path: path, PTYOwner: -1, PTYGroup: -1, HalfClose: defaultHalfClose}
	key := "serial.ports." + name
	var shown []string
	for _, x := range l.mapping(kv.value, key) {
		if x.key == "on_open" {
			for _, y := range l.mapping(x.value, key+".on_open") {
				to := map[string]**bool{"dtr": &p.Line.DTR, "rts": &p.Line.RTS}[y.key]
				if to == nil {
					l.unknownKey(y, []string{"dtr", "rts"})
					continue
				}
				l.scalar(y.value, key+".on_open."+y.key, func(s string) error {
					b, err := strconv.ParseBool(s)
					*to = &b
					return err
				})
			}
			shown = append(shown, "on_open: "+strings.TrimSpace(strings.ReplaceAll(x.value.String(), "\n", ", ")))
			continue
		}
		if !slices.Contains(serialKeyNames(), x.key) {
			l.unknownKey(x, serialKeyNames())
			continue
		}
		l.scalar(x.value, key+"."+x.key, func(s string) error {
			shown = append(shown, x.key+": "+flow(s))
			return p.set(x.key, s)
		})
	}
	l.c.Serial.Ports = append(l.c.Serial.Ports, p)
	l.portAt = append(l.portAt, kv.token)
	l.ports = append(l.ports, setting{name, "{" + strings.Join(shown, ", ") + "}", l.where(kv.token)})
}

// serialDevices checks that the devices of the ports are there. A file without devices is for those of the command line, which may be
// missing while it is checked; a device with a mistake of its own is there in the file.
func (l *loader) serialDevices() {
	if len(l.c.Devices) == 0 || len(l.problems) > 0 {
		return
	}
	names := make([]string, len(l.c.Devices))
	for i, d := range l.c.Devices {
		names[i] = d.Name
	}
	for i, p := range l.c.Serial.Ports {
		if !slices.Contains(names, p.Device) {
			l.at(l.portAt[i], "serial: no device is called %q.%s Known here: %s", p.Device, didYouMean(p.Device, names), strings.Join(names, ", "))
		}
	}
}

// guardPorts refuses ports that others reach without a login and TLS, as the door of serial ports would.
func (l *loader) guardPorts() {
	for i := range l.c.Serial.Ports {
		p := &l.c.Serial.Ports[i]
		if p.TLS && !l.c.TLS.On() {
			l.at(l.portAt[i], "serial: %s/%s wants TLS, and there is no certificate; write tls: auto at the top of the file", p.Device, p.Path)
			continue
		}
		for _, addr := range []string{p.RFC2217, p.Raw} {
			if addr == "" {
				continue
			}
			if err := access.CheckListen(addr, p.Login && l.c.Somebody(), p.TLS, l.c.Insecure); err != nil {
				l.at(l.portAt[i], "serial: %s/%s: %v. The port itself needs login: true and tls: true", p.Device, p.Path, err)
				break
			}
		}
	}
}

// set puts the text of one key into the port.
func (p *SerialPort) set(key, s string) (err error) {
	boolean := func(to *bool) { *to, err = strconv.ParseBool(s) }
	duration := func(to *time.Duration) {
		if *to, err = time.ParseDuration(s); err == nil && *to < 0 {
			err = fmt.Errorf("%q is below 0", s)
		}
	}
	switch key {
	case "line":
		var line driver.Line
		line, err = driver.ParseLine(s)
		p.Line = line.Over(p.Line)
	case "flow":
		var ok bool
		if p.Line.Flow, ok = driver.ParseFlow(s); !ok {
			return fmt.Errorf("%q is none of none, xon-xoff, rts-cts", s)
		}
	case "mode":
		p.Line.Mode = s
	case "rfc2217":
		p.RFC2217, err = p.address(s)
	case "raw":
		p.Raw, err = p.address(s)
	case "pty":
		switch {
		case s == "true":
			p.PTY = "auto"
		case s == "false":
		case !filepath.IsAbs(s) || p.Path == "*":
			return fmt.Errorf("%q is neither true nor the whole path of a name for one port", s)
		default:
			p.PTY = s
		}
	case "pty_mode":
		var m uint64
		if m, err = strconv.ParseUint(s, 8, 9); err != nil {
			return fmt.Errorf("%q are no permissions in octal digits, such as 0660", s)
		}
		p.PTYMode = os.FileMode(m)
	case "pty_owner":
		if p.PTYOwner, err = strconv.Atoi(s); err != nil {
			var u *user.User
			if u, err = user.Lookup(s); err == nil {
				p.PTYOwner, err = strconv.Atoi(u.Uid)
			}
		}
	case "pty_group":
		if p.PTYGroup, err = strconv.Atoi(s); err != nil {
			var g *user.Group
			if g, err = user.LookupGroup(s); err == nil {
				p.PTYGroup, err = strconv.Atoi(g.Gid)
			}
		}
	case "observe":
		boolean(&p.Observe)
	case "kick_old":
		boolean(&p.KickOld)
	case "keep":
		boolean(&p.Keep)
	case "retake":
		boolean(&p.Retake)
	case "tls":
		boolean(&p.TLS)
	case "login":
		boolean(&p.Login)
	case "max_clients":
		var n uint64
		if n, err = strconv.ParseUint(s, 10, 16); err == nil && n == 0 {
			err = fmt.Errorf("0 clients make no sense")
		}
		p.MaxClients = int(n)
	case "half_close":
		if duration(&p.HalfClose); err == nil && p.HalfClose > maxHalfClose {
			err = fmt.Errorf("%q is not from 0s to 1h", s)
		}
	case "coalesce":
		duration(&p.Coalesce)
	case "keep_alive":
		if duration(&p.KeepAlive); err == nil && (p.KeepAlive > maxKeepAlive || p.KeepAlive < time.Second) {
			err = fmt.Errorf("%q is not from 1s to 9h", s)
		}
	case "user_timeout":
		if duration(&p.UserTimeout); err == nil && p.UserTimeout > maxUserTimeout {
			err = fmt.Errorf("%q is not from 0s to 24h", s)
		}
	case "log":
		switch p.Log = s; {
		case p.Path == "*":
			return fmt.Errorf("%q is one file, and %s/* is several ports: name the port whose log it is, such as %s/1", s, p.Device, p.Device)
		case !filepath.IsAbs(s):
			return fmt.Errorf("%q is no whole path of a file: begin it with /", s)
		}
	case "log_size":
		if p.LogSize, err = strconv.ParseInt(s, 10, 64); err != nil {
			return fmt.Errorf("%q is no number of bytes, such as 10000000", s)
		} else if p.LogSize < 1000 {
			return fmt.Errorf("%s bytes are too few for a log", s)
		}
	}
	return err
}

// address reads PORT, HOST:PORT, and for all ports of a device PORT+ or HOST:PORT+.
func (p *SerialPort) address(s string) (string, error) {
	number, plus := strings.CutSuffix(s, "+")
	if plus != (p.Path == "*") {
		if plus {
			return "", fmt.Errorf("%q: a base with + is for DEVICE/*; one port has one address", s)
		}
		return "", fmt.Errorf("%q: all ports of a device cannot have one address; write %s+ for this and those that follow", s, s)
	}
	host, port, err := net.SplitHostPort(number)
	if err != nil {
		host, port = "127.0.0.1", number
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 && plus {
		return "", fmt.Errorf("%q is no address to listen on; write PORT or HOST:PORT", s)
	}
	return net.JoinHostPort(host, port), nil
}

func serialSchema() *jsonschema.Schema {
	port := object("how one port is offered")
	for _, k := range serialKeys {
		v := text(k.doc)
		v.Type = ""
		port.Properties.Set(k.name, v)
	}
	ports := object("ports by DEVICE/PATH, or DEVICE/* for all of a device")
	ports.PatternProperties = map[string]*jsonschema.Schema{"^[a-z0-9][a-z0-9_.-]*/.+$": port}
	s := object("serial ports as TCP ports and PTYs")
	s.Properties.Set("folder", text("folder for the names of PTYs"))
	s.Properties.Set("ports", ports)
	return s
}
