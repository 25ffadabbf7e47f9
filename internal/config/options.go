package config

import (
	"errors"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/patchbay-io/patchbay/internal/driver"
)

// openURL reads the URL of a device, finds its driver, and fills the options from the query and from the other keys of
// the section. t is where the URL stands; nil outside a file.
func (s *section) openURL(raw string, t *token.Token, pairs []pair) {
	resolved, err := s.resolve.text(raw)
	if err != nil {
		s.problem(t, "url: %v", err)
		return
	}
	shown, password := hidePassword(raw)
	if password != "" {
		_, password = hidePassword(resolved)
		s.resolve.secrets = append(s.resolve.secrets, password)
	}
	base, query, _ := strings.Cut(shown, "?")
	s.d.Display = shown
	u, err := url.Parse(resolved)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err
		}
		s.problem(t, "%q is no URL: %v; write it like %s", shown, err, s.exampleURL())
		return
	}
	if u.Scheme == "" {
		s.problem(t, "%q has no scheme; write it like %s", shown, s.exampleURL())
		return
	}
	s.d.Driver, s.d.Twin = s.findDriver(u.Scheme)
	if s.d.Driver == nil {
		known := s.schemes()
		s.problem(t, "%q is no known scheme.%s Known: %s", u.Scheme, didYouMean(u.Scheme, known), strings.Join(known, ", "))
		return
	}
	scheme := strings.TrimPrefix(u.Scheme, s.d.Twin+"+")
	file := ""
	if s.d.Twin == TwinReplay {
		if file, err = url.PathUnescape(u.Opaque); u.Opaque == "" {
			file, err = u.Path, nil
		}
	}
	local := schemeOf(s.d.Driver, scheme).Network == driver.LocalNetwork && s.d.Twin == ""
	switch {
	case local && (u.Host != "" || u.Path == "" && u.Opaque == "" || u.Fragment != ""):
		s.problem(t, "%q names no %s of this machine; write it like %s:/dev/ttyUSB0", shown, pathOf(s.d.Driver, scheme), u.Scheme)
	case local:
	case s.d.Twin == TwinReplay && (file == "" || u.Host != "" || u.Fragment != "" || err != nil):
		s.problem(t, "%q names no recording; write %s:FILE", shown, u.Scheme)
		return
	case s.d.Twin == TwinReplay:
		u.Opaque, u.Path = "", ""
	case s.d.Twin == "" && u.Hostname() == "":
		s.problem(t, "%q names no host; write it like %s://192.0.2.10", shown, u.Scheme)
	case s.d.Twin != "" && u.Host != "":
		s.problem(t, "%q: a simulator inside this process has no host; write %s:?…", shown, u.Scheme)
	case u.Path != "" && u.Path != "/" && pathOf(s.d.Driver, scheme) == "" || u.Fragment != "" || u.Opaque != "":
		s.problem(t, "%q: nothing but ?key=value may follow the host", shown)
	}
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		s.problem(t, "%q: the part after ? is wrong: %v", shown, err)
		return
	}
	target := *u
	target.RawQuery, target.ForceQuery = "", false
	target.Scheme = scheme
	if pathOf(s.d.Driver, scheme) == "" || s.d.Twin != "" {
		target.Path = ""
	}
	s.d.Target.URL = &target
	s.d.Target.Options = s.d.Driver.Options()

	origin := s.place
	if t != nil {
		origin = s.where(t)
	}
	s.note("url", base, origin)
	r := &optionReader{section: s, fields: optionFields(s.d.Target.Options), twin: s.in.Twins[s.d.Driver.Info().Name]}
	if s.d.Twin != TwinSim {
		r.twin = nil
	}
	if file != "" {
		r.setTwin("file", []string{file})
		s.print = append(s.print, "file="+file)
	}
	r.query(values, query, t, origin)
	for _, p := range pairs {
		switch {
		case p.key == "url":
		case slices.Contains(commonKeys, p.key):
			s.readCommon(p)
		default:
			r.key(p)
		}
	}
	if !slices.ContainsFunc(pairs, func(p pair) bool { return p.key == "writable" }) {
		s.d.settings = append(s.d.settings, setting{"writable", "[]", "default"})
	}
	r.defaults()
}

// optionReader fills the options of one device and the settings of its twin.
type optionReader struct {
	*section
	fields map[string]reflect.Value
	twin   []string
}

func (r *optionReader) known() []string {
	return slices.Concat(slices.Sorted(maps.Keys(r.fields)), r.twin, commonKeys)
}

// query reads what follows the ? of a URL. shown is the query as it is written.
func (r *optionReader) query(values url.Values, shown string, t *token.Token, origin string) {
	shownValues, err := url.ParseQuery(shown)
	if err != nil {
		shownValues = url.Values{}
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		r.given[key] = t
		text := strings.Join(shownValues[key], ",")
		if slices.Contains(r.twin, key) {
			r.setTwin(key, values[key])
			r.noteOption(key, text, origin)
			continue
		}
		field, ok := r.fields[key]
		if !ok {
			known := slices.Concat(slices.Sorted(maps.Keys(r.fields)), r.twin)
			mean := didYouMean(key, known)
			if mean == "" {
				mean = " Known: " + strings.Join(known, ", ") + "."
			}
			r.problem(t, "%s: unknown setting %q in the URL.%s", r.d.Display, key, mean)
			continue
		}
		if field.Type() == secretType {
			r.d.Display = strings.ReplaceAll(r.d.Display, url.QueryEscape(values.Get(key)), "***")
			r.resolve.secrets = append(r.resolve.secrets, values.Get(key))
			text = "***"
		}
		node, err := nodeOf(strings.Join(values[key], ","), field)
		if err == nil {
			err = yaml.NodeToValue(node, field.Addr().Interface())
		}
		if err != nil {
			r.problem(t, "%s: %s", key, messageOf(err))
			continue
		}
		r.noteOption(key, text, origin)
	}
}

// key reads one key of the expanded form.
func (r *optionReader) key(p pair) {
	if at, twice := r.given[p.key]; twice && at != nil {
		r.problem(p.token, "%q is given here and in the URL; keep one of them", p.key)
		return
	}
	r.given[p.key] = p.value.GetToken()
	origin := r.where(p.token)
	if slices.Contains(r.twin, p.key) {
		var vs []string
		for _, n := range r.list(p.value, p.key) {
			if v, ok := r.text(n, p.key); ok {
				vs = append(vs, v)
			}
		}
		r.setTwin(p.key, vs)
		r.noteOption(p.key, strings.Join(vs, ","), origin)
		return
	}
	field, ok := r.fields[p.key]
	if !ok {
		r.unknownKey(p, r.known())
		return
	}
	text := strings.TrimSpace(p.value.String())
	node := p.value
	found, err := r.resolve.node(node)
	if err != nil {
		r.problem(p.value.GetToken(), "%s: %v", p.key, err)
		return
	}
	if s, isText := node.(*ast.StringNode); isText && found {
		node, err = nodeOf(s.Value, field)
	}
	if field.Type() == secretType {
		text = "***"
	}
	if err == nil {
		err = yaml.NodeToValue(node, field.Addr().Interface())
	}
	if err != nil {
		at := p.value.GetToken()
		var ye yaml.Error
		if errors.As(err, &ye) && ye.GetToken() != nil && ye.GetToken().Position.Line >= at.Position.Line && !found {
			at = ye.GetToken()
		}
		r.problem(at, "%s: %s", p.key, messageOf(err))
		return
	}
	if found || field.Type() == secretType {
		r.print = append(r.print, p.key+"*="+node.String())
	}
	if s, ok := field.Interface().(interface{ Reveal() string }); ok {
		r.resolve.secrets = append(r.resolve.secrets, s.Reveal())
	}
	r.noteOption(p.key, text, origin)
}

func (r *optionReader) setTwin(key string, values []string) {
	if r.d.TwinArg == nil {
		r.d.TwinArg = url.Values{}
	}
	r.d.TwinArg[key] = values
}

// defaults notes the options that nobody gave, in the order of the struct.
func (r *optionReader) defaults() {
	v := reflect.ValueOf(r.d.Target.Options)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return
	}
	for i := range v.Elem().NumField() {
		name := yamlName(v.Elem().Type().Field(i))
		if _, given := r.given[name]; name == "" || given {
			continue
		}
		r.d.settings = append(r.d.settings, setting{name, flow(v.Elem().Field(i).Interface()), "default"})
	}
}

// nodeOf makes a YAML value of a text: as it is for texts, else as YAML reads it, so that a number stays a number. A list
// is separated by commas.
func nodeOf(text string, field reflect.Value) (ast.Node, error) {
	if field.Kind() == reflect.String || field.Type() == secretType {
		return textNode(text), nil
	}
	if _, own := field.Addr().Type().MethodByName("UnmarshalYAML"); field.Kind() == reflect.Slice && !own {
		list := ast.Sequence(token.New("[", "[", &token.Position{}), true)
		for _, word := range splitList(text) {
			list.Values = append(list.Values, textNode(word))
		}
		return list, nil
	}
	f, err := parser.ParseBytes([]byte(text), 0)
	if err != nil || len(f.Docs) != 1 || f.Docs[0].Body == nil {
		return yaml.ValueToNode(text)
	}
	switch f.Docs[0].Body.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return yaml.ValueToNode(text)
	}
	return f.Docs[0].Body, nil
}

// textNode is text as it is. yaml.ValueToNode puts quotes around what could be a number or a word of YAML, and keeps them.
func textNode(text string) ast.Node {
	return ast.String(token.New(text, text, &token.Position{}))
}

// flow is a value as one line of YAML.
func flow(v any) string {
	b, err := yaml.MarshalWithOptions(v, yaml.Flow(true))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

func flowList(list []string) string {
	if len(list) == 0 {
		return "[]"
	}
	return flow(list)
}

// messageOf is what an error of the decoder says, without the excerpt that it draws itself.
func messageOf(err error) string {
	var te *yaml.TypeError
	if errors.As(err, &te) {
		return "a value of this type cannot be used here; expected " + typeWord(te.DstType)
	}
	var ye yaml.Error
	if errors.As(err, &ye) {
		return ye.GetMessage()
	}
	return err.Error()
}

func typeWord(t reflect.Type) string {
	switch {
	case t == nil:
		return "another one"
	case t.String() == "time.Duration":
		return "a duration such as 250ms or 2s"
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64:
		return "a whole number"
	case t.Kind() == reflect.Float32, t.Kind() == reflect.Float64:
		return "a number"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.String:
		return "a text"
	case t.Kind() == reflect.Slice:
		return "a list"
	}
	return "a " + t.String()
}
