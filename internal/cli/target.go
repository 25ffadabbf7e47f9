package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/patchbay-io/patchbay/internal/cli/gatewayclient"
	"github.com/patchbay-io/patchbay/internal/device"
)

const defaultGateway = "http://127.0.0.1:8620"

// target is a gateway and what the arguments named there.
type target struct {
	*gatewayclient.Client
	direct bool // the gateway runs inside this process for one device
	close  func()
}

// place is one device, or a subtree of it. An empty device is every device.
type place struct{ device, path string }

func (p place) String() string {
	if p.path == "" {
		return p.device
	}
	return p.device + "/" + p.path
}

// isURL tells a device URL from DEVICE/PATH: neither a device name nor a path has a colon.
func isURL(arg string) bool { return strings.Contains(arg, ":") }

// connect finds out what args name: a device URL and paths in it, a device name and paths in it, or several DEVICE/PATH.
// For a device URL it opens the device; writable then says which of its points may be written.
func (a *app) connect(ctx context.Context, args, writable []string) (*target, []place, error) {
	if len(args) > 0 && isURL(args[0]) {
		t, name, err := a.openDevice(ctx, args[0], writable)
		if err != nil {
			return nil, nil, err
		}
		places, err := placesIn(name, args[1:])
		if err != nil {
			t.close()
			return nil, nil, err
		}
		return t, places, nil
	}
	if len(writable) > 0 {
		return nil, nil, usageError(errors.New("--allow is for a device URL; what a running gateway may write stands in its configuration, under writable"))
	}
	places, err := placesOf(args)
	if err != nil {
		return nil, nil, err
	}
	t, err := a.openGateway()
	return t, places, err
}

func placesOf(args []string) ([]place, error) {
	if len(args) == 0 {
		return []place{{}}, nil
	}
	if !strings.Contains(args[0], "/") && len(args) > 1 {
		return placesIn(args[0], args[1:])
	}
	var out []place
	for _, arg := range args {
		if isURL(arg) {
			return nil, usageError(fmt.Errorf("%s: one device URL, and it comes first; after it come paths of that device", arg))
		}
		dev, path, _ := strings.Cut(arg, "/")
		if err := checkPath(path); err != nil {
			return nil, err
		}
		out = append(out, place{dev, path})
	}
	return out, nil
}

func placesIn(dev string, paths []string) ([]place, error) {
	if len(paths) == 0 {
		return []place{{dev, ""}}, nil
	}
	var out []place
	for _, p := range paths {
		if err := checkPath(p); err != nil {
			return nil, err
		}
		out = append(out, place{dev, p})
	}
	return out, nil
}

func checkPath(p string) error {
	if _, err := device.ParsePath(p); err != nil {
		return usageError(err)
	}
	return nil
}

func (a *app) openGateway() (*target, error) {
	base := a.gateway
	if base == "" {
		base, _ = a.env("PATCHBAY_GATEWAY")
	}
	if base == "" {
		base = defaultGateway
	}
	secure := gatewayclient.Secure{Token: a.flagOrEnv(a.token, "PATCHBAY_TOKEN"), CA: a.flagOrEnv(a.ca, "PATCHBAY_CA"),
		Fingerprint: a.flagOrEnv(a.fingerprint, "PATCHBAY_FINGERPRINT")}
	a.secrets.Add(secure.Token)
	c, err := gatewayclient.NewSecure(base, secure)
	if err != nil {
		return nil, usageError(err)
	}
	return &target{Client: c, close: c.Close}, nil
}

// flagOrEnv is the value of a flag, or else of an environment variable.
func (a *app) flagOrEnv(flag, name string) string {
	if flag != "" {
		return flag
	}
	v, _ := a.env(name)
	return v
}

// deadline bounds the requests of a command that is not meant to go on for ever.
func (a *app) deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if a.timeout <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, a.timeout, classFailure("timeout", fmt.Errorf("no answer within %v", a.timeout), "Give more time with --timeout."))
}

// cause puts the reason of a time-out in place of the bare error.
func cause(ctx context.Context, err error) error {
	if errors.Is(err, context.DeadlineExceeded) && context.Cause(ctx) != nil {
		return context.Cause(ctx)
	}
	return err
}
