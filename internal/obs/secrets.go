package obs

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// hidden stands where a secret was.
const hidden = "***"

// minSecret is the shortest value that is looked for in output, in bytes: replacing every "1" would hide nothing and
// make everything unreadable.
const minSecret = 4

// Secrets holds the values that must not reach any output. It is safe for concurrent use; the zero value is empty.
type Secrets struct {
	mu     sync.RWMutex
	values [][]byte // longest first, so that a secret inside another does not leave the rest of it
}

// Add registers values in every form in which output would write them. Values shorter than four bytes are ignored.
func (s *Secrets) Add(values ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range values {
		if len(v) < minSecret {
			continue
		}
		quoted := strconv.Quote(v)
		asJSON, _ := json.Marshal(v)
		for _, form := range []string{v, quoted[1 : len(quoted)-1], string(asJSON[1 : len(asJSON)-1]), url.QueryEscape(v), url.PathEscape(v)} {
			if !slices.ContainsFunc(s.values, func(b []byte) bool { return string(b) == form }) {
				s.values = append(s.values, []byte(form))
			}
		}
	}
	slices.SortStableFunc(s.values, func(a, b []byte) int { return len(b) - len(a) })
}

// Scrub replaces every registered secret in b. It returns b itself when there is none in it.
func (s *Secrets) Scrub(b []byte) []byte {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, v := range s.values {
		if bytes.Contains(b, v) {
			b = bytes.ReplaceAll(b, v, []byte(hidden))
		}
	}
	return b
}

// ScrubString is Scrub for texts.
func (s *Secrets) ScrubString(t string) string { return string(s.Scrub([]byte(t))) }

// Writer passes what is written on to w without secrets. Each Write must hold whole lines; slog handlers and error
// messages do.
func (s *Secrets) Writer(w io.Writer) io.Writer { return &scrubbingWriter{w: w, secrets: s} }

type scrubbingWriter struct {
	w       io.Writer
	secrets *Secrets
}

// Write reports the length of what it was given, not of what went out.
func (s *scrubbingWriter) Write(b []byte) (int, error) {
	if _, err := s.w.Write(s.secrets.Scrub(b)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// secretKeys are names of attributes whose value is never written, registered or not.
var secretKeys = [...]string{"password", "passwd", "secret", "token", "authorization", "api_key", "apikey", "private_key", "cookie"}

func hideByKey(_ []string, a slog.Attr) slog.Attr {
	key := strings.ToLower(strings.ReplaceAll(a.Key, "-", "_"))
	for _, k := range secretKeys {
		if key == k || strings.HasSuffix(key, "_"+k) {
			return slog.String(a.Key, hidden)
		}
	}
	return a
}
