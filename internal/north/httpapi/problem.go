package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// Problem is an RFC 9457 problem. Code is stable and meant for programs, Hint says what to do.
type Problem struct {
	Type       string   `json:"type" doc:"always about:blank; code tells problems apart"`
	Title      string   `json:"title" doc:"the status in words"`
	Status     int      `json:"status" doc:"the HTTP status"`
	Detail     string   `json:"detail" doc:"what is wrong, here and now"`
	Code       string   `json:"code" doc:"stable name of the problem, for programs"`
	Hint       string   `json:"hint,omitempty" doc:"what to do"`
	DidYouMean string   `json:"did_you_mean,omitempty" doc:"the nearest name that exists"`
	Class      string   `json:"class,omitempty" doc:"class of the error, when a device or its link is the cause"`
	Device     string   `json:"device,omitempty"`
	Path       string   `json:"path,omitempty"`
	Item       *int     `json:"item,omitempty" doc:"which item of a write, from 0"`
	Write      string   `json:"write,omitempty" doc:"id of the write in the log"`
	Errors     []string `json:"errors,omitempty" doc:"each fault of the request with its place"`
}

// Error is the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType turns the type of a JSON answer into the one of problems.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

func problem(status int, code, detail, hint string) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Code: code, Hint: hint}
}

func (p *Problem) write(w http.ResponseWriter) {
	b, err := json.Marshal(p)
	if err != nil { // strings and numbers always marshal
		panic("httpapi: a problem does not marshal: " + err.Error())
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(b, '\n')) // a client that is gone needs no answer
}

// ours turns the errors of the framework, mostly faults in parameters and bodies, into problems of this door.
func ours(_ huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	p := problem(m.Status, "bad-request", m.Detail, "see /api/v1/openapi.json for what this request takes")
	switch m.Status {
	case http.StatusRequestEntityTooLarge:
		p.Code, p.Hint = "too-large", fmt.Sprintf("send at most %d bytes", maxBody)
	case http.StatusUnsupportedMediaType:
		p.Code, p.Hint = "unsupported-media-type", "send Content-Type: application/json"
	case http.StatusRequestTimeout:
		p.Code, p.Hint = "too-slow", "send the body at once"
	case http.StatusInternalServerError:
		p.Code, p.Hint = "internal", "this is a fault of patchbay; its log says more"
	}
	for _, e := range m.Errors {
		text := e.Message
		if e.Location != "" {
			text = e.Location + ": " + text
		}
		p.Errors = append(p.Errors, text)
	}
	if len(p.Errors) > 0 {
		p.Detail += ": " + strings.Join(p.Errors, "; ")
	}
	return p, nil
}

var writeStatus = map[string]int{
	"unknown-device": http.StatusNotFound, "unknown-point": http.StatusNotFound, "unknown-command": http.StatusNotFound, "unknown-stream": http.StatusNotFound,
	"read-only": http.StatusForbidden, "not-writable": http.StatusForbidden, "forbidden": http.StatusForbidden, "too-many-writes": http.StatusTooManyRequests,
	"wrong-type": http.StatusUnprocessableEntity, "out-of-range": http.StatusUnprocessableEntity,
	"if-value": http.StatusPreconditionFailed, "link-down": http.StatusServiceUnavailable,
}

var classStatus = map[driver.Class]int{
	driver.Unreachable: http.StatusServiceUnavailable, driver.RefusedConn: http.StatusServiceUnavailable,
	driver.Closed: http.StatusServiceUnavailable, driver.Busy: http.StatusServiceUnavailable,
	driver.Timeout: http.StatusGatewayTimeout, driver.NotThisProtocol: http.StatusBadGateway, driver.Auth: http.StatusBadGateway,
	driver.DeviceSaidNo: http.StatusConflict, driver.Unsupported: http.StatusConflict,
}

// refusal is the problem of a write that was not accepted.
func (s *Server) refusal(we *north.WriteError, id string) *Problem {
	status := writeStatus[we.Code]
	if status == 0 {
		status = classStatus[we.Class]
	}
	if status == 0 {
		status = http.StatusUnprocessableEntity
	}
	p := problem(status, we.Code, we.Error(), we.Hint)
	p.Device, p.Path, p.Write, p.DidYouMean = we.Device, string(we.Path), id, we.DidYouMean
	if we.Item >= 0 {
		p.Item = &we.Item
	}
	if we.Class != driver.Internal {
		p.Class = we.Class.String()
	}
	switch we.Code {
	case "unknown-device":
		p.DidYouMean, _ = device.Nearest(we.Device, s.deviceNames())
	case "unknown-point":
		p.DidYouMean = s.nearestPath(we.Device, string(we.Path))
	}
	return p
}

func (s *Server) unknownDevice(name string) *Problem {
	p := problem(http.StatusNotFound, "unknown-device", fmt.Sprintf("there is no device %q", name), "GET /api/v1/devices lists them")
	p.Device = name
	p.DidYouMean, _ = device.Nearest(name, s.deviceNames())
	return p
}

func (s *Server) unknownPoint(dev, path string) *Problem {
	p := problem(http.StatusNotFound, "unknown-point", fmt.Sprintf("device %q has no point %q", dev, path),
		"GET /api/v1/devices/"+dev+"/points lists them")
	p.Device, p.Path = dev, path
	p.DidYouMean = s.nearestPath(dev, path)
	return p
}

func (s *Server) deviceNames() []string {
	var names []string
	for _, d := range s.devices.Devices() {
		names = append(names, d.Name)
	}
	return names
}

func (s *Server) nearestPath(dev, path string) string {
	points, _ := s.tree.Points(device.Filter{Devices: []string{dev}})
	if dev == "" || len(points) == 0 {
		return ""
	}
	names := make([]string, len(points))
	for i := range points {
		names[i] = string(points[i].Spec.Path)
	}
	near, _ := device.Nearest(path, names)
	return near
}
