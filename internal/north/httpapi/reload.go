package httpapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchbay-io/patchbay/internal/north"
)

// Reload is what a changed configuration does, or would do.
type Reload struct {
	Applied bool           `json:"applied" doc:"false for a dry run"`
	Devices []ReloadDevice `json:"devices" doc:"those of the new configuration in its order, then those that are gone"`
	Restart []string       `json:"restart" doc:"keys of the gateway itself that changed and take effect when it is started again"`
}

// ReloadDevice is what becomes of one device.
type ReloadDevice struct {
	Device string   `json:"device"`
	What   string   `json:"what" enum:"added,removed,restarted,changed,unchanged" doc:"restarted: its connection is opened anew; changed: its connection stays"`
	Keys   []string `json:"keys" doc:"of its section that changed"`
}

type inReload struct {
	DryRun bool `query:"dry_run" doc:"say what would change, and change nothing"`
}

func (s *Server) reloadRoute(api huma.API) {
	huma.Register(api, huma.Operation{
		Method: http.MethodPost, Path: base + "/reload", OperationID: "reload", Summary: "Read the configuration again",
		Description: "Only devices whose section changed are opened anew. A configuration that is wrong changes nothing; the problem lists what is wrong with it.",
	}, func(ctx context.Context, in *inReload) (*answer[Reload], error) {
		if s.cfg.Reloader == nil {
			return nil, problem(http.StatusConflict, "no-file", "this gateway has no configuration to read again", "start it with patchbay run FILE")
		}
		r, err := s.cfg.Reloader.Reload(ctx, in.DryRun)
		if !in.DryRun {
			s.noteReload(ctx, err)
		}
		if err != nil {
			return nil, reloadProblem(err)
		}
		out := Reload{Applied: r.Applied, Devices: make([]ReloadDevice, len(r.Devices)), Restart: append([]string{}, r.Restart...)}
		for i, d := range r.Devices {
			out.Devices[i] = ReloadDevice{Device: d.Name, What: d.What, Keys: append([]string{}, d.Keys...)}
		}
		return &answer[Reload]{out}, nil
	})
}

func reloadProblem(err error) error {
	var e *north.ReloadError
	if !errors.As(err, &e) {
		return err
	}
	status := http.StatusUnprocessableEntity
	if e.Code == "no-file" {
		status = http.StatusConflict
	}
	p := problem(status, e.Code, e.Text, e.Hint)
	p.Errors = e.Each
	return p
}
