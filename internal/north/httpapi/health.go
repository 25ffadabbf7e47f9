package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchbay-io/patchbay/internal/device"
)

// Health is the answer of the health checks.
type Health struct {
	Status  string   `json:"status" enum:"ok,starting"`
	Waiting []string `json:"waiting,omitempty" doc:"devices that have not been tried once yet"`
}

type healthAnswer struct {
	Status int
	Body   Health
}

func (s *Server) healthRoutes(api huma.API) {
	op := func(path, summary string) huma.Operation {
		return huma.Operation{Method: http.MethodGet, Path: path, OperationID: path[1:], Summary: summary}
	}
	huma.Register(api, op("/healthz", "The process lives"),
		func(context.Context, *struct{}) (*answer[Health], error) {
			return &answer[Health]{Health{Status: "ok"}}, nil
		})
	huma.Register(api, op("/readyz", "Every configured device has been tried once; 503 until then"),
		func(context.Context, *struct{}) (*healthAnswer, error) {
			out := &healthAnswer{Status: http.StatusOK, Body: Health{Status: "ok"}}
			for _, d := range s.devices.Devices() {
				if !s.tried(d.Name) {
					out.Body.Waiting = append(out.Body.Waiting, d.Name)
				}
			}
			if len(out.Body.Waiting) > 0 {
				out.Status, out.Body.Status = http.StatusServiceUnavailable, "starting"
			}
			return out, nil
		})
}

// tried reports whether the first attempt to reach a device has ended, well or badly.
func (s *Server) tried(dev string) bool {
	var link Link
	points, _ := s.tree.Points(device.Filter{Devices: []string{dev}, Under: []device.Path{device.LinkRoot}})
	for i := range points {
		link.set(&points[i])
	}
	return link.State != "" && link.State != "connecting" || link.Error != "" || link.LastData != ""
}
