package atem

import (
	"errors"
	"fmt"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/atem"
)

// order is one command of a packet that was let through.
type order struct {
	action driver.Action
	field  atem.Field
}

// questionEvery is how often a question that every client may ask goes to the switcher; its answer goes to all of them.
const questionEvery = 100 * time.Millisecond

// isQuestion reports whether a command changes nothing.
func isQuestion(c atem.Code) bool {
	switch c {
	case atem.CodeTiRq, atem.CodeDSTR, atem.CodeSRDR, atem.CodeRMDR:
		return true
	}
	return false
}

// isTransfer reports whether a field belongs to a transfer that has begun: what began it was asked about.
func isTransfer(c atem.Code) bool {
	switch c {
	case atem.CodeFTDa, atem.CodeFTUA, atem.CodeFTDC, atem.CodeFTFD, atem.CodeFTAD:
		return true
	}
	return false
}

// command takes a packet of a client. Its commands stay together: all of them go to the switcher in one packet, or, when one
// is refused, none, since half of what somebody wanted could be worse than nothing.
func (p *proxy) command(cl *client, payload []byte) {
	h := cl.hub
	ver := h.version()
	var orders []order
	refused := false
	for f, err := range atem.Fields(payload) {
		if err != nil {
			if cl.reported.First("") {
				p.env.Log.Warn("a program sends what is no command", "client", cl.who.Addr, "error", err)
			}
			break
		}
		switch {
		case f.Code == atem.CodeSALN || f.Code == atem.CodeSFLN:
			on := len(f.Body) > 0 && f.Body[0]&1 != 0
			h.meter(func() { cl.meters = on })
			continue
		case isQuestion(f.Code) || isTransfer(f.Code):
			orders = append(orders, order{field: f})
			continue
		}
		a := driver.Action{Device: h.name, Raw: f.Code.String(), Value: device.OfString(say(ver, &f))}
		cl.commands.Add(1)
		if err := p.judge(cl, ver, &f, a); err != nil {
			p.refuse(cl, a, err)
			refused = true
			continue
		}
		orders = append(orders, order{a, f})
	}
	if refused {
		for _, o := range orders {
			if o.action.Raw != "" {
				p.refuse(cl, o.action, errCompany)
			}
		}
		return
	}
	sent, err := h.forward(cl, orders)
	for i, o := range orders {
		if o.action.Raw == "" {
			continue
		}
		outcome := driver.Outcome{Stage: driver.Sent}
		switch {
		case err != nil:
			outcome = driver.Outcome{Stage: driver.Refused, Err: err}
		case !sent[i]:
			outcome = driver.Outcome{Stage: driver.Refused, Err: errTaken}
		default:
			p.forwarded.Add(1)
		}
		cl.did(o.action.Value.Str())
		p.env.Gate.Done(cl.who, o.action, outcome)
	}
}

var (
	errCompany = errors.New("another command of the same packet was refused")
	errTaken   = errors.New("somebody else has the store, or it was not locked")
)

// judge asks the rules of the server, and then the gate.
func (p *proxy) judge(cl *client, ver atem.Version, f *atem.Field, a driver.Action) error {
	for _, c := range cl.rights {
		if c.allows(ver, f) {
			return p.env.Gate.Allow(cl.who, a)
		}
	}
	return &driver.Error{Op: "forward", Target: a.Device, Class: driver.Auth, Err: fmt.Errorf("%s is not let through", a.Value.Str()),
		Hint: fmt.Sprintf("allow it in the configuration: devices.%s.serve.allow: [%q]", p.hubs[0].name, lineFor(ver, f))}
}

// refuse counts a refusal, and reports it when it is the first of its kind from this client: a program that repeats a command
// must not fill the audit.
func (p *proxy) refuse(cl *client, a driver.Action, err error) {
	cl.refused.Add(1)
	p.refusals.Add(1)
	hint := driver.HintOf(err)
	if hint == "" {
		hint = err.Error()
	}
	cl.refusal(a.Value.Str() + ": " + hint)
	if cl.reported.First(a.Raw) {
		p.env.Log.Warn("refused a command of a program", "client", cl.who.Addr, "user", cl.who.User, "command", a.Value.Str(), "why", err, "hint", driver.HintOf(err))
		p.env.Gate.Done(cl.who, a, driver.Outcome{Stage: driver.Refused, Err: err})
	}
}

// forward sends the commands of one packet as one packet. sent says of each whether it was among them: locks and transfers
// that are somebody else's are not.
func (h *hub) forward(cl *client, orders []order) (sent []bool, err error) {
	sent = make([]bool, len(orders))
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.up == nil || !h.clients[cl] {
		return sent, errAway
	}
	var payload []byte
	for i := range orders {
		f := &orders[i].field
		switch c := f.Code; {
		case isQuestion(c):
			if now := time.Now(); now.Sub(h.asked[c]) >= questionEvery {
				h.asked[c] = now
				break
			}
			continue
		case c == atem.CodeLOCK || c == atem.CodePLCK:
			if !h.lock(cl, f) {
				continue
			}
		case c == atem.CodeFTSD || c == atem.CodeFTSU || isTransfer(c):
			if f = h.fromClient(cl, f); f == nil {
				continue
			}
		}
		sent[i] = true
		payload = appendField(payload, f)
	}
	if len(payload) == 0 {
		return sent, nil
	}
	return sent, h.up.SendRaw(payload)
}
