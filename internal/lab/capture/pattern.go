package capture

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// pattern is one thing to be replaced.
type pattern struct {
	class string
	size  int // of a literal
	// match says how many bytes at the beginning of b are the thing, and whether more bytes could make it one, or a longer
	// one. It is called with b that begins with a byte under which the pattern is filed.
	match func(b []byte) (n int, more bool)
	mask  func(*byte) // replaces one byte; nil pointers are bytes that have gone already
}

func maskZero(p *byte) {
	if p != nil {
		*p = 0
	}
}

// maskText keeps what separates words, so that the form stays visible.
func maskText(p *byte) {
	if p != nil && strings.IndexByte(" .:-/_", *p) < 0 {
		*p = 'X'
	}
}

func maskDigits(p *byte) {
	if p != nil && isAlnum(*p) {
		*p = '0'
	}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isAlnum(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' }
func isHex(c byte) bool   { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

func literal(class string, text []byte, mask func(*byte)) *pattern {
	return &pattern{class: class, size: len(text), mask: mask, match: func(b []byte) (int, bool) {
		if len(b) >= len(text) {
			if bytes.Equal(b[:len(text)], text) {
				return len(text), false
			}
			return 0, false
		}
		return 0, bytes.HasPrefix(text, b)
	}}
}

// matchIPv4 finds four numbers with dots between them.
func matchIPv4(b []byte) (int, bool) {
	i := 0
	for group := range 4 {
		digits := 0
		for i < len(b) && isDigit(b[i]) && digits < 3 {
			i++
			digits++
		}
		switch {
		case i == len(b) && group < 3:
			return 0, true
		case digits == 0:
			return 0, i == len(b)
		case group == 3:
			return i, i == len(b) && digits < 3
		case b[i] != '.':
			return 0, false
		}
		i++
	}
	return 0, false
}

// matchMAC finds six pairs of hex digits with the same colon or dash between them.
func matchMAC(b []byte) (int, bool) {
	const size = 17
	for i := range size {
		switch {
		case i == len(b):
			return 0, true
		case i%3 == 2 && (b[i] != ':' && b[i] != '-' || b[i] != b[2]):
			return 0, false
		case i%3 != 2 && !isHex(b[i]):
			return 0, false
		}
	}
	return size, false
}

// ParseRedaction reads what is to be replaced. Each word is a class (addresses, macs) or a value with its kind:
// address:192.0.2.21, mac:00:e0:e4:01:02:03, serial:1234-5678, text:anything, hex:0a0b0c. Addresses, MACs and serials are
// found as text and as the bytes that they stand for. No words give nil, which replaces nothing.
func ParseRedaction(words []string) (*Redaction, error) {
	if len(words) == 0 {
		return nil, nil
	}
	r := &Redaction{known: map[string]bool{}, flows: map[uint32]*redactFlow{}, counts: map[string]int{}}
	values := map[string]int{}
	var kinds []string
	for _, w := range words {
		kind, value, given := strings.Cut(w, ":")
		if given && value == "" {
			return nil, fmt.Errorf("redact %q: nothing stands behind the colon", w)
		}
		var err error
		switch {
		case w == "addresses":
			r.addresses = true
			r.addShape("address", "0123456789", matchIPv4, maskDigits)
		case w == "macs":
			r.addShape("MAC", "0123456789abcdefABCDEF", matchMAC, maskDigits)
		case !given:
			err = errors.New("it is neither addresses nor macs; give a value as text:VALUE, serial:VALUE, address:VALUE, mac:VALUE or hex:DIGITS")
		default:
			err = r.addValue(kind, value)
			if values[kind]++; values[kind] == 1 {
				kinds = append(kinds, kind)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("redact %q: %w", w, err)
		}
		if !given {
			r.asked = append(r.asked, "all "+w)
		}
	}
	for _, k := range kinds {
		r.asked = append(r.asked, fmt.Sprintf("%d given %s", values[k], kindWord(k, values[k])))
	}
	return r, nil
}

func kindWord(kind string, n int) string {
	word := map[string]string{"text": "text", "serial": "serial number", "address": "address", "mac": "MAC", "hex": "byte sequence"}[kind]
	switch {
	case n == 1:
		return word
	case kind == "address":
		return word + "es"
	}
	return word + "s"
}

func (r *Redaction) addShape(class, first string, match func([]byte) (int, bool), mask func(*byte)) {
	p := &pattern{class: class, match: match, mask: mask}
	for _, c := range []byte(first) {
		r.patterns[c] = append(r.patterns[c], p)
	}
}

func (r *Redaction) addValue(kind, value string) error {
	switch kind {
	case "text":
		r.addLiteral(kind, []byte(value), maskText)
	case "serial":
		r.addLiteral(kind, []byte(value), maskText)
		digits := strings.NewReplacer("-", "", ":", "", " ", "").Replace(value)
		if raw, err := hex.DecodeString(digits); err == nil && len(raw) >= 4 {
			r.addLiteral(kind, raw, maskZero) // as an identifier that is shown in hex travels
		}
	case "address":
		a, err := netip.ParseAddr(value)
		if err != nil {
			return fmt.Errorf("%q is no IP address; a host name is text:%s", value, value)
		}
		r.addLiteral(kind, []byte(value), maskDigits)
		r.addLiteral(kind, a.AsSlice(), maskZero)
	case "mac":
		m, err := net.ParseMAC(value)
		if err != nil {
			return fmt.Errorf("%q is no MAC; write it as 00:e0:e4:01:02:03", value)
		}
		r.addLiteral("MAC", m, maskZero)
		for _, s := range []string{m.String(), strings.ReplaceAll(m.String(), ":", "-"), strings.ReplaceAll(m.String(), ":", "")} {
			r.addLiteral("MAC", []byte(s), maskDigits)
			r.addLiteral("MAC", []byte(strings.ToUpper(s)), maskDigits)
		}
	case "hex":
		raw, err := hex.DecodeString(strings.NewReplacer(" ", "", ":", "").Replace(value))
		if err != nil {
			return fmt.Errorf("%q is not hex: %w", value, err)
		}
		r.addLiteral("byte sequence", raw, maskZero)
	default:
		return errors.New("the kinds are text, serial, address, mac and hex")
	}
	return nil
}
