package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/north"
)

// InValue names one point and the form of the answer.
type InValue struct {
	InDevice
	Path   string `query:"path" required:"true" doc:"path of the point"`
	Format string `query:"format" enum:"json,text" doc:"text: the bare value, like Accept: text/plain"`
	Accept string `header:"Accept"`
}

type inPutValue struct {
	InValue
	ContentType string `header:"Content-Type"`
	RawBody     []byte
}

func (in *InValue) wantsText() bool {
	return in.Format == "text" || in.Format == "" && strings.HasPrefix(strings.TrimSpace(in.Accept), textType)
}

// valueAnswer is the bare value as text or an object as JSON.
func valueAnswer(text bool, object any, value string) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		if text {
			ctx.SetHeader("Content-Type", textType+"; charset=utf-8")
			_, _ = ctx.BodyWriter().Write([]byte(value + "\n")) // a client that is gone needs no answer
			return
		}
		ctx.SetHeader("Content-Type", jsonType)
		_ = json.NewEncoder(ctx.BodyWriter()).Encode(object)
	}}
}

func textOrJSON(api huma.API, description string, object *huma.Schema) map[string]*huma.Response {
	return map[string]*huma.Response{"200": {Description: description, Content: map[string]*huma.MediaType{
		jsonType: {Schema: object}, textType: {Schema: &huma.Schema{Type: huma.TypeString}},
	}}}
}

func (s *Server) valueRoutes(api huma.API) {
	reg := api.OpenAPI().Components.Schemas
	op := get("/devices/{device}/value", "value", "What one point holds now, also as plain text")
	op.Responses = textOrJSON(api, "the point, or its bare value", reg.Schema(typeOf[Point](), true, ""))
	huma.Register(api, op, func(_ context.Context, in *InValue) (*huma.StreamResponse, error) {
		p, err := s.point(in)
		if err != nil {
			return nil, err
		}
		return valueAnswer(in.wantsText(), pointObject(p), bare(p)), nil
	})

	put := get("/devices/{device}/value", "set-value", "Write one point and wait for the outcome, also from plain text")
	put.Method = http.MethodPut
	put.MaxBodyBytes = maxBody
	put.Responses = textOrJSON(api, "the write, or the resulting value as text", reg.Schema(typeOf[Write](), true, ""))
	huma.Register(api, put, s.putValue)
	// The handler reads the body itself; described before, the framework would insist on JSON.
	api.OpenAPI().Paths[put.Path].Put.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		jsonType: {Schema: &huma.Schema{Type: huma.TypeObject, Required: []string{"value"}, Properties: map[string]*huma.Schema{"value": {}}}},
		textType: {Schema: &huma.Schema{Type: huma.TypeString}},
	}}
}

func (s *Server) point(in *InValue) (*device.Point, error) {
	d, err := s.device(in.Device)
	if err != nil {
		return nil, err
	}
	path, perr := device.ParsePath(in.Path)
	if perr != nil {
		return nil, problem(http.StatusBadRequest, "bad-path", perr.Error(), "")
	}
	p, ok := s.tree.Point(d.Name, path)
	if !ok {
		return nil, s.unknownPoint(d.Name, in.Path)
	}
	return &p, nil
}

// bare is the value for simple clients: what can be written back. An enum is its label's key.
func bare(p *device.Point) string {
	switch v := p.Sample.Value; v.Kind {
	case device.Enum:
		return fmt.Sprint(device.JSON(p.Spec, p.Labels, v))
	case device.List:
		return device.Text(p.Spec, p.Labels, v)
	default:
		return v.String()
	}
}

func (s *Server) putValue(ctx context.Context, in *inPutValue) (*huma.StreamResponse, error) {
	p, err := s.point(&in.InValue)
	if err != nil {
		return nil, err
	}
	media := in.ContentType
	if media != "" {
		if media, _, err = mime.ParseMediaType(in.ContentType); err != nil {
			return nil, problem(http.StatusUnsupportedMediaType, "unsupported-media-type", "Content-Type: "+err.Error(), "send text/plain or application/json")
		}
	}
	var value any
	switch media {
	case jsonType:
		var body struct {
			Value Any `json:"value"`
		}
		if err := json.Unmarshal(in.RawBody, &body); err != nil {
			return nil, problem(http.StatusBadRequest, "bad-json", "the body is not JSON: "+err.Error(), `send {"value": …}`)
		}
		if body.Value.v == nil {
			return nil, problem(http.StatusUnprocessableEntity, "no-value", "the body has no value", `send {"value": …}`)
		}
		value = body.Value.v
	case textType, "application/x-www-form-urlencoded", "": // what curl -d sends when nobody says otherwise
		value = strings.TrimRight(string(in.RawBody), "\r\n")
	default:
		return nil, problem(http.StatusUnsupportedMediaType, "unsupported-media-type", media+" is not read here", "send text/plain or application/json")
	}
	w, err := s.write(ctx, []north.WriteItem{{Device: p.Device, Path: p.Spec.Path, Value: value}}, north.WriteOptions{Wait: true})
	if err != nil {
		return nil, err
	}
	if !in.wantsText() && media == jsonType {
		return valueAnswer(false, s.writeObject(&w), ""), nil
	}
	if err := ended(&w); err != nil {
		return nil, err
	}
	text := in.wantsText() || in.Format == "" && media != jsonType && !strings.Contains(in.Accept, jsonType)
	if now, ok := s.tree.Point(p.Device, p.Spec.Path); ok {
		p = &now
	}
	if v := w.Items[0].Now; !v.IsZero() {
		p.Sample.Value = v
	}
	return valueAnswer(text, s.writeObject(&w), bare(p)), nil
}

// ended turns a bad end into a problem, for clients that get no write object to look at.
func ended(w *north.WriteState) error {
	stage, _ := overall(w)
	var status int
	switch stage {
	case north.StageRefused:
		status = http.StatusConflict
	case north.StageFailed, north.StageUncertain:
		status = http.StatusBadGateway
	case north.StageTimedOut:
		status = http.StatusGatewayTimeout
	default:
		return nil
	}
	last := w.Items[0].Last()
	detail := "the write ended as " + string(stage)
	if last.Text != "" {
		detail += ": " + last.Text
	}
	p := problem(status, string(stage), detail, last.Hint)
	p.Write, p.Device, p.Path, p.Class = w.ID, w.Items[0].Device, string(w.Items[0].Path), last.Class.String()
	return p
}
