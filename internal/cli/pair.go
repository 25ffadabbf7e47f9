package cli

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/patchbay-io/patchbay/internal/cli/gatewayclient"
	"github.com/patchbay-io/patchbay/internal/keys"
	"github.com/patchbay-io/patchbay/protocol/fc2"
)

// pairFlags are the flags of pair.
type pairFlags struct {
	serverKey, code, remove string
	list, letIn, yes        bool
	patience                time.Duration
}

func (a *app) pairCommand() *cobra.Command {
	var f pairFlags
	c := &cobra.Command{
		Use:   "pair DEVICE | pair URL | pair --let-in DEVICE | pair --list | pair --remove NAME",
		Short: "Let a person at a device let patchbay in",
		Long: `Let a person at a device let patchbay in. Focusrite Control 2 is asked first, a person clicks there, and then it shows a QR code:
its text is typed here, or given with --code. From then on the device can be used; what the pairing is kept by is a key in the
folder keys of the state folder, that only its owner can read.

With --let-in it is the other way round: a program, such as a phone app, is let in to a device that the gateway serves. It says who
asks, and shows the code that the program is to be given, as a QR code on a terminal.

--list shows the keys, --remove forgets one: what was paired with it has to be paired again. To forget the pairing with one
computer alone, perform the command pairing/forget of its device: patchbay do DEVICE/pairing/forget.`,
		Example: "  patchbay pair fc2://192.0.2.50 --server-key 0faa68…0f20\n  patchbay pair interface\n  patchbay pair --let-in interface\n  patchbay pair --list",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case f.letIn && len(args) == 1 && f.serverKey == "" && f.code == "" && !f.list && f.remove == "":
				return a.letIn(cmd.Context(), args[0], f)
			case f.letIn:
				return usageError(errors.New("give one device of a running gateway, and nothing else: patchbay pair --let-in DEVICE"))
			case f.yes:
				return usageError(errors.New("--yes goes with --let-in: patchbay pair --let-in DEVICE --yes"))
			case f.list && len(args) == 0 && f.remove == "":
				return a.listKeys()
			case f.remove != "" && len(args) == 0 && !f.list:
				return a.removeKey(f.remove)
			case len(args) == 1 && !f.list && f.remove == "":
				return a.pair(cmd.Context(), args[0], f)
			}
			return usageError(errors.New("give one device: patchbay pair DEVICE, or patchbay pair fc2://HOST"))
		},
	}
	fl := c.Flags()
	fl.StringVar(&f.serverKey, "server-key", "", "with a URL: public key that Focusrite Control 2 announces, 64 hex digits")
	fl.StringVar(&f.code, "code", "", "text of the QR code, when nobody is there to type it")
	fl.DurationVar(&f.patience, "patience", 5*time.Minute, "how long a person may take")
	fl.BoolVar(&f.letIn, "let-in", false, "let a program in that wants to connect to the device through the gateway")
	fl.BoolVar(&f.yes, "yes", false, "with --let-in: do not ask, and let in who asks")
	fl.BoolVar(&f.list, "list", false, "show the keys that are kept")
	fl.StringVar(&f.remove, "remove", "", "forget this key")
	return c
}

func (a *app) keyDir() (keys.Dir, error) {
	d, err := keyDir(a.env)
	if err != nil {
		return d, &failure{code: exitConfig, kind: "no-state-folder", err: errors.New("there is no folder for keys"), hint: "Set PATCHBAY_STATE_DIR to one."}
	}
	return d, nil
}

func (a *app) listKeys() error {
	d, err := a.keyDir()
	if err != nil {
		return err
	}
	names, err := d.List("")
	if err != nil {
		return err
	}
	for _, n := range names {
		line := map[string]string{"name": n}
		if strings.HasPrefix(n, clientKey) { // what it holds is what the program calls itself: anything
			if b, err := d.Load(n); err == nil {
				line["program"] = string(b)
			}
		}
		if strings.HasPrefix(n, "fc2-identity") { // its public half is what Focusrite Control 2 knows it by
			if b, err := d.Load(n); err == nil {
				if secret, err := hex.DecodeString(strings.TrimSpace(string(b))); err == nil {
					if id, err := fc2.IdentityOf(secret); err == nil {
						line["public"] = id.Public().String()
					}
				}
			}
		}
		if a.json {
			if err := a.printJSON(line); err != nil {
				return err
			}
			continue
		}
		text := line["public"]
		if program, ok := line["program"]; ok {
			text = strconv.Quote(program)
		}
		fmt.Fprintln(a.Out, strings.TrimSpace(n+"  "+text))
	}
	return nil
}

func (a *app) removeKey(name string) error {
	d, err := a.keyDir()
	if err != nil {
		return err
	}
	if err := d.Remove(name); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return usageError(fmt.Errorf("there is no key %q; patchbay pair --list shows them", name))
		}
		return err
	}
	a.say("%s", afterRemoval(name))
	return nil
}

// clientKey begins the names of the keys of programs that a gateway has let in.
const clientKey = "fc2-client-"

// afterRemoval says what becomes of what the key was for, while a gateway runs.
func afterRemoval(name string) string {
	switch {
	case strings.HasPrefix(name, clientKey):
		return "Removed. A gateway that runs disconnects the program at once, and lets it in no more."
	case strings.HasPrefix(name, "fc2-identity"):
		return "Removed. A gateway that runs disconnects the devices that were paired with it within ten seconds, and is a stranger to them then."
	}
	return "Removed. A gateway that runs is without it once it connects anew."
}

// The paths of pairing, as drivers show them.
const (
	pairState   = "pairing/state"
	pairResult  = "pairing/result"
	pairRequest = "pairing/request"
	pairCode    = "pairing/code"
	pairAll     = "pairing/*"
)

// pair walks through the steps, with a running gateway or one of its own.
func (a *app) pair(ctx context.Context, where string, f pairFlags) error {
	if f.serverKey != "" {
		u, err := url.Parse(where)
		if err != nil || !isURL(where) {
			return usageError(errors.New("--server-key is for a URL; of a configured device it stands in the configuration"))
		}
		q := u.Query()
		q.Set("server_key", f.serverKey)
		u.RawQuery = q.Encode()
		where = u.String()
	}
	var writable []string
	if isURL(where) {
		if f.code != "" {
			return usageError(errors.New("--code is for a device of a running gateway: the device makes a code for one connection, and with a URL that ends with this command. Leave --code out, and type the code when it is shown"))
		}
		writable = []string{pairRequest, pairCode}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, f.patience, classFailure("timeout", errors.New("nobody has let patchbay in"), "Give a person more time with --patience."))
	defer cancel()
	t, places, err := a.connect(ctx, []string{where}, writable)
	if err != nil {
		return err
	}
	defer t.close()
	return cause(ctx, a.pairSteps(ctx, t, places[0].device, f))
}

func (a *app) pairSteps(ctx context.Context, t *target, dev string, f pairFlags) error {
	s, err := t.Specs(ctx, dev, "")
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(s.Commands, func(c gatewayclient.Command) bool { return c.Path == pairRequest }) {
		return a.notToPair(ctx, t, dev)
	}
	state, err := a.pairValue(ctx, t, dev, pairState)
	if err != nil {
		return err
	}
	if state != "code-wanted" {
		if state != "asking" { // by the page, or by a run of this command that was broken off
			if err := a.pairDo(ctx, t, dev, pairRequest, nil); err != nil {
				return err
			}
		}
		a.say("Asked. Let patchbay in on the computer of the device.")
		state = "asking"
	}
	for state == "asking" {
		if !wait(ctx, 200*time.Millisecond) {
			return ctx.Err()
		}
		if state, err = a.pairValue(ctx, t, dev, pairState); err != nil {
			return err
		}
	}
	if state != "code-wanted" {
		result, err := a.pairValue(ctx, t, dev, pairResult)
		if err != nil {
			return err
		}
		return classFailure("device-said-no", errors.New(result), "Try again, and click Approve there; whatever else asks there is in the way until it is let in or denied.")
	}
	if f.code != "" {
		err = a.pairDo(ctx, t, dev, pairCode, map[string]any{"code": f.code})
	} else {
		err = a.pairCodes(ctx, t, dev)
	}
	if err != nil {
		return err
	}
	return a.pairedUp(ctx, t, dev)
}

// pairCodes sends what somebody types, until it is the code, or the device wants none any more.
func (a *app) pairCodes(ctx context.Context, t *target, dev string) error {
	in := bufio.NewReader(a.In)
	fmt.Fprint(a.Err, "It shows a QR code now. Scan it, and type its text here: ")
	for {
		line, err := a.typed(ctx, in)
		code := strings.TrimSpace(line)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && code == "" {
			hint := "Run it again with a terminal, or with --code while the code is shown."
			if t.direct {
				hint = "Run it again with a terminal. Without one, pair with a device of a running gateway, whose connection stays: it takes --code while the code is shown."
			}
			return classFailure("device-said-no", errors.New("no code was given"), hint)
		}
		refusal := a.pairDo(ctx, t, dev, pairCode, map[string]any{"code": code})
		if refusal == nil || err != nil {
			return refusal
		}
		if state, err := a.pairValue(ctx, t, dev, pairState); err != nil || state != "code-wanted" {
			return refusal
		}
		fmt.Fprintf(a.Err, "%v\nType it again: ", refusal)
	}
}

// typed is the next line that somebody types before ctx ends: it may be that nobody does.
func (a *app) typed(ctx context.Context, in *bufio.Reader) (string, error) {
	type answer struct {
		line string
		err  error
	}
	got := make(chan answer, 1)
	go func() { // reading cannot be ended; the goroutine ends with the input or the program
		line, err := in.ReadString('\n')
		got <- answer{line, err}
	}()
	select {
	case x := <-got:
		return x.line, x.err
	case <-ctx.Done():
		fmt.Fprintln(a.Err) // behind the question
		return "", ctx.Err()
	}
}

// notToPair says why there is nothing to pair.
func (a *app) notToPair(ctx context.Context, t *target, dev string) error {
	points, err := t.Points(ctx, dev, "_link")
	if err != nil {
		return err
	}
	link := map[string]string{}
	for _, p := range points {
		link[p.Path] = rawText(p.Value)
	}
	switch link["_link/state"] {
	case "up":
		a.say("%s needs no pairing: it is connected.", dev)
		return nil
	case "waiting":
		return classFailure("auth", errors.New(link["_link/condition-text"]), "")
	}
	return classFailure("unreachable", fmt.Errorf("%s is not connected: %s", dev, link["_link/error"]), link["_link/hint"])
}

// pairedUp waits until the device itself is there.
func (a *app) pairedUp(ctx context.Context, t *target, dev string) error {
	for {
		points, err := t.Points(ctx, dev, "")
		if err != nil {
			return err
		}
		up, pairing := false, false
		for _, p := range points {
			up = up || p.Path == "_link/state" && rawText(p.Value) == "up"
			pairing = pairing || strings.HasPrefix(p.Path, "pairing/")
		}
		if up && !pairing {
			if a.json {
				return a.printJSON(map[string]any{"device": dev, "paired": true})
			}
			fmt.Fprintf(a.Out, "%s is paired and connected\n", dev)
			return nil
		}
		if !wait(ctx, 200*time.Millisecond) {
			return ctx.Err()
		}
	}
}

func (a *app) pairValue(ctx context.Context, t *target, dev, path string) (string, error) {
	p, err := t.Value(ctx, dev, path)
	if err != nil {
		return "", err
	}
	return rawText(p.Value), nil
}

func (a *app) pairDo(ctx context.Context, t *target, dev, path string, args map[string]any) error {
	done, err := t.Do(ctx, dev, gatewayclient.CommandRequest{Path: path, Args: args, Wait: true, Deadline: "10s"})
	if problem := (*gatewayclient.Problem)(nil); errors.As(err, &problem) && problem.Code == "not-writable" {
		if path == letInApprove || path == letInDeny {
			return &failure{code: exitRefused, kind: problem.Code, err: fmt.Errorf("letting programs in to %s is not allowed: %s does not stand under writable", dev, path),
				hint: fmt.Sprintf("Allow it in the configuration, each by its name: devices: {%s: {writable: [%q, %q]}}", dev, letInApprove, letInDeny)}
		}
		return &failure{code: exitRefused, kind: problem.Code, err: fmt.Errorf("pairing with %s is not allowed: %s does not stand under writable", dev, path),
			hint: fmt.Sprintf("Allow all its steps in the configuration: devices: {%s: {writable: [%q]}}", dev, pairAll)}
	}
	if err != nil {
		return err
	}
	if last := done.Items[0].Last(); last.Stage == "refused" || last.Stage == "failed" || last.Stage == "uncertain" {
		return classFailure(last.Class, errors.New(last.Text), last.Hint)
	}
	return nil
}

// wait reports whether d has passed before ctx has ended.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
