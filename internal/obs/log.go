package obs

import (
	"fmt"
	"io"
	"log/slog"
	"time"
)

// LogOptions say what is logged and how.
type LogOptions struct {
	Level    string        // debug, info, warn or error
	Format   string        // text, json, or auto: text on a terminal, JSON elsewhere
	Terminal bool          // the output is a terminal
	Secrets  *Secrets      // nil: none
	Every    time.Duration // how often a repeated failure is reported again; 0: each time
}

// NewLogger makes a logger that writes to w. Writes are whole lines; w need not be safe for concurrent use.
func NewLogger(w io.Writer, o LogOptions) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.Level)); err != nil {
		return nil, fmt.Errorf("log level %q is none of debug, info, warn, error", o.Level)
	}
	if o.Secrets != nil {
		w = &scrubbingWriter{w: w, secrets: o.Secrets}
	}
	ho := &slog.HandlerOptions{Level: level, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr { return inWords(hideByKey(groups, a)) }}
	var h slog.Handler
	switch {
	case o.Format == "json", o.Format == "auto" && !o.Terminal:
		h = slog.NewJSONHandler(w, ho)
	case o.Format == "text", o.Format == "auto":
		ho.ReplaceAttr = func(groups []string, a slog.Attr) slog.Attr { return shortTime(groups, hideByKey(groups, a)) }
		h = slog.NewTextHandler(w, ho)
	default:
		return nil, fmt.Errorf("log format %q is none of auto, text, json", o.Format)
	}
	if o.Every > 0 {
		h = Summarise(h, o.Every)
	}
	return slog.New(h), nil
}

// inWords writes a duration as "2s", which JSON has no type for: a number of nanoseconds says nothing to a reader.
func inWords(a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		return slog.String(a.Key, a.Value.Duration().String())
	}
	return a
}

// shortTime leaves the date out: a person at a terminal knows which day it is.
func shortTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.String(slog.TimeKey, a.Value.Time().Format("15:04:05.000"))
	}
	return a
}
