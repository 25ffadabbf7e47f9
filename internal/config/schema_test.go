package config

import (
	"bytes"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	in := input("")
	text, err := Schema(in.Drivers, in.Twins, in.Faces)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("patchbay.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("patchbay.json")
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return s
}

// Whatever the schema accepts is loaded, and whatever it refuses is not.
func TestSchemaAgreesWithLoad(t *testing.T) {
	s := compile(t)
	for _, tc := range []struct {
		yaml string
		ok   bool
	}{
		{"{}", true},
		{"version: 1", true},
		{"version: 2", false},
		{"listen: 127.0.0.1:1\nhosts: [a, b]\nlog: {level: info, format: json}", true},
		{"hosts: a", true},
		{"log: {level: loud}", false},
		{"nothing: 1", false},
		{"devices: {m: mill://a}", true},
		{"devices: {m: sim+mill:?profile=30i}", true},
		{"devices: {m: sim+desk:}", false},
		{"devices: {m: replay+mill:a.transcript}", true},
		{"devices: {m: replay+desk:a.transcript}", false},
		{"devices: {m: tape://a}", false},
		{"devices: {'M M': mill://a}", false},
		{"devices: {m: 7}", false},
		{"devices: {m: {url: mill://a, poll: 1s, size: 7, names: [a], title: x, password: p, fast: true}}", true},
		{"devices: {m: {url: mill://a, size: '${env:SIZE}', poll: '${env:POLL}'}}", true},
		{"devices: {m: {url: mill://a, size: big}}", false},
		{"devices: {m: {url: mill://a, poll: soon}}", false},
		{"devices: {m: {url: mill://a, fast: 7}}", false},
		{"devices: {m: {url: mill://a, names: {a: b}}}", false},
		{"devices: {m: {url: mill://a, what: 7}}", false},
		{"devices: {m: {poll: 1s}}", false},
		{"devices: {m: {url: mill://a, labels: {site: a}, writable: [a/*]}}", true},
		{"devices: {m: {url: mill://a, labels: {planet: a}}}", false},
		{"devices: {m: {url: 'sim+mill:', profile: 30i, seed: 4}}", true},
	} {
		var v any
		if err := yaml.Unmarshal([]byte(tc.yaml), &v); err != nil {
			t.Fatal(err)
		}
		schemaErr := s.Validate(v)
		_, loadErr := Load(input(tc.yaml))
		if (schemaErr == nil) != tc.ok {
			t.Errorf("schema on %s: %v", tc.yaml, schemaErr)
		}
		if (loadErr == nil) != tc.ok {
			t.Errorf("Load of %s: %v", tc.yaml, loadErr)
		}
	}
}

func TestSchemaDescribesOptions(t *testing.T) {
	in := input("")
	text, err := Schema(in.Drivers, in.Twins, in.Faces)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"https://json-schema.org/draft/2020-12/schema"`, `"period of reading"`, `"default": "250ms"`, `"default": 1450`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is missing in\n%s", want, text)
		}
	}
}
