package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/patchbay-io/patchbay/internal/cli/gatewayclient"
	"github.com/patchbay-io/patchbay/internal/config"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// The exit codes. They are stable; docs/guide/cli.md lists them.
const (
	exitOK          = 0
	exitFailed      = 1 // anything without a code of its own
	exitUsage       = 2 // the command line is wrong
	exitConfig      = 3 // the configuration is wrong
	exitUnknown     = 4 // no such device, point or command
	exitRefused     = 5 // the write was not accepted, or was not confirmed
	exitNoValue     = 6 // the point has no good value
	exitNoGateway   = 7 // no gateway answers
	exitClass       = 10
	exitInterrupted = 130
)

// failure is an error that knows its exit code.
type failure struct {
	code int
	err  error
	hint string
	kind string // stable word for programs
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func usageError(err error) error { return &failure{code: exitUsage, err: err, kind: "usage"} }

// classFailure is a failure with the exit code of an error class: 11 unreachable, 12 refused, 13 timeout, 14 closed,
// 15 not this protocol, 16 login, 17 the device said no, 18 unsupported, 19 busy.
func classFailure(class string, err error, hint string) error {
	return &failure{code: codeOfClass(class), err: err, hint: hint, kind: class}
}

func codeOfClass(class string) int {
	for c := driver.Unreachable; c <= driver.Busy; c++ {
		if c.String() == class {
			return exitClass + int(c)
		}
	}
	return exitFailed
}

// ExitCode is the exit code of an error: 0 for nil; docs/guide/cli.md lists the others.
func ExitCode(err error) int {
	var f *failure
	var p *gatewayclient.Problem
	var none *gatewayclient.NoGateway
	var problems config.Problems
	var de *driver.Error
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &f):
		return f.code
	case errors.As(err, &p):
		return codeOfProblem(p)
	case errors.As(err, &none):
		return exitNoGateway
	case errors.As(err, &problems):
		return exitConfig
	case errors.As(err, &de):
		return codeOfClass(de.Class.String())
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitFailed
}

// gatewaySaidNo are the refusals that come from the gateway's own checks, before anything is sent.
var gatewaySaidNo = [...]string{"read-only", "not-writable", "forbidden", "wrong-type", "out-of-range", "if-value"}

func codeOfProblem(p *gatewayclient.Problem) int {
	switch {
	case strings.HasPrefix(p.Code, "unknown-"):
		return exitUnknown
	case p.Code == "link-down":
		return codeOfClass(driver.Closed.String())
	case p.Code == "bad-configuration":
		return exitConfig
	case slices.Contains(gatewaySaidNo[:], p.Code):
		return exitRefused
	case codeOfClass(p.Class) != exitFailed:
		return codeOfClass(p.Class)
	case p.Status/100 == 4:
		return exitRefused
	}
	return exitFailed
}

// hintOf is what to do about a problem on the command line, where the gateway's own hint speaks of HTTP.
func hintOf(p *gatewayclient.Problem) string {
	switch p.Code {
	case "unknown-device":
		return "patchbay ls shows the devices."
	case "unknown-point", "unknown-command":
		if p.Device == directName {
			return "patchbay ls with the same URL shows what it has."
		}
		return "patchbay ls " + p.Device + " shows what it has."
	}
	return accessHint(p)
}

// report says on standard error what went wrong and what to do.
func (a *app) report(err error) {
	if errors.Is(err, context.Canceled) && ExitCode(err) == exitInterrupted {
		return
	}
	var f *failure
	var p *gatewayclient.Problem
	var none *gatewayclient.NoGateway
	text, hint, kind := err.Error(), driver.HintOf(err), "failed"
	var mean []string
	switch {
	case errors.As(err, &f):
		kind = f.kind
		if f.hint != "" {
			hint = f.hint
		}
	case errors.As(err, &p):
		hint, kind, mean = hintOf(p), p.Code, p.DidYouMean
	case errors.As(err, &none):
		kind = "no-gateway"
		hint = hintOfNoGateway(err)
		if hint == "" {
			hint = "Start one with `patchbay run` or `patchbay demo`, or name a running one with --gateway URL. Commands about one device also take its URL and need no gateway then."
		}
	}
	if a.json {
		line, _ := json.Marshal(map[string]any{"error": map[string]any{
			"text": text, "hint": hint, "code": kind, "did_you_mean": mean, "exit": ExitCode(err)}})
		fmt.Fprintf(a.Err, "%s\n", line)
		return
	}
	fmt.Fprintf(a.Err, "patchbay: %s\n", text)
	if len(mean) > 0 && !strings.Contains(text+hint, mean[0]) {
		fmt.Fprintf(a.Err, "  Did you mean %s?\n", strings.Join(mean, " or "))
	}
	if hint != "" {
		fmt.Fprintf(a.Err, "  %s\n", hint)
	}
}
