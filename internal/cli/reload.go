package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/patchbay-io/patchbay/internal/config"
	"github.com/patchbay-io/patchbay/internal/north"
	"github.com/patchbay-io/patchbay/internal/obs"
)

// reloadRequest asks a running host to read its configuration again.
type reloadRequest struct {
	dryRun bool
	done   chan<- reloadResult // has room for the answer
}

type reloadResult struct {
	reload north.Reload
	err    error
}

var _ north.Reloader = (*host)(nil)

// Reload reads the configuration again while the host runs; several are done one after the other.
func (h *host) Reload(ctx context.Context, dryRun bool) (north.Reload, error) {
	if h.load == nil {
		return north.Reload{}, &north.ReloadError{Code: "no-file", Text: "this gateway has no configuration to read again", Hint: "start it with patchbay run FILE"}
	}
	done := make(chan reloadResult, 1)
	select {
	case h.reloads <- reloadRequest{dryRun, done}:
	case <-h.stopped:
		return north.Reload{}, &north.ReloadError{Code: "not-applied", Text: "the gateway is stopping"}
	case <-ctx.Done():
		return north.Reload{}, ctx.Err()
	}
	select {
	case r := <-done:
		return r.reload, r.err
	case <-ctx.Done():
		return north.Reload{}, ctx.Err()
	}
}

// serveReloads takes reload requests and signals until ctx ends.
func (h *host) serveReloads(ctx context.Context, hangup <-chan os.Signal) {
	defer close(h.stopped)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			_, err := h.reload(false) // it is in the log
			h.noteReload(err)
		case r := <-h.reloads:
			out, err := h.reload(r.dryRun)
			r.done <- reloadResult{out, err}
		}
	}
}

// reload is called by serveReloads alone.
func (h *host) reload(dryRun bool) (north.Reload, error) {
	if !dryRun {
		h.tell(h.manager.Reloading())
		defer func() { h.tell(h.manager.Ready(h.status())) }()
	}
	log := obs.Unsummarised(h.log) // each reload is the act of a person, who waits for the answer
	next, err := h.load()
	if err != nil {
		e := reloadError(err)
		if !dryRun {
			log.Error(e.Text, "error", strings.Join(e.Each, "; "))
		}
		return north.Reload{}, e
	}
	if err := h.security.check(next, h.door.Addr()); err != nil {
		if !dryRun {
			log.Error("the configuration was not applied; the one before stays in force", "error", err)
		}
		return north.Reload{}, &north.ReloadError{Code: "not-applied", Text: err.Error(), Cause: err}
	}
	out := reloadOf(config.Compare(h.current, next))
	if dryRun {
		return out, nil
	}
	if err := h.apply(next); err != nil {
		log.Error("the configuration was not applied; the one before stays in force", "error", err)
		return north.Reload{}, &north.ReloadError{Code: "not-applied", Text: err.Error(), Cause: err}
	}
	h.current, out.Applied = next, true
	args := []any{"devices", len(next.Devices)}
	for _, what := range []config.What{config.Added, config.Removed, config.Restarted, config.Changed} {
		var names []string
		for _, d := range out.Devices {
			if d.What == string(what) {
				names = append(names, d.Name)
			}
		}
		if len(names) > 0 {
			args = append(args, string(what), strings.Join(names, ", "))
		}
	}
	log.Info("configuration applied", args...)
	h.note(next)
	if len(out.Restart) > 0 {
		log.Warn("some changed settings take effect when the gateway is started again", "keys", strings.Join(out.Restart, ", "))
	}
	return out, nil
}

// note writes to the log what may turn out to be wrong with a configuration.
func (h *host) note(c *config.Config) {
	log := obs.Unsummarised(h.log) // each note is about another thing
	for _, n := range c.Notes {
		log.Warn("the configuration may be wrong", "note", n)
	}
}

func reloadOf(d config.Difference) north.Reload {
	out := north.Reload{Restart: slices.DeleteFunc(d.Gateway, inForce)}
	for _, x := range d.Devices {
		out.Devices = append(out.Devices, north.ReloadDevice{Name: x.Name, What: string(x.What), Keys: x.Keys})
	}
	return out
}

// reloadError leaves out the lines of the file: they may hold secrets, and whoever asks may not be the one who wrote them.
func reloadError(err error) *north.ReloadError {
	e := &north.ReloadError{Code: "bad-configuration", Text: "the configuration is wrong; the one before stays in force",
		Hint: "patchbay check FILE shows the lines", Cause: err}
	var problems config.Problems
	if !errors.As(err, &problems) {
		e.Text, e.Hint = "the configuration cannot be read; the one before stays in force: "+err.Error(), ""
		return e
	}
	for _, p := range problems {
		p.Source = ""
		e.Each = append(e.Each, p.Error())
	}
	return e
}

func (a *app) reloadCommand() *cobra.Command {
	var dryRun bool
	c := &cobra.Command{
		Use:   "reload",
		Short: "Make a running gateway read its configuration again",
		Long: `Make a running gateway read its configuration again. Only devices whose section changed are opened anew. A wrong
configuration changes nothing. --dry-run shows what would change.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := a.deadline(cmd.Context())
			defer cancel()
			return cause(ctx, a.reload(ctx, dryRun))
		},
	}
	c.Flags().BoolVar(&dryRun, "dry-run", false, "say what would change, and change nothing")
	return c
}

func (a *app) reload(ctx context.Context, dryRun bool) error {
	t, err := a.openGateway()
	if err != nil {
		return err
	}
	defer t.close()
	r, err := t.Reload(ctx, dryRun)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(r)
	}
	rows := [][]string{{"DEVICE", "", "KEYS"}}
	for _, d := range r.Devices {
		rows = append(rows, []string{d.Device, d.What, strings.Join(d.Keys, ", ")})
	}
	if len(r.Devices) > 0 {
		if err := a.table(rows); err != nil {
			return err
		}
	}
	if len(r.Restart) > 0 {
		fmt.Fprintf(a.Err, "Changed, and in force when the gateway is started again: %s\n", strings.Join(r.Restart, ", "))
	}
	if dryRun {
		fmt.Fprintln(a.Err, "Nothing was changed; this was a dry run.")
	}
	return nil
}
