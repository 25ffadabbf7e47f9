package probe

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// guesses says for each protocol what the reactions of a port mean for it.
func guesses(all []Reaction) []Guess {
	var out []Guess
	agent := slices.ContainsFunc(all, func(x Reaction) bool { return x.Protocol == schemeFC2 })
	for _, scheme := range schemes() {
		g := Guess{Protocol: scheme}
		for i := range all {
			if x := &all[i]; x.Protocol == scheme && !(scheme == schemeAES70WS && agent) {
				g.Match = true
				why := "answered in " + x.Suggests
				if scheme == schemeFC2 {
					why = "the root block has the pairing agent; this is the onboarding endpoint"
				}
				g.Reasons = append(g.Reasons, x.Step+": "+why)
			}
		}
		switch {
		case g.Match:
		case scheme == schemeFC2:
			g.Reasons = []string{notFC2(all)}
		default:
			g.Reasons = whyNot(all, scheme)
		}
		if scheme == schemeAES70WS && agent {
			g.Reasons = []string{"OCP.1 is answered, by the onboarding endpoint of Focusrite Control 2"}
		}
		out = append(out, g)
	}
	return out
}

// Milliseconds is a time as a person wants it: "<1ms" when it is less than that.
func Milliseconds(d time.Duration) string {
	if d < time.Millisecond {
		return "<1ms"
	}
	return d.Round(time.Millisecond).String()
}

// whyNot are the steps about a protocol, with what came of them; those that ended the same way stand together.
func whyNot(all []Reaction, scheme string) []string {
	var ends []string
	steps := map[string][]string{}
	for i := range all {
		x := &all[i]
		if !slices.Contains(x.about, scheme) {
			continue
		}
		end := string(x.Came)
		switch {
		case x.Came == NotTried:
			end += ", needs " + strings.TrimPrefix(x.Needs, "--thorough: ")
			if why, ok := strings.CutPrefix(x.Needs, "--thorough: "); ok {
				end = "not asked, " + why
			}
		case x.Came == Answered:
			end = "answered in something else"
			if x.Suggests != "" {
				end = "answered in " + x.Suggests
			}
		case x.Came == ClosedIt || x.Came == ResetIt:
			end += " after " + Milliseconds(x.Took)
		}
		if steps[end] == nil {
			ends = append(ends, end)
		}
		steps[end] = append(steps[end], x.Step)
	}
	var out []string
	for _, end := range ends {
		out = append(out, strings.Join(steps[end], ", ")+": "+end)
	}
	return out
}

// notFC2 tells a port without the pairing agent: the secure endpoint has 404 for everything that is no key.
func notFC2(all []Reaction) string {
	var paths, notFound, asked, declined int
	for i := range all {
		switch x := &all[i]; {
		case x.Came == NotTried:
		case x.Group == "http":
			paths++
			if x.Came == Answered && strings.Contains(x.Received, " 404") {
				notFound++
			}
		case x.Group == "websocket":
			asked++
			if x.Came == Declined && x.Received == "404" {
				declined++
			}
		}
	}
	if paths > 1 && notFound == paths && declined == asked && asked > 0 {
		return fmt.Sprintf("404 to all %d paths and all %d WebSockets, as the secure endpoint does, and other servers too: the next port decides", paths, asked)
	}
	return "no pairing agent, and not 404 to everything"
}
