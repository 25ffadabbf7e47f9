package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchbay-io/patchbay/internal/device"
)

const (
	defaultEvery  = 100 * time.Millisecond
	leastEvery    = 10 * time.Millisecond
	mostEvery     = time.Minute
	pingEvery     = 2 * time.Second
	streamTimeout = 30 * time.Second // a client that takes nothing for so long is dropped
	retryMS       = 1000             // how long browsers wait before they connect again
)

// eventRoute is not one of the framework's operations, because a stream paces, resumes and flushes by itself; it is
// described by hand.
func (s *Server) eventRoute(api huma.API, mux *http.ServeMux) {
	text := &huma.Schema{Type: huma.TypeString}
	query := func(name, doc string) *huma.Param {
		return &huma.Param{Name: name, In: "query", Description: doc, Schema: text}
	}
	several := func(name, doc string) *huma.Param {
		return &huma.Param{Name: name, In: "query", Description: doc, Schema: &huma.Schema{Type: huma.TypeArray, Items: text}}
	}
	api.OpenAPI().AddOperation(&huma.Operation{
		Method: http.MethodGet, Path: base + "/events", OperationID: "events", Summary: "Live changes as Server-Sent Events",
		Description: "Events: hello, reset, specs, points, gone, write, ping. Reconnecting with Last-Event-ID continues where the stream broke.",
		Parameters: []*huma.Param{
			several("device", "only this device; may be repeated"), several("under", "only this subtree; may be repeated"),
			several("role", "only points of this role; may be repeated"),
			several("except", "no points of this role; may be repeated. Without meters none are produced"),
			query("every", "shortest time between two deliveries, 10ms to 1m; default 100ms"),
			query("since", "id of the last event that was seen; like the header Last-Event-ID, which wins"),
			{Name: "writes", In: "query", Description: "with the steps of writes", Schema: &huma.Schema{Type: huma.TypeBoolean}},
			{Name: "Last-Event-ID", In: "header", Description: "sent by browsers", Schema: text},
		},
		Responses: map[string]*huma.Response{"200": {Description: "events until the client goes away", Content: map[string]*huma.MediaType{
			"text/event-stream": {Schema: text},
		}}},
	})
	mux.HandleFunc("GET "+base+"/events", s.events)
}

// subscribe is what a client asks of the event stream.
type subscribe struct {
	filter device.Filter
	every  time.Duration
	writes bool
	since  string
}

func (s *Server) subscribeOf(r *http.Request) (subscribe, error) {
	q := r.URL.Query()
	sub := subscribe{every: defaultEvery, since: q.Get("since")}
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		sub.since = id
	}
	var err error
	if sub.filter, err = s.filter(q["device"], q["under"], q["role"]); err != nil {
		return sub, err
	}
	except, err := s.filter(nil, nil, q["except"])
	if err != nil {
		return sub, err
	}
	sub.filter.Except = except.Roles
	if e := q.Get("every"); e != "" {
		d, err := time.ParseDuration(e)
		if err != nil || d < leastEvery || d > mostEvery {
			return sub, problem(http.StatusBadRequest, "bad-every", fmt.Sprintf("every=%q is no duration from 10ms to 1m", e), "write it like 250ms")
		}
		sub.every = d
	}
	if w := q.Get("writes"); w != "" {
		if sub.writes, err = strconv.ParseBool(w); err != nil {
			return sub, problem(http.StatusBadRequest, "bad-writes", fmt.Sprintf("writes=%q is neither true nor false", w), "")
		}
	}
	return sub, nil
}

func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		problem(http.StatusForbidden, "cross-origin", "a page from "+from(r)+" may not listen here", "use the page that this gateway serves").write(w)
		return
	}
	sub, err := s.subscribeOf(r)
	if err != nil {
		err.(*Problem).write(w) // subscribeOf makes nothing else
		return
	}
	if s.streams.Add(1) > int64(s.cfg.Streams) {
		s.streams.Add(-1)
		s.refusedStreams.Add(1)
		w.Header().Set("Retry-After", "5")
		problem(http.StatusServiceUnavailable, "too-many-streams", fmt.Sprintf("%d event streams are open already", s.cfg.Streams), "close some, or try again later").write(w)
		return
	}
	defer s.streams.Add(-1)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	id := requesterOf(ctx).id
	if !id.Expires.IsZero() {
		ctx, cancel = context.WithDeadline(ctx, id.Expires)
		defer cancel()
	}
	defer id.Hold()()
	st := s.newStream(w, id, &sub)
	defer st.release()
	// An error here means that the client is gone or takes nothing; it comes back with the id of what it got last.
	if err := st.run(ctx, &sub); err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			s.droppedStreams.Add(1)
		}
		s.log.Debug("event stream ended", "client", r.RemoteAddr, "error", err)
	}
}

// position is where a reader stands: in the sequence of points and in that of writes.
type position struct{ points, writes uint64 }

// parsePosition takes an event id apart: EPOCH.SEQ, or EPOCH.SEQ.WRITESEQ on a stream with writes.
func parsePosition(id string) (epoch string, pos position, hasWrites, ok bool) {
	epoch, rest, found := strings.Cut(id, ".")
	if !found || epoch == "" {
		return "", position{}, false, false
	}
	seq, writes, hasWrites := strings.Cut(rest, ".")
	var err error
	if pos.points, err = strconv.ParseUint(seq, 10, 64); err != nil {
		return "", position{}, false, false
	}
	if hasWrites {
		if pos.writes, err = strconv.ParseUint(writes, 10, 64); err != nil {
			return "", position{}, false, false
		}
	}
	return epoch, pos, hasWrites, true
}
