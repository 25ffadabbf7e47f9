package tap

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/transcript"
)

// lines makes a transcript of messages that end with a full stop: ">ask." and "<answer."; "/" begins the next flow.
func lines(steps ...string) *transcript.Transcript {
	t := &transcript.Transcript{}
	flow := uint32(1)
	for _, s := range steps {
		e := transcript.Event{Flow: flow, Dir: transcript.Direction(s[0]), Kind: transcript.Data, Data: []byte(s[1:])}
		switch s[1:] {
		case "!":
			e.Kind, e.Data = transcript.Reset, nil
		case "/":
			flow++
			continue
		}
		t.Events = append(t.Events, e)
	}
	return t
}

func splitDot(b []byte) (int, error) {
	if b[0] == '?' {
		return 0, errors.New("no message begins with a question mark")
	}
	return bytes.IndexByte(b, '.') + 1, nil
}

func dial(t *testing.T, r *Replay) net.Conn {
	t.Helper()
	c, err := r.Dial(t.Context(), "tcp", "192.0.2.1:80")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func ask(t *testing.T, c net.Conn, q string, n int) string {
	t.Helper()
	if _, err := c.Write([]byte(q)); err != nil {
		t.Fatal(err)
	}
	p := make([]byte, n)
	if _, err := io.ReadFull(c, p); err != nil {
		t.Fatal(err)
	}
	return string(p)
}

func TestStrict(t *testing.T) {
	r := Strict(lines("<hello.", ">a", ">b.", "<1.", "<2.", ">c.", "<3.", "=/", ">d.", "<!"))
	c := dial(t, r)
	if got := ask(t, c, "", 6); got != "hello." {
		t.Error(got)
	}
	if err := r.Done(); err == nil || !strings.Contains(err.Error(), "stopped at byte 0") || !strings.Contains(err.Error(), "1 of 2") {
		t.Error(err)
	}
	if got := ask(t, c, "ab.", 4); got != "1.2." {
		t.Error(got)
	}
	if got := ask(t, c, "c.", 2); got != "3." {
		t.Error(got)
	}
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Error(err)
	}
	c2 := dial(t, r)
	if _, err := c2.Write([]byte("d.")); err != nil {
		t.Error(err)
	}
	if _, err := c2.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Error(err)
	}
	if _, err := r.Dial(t.Context(), "tcp", ""); !errors.Is(err, ErrNoMoreFlows) {
		t.Error(err)
	}
	if err := r.Done(); err != nil {
		t.Error(err)
	}
}

func TestStrictShowsTheFirstDifference(t *testing.T) {
	r := Strict(lines(">abcdef", "<ok"))
	c := dial(t, r)
	c.Write([]byte("abc"))
	n, err := c.Write([]byte("dXf"))
	var d *Difference
	if n != 1 || !errors.As(err, &d) {
		t.Fatal(n, err)
	}
	if diff := cmp.Diff(&Difference{Flow: 1, Offset: 4, Want: []byte("ef"), Got: []byte("Xf")}, d); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(err.Error(), "at byte 4: want [65 66], got [58 66]") {
		t.Error(err)
	}
	for _, err := range []error{r.Err(), r.Done()} {
		if !errors.As(err, &d) {
			t.Error(err)
		}
	}
	if _, err := c.Write([]byte("x")); !errors.As(err, &d) {
		t.Error(err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.As(err, &d) {
		t.Error(err)
	}
}

func TestStrictMoreThanRecorded(t *testing.T) {
	c := dial(t, Strict(lines(">a", "<b")))
	if n, err := c.Write([]byte("ab")); n != 1 || err == nil || !strings.Contains(err.Error(), "nothing like it") {
		t.Error(n, err)
	}
}

func TestAnswering(t *testing.T) {
	r := Answering(lines(">time.", "<1.", ">name.", "<bob.", ">time.", "<2.", ">x.y.", "<X.Y."), splitDot)
	c := dial(t, r)
	for _, s := range []struct{ q, want string }{{"name.", "bob."}, {"time.", "1."}, {"time.", "2."}, {"time.", "1."}, {"y.x.", "Y.X."}} {
		if got := ask(t, c, s.q, len(s.want)); got != s.want {
			t.Errorf("%s: %s, want %s", s.q, got, s.want)
		}
	}
	c.Write([]byte("na"))
	if got := ask(t, c, "me.", 4); got != "bob." {
		t.Error(got)
	}
	if r.Done() != nil {
		t.Error(r.Done())
	}
	var d *Difference
	if _, err := c.Write([]byte("age.")); !errors.As(err, &d) || d.Offset != 29 {
		t.Error(err)
	}
}

func TestAnsweringRefusesWhatIsNoMessage(t *testing.T) {
	c := dial(t, Answering(lines(">a.", "<b."), splitDot))
	if _, err := c.Write([]byte("??")); err == nil || !strings.Contains(err.Error(), "3f 3f") {
		t.Error(err)
	}
	c = dial(t, Answering(lines(">a.", "<b."), splitDot))
	if _, err := c.Write(make([]byte, maxRequest+1)); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Error(err)
	}
}

func TestReplayDeadlinesAndClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := dial(t, Strict(lines(">a", "<b")))
		start := time.Now()
		c.SetDeadline(start.Add(time.Minute))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Minute {
			t.Error(err, time.Since(start))
		}
		if _, err := c.Write([]byte("a")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
		c.SetDeadline(time.Time{})
		time.AfterFunc(time.Second, func() { c.Close() })
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		c.Close()
		if _, err := c.Write([]byte("a")); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		if err := c.SetDeadline(time.Time{}); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := Strict(lines(">a")).Dial(ctx, "tcp", ""); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// What was recorded plays back.
func TestRecordThenReplay(t *testing.T) {
	var out bytes.Buffer
	rec := newRecorder(t, &out)
	src := Strict(lines(">one.", "<1.", ">two.", "<2."))
	c, _ := rec.Dial(src.Dial)(t.Context(), "tcp", "192.0.2.1:80")
	ask(t, c, "one.", 2)
	ask(t, c, "two.", 2)
	c.Close()
	tr, err := transcript.Parse(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	r := Strict(tr)
	c = dial(t, r)
	if a, b := ask(t, c, "one.", 2), ask(t, c, "two.", 2); a != "1." || b != "2." || r.Done() != nil {
		t.Error(a, b, r.Done())
	}
}
