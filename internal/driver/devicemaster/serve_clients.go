package devicemaster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmserver"
)

const clientsRoot = device.ClientsRoot

// publish keeps the points of the server true.
func (b *served) publish(ctx context.Context) {
	if b.env.Sink == nil {
		return
	}
	known := map[uint64]bool{}
	b.env.Sink.Apply(&driver.Change{Specs: []device.Spec{
		serveSpec(clientsRoot.Child("listen"), device.String, "Listens on", "address that the maker's drivers connect to"),
		serveSpec(clientsRoot.Child("count"), device.Int, "Drivers", "connections of drivers and tools"),
	}})
	defer b.env.Sink.Apply(&driver.Change{Gone: []device.Path{clientsRoot}, Commands: []device.Command{}})
	tick := time.NewTicker(countTime)
	defer tick.Stop()
	for {
		b.tellClients(known)
		select {
		case <-ctx.Done():
			return
		case <-b.news:
		case <-tick.C:
		}
	}
}

func serveSpec(p device.Path, kind device.Kind, title, doc string) device.Spec {
	return device.Spec{Path: p, Kind: kind, Rate: device.Normal, Access: device.R, Title: title, Doc: doc, Grade: device.GradeSpec}
}

func clientPath(id uint64) device.Path { return clientsRoot.Child(strconv.FormatUint(id, 10)) }

// tellClients applies who is connected and what they hold.
func (b *served) tellClients(known map[uint64]bool) {
	now := time.Now()
	conns := b.srv.Conns()
	slices.SortFunc(conns, func(x, y *dmserver.Conn) int { return int(x.ID()) - int(y.ID()) })
	held := map[uint64][]string{}
	for i, p := range b.srv.Ports() {
		if p.Client != 0 {
			held[p.Client] = append(held[p.Client], strconv.Itoa(i+1))
		}
	}
	c := driver.Change{Commands: []device.Command{}}
	put := func(p device.Path, v device.Value) {
		c.Samples = append(c.Samples, device.Sample{Path: p, Value: v, Received: now})
	}
	put(clientsRoot.Child("listen"), device.OfString(b.listen))
	put(clientsRoot.Child("count"), device.OfInt(int64(len(conns))))
	there := map[uint64]bool{}
	for _, conn := range conns {
		id, at := conn.ID(), clientPath(conn.ID())
		there[id] = true
		if !known[id] {
			c.Specs = append(c.Specs, serveSpec(at.Child("address"), device.String, "Driver", "its address"),
				serveSpec(at.Child("ports"), device.String, "Ports", "the ports that it has, counted from 1"))
		}
		put(at.Child("address"), device.OfString(conn.RemoteAddr().String()))
		put(at.Child("ports"), device.OfString(strings.Join(held[id], " ")))
		c.Commands = append(c.Commands, device.Command{Path: at.Child("disconnect"), Title: "Disconnect",
			Doc: "ends the connection of this driver; it connects again by itself", Grade: device.GradeSpec})
	}
	for id := range known {
		if !there[id] {
			c.Gone = append(c.Gone, clientPath(id))
			delete(known, id)
		}
	}
	for id := range there {
		known[id] = true
	}
	b.env.Sink.Apply(&c)
}

// Do performs _clients/ID/disconnect.
func (b *served) Do(_ context.Context, path device.Path, _ []device.Value) (device.Value, driver.Outcome) {
	word, ok := strings.CutPrefix(string(path), string(clientsRoot)+"/")
	word, isDisconnect := strings.CutSuffix(word, "/disconnect")
	id, err := strconv.ParseUint(word, 10, 64)
	for _, c := range b.srv.Conns() {
		if !ok || !isDisconnect || err != nil || c.ID() != id {
			continue
		}
		if err := c.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return device.Value{}, driver.Outcome{Stage: driver.Refused, Err: &driver.Error{Op: "disconnect", Target: b.device, Class: driver.Internal, Err: err}}
		}
		return device.Value{}, driver.Outcome{Stage: driver.Acked}
	}
	return device.Value{}, driver.Outcome{Stage: driver.Refused, Err: &driver.Error{Op: "disconnect", Target: b.device,
		Class: driver.Unsupported, Err: fmt.Errorf("no client %q is connected", word)}}
}
