package focasclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/internal/vectors"
)

// row makes the client's call that does what a call of FANUC's library did, with the vector's arguments, and gives its
// typed result in the library's names and widths: what that library cuts, shifts or rounds is done here and not in the
// client.
type row = func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error)

// callRows is one row for each FOCAS call of the vectors.
func callRows() map[string]row {
	rows := dataRows()
	maps.Copy(rows, statusRows())
	return rows
}

// notReproduced are the calls whose requests our client does not send as FANUC's library did, and why. Their frames are
// in the codec's test all the same.
func notReproduced() map[string]string {
	return map[string]string{
		"cnc_start": "there is no call for a cycle start, on purpose: nobody starts a machine from afar",
		"cnc_reset": "there is no call for a reset, on purpose: nobody stops a machine from afar",
	}
}

// otherRequests are the calls whose result is reproduced with other requests than the library's, and why; see playSession
// for what is compared.
func otherRequests() map[string]string {
	return map[string]string{
		"cnc_allclibhndl3": "the client opens channel 2 alone, and does not ask a classic control for parameter 9968, which is that library's gate for extended functions",
		"cnc_freelibhndl":  "the client has channel 2 alone to close",
	}
}

// TestVectors plays each measured exchange against our client: the requests must be the bytes that FANUC's library sent, and
// the typed result must hold what that library returned.
func TestVectors(t *testing.T) {
	vs, err := vectors.Load()
	if err != nil {
		t.Fatal(err)
	}
	rows, skipped, other := callRows(), notReproduced(), otherRequests()
	for _, v := range vs {
		t.Run(v.Name(), func(t *testing.T) {
			if reason, ok := skipped[v.Call]; ok {
				t.Log("not reproduced:", reason)
				return
			}
			if reason, ok := other[v.Call]; ok {
				t.Log("channel 2 alone is compared:", reason)
				playSession(t, v)
				return
			}
			call, ok := rows[v.Call]
			if !ok {
				t.Fatalf("no row for %s: add one to dataRows or statusRows", v.Call)
			}
			p := newScript(v)
			c, err := Dial(context.Background(), opener(t, p.serve), "cnc.test:8193", Options{})
			if err != nil {
				t.Fatalf("Dial: %v", err)
			}
			p.started()
			got, err := call(context.Background(), c, v)
			checkOutcome(t, v, got, err)
			for _, channel := range []int{1, 2} {
				checkRequests(t, channel, v.Requests(channel), p.requests(channel))
			}
			if err := c.Close(context.Background()); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
	for _, names := range []iter.Seq[string]{maps.Keys(rows), maps.Keys(skipped), maps.Keys(other)} {
		for name := range names {
			if !slices.ContainsFunc(vs, func(v vectors.Vector) bool { return v.Call == name }) {
				t.Errorf("%s is in a table and in no measured exchange", name)
			}
		}
	}
}

// playSession plays how the library opened or closed a session, on channel 2 alone.
func playSession(t *testing.T, v vectors.Vector) {
	p := newScript(v)
	p.steps = slices.DeleteFunc(slices.Clone(v.Steps), func(s vectors.Step) bool { return s.Channel != 2 })
	p.session = true
	want := v.Requests(2)
	if v.Call == "cnc_allclibhndl3" {
		p.started()
		if v.Classic {
			want = want[:len(want)-1] // the question for parameter 9968
		}
	}
	c, err := Dial(context.Background(), opener(t, p.serve), "cnc.test:8193", Options{})
	if err != nil {
		t.Fatalf("Dial: %v", err)
	}
	if v.Call == "cnc_allclibhndl3" {
		checkRequests(t, 2, want, p.requests(2))
		opened := c.OpenReply()
		if got := opened.AppendFrame(nil); !bytes.Equal(got, p.steps[1].Frame) {
			t.Errorf("open reply\n got %x\nwant %x", got, p.steps[1].Frame)
		}
		if info, err := c.SysInfo(1); err != nil || string(info.Series[:]) != "G301" {
			t.Errorf("SysInfo: series %q, %v", info.Series, err)
		}
		c.Close(context.Background())
	} else {
		p.started()
		c.Close(context.Background())
		checkRequests(t, 2, want, p.requests(2))
	}
	checkRequests(t, 1, nil, p.requests(1))
}

// checkOutcome compares the fields that the library decoded; a refusal must carry the code and the details.
func checkOutcome(t *testing.T, v vectors.Vector, got map[string]any, err error) {
	t.Helper()
	if v.Code != 0 {
		var refused *focas.Error
		if !errors.As(err, &refused) {
			t.Fatalf("error %v, want a *focas.Error with code %d", err, v.Code)
		}
		if int(refused.Code) != v.Code || !slices.Equal(refused.Detail[:], v.Detail) {
			t.Errorf("code %d detail %v, want %d %v", refused.Code, refused.Detail, v.Code, v.Detail)
		}
		return
	}
	if err != nil {
		t.Fatalf("call: %v", err)
	}
	b, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(b, &fields); err != nil {
		t.Fatal(err)
	}
	for name, want := range v.Decoded {
		if have, ok := fields[name]; !ok {
			t.Errorf("no field %s, want %v", name, want)
		} else if d := cmp.Diff(want, have); d != "" {
			t.Errorf("%s (-library +client):\n%s", name, d)
		}
	}
}

func checkRequests(t *testing.T, channel int, want, got [][]byte) {
	t.Helper()
	for i := range max(len(want), len(got)) {
		switch {
		case i >= len(got):
			t.Errorf("channel %d: frame %d was not sent:\n%x", channel, i+1, want[i])
		case i >= len(want):
			t.Errorf("channel %d: frame %d is too much:\n%x", channel, i+1, got[i])
		case !bytes.Equal(got[i], want[i]):
			t.Errorf("channel %d: frame %d\n got %x\nwant %x", channel, i+1, got[i], want[i])
		}
	}
}

// script is a control that plays the recorded answers of one vector, in order, whatever it is asked.
type script struct {
	v       vectors.Vector
	steps   []vectors.Step
	session bool // the steps include open and close

	mu   sync.Mutex
	on   bool // identification is over
	next int  // in steps
	seen [3][][]byte
}

func newScript(v vectors.Vector) *script { return &script{v: v, steps: v.Steps} }

// started tells that what comes from now on belongs to the vector.
func (s *script) started() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.on = true
}

func (s *script) requests(channel int) [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen[channel])
}

func (s *script) serve(conn net.Conn) {
	defer conn.Close()
	fr := focas.NewFrameReader(conn)
	channel := 0
	for {
		f, err := fr.Next()
		if err != nil {
			return
		}
		if f.Type == focas.TypeOpen {
			n, err := focas.ParseOpenRequest(f.Body)
			if err != nil || n > 2 {
				return
			}
			channel = int(n)
		}
		if _, err := conn.Write(s.answer(channel, f)); err != nil || f.Type == focas.TypeClose {
			return
		}
	}
}

// answer is what follows a frame: our own open reply, 0x18 and close around the vector, and recorded frames in it.
func (s *script) answer(channel int, f focas.Frame) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	version := focas.Version(s.v.Version)
	recorded := s.on && s.next < len(s.steps)
	switch {
	case recorded && s.session:
	case f.Type == focas.TypeOpen:
		return openReplyOf(s.v).AppendFrame(nil)
	case f.Type == focas.TypeClose:
		return focas.AppendHeader(nil, version, focas.TypeClose, focas.DirReply, 0)
	case !s.on:
		return focas.AppendReplies(nil, version, (&peer{version: version}).blocks(requestsOf(f.Body)))
	}
	s.seen[channel] = append(s.seen[channel], f.Append(nil))
	if recorded && s.steps[s.next].Request {
		s.next++
	}
	var out []byte
	for s.next < len(s.steps) && !s.steps[s.next].Request {
		out = append(out, s.steps[s.next].Frame...)
		s.next++
	}
	return out
}

// openReplyOf is the open reply that the measurements were made with.
func openReplyOf(v vectors.Vector) *focas.OpenReply {
	o := &focas.OpenReply{Version: focas.Version(v.Version), MaxAxes: 8, MaxSpindles: 2, ControlledPaths: 1,
		Records: []focas.PathRecord{{System: 1, Axes: 3, Spindles: 1}}}
	if !v.Classic {
		o = openReply30i(focas.Version(v.Version), 1)
	}
	return o
}

// numbered spreads a list into fields such as v0, v1, v2.
func numbered[T any](m map[string]any, prefix string, items []T) {
	for i, item := range items {
		m[fmt.Sprintf("%s%d", prefix, i)] = item
	}
}
