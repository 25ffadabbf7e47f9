package fcxml

import (
	"errors"
	"net"
	"strconv"

	"github.com/patchbay-io/patchbay/internal/driver/serving"
)

// ServeOptions are those of the server that programs for Focusrite Control connect to. Start from [Driver.ServeOptions].
type ServeOptions struct {
	Listen     string           `yaml:"listen" listens:"tcp" doc:"where programs connect, HOST:PORT"`
	Allow      serving.Points   `yaml:"allow" doc:"points that programs may change, as in writable: patterns such as outputs/*; empty: they may only look"`
	From       serving.Networks `yaml:"from" doc:"addresses and networks that may connect, such as [192.0.2.0/24]; empty: everybody who reaches the address"`
	MaxClients int              `yaml:"max_clients" doc:"programs at a time"`
	Announce   bool             `yaml:"announce" doc:"answer programs that look for Focusrite Control on the network, on UDP 30096 to 30098"`
}

func serveDefaults() *ServeOptions {
	return &ServeOptions{Listen: net.JoinHostPort("127.0.0.1", strconv.Itoa(Port)), MaxClients: 50}
}

var errOpenToAll = errors.New("allow: programs may change these points, and listen is open to the network without a word about who may " +
	"connect; the protocol has no passwords. Name the computers: from: [192.0.2.10], or listen on 127.0.0.1")

// Validate says what is wrong with the options and what would be right.
func (o *ServeOptions) Validate() error {
	loopback, err := serving.CheckListen("listen", o.Listen, Port)
	if err == nil {
		err = serving.CheckClients(o.MaxClients, 1000)
	}
	if err == nil && !loopback && len(o.From) == 0 && len(o.Allow) > 0 {
		return errOpenToAll
	}
	return err
}
