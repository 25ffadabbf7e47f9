package transcript

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Producer says what kind of program or thing made the bytes of one direction.
type Producer uint8

// The producers. The zero Producer is unknown.
const (
	Device         Producer = iota + 1 // the maker's equipment
	VendorLibrary                      // the maker's library
	VendorSoftware                     // the maker's program
	OwnClient                          // a client of this project
	OwnSimulator                       // a server or simulator of this project, also one that plays made-up replies
	Other                              // somebody else's implementation, a hand-made file
)

var producerNames = [...]string{"unknown", "device", "vendor-library", "vendor-software", "own-client", "own-simulator", "other"}

// String is the word in the file.
func (p Producer) String() string {
	if int(p) < len(producerNames) {
		return producerNames[p]
	}
	return fmt.Sprintf("producer(%d)", uint8(p))
}

// Own reports whether the bytes were made by this project.
func (p Producer) Own() bool { return p == OwnClient || p == OwnSimulator }

// Maker reports whether the bytes were made by the maker's own product.
func (p Producer) Maker() bool { return p == Device || p == VendorLibrary || p == VendorSoftware }

// Origin is who produced the bytes of one direction, and what is to be known about it in free words: model, version.
type Origin struct {
	Producer Producer
	Text     string
}

// Pair is a header line that this package does not know. It survives reading and writing.
type Pair struct{ Key, Value string }

// Several is the protocol of a recording whose flows may each have another one, such as those of a probe.
const Several = "several"

// Header is what is known about a recording. All texts are one line each; empty ones are not written.
type Header struct {
	Protocol   string // "focas"; Several when its flows differ
	Device     string // maker and model
	Firmware   string
	Date       string // when it was recorded: 2026-11-20, or with a time
	Redactions string // what was replaced before publication
	Client     Origin // who produced the bytes of FromClient
	Server     Origin // who produced the bytes of FromServer
	Extra      []Pair
}

// Evidence reports for each direction whether its bytes are evidence about the maker's product: they are when that product
// sent them. What this project or a third party produced is no evidence, however well it works, and a recording of which
// both answers are false proves nothing.
func (h *Header) Evidence() (client, server bool) {
	return h.Client.Producer.Maker(), h.Server.Producer.Maker()
}

// magic is the first line of a file, before the version.
const magic = "patchbay transcript "

func (h *Header) append(b []byte) ([]byte, error) {
	b = fmt.Appendf(b, "%s%d\n", magic, Version)
	pairs := []Pair{{"protocol", h.Protocol}, {"device", h.Device}, {"firmware", h.Firmware}, {"date", h.Date},
		{"redactions", h.Redactions}, {"client", h.Client.line()}, {"server", h.Server.line()}}
	for _, p := range h.Extra {
		if known(p.Key) {
			return nil, fmt.Errorf("header %q has a field of its own and cannot be an extra line", p.Key)
		}
		if p.Value == "" {
			return nil, fmt.Errorf("header %q has no value", p.Key)
		}
		pairs = append(pairs, p)
	}
	for _, p := range pairs {
		if p.Value == "" {
			continue
		}
		if err := checkKey(p.Key); err != nil {
			return nil, err
		}
		if err := checkText(p.Value); err != nil {
			return nil, fmt.Errorf("header %s: %w", p.Key, err)
		}
		b = append(b, p.Key...)
		b = append(b, ": "...)
		b = append(b, p.Value...)
		b = append(b, '\n')
	}
	return append(b, '\n'), nil
}

func (o Origin) line() string {
	switch {
	case o.Text != "":
		return o.Producer.String() + "; " + o.Text
	case o.Producer == 0:
		return ""
	}
	return o.Producer.String()
}

func parseOrigin(s string) (Origin, error) {
	word, text, _ := strings.Cut(s, ";")
	word = strings.TrimSpace(word)
	for i, n := range producerNames {
		if n == word {
			return Origin{Producer(i), strings.TrimSpace(text)}, nil
		}
	}
	return Origin{}, fmt.Errorf("%q is no producer; write one of %s, then a semicolon and what is known about it", word,
		strings.Join(producerNames[:], ", "))
}

func known(key string) bool {
	switch key {
	case "protocol", "device", "firmware", "date", "redactions", "client", "server":
		return true
	}
	return false
}

func (h *Header) set(key, value string) (err error) {
	if value == "" {
		return fmt.Errorf("header %q has no value; leave the line out", key)
	}
	text := func(dst *string) error {
		if *dst != "" {
			return fmt.Errorf("header %q stands twice", key)
		}
		*dst = value
		return nil
	}
	origin := func(dst *Origin) error {
		if *dst != (Origin{}) {
			return fmt.Errorf("header %q stands twice", key)
		}
		*dst, err = parseOrigin(value)
		return err
	}
	switch key {
	case "protocol":
		return text(&h.Protocol)
	case "device":
		return text(&h.Device)
	case "firmware":
		return text(&h.Firmware)
	case "date":
		return text(&h.Date)
	case "redactions":
		return text(&h.Redactions)
	case "client":
		return origin(&h.Client)
	case "server":
		return origin(&h.Server)
	}
	h.Extra = append(h.Extra, Pair{key, value})
	return nil
}

func checkKey(k string) error {
	for _, c := range []byte(k) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return fmt.Errorf("header name %q: only a-z, 0-9 and '-' are allowed", k)
		}
	}
	if k == "" || len(k) > maxKey {
		return fmt.Errorf("a header line has no name, or one longer than %d bytes; write name: value", maxKey)
	}
	return nil
}

func checkText(s string) error {
	switch {
	case !utf8.ValidString(s):
		return fmt.Errorf("text %q is not UTF-8", s)
	case strings.TrimSpace(s) != s:
		return fmt.Errorf("text %q begins or ends with space", s)
	case len(s) > maxText:
		return fmt.Errorf("text of %d bytes is longer than %d", len(s), maxText)
	case strings.ContainsFunc(s, unicode.IsControl):
		return fmt.Errorf("text %q holds a control character", s)
	}
	return nil
}
