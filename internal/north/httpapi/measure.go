package httpapi

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/north"
)

// requestKind is what requests are counted by. All three have few values, whatever clients send.
type requestKind struct {
	method, route string
	status        int
}

type requestCount struct {
	n       uint64
	seconds float64
}

// requests counts answers.
type requests struct {
	mu     sync.Mutex
	counts map[requestKind]requestCount
}

type routeKey struct{}

// counted counts what next answers, refusals among it. The route is what [noteRoute] found.
func (q *requests) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := time.Now()
		route := ""
		answer := &statusWriter{ResponseWriter: w}
		defer func() {
			k := requestKind{method: methodOf(r.Method), route: route, status: answer.status}
			if k.status == 0 {
				k.status = http.StatusOK
			}
			q.mu.Lock()
			defer q.mu.Unlock()
			c := q.counts[k]
			c.n++
			c.seconds += time.Since(begun).Seconds()
			q.counts[k] = c
		}()
		next.ServeHTTP(answer, r.WithContext(context.WithValue(r.Context(), routeKey{}, &route)))
	})
}

// noteRoute tells counted which pattern of mux a request fits.
func noteRoute(mux http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if route, ok := r.Context().Value(routeKey{}).(*string); ok {
				*route = r.Pattern
				if _, path, ok := strings.Cut(r.Pattern, " "); ok {
					*route = path
				}
			}
		}()
		mux.ServeHTTP(w, r)
	})
}

func methodOf(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions:
		return m
	}
	return "other"
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader remembers the first final status.
func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Measures are the requests by route and the event streams.
func (s *Server) Measures(yield func(north.Measure)) {
	s.requests.mu.Lock()
	counts := maps.Clone(s.requests.counts)
	s.requests.mu.Unlock()
	kinds := slices.SortedFunc(maps.Keys(counts), func(a, b requestKind) int {
		return cmp.Or(cmp.Compare(a.route, b.route), cmp.Compare(a.method, b.method), cmp.Compare(a.status, b.status))
	})
	labels := func(k requestKind) []north.MeasureLabel {
		return []north.MeasureLabel{{Key: "route", Value: k.route}, {Key: "method", Value: k.method}, {Key: "code", Value: strconv.Itoa(k.status)}}
	}
	for _, k := range kinds {
		yield(north.Measure{Name: "http_requests_total", Help: "HTTP requests answered; an event stream counts when it ends", Counter: true,
			Labels: labels(k), Value: float64(counts[k].n)})
	}
	for _, k := range kinds {
		yield(north.Measure{Name: "http_request_seconds_total", Help: "Time spent answering HTTP requests", Counter: true,
			Labels: labels(k), Value: counts[k].seconds})
	}
	insecure := 0.0
	if s.Insecure() != "" {
		insecure = 1
	}
	yield(north.Measure{Name: "insecure", Help: "1 while others reach the gateway without users or without TLS, because the configuration says insecure", Value: insecure})
	yield(north.Measure{Name: "http_streams", Help: "Event streams that are open", Value: float64(s.streams.Load())})
	yield(north.Measure{Name: "http_streams_refused_total", Help: "Event streams refused because too many were open", Counter: true,
		Value: float64(s.refusedStreams.Load())})
	yield(north.Measure{Name: "http_streams_dropped_total", Help: "Event streams ended because the client took nothing any more", Counter: true,
		Value: float64(s.droppedStreams.Load())})
	yield(north.Measure{Name: "http_stream_merged_changes_total", Help: "Changes that event streams sent merged with a newer one", Counter: true,
		Value: float64(s.mergedChanges.Load())})
}
