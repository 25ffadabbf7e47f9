package rfc6455

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"strings"
)

// MaxHead is the longest head of an HTTP message that is read, in bytes.
const MaxHead = 16 << 10

// ErrHead is the answer to what is no head of an HTTP/1 message.
var ErrHead = errors.New("bytes that are no HTTP/1 message")

// Head is the first line and the header lines of an HTTP/1 message.
type Head struct {
	Line  string
	Lines []HeadLine
}

// HeadLine is one line of a header. Offset and Length are where the line stands, with its end.
type HeadLine struct {
	Name, Value    string
	Offset, Length int
}

// Method words that requests begin with.
var methods = [...]string{"GET ", "HEAD ", "POST ", "PUT ", "DELETE ", "OPTIONS ", "PATCH "}

// BeginsHead says whether b begins a request of HTTP/1, or a response: no, yes, or more bytes will tell.
func BeginsHead(b []byte) (yes, more bool) {
	words := append(methods[:len(methods):len(methods)], "HTTP/1.")
	for _, w := range words {
		if bytes.HasPrefix(b, []byte(w)) {
			return true, false
		}
		more = more || strings.HasPrefix(w, string(b[:min(len(b), len(w))]))
	}
	return false, more
}

// ParseHead reads a head and how many bytes it takes. [ErrShort]: more bytes may help.
func ParseHead(b []byte) (h Head, n int, err error) {
	if yes, more := BeginsHead(b); !yes && !more {
		return h, 0, ErrHead
	}
	end := bytes.Index(b[:min(len(b), MaxHead)], []byte("\r\n\r\n"))
	switch {
	case end < 0 && len(b) >= MaxHead:
		return h, 0, ErrHead
	case end < 0:
		return h, 0, ErrShort
	}
	line, rest, _ := bytes.Cut(b[:end+2], []byte("\r\n"))
	h.Line = string(line)
	at := len(line) + 2
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			return h, 0, ErrHead
		}
		h.Lines = append(h.Lines, HeadLine{strings.ToLower(string(name)), string(bytes.TrimSpace(value)), at, len(line) + 2})
		at += len(line) + 2
	}
	return h, end + 4, nil
}

// Get is the value of the first line of that name, which is given in lower case.
func (h *Head) Get(name string) string {
	for i := range h.Lines {
		if h.Lines[i].Name == name {
			return h.Lines[i].Value
		}
	}
	return ""
}

// Upgrade reports whether the head asks for WebSocket, or agrees to it.
func (h *Head) Upgrade() bool {
	return strings.EqualFold(h.Get("upgrade"), "websocket") && (h.Request() || h.Status() == "101")
}

// Request reports whether it is one, and not a response.
func (h *Head) Request() bool { return !strings.HasPrefix(h.Line, "HTTP/") }

// Path is that of a request, as it was sent.
func (h *Head) Path() string {
	_, rest, _ := strings.Cut(h.Line, " ")
	path, _, _ := strings.Cut(rest, " ")
	return path
}

// Status is that of a response: three digits.
func (h *Head) Status() string {
	_, rest, _ := strings.Cut(h.Line, " ")
	status, _, _ := strings.Cut(rest, " ")
	return status
}

// Accept is what a server answers to a key, to show that it speaks WebSocket.
func Accept(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}
