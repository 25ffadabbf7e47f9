package httpapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// page serves the files of the web page. Names below assets/ carry a hash of their content and never change; everything
// else is asked for again each time, and answered with "not modified" while it is the same.
func (s *Server) page(files fs.FS) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			problem(http.StatusMethodNotAllowed, "method-not-allowed", r.Method+" does nothing here", "the interface for programs is below /api/v1").write(w)
			return
		}
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		if view(name) {
			name = "index.html"
		}
		if files == nil {
			problem(http.StatusNotFound, "no-page", "this gateway was built without the web page", "the interface for programs is below /api/v1").write(w)
			return
		}
		b, err := fs.ReadFile(files, name)
		if err != nil {
			problem(http.StatusNotFound, "not-found", "there is nothing at "+r.URL.Path, "the page is at /, the interface for programs below /api/v1").write(w)
			return
		}
		if strings.HasPrefix(name, "assets/") {
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		} else {
			sum := sha256.Sum256(b)
			w.Header().Set("Cache-Control", "no-cache")
			w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
		}
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(b))
	})
}

// view reports whether the page itself makes something of the address.
func view(name string) bool {
	return name == "" || name == "settings" || name == "log" || strings.HasPrefix(name, "d/") || strings.HasPrefix(name, "tally/")
}
