package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchbay-io/patchbay/internal/access"
	"github.com/patchbay-io/patchbay/internal/audit"
)

// Me is who asks and what they may do.
type Me struct {
	Access      string   `json:"access" enum:"open,login" doc:"open: the gateway has no users, and everybody who reaches it may do everything"`
	User        string   `json:"user" doc:"empty while access is open"`
	Role        string   `json:"role" enum:"viewer,operator,admin"`
	Via         string   `json:"via" enum:"open,session,token"`
	Writable    []string `json:"writable" doc:"patterns DEVICE/PATH that narrow what may be written; null: everything that the devices allow"`
	Expires     string   `json:"expires,omitempty" format:"date-time" doc:"when the session ends at the latest"`
	Insecure    bool     `json:"insecure" doc:"others reach this gateway without users or without TLS, as its configuration says"`
	InsecureWhy string   `json:"insecure_why,omitempty" doc:"what is missing: no users, no TLS, or both"`
}

// LoginRequest signs a user in.
type LoginRequest struct {
	User     string `json:"user" maxLength:"1024"`
	Password string `json:"password" maxLength:"1024"`
}

type inLogin struct{ Body LoginRequest }

type withCookie struct {
	SetCookie string `header:"Set-Cookie"`
	Body      Me
}

type loggedOut struct {
	SetCookie string `header:"Set-Cookie"`
}

// AuditList is a part of the audit.
type AuditList struct {
	Seq     uint64        `json:"seq" doc:"pass it as since to get what follows"`
	Entries []audit.Entry `json:"entries"`
}

func (s *Server) accessRoutes(api huma.API) {
	huma.Register(api, get("/me", "me", "Who asks, and what they may do"),
		func(ctx context.Context, _ *struct{}) (*answer[Me], error) {
			return &answer[Me]{s.me(requesterOf(ctx).id)}, nil
		})
	login := get("/login", "login", "Sign in; the answer carries the cookie of the session")
	login.Method, login.MaxBodyBytes = http.MethodPost, 16<<10
	huma.Register(api, login, s.login)
	logout := get("/logout", "logout", "Sign out; streams of events of the session end")
	logout.Method, logout.DefaultStatus = http.MethodPost, http.StatusNoContent
	huma.Register(api, logout, s.logout)
	huma.Register(api, get("/audit", "audit", "Who did what, oldest first; for admins"),
		func(_ context.Context, in *struct {
			Since uint64 `query:"since" doc:"only entries after this"`
			Max   int    `query:"max" minimum:"0" maximum:"1000" doc:"at most so many; 0: all that are kept"`
		}) (*answer[AuditList], error) {
			out := AuditList{Seq: in.Since, Entries: s.cfg.Audit.Since(in.Since, in.Max)}
			for _, e := range out.Entries {
				out.Seq = max(out.Seq, e.Seq)
			}
			return &answer[AuditList]{out}, nil
		})
}

func (s *Server) me(id *access.Identity) Me {
	m := Me{Access: "login", User: id.Name, Role: id.Role.String(), Via: id.Via, Expires: stamp(id.Expires), InsecureWhy: s.Insecure()}
	if id.Via == access.ViaOpen {
		m.Access = "open"
	}
	if id.Limited && id.Role < access.Admin {
		m.Writable = id.Writable
	}
	m.Insecure = m.InsecureWhy != ""
	return m
}

// Insecure says what this door lacks, being reachable for others: "no users", "no TLS" or both. Empty: nothing.
func (s *Server) Insecure() string {
	_, open := s.access.Anyone()
	return access.Insecure(s.where(), !open, s.cfg.TLS != nil)
}

// where is the address of the door, as far as it is known.
func (s *Server) where() string {
	switch a := s.Addr(); {
	case a != nil:
		return a.String()
	case s.cfg.Listener != nil:
		return s.cfg.Listener.Addr().String()
	}
	return s.cfg.Listen
}

// exposed reports whether others than this machine reach the door.
func (s *Server) exposed() bool { return access.Exposed(s.where()) }

func (s *Server) login(ctx context.Context, in *inLogin) (*withCookie, error) {
	q := requesterOf(ctx)
	entry := audit.Entry{What: audit.Login, Door: "http", Addr: q.addr, Outcome: "ok"}
	if s.access.Known(in.Body.User) {
		entry.User = in.Body.User
	}
	id, err := s.access.Login(ctx, in.Body.User, in.Body.Password, q.addr)
	var secret string
	if err == nil {
		secret, err = s.access.StartSession(id)
	}
	if err != nil {
		p, headers := refusedLogin(err)
		if p.Status == http.StatusUnauthorized {
			entry.Outcome, entry.Why = "refused", p.Detail
			if entry.User == "" {
				entry.Why = "there is no such user"
			}
			s.record(entry)
		}
		return nil, huma.ErrorWithHeaders(p, headers)
	}
	s.access.EndSession(q.cookie) // the one before in the same browser
	s.record(entry)
	if id, err = s.access.Session(secret); err != nil {
		p, _ := refusedLogin(access.ErrBadLogin) // taken out of the configuration this moment
		return nil, p
	}
	return &withCookie{cookie(secret, access.AbsoluteLimit, q.tls), s.me(id)}, nil
}

func (s *Server) logout(ctx context.Context, _ *struct{}) (*loggedOut, error) {
	q := requesterOf(ctx)
	if q.id.Via == access.ViaSession {
		s.access.EndSession(q.cookie)
		s.record(audit.Entry{What: audit.Logout, User: q.id.Name, Door: "http", Addr: q.addr, Outcome: "ok"})
	}
	return &loggedOut{cookie("", -time.Second, q.tls)}, nil
}

// cookie is the header that gives a browser the secret of its session for a time, or takes it away when that is negative.
func cookie(secret string, life time.Duration, tls bool) string {
	c := http.Cookie{Name: cookieName, Value: secret, Path: "/", HttpOnly: true, Secure: tls, SameSite: http.SameSiteStrictMode,
		MaxAge: max(int(life/time.Second), -1)}
	return c.String()
}
