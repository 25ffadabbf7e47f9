package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/north"
)

const (
	defaultDeadline = 2 * time.Second
	maxDeadline     = time.Minute
	maxItems        = 1000
	waitGrace       = 2 * time.Second // beyond the deadline of a write, which the gateway keeps
)

// Any is any JSON value. Numbers keep all their digits.
type Any struct{ v any }

// UnmarshalJSON reads the value.
func (a *Any) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return d.Decode(&a.v)
}

// Schema says that everything fits.
func (Any) Schema(huma.Registry) *huma.Schema { return &huma.Schema{} }

// Number is a JSON number with all its digits.
type Number struct{ n json.Number }

// UnmarshalJSON reads the number.
func (n *Number) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &n.n) }

// Schema says that it is a number.
func (Number) Schema(huma.Registry) *huma.Schema { return &huma.Schema{Type: huma.TypeNumber} }

// WriteRequest asks for one or several writes, which are checked together before the first is sent.
type WriteRequest struct {
	Writes   []WriteRequestItem `json:"writes" minItems:"1" maxItems:"1000"`
	Deadline string             `json:"deadline,omitempty" example:"2s" doc:"how long a write may take until it is confirmed; default 2s, most 1m"`
	DryRun   bool               `json:"dry_run,omitempty" doc:"check everything, send nothing"`
	Wait     bool               `json:"wait,omitempty" doc:"answer when every item has ended"`
}

// WriteRequestItem is one point with exactly one of value, toggle and add.
type WriteRequestItem struct {
	Device  string  `json:"device"`
	Path    string  `json:"path"`
	Value   *Any    `json:"value,omitempty" doc:"the new value in its natural form, or as a person types it"`
	Toggle  bool    `json:"toggle,omitempty" doc:"turn a bool, or an enum of two labels, over"`
	Add     *Number `json:"add,omitempty" doc:"add to the present value, within the range"`
	IfValue *Any    `json:"if_value,omitempty" doc:"write only while the point holds this"`
}

// CommandRequest asks for a command.
type CommandRequest struct {
	Path     string         `json:"path"`
	Args     map[string]Any `json:"args,omitempty" doc:"by name"`
	Deadline string         `json:"deadline,omitempty" example:"2s"`
	DryRun   bool           `json:"dry_run,omitempty"`
	Wait     bool           `json:"wait,omitempty"`
}

// WriteList is a part of the log of writes.
type WriteList struct {
	Seq    uint64  `json:"seq" doc:"pass it as since to get what follows"`
	Writes []Write `json:"writes"`
}

type inWrite struct{ Body WriteRequest }

type inCommand struct {
	InDevice
	Body CommandRequest
}

type inWrites struct {
	Device string `query:"device" doc:"only writes to this device"`
	Since  uint64 `query:"since" doc:"only writes with a step after this"`
	Max    int    `query:"max" minimum:"0" maximum:"1000" doc:"at most so many; 0: all that are kept"`
}

type writeAnswer struct {
	Status int
	Body   Write
}

func (s *Server) writeRoutes(api huma.API) {
	post := func(path, id, summary string) huma.Operation {
		return huma.Operation{
			Method: http.MethodPost, Path: base + path, OperationID: id, Summary: summary, MaxBodyBytes: maxBody,
			Description: "200 when the write has ended, however it did: look at stage. 202 when it goes on. A problem when nothing was accepted.",
		}
	}
	huma.Register(api, post("/writes", "write", "Write one or several points"), s.postWrites)
	huma.Register(api, post("/devices/{device}/commands", "command", "Perform a command"), s.postCommand)
	huma.Register(api, get("/writes", "writes", "The log of writes, oldest first"),
		func(_ context.Context, in *inWrites) (*answer[WriteList], error) {
			if in.Device != "" {
				if _, err := s.device(in.Device); err != nil {
					return nil, err
				}
			}
			out := WriteList{Seq: in.Since, Writes: []Write{}}
			for _, w := range s.writes.WriteLog(in.Device, in.Since, in.Max) {
				out.Writes = append(out.Writes, s.writeObject(&w))
				out.Seq = max(out.Seq, w.Seq)
			}
			return &answer[WriteList]{out}, nil
		})
	huma.Register(api, get("/writes/{id}", "write-by-id", "One write and what became of it"),
		func(_ context.Context, in *struct {
			ID string `path:"id"`
		}) (*answer[Write], error) {
			w, ok := s.writes.WriteByID(in.ID)
			if !ok {
				return nil, problem(http.StatusNotFound, "unknown-write", fmt.Sprintf("there is no write %q", in.ID), "the log keeps the newest writes only")
			}
			return &answer[Write]{s.writeObject(&w)}, nil
		})
}

func (s *Server) postWrites(ctx context.Context, in *inWrite) (*writeAnswer, error) {
	opt, err := options(in.Body.Deadline, in.Body.DryRun, in.Body.Wait)
	if err != nil {
		return nil, err
	}
	items := make([]north.WriteItem, len(in.Body.Writes))
	for i := range in.Body.Writes {
		if err := in.Body.Writes[i].item(&items[i]); err != nil {
			err.Item = &i
			return nil, err
		}
	}
	w, err := s.write(ctx, items, opt)
	return s.written(&w, err)
}

func (r *WriteRequestItem) item(out *north.WriteItem) *Problem {
	path, err := device.ParsePath(r.Path)
	if err != nil {
		return problem(http.StatusBadRequest, "bad-path", err.Error(), "")
	}
	*out = north.WriteItem{Device: r.Device, Path: path}
	if r.IfValue != nil {
		out.IfValue = r.IfValue.v
	}
	n := 0
	if r.Value != nil && r.Value.v != nil {
		out.Value, n = r.Value.v, n+1
	}
	if r.Toggle {
		out.Op, n = north.OpToggle, n+1
	}
	if r.Add != nil {
		out.Op, out.Value, n = north.OpAdd, r.Add.n, n+1
	}
	if n != 1 {
		return problem(http.StatusUnprocessableEntity, "no-value", fmt.Sprintf("%s/%s: a write has exactly one of value, toggle and add", r.Device, r.Path),
			`for example {"device": "`+r.Device+`", "path": "`+r.Path+`", "value": …}`)
	}
	return nil
}

func (s *Server) postCommand(ctx context.Context, in *inCommand) (*writeAnswer, error) {
	d, err := s.device(in.Device)
	if err != nil {
		return nil, err
	}
	opt, err := options(in.Body.Deadline, in.Body.DryRun, in.Body.Wait)
	if err != nil {
		return nil, err
	}
	path, perr := device.ParsePath(in.Body.Path)
	if perr != nil {
		return nil, problem(http.StatusBadRequest, "bad-path", perr.Error(), "")
	}
	args := make(map[string]any, len(in.Body.Args))
	for name, a := range in.Body.Args {
		args[name] = a.v
	}
	w, err := s.perform(ctx, opt, func(ctx context.Context, opt north.WriteOptions) (north.WriteState, error) {
		return s.writes.Do(ctx, who(ctx), d.Name, path, args, opt)
	})
	return s.written(&w, err)
}

func (s *Server) written(w *north.WriteState, err error) (*writeAnswer, error) {
	if err != nil {
		return nil, err
	}
	out := &writeAnswer{Status: http.StatusAccepted, Body: s.writeObject(w)}
	if out.Body.Final {
		out.Status = http.StatusOK
	}
	return out, nil
}

func options(deadline string, dryRun, wait bool) (north.WriteOptions, error) {
	opt := north.WriteOptions{DryRun: dryRun, Wait: wait}
	if deadline == "" {
		return opt, nil
	}
	d, err := time.ParseDuration(deadline)
	if err != nil || d <= 0 || d > maxDeadline {
		return opt, problem(http.StatusBadRequest, "bad-deadline", fmt.Sprintf("deadline %q is no duration up to 1m", deadline), "write it like 500ms or 2s")
	}
	opt.Deadline = d
	return opt, nil
}

func (s *Server) write(ctx context.Context, items []north.WriteItem, opt north.WriteOptions) (north.WriteState, error) {
	return s.perform(ctx, opt, func(ctx context.Context, opt north.WriteOptions) (north.WriteState, error) {
		return s.writes.Write(ctx, who(ctx), items, opt)
	})
}

// perform hands a write over to the gateway and waits here, if asked to: a client that goes away ends its own waiting and
// nothing else.
func (s *Server) perform(ctx context.Context, opt north.WriteOptions,
	do func(context.Context, north.WriteOptions) (north.WriteState, error)) (north.WriteState, error) {
	wait := opt.Wait
	opt.Wait = false
	w, err := do(context.WithoutCancel(ctx), opt)
	var we *north.WriteError
	switch {
	case errors.As(err, &we):
		return w, s.refusal(we, w.ID)
	case err != nil:
		return w, fmt.Errorf("write: %w", err)
	}
	if !wait {
		return w, nil
	}
	if opt.Deadline == 0 {
		opt.Deadline = defaultDeadline
	}
	limit := time.NewTimer(opt.Deadline + waitGrace)
	defer limit.Stop()
	for {
		changed := s.writes.WriteLogChanged()
		if now, ok := s.writes.WriteByID(w.ID); ok {
			w = now
		}
		if _, final := overall(&w); final {
			return w, nil
		}
		select {
		case <-changed:
		case <-limit.C:
			return w, nil
		case <-ctx.Done():
			return w, nil
		case <-s.closing:
			return w, nil
		}
	}
}
