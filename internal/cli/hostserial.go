package cli

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchbay-io/patchbay/internal/access"
	"github.com/patchbay-io/patchbay/internal/config"
	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/north/serial"
)

// newSerialDoor makes the door of serial ports. A listener beyond this machine needs users who sign in and TLS, as HTTP does.
func (h *host) newSerialDoor(c *config.Config) *serial.Door {
	return serial.New(serial.Config{Streams: h.gateway, Log: h.log, Login: h.gateway.Gate("serial").Login, TLS: h.security.tls,
		CheckListen: func(addr string, login, tls bool) error {
			_, open := h.security.access.Anyone()
			return access.CheckListen(addr, login && !open, tls, c.Insecure)
		}})
}

// followPorts offers the ports that are configured. Those of "all ports of a device" are known once the device has told.
func (h *host) followPorts(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		h.mu.Lock()
		section := h.serial
		h.mu.Unlock()
		h.serialDoor.Set(portsOf(section, h.gateway.Streams))
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-h.serialChanged:
		}
	}
}

// portsOf turns the configuration into single ports; a port that is named wins over all of its device.
func portsOf(section config.Serial, streams func(string) []device.Path) []serial.Port {
	var out []serial.Port
	add := func(p *config.SerialPort, path device.Path, index int) {
		if index >= 0 && slices.ContainsFunc(section.Ports, func(o config.SerialPort) bool { return o.Device == p.Device && o.Path == string(path) }) {
			return
		}
		s := serial.Port{Device: p.Device, Path: path, Line: p.Line, RFC2217: offset(p.RFC2217, index), Raw: offset(p.Raw, index), PTY: p.PTY,
			PTYMode: p.PTYMode, PTYOwner: p.PTYOwner, PTYGroup: p.PTYGroup, Observe: p.Observe, MaxClients: p.MaxClients, KickOld: p.KickOld, Keep: p.Keep, Retake: p.Retake, HalfClose: p.HalfClose,
			Coalesce: p.Coalesce, KeepAlive: p.KeepAlive, UserTimeout: p.UserTimeout, TLS: p.TLS, Login: p.Login, Log: p.Log, LogSize: p.LogSize}
		if p.PTY == "auto" {
			s.PTY = filepath.Join(section.Folder, ptyName(p.Device, path))
		}
		out = append(out, s)
	}
	for i := range section.Ports {
		p := &section.Ports[i]
		if p.Path != "*" {
			add(p, device.Path(p.Path), -1)
			continue
		}
		for k, path := range streams(p.Device) {
			add(p, path, k)
		}
	}
	return out
}

// ptyName is the stable name of a port: box-3 for ports/3 of box.
func ptyName(dev string, path device.Path) string {
	return dev + "-" + strings.ReplaceAll(strings.TrimPrefix(string(path), "ports/"), "/", "-")
}

// offset is the address of the port with that index; -1: the address as it is.
func offset(addr string, index int) string {
	if addr == "" || index <= 0 {
		return addr
	}
	host, port, err := net.SplitHostPort(addr)
	n, perr := strconv.Atoi(port)
	if err != nil || perr != nil || n+index > 65535 {
		return ""
	}
	return net.JoinHostPort(host, fmt.Sprint(n+index))
}
