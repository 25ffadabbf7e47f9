package fcxml

import (
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/serving"
	"github.com/patchbay-io/patchbay/protocol/fcxml/fcserver"
)

// client is one program.
type client struct {
	conn    *fcserver.Conn
	addr    string
	name    string // what it calls itself
	since   time.Time
	refused atomic.Uint64

	reported serving.Refusals[uint32] // by the number of the control
}

func (cl *client) who() driver.Who { return driver.Who{Door: "fcxml", Addr: cl.addr} }

// Close implements serving.Client.
func (cl *client) Close() error { return cl.conn.Close() }

// Points implements serving.Client.
func (cl *client) Points() []serving.Point {
	return []serving.Point{
		{Name: "address", Kind: device.String, Title: "Client", Doc: "address of the program", Value: serving.Text(cl.addr)},
		{Name: "name", Kind: device.String, Title: "Name", Doc: "what the program calls itself", Value: serving.Text(cl.name)},
		{Name: "since", Kind: device.String, Title: "Since", Doc: "time of its connection, RFC 3339", Value: serving.Moment(cl.since)},
		{Name: "requests", Kind: device.Int, Title: "Requests", Doc: "changes that it has asked for, in messages", Value: serving.Count(cl.conn.Sets)},
		{Name: "refused", Kind: device.Int, Title: "Refused", Doc: "changes of it that were not let through", Value: serving.Count(cl.refused.Load)},
	}
}

// serverPoints are the points of the server itself.
func (p *proxy) serverPoints() []serving.Point {
	return []serving.Point{
		{Name: "listen", Kind: device.String, Title: "Listens on", Doc: "address that programs for Focusrite Control connect to", Value: serving.Text(p.listen)},
		{Name: "forwarded", Kind: device.Int, Title: "Forwarded", Doc: "changes that went to Focusrite Control", Value: serving.Count(p.forwarded.Load)},
		{Name: "refused", Kind: device.Int, Title: "Refused", Doc: "changes that were not let through", Value: serving.Count(p.refuse.Load)},
	}
}

// Gone implements fcserver.Handler.
func (p *proxy) Gone(c *fcserver.Conn) { p.clients.Remove(c.ID()) }
