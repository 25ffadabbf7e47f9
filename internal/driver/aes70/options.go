package aes70

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Options of an aes70 device. The zero value is not usable; start from [Driver.Options].
type Options struct {
	Timeout     time.Duration `yaml:"timeout" jsonschema:"type=string" doc:"longest wait for one answer of the device"`
	Poll        time.Duration `yaml:"poll" jsonschema:"type=string" doc:"period of points whose changes the device does not tell by itself"`
	Window      int           `yaml:"window" doc:"commands that may be unanswered at a time; 1 for devices that want one after the other"`
	MaxStep     float64       `yaml:"max_step" doc:"largest step in dB by which one write may raise a monitor level; 0: no limit"`
	Path        string        `yaml:"path" doc:"path of the WebSocket, for aes70+ws only"`
	Fingerprint string        `yaml:"fingerprint" doc:"SHA-256 of the device's certificate in hex, for aes70+tls; without it the certificate must be one that this computer trusts"`
}

func defaults() *Options {
	return &Options{Timeout: 3 * time.Second, Poll: time.Second, Window: 128, MaxStep: 20, Path: "/"}
}

// Validate says what is wrong with the options and what would be right.
func (o *Options) Validate() error {
	for _, d := range []struct {
		key      string
		v        time.Duration
		min, max time.Duration
	}{
		{"timeout", o.Timeout, 50 * time.Millisecond, time.Minute},
		{"poll", o.Poll, 20 * time.Millisecond, time.Hour},
	} {
		if d.v < d.min || d.v > d.max {
			return fmt.Errorf("%s: %v is out of range; give %v to %v", d.key, d.v, d.min, d.max)
		}
	}
	if o.Window < 1 || o.Window > 4096 {
		return fmt.Errorf("window: %d is out of range; give 1 to 4096", o.Window)
	}
	if !(o.MaxStep >= 0 && o.MaxStep <= 200) {
		return fmt.Errorf("max_step: %v is out of range; give 0 to 200 dB", o.MaxStep)
	}
	if !strings.HasPrefix(o.Path, "/") {
		return fmt.Errorf("path: %q does not begin with a slash; write path: /%s", o.Path, o.Path)
	}
	if f := plainHex(o.Fingerprint); f != "" {
		if b, err := hex.DecodeString(f); err != nil || len(b) != 32 {
			return fmt.Errorf("fingerprint: %q is no SHA-256; it has 64 hex digits, with or without colons", o.Fingerprint)
		}
	}
	return nil
}

// plainHex takes the colons out of a fingerprint.
func plainHex(s string) string { return strings.ToLower(strings.ReplaceAll(s, ":", "")) }
