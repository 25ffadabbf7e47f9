package replay

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focasclient"
	"github.com/patchbay-io/patchbay/protocol/focas/focassim"
	"github.com/patchbay-io/patchbay/transcript"
	"github.com/patchbay-io/patchbay/transcript/tap"
)

// serving runs f against a server in memory.
func serving(t *testing.T, s interface {
	Serve(context.Context, *testnet.Listener) error
}, f func(*testnet.Listener)) {
	t.Helper()
	l := testnet.Listen()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(ctx, l)
	}()
	f(l)
	cancel()
	<-done
}

type server func(context.Context, *testnet.Listener) error

func (s server) Serve(ctx context.Context, l *testnet.Listener) error { return s(ctx, l) }

func recordedControl(r *FOCAS) server {
	return func(ctx context.Context, l *testnet.Listener) error { return r.Serve(ctx, l) }
}

// macro reads and writes are questions that a control answers by its memory.
var (
	readMacro  = focas.Request{Class: focas.ClassCNC, Path: 1, Func: focas.FuncReadMacro, Args: [4]int32{100, 100}}
	writeMacro = focas.Request{Class: focas.ClassCNC, Path: 1, Func: focas.FuncWriteMacro, Args: [4]int32{100, 100}, Data: []byte{0, 0, 0, 7, 0, 10, 0, 0}}
	status     = focas.Request{Class: focas.ClassCNC, Path: 1, Func: focas.FuncStatInfo}
	names      = focas.AxisNamesRequest(1)
)

func exchange(t *testing.T, c *focasclient.Client, qs ...focas.Request) []focas.Reply {
	t.Helper()
	replies, err := c.Exchange(t.Context(), qs)
	if err != nil {
		t.Fatal(err)
	}
	return replies
}

// recordSession records a client of ours at a simulated control.
func recordSession(t *testing.T) (*transcript.Transcript, [][]focas.Reply, []byte) {
	t.Helper()
	sim, err := focassim.New(focassim.Options{Profile: "31i"})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	rec, err := tap.NewRecorder(&text, &transcript.Header{Protocol: "focas"})
	if err != nil {
		t.Fatal(err)
	}
	var said [][]focas.Reply
	var program bytes.Buffer
	serving(t, server(func(ctx context.Context, l *testnet.Listener) error { return sim.Serve(ctx, l) }), func(l *testnet.Listener) {
		c, err := focasclient.Dial(t.Context(), rec.Dial(l.DialContext), "x", focasclient.Options{})
		if err != nil {
			t.Fatal(err)
		}
		said = append(said, exchange(t, c, readMacro, names), exchange(t, c, writeMacro), exchange(t, c, readMacro, names), exchange(t, c, status))
		if _, err := c.Path(1).Upload(t.Context(), focasclient.Transfer{File: "O3000"}, &program); err != nil {
			t.Fatal(err)
		}
		_ = c.Close(t.Context())
	})
	tr, err := transcript.Parse(text.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return tr, said, program.Bytes()
}

// TestAnswersByRequest asks a recorded control in another order and in other frames than in the recording.
func TestAnswersByRequest(t *testing.T) {
	tr, said, program := recordSession(t)
	r, err := NewFOCAS(tr)
	if err != nil {
		t.Fatal(err)
	}
	serving(t, recordedControl(r), func(l *testnet.Listener) {
		c, err := focasclient.Dial(t.Context(), l.DialContext, "x", focasclient.Options{})
		if err != nil {
			t.Fatal(err)
		}
		check := func(what string, want, got []focas.Reply) {
			t.Helper()
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s: %s", what, d)
			}
		}
		check("status first", said[3], exchange(t, c, status))
		check("the first of two answers", said[0], exchange(t, c, readMacro, names))
		check("the second", said[2], exchange(t, c, readMacro, names))
		check("the first again", said[0], exchange(t, c, readMacro, names))
		check("a recorded write", said[1], exchange(t, c, writeMacro))
		check("another frame", []focas.Reply{said[0][1], said[3][0]}, exchange(t, c, names, status))

		flagged := readMacro
		flagged.Flag = 7
		if got := exchange(t, c, flagged); got[0].Code != 0 {
			t.Errorf("another flag: %+v", got)
		}
		other := writeMacro
		other.Data = []byte{0, 0, 0, 8, 0, 10, 0, 0}
		unknown := focas.Request{Class: focas.ClassCNC, Path: 1, Func: focas.FuncReadMacro, Args: [4]int32{500, 500}}
		got := exchange(t, c, other, unknown)
		if got[0].Code != focas.EWFunc || got[1].Code != focas.EWFunc {
			t.Errorf("what nobody asked: %+v", got)
		}
		if s := r.Stats(); s.Unknown != 2 || s.Frames < 5 || s.Blocks < 3 {
			t.Errorf("%+v", s)
		}
		var again bytes.Buffer
		if _, err := c.Path(1).Upload(t.Context(), focasclient.Transfer{File: "O3000"}, &again); err != nil || !bytes.Equal(again.Bytes(), program) {
			t.Errorf("upload: %v, %d bytes of %d", err, again.Len(), len(program))
		}
		if _, err := c.Path(1).Upload(t.Context(), focasclient.Transfer{File: "O9999"}, &again); !errors.Is(err, &focas.Error{Code: focas.EWData}) {
			t.Errorf("upload of another program: %v", err)
		}
		_ = c.Close(t.Context())
	})
}

func TestReadFOCAS(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, tr *transcript.Transcript) string {
		text, err := transcript.Format(tr)
		if err != nil {
			t.Fatal(err)
		}
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	if _, err := ReadFOCAS(write("good", session(t, 1))); err != nil {
		t.Error(err)
	}
	half := session(t, 1)
	half.Events = half.Events[:2]
	if _, err := ReadFOCAS(write("half", half)); !errors.Is(err, ErrNoSession) {
		t.Error(err)
	}
	other := session(t, 1)
	other.Header.Protocol = "atem"
	if _, err := ReadFOCAS(write("other", other)); err == nil {
		t.Error("a recording of another protocol is taken")
	}
	if _, err := ReadFOCAS(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	bad := filepath.Join(dir, "bad")
	if err := os.WriteFile(bad, []byte("patchbay transcript 1\n\nnonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var se *transcript.SyntaxError
	if _, err := ReadFOCAS(bad); !errors.As(err, &se) || se.Line != 3 {
		t.Error(err)
	}
}

// Whatever a recording holds, learning from it ends, and so does asking.
func FuzzLearn(f *testing.F) {
	s := session(f, 1)
	f.Add(s.Bytes(1, transcript.FromClient), s.Bytes(1, transcript.FromServer))
	f.Fuzz(func(_ *testing.T, client, server []byte) {
		r, err := NewFOCAS(&transcript.Transcript{Events: []transcript.Event{
			{Flow: 1, Dir: transcript.FromClient, Kind: transcript.Data, Data: client},
			{Flow: 1, Dir: transcript.FromServer, Kind: transcript.Data, Data: server}}})
		if err == nil {
			_, _ = answering{r}.Data(context.Background(), nil, []focas.Request{readMacro, writeMacro}, nil)
		}
	})
}
