package access

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/patchbay-io/patchbay/internal/driver"
)

// User is somebody who signs in with a password.
type User struct {
	Name     string
	Password string // argon2id hash in its text form
	Role     Role
	Writable []string // patterns DEVICE/PATH; nil: everything that the devices allow
}

// Token lets a program in without a password.
type Token struct {
	Name     string
	SHA256   string // of the token, hex
	Role     Role
	Writable []string // as of a User
}

// Set is everybody who is configured. No name stands twice, tokens included.
type Set struct {
	Users  []User
	Tokens []Token
	// WriteRate is how many points a user or token may write in a second, with twice as many at once; 0: no limit.
	WriteRate float64
}

// Access recognises people and programs. All methods are safe for concurrent use.
type Access struct {
	rand    io.Reader
	checker *checker
	slow    throttle

	mu       sync.Mutex
	users    map[string]*member
	tokens   []*member
	sessions map[sum]*session
	open     chan struct{} // closed when somebody is configured; nil: somebody is
	rate     float64
}

// member is a user or a token.
type member struct {
	name     string
	password string // of a user
	hash     *hash
	sum      sum // of a token
	role     Role
	writable []string
	ended    chan struct{} // of a token
	writes   *rate.Limiter // nil: no limit
}

// New makes an access that is open until [Access.Set] names somebody. rand gives the bits of sessions.
func New(rand io.Reader) (*Access, error) {
	c, err := newChecker(rand)
	if err != nil {
		return nil, err
	}
	return &Access{rand: rand, checker: c, users: map[string]*member{}, sessions: map[sum]*session{}, open: make(chan struct{})}, nil
}

// Set puts s in the place of what was configured before. Sessions go on when their user is still there with the same
// password; role and patterns count from now on. An error names the entry that is wrong, and nothing has changed then.
func (a *Access) Set(s Set) error {
	users, tokens, err := s.members()
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, m := range users {
		m.writes = a.limiter(a.users[m.name], s.WriteRate)
	}
	for _, m := range tokens {
		before := a.token(m.name)
		m.writes = a.limiter(before, s.WriteRate)
		if before != nil && before.sum == m.sum {
			m.ended = before.ended
		}
	}
	for _, m := range a.tokens {
		if !slices.ContainsFunc(tokens, func(n *member) bool { return n.ended == m.ended }) {
			close(m.ended)
		}
	}
	a.users, a.tokens, a.rate = users, tokens, s.WriteRate
	for key, ses := range a.sessions {
		if u := users[ses.user]; u == nil || u.password != ses.password {
			a.end(key)
		}
	}
	switch somebody := len(users)+len(tokens) > 0; {
	case somebody && a.open != nil:
		close(a.open)
		a.open = nil
	case !somebody && a.open == nil:
		a.open = make(chan struct{})
	}
	return nil
}

// limiter keeps the one that somebody has had, so that a reload gives no fresh start.
func (a *Access) limiter(before *member, r float64) *rate.Limiter {
	switch {
	case r <= 0:
		return nil
	case before != nil && before.writes != nil && a.rate == r:
		return before.writes
	}
	return rate.NewLimiter(rate.Limit(r), int(max(2*r, 1)))
}

func (s *Set) members() (users map[string]*member, tokens []*member, err error) {
	users = make(map[string]*member, len(s.Users))
	names := map[string]bool{}
	add := func(name string, role Role) error {
		switch {
		case name == "":
			return errors.New("a user or token has no name")
		case names[name]:
			return fmt.Errorf("%q stands twice among users and tokens", name)
		case role.String() == "":
			return fmt.Errorf("%q has no role", name)
		}
		names[name] = true
		return nil
	}
	for _, u := range s.Users {
		if err := add(u.Name, u.Role); err != nil {
			return nil, nil, err
		}
		h, err := parseHash(u.Password)
		if err != nil {
			return nil, nil, fmt.Errorf("user %q: %w", u.Name, err)
		}
		users[u.Name] = &member{name: u.Name, password: u.Password, hash: h, role: u.Role, writable: u.Writable}
	}
	for _, t := range s.Tokens {
		if err := add(t.Name, t.Role); err != nil {
			return nil, nil, err
		}
		sum, err := parseSum(t.SHA256)
		if err != nil {
			return nil, nil, fmt.Errorf("token %q: %w", t.Name, err)
		}
		tokens = append(tokens, &member{name: t.Name, sum: sum, role: t.Role, writable: t.Writable, ended: make(chan struct{})})
	}
	return users, tokens, nil
}

func (m *member) identity(via string) *Identity {
	return &Identity{Name: m.name, Role: m.role, Via: via, Writable: m.writable, Limited: m.writable != nil}
}

func (a *Access) token(name string) *member {
	for _, t := range a.tokens {
		if t.name == name {
			return t
		}
	}
	return nil
}

// Anyone is who may do everything while access is open; false when somebody is configured.
func (a *Access) Anyone() (*Identity, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open == nil {
		return nil, false
	}
	return &Identity{Role: Admin, Via: ViaOpen, ended: a.open}, true
}

// Login checks the password of a user. It takes tens of milliseconds and megabytes, and waits while two others are
// checked; ctx bounds the wait. from is the address that asks; one that failed five times waits before each further
// attempt. The error is ErrBadLogin, ErrNoUsers, ErrBusy, a *TooMany or that of ctx.
func (a *Access) Login(ctx context.Context, user, password, from string) (*Identity, error) {
	a.mu.Lock()
	m, open := a.users[user], a.open != nil
	a.mu.Unlock()
	if open {
		return nil, ErrNoUsers
	}
	addr := hostOf(from)
	if wait := a.slow.begin(addr); wait > 0 {
		return nil, &TooMany{What: "failed logins from " + addr, After: wait}
	}
	if len(user) > maxSecret || len(password) > maxSecret {
		return nil, ErrBadLogin
	}
	h, stored := stranger(), ""
	if m != nil {
		h, stored = m.hash, m.password
	}
	mark := a.checker.mark(user, stored, password)
	if m == nil || !a.checker.known(mark) {
		ok, err := a.checker.check(ctx, h, mark, password)
		if err != nil {
			a.slow.undo(addr)
			return nil, err
		}
		if !ok || m == nil {
			return nil, ErrBadLogin
		}
	}
	a.slow.clear(addr)
	id := m.identity(ViaSession)
	id.stored = stored
	return id, nil
}

// Known reports whether a user of that name is configured, for the audit: what is typed into the field of the name is
// now and then a password.
func (a *Access) Known(user string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.users[user] != nil
}

// Token recognises a token.
func (a *Access) Token(token string) (*Identity, error) {
	if len(token) > maxSecret {
		return nil, ErrBadToken
	}
	given := sumOf(token)
	a.mu.Lock()
	defer a.mu.Unlock()
	var found *member
	for _, t := range a.tokens {
		if subtle.ConstantTimeCompare(given[:], t.sum[:]) == 1 {
			found = t
		}
	}
	if found == nil {
		return nil, ErrBadToken
	}
	id := found.identity(ViaToken)
	id.ended = found.ended
	return id, nil
}

// May says whether who, named as in the configuration of this moment, may do a to a point or command of that hazard. Nil:
// yes; else a *Denied. The configuration of the device counts besides.
func (a *Access) May(who driver.Who, act driver.Action, hazard string) error {
	m, open := a.member(who.User)
	switch {
	case open:
		return nil
	case m == nil && who.User == "":
		return &Denied{"nobody is signed in", "sign in, or give a token"}
	case m == nil:
		return &Denied{fmt.Sprintf("%q is no longer a user", who.User), "sign in again"}
	case m.role < Operator:
		return &Denied{fmt.Sprintf("%s is a %s and may only read", m.name, m.role),
			fmt.Sprintf("an operator may write; the role stands in the configuration: %s: {%s: {role: …}}", m.section(), m.name)}
	}
	id := m.identity("")
	if id.MayWrite(act.Device, act.Path, hazard) {
		return nil
	}
	d := &Denied{Text: m.name + " may not write it",
		Hint: fmt.Sprintf(`allow it in the configuration: %s: {%s: {writable: ["%s/%s"]}}`, m.section(), m.name, act.Device, act.Path.Grant())}
	if id.MayWrite(act.Device, act.Path, "") {
		d.Text = "it is a hazard point, which a wildcard of " + m.name + " never grants"
	}
	return d
}

func (m *member) section() string {
	if m.hash == nil {
		return "tokens"
	}
	return "users"
}

// member finds a user or token by name, and whether access is open.
func (a *Access) member(name string) (*member, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if m := a.users[name]; m != nil {
		return m, false
	}
	return a.token(name), a.open != nil
}

// Spend takes n writes of what somebody may do in a second. The error is a *TooMany, and nothing was taken then. One call
// may ask for more than a second's worth: it is granted when nothing was spent before.
func (a *Access) Spend(who driver.Who, n int) error {
	m, open := a.member(who.User)
	if open || m == nil || m.writes == nil {
		return nil
	}
	now := time.Now()
	r := m.writes.ReserveN(now, min(n, m.writes.Burst()))
	wait := r.DelayFrom(now)
	if wait == 0 {
		return nil
	}
	r.CancelAt(now)
	return &TooMany{What: fmt.Sprintf("writes by %s, who has %g a second", m.name, float64(m.writes.Limit())), After: wait}
}
