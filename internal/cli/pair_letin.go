package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The paths of a server's own pairing: of programs that connect to the gateway as if to the device.
const (
	letInKey     = "_clients/server-key"
	letInName    = "_clients/pairing/name"
	letInCode    = "_clients/pairing/code"
	letInCodeFor = "_clients/pairing/code-for"
	letInCount   = "_clients/pairing/let-in"
	letInApprove = "_clients/pairing/approve"
	letInDeny    = "_clients/pairing/deny"
)

// letIn is the other side of pair: it waits for a program that wants to be let in to a device of a running gateway, asks the person
// here, and shows the code that the program is to be given.
func (a *app) letIn(ctx context.Context, dev string, f pairFlags) error {
	if isURL(dev) {
		return usageError(errors.New("--let-in is for a device of a running gateway, which programs connect to by its serve"))
	}
	ctx, cancel := context.WithTimeoutCause(ctx, f.patience, classFailure("timeout", errors.New("no program was let in"), "Give everybody more time with --patience."))
	defer cancel()
	t, places, err := a.connect(ctx, []string{dev}, nil)
	if err != nil {
		return err
	}
	defer t.close()
	return cause(ctx, a.letInSteps(ctx, t, places[0].device, f))
}

func (a *app) letInSteps(ctx context.Context, t *target, dev string, f pairFlags) error {
	key, err := a.pairValue(ctx, t, dev, letInKey)
	if err != nil {
		return classFailure("unsupported", fmt.Errorf("%s lets no programs in: %w", dev, err), "Programs for Focusrite Control 2 connect to a device with fc2:// that has serve in the configuration.")
	}
	before, err := a.pairValue(ctx, t, dev, letInCount)
	if err != nil {
		return err
	}
	a.say("Waiting for a program to ask. The public key of this server, if it wants to know: %s", key)
	name, code, err := a.letInWait(ctx, t, dev)
	if err != nil {
		return err
	}
	if code == "" {
		if yes, err := a.letInAsk(ctx, t, dev, name, f); err != nil || !yes {
			return err
		}
		for code == "" {
			if !wait(ctx, 200*time.Millisecond) {
				return ctx.Err()
			}
			if code, err = a.pairValue(ctx, t, dev, letInCode); err != nil {
				return err
			}
		}
	}
	if name, err = a.pairValue(ctx, t, dev, letInCodeFor); err != nil {
		return err
	}
	if err := a.letInShow(dev, name, code); err != nil {
		return err
	}
	for shown := code; shown == code; {
		if !wait(ctx, 200*time.Millisecond) {
			return ctx.Err()
		}
		if shown, err = a.pairValue(ctx, t, dev, letInCode); err != nil {
			return err
		}
	}
	for range 15 { // the count follows within a second
		after, err := a.pairValue(ctx, t, dev, letInCount)
		if err != nil {
			return err
		}
		if after != before {
			a.say("%q is let in.", name)
			return nil
		}
		if !wait(ctx, 200*time.Millisecond) {
			return ctx.Err()
		}
	}
	return classFailure("device-said-no", fmt.Errorf("%q did not give the code back", name), "Start again there; the code is good for two minutes.")
}

// letInWait waits until a program asks, or a code is shown that somebody has let one in for.
func (a *app) letInWait(ctx context.Context, t *target, dev string) (name, code string, err error) {
	for {
		if name, err = a.pairValue(ctx, t, dev, letInName); err == nil && name == "" {
			code, err = a.pairValue(ctx, t, dev, letInCode)
		}
		if err != nil || name != "" || code != "" {
			return name, code, err
		}
		if !wait(ctx, 200*time.Millisecond) {
			return "", "", ctx.Err()
		}
	}
}

// letInAsk is the decision of the person here.
func (a *app) letInAsk(ctx context.Context, t *target, dev, name string, f pairFlags) (bool, error) {
	if f.yes {
		return true, a.pairDo(ctx, t, dev, letInApprove, nil)
	}
	fmt.Fprintf(a.Err, "%q asks to be let in. Let it in? [y/N] ", name)
	line, err := a.typed(ctx, bufio.NewReader(a.In))
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	answer := strings.ToLower(strings.TrimSpace(line))
	if err != nil && answer == "" {
		return false, classFailure("device-said-no", errors.New("nobody has answered"), "Run it again with a terminal, or with --yes, which lets in whoever asks.")
	}
	now, err := a.pairValue(ctx, t, dev, letInName)
	switch {
	case err != nil:
		return false, err
	case now != name:
		return false, classFailure("device-said-no", fmt.Errorf("%q does not ask any more", name), "Start again, here and there.")
	case answer != "y" && answer != "yes":
		a.say("It is sent away.")
		return false, a.pairDo(ctx, t, dev, letInDeny, nil)
	}
	return true, a.pairDo(ctx, t, dev, letInApprove, nil)
}

// letInShow shows the code: to scan, where that can be, and to type.
func (a *app) letInShow(dev, name, code string) error {
	if a.json {
		return a.printJSON(map[string]any{"device": dev, "program": name, "code": code})
	}
	a.say("Give this code to %q:", name)
	if a.outTerminal {
		picture, err := qrText(code)
		if err != nil {
			return err
		}
		fmt.Fprint(a.Out, picture)
	}
	fmt.Fprintln(a.Out, code)
	return nil
}
