package config

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// maxSecretFile bounds the file that ${file:PATH} names, in bytes.
const maxSecretFile = 64 << 10

var reference = regexp.MustCompile(`\$\{([^}:]*):([^}]*)\}`)

// resolver replaces ${env:NAME} and ${file:PATH} and remembers what it put in.
type resolver struct {
	getenv  func(string) (string, bool)
	dir     string // relative files are relative to the configuration file
	secrets []string
}

// text replaces every reference in s.
func (r *resolver) text(s string) (string, error) {
	if !strings.Contains(s, "${") {
		return s, nil
	}
	var first error
	out := reference.ReplaceAllStringFunc(s, func(ref string) string {
		m := reference.FindStringSubmatch(ref)
		v, err := r.lookup(m[1], m[2])
		if err != nil && first == nil {
			first = err
		}
		if v != "" {
			r.secrets = append(r.secrets, v)
		}
		return v
	})
	if first == nil && strings.Contains(reference.ReplaceAllString(s, ""), "${") {
		first = fmt.Errorf("a reference is written ${env:NAME} or ${file:PATH}")
	}
	return out, first
}

func (r *resolver) lookup(kind, name string) (string, error) {
	switch kind {
	case "env":
		if r.getenv != nil {
			if v, ok := r.getenv(name); ok {
				return v, nil
			}
		}
		return "", fmt.Errorf("the environment variable %s is not set", name)
	case "file":
		path := name
		if !filepath.IsAbs(path) {
			path = filepath.Join(r.dir, path)
		}
		info, err := os.Stat(path)
		if err == nil && info.Size() > maxSecretFile {
			return "", fmt.Errorf("the file %s has %d bytes; a secret has at most %d", name, info.Size(), maxSecretFile)
		}
		if err == nil {
			if err := Private(path); err != nil {
				return "", fmt.Errorf("the file %s holds a secret, and %w", name, err)
			}
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("the file of a secret cannot be read: %w", err)
		}
		return strings.TrimRight(string(b), "\r\n"), nil
	}
	return "", fmt.Errorf("${%s:…} is unknown; a reference is written ${env:NAME} or ${file:PATH}", kind)
}

// node replaces the references in all texts below n, in place, and reports whether there were any.
func (r *resolver) node(n ast.Node) (found bool, err error) {
	ast.Walk(visitor(func(n ast.Node) {
		s, ok := n.(*ast.StringNode)
		if !ok || !strings.Contains(s.Value, "${") {
			return
		}
		found = true
		v, e := r.text(s.Value)
		if e != nil && err == nil {
			err = e
		}
		s.Value = v
	}), n)
	return found, err
}

type visitor func(ast.Node)

// Visit calls the function and goes on below.
func (v visitor) Visit(n ast.Node) ast.Visitor { v(n); return v }

// hidePassword replaces the password of a URL, as it is written, by ***.
func hidePassword(s string) (shown, password string) {
	start := strings.Index(s, "//")
	if start < 0 {
		return s, ""
	}
	start += 2
	end := start + strings.IndexAny(s[start:]+"/", "/?#")
	at := strings.LastIndexByte(s[start:end], '@')
	if at < 0 {
		return s, ""
	}
	user, password, ok := strings.Cut(s[start:start+at], ":")
	if !ok {
		return s, ""
	}
	return s[:start] + user + ":***" + s[start+at:], password
}
