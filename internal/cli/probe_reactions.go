package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/patchbay-io/patchbay/internal/lab/probe"
	"github.com/patchbay-io/patchbay/transcript"
	"github.com/patchbay-io/patchbay/transcript/tap"
)

// probeReactions tries everything on one port and prints a table, or JSON lines. With a file, the conversations are recorded.
func (a *app) probeReactions(ctx context.Context, p *probe.Prober, arg string, f reactionFlags) (err error) {
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
	if f.record != "" {
		file, err := os.OpenFile(f.record, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // a device may have said what is no business of others
		if err != nil {
			return fmt.Errorf("--record: %w", err)
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		r, err := tap.NewRecorder(file, &transcript.Header{Protocol: transcript.Several, Date: time.Now().Format(time.DateOnly), Client: transcript.Origin{Producer: transcript.OwnClient}})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, r.Err()) }()
		p.Dial = r.Dial(p.Dial)
	}
	all, guesses, err := p.React(ctx, net.JoinHostPort(host, strconv.Itoa(int(port))), f.thorough, func(x probe.Reaction) {
		if a.json {
			_ = a.printJSON(x) // nobody reads it any more
		}
	})
	if err != nil {
		return err
	}
	if !a.json {
		a.printReactions(all)
	}
	var matches []string
	for _, g := range guesses {
		if g.Match {
			matches = append(matches, g.Protocol)
		}
		if a.json {
			if err := a.printJSON(g); err != nil {
				return err
			}
		}
	}
	if !a.json {
		a.printGuesses(guesses)
	}
	if len(matches) == 1 && matches[0] != "fc2" && !a.json { // of fc2 this may be the port that is for pairing
		fmt.Fprintf(a.Out, "\n  patchbay run %s://%s\n", matches[0], net.JoinHostPort(host, strconv.Itoa(int(port))))
	}
	if len(matches) == 0 {
		return classFailure("not-this-protocol", errors.New("no protocol that patchbay knows is spoken there"), "")
	}
	return nil
}

// reactionFlags are the flags of probe --reactions.
type reactionFlags struct {
	record   string
	thorough bool
}

// maxCell is how much of what came back stands in the table, in characters; the whole is in JSON and in the recording.
const maxCell = 20

// maxLine is how wide a line is that people read.
const maxLine = 80

// groupTitles are what the groups of steps have in common.
func groupTitles() map[string]string {
	return map[string]string{"tcp": "over TCP", "udp": "over UDP", "http": "HTTP", "websocket": "upgrade to WebSocket", "frame": "in a WebSocket"}
}

// printReactions is a table by groups. Steps that were skipped for the same reason stand together.
func (a *app) printReactions(all []probe.Reaction) {
	titles := groupTitles()
	width := 0
	for i := range all {
		if all[i].Came != probe.NotTried {
			width = max(width, len(all[i].Step)+2)
		}
	}
	group := ""
	for i := 0; i < len(all); i++ {
		x := &all[i]
		if x.Group != group {
			group = x.Group
			fmt.Fprintf(a.Out, "%s:\n", titles[group])
		}
		if x.Came != probe.NotTried {
			what := x.Step
			if x.Disturbs {
				what += " !"
			}
			came := cell(strings.TrimPrefix(x.Received, "HTTP/1.1 "))
			if x.Suggests != "" {
				came = x.Suggests
			}
			fmt.Fprintln(a.Out, strings.TrimRight(fmt.Sprintf("  %-*s %-8s %6s  %s", width, what, x.Came, probe.Milliseconds(x.Took), came), " "))
			continue
		}
		var steps []string
		for ; i < len(all) && all[i].Came == probe.NotTried && all[i].Group == x.Group && all[i].Needs == x.Needs; i++ {
			steps = append(steps, all[i].Step)
		}
		i--
		if len(steps) > 3 {
			steps = append(steps[:2], fmt.Sprintf("%d more", len(steps)-2))
		}
		a.printFolded("  skipped ", fmt.Sprintf("%s: needs %s", strings.Join(steps, ", "), x.Needs))
	}
	fmt.Fprintln(a.Out)
}

// printGuesses is a verdict for each protocol, the one that was recognised first.
func (a *app) printGuesses(guesses []probe.Guess) {
	for _, match := range []bool{true, false} {
		for _, g := range guesses {
			if g.Match != match {
				continue
			}
			word := "no"
			if match {
				word = "yes"
			}
			for i, why := range g.Reasons {
				before := fmt.Sprintf("%-4s%-13s", word, g.Protocol)
				if i > 0 {
					before = strings.Repeat(" ", len(before))
				}
				a.printFolded(before, why)
			}
		}
	}
}

// printFolded prints text behind before, on lines of maxLine characters whose continuations are indented as far.
func (a *app) printFolded(before, text string) {
	indent := strings.Repeat(" ", len(before))
	line := before
	empty := true
	for _, word := range strings.Fields(text) {
		if !empty && len(line)+1+len(word) > maxLine {
			fmt.Fprintln(a.Out, line)
			line, empty = indent, true
		}
		if !empty {
			line += " "
		}
		line += word
		empty = false
	}
	fmt.Fprintln(a.Out, line)
}

func cell(s string) string {
	if r := []rune(s); len(r) > maxCell {
		return string(r[:maxCell-1]) + "…"
	}
	return s
}
