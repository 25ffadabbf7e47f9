package config

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/patchbay-io/patchbay/internal/access"
)

// maxFile bounds a configuration file, in bytes.
const maxFile = 4 << 20

// Load reads and checks a configuration. A mistake in it is reported as [Problems]; any other error is about reading the
// file itself.
func Load(in Input) (*Config, error) {
	data := in.Data
	if data == nil && in.File != "" {
		b, err := readFile(in.File)
		if err != nil {
			return nil, err
		}
		data = b
	}
	l := &loader{
		in: in, lines: strings.Split(string(data), "\n"), place: in.File,
		resolve: resolver{getenv: in.Getenv, dir: filepath.Dir(in.File)},
		c: &Config{File: in.File, Version: Version, Listen: DefaultListen, Log: Log{Level: "info", Format: "auto"}, Metrics: Metrics{MaxSeries: DefaultMaxSeries},
			Access:  access.Set{WriteRate: DefaultWriteRate},
			origins: map[string]string{}},
	}
	if l.place == "" {
		l.place = "configuration"
	}
	l.file(data)
	l.commandLine()
	l.serialDevices()
	l.environment()
	l.flags()
	l.guard()
	l.c.ports = l.ports
	l.c.secrets = l.resolve.secrets
	if len(l.problems) > 0 {
		return nil, l.problems
	}
	return l.c, nil
}

func readFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("configuration file %s does not exist", name)
	case err != nil:
		return nil, fmt.Errorf("configuration file: %w", err)
	case info.IsDir():
		return nil, fmt.Errorf("%s is a folder; name the configuration file in it", name)
	case info.Size() > maxFile:
		return nil, fmt.Errorf("configuration file %s has %d bytes; at most %d are read", name, info.Size(), maxFile)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("configuration file: %w", err)
	}
	return b, nil
}

type loader struct {
	in       Input
	c        *Config
	place    string
	lines    []string
	resolve  resolver
	problems Problems
	listen   *token.Token   // where the file names it; nil: somewhere else does
	ports    []setting      // of the section serial, for Explain
	portAt   []*token.Token // where each of c.Serial.Ports is named
	overTLS  []tlsServer    // what lets programs connect over TLS
	claimed  []claim        // what servers of devices take of this computer
	hashes   bool           // the file itself holds password hashes
}

// at adds a problem at a token of the file.
func (l *loader) at(t *token.Token, format string, args ...any) {
	p := Problem{Place: l.place, Text: fmt.Sprintf(format, args...)}
	if t != nil && t.Position != nil && t.Position.Line > 0 {
		p.Line, p.Col = t.Position.Line, t.Position.Column
		if p.Line <= len(l.lines) {
			p.Source = strings.TrimRight(l.lines[p.Line-1], "\r")
		}
	}
	l.problems = append(l.problems, p)
}

// elsewhere adds a problem that is in no file.
func (l *loader) elsewhere(place, format string, args ...any) {
	l.problems = append(l.problems, Problem{Place: place, Text: fmt.Sprintf(format, args...)})
}

// wantsQuotes is what to do about a URL like sim+mill: without quotes, which YAML reads as the key of a mapping.
func (l *loader) wantsQuotes(t *token.Token) string {
	if t == nil || t.Position == nil || t.Position.Line < 1 || t.Position.Line > len(l.lines) {
		return ""
	}
	line := strings.TrimSpace(l.lines[t.Position.Line-1])
	key, value, ok := strings.Cut(line, ": ")
	if value = strings.TrimSpace(value); !ok || !strings.HasSuffix(value, ":") || strings.ContainsAny(value, ` "'{[`) {
		return ""
	}
	return fmt.Sprintf("; what ends with a colon wants quotes: %s: %q", key, value)
}

// where is the origin of something in the file, as Explain shows it.
func (l *loader) where(t *token.Token) string {
	if t == nil || t.Position == nil {
		return l.place
	}
	return l.place + ":" + strconv.Itoa(t.Position.Line)
}

var topKeys = []string{"version", "listen", "hosts", "log", "metrics", "users", "tokens", "write_rate", "tls", "insecure", "audit", "serial", "devices"}

func (l *loader) file(data []byte) {
	f, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		var ye yaml.Error
		if errors.As(err, &ye) {
			l.at(ye.GetToken(), "this is no valid YAML: %s%s", ye.GetMessage(), l.wantsQuotes(ye.GetToken()))
		} else {
			l.elsewhere(l.place, "this is no valid YAML: %v", err)
		}
		return
	}
	docs := slices.DeleteFunc(f.Docs, func(d *ast.DocumentNode) bool { return d.Body == nil })
	if len(docs) == 0 {
		return
	}
	if len(docs) > 1 {
		l.at(docs[1].Body.GetToken(), "a second YAML document; a configuration is one document")
		return
	}
	for _, kv := range l.mapping(docs[0].Body, "the configuration") {
		switch kv.key {
		case "version":
			l.version(kv.value)
		case "listen":
			l.listen = kv.value.GetToken()
			l.scalar(kv.value, "listen", func(s string) error { return l.setListen(s) })
		case "hosts":
			for _, n := range l.list(kv.value, "hosts") {
				l.scalar(n, "hosts", func(s string) error { l.c.Hosts = append(l.c.Hosts, s); return nil })
			}
		case "log":
			for _, kv := range l.mapping(kv.value, "log") {
				switch kv.key {
				case "level":
					l.scalar(kv.value, "log.level", func(s string) error { return setOneOf(&l.c.Log.Level, s, levels) })
				case "format":
					l.scalar(kv.value, "log.format", func(s string) error { return setOneOf(&l.c.Log.Format, s, formats) })
				default:
					l.unknownKey(kv, []string{"level", "format"})
				}
			}
		case "metrics":
			l.metrics(kv.value)
		case "users", "tokens":
			l.members(kv.value, kv.key)
		case "write_rate":
			l.scalar(kv.value, "write_rate", l.setWriteRate)
		case "tls":
			l.tls(kv.value)
		case "insecure":
			l.scalar(kv.value, "insecure", l.setInsecure)
		case "audit":
			l.audit(kv.value)
		case "serial":
			l.serial(kv.value)
		case "devices":
			for _, kv := range l.mapping(kv.value, "devices") {
				l.device(kv)
			}
		default:
			l.unknownKey(kv, topKeys)
		}
	}
}

func (l *loader) unknownKey(kv pair, known []string) {
	mean := didYouMean(kv.key, known)
	if mean == "" {
		mean = " Known here: " + strings.Join(known, ", ") + "."
	}
	l.at(kv.token, "unknown key %q.%s", kv.key, mean)
}

func (l *loader) version(n ast.Node) {
	i, ok := n.(*ast.IntegerNode)
	if !ok || fmt.Sprint(i.Value) != strconv.Itoa(Version) {
		l.at(n.GetToken(), "version %s is not known to this program; it reads version %d", n.GetToken().Value, Version)
		return
	}
	l.c.origins["version"] = l.where(n.GetToken())
}

var (
	levels  = []string{"debug", "info", "warn", "error"}
	formats = []string{"auto", "text", "json"}
)

func setOneOf(to *string, v string, known []string) error {
	if !slices.Contains(known, v) {
		return fmt.Errorf("%q is none of %s", v, strings.Join(known, ", "))
	}
	*to = v
	return nil
}

func (l *loader) setListen(s string) error {
	host, port, err := net.SplitHostPort(s)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("%q is no address to listen on; write HOST:PORT such as %s, port 0 takes a free one", s, DefaultListen)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	l.c.Listen = net.JoinHostPort(host, port)
	return nil
}

func (l *loader) commandLine() {
	for i, arg := range l.in.URLs {
		place := "command line"
		name, rawURL, named := strings.Cut(arg, "=")
		if !named || strings.ContainsAny(name, ":/?") {
			name, rawURL = "", arg
		}
		l.deviceFromURL(place, name, rawURL, i)
	}
}

func (l *loader) environment() {
	if l.in.Getenv == nil {
		return
	}
	for _, e := range []struct {
		name, key string
		set       func(string) error
	}{
		{"PATCHBAY_LISTEN", "listen", l.setListen},
		{"PATCHBAY_HOSTS", "hosts", func(s string) error { l.c.Hosts = splitList(s); return nil }},
		{"PATCHBAY_LOG_LEVEL", "log.level", func(s string) error { return setOneOf(&l.c.Log.Level, s, levels) }},
		{"PATCHBAY_LOG_FORMAT", "log.format", func(s string) error { return setOneOf(&l.c.Log.Format, s, formats) }},
	} {
		if v, ok := l.in.Getenv(e.name); ok && v != "" {
			l.set("environment variable "+e.name, e.key, v, e.set)
		}
	}
}

func (l *loader) flags() {
	f := l.in.Flags
	if f.Listen != "" {
		l.set("flag --listen", "listen", f.Listen, l.setListen)
	}
	if f.LogLevel != "" {
		l.set("flag --log-level", "log.level", f.LogLevel, func(s string) error { return setOneOf(&l.c.Log.Level, s, levels) })
	}
	if f.LogFormat != "" {
		l.set("flag --log-format", "log.format", f.LogFormat, func(s string) error { return setOneOf(&l.c.Log.Format, s, formats) })
	}
	if len(f.Hosts) > 0 {
		l.c.Hosts, l.c.origins["hosts"] = f.Hosts, "flag --host"
	}
}

func (l *loader) set(place, key, v string, set func(string) error) {
	if err := set(v); err != nil {
		l.elsewhere(place, "%s: %v", key, err)
		return
	}
	l.c.origins[key] = place
	if key == "listen" {
		l.listen = nil
	}
}

func splitList(s string) []string {
	var out []string
	for w := range strings.SplitSeq(s, ",") {
		if w = strings.TrimSpace(w); w != "" {
			out = append(out, w)
		}
	}
	return out
}
