package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Member is a user or a token as it is written into a file.
type Member struct {
	Section  string // "users" or "tokens"
	Name     string
	Secret   string   // hash of the password, or SHA-256 of the token
	Role     string   // empty with Replace: as before
	Writable []string // nil: not narrowed; with Replace and an empty Role: as before
	Replace  bool     // the member is there already and gets a new secret
}

// Line is the member as one line of YAML, without indentation.
func (m *Member) Line() string {
	s := fmt.Sprintf("%s: {%s: %q, role: %s", m.Name, memberKeys[m.Section][0], m.Secret, m.Role)
	if m.Writable != nil {
		s += ", writable: " + flowList(m.Writable)
	}
	return s + "}"
}

var errByHand = errors.New("the file is written in a way that cannot be changed safely; leave --write out and paste the lines")

// WriteMember puts a member into the text of a configuration and leaves every other byte as it is. The error says what
// is in the way: the name is taken or, with Replace, is not there, or the file is not in block form.
func WriteMember(data []byte, m Member) ([]byte, error) {
	f, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, fmt.Errorf("this is no valid YAML: %w", err)
	}
	var before map[string]any
	if err := yaml.Unmarshal(data, &before); err != nil {
		return nil, fmt.Errorf("this is no configuration: %w", err)
	}
	old, there := lookup(before, m.Section, m.Name)
	switch {
	case there && !m.Replace:
		return nil, fmt.Errorf("%s: there is %q already; --replace gives it a new secret", m.Section, m.Name)
	case !there && m.Replace:
		return nil, fmt.Errorf("%s: there is no %q to replace", m.Section, m.Name)
	case m.Replace && m.Role == "":
		m.Role, m.Writable = keptOf(old)
	}
	lines := strings.SplitAfter(string(data), "\n")
	if last := len(lines) - 1; lines[last] == "" {
		lines = lines[:last]
	} else {
		lines[last] += "\n"
	}
	if lines, err = place(f, lines, m, there); err != nil {
		return nil, err
	}
	out := []byte(strings.Join(lines, ""))
	// What else is in the file must mean the same as before.
	var after map[string]any
	if err := yaml.Unmarshal(out, &after); err != nil {
		return nil, errByHand
	}
	now, ok := lookup(after, m.Section, m.Name)
	entry, isMap := now.(map[string]any)
	if !ok || !isMap || entry[memberKeys[m.Section][0]] != m.Secret || entry["role"] != m.Role {
		return nil, errByHand
	}
	remove(after, m)
	remove(before, m)
	if len(before)+len(after) > 0 && !reflect.DeepEqual(before, after) {
		return nil, errByHand
	}
	return out, nil
}

// place is lines with the member in its section.
func place(f *ast.File, lines []string, m Member, there bool) ([]string, error) {
	docs := slices.DeleteFunc(slices.Clone(f.Docs), func(d *ast.DocumentNode) bool { return d.Body == nil })
	if len(docs) > 1 {
		return nil, errByHand
	}
	var section *ast.MappingValueNode
	if len(docs) == 1 {
		top, ok := block(docs[0].Body)
		if !ok {
			return nil, errByHand
		}
		for _, kv := range top {
			if kv.Key.GetToken().Value == m.Section {
				section = kv
			}
		}
	}
	if section == nil {
		return append(lines, m.Section+":\n", "  "+m.Line()+"\n"), nil
	}
	at, indent := section.Key.GetToken().Position.Line, 2
	var member *ast.MappingValueNode
	if _, empty := plain(section.Value).(*ast.NullNode); !empty {
		children, ok := block(section.Value)
		if !ok {
			return nil, errByHand
		}
		indent = children[0].Key.GetToken().Position.Column - 1
		for _, kv := range children {
			if kv.Key.GetToken().Value == m.Name {
				member = kv
			}
		}
	}
	line := strings.Repeat(" ", indent) + m.Line() + "\n"
	if !there {
		return slices.Insert(lines, at, line), nil
	}
	if member == nil {
		return nil, errByHand
	}
	first := member.Key.GetToken().Position.Line - 1
	end := first + 1
	for i := end; i < len(lines); i++ {
		text := strings.TrimLeft(lines[i], " ")
		if blank := strings.TrimSpace(text) == "" || text[0] == '#'; blank {
			continue
		}
		if len(lines[i])-len(text) <= indent {
			break
		}
		end = i + 1
	}
	return slices.Replace(lines, first, end, line), nil
}

// block gives the keys of a mapping that stands in lines of its own.
func block(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch m := plain(n).(type) {
	case *ast.MappingNode:
		return m.Values, !m.IsFlowStyle && len(m.Values) > 0
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{m}, true
	}
	return nil, false
}

func lookup(c map[string]any, section, name string) (any, bool) {
	m, _ := c[section].(map[string]any)
	v, ok := m[name]
	return v, ok
}

func remove(c map[string]any, m Member) {
	s, _ := c[m.Section].(map[string]any)
	delete(s, m.Name)
	if len(s) == 0 {
		delete(c, m.Section)
	}
}

// keptOf is what a member keeps when only its secret changes.
func keptOf(old any) (role string, writable []string) {
	m, _ := old.(map[string]any)
	role, _ = m["role"].(string)
	switch w := m["writable"].(type) {
	case string:
		return role, []string{w}
	case []any:
		writable = []string{}
		for _, p := range w {
			writable = append(writable, fmt.Sprint(p))
		}
	}
	return role, writable
}
