package simulate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// IsFile tells a scenario file from the name of a scenario: it ends in .yaml or .yml.
func IsFile(scenario string) bool {
	return strings.HasSuffix(scenario, ".yaml") || strings.HasSuffix(scenario, ".yml")
}

// maxScenario bounds a scenario file in bytes.
const maxScenario = 1 << 20

// readScenario is the text of a scenario file.
func readScenario(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("scenario: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxScenario+1))
	if err != nil {
		return nil, fmt.Errorf("scenario: %w", err)
	}
	if len(text) > maxScenario {
		return nil, fmt.Errorf("scenario %s is larger than %d bytes", name, maxScenario)
	}
	return text, nil
}

// decodeFile reads the text of a scenario file into v, as [decodeStrict] does. Errors name the file and the line.
func decodeFile(name string, text []byte, v any) error {
	err := decodeStrict(text, v)
	if err == nil {
		return nil
	}
	if v, ok := noTime(err); ok {
		return fmt.Errorf("%s%s: %q: the value is of the wrong type; expected a time such as 250ms or 2s", name, lineOf(text, v), v)
	}
	return place(name, err)
}

// placeOf is the file and the line of a YAML path, "$.events[2]", and the file alone when the text has none.
func placeOf(name string, text []byte, path string) string {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return name
	}
	p, err := yaml.PathString(path)
	if err != nil {
		return name
	}
	n, err := p.FilterFile(file)
	if err != nil {
		return name
	}
	return fmt.Sprintf("%s:%d", name, firstLine(n))
}

// noTime is the text that was to be a time and is none: the decoder tells nothing but the text.
func noTime(err error) (string, bool) {
	_, quoted, ok := strings.Cut(err.Error(), "time: invalid duration ")
	if !ok {
		return "", false
	}
	v, err := strconv.Unquote(quoted)
	return v, err == nil
}

// lineOf is ":" and the line of the first value v; empty when there is none.
func lineOf(text []byte, v string) string {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return ""
	}
	for _, n := range ast.FilterFile(ast.StringType, file) {
		if t := n.GetToken(); t.Value == v {
			return fmt.Sprintf(":%d", t.Position.Line)
		}
	}
	return ""
}

// firstLine is the line on which a node begins: that of its first key.
func firstLine(n ast.Node) int {
	switch m := n.(type) {
	case *ast.MappingNode:
		if len(m.Values) > 0 && m.Start == nil {
			return m.Values[0].Key.GetToken().Position.Line
		}
	case *ast.MappingValueNode:
		return m.Key.GetToken().Position.Line
	}
	return n.GetToken().Position.Line
}

// place writes a YAML error as file, line and column, with the line itself below.
func place(name string, err error) error {
	var ye yaml.Error
	if !errors.As(err, &ye) || ye.GetToken() == nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	at := ye.GetToken().Position
	text := plainMessage(err)
	if strings.HasPrefix(text, "unknown field") {
		text += "; docs/guide/simulator.md lists the keys"
	}
	source := strings.TrimRight(yaml.FormatError(err, false, true), "\n")
	if _, rest, ok := strings.Cut(source, "\n"); ok {
		source = "\n" + rest
	} else {
		source = ""
	}
	return fmt.Errorf("%s:%d:%d: %s%s", name, at.Line, at.Column, text, source)
}

// decodeStrict reads YAML or JSON into v, which keeps what the text does not name. Unknown and repeated keys are errors.
func decodeStrict(text []byte, v any) error {
	err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(v)
	if errors.Is(err, io.EOF) {
		return nil // empty
	}
	return err
}

// plainMessage is what a YAML error says, without the place and the text around it.
func plainMessage(err error) string {
	var te *yaml.TypeError
	if errors.As(err, &te) {
		return "the value is of the wrong type; expected " + typeWord(te)
	}
	var ye yaml.Error
	if errors.As(err, &ye) {
		return ye.GetMessage()
	}
	return err.Error()
}

func typeWord(te *yaml.TypeError) string {
	switch s := te.DstType.String(); {
	case s == "time.Duration":
		return "a time such as 250ms or 2s"
	case s == "bool":
		return "true or false"
	case strings.HasPrefix(s, "int"), strings.HasPrefix(s, "uint"):
		return "a whole number"
	case strings.HasPrefix(s, "float"):
		return "a number"
	case s == "string":
		return "a text"
	}
	return "something else"
}
