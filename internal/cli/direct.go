package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/patchbay-io/patchbay/internal/cli/gatewayclient"
	"github.com/patchbay-io/patchbay/internal/config"
	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver/all"
	"github.com/patchbay-io/patchbay/internal/lab/simulate"
	"github.com/patchbay-io/patchbay/internal/testnet"
)

// directName is the name of the one device of a device URL.
const directName = "device"

// openDevice runs a gateway for one device, with its door on a listener in memory that only this process reaches, and waits
// until the device is up or has failed.
func (a *app) openDevice(ctx context.Context, rawURL string, writable []string) (*target, string, error) {
	c, err := config.Load(config.Input{Flags: config.Flags{Listen: config.DefaultListen}, URLs: []string{directName + "=" + rawURL}, Getenv: a.env, Drivers: all.Drivers(), Twins: simulate.Settings()})
	if err != nil {
		return nil, "", err
	}
	a.secrets.Add(c.Secrets()...)
	c.Devices[0].Writable = writable
	l := memoryListener{testnet.Listen()}
	h, err := newHost(c, hostOptions{listener: l, env: a.env, secrets: a.secrets, log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, "", err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() { done <- h.run(running, nil) }() // waited for by close
	transport := &http.Transport{DialContext: l.DialContext}
	client, err := gatewayclient.New("http://localhost", transport)
	t := &target{Client: client, direct: true, close: func() {
		transport.CloseIdleConnections()
		stop()
		<-done // what failed was seen on the link
	}}
	if err == nil {
		err = a.waitUp(ctx, h)
	}
	if err != nil {
		t.close()
		return nil, "", err
	}
	return t, directName, nil
}

// waitUp waits until the link is up, and turns its first failure into an error with the class and the hint.
func (a *app) waitUp(ctx context.Context, h *host) error {
	ctx, cancel := a.deadline(ctx)
	defer cancel()
	sub := h.gateway.Tree().Subscribe(device.Filter{Devices: []string{directName}, Under: []device.Path{"_link"}}, 0)
	defer sub.Close()
	link := map[device.Path]string{}
	for {
		batch, err := sub.Next(ctx)
		if err != nil {
			if link["_link/condition-text"] != "" {
				return classFailure("auth", errors.New(link["_link/condition-text"]), "")
			}
			return cause(ctx, err)
		}
		for _, u := range batch.Updates {
			if u.Spec == nil {
				continue
			}
			link[u.Spec.Path] = device.Text(u.Spec, u.Labels, u.Sample.Value)
		}
		switch link["_link/state"] {
		case "up":
			return nil
		case "waiting": // for a person; what the device shows meanwhile can be used
			if points, _ := h.gateway.Tree().Points(device.Filter{Devices: []string{directName}}); slices.ContainsFunc(points, func(p device.Point) bool {
				return !strings.HasPrefix(string(p.Spec.Path), "_")
			}) {
				return nil
			}
		case "down", "stopped":
			if link["_link/error"] != "" {
				return classFailure(link["_link/error-class"], fmt.Errorf("%s", link["_link/error"]), link["_link/hint"])
			}
		}
	}
}

// memoryListener is a listener that nobody outside this process can reach.
type memoryListener struct{ *testnet.Listener }

// Addr is of the network unix: a name on this machine, not an address.
func (memoryListener) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "unix"} }
