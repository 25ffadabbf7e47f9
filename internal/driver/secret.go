package driver

import "log/slog"

// hidden is what every printed form of a Secret shows.
const hidden = "***"

// Secret is an option that can be used but not read back: whatever prints, logs or marshals it gets "***". Configuration
// fills it from a text, usually ${env:NAME} or ${file:PATH}.
type Secret struct{ value string }

// NewSecret makes a Secret of its value.
func NewSecret(value string) Secret { return Secret{value} }

// Reveal is the value itself, for the wire only.
func (s Secret) Reveal() string { return s.value }

// IsZero reports whether there is none.
func (s Secret) IsZero() bool { return s.value == "" }

// String hides the value.
func (s Secret) String() string {
	if s.value == "" {
		return ""
	}
	return hidden
}

// GoString hides the value from %#v.
func (s Secret) GoString() string { return s.String() }

// LogValue hides the value from logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the value from JSON, XML and the like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalYAML hides the value.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }

// UnmarshalYAML reads a text.
func (s *Secret) UnmarshalYAML(unmarshal func(any) error) error { return unmarshal(&s.value) }
