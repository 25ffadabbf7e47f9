package config

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
	"github.com/invopop/jsonschema"

	"github.com/patchbay-io/patchbay/internal/access"
)

// DefaultWriteRate is how many points a user may write in a second when nobody says otherwise.
const DefaultWriteRate = 100

// TLS says how the HTTP door encrypts.
type TLS struct {
	Auto      bool   // with a certificate that the program makes and keeps
	Cert, Key string // PEM files, as paths from where the program runs
}

// On reports whether it does at all.
func (t TLS) On() bool { return t.Auto || t.Cert != "" }

// Audit says where the lines about who did what go besides memory.
type Audit struct {
	File    string // JSON lines; empty: no file
	MaxSize int64  // bytes; 0: the default
	Keep    int    // old files; 0: the default
}

var (
	memberKeys = map[string][]string{"users": {"password", "role", "writable"}, "tokens": {"sha256", "role", "writable"}}
	tlsKeys    = []string{"cert", "key"}
	auditKeys  = []string{"file", "max_size", "keep"}
)

// members reads users or tokens.
func (l *loader) members(n ast.Node, section string) {
	for _, kv := range l.mapping(n, section) {
		if !deviceName.MatchString(kv.key) {
			l.at(kv.token, "%q cannot name a user or token: use a-z, 0-9, '-', '_' and '.', at most 63 of them", kv.key)
			continue
		}
		if l.named(kv.key) {
			l.at(kv.token, "%q is a user and a token; names say who did something, so give one of them another name", kv.key)
			continue
		}
		l.member(kv, section)
	}
}

func (l *loader) named(name string) bool {
	return slices.ContainsFunc(l.c.Access.Users, func(u access.User) bool { return u.Name == name }) ||
		slices.ContainsFunc(l.c.Access.Tokens, func(t access.Token) bool { return t.Name == name })
}

func (l *loader) member(kv pair, section string) {
	before := len(l.problems)
	var secret, shown string
	var role access.Role
	var writable []string
	given := map[string]bool{}
	for _, f := range l.mapping(kv.value, section+"."+kv.key) {
		given[f.key] = true
		switch f.key {
		case "role":
			l.scalar(f.value, section+"."+kv.key+".role", func(s string) (err error) { role, err = access.ParseRole(s); return err })
		case "writable":
			writable = l.userPatterns(f.value)
		case memberKeys[section][0]:
			secret, shown = l.memberSecret(f.value, section)
		default:
			l.unknownKey(f, memberKeys[section])
		}
	}
	for _, key := range memberKeys[section][:2] {
		if !given[key] {
			l.at(kv.token, "%s %q has no %s; %s", strings.TrimSuffix(section, "s"), kv.key, key, todoOf(section, key, kv.key))
		}
	}
	if len(l.problems) > before {
		return
	}
	if section == "users" {
		l.c.Access.Users = append(l.c.Access.Users, access.User{Name: kv.key, Password: secret, Role: role, Writable: writable})
	} else {
		l.c.Access.Tokens = append(l.c.Access.Tokens, access.Token{Name: kv.key, SHA256: secret, Role: role, Writable: writable})
	}
	text := fmt.Sprintf("{%s: %s, role: %s", memberKeys[section][0], shown, role)
	if writable != nil {
		text += ", writable: " + flowList(writable)
	}
	l.c.people = append(l.c.people, setting{section + "." + kv.key, text + "}", l.where(kv.token)})
}

func todoOf(section, key, name string) string {
	switch {
	case key == "role":
		return "it is one of " + strings.Join(access.RoleNames(), ", ")
	case section == "users":
		return "`patchbay user add " + name + "` makes the line"
	}
	return "`patchbay user token " + name + "` makes the line"
}

// memberSecret reads the hash of a password or token. Neither is shown anywhere again.
func (l *loader) memberSecret(n ast.Node, section string) (secret, shown string) {
	raw := n.GetToken().Value
	v, ok := l.text(n, memberKeys[section][0])
	if !ok {
		return "", ""
	}
	check := access.CheckSum
	if section == "users" {
		check = access.CheckHash
	}
	if err := check(v); err != nil {
		l.atSecret(n.GetToken(), "%s: %v", memberKeys[section][0], err)
		return "", ""
	}
	l.resolve.secrets = append(l.resolve.secrets, v)
	if strings.Contains(raw, "${") {
		return v, flow(raw)
	}
	l.hashes = l.hashes || section == "users"
	return v, `"***"`
}

// atSecret adds a problem without the line, since what stands there may be a password in place of its hash.
func (l *loader) atSecret(t *token.Token, format string, args ...any) {
	l.at(t, format, args...)
	l.problems[len(l.problems)-1].Source = ""
}

var devicePart = regexp.MustCompile(`^(\*|[a-z0-9][a-z0-9_.-]{0,62})$`)

// userPatterns reads patterns DEVICE/PATH. An empty list is not nil: it allows nothing.
func (l *loader) userPatterns(n ast.Node) []string {
	out := []string{}
	for _, item := range l.list(n, "writable") {
		v, ok := l.text(item, "writable")
		if !ok {
			continue
		}
		if err := CheckUserPattern(v); err != nil {
			l.at(item.GetToken(), "writable: %v", err)
			continue
		}
		out = append(out, v)
	}
	return out
}

// CheckUserPattern says what is wrong with a pattern DEVICE/PATH of what a user may write.
func CheckUserPattern(p string) error {
	dev, path, two := strings.Cut(p, "/")
	switch {
	case p == "*" || p == "**":
		return nil
	case !two || !devicePart.MatchString(dev):
		return fmt.Errorf("%q is no DEVICE/PATH; write it like mill1/macros/*, or */macros/* for every device", p)
	}
	return checkPattern(path)
}

// ValidName reports whether a user or token, or a device, can be called so.
func ValidName(name string) bool { return deviceName.MatchString(name) }

func (l *loader) tls(n ast.Node) {
	switch plain(n).(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
	default:
		l.scalar(n, "tls", func(s string) error {
			if s != "auto" {
				return fmt.Errorf("%q is neither auto nor {cert: FILE, key: FILE}", s)
			}
			l.c.TLS.Auto = true
			return nil
		})
		return
	}
	for _, kv := range l.mapping(n, "tls") {
		to := map[string]*string{"cert": &l.c.TLS.Cert, "key": &l.c.TLS.Key}[kv.key]
		if to == nil {
			l.unknownKey(kv, tlsKeys)
			continue
		}
		l.scalar(kv.value, "tls."+kv.key, func(s string) error { *to = l.beside(s); return nil })
	}
	if l.c.TLS.Cert == "" || l.c.TLS.Key == "" {
		l.at(n.GetToken(), "tls needs both cert and key, or is auto")
	}
}

func (l *loader) audit(n ast.Node) {
	for _, kv := range l.mapping(n, "audit") {
		switch kv.key {
		case "file":
			l.scalar(kv.value, "audit.file", func(s string) error { l.c.Audit.File = l.beside(s); return nil })
		case "max_size":
			l.scalar(kv.value, "audit.max_size", func(s string) (err error) { l.c.Audit.MaxSize, err = parseSize(s); return err })
		case "keep":
			l.scalar(kv.value, "audit.keep", func(s string) (err error) {
				if l.c.Audit.Keep, err = strconv.Atoi(s); err != nil || l.c.Audit.Keep < 1 || l.c.Audit.Keep > 1000 {
					return fmt.Errorf("%q is no number of files from 1 to 1000", s)
				}
				return nil
			})
		default:
			l.unknownKey(kv, auditKeys)
		}
	}
}

// beside makes a relative path one beside the configuration file.
func (l *loader) beside(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(l.resolve.dir, path)
}

func (l *loader) setWriteRate(s string) error {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(v) || v < 0 || v > 1e6 {
		return fmt.Errorf("%q is no number of writes in a second; write a number such as %d, or 0 for no limit", s, DefaultWriteRate)
	}
	l.c.Access.WriteRate = v
	return nil
}

func (l *loader) setInsecure(s string) error {
	v, err := strconv.ParseBool(s)
	if err != nil {
		return fmt.Errorf("%q is neither true nor false", s)
	}
	l.c.Insecure = v
	return nil
}

var sizeForm = regexp.MustCompile(`^([0-9]+) ?(B|kB|KB|MB|GB|KiB|MiB|GiB)?$`)

func parseSize(s string) (int64, error) {
	units := map[string]int64{"": 1, "B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
	m := sizeForm.FindStringSubmatch(s)
	if m != nil {
		if v, err := strconv.ParseInt(m[1], 10, 32); err == nil && v*units[m[2]] >= 1000 {
			return v * units[m[2]], nil
		}
	}
	return 0, fmt.Errorf("%q is no size from 1 kB on; write it like 10MB", s)
}

// guard holds together what was read: who is let in, where from, and who can read the file itself.
func (l *loader) guard() {
	if err := access.CheckListen(l.c.Listen, l.c.Somebody(), l.c.TLS.On(), l.c.Insecure); err != nil {
		if l.listen != nil {
			l.at(l.listen, "listen: %v", err)
		} else {
			l.elsewhere(l.c.origins["listen"], "listen: %v", err)
		}
	}
	l.guardPorts()
	l.guardServers()
	l.guardClaims()
	if l.hashes && l.in.Data == nil {
		if err := Private(l.in.File); err != nil {
			l.elsewhere(l.place, "it holds password hashes, and %v", err)
		}
	}
}

// Somebody reports whether there are users or tokens.
func (c *Config) Somebody() bool { return len(c.Access.Users)+len(c.Access.Tokens) > 0 }

var errPublic = errors.New("others can read or change it")

func accessSchema(root *jsonschema.Schema) {
	for section, keys := range memberKeys {
		one := object("what it may do")
		one.Properties.Set(keys[0], text("the hash that `patchbay user` prints"))
		role := oneOf("viewer reads, operator writes too, admin sees the audit and reloads", access.RoleNames())
		one.Properties.Set("role", role)
		one.Properties.Set("writable", listOf(text("pattern DEVICE/PATH that narrows what may be written; a wildcard never grants a point that moves a machine")))
		one.Required = []string{keys[0], "role"}
		all := object("who is let in, by name")
		all.PatternProperties = map[string]*jsonschema.Schema{deviceName.String(): one}
		root.Properties.Set(section, all)
	}
	pair := object("certificate and key as PEM files")
	pair.Properties.Set("cert", text("certificate, with those of its issuers behind it"))
	pair.Properties.Set("key", text("its key, which nobody else can read"))
	pair.Required = tlsKeys
	root.Properties.Set("tls", &jsonschema.Schema{AnyOf: []*jsonschema.Schema{oneOf("a certificate that patchbay makes", []string{"auto"}), pair}})
	root.Properties.Set("insecure", &jsonschema.Schema{Description: "listen beyond this machine without users or TLS",
		AnyOf: []*jsonschema.Schema{{Type: "boolean"}, {Type: "string", Pattern: referencePattern}}})
	rate := &jsonschema.Schema{Type: "number", Minimum: "0", Maximum: "1000000", Default: DefaultWriteRate}
	root.Properties.Set("write_rate", &jsonschema.Schema{Description: "points that one user may write in a second; 0: no limit",
		AnyOf: []*jsonschema.Schema{rate, {Type: "string", Pattern: referencePattern}}})
	a := object("where the lines about who did what go")
	a.Properties.Set("file", text("file of JSON lines"))
	a.Properties.Set("max_size", &jsonschema.Schema{Description: "size at which it is put aside, such as 10MB",
		AnyOf: []*jsonschema.Schema{{Type: "string"}, {Type: "integer"}}})
	a.Properties.Set("keep", &jsonschema.Schema{Description: "old files that are kept",
		AnyOf: []*jsonschema.Schema{{Type: "integer", Minimum: "1", Maximum: "1000"}, {Type: "string", Pattern: referencePattern}}})
	root.Properties.Set("audit", a)
}

// accessSettings are for Explain and Compare. People come by name, so that a section stands together.
func (c *Config) accessSettings(add func(key, text string)) {
	tls := ""
	if c.TLS.Auto {
		tls = "auto"
	}
	if tls != "" {
		add("tls", tls)
	} else if c.TLS.On() {
		add("tls.cert", flow(c.TLS.Cert))
		add("tls.key", flow(c.TLS.Key))
	}
	add("insecure", strconv.FormatBool(c.Insecure))
	add("write_rate", strconv.FormatFloat(c.Access.WriteRate, 'g', -1, 64))
	if c.Audit.File != "" {
		add("audit.file", flow(c.Audit.File))
	}
	if c.Audit.MaxSize > 0 {
		add("audit.max_size", strconv.FormatInt(c.Audit.MaxSize, 10))
	}
	if c.Audit.Keep > 0 {
		add("audit.keep", strconv.Itoa(c.Audit.Keep))
	}
}
