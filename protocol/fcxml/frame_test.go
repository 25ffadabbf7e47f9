package fcxml

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// vectors are frames as programs and servers send them. They feed the tests of frames, messages and the fuzz seeds.
var vectors = []struct {
	frame   string
	message Message
}{
	{`Length=00000D <keep-alive/>`, KeepAlive{}},
	{`Length=00000d <keep-alive/>`, KeepAlive{}},
	{`Length=000035 <client-discovery app="SAFFIRE-CONTROL" version="4"/>`, ClientDiscovery{App: App, Version: Version}},
	{`Length=000042 <client-discovery app="SAFFIRE-CONTROL" version="4" device="iOS"/>`, ClientDiscovery{App: App, Version: Version, Device: "iOS"}},
	{`Length=00005a <server-announcement app='SAFFIRE-CONTROL' version='4' hostname='studio-pc' port='49678'/>`,
		ServerAnnouncement{App: App, Version: Version, Hostname: "studio-pc", Port: 49678}},
	{`Length=00002E <device-subscribe devid="1" subscribe="true"/>`, DeviceSubscribe{Device: "1", On: true}},
	{`Length=00002f <device-subscribe devid="1" subscribe="false"/>`, DeviceSubscribe{Device: "1"}},
	{`Length=00001d <device-subscribe devid="1"/>`, DeviceSubscribe{Device: "1", On: true, Bare: true}},
	{`Length=000032 <set devid="1"><item id="312" value="true"/></set>`, Set{Device: "1", Items: []Assign{{312, "true"}}}},
	{`Length=000032 <set devid="1"><item id="2" value="Björk"/></set>`, Set{Device: "1", Items: []Assign{{2, "Björk"}}}},
	{`Length=000033 <set devid="1"><item id="2" value="a&amp;b"/></set>`, Set{Device: "1", Items: []Assign{{2, "a&b"}}}},
	{`Length=000011 <set devid="12"/>`, Set{Device: "12"}},
	{`Length=000056 <client-details hostname="gateway" client-key="0a1b2c3d-0000-4000-8000-000000000001"/>`,
		ClientDetails{Hostname: "gateway", Key: "0a1b2c3d-0000-4000-8000-000000000001"}},
	{`Length=00002b <client-details id="10875864856933266113"/>`, ClientDetails{ID: "10875864856933266113"}},
	{`Length=00005b <approval hostname="gateway" id="10875864856933266113" type="response" authorised="false"/>`,
		Approval{Hostname: "gateway", ID: "10875864856933266113", Type: "response"}},
	{`Length=000040 <approval hostname="" id="7" type="response" authorised="true"/>`, Approval{ID: "7", Type: "response", Authorised: true}},
	{`Length=000019 <device-removal id="1"/> `[:HeaderSize+24], nil},
	{`Length=000018 <device-removal id="1"/>`, DeviceRemoval{Device: "1"}},
	{`Length=000041 <device-arrival><device id="1"><state/></device></device-arrival>`,
		DeviceArrival{[]*Element{{Name: "device", Attrs: []Attr{{Name: "id", Value: "1"}}, Children: []*Element{{Name: "state"}}}}}},
	{`Length=000012 <new-thing a="1"/>`, Unknown{&Element{Name: "new-thing", Attrs: []Attr{{Name: "a", Value: "1"}}}}},
}

// The vectors hold the lengths that the bytes have; the one that lies is caught.
func TestVectors(t *testing.T) {
	for _, v := range vectors {
		f, rest, err := ParseFrame([]byte(v.frame))
		if v.message == nil {
			if !errors.Is(err, ErrTooShort) {
				t.Errorf("%s: %v, want ErrTooShort", v.frame, err)
			}
			continue
		}
		if err != nil || len(rest) > 0 {
			t.Errorf("%s: %v, %d bytes left", v.frame, err, len(rest))
			continue
		}
		if got := string(f.Append(nil)); !strings.EqualFold(got[:HeaderSize], v.frame[:HeaderSize]) || got[HeaderSize:] != v.frame[HeaderSize:] {
			t.Errorf("%s appends as %s", v.frame, got)
		}
		m, err := Parse(f.Payload)
		if err != nil {
			t.Errorf("%s: %v", v.frame, err)
			continue
		}
		if d := cmp.Diff(v.message, m); d != "" {
			t.Errorf("%s: -want +got\n%s", v.frame, d)
		}
		if got := string(AppendMessage(nil, m)); !strings.EqualFold(got[:HeaderSize], v.frame[:HeaderSize]) || got[HeaderSize:] != v.frame[HeaderSize:] {
			t.Errorf("%s becomes %s", v.frame, got)
		}
	}
}

// The keep-alive of a server and the name with an umlaut, byte for byte.
func TestBytes(t *testing.T) {
	for text, want := range map[string]string{
		`<keep-alive/>`: "4c656e6774683d303030303064203c6b6565702d616c6976652f3e",
		`<set devid="1"><item id="2" value="Björk"/></set>`: "4c656e6774683d303030303332203c7365742064657669643d2231223e3c6974656d2069643d2232222076616c75653d22426ac3b6726b222f3e3c2f7365743e",
	} {
		if got := hex.EncodeToString(Frame{Payload: []byte(text), Lower: true}.Append(nil)); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
	if got := string(Frame{Payload: make([]byte, 0xabcdef&0xfffff)}.Append(nil)[:HeaderSize]); got != "Length=0BCDEF " {
		t.Errorf("upper case header is %q", got)
	}
}

func TestHeaders(t *testing.T) {
	for in, want := range map[string]error{
		"Length=00000":    ErrTooShort,
		"Length=00000d":   ErrTooShort,
		"length=00000d ":  ErrNoFrame,
		"Length=00000g ":  ErrNoFrame,
		"Length=00000d\n": ErrNoFrame,
		"Length=0000 0d":  ErrNoFrame,
		"Length=100000 ":  nil,
		"Length=100001 ":  ErrTooLong,
		"Length=FFFFFF ":  ErrTooLong,
		"Length=0fFaB0 ":  nil,
	} {
		if _, _, err := ParseHeader([]byte(in)); err != want {
			t.Errorf("%q: %v, want %v", in, err, want)
		}
	}
}

// readAll reads a stream to its end.
func readAll(r io.Reader) (payloads []string, junk uint64, err error) {
	fr := NewReader(r)
	for {
		f, err := fr.Next()
		if err != nil {
			return payloads, fr.Junk(), err
		}
		payloads = append(payloads, string(f.Payload))
	}
}

func TestReader(t *testing.T) {
	frame := func(s string) string { return string(Frame{Payload: []byte(s)}.Append(nil)) }
	long := `<x a="` + strings.Repeat("é", 300_000) + `"/>`
	for _, c := range []struct {
		name, in string
		want     []string
		junk     uint64
		err      error
	}{
		{"joined", frame("<a/>") + frame("<b/>") + frame("<c/>"), []string{"<a/>", "<b/>", "<c/>"}, 0, io.EOF},
		{"long between short ones", frame("<a/>") + frame(long) + frame("<b/>") + frame("<c/>"), []string{"<a/>", long, "<b/>", "<c/>"}, 0, io.EOF},
		{"empty payload", frame("") + frame("<b/>"), []string{"", "<b/>"}, 0, io.EOF},
		{"a character count leaves bytes behind", "Length=000004 <a/>" + "t>" + frame("<b/>"), []string{"<a/>", "<b/>"}, 2, io.EOF},
		{"junk that looks like a header", frame("<a/>") + "Length=xyz Leng Length=00 " + frame("<b/>"), []string{"<a/>", "<b/>"}, 26, io.EOF},
		{"cut in a header", frame("<a/>") + "Length=0", []string{"<a/>"}, 0, io.ErrUnexpectedEOF},
		{"cut in a payload", frame("<a/>") + "Length=000010 <", []string{"<a/>"}, 0, io.ErrUnexpectedEOF},
		{"too long", "Length=100001 <", nil, 0, ErrTooLong},
		{"another protocol", "HTTP/1.1 400 Bad Request\r\n\r\n", nil, 28, ErrNoFrame},
		{"endless junk", frame("<a/>") + strings.Repeat("L", 100_000), []string{"<a/>"}, 0, ErrNoFrame},
		{"nothing", "", nil, 0, io.EOF},
	} {
		t.Run(c.name, func(t *testing.T) {
			for kind, r := range map[string]io.Reader{"at once": strings.NewReader(c.in), "byte by byte": iotest.OneByteReader(strings.NewReader(c.in)),
				"half reads": iotest.HalfReader(strings.NewReader(c.in)), "with the error": iotest.DataErrReader(strings.NewReader(c.in))} {
				got, junk, err := readAll(r)
				if d := cmp.Diff(c.want, got); d != "" || err != c.err {
					t.Errorf("%s: %v, want %v; -want +got\n%.300s", kind, err, c.err, d)
				}
				if c.err == io.EOF && junk != c.junk {
					t.Errorf("%s: %d bytes of junk, want %d", kind, junk, c.junk)
				}
			}
		})
	}
}

// A header alone must not make the reader take its length in memory.
func TestReaderDoesNotTrustTheHeader(t *testing.T) {
	r := NewReader(strings.NewReader("Length=0FFFFF <"))
	if _, err := r.Next(); err != io.ErrUnexpectedEOF {
		t.Fatal(err)
	}
	if cap(r.buf) > 64<<10 {
		t.Errorf("a header alone took %d bytes", cap(r.buf))
	}
}

func TestParseRefuses(t *testing.T) {
	nested := strings.Repeat("<a>", MaxDepth+1) + strings.Repeat("</a>", MaxDepth+1)
	many := "<a>" + strings.Repeat("<b/>", MaxElements) + "</a>"
	var attrs strings.Builder
	for i := range MaxAttrs + 1 {
		fmt.Fprintf(&attrs, " a%d=''", i)
	}
	for name, in := range map[string]string{
		"nothing": "", "text": "hello", "open": "<a>", "crossed": "<a><b></a></b>", "two": "<a/><b/>", "end": "</a>",
		"no name": "< a/>", "no value": "<a b/>", "no quotes": "<a b=1/>", "quote": "<a b='1/>", "mixed quotes": `<a b='1"/>`,
		"tag": "<a", "end tag": "<a></a", "tight": `<a b="1"c="2"/>`, "twice": `<a b="1" b="2"/>`, "less": `<a b="<"/>`,
		"doctype":  `<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>`,
		"laughs":   `<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><l>&b;</l>`,
		"external": `<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>`,
		"entity":   "<a>&nbsp;</a>", "entity in value": `<a b="&x;"/>`, "open entity": `<a b="&amp"/>`, "bad number": `<a b="&#0;"/>`,
		"surrogate": `<a b="&#xD800;"/>`, "huge number": `<a b="&#x110000;"/>`,
		"comment": "<!-- <a/>", "cdata": "<a><![CDATA[x</a>", "instruction": "<?xml <a/>", "tail": "<a/>x",
		"depth": nested, "elements": many, "attributes": "<a" + attrs.String() + "/>",
		"set": "<set devid='1'>", "set without device": "<set ><item id='1' value='2'/></set>", "set crossed": "<set devid='1'><item></set></item>",
		"set twice": "<set devid='1'/><set devid='1'/>", "set end": "<set devid='1'/></set>", "set laughs": "<set devid='1'><item id='1' value='&x;'/></set>",
		"set elements": "<set devid='1'>" + strings.Repeat("<item/>", MaxElements) + "</set>",
		"set depth":    "<set devid='1'>" + nested + "</set>",
		"no key":       "<client-details hostname='x'/>", "no verdict": "<approval id='1' authorised='maybe'/>", "no device": "<device-arrival/>",
		"no removed one": "<device-removal/>", "no subscribed one": "<device-subscribe subscribe='true'/>", "no port": "<server-announcement/>",
		"port": "<server-announcement port='70000'/>", "port 0": "<server-announcement port='0'/>",
	} {
		if m, err := Parse([]byte(in)); err == nil {
			t.Errorf("%s: %.60s was taken for %#v", name, in, m)
		}
	}
}

func TestParseTakes(t *testing.T) {
	for in, want := range map[string]string{
		"<?xml version='1.0'?>\n<!-- x --> <keep-alive></keep-alive>\n": "<keep-alive/>",
		"<keep-alive />":                                                     `<keep-alive/>`,
		"<a>\n  x &lt; <![CDATA[<y>]]>\n</a>":                                `<a>x &lt;&lt;y&gt;</a>`,
		`<a b="&#65;&#x42;&apos;" c='"'/>`:                                   `<a b="AB&apos;" c='&quot;'/>`,
		"<a b = '1'\n\tc\n=\n\"2\" ></a >":                                   `<a b='1' c="2"/>`,
		"<?x?><set devid='1'><item value='2' id='1'></item><odd/></set>":     `<set devid="1"><item id="1" value="2"/></set>`,
		"<set  x='y' devid='1'><item id='x' value='2'/><item id='3'/></set>": `<set devid="1"/>`,
		"<server-announcement port='1' hostname='x' app='a'/>":               `<server-announcement app='a' version='' hostname='x' port='1'/>`,
	} {
		m, err := Parse([]byte(in))
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		if got := string(m.AppendXML(nil)); got != want {
			t.Errorf("%q becomes %s, want %s", in, got, want)
		}
	}
	m, _ := Parse([]byte("<set devid='1'><item id='x' value='2'/><item id='3'/></set>"))
	if s, ok := m.(Set); !ok || s.Odd != 2 {
		t.Errorf("two odd items: %#v", m)
	}
}

// Whatever a name holds, it comes back, and what XML cannot hold does no harm.
func TestEscaping(t *testing.T) {
	for in, want := range map[string]string{
		"":                         "",
		`<&>"'`:                    `<&>"'`,
		"line\nfeed\ttab\r":        "line\nfeed\ttab\r",
		"Grüße 日本 🎸":               "Grüße 日本 🎸",
		"nul\x00 bell\x07 cut\xc3": "nul\uFFFD bell\uFFFD cut\uFFFD",
		"\uFFFE\uFFFF":             "\uFFFD\uFFFD",
	} {
		b := Set{Device: in + "d", Items: []Assign{{1, in}}}.AppendXML(nil)
		m, err := Parse(b)
		if err != nil {
			t.Errorf("%q: %v", b, err)
			continue
		}
		if got := m.(Set).Items[0].Value; got != want {
			t.Errorf("%q comes back as %q", in, got)
		}
		e := &Element{Name: "x", Attrs: []Attr{{"a", in, true}}, Text: "t" + in + "t"}
		back, err := ParseElement(e.AppendXML(nil))
		if err != nil || back.Attr("a") != want || back.Text != "t"+want+"t" {
			t.Errorf("%q in an element comes back as %+v, %v", in, back, err)
		}
	}
}

func TestReaderKeepsFramesApart(t *testing.T) {
	var stream []byte
	var want []string
	for i := range 2000 {
		m := Set{Device: "1", Items: []Assign{{uint32(i), strings.Repeat("x", i%977)}}}
		stream = AppendMessage(stream, m)
		want = append(want, string(m.AppendXML(nil)))
	}
	got, junk, err := readAll(bytes.NewReader(stream))
	if d := cmp.Diff(want, got); d != "" || junk != 0 || err != io.EOF {
		t.Errorf("%d bytes of junk, %v", junk, err)
	}
}
