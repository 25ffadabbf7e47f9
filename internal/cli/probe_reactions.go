package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/patchbay-io/patchbay/internal/lab/probe"
	"github.com/patchbay-io/patchbay/transcript"
	"github.com/patchbay-io/patchbay/transcript/tap"
)

// probeReactions tries everything on one port and prints a table, or JSON lines. With a file, the conversations are recorded.
func (a *app) probeReactions(ctx context.Context, p *probe.Prober, arg, record string) (err error) {
	host, port, err := hostPort(arg)
	switch {
	case err != nil:
		return usageError(err)
	case port == 0:
		return usageError(errors.New("--reactions is about one port: write HOST:PORT"))
	}
	if err := p.CheckPort(port); err != nil {
		return &failure{code: exitUsage, kind: "unknown-port", err: err,
			hint: "A raw serial line may hang behind an open port, and what is sent there reaches a machine. If you know what is behind it, add --any-port."}
	}
	if record != "" {
		f, err := os.OpenFile(record, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return fmt.Errorf("--record: %w", err)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		r, err := tap.NewRecorder(f, &transcript.Header{Protocol: "probe", Date: time.Now().Format(time.DateOnly), Client: transcript.Origin{Producer: transcript.OwnClient}})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, r.Err()) }()
		p.Dial = r.Dial(p.Dial)
	}
	w := tabwriter.NewWriter(a.Out, 0, 4, 2, ' ', 0)
	all, guesses, err := p.React(ctx, net.JoinHostPort(host, strconv.Itoa(int(port))), func(x probe.Reaction) {
		if a.json {
			_ = a.printJSON(x) // nobody reads it any more
		}
	})
	if err != nil {
		return err
	}
	if !a.json {
		fmt.Fprintln(w, "WHERE\tWHAT\tREACTION\tAFTER\tCAME BACK\tSUGGESTS")
		for _, x := range all {
			fmt.Fprintf(w, "%s\t%s\t%s\t%v\t%s\t%s\n", x.Group, x.Step, x.Came, x.Took.Round(time.Millisecond), x.Received, x.Suggests)
		}
		fmt.Fprintln(w)
		w.Flush()
	}
	match := false
	for _, g := range guesses {
		match = match || g.Match
		if a.json {
			if err := a.printJSON(g); err != nil {
				return err
			}
			continue
		}
		word := "no "
		if g.Match {
			word = "yes"
		}
		fmt.Fprintf(a.Out, "%s  %-8s  %s\n", word, g.Protocol, strings.Join(g.Reasons, "; "))
	}
	if !match {
		return classFailure("not-this-protocol", errors.New("no protocol of audio interfaces is spoken there"), "")
	}
	return nil
}
