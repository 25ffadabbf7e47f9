package audit

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// What was done.
const (
	Write   = "write"
	Command = "command"
	Native  = "native" // a message of a native server's client that is no point
	Stream  = "stream" // somebody took a serial port, to write to it
	Login   = "login"
	Logout  = "logout"
	Reload  = "reload"
	Lost    = "lost" // entries that did not get into the file; Why says how many
)

// Entry is one line. Empty fields are left out of the file.
type Entry struct {
	Seq     uint64    `json:"seq"` // from 1 at each start of the program
	At      time.Time `json:"at"`
	What    string    `json:"what"`
	User    string    `json:"user,omitempty"`
	Door    string    `json:"door,omitempty"`
	Addr    string    `json:"addr,omitempty"`
	ID      string    `json:"id,omitempty"` // of the write
	Device  string    `json:"device,omitempty"`
	Path    string    `json:"path,omitempty"`
	Raw     string    `json:"raw,omitempty"` // of a native message
	Old     string    `json:"old,omitempty"`
	New     string    `json:"new,omitempty"`
	Outcome string    `json:"outcome,omitempty"`
	Why     string    `json:"why,omitempty"`
}

const (
	maxKept  = 1000 // entries in memory
	maxQueue = 4096 // entries that wait for the disk
)

// Log takes entries. All methods are safe for concurrent use.
type Log struct {
	file *rotating // nil: memory only
	log  *slog.Logger

	mu    sync.Mutex
	seq   uint64
	ring  []Entry // oldest first
	queue []Entry
	lost  int           // entries that found no room in the queue
	wake  chan struct{} // holds a token when the queue is not empty
}

// Options say where entries go besides memory.
type Options struct {
	File    string       // JSON lines; empty: none
	MaxSize int64        // bytes of the file before it is put aside as FILE.1; 0: 10 MB
	Keep    int          // files put aside that are kept; 0: 5
	Log     *slog.Logger // failures of the disk; nil: not told
}

// Open makes a log and opens its file, so that a path that cannot be written is an error at once.
func Open(o Options) (*Log, error) {
	l := &Log{log: o.Log, wake: make(chan struct{}, 1)}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	if o.File == "" {
		return l, nil
	}
	f, err := openRotating(o)
	if err != nil {
		return nil, err
	}
	l.file = f
	return l, nil
}

// Add takes an entry, gives it its number and, when it has none, its time. It does not block.
func (l *Log) Add(e Entry) {
	if e.At.IsZero() {
		e.At = time.Now()
	}
	e.At = e.At.UTC().Truncate(time.Millisecond)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	e.Seq = l.seq
	if len(l.ring) == maxKept {
		l.ring = append(l.ring[:0:0], l.ring[maxKept/10:]...)
	}
	l.ring = append(l.ring, e)
	if l.file == nil {
		return
	}
	if len(l.queue) >= maxQueue {
		l.lost++
		return
	}
	l.queue = append(l.queue, e)
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Since lists entries after seq, oldest first, at most most of them (0: all that are kept). With since 0 the list is cut
// at its beginning, so that it holds the newest, else at its end.
func (l *Log) Since(since uint64, most int) []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := len(l.ring)
	for first > 0 && l.ring[first-1].Seq > since {
		first--
	}
	out := append([]Entry{}, l.ring[first:]...)
	if most > 0 && len(out) > most {
		if since == 0 {
			return out[len(out)-most:]
		}
		return out[:most]
	}
	return out
}

// Run writes entries to the file until ctx ends; then it writes what is left, closes the file and returns nil. Without a
// file it only waits for ctx. It can be called once.
func (l *Log) Run(ctx context.Context) error {
	for {
		select {
		case <-l.wake:
			l.drain()
		case <-ctx.Done():
			l.drain()
			if l.file == nil {
				return nil
			}
			return l.file.close()
		}
	}
}

// Close writes what is left and closes the file, for a log whose Run was never called.
func (l *Log) Close() error {
	l.drain()
	if l.file == nil {
		return nil
	}
	return l.file.close()
}

func (l *Log) drain() {
	l.mu.Lock()
	batch, lost := l.queue, l.lost
	l.queue, l.lost = nil, 0
	l.mu.Unlock()
	if len(batch) == 0 && lost == 0 {
		return
	}
	n := lost + len(batch)
	if lost > 0 {
		batch = append(batch, lostEntry(lost))
	}
	if err := l.file.write(batch); err != nil {
		l.log.Error("the audit file cannot be written", "error", err, "entries", n)
		l.mu.Lock()
		l.lost += n // told in the file as soon as it takes anything again
		l.mu.Unlock()
	}
}
