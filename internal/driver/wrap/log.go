package wrap

import (
	"context"
	"log/slog"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// Log writes a line for each call: reads at debug level, what acts on the device at info level, with the time it took and
// how it ended. Values that are written are part of the line; secrets are no points.
func Log(s driver.Session, log *slog.Logger) driver.Session {
	a := s.Abilities()
	if a.Writer != nil {
		a.Writer = logWriter{a.Writer, log}
	}
	if a.Commander != nil {
		a.Commander = logCommander{a.Commander, log}
	}
	if a.Streamer != nil {
		a.Streamer = logStreamer{a.Streamer, log}
	}
	return &logged{abilities{s, a}, log}
}

type logged struct {
	abilities
	log *slog.Logger
}

func ended(start time.Time, err error) []any {
	args := []any{"took", time.Since(start)}
	if err != nil {
		args = append(args, "class", driver.ClassOf(err).String(), "error", err.Error())
	}
	return args
}

func (l *logged) Read(ctx context.Context, paths []device.Path) ([]device.Sample, error) {
	start := time.Now()
	samples, err := l.Session.Read(ctx, paths)
	l.log.DebugContext(ctx, "read", append([]any{"points", len(paths)}, ended(start, err)...)...)
	return samples, err
}

func (l *logged) Watch(ctx context.Context, want driver.Interest, sink driver.Sink) error {
	start := time.Now()
	err := l.Session.Watch(ctx, want, sink)
	l.log.DebugContext(ctx, "watch ended", ended(start, err)...)
	return err
}

func (l *logged) Close() error {
	start := time.Now()
	err := l.Session.Close()
	l.log.DebugContext(context.Background(), "close", ended(start, err)...)
	return err
}

type logWriter struct {
	driver.Writer
	log *slog.Logger
}

func (l logWriter) Write(ctx context.Context, writes []driver.Write) ([]driver.Outcome, error) {
	start := time.Now()
	out, err := l.Writer.Write(ctx, writes)
	for i, w := range writes {
		line := []any{"path", string(w.Path), "value", w.Value.String()}
		each := err
		if i < len(out) {
			line = append(line, "stage", out[i].Stage.String())
			each = out[i].Err
		}
		l.log.InfoContext(ctx, "write", append(line, ended(start, each)...)...)
	}
	return out, err
}

type logCommander struct {
	driver.Commander
	log *slog.Logger
}

func (l logCommander) Do(ctx context.Context, path device.Path, args []device.Value) (device.Value, driver.Outcome) {
	start := time.Now()
	v, out := l.Commander.Do(ctx, path, args)
	l.log.InfoContext(ctx, "command", append([]any{"path", string(path), "arguments", len(args), "stage", out.Stage.String()},
		ended(start, out.Err)...)...)
	return v, out
}

type logStreamer struct {
	driver.Streamer
	log *slog.Logger
}

func (l logStreamer) OpenStream(ctx context.Context, path device.Path, line driver.Line) (driver.Stream, error) {
	start := time.Now()
	s, err := l.Streamer.OpenStream(ctx, path, line)
	l.log.InfoContext(ctx, "open stream", append([]any{"path", string(path), "baud", line.Baud}, ended(start, err)...)...)
	return s, err
}
