package gatewayclient

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxEvent bounds one event of the stream, in bytes.
const maxEvent = 64 << 20

// Selection says which events are wanted. Empty fields select everything.
type Selection struct {
	Device, Under []string
	Every         time.Duration // shortest time between two events with points; 0: the gateway's default
}

// Event is one event of the stream; the field that Name says is set.
type Event struct {
	Name   string // hello, reset, specs, points, gone, write, ping
	ID     string // epoch.sequence
	Specs  Specs
	Sets   map[string]map[string][]Label // with specs: label sets by device and id
	Points []Point
	Gone   []Point // Device, Path and Seq are set
}

// eventSilence is how long a gateway that lives says nothing at most: it sends a ping every 2 s.
const eventSilence = 10 * time.Second

// errSilent is why a connection is given up that nothing comes from any more.
var errSilent = errors.New("it has fallen silent")

// Events calls fn for every event until ctx ends, the stream breaks, the gateway falls silent or fn returns an error, which it then returns.
func (c *Client) Events(ctx context.Context, s Selection, fn func(*Event) error) error {
	q := url.Values{}
	for _, d := range s.Device {
		q.Add("device", d)
	}
	for _, u := range s.Under {
		q.Add("under", u)
	}
	if s.Every > 0 {
		q.Set("every", s.Every.String())
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(eventSilence, func() { cancel(errSilent) })
	defer silence.Stop()
	resp, err := c.open(ctx, http.MethodGet, "/events", q, nil, "text/event-stream")
	if err == nil {
		defer resp.Body.Close()
		err = readEvents(&watched{resp.Body, silence}, fn)
	}
	if context.Cause(ctx) == errSilent {
		return &NoGateway{c.base, errSilent}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == io.EOF {
		return &NoGateway{c.base, fmt.Errorf("the event stream ended: %w", io.ErrUnexpectedEOF)}
	}
	return err
}

// watched runs a timer while something is waited for. What fn does with it may take as long as it wants.
type watched struct {
	r     io.Reader
	timer *time.Timer
}

func (w *watched) Read(p []byte) (int, error) {
	w.timer.Reset(eventSilence)
	defer w.timer.Stop()
	return w.r.Read(p)
}

// readEvents parses Server-Sent Events. It returns io.EOF at the end of r.
func readEvents(r io.Reader, fn func(*Event) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), maxEvent)
	var name, id string
	var data strings.Builder
	for lines.Scan() {
		line := strings.TrimSuffix(lines.Text(), "\r")
		if line == "" {
			if name != "" || data.Len() > 0 {
				e, err := parseEvent(name, id, data.String())
				if err != nil {
					return err
				}
				if err := fn(e); err != nil {
					return err
				}
			}
			name = ""
			data.Reset()
			continue
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "event":
			name = value
		case "id":
			id = value
		case "data":
			if data.Len()+len(value) > maxEvent {
				return fmt.Errorf("an event is larger than %d bytes", maxEvent)
			}
			if data.Len() > 0 {
				data.WriteByte('\n')
			}
			data.WriteString(value)
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return io.EOF
}

func parseEvent(name, id, data string) (*Event, error) {
	e := &Event{Name: name, ID: id}
	var err error
	switch name {
	case "points":
		var v struct {
			Points []Point `json:"points"`
		}
		err = json.Unmarshal([]byte(data), &v)
		e.Points = v.Points
	case "gone":
		var v struct {
			Gone []Point `json:"gone"`
		}
		err = json.Unmarshal([]byte(data), &v)
		e.Gone = v.Gone
	case "specs":
		var v struct {
			Specs     []Spec                        `json:"specs"`
			LabelSets map[string]map[string][]Label `json:"label_sets"`
		}
		err = json.Unmarshal([]byte(data), &v)
		e.Specs.Specs, e.Sets = v.Specs, v.LabelSets
	}
	if err != nil {
		return nil, fmt.Errorf("event %q at %s is malformed: %w", name, id, err)
	}
	return e, nil
}
