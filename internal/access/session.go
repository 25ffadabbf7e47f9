package access

import (
	"encoding/base64"
	"fmt"
	"io"
	"sync"
	"time"
)

// Life of a session of the page.
const (
	IdleLimit       = 12 * time.Hour     // without a request or an open stream of events
	AbsoluteLimit   = 7 * 24 * time.Hour // whatever happens
	maxSessions     = 1000
	maxUserSessions = 50
)

// session is one browser that signed in. Its fields are guarded by the lock of [Access].
type session struct {
	user     string
	password string // the hash that was checked; another one ends the session
	started  time.Time
	seen     time.Time
	held     int // open streams
	ended    chan struct{}
}

func (s *session) over(now time.Time) bool {
	return now.Sub(s.started) >= AbsoluteLimit || s.held == 0 && now.Sub(s.seen) >= IdleLimit
}

// StartSession signs a user in who was recognised by [Access.Login] and returns the secret of the cookie. When there are
// too many sessions, the one of the same user, or else of anybody, that was idle for longest ends.
func (a *Access) StartSession(id *Identity) (secret string, err error) {
	b := make([]byte, 32)
	if _, err := io.ReadFull(a.rand, b); err != nil {
		return "", fmt.Errorf("random bytes: %w", err)
	}
	secret = base64.RawURLEncoding.EncodeToString(b)
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	u := a.users[id.Name]
	if u == nil || u.password != id.stored {
		return "", ErrBadLogin // removed or changed in between
	}
	mine := 0
	for key, s := range a.sessions {
		if s.over(now) {
			a.end(key)
		} else if s.user == id.Name {
			mine++
		}
	}
	if mine >= maxUserSessions {
		a.endIdlest(id.Name)
	} else if len(a.sessions) >= maxSessions {
		a.endIdlest("")
	}
	a.sessions[sumOf(secret)] = &session{user: id.Name, password: u.password, started: now, seen: now, ended: make(chan struct{})}
	return secret, nil
}

// endIdlest ends the session of a user, or of anybody, that was used longest ago.
func (a *Access) endIdlest(user string) {
	var oldest sum
	var found *session
	for key, s := range a.sessions {
		if (user == "" || s.user == user) && (found == nil || s.seen.Before(found.seen)) {
			oldest, found = key, s
		}
	}
	if found != nil {
		a.end(oldest)
	}
}

func (a *Access) end(key sum) {
	if s := a.sessions[key]; s != nil {
		close(s.ended)
		delete(a.sessions, key)
	}
}

// Session recognises the secret of a cookie.
func (a *Access) Session(secret string) (*Identity, error) {
	if len(secret) > maxSecret {
		return nil, ErrNoLogin
	}
	key := sumOf(secret)
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.sessions[key]
	if s == nil {
		return nil, ErrNoLogin
	}
	u := a.users[s.user]
	if s.over(now) || u == nil {
		a.end(key)
		return nil, ErrNoLogin
	}
	s.seen = now
	id := u.identity(ViaSession)
	id.Expires, id.ended = s.started.Add(AbsoluteLimit), s.ended
	id.hold = func() func() {
		a.mu.Lock()
		s.held++
		a.mu.Unlock()
		return sync.OnceFunc(func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			s.held--
			s.seen = time.Now()
		})
	}
	return id, nil
}

// EndSession signs a browser out. It is idempotent.
func (a *Access) EndSession(secret string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.end(sumOf(secret))
}
