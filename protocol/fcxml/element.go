package fcxml

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of one payload. The largest device seen has about 2,500 elements, 7 deep.
const (
	MaxDepth    = 32
	MaxElements = 20_000
	MaxAttrs    = 64 // of one element
)

// SyntaxError says where a payload stops being an XML element that this protocol can hold.
type SyntaxError struct {
	Offset int // in bytes from the start of the payload
	Reason string
}

// Error is "XML at byte n: reason".
func (e *SyntaxError) Error() string { return fmt.Sprintf("XML at byte %d: %s", e.Offset, e.Reason) }

// Element is one XML element. Elements that nobody knows are kept like all others.
type Element struct {
	Name     string
	Attrs    []Attr
	Children []*Element
	Text     string // character data directly inside, without the white space around it
}

// Attr is one attribute. Single says that it stands in single quotes: the announcement of a server does, nothing else.
type Attr struct {
	Name, Value string
	Single      bool
}

// Attr is the value of an attribute, "" when there is none.
func (e *Element) Attr(name string) string {
	v, _ := e.Lookup(name)
	return v
}

// Lookup is the value of an attribute, and whether there is one.
func (e *Element) Lookup(name string) (string, bool) {
	for i := range e.Attrs {
		if e.Attrs[i].Name == name {
			return e.Attrs[i].Value, true
		}
	}
	return "", false
}

// Child is the first child of that name; nil when there is none.
func (e *Element) Child(name string) *Element {
	for _, c := range e.Children {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// AppendXML writes the element; one without content closes itself.
func (e *Element) AppendXML(dst []byte) []byte {
	dst = append(append(dst, '<'), e.Name...)
	for _, a := range e.Attrs {
		quote := byte('"')
		if a.Single {
			quote = '\''
		}
		dst = append(append(append(dst, ' '), a.Name...), '=', quote)
		dst = append(appendEscaped(dst, a.Value), quote)
	}
	if len(e.Children) == 0 && e.Text == "" {
		return append(dst, "/>"...)
	}
	dst = append(dst, '>')
	dst = appendEscaped(dst, e.Text)
	for _, c := range e.Children {
		dst = c.AppendXML(dst)
	}
	return append(append(append(dst, "</"...), e.Name...), '>')
}

// appendEscaped writes text so that it can stand in an attribute with either quote and between tags. What XML cannot hold
// becomes U+FFFD.
func appendEscaped(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '&':
			dst = append(dst, "&amp;"...)
		case c == '<':
			dst = append(dst, "&lt;"...)
		case c == '>':
			dst = append(dst, "&gt;"...)
		case c == '"':
			dst = append(dst, "&quot;"...)
		case c == '\'':
			dst = append(dst, "&apos;"...)
		case c == '\n' || c == '\r' || c == '\t':
			dst = append(strconv.AppendInt(append(dst, "&#"...), int64(c), 10), ';')
		case c < ' ':
			dst = utf8.AppendRune(dst, utf8.RuneError)
		case c < utf8.RuneSelf:
			dst = append(dst, c)
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			if !validRune(r) {
				r = utf8.RuneError
			}
			dst = utf8.AppendRune(dst, r)
			i += n
			continue
		}
		i++
	}
	return dst
}

// validRune reports whether XML 1.0 can hold the character.
func validRune(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= ' ' && r <= 0xd7ff || r >= 0xe000 && r <= 0xfffd || r >= 0x10000 && r <= 0x10ffff
}

// ParseElement reads one element, which must be all of b but for white space, comments and a declaration. There are no
// document types and no entities but the five of XML and characters by number, so what is read is never larger than b.
func ParseElement(b []byte) (*Element, error) { return parseElement(string(b)) }

func parseElement(s string) (*Element, error) {
	sc := scanner{s: s}
	var (
		root     *Element
		open     []opened
		elements []Element
		attrs    []Attr
	)
	for {
		switch t := sc.next(); t {
		case tokenStart:
			if len(elements) == cap(elements) { // pointers into the old room stay
				elements = make([]Element, 0, min(max(2*cap(elements), 8), 512))
			}
			elements = append(elements, Element{Name: sc.name})
			e := &elements[len(elements)-1]
			if len(sc.attrs) > 0 {
				if cap(attrs)-len(attrs) < len(sc.attrs) {
					attrs = make([]Attr, 0, min(max(4*cap(attrs), 8, len(sc.attrs)), 1024))
				}
				from := len(attrs)
				attrs = append(attrs, sc.attrs...)
				e.Attrs = attrs[from:len(attrs):len(attrs)]
			}
			if len(open) == 0 {
				if root != nil {
					return nil, sc.fail("a second element")
				}
				root = e
			} else {
				parent := open[len(open)-1].e
				parent.Children = append(parent.Children, e)
			}
			if !sc.empty {
				open = append(open, opened{e: e})
			}
		case tokenEnd:
			if len(open) == 0 || open[len(open)-1].e.Name != sc.name {
				return nil, sc.fail("</" + sc.name + "> closes nothing")
			}
			open[len(open)-1].close()
			open = open[:len(open)-1]
		case tokenText:
			if len(open) == 0 {
				return nil, sc.fail("text outside of an element")
			}
			open[len(open)-1].add(sc.text)
		case tokenEnded:
			switch {
			case len(open) > 0:
				return nil, sc.fail("<" + open[len(open)-1].e.Name + "> is not closed")
			case root == nil:
				return nil, sc.fail("no element")
			}
			return root, nil
		default:
			return nil, sc.err
		}
	}
}

// opened is an element that is not closed yet, and its text when that comes in several pieces.
type opened struct {
	e      *Element
	pieces []byte
}

// add takes a piece of text. The first is a part of the payload and is not copied.
func (o *opened) add(text string) {
	if o.e.Text == "" {
		o.e.Text = text
		return
	}
	if o.pieces == nil {
		o.pieces = append(o.pieces, o.e.Text...)
	}
	o.pieces = append(o.pieces, text...)
}

func (o *opened) close() {
	if o.pieces != nil {
		o.e.Text = string(o.pieces)
	}
}

type token uint8

const (
	tokenFailed token = iota
	tokenStart
	tokenEnd
	tokenText
	tokenEnded
)

// scanner takes a text apart. The strings that it gives are parts of the text where nothing had to be decoded.
type scanner struct {
	s     string
	off   int
	depth int
	count int

	name  string // of a start or an end
	attrs []Attr // of a start; used again by the next
	empty bool   // the start is an end as well
	text  string // without white space around it, never empty
	err   error
}

func (sc *scanner) fail(reason string) error {
	if sc.err == nil {
		sc.err = &SyntaxError{Offset: sc.off, Reason: reason}
	}
	return sc.err
}

func (sc *scanner) failed(reason string) token {
	_ = sc.fail(reason)
	return tokenFailed
}

func (sc *scanner) next() token {
	for sc.off < len(sc.s) {
		rest := sc.s[sc.off:]
		switch {
		case rest[0] != '<':
			n := strings.IndexByte(rest, '<')
			if n < 0 {
				n = len(rest)
			}
			text := strings.Trim(rest[:n], " \t\r\n")
			if text != "" {
				var ok bool
				if sc.text, ok = unescape(text); !ok {
					return sc.failed("an entity that XML does not define by itself")
				}
				sc.off += n
				return tokenText
			}
			sc.off += n
		case strings.HasPrefix(rest, "<!--"):
			if !sc.skip(rest, "-->") {
				return sc.failed("a comment without end")
			}
		case strings.HasPrefix(rest, "<![CDATA["):
			end := strings.Index(rest, "]]>")
			if end < 0 {
				return sc.failed("a CDATA section without end")
			}
			sc.off += end + len("]]>")
			if sc.text = strings.Trim(rest[len("<![CDATA["):end], " \t\r\n"); sc.text != "" {
				return tokenText
			}
		case strings.HasPrefix(rest, "<?"):
			if !sc.skip(rest, "?>") {
				return sc.failed("an instruction without end")
			}
		case strings.HasPrefix(rest, "<!"):
			return sc.failed("a document type, which this protocol does not have")
		case strings.HasPrefix(rest, "</"):
			return sc.end(rest)
		default:
			return sc.start()
		}
	}
	return tokenEnded
}

func (sc *scanner) skip(rest, until string) bool {
	n := strings.Index(rest, until)
	if n >= 0 {
		sc.off += n + len(until)
	}
	return n >= 0
}

func (sc *scanner) end(rest string) token {
	n := strings.IndexByte(rest, '>')
	if n < 0 {
		return sc.failed("a tag without end")
	}
	sc.name = strings.TrimRight(rest[2:n], " \t\r\n")
	sc.depth--
	sc.off += n + 1
	return tokenEnd
}

func (sc *scanner) start() token {
	sc.off++
	sc.attrs, sc.empty = sc.attrs[:0], false
	if sc.name = sc.word(); sc.name == "" {
		return sc.failed("a tag without a name")
	}
	if sc.count++; sc.count > MaxElements {
		return sc.failed(fmt.Sprintf("more than %d elements", MaxElements))
	}
	if sc.depth++; sc.depth > MaxDepth {
		return sc.failed(fmt.Sprintf("more than %d elements inside one another", MaxDepth))
	}
	for {
		space := sc.space()
		if sc.off >= len(sc.s) {
			return sc.failed("a tag without end")
		}
		switch c := sc.s[sc.off]; {
		case c == '>':
			sc.off++
			return tokenStart
		case c == '/' && strings.HasPrefix(sc.s[sc.off:], "/>"):
			sc.off += 2
			sc.depth--
			sc.empty = true
			return tokenStart
		case !space:
			return sc.failed("no space before an attribute")
		}
		if !sc.attr() {
			return tokenFailed
		}
	}
}

func (sc *scanner) attr() bool {
	name := sc.word()
	sc.space()
	if name == "" || sc.off >= len(sc.s) || sc.s[sc.off] != '=' {
		_ = sc.fail("an attribute without a value")
		return false
	}
	sc.off++
	sc.space()
	if sc.off >= len(sc.s) || sc.s[sc.off] != '"' && sc.s[sc.off] != '\'' {
		_ = sc.fail("a value without quotes")
		return false
	}
	quote := sc.s[sc.off]
	sc.off++
	n := strings.IndexByte(sc.s[sc.off:], quote)
	if n < 0 {
		_ = sc.fail("a value without its closing quote")
		return false
	}
	raw := sc.s[sc.off : sc.off+n]
	if strings.IndexByte(raw, '<') >= 0 {
		_ = sc.fail("< inside a value")
		return false
	}
	value, ok := unescape(raw)
	if !ok {
		_ = sc.fail("an entity that XML does not define by itself")
		return false
	}
	if len(sc.attrs) == MaxAttrs {
		_ = sc.fail(fmt.Sprintf("more than %d attributes", MaxAttrs))
		return false
	}
	if slices.ContainsFunc(sc.attrs, func(a Attr) bool { return a.Name == name }) {
		_ = sc.fail("the attribute " + name + " stands twice")
		return false
	}
	sc.off += n + 1
	sc.attrs = append(sc.attrs, Attr{Name: name, Value: value, Single: quote == '\''})
	return true
}

// word is a name of an element or an attribute.
func (sc *scanner) word() string {
	from := sc.off
	for sc.off < len(sc.s) {
		c := sc.s[sc.off]
		if c <= ' ' || c == '=' || c == '/' || c == '>' || c == '<' || c == '"' || c == '\'' || c == '&' {
			break
		}
		sc.off++
	}
	return sc.s[from:sc.off]
}

func (sc *scanner) space() bool {
	from := sc.off
	for sc.off < len(sc.s) && (sc.s[sc.off] == ' ' || sc.s[sc.off] == '\t' || sc.s[sc.off] == '\r' || sc.s[sc.off] == '\n') {
		sc.off++
	}
	return sc.off > from
}

// unescape decodes references; false when there is one that is not XML's own.
func unescape(s string) (string, bool) {
	if strings.IndexByte(s, '&') < 0 {
		return s, true
	}
	var b []byte
	for {
		i := strings.IndexByte(s, '&')
		if i < 0 {
			return string(append(b, s...)), true
		}
		b = append(b, s[:i]...)
		n := strings.IndexByte(s[i:], ';')
		if n < 0 || n > 12 {
			return "", false
		}
		switch ref := s[i+1 : i+n]; ref {
		case "amp":
			b = append(b, '&')
		case "lt":
			b = append(b, '<')
		case "gt":
			b = append(b, '>')
		case "quot":
			b = append(b, '"')
		case "apos":
			b = append(b, '\'')
		default:
			r, ok := reference(ref)
			if !ok {
				return "", false
			}
			b = utf8.AppendRune(b, r)
		}
		s = s[i+n+1:]
	}
}

// reference is the character of "#65" or "#x41".
func reference(ref string) (rune, bool) {
	digits, base := "", 10
	if hex, ok := strings.CutPrefix(ref, "#x"); ok {
		digits, base = hex, 16
	} else if dec, ok := strings.CutPrefix(ref, "#"); ok {
		digits = dec
	}
	n, err := strconv.ParseUint(digits, base, 21)
	return rune(n), err == nil && validRune(rune(n))
}
