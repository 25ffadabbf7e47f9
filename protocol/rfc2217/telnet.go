package rfc2217

import (
	"bytes"
	"fmt"
)

// The telnet commands of RFC 854.
const (
	SE   = 240 // end of a sub-negotiation
	NOP  = 241
	DM   = 242 // data mark
	BRK  = 243 // break key
	IP   = 244
	AO   = 245
	AYT  = 246 // are you there?
	EC   = 247
	EL   = 248
	GA   = 249
	SB   = 250 // begin of a sub-negotiation
	WILL = 251
	WONT = 252
	DO   = 253
	DONT = 254
	IAC  = 255
)

// The options that matter to a com port.
const (
	OptBinary     = 0
	OptEcho       = 1
	OptSGA        = 3 // suppress go-ahead
	OptTimingMark = 6 // the answer to DO says that everything before it was processed (RFC 860)
	OptComPort    = 44
)

// MaxSub is the longest sub-negotiation that is kept, in bytes after unescaping and without the option. What is longer is
// [TooLong]. A signature is the longest that RFC 2217 has, and a line of text.
const MaxSub = 512

// Kind says what an [Item] is.
type Kind uint8

// The kinds.
const (
	None      Kind = iota // more bytes are needed
	Data                  // bytes of the line
	Negotiate             // WILL, WONT, DO or DONT
	Sub                   // a whole sub-negotiation
	Command               // any other command
	TooLong               // a sub-negotiation longer than MaxSub ended; its bytes are lost
	Malformed             // a sub-negotiation was broken off by the command in Verb, which was taken as its end
)

// Item is the next thing in a telnet stream.
type Item struct {
	Kind   Kind
	Verb   byte   // Negotiate, Command, Malformed
	Option byte   // Negotiate, Sub, TooLong
	Data   []byte // Data: unescaped, in the caller's buffer. Sub: what follows the option, valid until the next call
}

type decodeState uint8

const (
	inData   decodeState = iota
	inIAC                // after IAC in data
	inVerb               // after WILL, WONT, DO, DONT
	inSubOpt             // after SB
	inSub
	inSubIAC // after IAC in a sub-negotiation
)

// Decoder takes the bytes of one direction apart, however they were split. The zero value is ready, and transparent: every
// byte but IAC is data. It is not safe for concurrent use.
type Decoder struct {
	// NVT applies the rule for a line that is not binary: a NUL behind a CR is no data. Set it when the peer has refused
	// BINARY for this direction.
	NVT bool

	state  decodeState
	verb   byte
	option byte
	cr     bool // the last data byte was CR, for NVT
	long   bool
	n      int
	sub    [MaxSub]byte
}

// Next takes one item off the front of b and returns the rest. Unescaped data is written over b, so b must be the caller's
// to change. With Kind None all of b was taken. It does not allocate.
func (d *Decoder) Next(b []byte) (it Item, rest []byte) {
	for i := 0; i < len(b); {
		if d.state == inData {
			n, took := d.data(b[i:])
			if n > 0 {
				return Item{Kind: Data, Data: b[i : i+n : i+n]}, b[i+took:]
			}
			i += took
			continue
		}
		c := b[i]
		i++
		if it, done := d.byte(c); done {
			return it, b[i:]
		}
	}
	return Item{}, nil
}

// data collects a run of data at the front of b, up to a command or the end: n bytes, which may be none, of the i bytes that
// were taken.
func (d *Decoder) data(b []byte) (n, i int) {
	for i < len(b) {
		end := bytes.IndexByte(b[i:], IAC)
		if end < 0 {
			end = len(b) - i
		}
		if end > 0 {
			n += d.keep(b[n:], b[i:i+end])
			i += end
			continue
		}
		if i+1 < len(b) && b[i+1] == IAC { // one byte of data
			b[n] = IAC
			n++
			d.cr = false
			i += 2
			continue
		}
		if n > 0 { // what was collected comes first; the command is left for the next call
			return n, i
		}
		d.state = inIAC
		return 0, i + 1
	}
	return n, i
}

// keep moves a run without IAC to its place in front of it, without the NULs of NVT.
func (d *Decoder) keep(to, run []byte) int {
	if !d.NVT {
		return copy(to, run)
	}
	n := 0
	for _, c := range run {
		if c == 0 && d.cr {
			d.cr = false
			continue
		}
		d.cr = c == '\r'
		to[n] = c
		n++
	}
	return n
}

// byte takes a byte that is not in the data state.
func (d *Decoder) byte(c byte) (Item, bool) {
	switch d.state {
	case inIAC:
		switch c {
		case IAC: // the two came in different reads
			d.state, d.cr = inData, false
			d.sub[0] = IAC
			return Item{Kind: Data, Data: d.sub[:1:1]}, true
		case WILL, WONT, DO, DONT:
			d.state, d.verb = inVerb, c
			return Item{}, false
		case SB:
			d.state = inSubOpt
			return Item{}, false
		}
		d.state = inData
		return Item{Kind: Command, Verb: c}, true
	case inVerb:
		d.state = inData
		return Item{Kind: Negotiate, Verb: d.verb, Option: c}, true
	case inSubOpt:
		d.state, d.option, d.n, d.long = inSub, c, 0, false
		return Item{}, false
	case inSub:
		if c == IAC {
			d.state = inSubIAC
		} else {
			d.put(c)
		}
		return Item{}, false
	}
	// inSubIAC
	switch c {
	case IAC:
		d.state = inSub
		d.put(c)
		return Item{}, false
	case SE:
		d.state = inData
		if d.long {
			return Item{Kind: TooLong, Option: d.option}, true
		}
		return Item{Kind: Sub, Option: d.option, Data: d.sub[:d.n:d.n]}, true
	}
	d.state = inData
	return Item{Kind: Malformed, Option: d.option, Verb: c}, true
}

func (d *Decoder) put(c byte) {
	if d.n == len(d.sub) {
		d.long = true
		return
	}
	d.sub[d.n] = c
	d.n++
}

// Inside reports whether the bytes so far end inside a command.
func (d *Decoder) Inside() bool { return d.state != inData }

// AppendData appends data with every IAC doubled. nvt says that the peer has refused BINARY for this direction: then a CR that
// no LF follows is followed by NUL.
func AppendData(dst, data []byte, nvt bool) []byte {
	if nvt {
		for i, c := range data {
			dst = append(dst, c)
			switch {
			case c == IAC:
				dst = append(dst, IAC)
			case c == '\r' && (i+1 == len(data) || data[i+1] != '\n'):
				dst = append(dst, 0)
			}
		}
		return dst
	}
	for {
		i := bytes.IndexByte(data, IAC)
		if i < 0 {
			return append(dst, data...)
		}
		dst = append(append(dst, data[:i+1]...), IAC)
		data = data[i+1:]
	}
}

// EscapedLen is the length that [AppendData] adds in binary.
func EscapedLen(data []byte) int { return len(data) + bytes.Count(data, []byte{IAC}) }

// AppendSub appends a sub-negotiation.
func AppendSub(dst []byte, option byte, payload []byte) []byte {
	dst = append(dst, IAC, SB, option)
	dst = AppendData(dst, payload, false)
	return append(dst, IAC, SE)
}

var verbNames = [...]string{"SE", "NOP", "DM", "BRK", "IP", "AO", "AYT", "EC", "EL", "GA", "SB", "WILL", "WONT", "DO", "DONT", "IAC"}

// VerbName is the name of a telnet command.
func VerbName(v byte) string {
	if v >= SE {
		return verbNames[v-SE]
	}
	return fmt.Sprintf("command %d", v)
}

// OptionName is the name of an option as people know it; unknown ones are numbers.
func OptionName(o byte) string {
	switch o {
	case OptBinary:
		return "BINARY"
	case OptEcho:
		return "ECHO"
	case OptSGA:
		return "SUPPRESS-GO-AHEAD"
	case 5:
		return "STATUS"
	case OptTimingMark:
		return "TIMING-MARK"
	case 24:
		return "TERMINAL-TYPE"
	case 31:
		return "NAWS"
	case 34:
		return "LINEMODE"
	case OptComPort:
		return "COM-PORT-OPTION"
	}
	return fmt.Sprintf("option %d", o)
}
