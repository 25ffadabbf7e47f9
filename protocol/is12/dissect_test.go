package is12

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/transcript"
)

// Messages are told in short; an answer says what it answers.
func TestDissector(t *testing.T) {
	want := []string{
		`Command: 1.Get({"id":{"level":1,"index":1}})`,
		`CommandResponse: 1.Get = [1,1]`,
		`Subscription: [1]`,
		`SubscriptionResponse: [1]`,
		`Notification: 1.1.6 = "hello"`,
		`CommandResponse: 3`,
		`Error: BadCommandFormat bad`,
	}
	d := NewDissector()
	var got []string
	at := int64(0)
	for _, v := range vectors {
		for _, f := range d.Feed(transcript.FromClient, []byte(v.wire)) {
			if f.Err != nil || f.Offset != at || f.Length != len(v.wire) || f.Decoded() != f.Length || len(f.Fields) == 0 {
				t.Errorf("%s: %+v, expected at %d", v.name, f, at)
			}
			at += int64(f.Length)
			got = append(got, f.Summary)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if f := d.Feed(transcript.FromClient, []byte("{bad json")); len(f) != 1 || !errors.Is(f[0].Err, ErrJSON) || f[0].Decoded() != 0 {
		t.Errorf("%+v", f)
	}
	if f := d.End(transcript.FromClient); f != nil {
		t.Errorf("%+v", f)
	}
}
