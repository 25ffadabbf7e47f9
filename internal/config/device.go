package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/patchbay-io/patchbay/internal/driver"
)

// commonKeys are the keys of a device section that do not belong to its driver.
var commonKeys = []string{"url", "labels", "writable", serveKey}

// LabelKeys are the labels that a device may carry, from the largest place to the smallest, as ISA-95 orders them.
func LabelKeys() []string { return []string{"site", "area", "line", "cell"} }

var deviceName = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,62}$`)

// setting is one key of a device, for Explain.
type setting struct{ key, text, origin string }

// section is a device while it is being read.
type section struct {
	*loader
	d     Device
	token *token.Token // of the name; nil outside a file
	place string       // where its URL came from, as Explain shows it
	given map[string]*token.Token
	print []string // what the fingerprint is made of
}

func (s *section) problem(t *token.Token, format string, args ...any) {
	if s.token == nil {
		s.elsewhere(s.place, format, args...)
		return
	}
	if t == nil {
		t = s.token
	}
	s.at(t, format, args...)
}

// device reads one entry of devices: NAME: URL, or NAME: {url: …, …}.
func (l *loader) device(kv pair) {
	s := &section{loader: l, token: kv.token, place: l.where(kv.token), given: map[string]*token.Token{}}
	s.d.Name = kv.key
	if !deviceName.MatchString(kv.key) {
		s.problem(kv.token, "%q cannot name a device: use a-z, 0-9, '-', '_' and '.', at most 63 of them", kv.key)
		return
	}
	before := len(l.problems)
	switch n := kv.value.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		s.expanded(n)
	case *ast.NullNode:
		s.problem(nil, "device %q has no URL; write %s: %s", kv.key, kv.key, l.exampleURL())
	default:
		if raw, ok := s.rawText(n); ok {
			s.openURL(raw, n.GetToken(), nil)
		}
	}
	if len(l.problems) == before {
		s.finish()
	}
}

// deviceFromURL adds a device that the command line names.
func (l *loader) deviceFromURL(place, name, raw string, index int) {
	s := &section{loader: l, place: place, given: map[string]*token.Token{}}
	before := len(l.problems)
	s.d.Name = name
	if name != "" && !deviceName.MatchString(name) {
		s.problem(nil, "%q cannot name a device: use a-z, 0-9, '-', '_' and '.', at most 63 of them", name)
		return
	}
	s.openURL(raw, nil, nil)
	if s.d.Driver != nil && name == "" {
		s.d.Name = s.freeName(s.d.Driver.Info().Name)
	}
	if slices.ContainsFunc(l.c.Devices, func(d Device) bool { return d.Name == s.d.Name }) {
		s.problem(nil, "device %q is named twice; give this one another name: NAME=%s", s.d.Name, s.d.Display)
	}
	if len(l.problems) == before {
		s.finish()
	}
}

func (s *section) freeName(base string) string {
	for i := 1; ; i++ {
		name := fmt.Sprintf("%s%d", base, i)
		if !slices.ContainsFunc(s.c.Devices, func(d Device) bool { return d.Name == name }) {
			return name
		}
	}
}

func (s *section) rawText(n ast.Node) (string, bool) {
	switch t := n.(type) {
	case *ast.StringNode:
		return t.Value, true
	case *ast.LiteralNode:
		return strings.TrimSpace(t.Value.Value), true
	}
	s.problem(n.GetToken(), "device %q must be a URL or a mapping with the key url", s.d.Name)
	return "", false
}

// expanded reads the form with keys.
func (s *section) expanded(n ast.Node) {
	pairs := s.mapping(n, "device "+s.d.Name)
	i := slices.IndexFunc(pairs, func(p pair) bool { return p.key == "url" })
	if i < 0 {
		s.problem(nil, "device %q has no url; add url: %s", s.d.Name, s.exampleURL())
		return
	}
	if raw, ok := s.rawText(pairs[i].value); ok {
		s.openURL(raw, pairs[i].value.GetToken(), pairs)
	}
}

func (s *section) readCommon(p pair) {
	switch p.key {
	case "labels":
		for _, kv := range s.mapping(p.value, "labels") {
			if !slices.Contains(LabelKeys(), kv.key) {
				s.unknownKey(kv, LabelKeys())
				continue
			}
			if v, ok := s.text(kv.value, "labels."+kv.key); ok {
				if s.d.Labels == nil {
					s.d.Labels = map[string]string{}
				}
				s.d.Labels[kv.key] = v
				s.note("labels."+kv.key, v, s.where(kv.token))
			}
		}
	case serveKey:
		s.serve(p)
	case "writable":
		for _, n := range s.list(p.value, "writable") {
			v, ok := s.text(n, "writable")
			if !ok {
				continue
			}
			if err := checkPattern(v); err != nil {
				s.at(n.GetToken(), "writable: %v", err)
				continue
			}
			s.d.Writable = append(s.d.Writable, v)
		}
		s.note("writable", flowList(s.d.Writable), s.where(p.token))
	}
}

// checkPattern says what is wrong with a pattern of points.
func checkPattern(p string) error {
	segments := strings.Split(p, "/")
	for i, seg := range segments {
		switch {
		case seg == "":
			return fmt.Errorf("pattern %q has an empty segment; write it as a/b/c without leading or trailing slash", p)
		case seg == "*", seg == "**" && i == len(segments)-1:
		case strings.Contains(seg, "*"):
			return fmt.Errorf(`pattern %q: "*" stands for a whole segment, and "**" only at the end`, p)
		case strings.Trim(seg, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "":
			return fmt.Errorf("pattern %q: segment %q holds something else than a-z, 0-9, '-', '_' and '.'", p, seg)
		}
	}
	return nil
}

// note keeps a setting for Explain.
func (s *section) note(key, text, origin string) {
	s.d.settings = append(s.d.settings, setting{key, text, origin})
}

// noteOption keeps a setting for Explain and for the fingerprint.
func (s *section) noteOption(key, text, origin string) {
	s.note(key, text, origin)
	s.print = append(s.print, key+"="+text)
}

// finish validates the options and adds the device.
func (s *section) finish() {
	if v, ok := s.d.Target.Options.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			key, _, _ := strings.Cut(err.Error(), ":")
			s.problem(s.given[key], "%v", err)
			return
		}
	}
	slices.Sort(s.print)
	sum := sha256.Sum256([]byte(s.d.Driver.Info().Name + "\n" + s.d.Twin + "\n" + s.d.Target.URL.String() + "\n" + strings.Join(s.print, "\n")))
	s.d.Fingerprint = hex.EncodeToString(sum[:])
	s.d.marks = marks(s.d.Target.URL.String(), s.print)
	s.d.Target.Name = s.d.Name
	s.c.Devices = append(s.c.Devices, s.d)
}

// exampleURL is a URL of the first known scheme, for messages.
func (l *loader) exampleURL() string {
	for _, d := range l.in.Drivers {
		for _, sc := range d.Info().Schemes {
			return sc.Name + "://192.0.2.10"
		}
	}
	return "SCHEME://HOST"
}

// findDriver finds the driver of a scheme, with or without a twin before it.
func (l *loader) findDriver(scheme string) (d driver.Driver, twin string) {
	twin, rest, ok := strings.Cut(scheme, "+")
	if !ok || twin != TwinSim && twin != TwinReplay {
		twin, rest = "", scheme
	}
	for _, d := range l.in.Drivers {
		for _, sc := range d.Info().Schemes {
			if sc.Name == rest && (twin == "" || hasTwin(d, sc, l.in.Twins)) {
				return d, twin
			}
		}
	}
	return nil, ""
}

// hasTwin reports whether a simulator or a recording may stand in for a device of a scheme.
func hasTwin(d driver.Driver, sc driver.Scheme, twins map[string][]string) bool {
	_, ok := twins[d.Info().Name]
	return ok && !sc.NoTwin
}

// pathOf is what the path of a URL names in a scheme of a driver; empty: it has none.
func pathOf(d driver.Driver, scheme string) string { return schemeOf(d, scheme).Path }

func schemeOf(d driver.Driver, name string) driver.Scheme {
	for _, sc := range d.Info().Schemes {
		if sc.Name == name {
			return sc
		}
	}
	return driver.Scheme{}
}

func (l *loader) schemes() []string {
	var out []string
	for _, d := range l.in.Drivers {
		for _, sc := range d.Info().Schemes {
			out = append(out, sc.Name)
			if hasTwin(d, sc, l.in.Twins) {
				out = append(out, TwinSim+"+"+sc.Name, TwinReplay+"+"+sc.Name)
			}
		}
	}
	return out
}

// optionFields maps the yaml names of an options struct to its fields.
func optionFields(options any) map[string]reflect.Value {
	out := map[string]reflect.Value{}
	v := reflect.ValueOf(options)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return out
	}
	v = v.Elem()
	for i := range v.NumField() {
		if name := yamlName(v.Type().Field(i)); name != "" {
			out[name] = v.Field(i)
		}
	}
	return out
}

func yamlName(f reflect.StructField) string {
	if !f.IsExported() {
		return ""
	}
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	if name == "-" {
		return ""
	}
	if name == "" {
		return strings.ToLower(f.Name)
	}
	return name
}

var secretType = reflect.TypeFor[driver.Secret]()
