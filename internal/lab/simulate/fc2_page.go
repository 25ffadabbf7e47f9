package simulate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"image/png"
	"net/http"
	"strconv"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"

	"github.com/patchbay-io/patchbay/protocol/fc2"
	"github.com/patchbay-io/patchbay/protocol/fc2/fc2server"
	"github.com/patchbay-io/patchbay/protocol/fc2/fc2sim"
)

// FC2Page is the screen of the simulated computer: who asks to be let in, with the two buttons, and the code to scan. Programs
// use
//
//	GET  api/prompt     what is on the screen, as JSON
//	POST api/approve    the click on the one button
//	POST api/deny       and on the other; both are about whoever has waited longest, or with ?id=N about the one request. When
//	                    nobody waits, a no takes back the code
//	GET  api/code.png   the code as a picture
//
// All paths are relative to where the page is. It asks nobody who he is: serve it to this machine only.
func FC2Page(sim *fc2sim.Sim) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		var b bytes.Buffer
		if err := fc2Screen.Execute(&b, promptOf(sim)); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; form-action 'self'")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(b.Bytes())
	})
	mux.HandleFunc("GET /api/prompt", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_ = json.NewEncoder(w).Encode(promptOf(sim))
	})
	decide := func(approve bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if err := decideOn(sim, r.FormValue("id"), approve); err != nil {
				refuse(w, http.StatusConflict, err.Error())
				return
			}
			if r.Header.Get("Accept") == "" || r.Header.Get("Content-Type") == "" {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			http.Redirect(w, r, "../", http.StatusSeeOther)
		}
	}
	mux.HandleFunc("POST /api/approve", decide(true))
	mux.HandleFunc("POST /api/deny", decide(false))
	mux.HandleFunc("GET /api/code.png", func(w http.ResponseWriter, _ *http.Request) {
		p, _ := sim.Prompt()
		if p.Shows == nil {
			refuse(w, http.StatusNotFound, "no code is shown now")
			return
		}
		picture, err := qrPicture(fc2.FormatCode(p.Code))
		if err != nil {
			refuse(w, http.StatusInternalServerError, err.Error())
			return
		}
		w.Header().Set("Content-Type", "image/png")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(picture)
	})
	return http.NewCrossOriginProtection().Handler(mux)
}

func decideOn(sim *fc2sim.Sim, id string, approve bool) error {
	if id == "" {
		return sim.Decide(approve)
	}
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return fmt.Errorf("id: %q is not the number of a request, which api/prompt has", id)
	}
	return sim.DecideOn(n, approve)
}

// qrPicture is a PNG of 256 by 256 dots.
func qrPicture(text string) ([]byte, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return nil, err
	}
	if code, err = barcode.Scale(code, 256, 256); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = png.Encode(&b, code)
	return b.Bytes(), err
}

// fc2Prompt is what is on the screen.
type fc2Prompt struct {
	State     string      `json:"state"`
	ServerKey string      `json:"server_key"`
	Asks      *fc2Asks    `json:"asks,omitempty"`
	Behind    []fc2Asks   `json:"behind,omitempty"` // who else waits, in order
	CodeFor   *fc2Asks    `json:"code_for,omitempty"`
	Code      string      `json:"code,omitempty"` // hexadecimal, as the QR code has it
	Clients   []fc2Client `json:"clients"`
}

type fc2Asks struct {
	ID      uint64 `json:"id"` // of the request
	Name    string `json:"name"`
	Key     string `json:"key"`
	Address string `json:"address"`
}

type fc2Client struct {
	Name string `json:"name"`
	Key  string `json:"key"`
}

func promptOf(sim *fc2sim.Sim) fc2Prompt {
	p, _ := sim.Prompt()
	asks := func(r *fc2server.Request) *fc2Asks {
		if r == nil {
			return nil
		}
		return &fc2Asks{ID: r.ID, Name: r.Name, Key: r.Key.String(), Address: r.Addr}
	}
	out := fc2Prompt{State: p.State, ServerKey: sim.PublicKey().String(), Asks: asks(p.Asks), CodeFor: asks(p.Shows), Clients: []fc2Client{}}
	if p.Shows != nil {
		out.Code = fc2.FormatCode(p.Code)
	}
	for _, r := range p.Behind {
		out.Behind = append(out.Behind, *asks(&r))
	}
	for _, c := range sim.Clients().List() {
		out.Clients = append(out.Clients, fc2Client{c.Name, c.Key.String()})
	}
	return out
}

var fc2Screen = template.Must(template.New("screen").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="2"><title>Simulated Focusrite Control 2</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}
code{overflow-wrap:anywhere}img{background:#fff;padding:8px;image-rendering:pixelated}button{font:inherit;padding:.4rem 1rem;margin-right:.5rem}form{display:inline}</style></head>
<body><h1>Simulated Focusrite Control 2</h1>
{{define "asks"}}<p><b>{{.Name}}</b> at {{.Address}} wants to control this interface.</p>
<form method="post" action="api/approve?id={{.ID}}"><button>Approve</button></form><form method="post" action="api/deny?id={{.ID}}"><button>Deny</button></form>
{{end}}{{with .Asks}}{{template "asks" .}}{{end}}{{range .Behind}}{{template "asks" .}}{{end}}{{if .Code}}<p>Scan this with <b>{{.CodeFor.Name}}</b>, or type it there:</p>
<p><img src="api/code.png" width="256" height="256" alt="QR code"></p><p><code>{{.Code}}</code></p>
<form method="post" action="api/deny?id={{.CodeFor.ID}}"><button>Take the code back</button></form>
{{end}}{{if not (or .Asks .Code)}}<p>Nobody asks to be let in.</p>{{end}}
<p>Programs that have been let in: {{range .Clients}}<b>{{.Name}}</b> <small><code>{{.Key}}</code></small> {{else}}none{{end}}</p>
<p>Public key of this server: <code>{{.ServerKey}}</code></p></body></html>
`))
