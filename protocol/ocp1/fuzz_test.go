package ocp1

import (
	"bytes"
	"io"
	"testing"

	"github.com/patchbay-io/patchbay/transcript"
)

// FuzzMessages: any bytes either fail or append as themselves, message by message and PDU by PDU; a stream gives the same
// messages as the bytes.
func FuzzMessages(f *testing.F) {
	for _, v := range vectors {
		f.Add(unhex(f, v.wire))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := NewReader(bytes.NewReader(b), 0)
		for rest := b; ; {
			m, after, err := ParseMessage(rest, 0)
			s, serr := r.Next()
			if (err == nil) != (serr == nil) || len(rest) == 0 && serr != io.EOF {
				t.Fatalf("bytes say %v, the stream says %v", err, serr)
			}
			if err != nil {
				return
			}
			whole := rest[:len(rest)-len(after)]
			if got := m.Append(nil); !bytes.Equal(got, whole) || !bytes.Equal(s.Append(nil), whole) {
				t.Fatalf("message %x appends as %x", whole, got)
			}
			if pdus, err := pdusOf(m); err == nil && m.Type != TypeKeepAlive && m.Type <= TypeNotification2 {
				out, at := BeginMessage(nil, m.Version, m.Type)
				for _, p := range pdus {
					out = appendPDU(out, p)
				}
				if out = EndMessage(out, at, len(pdus)); !bytes.Equal(out, whole) {
					t.Fatalf("PDUs of %x append as %x", whole, out)
				}
			}
			rest = after
		}
	})
}

// FuzzTypes: whatever the bytes, reading a type ends inside them, and what was read appends as it was.
func FuzzTypes(f *testing.F) {
	f.Add(AppendString(nil, "Björk"))
	f.Add(AppendBits(nil, []bool{true, false, true}))
	f.Add(AppendBlockMember(nil, BlockMember{ObjectIdentification{4096, ClassIdentification{ClassGain, 2}}, 100}))
	f.Add(Subscription{Event: Event{100, PropertyChanged}, Subscriber: SubscriberMethod, Delivery: 1}.Append(nil))
	f.Add(AppendList(nil, []string{"a", "b"}, AppendString))
	f.Add(Search{"Gain", CompareContains, ClassGain, WantONo}.Append(nil))
	f.Add(AppendSearchResult(nil, SearchResult{4096, ClassIdentification{ClassGain, 2}, []ONo{100}, "Gain", "a"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		check := func(name string, read func(p *Params) []byte) {
			p := NewParams(name, b)
			again := read(&p)
			if p.Err() == nil && !bytes.Equal(again, b[:p.Offset()]) {
				t.Fatalf("%s: %x appends as %x", name, b[:p.Offset()], again)
			}
		}
		check("string", func(p *Params) []byte { return AppendString(nil, p.String("x")) })
		check("blob", func(p *Params) []byte { return AppendBlob(nil, p.Blob("x")) })
		check("member", func(p *Params) []byte { return AppendBlockMember(nil, p.BlockMember("x")) })
		check("manager", func(p *Params) []byte { return AppendManagerDescriptor(nil, p.ManagerDescriptor("x")) })
		check("search", func(p *Params) []byte { return p.Search().Append(nil) })
		check("search by path", func(p *Params) []byte { return p.PathSearch().Append(nil) })
		check("search result", func(p *Params) []byte { return AppendSearchResult(nil, p.SearchResult("x")) })
		check("list", func(p *Params) []byte { return AppendList(nil, ListOf(p, "x", p.String), AppendString) })
		if s, err := ParseSubscription(b); err == nil && !bytes.Equal(s.Append(nil), b) {
			t.Fatalf("subscription %x appends as %x", b, s.Append(nil))
		}
		if c, err := ParsePropertyChange(b); err == nil && !bytes.Equal(c.Append(nil), b) {
			t.Fatalf("change %x appends as %x", b, c.Append(nil))
		}
		for _, c := range Classes() {
			for _, m := range c.Methods {
				_, _ = Text(m.Out, b)
			}
		}
	})
}

// FuzzDissector: frames follow one another without gaps, whatever the bytes and however they are cut.
func FuzzDissector(f *testing.F) {
	for _, v := range vectors {
		f.Add(unhex(f, v.wire), 3)
	}
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		d := NewDissector()
		cut = min(max(cut, 0), len(b))
		frames := append(d.Feed(transcript.FromClient, b[:cut]), d.Feed(transcript.FromClient, b[cut:])...)
		frames = append(frames, d.End(transcript.FromClient)...)
		var at int64
		for _, fr := range frames {
			if fr.Offset != at || fr.Length <= 0 {
				t.Fatalf("a frame of %d bytes at %d, expected at %d", fr.Length, fr.Offset, at)
			}
			at += int64(fr.Length)
			for _, fl := range fr.Fields {
				if fl.Offset < 0 || fl.Offset+fl.Length > fr.Length {
					t.Fatalf("field %s lies outside its frame", fl.Name)
				}
			}
		}
		if at != int64(len(b)) {
			t.Fatalf("%d bytes of %d", at, len(b))
		}
	})
}
