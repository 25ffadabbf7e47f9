package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"

	"golang.org/x/time/rate"

	"github.com/patchbay-io/patchbay/internal/access"
	"github.com/patchbay-io/patchbay/internal/audit"
	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// Gate asks for permission and keeps the audit for servers that act on a device without [Gateway.Write]: native servers,
// whose messages are not always writes of points. door names the server, "focas". The same users, patterns and limits
// count as for writes. A server whose protocol has no logins passes a Who without user; then the device's configuration
// alone decides: writable for points, and for what is no point the server's own rules, which must have named Raw.
//
// What comes without a user shares one allowance per server: four hundred actions a second, a thousand at once.
func (g *Gateway) Gate(door string) driver.Gate {
	return &gate{g, door, rate.NewLimiter(namelessRate, namelessBurst)}
}

// The allowance of actions without a user, a second and at once. A program that connects to a video switcher may send three
// hundred, and each handle that somebody moves fifty a second.
const (
	namelessRate  = 400
	namelessBurst = 1000
)

type gate struct {
	g        *Gateway
	door     string
	nameless *rate.Limiter
}

// Login checks a user's password. While nobody is configured everybody is let in, without a name.
func (t *gate) Login(ctx context.Context, user, secret string, from net.Addr) (driver.Who, error) {
	who := driver.Who{Door: t.door, Addr: from.String()}
	a := t.g.opt.Access
	if a == nil {
		return who, nil
	}
	e := audit.Entry{What: audit.Login, Door: t.door, Addr: who.Addr, Outcome: "ok"}
	if a.Known(user) {
		e.User = user
	}
	_, err := a.Login(ctx, user, secret, who.Addr)
	switch {
	case errors.Is(err, access.ErrNoUsers):
		return who, nil
	case errors.Is(err, access.ErrBadLogin):
		e.Outcome, e.Why = "refused", err.Error()
		t.g.record(e)
		fallthrough
	case err != nil:
		return driver.Who{}, &driver.Error{Op: "login", Target: t.door, Class: driver.Auth, Err: err}
	}
	t.g.record(e)
	who.User = user
	return who, nil
}

// Allow says whether who may do a; nil: yes. It records nothing: the server calls Done in every case.
func (t *gate) Allow(who driver.Who, a driver.Action) error {
	l, e := t.g.reachable(a.Device, a.Path)
	if e != nil {
		return e
	}
	if who.User != "" {
		if err := t.g.spend(who, 1); err != nil {
			return err
		}
	} else if !t.nameless.Allow() {
		return &north.WriteError{Code: "too-many-writes", Device: a.Device, Path: a.Path, Class: driver.Busy,
			Text: fmt.Sprintf("programs without a user have %d actions a second in all", namelessRate), Hint: "send fewer, or the same later"}
	}
	if a.Path == "" {
		if a.Raw == "" {
			return &north.WriteError{Code: "forbidden", Device: a.Device, Class: driver.Auth, Text: "an action without a name is never allowed"}
		}
		if who.User == "" {
			return nil
		}
		// Nobody knows what it moves, so who has patterns needs one that names it: DEVICE/CPgI.
		named := a
		named.Path = device.Path(a.Raw)
		return denied(t.g.may(who, named, device.HazardMove), named)
	}
	hazard := device.HazardMove
	if p, ok := t.g.tree.Point(a.Device, a.Path); ok {
		hazard = p.Spec.Hazard
	}
	cfg := l.config()
	nd := cfg.north()
	if who.User == "" {
		return asError(granted(&nd, hazard, a))
	}
	return asError(t.g.authorize(who, &nd, hazard, a))
}

// Done records what became of an action, refused ones included.
func (t *gate) Done(who driver.Who, a driver.Action, o driver.Outcome) {
	e := audit.Entry{What: audit.Native, User: who.User, Door: t.door, Addr: who.Addr, Device: a.Device, Path: string(a.Path), Raw: a.Raw,
		Outcome: outcomeName(o.Stage)}
	if !a.Value.IsZero() {
		e.New = a.Value.String()
	}
	if !a.Old.IsZero() {
		e.Old = a.Old.String()
	}
	if o.Err != nil {
		e.Why = o.Err.Error()
	}
	t.g.record(e)
	var line []any // what there is: most actions have no user, and a path or a message of the protocol
	for _, x := range [...]struct{ key, text string }{{"user", e.User}, {"door", e.Door}, {"from", e.Addr}, {"device", e.Device}, {"path", e.Path},
		{"raw", e.Raw}, {"old", e.Old}, {"new", e.New}, {"outcome", e.Outcome}, {"why", e.Why}} {
		if x.text != "" {
			line = append(line, x.key, x.text)
		}
	}
	t.g.log.Info(e.What, line...)
}

func outcomeName(s driver.Stage) string {
	switch s {
	case driver.Refused:
		return string(north.StageRefused)
	case driver.Sent:
		return string(north.StageSent)
	case driver.Acked:
		return string(north.StageAcknowledged)
	case driver.Uncertain:
		return string(north.StageUncertain)
	}
	return fmt.Sprintf("stage %d", s)
}

func asError(e *north.WriteError) error {
	if e == nil {
		return nil
	}
	return e
}

func (g *Gateway) record(e audit.Entry) {
	if g.opt.Audit != nil {
		g.opt.Audit.Add(e)
	}
}
