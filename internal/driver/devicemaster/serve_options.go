package devicemaster

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver/serving"
	"github.com/patchbay-io/patchbay/protocol/devicemaster"
)

// ServeOptions are those of the server that the maker's drivers connect to. Start from [Driver.ServeOptions].
type ServeOptions struct {
	Listen     string           `yaml:"listen" listens:"tcp" doc:"where drivers connect, HOST:PORT"`
	Ports      []string         `yaml:"ports" doc:"what the ports of the box are, in their order: paths of this device (ports/3) or of another (usb0:ports/1); empty: all ports of this device"`
	Release    bool             `yaml:"release" doc:"drivers and the maker's release tool may take a port from another driver"`
	From       serving.Networks `yaml:"from" doc:"addresses and networks that may connect, such as [192.0.2.0/24]; needed unless listen is on this computer alone"`
	MaxClients int              `yaml:"max_clients" doc:"connections at a time; each driver holds one"`
	Discovery  bool             `yaml:"discovery" listens:"udp listen" doc:"answers the maker's search for boxes, on the same port over UDP"`
	MAC        string           `yaml:"mac" doc:"Ethernet address that the box says it has, and drivers know it by; empty: one made of the device's name"`
	Hold       bool             `yaml:"hold" doc:"a driver whose connection is lost keeps its ports for its link timeout"`
}

func serveDefaults() *ServeOptions {
	return &ServeOptions{Listen: net.JoinHostPort("127.0.0.1", strconv.Itoa(devicemaster.Port)), MaxClients: 16}
}

// Validate says what is wrong with the options and what would be right.
func (o *ServeOptions) Validate() error {
	loopback, err := serving.CheckListen("listen", o.Listen, devicemaster.Port)
	if err == nil {
		err = serving.CheckClients(o.MaxClients, 1000)
	}
	if err != nil {
		return err
	}
	if len(o.Ports) > devicemaster.MaxPorts {
		return fmt.Errorf("ports: a box has %d ports at most, and these are %d", devicemaster.MaxPorts, len(o.Ports))
	}
	for _, p := range o.Ports {
		if _, _, err := source(p); err != nil {
			return fmt.Errorf("ports: %w", err)
		}
	}
	if !loopback && len(o.From) == 0 {
		return errOpenToAll
	}
	if _, err := o.mac(""); err != nil {
		return fmt.Errorf("mac: %q is no Ethernet address; write it like 02:c0:4e:00:00:01", o.MAC)
	}
	return nil
}

var errOpenToAll = errors.New("from: listen is open to the network, and nothing says who may connect; this protocol has no passwords, and who connects " +
	"writes to the ports. Name the drivers' computers: from: [192.0.2.10], or listen on 127.0.0.1")

// mac is the address of the box. One that is not given is made of the device's name: it stays the same, differs from that of the next
// box, and is marked as no maker's.
func (o *ServeOptions) mac(name string) (m devicemaster.MAC, err error) {
	if o.MAC == "" {
		sum := sha256.Sum256([]byte(name))
		copy(m[copy(m[:], []byte{0x02, 0xc0, 0x4e}):], sum[:])
		return m, nil
	}
	b, err := net.ParseMAC(o.MAC)
	if err == nil && len(b) != len(m) {
		err = fmt.Errorf("%d bytes", len(b))
	}
	copy(m[:], b)
	return m, err
}

// source is a device and the path of a stream; no device is this one.
func source(s string) (dev string, path device.Path, err error) {
	word := s
	if d, rest, ok := strings.Cut(s, ":"); ok {
		dev, word = d, rest
		if dev == "" {
			return "", "", fmt.Errorf("%q has no device in front of its colon", s)
		}
	}
	path, err = device.ParsePath(word)
	if err != nil || path == "" {
		return "", "", fmt.Errorf("%q is no port; write ports/3, or usb0:ports/1 for a port of another device", s)
	}
	return dev, path, nil
}
