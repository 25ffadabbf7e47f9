package transcript

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// Limits protect a reader from its input. A zero field is the default.
type Limits struct {
	Event  int // bytes of data in one event; 16 MiB
	Total  int // bytes of data in a whole transcript, for Read and Parse; 256 MiB
	Events int // events in a whole transcript, for Read and Parse; 4 million
}

func (l Limits) withDefaults() Limits {
	or := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	or(&l.Event, 16<<20)
	or(&l.Total, 256<<20)
	or(&l.Events, 4<<20)
	return l
}

// ErrLimit is the cause when a transcript is larger than its [Limits].
var ErrLimit = errors.New("larger than the limit")

// SyntaxError says which line of a transcript cannot be read.
type SyntaxError struct {
	Line int // 1-based
	Err  error
}

// Error is "transcript line n: cause".
func (e *SyntaxError) Error() string { return fmt.Sprintf("transcript line %d: %v", e.Line, e.Err) }

// Unwrap gives the cause.
func (e *SyntaxError) Unwrap() error { return e.Err }

// Reader reads a transcript event by event. It is not safe for concurrent use.
type Reader struct {
	s      *bufio.Scanner
	limits Limits
	header Header
	line   int
	ahead  []byte // a line read already, nil: none
	end    bool
	cut    bool // the line that was read last has no end of line
	err    error
}

// NewReader reads the header. Errors are *[SyntaxError], or what r returned.
func NewReader(r io.Reader, limits Limits) (*Reader, error) {
	start := bufio.NewReader(r)
	t := &Reader{s: bufio.NewScanner(start), limits: limits.withDefaults()}
	t.s.Buffer(make([]byte, 0, 4096), maxLine)
	t.s.Split(t.split)
	if b, _ := start.Peek(len(pcapng)); string(b) == pcapng {
		return nil, &SyntaxError{1, errors.New("this is a pcapng file, for Wireshark; what a tap wrote beside it as .transcript is a transcript")}
	}
	if err := t.readHeader(); err != nil {
		return nil, err
	}
	return t, nil
}

// Header is the header; it is complete from the start.
func (r *Reader) Header() *Header { return &r.header }

// Line is the number of the line that was read last.
func (r *Reader) Line() int { return r.line }

func (r *Reader) next() ([]byte, error) {
	if r.ahead != nil {
		b := r.ahead
		r.ahead = nil
		return b, nil
	}
	if r.end {
		return nil, io.EOF
	}
	if !r.s.Scan() {
		r.end = true
		switch err := r.s.Err(); {
		case errors.Is(err, bufio.ErrTooLong):
			r.line++
			return nil, r.fail(fmt.Errorf("%w of %d bytes for a line", ErrLimit, maxLine))
		case err != nil:
			return nil, fmt.Errorf("read transcript: %w", err)
		}
		return nil, io.EOF
	}
	r.line++
	return bytes.TrimRight(r.s.Bytes(), " \t\r"), nil
}

// split is [bufio.ScanLines] that notices a last line without an end.
func (r *Reader) split(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if atEOF && len(data) > 0 && bytes.IndexByte(data, '\n') < 0 {
		r.cut = true
	}
	return bufio.ScanLines(data, atEOF)
}

// fail makes the error of the line that was read last. A copy that was broken off ends anywhere, and a writer that lost power too.
func (r *Reader) fail(err error) error {
	if r.cut {
		err = fmt.Errorf("%w; the file ends in the middle of this line: if it was cut off there, remove the line to use what is before it", err)
	}
	return &SyntaxError{r.line, err}
}

// pcapng is how the files begin that a tap writes for Wireshark, under the same name.
const pcapng = "\x0a\x0d\x0d\x0a"

func (r *Reader) readHeader() error {
	first, err := r.next()
	if err == io.EOF {
		r.line = 1
		return r.fail(fmt.Errorf("the file is empty; a transcript begins with %q and a version", magic))
	}
	if err != nil {
		return err
	}
	version, ok := bytes.CutPrefix(first, []byte(magic))
	if !ok {
		r.line = 1
		return r.fail(fmt.Errorf("a transcript begins with %q and a version", magic))
	}
	if string(version) != strconv.Itoa(Version) {
		return r.fail(fmt.Errorf("format version %q is not known; this program reads version %d", version, Version))
	}
	for {
		b, err := r.next()
		if err == io.EOF || err == nil && len(b) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		key, value, ok := strings.Cut(string(b), ":")
		if !ok {
			return r.fail(fmt.Errorf("header line %q has no colon; an empty line ends the header", b))
		}
		value = strings.TrimSpace(value)
		if err := checkKey(key); err != nil {
			return r.fail(err)
		}
		if err := checkText(value); err != nil {
			return r.fail(err)
		}
		if err := r.header.set(key, value); err != nil {
			return r.fail(err)
		}
	}
}

// Next is the next event; at the end it returns io.EOF. The event's data is the caller's. After an error every call
// returns that error.
func (r *Reader) Next() (Event, error) {
	if r.err != nil {
		return Event{}, r.err
	}
	e, err := r.event()
	if err != nil {
		r.err, e = err, Event{}
	}
	return e, err
}

func (r *Reader) event() (Event, error) {
	var b []byte
	var err error
	for len(b) == 0 {
		if b, err = r.next(); err != nil {
			return Event{}, err
		}
	}
	if b[0] == '#' {
		e := Event{Kind: Comment, Text: strings.TrimSpace(string(b[1:]))}
		if err := checkText(e.Text); err != nil {
			return e, r.fail(err)
		}
		return e, nil
	}
	e, err := parseEvent(string(b))
	if err != nil {
		return e, r.fail(err)
	}
	if e.Kind != Data && e.Kind != Datagram {
		return e, nil
	}
	e.Data = []byte{}
	for {
		b, err := r.next()
		if err == io.EOF {
			return e, nil
		}
		if err != nil {
			return e, err
		}
		if len(b) == 0 {
			continue
		}
		if b[0] != ' ' && b[0] != '\t' {
			r.ahead = b
			return e, nil
		}
		if e.Data, err = appendHexRow(e.Data, b); err != nil {
			return e, r.fail(err)
		}
		if len(e.Data) > r.limits.Event {
			return e, r.fail(fmt.Errorf("%w of %d bytes for one event", ErrLimit, r.limits.Event))
		}
	}
}

func parseEvent(s string) (e Event, err error) {
	dir, rest, _ := strings.Cut(s, " ")
	if dir != ">" && dir != "<" && dir != "=" {
		return e, fmt.Errorf("a line begins with >, <, =, # or, for hex, a space; this one begins with %.20q", s)
	}
	e.Dir = Direction(dir[0])
	flow, rest, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
	n, err := strconv.ParseUint(flow, 10, 32)
	if err != nil {
		return e, fmt.Errorf("flow %q is not a number below 2^32", flow)
	}
	e.Flow = uint32(n)
	at, rest, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
	if e.Offset, err = parseOffset(at); err != nil {
		return e, err
	}
	kind, text, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
	for i, k := range kindNames {
		if k == kind && k != "" && Kind(i) != Comment {
			e.Kind = Kind(i)
		}
	}
	if e.Kind == 0 {
		return e, fmt.Errorf("kind %q is not known; it is open, data, datagram, close, reset or note", kind)
	}
	e.Text = strings.TrimSpace(text)
	return e, e.check()
}

func parseOffset(s string) (time.Duration, error) {
	bad := func() (time.Duration, error) {
		return 0, fmt.Errorf("time %q is not written as +seconds.fraction with at most nine digits", s)
	}
	t, ok := strings.CutPrefix(s, "+")
	if !ok {
		return bad()
	}
	whole, frac, _ := strings.Cut(t, ".")
	sec, err := strconv.ParseUint(whole, 10, 64)
	if err != nil || sec >= uint64(math.MaxInt64/time.Second) || len(frac) > 9 {
		return bad()
	}
	nanos := uint64(0)
	if frac != "" {
		if nanos, err = strconv.ParseUint(frac+"000000000"[len(frac):], 10, 32); err != nil {
			return bad()
		}
	}
	return time.Duration(sec)*time.Second + time.Duration(nanos), nil
}

// appendHexRow reads pairs of hex digits, with or without space between them, up to a bar.
func appendHexRow(dst, row []byte) ([]byte, error) {
	hi, half := byte(0), false
	for i, c := range row {
		switch {
		case c == '|':
			row = nil
		case c == ' ' || c == '\t':
			if half {
				return dst, fmt.Errorf("column %d: a lone hex digit %q; bytes have two", i, row[i-1])
			}
			continue
		}
		if row == nil {
			break
		}
		v, ok := hexValue(c)
		if !ok {
			return dst, fmt.Errorf("column %d: %q is not a hex digit", i+1, c)
		}
		if half {
			dst = append(dst, hi<<4|v)
		}
		hi, half = v, !half
	}
	if half {
		return dst, fmt.Errorf("the row ends with a lone hex digit; bytes have two")
	}
	return dst, nil
}

func hexValue(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// Read reads a whole transcript.
func Read(r io.Reader, limits Limits) (*Transcript, error) {
	tr, err := NewReader(r, limits)
	if err != nil {
		return nil, err
	}
	t := &Transcript{Header: tr.header}
	total := 0
	for {
		e, err := tr.Next()
		if err == io.EOF {
			return t, nil
		}
		if err != nil {
			return nil, err
		}
		if total += len(e.Data); total > tr.limits.Total || len(t.Events) >= tr.limits.Events {
			return nil, tr.fail(fmt.Errorf("%w of %d bytes or %d events for a transcript", ErrLimit, tr.limits.Total, tr.limits.Events))
		}
		t.Events = append(t.Events, e)
	}
}

// Parse reads a whole transcript from memory, with the default limits.
func Parse(b []byte) (*Transcript, error) { return Read(bytes.NewReader(b), Limits{}) }
