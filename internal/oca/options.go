package oca

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/patchbay-io/patchbay/internal/driver/serving"
)

// Port is where AES70 devices are by habit; none is registered.
const Port = 65000

// Options are those of a server that AES70 controllers connect to. Start from [Defaults].
type Options struct {
	Listen     string           `yaml:"listen" listens:"tcp" doc:"where controllers connect over TCP, HOST:PORT; empty: not at all"`
	TLS        string           `yaml:"tls" listens:"tcp" doc:"where controllers connect over TLS, HOST:PORT, with the certificate of this gateway; empty: not at all"`
	WS         string           `yaml:"ws" listens:"tcp" doc:"where controllers connect over WebSocket, HOST:PORT; empty: not at all"`
	Allow      serving.Points   `yaml:"allow" doc:"points that controllers may change, as in writable: patterns such as inputs/*; empty: they may only look"`
	From       serving.Networks `yaml:"from" doc:"addresses and networks that may connect, such as [192.0.2.0/24]; empty: everybody who reaches the address"`
	Origins    []string         `yaml:"origins" doc:"hosts whose web pages may connect over WebSocket from a browser, such as [desk.example.com]"`
	MaxClients int              `yaml:"max_clients" doc:"controllers at a time"`
	Announce   bool             `yaml:"announce" doc:"tell the local network by multicast DNS, so that controllers find the device"`
}

// Defaults listen on this computer alone, and let nobody change anything.
func Defaults() *Options {
	return &Options{Listen: net.JoinHostPort("127.0.0.1", strconv.Itoa(Port)), MaxClients: 50}
}

var errOpenToAll = errors.New("allow: controllers may change these points, and the address is open to the network without a word about who may " +
	"connect; AES70 has no passwords. Name the computers: from: [192.0.2.10], or listen on 127.0.0.1")

var errUnheard = errors.New("announce: controllers would find what they cannot reach, since the address is of this computer alone; listen on " +
	"an address of the network, or leave announce out")

// Validate says what is wrong with the options and what would be right. The text begins with the key.
func (o *Options) Validate() error {
	if o.Listen == "" && o.TLS == "" && o.WS == "" {
		return errors.New("listen: none of listen, tls and ws says where controllers connect; write listen: 127.0.0.1:65000")
	}
	alone := true // nobody beyond this computer reaches it
	taken := map[string]string{}
	for _, at := range []struct{ key, addr string }{{"listen", o.Listen}, {"tls", o.TLS}, {"ws", o.WS}} {
		if at.addr == "" {
			continue
		}
		loopback, err := serving.CheckListen(at.key, at.addr, Port)
		if err != nil {
			return err
		}
		alone = alone && loopback
		if other := taken[at.addr]; other != "" && !strings.HasSuffix(at.addr, ":0") {
			return fmt.Errorf("%s: %s has the address %s already; give each a port of its own", at.key, other, at.addr)
		}
		taken[at.addr] = at.key
	}
	if err := serving.CheckClients(o.MaxClients, 1000); err != nil {
		return err
	}
	switch {
	case o.Announce && alone:
		return errUnheard
	case !alone && len(o.From) == 0 && len(o.Allow) > 0:
		return errOpenToAll
	}
	return nil
}

// Encrypts implements [driver.Encrypter].
func (o *Options) Encrypts() string {
	if o.TLS != "" {
		return "tls"
	}
	return ""
}

// Reached reports whether somebody beyond this computer reaches an address HOST:PORT that has been checked.
func Reached(addr string) bool {
	loopback, err := serving.CheckListen("", addr, Port)
	return err == nil && !loopback
}
