package config

import (
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// pair is one key of a mapping with its value.
type pair struct {
	key   string
	token *token.Token // of the key
	value ast.Node
}

// mapping lists the keys of n; a key that stands twice is a problem and is left out. An empty value is an empty mapping.
func (l *loader) mapping(n ast.Node, what string) []pair {
	var values []*ast.MappingValueNode
	switch m := plain(n).(type) {
	case *ast.MappingNode:
		values = m.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{m}
	case *ast.NullNode:
		return nil
	default:
		l.at(n.GetToken(), "%s must be a mapping of keys to values", what)
		return nil
	}
	var out []pair
	first := map[string]*token.Token{}
	for _, v := range values {
		t := v.Key.GetToken()
		key := t.Value
		if before, twice := first[key]; twice {
			l.at(t, "%q stands twice; it is already on line %d", key, before.Position.Line)
			continue
		}
		first[key] = t
		out = append(out, pair{key, t, plain(v.Value)})
	}
	return out
}

// list gives the items of n; a single value is a list of one.
func (l *loader) list(n ast.Node, what string) []ast.Node {
	switch s := plain(n).(type) {
	case *ast.SequenceNode:
		return s.Values
	case *ast.NullNode:
		return nil
	case *ast.MappingNode, *ast.MappingValueNode:
		l.at(n.GetToken(), "%s must be a list", what)
		return nil
	}
	return []ast.Node{n}
}

// text reads n as a text with its references replaced.
func (l *loader) text(n ast.Node, what string) (string, bool) {
	var raw string
	switch s := plain(n).(type) {
	case *ast.StringNode:
		raw = s.Value
	case *ast.LiteralNode:
		raw = s.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		raw = n.GetToken().Value
	default:
		l.at(n.GetToken(), "%s must be a text", what)
		return "", false
	}
	v, err := l.resolve.text(raw)
	if err != nil {
		l.at(n.GetToken(), "%s: %v", what, err)
		return "", false
	}
	return v, true
}

// scalar hands the text of n to set and keeps where it came from.
func (l *loader) scalar(n ast.Node, key string, set func(string) error) {
	v, ok := l.text(n, key)
	if !ok {
		return
	}
	if err := set(v); err != nil {
		l.at(n.GetToken(), "%s: %v", key, err)
		return
	}
	l.c.origins[key] = l.where(n.GetToken())
}

// plain is n without the anchor or tag around it.
func plain(n ast.Node) ast.Node {
	for {
		switch w := n.(type) {
		case *ast.AnchorNode:
			n = w.Value
		case *ast.TagNode:
			n = w.Value
		default:
			return n
		}
	}
}
