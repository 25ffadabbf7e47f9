package oca

import (
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver/serving"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaserver"
)

// Clients are the controllers of a server, which are points of the device.
type Clients = serving.Clients[*Client]

// NewClients makes an empty set. What o leaves out is what controllers of AES70 are called and how they are counted.
func NewClients(o serving.Options) *Clients {
	o.Grade, o.Noun = device.GradeSpec, "controller"
	o.Count = serving.Point{Name: "count", Kind: device.Int, Title: "AES70 controllers", Doc: "AES70 controllers that are connected"}
	return serving.NewClients[*Client](o)
}

// Client is one connection of a controller. It implements serving.Client.
type Client struct {
	Since    time.Time
	conn     *ocaserver.Conn
	reported serving.Refusals[device.Path]
}

// NewClient is a controller that has just connected.
func NewClient(c *ocaserver.Conn) *Client { return &Client{conn: c, Since: time.Now()} }

// First reports whether the refusal of a change is the first of its point, which belongs into log and audit.
func (c *Client) First(p device.Path) bool { return c.reported.First(p) }

// Close ends the connection.
func (c *Client) Close() error { return c.conn.Close() }

// Points are what is shown of it.
func (c *Client) Points() []serving.Point {
	return []serving.Point{
		{Name: "address", Kind: device.String, Title: "Controller", Doc: "address of the controller", Value: serving.Text(c.conn.RemoteAddr().String())},
		{Name: "since", Kind: device.String, Title: "Since", Doc: "time of its connection, RFC 3339", Value: serving.Moment(c.Since)},
		{Name: "requests", Kind: device.Int, Title: "Commands", Doc: "commands that it has sent", Value: serving.Count(c.conn.Commands)},
		{Name: "refused", Kind: device.Int, Title: "Refused", Doc: "commands of it that were not carried out", Value: serving.Count(c.conn.Refused)},
		{Name: "events", Kind: device.Int, Title: "Events", Doc: "events that were sent to it", Value: serving.Count(c.conn.Events)},
		{Name: "merged", Kind: device.Int, Title: "Merged events", Doc: "events that it missed, since a newer value of the same property came before it had read them",
			Value: serving.Count(c.conn.Merged)},
	}
}
