package simulate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"
)

// Controlled is a simulated device whose faults change and to which things happen while it runs. Texts are YAML or JSON, with
// the names of its scenario files; an error says what is wrong with a text, and then nothing has changed.
type Controlled interface {
	FaultsJSON() ([]byte, error)                     // those that are on, as one JSON object
	PatchFaults(text []byte) (now []byte, err error) // changes those that the text names; now is as FaultsJSON
	Happen(event []byte) error                       // an event of a scenario, now
}

// Control serves the control interface of a simulator on l until ctx ends:
//
//	GET   /faults   the faults that are on
//	PATCH /faults   change those that the body names; the answer is all that are on
//	POST  /events   let one event happen now
//
// Bodies are JSON, or YAML as in a scenario file. It answers only under a loopback name, and no web page of another origin.
func Control(ctx context.Context, l net.Listener, d Controlled) error {
	srv := &http.Server{Handler: ControlHandler(d), ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	g, inner := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("control interface: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		<-inner.Done()
		return srv.Close()
	})
	return g.Wait()
}

// CheckControlAddress refuses an address that other machines can reach.
func CheckControlAddress(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%q is no address; write 127.0.0.1:0", addr)
	}
	if !loopback(host) {
		return fmt.Errorf("%s can be reached by other machines, and the control interface asks nobody who he is; write 127.0.0.1:0", addr)
	}
	return nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// maxControl bounds the body of a request in bytes.
const maxControl = 64 << 10

// ControlHandler is the control interface, see [Control].
func ControlHandler(d Controlled) http.Handler {
	mux := http.NewServeMux()
	show := func(w http.ResponseWriter, b []byte, err error) {
		if err != nil {
			refuse(w, http.StatusUnprocessableEntity, plainMessage(err))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(b)
	}
	mux.HandleFunc("GET /faults", func(w http.ResponseWriter, _ *http.Request) {
		b, err := d.FaultsJSON()
		show(w, b, err)
	})
	mux.HandleFunc("PATCH /faults", func(w http.ResponseWriter, r *http.Request) {
		if body, ok := readBody(w, r); ok {
			b, err := d.PatchFaults(body)
			show(w, b, err)
		}
	})
	mux.HandleFunc("POST /events", func(w http.ResponseWriter, r *http.Request) {
		body, ok := readBody(w, r)
		if !ok {
			return
		}
		if err := d.Happen(body); err != nil {
			refuse(w, http.StatusUnprocessableEntity, plainMessage(err))
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "there are GET /faults, PATCH /faults and POST /events")
	})
	return LoopbackOnly(http.NewCrossOriginProtection().Handler(mux))
}

// LoopbackOnly answers under a loopback name alone, so that no web page reaches what is behind it by a name of its own.
func LoopbackOnly(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if !loopback(host) {
			refuse(w, http.StatusMisdirectedRequest, "ask for 127.0.0.1 or localhost")
			return
		}
		h.ServeHTTP(w, r)
	})
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxControl))
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, err.Error())
		return nil, false
	}
	return body, true
}

// refuse answers with an RFC 9457 problem.
func refuse(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"title": http.StatusText(status), "status": status, "detail": detail})
}
