package atem

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/patchbay-io/patchbay/protocol/atem"
)

// What a configuration says, and what is said about mistakes in it.
func TestServeOptions(t *testing.T) {
	for _, row := range []struct{ yaml, wrong string }{
		{"{}", ""},
		{"{openswitcher: '127.0.0.1:4532', allow: [CPgI, DCut me=1, aux/2, '*', raw XyZ1, me/1/*], label: Stage, login: true}", ""},
		{"{allow: CPgI}", ""},
		{"{atem: '0.0.0.0:9910', from: [192.0.2.0/24, 192.0.2.9, '2001:db8::/32'], allow: [CPgI]}", ""},
		{"{atem: '0.0.0.0:9910', rules: [{from: 192.0.2.5, allow: ['*']}, {from: [192.0.2.6, 192.0.2.8/29], allow: DCut}]}", ""},
		{"{atem: '', openswitcher: ':4532', login: true, allow: [CPgI], rules: [{user: anna, allow: [DCut]}]}", ""},
		{"{atem: ''}", "give atem or openswitcher"},
		{"{atem: 192.0.2.1}", "127.0.0.1:9910"},
		{"{openswitcher: ':relay'}", "127.0.0.1:4532"},
		{"{max_clients: 0}", "1 to 10000"},
		{"{tls_cert: a.pem}", "belong together"},
		{"{tls_cert: a.pem, tls_key: b.pem}", "only OpenSwitcher has TLS"},
		{"{devices: [other]}", "only OpenSwitcher programs can choose"},
		{"{atem: ':9910', allow: [CPgI]}", "ATEM has no passwords"},
		{"{atem: '', openswitcher: ':4532', allow: [CPgI]}", "from: [192.0.2.10]"},
		{"{from: [studio]}", "no address and no network"},
		{"{rules: [{allow: [CPgI]}]}", "neither a user nor an address"},
		{"{rules: [{user: anna, allow: [CPgI]}]}", "login: true"},
		{"{rules: [{users: anna, allow: [CPgI]}]}", `no "users"`},
		{"{rules: [anna]}", "a rule is like"},
		{"{allow: {CPgI: 1}}", "a list of commands"},
		{"{allow: [CPgi]}", `did you mean "CPgI"`},
		{"{allow: [PrgI]}", "no command that this program knows"},
		{"{allow: [DCut m=1]}", `has no "m"; it has me`},
		{"{allow: [DCut me]}", "write it like me=1"},
		{"{allow: [DCut me=one]}", "me=1..4"},
		{"{allow: [DCut me=4..1]}", "me=1..4"},
		{"{allow: [auxx/2]}", `did you mean "aux"`},
		{"{allow: [lights/2]}", "the parts are me, dsk"},
		{"{allow: [raw toolong]}", "four letters"},
		{"{allow: [Cut me=1]}", "no command that this program knows"},
	} {
		o := serveDefaults()
		err := yaml.Unmarshal([]byte(row.yaml), o)
		if err == nil {
			err = o.Validate()
		}
		switch {
		case row.wrong == "" && err != nil:
			t.Errorf("%s: %v", row.yaml, err)
		case row.wrong != "" && (err == nil || !strings.Contains(err.Error(), row.wrong)):
			t.Errorf("%s: %v, want %q", row.yaml, err, row.wrong)
		}
	}
	o := serveDefaults()
	if err := yaml.Unmarshal([]byte("{devices: [b], allow: [CPgI, aux/2], from: [192.0.2.9]}"), o); err != nil {
		t.Fatal(err)
	}
	b, err := yaml.Marshal(o)
	if err != nil || !strings.Contains(string(b), "- aux/2") || !strings.Contains(string(b), "- 192.0.2.9/32") {
		t.Errorf("%s %v", b, err)
	}
	if o.Allow.String() != "CPgI, aux/2" || !slices.Equal(o.Shows(), []string{"b"}) {
		t.Errorf("%v %v", o.Allow, o.Shows())
	}
}

// The words for commands, and which entries allow them.
func TestWordsForCommands(t *testing.T) {
	for _, row := range []struct {
		message atem.Message
		say     string
		path    string
		line    string
		allow   string // entries that do
		not     string // entries that do not
	}{
		{&atem.SetProgramSource{ME: 0, Source: 3010}, "CPgI me=1 source=3010", "me/1/program", "CPgI me=1",
			"CPgI; CPgI me=1; CPgI me=1..2; CPgI source=3010; CPgI me=1 source=3000..3999; me/1; me/1/program; me/*/program; me/*; *; me",
			"CPvI; CPgI me=2; CPgI source=1..40; CPgI me=1 source=1; me/2; me/1/preview; aux; raw CPgX"},
		{&atem.SetPreviewSource{ME: 1, Source: 1}, "CPvI me=2 source=1", "me/2/preview", "CPvI me=2", "me/2", "me/1"},
		{&atem.Cut{}, "DCut me=1", "me/1/cut", "DCut me=1", "me/1/cut; DCut", "me/1/auto"},
		{&atem.Auto{ME: 3}, "DAut me=4", "me/4/auto", "DAut me=4", "me/4/auto", "DAut me=1..3"},
		{&atem.SetMixSettings{ME: 0, Rate: 25}, "CTMx me=1 rate=\"25 frames\"", "me/1/transition", "CTMx me=1", "me/1/transition", "me/1/program"},
		{&atem.SetKeyOnAir{ME: 0, Keyer: 1, OnAir: true}, "CKOn me=1 keyer=2 on_air=true", "me/1/keyers/2", "CKOn me=1 keyer=2", "me/1/keyers/2; me/*/keyers/*; CKOn keyer=2", "me/1/keyers/1"},
		{&atem.SetAuxSource{Aux: 1, Source: 2}, "CAuS mask=0 aux=2 source=2", "aux/2", "CAuS aux=2", "aux/2; aux/*", "aux/1; aux/2/source"},
		{&atem.FadeToBlackAuto{}, "FtbA me=1", "ftb/1", "FtbA me=1", "ftb/1", "me/1"},
		{&atem.SetDownstreamKeyOnAir{DSK: 1, OnAir: true}, "CDsL dsk=2 on_air=true", "dsk/2", "CDsL dsk=2", "dsk/2", "dsk/1"},
		{&atem.MacroAction{Macro: 4}, "MAct macro=5 action=0", "macros/5", "MAct macro=5", "macros/5; macros", "macros/4"},
		{&atem.MacroAction{Macro: 0xffff, Action: atem.MacroActionKindStop}, "MAct macro=none action=1", "macros", "MAct macro=0", "macros; MAct macro=0; MAct action=1", "macros/5"},
		{&atem.SetColourGenerator{Generator: 0}, "", "colours/1", "CClV generator=1", "colours/1", "colours/2"},
		{&atem.SetSuperSourceBox{Box: 2}, "", "supersource/1/boxes/3", "", "supersource/1", "supersource/2"},
		{&atem.SetMediaPlayerSource{Player: 0}, "", "media/players/1", "MPSS player=1", "media; media/players/1", "media/players/2"},
		{&atem.SetInputProperties{Source: 5}, "", "inputs/5", "CInL source=5", "inputs/5; inputs", "inputs/6"},
		{&atem.SetFairlightStrip{Source: 1301}, "", "audio/1301", "", "audio; audio/1301", "audio/1"},
		{&atem.SetClassicMaster{}, "", "audio", "CAMM", "audio", "audio/1"},
		{&atem.Lock{Store: 1, Locked: true}, "LOCK store=1 locked=true", "media", "LOCK store=1", "media; LOCK", "macros"},
		{&atem.SetRecording{Recording: true}, "", "record", "RcTM", "record", "stream"},
		{&atem.SetStreaming{Streaming: true}, "", "stream", "StrR", "stream", "record"},
		{&atem.SetStreamingService{StreamKey: "abc123"}, "", "stream", "CRSS", "stream", "record"},
		{&atem.SetVideoStandard{}, "", "video-mode", "CVdM", "video-mode", "me"},
	} {
		f, _, err := atem.Next(row.message.Append(nil, farVersion))
		if err != nil {
			t.Fatal(err)
		}
		said := say(farVersion, &f)
		if row.say != "" && said != row.say || strings.Contains(said, "abc123") {
			t.Errorf("says %q, want %q", said, row.say)
		}
		if got := about(farVersion, &f); string(got) != row.path {
			t.Errorf("%s is about %q, want %q", said, got, row.path)
		}
		line := lineFor(farVersion, &f)
		if row.line != "" && line != row.line {
			t.Errorf("%s would be allowed by %q, want %q", said, line, row.line)
		}
		for _, x := range []struct {
			words string
			want  bool
		}{{row.allow, true}, {row.not, false}, {line, true}} {
			for w := range strings.SplitSeq(x.words, "; ") {
				c, err := ParseCommands([]string{w})
				if err != nil {
					t.Errorf("%s: %v", w, err)
				} else if c.allows(farVersion, &f) != x.want {
					t.Errorf("%q allows %s: %v", w, said, !x.want)
				}
			}
		}
	}
	// A command that nobody knows is allowed by its name alone.
	f := atem.Field{Code: atem.Code(0x58797a31), Body: []byte{1}}
	for w, want := range map[string]bool{"*": false, "raw Xyz1": true, "me": false} {
		c := commands(t, w)
		if c.allows(farVersion, &f) != want {
			t.Errorf("%q allows %s: %v", w, say(farVersion, &f), !want)
		}
	}
	// A body that no layout fits is allowed by the code alone.
	f = atem.Field{Code: atem.CodeDCut, Body: []byte{1}}
	for w, want := range map[string]bool{"*": true, "DCut": true, "DCut me=2": false, "me/2": false} {
		c := commands(t, w)
		if c.allows(farVersion, &f) != want {
			t.Errorf("%q allows %s: %v", w, say(farVersion, &f), !want)
		}
	}
}

// Every command of the catalogue can be named, said, and allowed by the line that is shown for it.
func TestEveryCommandHasWords(t *testing.T) {
	n := 0
	for info := range atem.Catalogue() {
		if !isCommand(info.Code) {
			continue
		}
		n++
		for size := range maxBody {
			f := atem.Field{Code: info.Code, Body: make([]byte, size)}
			if _, ok := atem.LayoutOf(info.Code, 0, f.Body); !ok {
				continue
			}
			line := lineFor(0, &f)
			c, err := ParseCommands([]string{line})
			if err != nil || !c.allows(0, &f) {
				t.Errorf("%s: %q does not allow it: %v", info.Code, line, err)
			}
			if p := about(0, &f); p != "" {
				c, err := ParseCommands([]string{string(p)})
				if err != nil || !c.allows(0, &f) {
					t.Errorf("%s: %q does not allow it: %v", info.Code, p, err)
				}
			}
			if s := say(0, &f); !strings.HasPrefix(s, info.Code.String()) {
				t.Errorf("%s: %s", info.Code, s)
			}
		}
	}
	if n < 100 {
		t.Errorf("%d commands", n)
	}
}

func FuzzWords(f *testing.F) {
	f.Add("CPgI", "00000003")
	f.Fuzz(func(t *testing.T, code, body string) {
		c, ok := atem.ParseCode(code)
		b, err := hex.DecodeString(body)
		if !ok || err != nil {
			return
		}
		fd := atem.Field{Code: c, Body: b}
		_ = fmt.Sprint(say(0, &fd), about(0, &fd), lineFor(0, &fd))
		if e, err := parseEntry(code); err == nil {
			e.allows(0, &fd)
		}
	})
}
