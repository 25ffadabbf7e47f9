package httpapi

import (
	"context"
	"crypto/rand"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/patchbay-io/patchbay/internal/access"
	"github.com/patchbay-io/patchbay/internal/audit"
	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// cookieName is the cookie of a session.
const cookieName = "patchbay"

// requester is who sends a request.
type requester struct {
	id     *access.Identity // nil: nobody, on what is public
	addr   string
	tls    bool
	cookie string // the secret of its session, good or not
}

type requesterKey struct{}

func requesterOf(ctx context.Context) *requester {
	if q, ok := ctx.Value(requesterKey{}).(*requester); ok {
		return q
	}
	return &requester{}
}

// who is the origin of writes, for the gateway.
func who(ctx context.Context) driver.Who {
	q := requesterOf(ctx)
	w := driver.Who{Door: "http", Addr: q.addr}
	if q.id != nil {
		w.User = q.id.Name
	}
	return w
}

// public are the patterns that need no login: the page itself, so that it can ask for one.
var public = map[string]bool{"/": true, "GET /healthz": true, "POST " + base + "/login": true}

// gated are the patterns that change something and still need no more than a login: the gateway decides about each write,
// so that refusals are in its log, and everybody may sign out. Everything else that is no GET is for admins.
var gated = map[string]bool{
	"POST " + base + "/writes": true, "POST " + base + "/devices/{device}/commands": true,
	"PUT " + base + "/devices/{device}/value": true, "POST " + base + "/logout": true,
}

// adminReads are the GETs that need more than a viewer.
var adminReads = map[string]bool{"GET " + base + "/audit": true}

// needs is the least role for a pattern.
func needs(pattern, method string) access.Role {
	switch {
	case gated[pattern]:
		return access.Viewer
	case adminReads[pattern]:
		return access.Admin
	case pattern == base[:5], method == http.MethodGet, method == http.MethodHead: // an unknown address is told to everybody
		return access.Viewer
	}
	return access.Admin
}

// authenticate lets nobody pass who is not known, except to what is public.
func (s *Server) authenticate(mux *http.ServeMux, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, pattern := mux.Handler(r)
		q := &requester{addr: r.RemoteAddr, tls: r.TLS != nil}
		if c, err := r.Cookie(cookieName); err == nil {
			q.cookie = c.Value
		}
		id, err := s.identify(r, q.cookie)
		switch {
		case err == nil:
			q.id = id
			if least := needs(pattern, r.Method); id.Role < least && !public[pattern] {
				p := problem(http.StatusForbidden, "forbidden", id.Name+" is "+a(id.Role)+"; this needs "+a(least), "ask somebody who is")
				p.Class = driver.Auth.String()
				p.write(w)
				return
			}
		case !public[pattern]:
			w.Header().Set("WWW-Authenticate", `Bearer realm="patchbay"`)
			notKnown(err).write(w)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requesterKey{}, q)))
	})
}

func a(r access.Role) string {
	if r == access.Viewer {
		return "a viewer"
	}
	return "an " + r.String()
}

// identify finds out who sends a request: a program by its token, the page by its cookie.
func (s *Server) identify(r *http.Request, cookie string) (*access.Identity, error) {
	if id, ok := s.access.Anyone(); ok {
		return id, nil
	}
	if h := r.Header.Get("Authorization"); h != "" {
		scheme, token, _ := strings.Cut(h, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return nil, access.ErrBadToken
		}
		id, err := s.access.Token(strings.TrimSpace(token))
		if err != nil {
			s.log.Warn("a request with an unknown token was refused", "from", r.RemoteAddr, "path", r.URL.Path)
		}
		return id, err
	}
	if cookie == "" {
		return nil, access.ErrNoLogin
	}
	return s.access.Session(cookie)
}

func notKnown(err error) *Problem {
	p := problem(http.StatusUnauthorized, "login-required", "this gateway wants to know who asks",
		"sign in at the page, or send a token: Authorization: Bearer TOKEN; `patchbay user token NAME` makes one")
	if errors.Is(err, access.ErrBadToken) {
		p.Code, p.Detail = "bad-token", "the token is not known to this gateway"
		p.Hint = "send it as Authorization: Bearer TOKEN; `patchbay user token NAME` makes a new one"
	}
	p.Class = driver.Auth.String()
	return p
}

// refusedLogin turns an error of a login into a problem, and says how long to wait.
func refusedLogin(err error) (*Problem, http.Header) {
	var many *access.TooMany
	switch {
	case errors.Is(err, access.ErrNoUsers):
		return problem(http.StatusConflict, "no-users", "this gateway has no users, so there is nothing to sign in to", "`patchbay user add NAME` makes the first"), nil
	case errors.As(err, &many):
		after := strconv.Itoa(int(math.Ceil(many.After.Seconds())))
		p := problem(http.StatusTooManyRequests, "too-many-logins", many.Error(), "wait "+after+" s; other addresses are not concerned")
		return p, http.Header{"Retry-After": {after}}
	case errors.Is(err, access.ErrBadLogin):
		p := problem(http.StatusUnauthorized, "bad-login", err.Error(), "check both; capital letters count")
		p.Class = driver.Auth.String()
		return p, nil
	}
	return problem(http.StatusServiceUnavailable, "busy", "the login could not be checked: "+err.Error(), "try again"), http.Header{"Retry-After": {"1"}}
}

// mayWrite says whether the configuration of device and requester allows a write, and which key of it to change if not.
func mayWrite(id *access.Identity, d *north.Device, path device.Path, hazard string) (may bool, key string) {
	if !d.MayWrite(path, hazard) || id == nil || id.MayWrite(d.Name, path, hazard) {
		return d.MayWrite(path, hazard), d.ConfigKey
	}
	section := "users."
	if id.Via == access.ViaToken {
		section = "tokens."
	}
	if id.Role < access.Operator {
		return false, section + id.Name + ".role"
	}
	return false, section + id.Name + ".writable"
}

func (s *Server) record(e audit.Entry) { s.cfg.Audit.Add(e) }

// openAccess is for a door that was given none: nobody is configured.
func openAccess() (*access.Access, error) { return access.New(rand.Reader) }

// noteReload says in the audit who read the configuration again.
func (s *Server) noteReload(ctx context.Context, err error) {
	w := who(ctx)
	e := audit.Entry{What: audit.Reload, User: w.User, Door: w.Door, Addr: w.Addr, Outcome: "ok"}
	if err != nil {
		e.Outcome, e.Why = "refused", err.Error()
	}
	s.record(e)
}
