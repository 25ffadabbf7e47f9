package httpapi

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

const (
	base        = "/api/v1"
	jsonType    = "application/json"
	textType    = "text/plain"
	problemType = "application/problem+json"
)

// routes registers everything that the door answers.
func (s *Server) routes(mux *http.ServeMux, page fs.FS) error {
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	api := humago.New(mux, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "patchbay", Version: s.cfg.Version,
				Description: "Devices, their points, writes and live events. Errors are RFC 9457 problems.",
			},
			Components: &huma.Components{Schemas: registry},
		},
		Formats:       map[string]huma.Format{jsonType: huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat: jsonType,
		Transformers:  []huma.Transformer{ours},
	})
	s.deviceRoutes(api)
	s.valueRoutes(api)
	s.writeRoutes(api)
	s.eventRoute(api, mux)
	s.portRoute(api, mux)
	s.healthRoutes(api)
	s.accessRoutes(api)
	s.reloadRoute(api)
	s.probeRoute(api)

	// The framework describes its own form of errors; the transformer replaces it, so the document does too.
	schema := registry.Schema(typeOf[Problem](), true, "Problem")
	for _, item := range api.OpenAPI().Paths {
		for _, op := range []*huma.Operation{item.Get, item.Put, item.Post} {
			if op != nil {
				op.Responses["default"] = &huma.Response{Description: "a problem", Content: map[string]*huma.MediaType{problemType: {Schema: schema}}}
			}
		}
	}
	delete(registry.Map(), "ErrorModel")
	delete(registry.Map(), "ErrorDetail")
	doc, err := json.MarshalIndent(api.OpenAPI(), "", "  ")
	if err != nil {
		return fmt.Errorf("http: describe the interface: %w", err)
	}
	s.openapi = append(doc, '\n')
	mux.HandleFunc("GET "+base+"/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", jsonType)
		_, _ = w.Write(s.openapi) // a client that is gone needs no answer
	})
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) { nothingHere(mux, w, r) })
	mux.Handle("/", s.page(page))
	return nil
}

// nothingHere tells a wrong method from a wrong address.
func nothingHere(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut} {
		other := &http.Request{Method: m, URL: r.URL, Host: r.Host}
		if _, pattern := mux.Handler(other); pattern != "" && pattern != "/api/" {
			allowed = append(allowed, m)
		}
	}
	if len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		problem(http.StatusMethodNotAllowed, "method-not-allowed", r.Method+" does nothing at "+r.URL.Path, "use "+strings.Join(allowed, " or ")).write(w)
		return
	}
	problem(http.StatusNotFound, "not-found", "there is nothing at "+r.URL.Path, base+"/openapi.json lists what there is").write(w)
}
