package devicemaster

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver/serving"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmserver"
)

// client is a connection of one of the maker's drivers or tools.
type client struct {
	*dmserver.Conn
	srv *dmserver.Server
}

// Points implements serving.Client.
func (c client) Points() []serving.Point {
	return []serving.Point{
		{Name: "address", Kind: device.String, Title: "Driver", Doc: "its address", Value: serving.Text(c.RemoteAddr().String())},
		{Name: "ports", Kind: device.String, Title: "Ports", Doc: "the ports that it has, counted from 1",
			Value: func(time.Time) device.Value { return device.OfString(c.ports()) }},
	}
}

func (c client) ports() string {
	var held []string
	for i, p := range c.srv.Ports() {
		if p.Client == c.ID() {
			held = append(held, strconv.Itoa(i+1))
		}
	}
	return strings.Join(held, " ")
}

// publish keeps the clients that are shown those of the server, until ctx ends.
func (b *served) publish(ctx context.Context) {
	known := map[uint64]bool{}
	for {
		there := map[uint64]bool{}
		for _, c := range b.srv.Conns() {
			there[c.ID()] = true
			if !known[c.ID()] {
				_ = b.clients.Add(c.ID(), client{c, b.srv}, true) // the server itself bounds how many there are
				known[c.ID()] = true
			}
		}
		for id := range known {
			if !there[id] {
				b.clients.Remove(id)
				delete(known, id)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-b.news:
		}
	}
}
