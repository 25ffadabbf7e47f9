// Package simulate is the simulators of every kind of device by name: inside this process behind an in-memory network, as
// the far end of a sim+ device URL, or on real sockets for other programs. The far end of a replay+ device URL, a recording
// that answers by request, is found here too.
//
// A new kind of device is one file with a function that returns its [Kind], and a line in kinds.
package simulate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/sync/errgroup"
)

// Kind is the simulator of one driver.
type Kind struct {
	Driver   string   // the driver's name
	Settings []string // what New takes, as they are named in a sim+ URL
	// New makes a device; it starts nothing.
	New func(settings url.Values) (Device, error)
	// Replay makes a device that answers as a recording does; nil: recordings of this protocol cannot stand for one.
	Replay func(file string) (Device, error)
}

// kinds is never changed.
var kinds = []Kind{focasKind(), fcxmlKind(), fc2Kind(), atemKind(), openswitcherKind(), aes70Kind(), devicemasterKind(), rfc2217Kind()}

// Device is what a simulated device serves, and what it does by itself.
type Device struct {
	Services []Service
	Run      func(ctx context.Context) error // beside the services; blocks until ctx ends; nil: there is nothing to do
	Page     http.Handler                    // the screen of the device, for a person; nil: it has none
	Keys     map[string][]byte               // what a person has read off it for the driver's key store
}

// Service is one socket of a device: a listener when Stream is set, a packet connection when Packets is. Both block until ctx
// ends, and close the socket.
type Service struct {
	Network string // "tcp" or "udp"
	Port    uint16 // the usual one
	Stream  func(ctx context.Context, l net.Listener) error
	Packets func(ctx context.Context, p net.PacketConn) error
	Sought  bool // by broadcast: Packets is called for what is sent to everybody as well
}

// Settings names what the simulator of each driver takes in a sim+ URL, by driver name.
func Settings() map[string][]string {
	out := map[string][]string{}
	for _, k := range kinds {
		out[k.Driver] = k.Settings
	}
	return out
}

// New makes the simulator of a driver; it starts nothing, and reads the scenario file when the settings name one. With the
// setting "file" it is the recording in that file instead.
func New(kind string, settings url.Values) (Device, error) {
	var names []string
	for _, k := range kinds {
		if k.Driver != kind {
			names = append(names, k.Driver)
			continue
		}
		name := settings.Get("file")
		switch {
		case name == "":
			return k.New(settings)
		case k.Replay == nil:
			return Device{}, fmt.Errorf("a recording of %s cannot stand for a device: what both sides say is sealed with random numbers; patchbay decode shows what it holds", kind)
		}
		return k.Replay(name)
	}
	return Device{}, fmt.Errorf("there is no simulator for %q; known: %s", kind, strings.Join(names, ", "))
}

// Socket is where a service is served; one of its fields is set.
type Socket struct {
	Listener net.Listener
	Packets  net.PacketConn
}

// Addr is where the socket is reached.
func (s Socket) Addr() net.Addr {
	if s.Packets != nil {
		return s.Packets.LocalAddr()
	}
	return s.Listener.Addr()
}

// Close closes the socket.
func (s Socket) Close() error {
	if s.Packets != nil {
		return s.Packets.Close()
	}
	return s.Listener.Close()
}

// Serve serves the device on one socket for each of its services, in their order, until ctx ends or one of them fails. The
// sockets are closed then.
func (d Device) Serve(ctx context.Context, sockets []Socket) error {
	if len(sockets) != len(d.Services) {
		err := fmt.Errorf("%d sockets for %d services", len(sockets), len(d.Services))
		for _, s := range sockets {
			err = errors.Join(err, s.Close())
		}
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	for i, s := range d.Services {
		g.Go(func() error {
			if s.Packets != nil {
				return s.Packets(ctx, sockets[i].Packets)
			}
			return s.Stream(ctx, sockets[i].Listener)
		})
	}
	if d.Run != nil {
		g.Go(func() error { return d.Run(ctx) })
	}
	return g.Wait()
}
