// Package transcripttest holds recordings against the code that claims to understand them.
package transcripttest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/patchbay-io/patchbay/transcript"
)

// Malformed is the header name that allows faulty frames in a file; its value says which and why.
const Malformed = "malformed"

// Reencode parses one frame and writes it again.
type Reencode func(dir transcript.Direction, frame []byte) ([]byte, error)

// Run makes a subtest of each *.transcript file in dir. A file passes when its text is in the form that transcript.Write
// gives it, every frame decodes, frames and fields lie where the bytes are, the frames do not depend on how the bytes
// were cut, and each frame is re-encoded to the same bytes; a nil reencode leaves the last one out. The share of decoded
// bytes is logged for each file and returned for all of them.
func Run(t *testing.T, dir string, open func() transcript.Dissector, reencode Reencode) transcript.Share {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.transcript"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no *.transcript files in %s (%v)", dir, err)
	}
	var all transcript.Share
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			s, err := Check(text, open, reencode)
			if err != nil {
				t.Error(err)
			}
			t.Logf("%d of %d bytes decoded, %.1f %%", s.Decoded, s.Bytes, s.Percent())
			all.Bytes += s.Bytes
			all.Decoded += s.Decoded
		})
	}
	t.Logf("all files: %d of %d bytes decoded, %.1f %%", all.Decoded, all.Bytes, all.Percent())
	return all
}

// Check is Run for the text of one file; the error joins everything that is wrong.
func Check(text []byte, open func() transcript.Dissector, reencode Reencode) (transcript.Share, error) {
	var s transcript.Share
	t, err := transcript.Parse(text)
	if err != nil {
		return s, err
	}
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if again, err := transcript.Format(t); err != nil || !bytes.Equal(text, again) {
		fail("the file is not in the form that it is written in (%v); %s", err, firstDifference(text, again))
	}
	malformed := false
	for _, p := range t.Header.Extra {
		malformed = malformed || p.Key == Malformed
	}
	whole := dissect(t, open, false)
	for i := range whole {
		m := &whole[i]
		f := &m.Frame
		s.Add(f)
		at := fmt.Sprintf("flow %d, %v, byte %d (%s)", m.Flow, m.Dir, f.Offset, f.Summary)
		if f.Err != nil {
			if !malformed || m.Raw == nil && f.Length > 0 {
				fail("%s: %w", at, f.Err)
			}
			continue
		}
		for _, fd := range f.Fields {
			if fd.Offset < 0 || fd.Length < 0 || fd.Offset+fd.Length > f.Length {
				fail("%s: field %s at %d, %d bytes, lies outside of %d bytes", at, fd.Name, fd.Offset, fd.Length, f.Length)
			}
		}
		for _, u := range f.Unknown {
			if u.Offset < 0 || u.Length < 0 || u.Offset+u.Length > f.Length {
				fail("%s: unknown bytes at %d, %d bytes, lie outside of %d bytes", at, u.Offset, u.Length, f.Length)
			}
		}
		if reencode == nil {
			continue
		}
		if again, err := reencode(m.Dir, m.Raw); err != nil {
			fail("%s: re-encode: %w", at, err)
		} else if !bytes.Equal(m.Raw, again) {
			fail("%s: re-encoded differently; %s", at, firstDifference(m.Raw, again))
		}
	}
	cut := dissect(t, open, true)
	if len(cut) != len(whole) {
		fail("%d frames when fed as recorded, %d when fed byte by byte", len(whole), len(cut))
	}
	for i := range min(len(cut), len(whole)) {
		if a, b := &whole[i], &cut[i]; !bytes.Equal(a.Raw, b.Raw) || a.Frame.Summary != b.Frame.Summary {
			fail("frame %d is %q when fed as recorded, %q when fed byte by byte", i, a.Frame.Summary, b.Frame.Summary)
			break
		}
	}
	return s, errors.Join(errs...)
}

func dissect(t *transcript.Transcript, open func() transcript.Dissector, byByte bool) []transcript.Message {
	d := transcript.NewDissection(open)
	var out []transcript.Message
	for _, e := range t.Events {
		if !byByte || e.Kind != transcript.Data {
			out = append(out, d.Feed(&e)...)
			continue
		}
		for i := range e.Data {
			one := e
			one.Data = e.Data[i : i+1]
			out = append(out, d.Feed(&one)...)
		}
	}
	return append(out, d.End()...)
}

func firstDifference(want, got []byte) string {
	i := 0
	for i < len(want) && i < len(got) && want[i] == got[i] {
		i++
	}
	if i == len(want) && i == len(got) {
		return "no difference"
	}
	return fmt.Sprintf("first difference at byte %d: %q was, %q is", i, want[i:min(i+16, len(want))], got[i:min(i+16, len(got))])
}
