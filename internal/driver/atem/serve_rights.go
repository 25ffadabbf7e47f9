package atem

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/protocol/atem"
)

// Commands is a list of what native clients may do. An entry is one of
//
//	CPgI              every command with this code
//	DCut me=1         the same, when the items have these values; 1..4 is a range
//	aux/2             whatever is about that part of the switcher; * stands for one part of a path, at its end for several
//	raw XYZW          a command that nobody knows
//	*                 every command that is known
type Commands struct {
	words   []string
	entries []entry
}

// entry is one of them; it has a code, a path, or neither, which stands for all that are known.
type entry struct {
	code  atem.Code
	items []span
	path  string
	any   bool
}

// span is an item of a command with the values that are allowed.
type span struct {
	item      string
	low, high int64
}

var codeWord = regexp.MustCompile(`^[A-Za-z0-9_*]{4}$`)

// ParseCommands reads entries.
func ParseCommands(words []string) (Commands, error) {
	c := Commands{words: words}
	for _, w := range words {
		e, err := parseEntry(w)
		if err != nil {
			return c, err
		}
		c.entries = append(c.entries, e)
	}
	return c, nil
}

func parseEntry(w string) (entry, error) {
	parts := strings.Fields(w)
	switch {
	case w == "*":
		return entry{any: true}, nil
	case len(parts) == 2 && parts[0] == "raw":
		if code, ok := atem.ParseCode(parts[1]); ok {
			return entry{code: code}, nil
		}
		return entry{}, fmt.Errorf("%q: a code has four letters", w)
	case len(parts) > 0 && codeWord.MatchString(parts[0]):
		if code, _ := atem.ParseCode(parts[0]); isCommand(code) {
			return parseItems(w, code, parts[1:])
		}
	}
	if len(parts) != 1 || w != strings.ToLower(w) {
		return entry{}, unknownCommand(w, parts)
	}
	return entry{path: w}, checkTopic(w)
}

// isCommand reports whether clients send a code.
func isCommand(c atem.Code) bool {
	info, ok := atem.Lookup(c)
	return ok && info.ToServer && !info.OSW
}

func unknownCommand(w string, parts []string) error {
	if len(parts) > 0 {
		var known []string
		for info := range atem.Catalogue() {
			if isCommand(info.Code) {
				known = append(known, info.Code.String())
				if strings.EqualFold(info.Code.String(), parts[0]) {
					return fmt.Errorf("%q is no command that this program knows; did you mean %q?", w, info.Code)
				}
			}
		}
		if near, ok := device.Nearest(parts[0], known); ok {
			return fmt.Errorf("%q is no command that this program knows; did you mean %q?", w, near)
		}
	}
	return fmt.Errorf("%q is no command that this program knows; write a code such as CPgI, one with values such as DCut me=1, a part of the "+
		"switcher such as aux/2, or raw and four letters", w)
}

// topics are the first parts of the paths that commands are about.
func topics() []string {
	return []string{"me", "dsk", "ftb", "aux", "colours", "supersource", "media", "macros", "multiviewers", "hyperdecks", "inputs", "audio", "stream", "record",
		"cameras", "video-mode"}
}

func checkTopic(w string) error {
	first, _, _ := strings.Cut(w, "/")
	for _, t := range topics() {
		if first == t {
			return nil
		}
	}
	if near, ok := device.Nearest(first, topics()); ok {
		return fmt.Errorf("%q is no part of a switcher; did you mean %q?", w, near)
	}
	return fmt.Errorf("%q is no part of a switcher and no command; the parts are %s", w, strings.Join(topics(), ", "))
}

// maxBody bounds the search for a layout that has an item.
const maxBody = 256

func parseItems(w string, code atem.Code, parts []string) (entry, error) {
	e := entry{code: code}
	for _, p := range parts {
		item, value, ok := strings.Cut(p, "=")
		if !ok {
			return e, fmt.Errorf("%q: %q is no value; write it like me=1", w, p)
		}
		names := itemsOf(code)
		known := false
		for _, n := range names {
			known = known || n == item
		}
		if !known {
			return e, fmt.Errorf("%q: %v has no %q; it has %s", w, code, item, strings.Join(names, ", "))
		}
		low, high, isRange := strings.Cut(value, "..")
		if !isRange {
			high = low
		}
		from, err := strconv.ParseInt(low, 10, 64)
		to, err2 := strconv.ParseInt(high, 10, 64)
		if err != nil || err2 != nil || to < from {
			return e, fmt.Errorf("%q: %q is no number; write %s=1 or %s=1..4", w, value, item, item)
		}
		e.items = append(e.items, span{item, from, to})
	}
	return e, nil
}

// itemsOf are the numbers in a command.
func itemsOf(code atem.Code) (names []string) {
	seen := map[string]bool{}
	body := make([]byte, maxBody)
	for n := range body {
		layout, ok := atem.LayoutOf(code, 0, body[:n])
		if !ok {
			continue
		}
		for v := range layout.Values(body[:n]) {
			if v.IsNumber() && !seen[v.Name()] {
				seen[v.Name()] = true
				names = append(names, v.Name())
			}
		}
	}
	return names
}

// allows reports whether one of the entries names a command.
func (c *Commands) allows(ver atem.Version, f *atem.Field) bool {
	for i := range c.entries {
		if c.entries[i].allows(ver, f) {
			return true
		}
	}
	return false
}

func (e *entry) allows(ver atem.Version, f *atem.Field) bool {
	switch {
	case e.any:
		return isCommand(f.Code)
	case e.path != "":
		p := about(ver, f)
		return p != "" && (p.Match(e.path) || p.Under(device.Path(e.path)))
	case e.code != f.Code:
		return false
	case len(e.items) == 0:
		return true
	}
	layout, ok := atem.LayoutOf(f.Code, ver, f.Body)
	if !ok {
		return false
	}
	for _, s := range e.items {
		if n, ok := itemOf(&layout, f.Body, s.item); !ok || n < s.low || n > s.high {
			return false
		}
	}
	return true
}

// lineFor is the entry that would allow a command and as little else as can be said in a word.
func lineFor(ver atem.Version, f *atem.Field) string {
	if !isCommand(f.Code) {
		return "raw " + f.Code.String()
	}
	line := f.Code.String()
	layout, ok := atem.LayoutOf(f.Code, ver, f.Body)
	if !ok {
		return line
	}
	for v := range layout.Values(f.Body) {
		if v.IsKey() && v.IsNumber() && v.Index < 0 {
			if n, ok := itemOf(&layout, f.Body, v.Name()); ok {
				line += fmt.Sprintf(" %s=%d", v.Name(), n)
			}
		}
	}
	return line
}

func (c *Commands) empty() bool { return len(c.entries) == 0 }

// String is the list as configuration writes it.
func (c Commands) String() string { return strings.Join(c.words, ", ") }

// MarshalYAML writes the words.
func (c Commands) MarshalYAML() (any, error) { return append([]string{}, c.words...), nil }

// UnmarshalYAML reads a text or a list of texts.
func (c *Commands) UnmarshalYAML(unmarshal func(any) error) error {
	var list []string
	if err := unmarshal(&list); err != nil {
		var one string
		if unmarshal(&one) != nil {
			return errors.New("a list of commands such as [CPgI, DCut me=1, aux/2]")
		}
		list = []string{one}
	}
	var err error
	*c, err = ParseCommands(list)
	return err
}

// JSONSchema describes what UnmarshalYAML accepts.
func (Commands) JSONSchema() *jsonschema.Schema {
	word := &jsonschema.Schema{Type: "string"}
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{word, {Type: "array", Items: word}}}
}
