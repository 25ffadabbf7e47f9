package focas

import (
	"encoding/hex"
	"fmt"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/focas"
)

// verdict is what happens to one block of a client.
type verdict uint8

const (
	isRefused verdict = iota
	isRead            // may be answered from what another client has just got
	isUnit            // a choice of a PMC unit: answered here, since nothing of it may reach other clients
	isChange          // let through by configuration and the gate
)

// effectOf is what a block does to the control. A function is known only in its own half of the control.
func effectOf(q *focas.Request) focas.Effect {
	pmc := q.Func&0x8000 != 0
	if q.Class == focas.ClassPMC && pmc || q.Class == focas.ClassCNC && !pmc {
		return q.Func.Info().Effect
	}
	return focas.EffectUnknown
}

// refusalOf is the code that a client gets for a block that is not let through: what a control says that has its memory
// locked, that rejects an action in its present state, and that does not have the function.
func refusalOf(e focas.Effect) focas.Code {
	switch e {
	case focas.EffectWrite:
		return focas.EWProt
	case focas.EffectAction:
		return focas.EWReject
	}
	return focas.EWFunc
}

// maxShown bounds how much of a block's content the audit shows, in bytes.
const maxShown = 64

// actionOf describes a block to the gate. Raw is the number, which is what a rule names; the value is the call with its
// arguments and the beginning of its data.
func actionOf(dev string, q *focas.Request) driver.Action {
	shown := q.Data[:min(len(q.Data), maxShown)]
	text := fmt.Sprintf("%v path %d args %d data %s", q.Func, q.Path, q.Args, hex.EncodeToString(shown))
	if len(shown) < len(q.Data) {
		text += fmt.Sprintf("… (%d bytes)", len(q.Data))
	}
	return driver.Action{Device: dev, Value: device.OfString(text), Raw: fmt.Sprintf("%#04x", uint16(q.Func))}
}

// judge decides about one block. A refusal comes with its code.
func (p *proxy) judge(cl *client, q *focas.Request) (verdict, focas.Code) {
	effect := effectOf(q)
	switch {
	case q.Class == focas.ClassPMC && q.Func == focas.FuncSelectPMCUnit:
		return isUnit, 0
	case effect == focas.EffectRead:
		return isRead, 0
	}
	var err error
	action := actionOf(p.device, q)
	switch {
	case !p.opts.Allow.funcs[q.Func]:
		word := action.Raw
		if names := q.Func.Info().FOCAS; len(names) > 0 {
			word = names[0]
		}
		err = notAllowed(p.device, fmt.Sprintf("%v (%s)", q.Func, action.Raw), word)
	default:
		if err = p.env.Gate.Allow(cl.who(), action); err == nil {
			return isChange, 0
		}
	}
	p.refuse(cl, action, err)
	return isRefused, refusalOf(effect)
}

func notAllowed(dev, what, word string) error {
	return &driver.Error{Op: "forward", Target: dev, Class: driver.Auth, Err: fmt.Errorf("%s is not let through", what),
		Hint: fmt.Sprintf("add it to the device's section to allow it: devices.%s.serve.allow: [%s]", dev, word)}
}

// refuse counts a refusal, and reports it when it is the first of its kind from this client: a program that polls a
// refused call must not fill the audit.
func (p *proxy) refuse(cl *client, action driver.Action, err error) {
	cl.refused.Add(1)
	p.refusals.Add(1)
	if cl.reported.First(action.Raw) {
		p.env.Log.Warn("refused a call of a FOCAS program", "client", cl.addr, "call", action.Value.Str(), "why", err, "hint", driver.HintOf(err))
		p.env.Gate.Done(cl.who(), action, driver.Outcome{Stage: driver.Refused, Err: err})
	}
}

// outcomeOf is how an action that was let through ended.
func outcomeOf(code focas.Code, f focas.Func, err error) driver.Outcome {
	switch {
	case isRefusal(err):
		return driver.Outcome{Stage: driver.Refused, Err: err}
	case err != nil:
		return driver.Outcome{Stage: driver.Uncertain, Err: err}
	case code != 0:
		return driver.Outcome{Stage: driver.Refused, Err: &focas.Error{Func: f, Code: code}}
	}
	return driver.Outcome{Stage: driver.Acked}
}
