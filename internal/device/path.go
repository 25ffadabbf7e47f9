package device

import (
	"fmt"
	"strings"
)

// MaxPath is the longest path in bytes that [ParsePath] accepts.
const MaxPath = 512

// Path names a point inside its device: lower-case segments separated by single slashes, without a leading or trailing
// slash, for example "path/1/axes/x/absolute". Segments hold a-z, 0-9, '-', '_' and '.'. The empty path is the root.
type Path string

// ParsePath checks s. The error says which segment is wrong and why.
func ParsePath(s string) (Path, error) {
	if s == "" {
		return "", nil
	}
	if len(s) > MaxPath {
		return "", fmt.Errorf("path is %d bytes long; the limit is %d", len(s), MaxPath)
	}
	for seg := range strings.SplitSeq(s, "/") {
		if seg == "" {
			return "", fmt.Errorf("path %q has an empty segment; write it as a/b/c without leading or trailing slash", s)
		}
		for i := range len(seg) {
			if !segmentByte(seg[i]) {
				return "", fmt.Errorf("path %q: segment %q holds %q; segments are a-z, 0-9, '-', '_' and '.'", s, seg, seg[i])
			}
		}
	}
	return Path(s), nil
}

func segmentByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.'
}

// Join puts segments together; empty ones are left out.
func Join(segments ...string) Path {
	n := 0
	for _, s := range segments {
		n += len(s) + 1
	}
	b := make([]byte, 0, n)
	for _, s := range segments {
		if s == "" {
			continue
		}
		if len(b) > 0 {
			b = append(b, '/')
		}
		b = append(b, s...)
	}
	return Path(b)
}

// Child is p with one more part, which may itself hold several segments.
func (p Path) Child(part string) Path { return Join(string(p), part) }

// Base is the last segment.
func (p Path) Base() string { return string(p[strings.LastIndexByte(string(p), '/')+1:]) }

// Parent is p without its last segment; the parent of a single segment is the root.
func (p Path) Parent() Path {
	if i := strings.LastIndexByte(string(p), '/'); i >= 0 {
		return p[:i]
	}
	return ""
}

// Under reports whether p is sub or lies below it. Everything is under the root.
func (p Path) Under(sub Path) bool {
	return sub == "" || p == sub || len(p) > len(sub) && p[len(sub)] == '/' && p[:len(sub)] == sub
}

// Grant is the pattern by which configuration is to allow p: p itself, but for what is below a client with a number, which is another
// one each time.
func (p Path) Grant() string {
	below, ok := strings.CutPrefix(string(p), string(ClientsRoot)+"/")
	id, name, more := strings.Cut(below, "/")
	if ok && more && strings.TrimRight(id, "0123456789") != id {
		return string(ClientsRoot.Child("*").Child(name))
	}
	return string(p)
}

// Match reports whether p fits a pattern as configuration writes it: segments as in a path, "*" for any one segment, and
// a final "*" or "**" for everything below. "me/*" matches "me/1/program"; "*/load" does not match "a/b/load".
func (p Path) Match(pattern string) bool {
	rest, pat := string(p), pattern
	for {
		if pat == "*" || pat == "**" {
			return rest != ""
		}
		seg, restAfter, more := strings.Cut(rest, "/")
		want, patAfter, patMore := strings.Cut(pat, "/")
		if want != "*" && want != seg || seg == "" {
			return false
		}
		if !more || !patMore {
			return more == patMore
		}
		rest, pat = restAfter, patAfter
	}
}

// Slug turns a name that a device reports into one path segment: lower-case, other characters become '-'. A name with
// nothing usable becomes "unnamed".
func Slug(name string) string {
	var b []byte
	for _, r := range strings.ToLower(strings.TrimSpace(name)) {
		c := byte('-')
		if r < 128 && segmentByte(byte(r)) {
			c = byte(r)
		}
		if c == '-' && (len(b) == 0 || b[len(b)-1] == '-') {
			continue
		}
		b = append(b, c)
	}
	s := strings.TrimRight(string(b), "-")
	if s == "" {
		return "unnamed"
	}
	return s
}

// Slugs turns the names of one container into distinct segments, in the device's own order: a later name that becomes a
// segment already taken gets "-2", "-3" and so on.
func Slugs(names []string) []string {
	out := make([]string, len(names))
	used := make(map[string]bool, len(names))
	next := map[string]int{} // the number to begin with: those before it are taken, and of one name there may be thousands
	for i, n := range names {
		s := Slug(n)
		t := s
		for k := max(next[s], 2); used[t]; k++ {
			t = fmt.Sprintf("%s-%d", s, k)
			next[s] = k + 1
		}
		used[t], out[i] = true, t
	}
	return out
}
