package driver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

func TestSecretIsNeverPrinted(t *testing.T) {
	s := NewSecret("hunter2")
	type options struct {
		Password Secret `yaml:"password" json:"password"`
	}
	o := options{s}
	j, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	y, err := yaml.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("open", "password", s, "options", o)
	for name, text := range map[string]string{
		"%v": fmt.Sprintf("%v", o), "%+v": fmt.Sprintf("%+v", o), "%#v": fmt.Sprintf("%#v", o), "String": s.String(),
		"json": string(j), "yaml": string(y), "slog": log.String(),
	} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("%s shows the secret: %s", name, text)
		}
		if !strings.Contains(text, "***") {
			t.Errorf("%s does not show that there is one: %s", name, text)
		}
	}
	if s.Reveal() != "hunter2" || s.IsZero() || !NewSecret("").IsZero() {
		t.Error("Reveal or IsZero is wrong")
	}
}

func TestSecretFromYAML(t *testing.T) {
	var o struct {
		Password Secret `yaml:"password"`
	}
	if err := yaml.Unmarshal([]byte("password: hunter2"), &o); err != nil {
		t.Fatal(err)
	}
	if o.Password.Reveal() != "hunter2" {
		t.Errorf("got %q", o.Password.Reveal())
	}
}
