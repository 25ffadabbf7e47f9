package fcxml

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// small is a device with one of everything that the paths care about. The numbers are not in order, as those of devices.
const small = `<device id="3" protocol="USB" model="Scarlett Test" class="Scarlett" bus-id="0" serial-number="T0000001" version="2">
  <nickname id="2"/><reset-device id="7"/><preset id="6"><enum value="Direct Routing"/><enum value="Empty"/></preset>
  <firmware><version id="8"/></firmware>
  <mixer><available id="90"/>
    <inputs><free-inputs id="20"/><input><source id="21"/><stereo id="22"/></input><input><source id="23"/><stereo id="24"/></input></inputs>
    <mixes><mix id="30" name="Mix A" stereo-name="Mix A-B"><meter id="33"/><input><gain id="31"/><pan id="32"/></input></mix>
      <mix id="34" name="Mix B" stereo-name=""><meter id="36"/><input><gain id="35"/></input></mix></mixes></mixer>
  <inputs>
    <analogue id="40" name="Analogue 1" stereo-name="Analogue 1-2"><available id="41"/><meter id="42"/><mode id="43"><enum value="Line"/><enum value="Inst"/></mode><air id="44"/></analogue>
    <analogue id="45" name="Analogue 2" stereo-name=""><available id="46"/><meter id="47"/><sparkle id="48"/></analogue>
    <playback id="49" name="Analogue 2" stereo-name=""><meter id="50"/></playback></inputs>
  <outputs>
    <analogue name="Monitor 1" stereo-name="Monitor 1-2" monitor="true"><mute id="60"/><source id="61"/><stereo id="62"/><gain id="63"/></analogue>
    <analogue name="Monitor 2" stereo-name="" monitor="true"><mute id="64"/><source id="65"/><stereo id="66"/><gain id="67"/></analogue>
    <loopback name="Loopback 1" stereo-name="Loopback 1-2"><source id="68"/></loopback></outputs>
  <monitoring><hardware-controls min-gain="-127" max-gain="0"><gain id="70"/><dim id="71"/><talkback id="72"/></hardware-controls>
    <preset id="73"><enum value="1-2"/></preset></monitoring>
  <clocking><locked id="80"/><clock-source id="81"><enum value="Internal"/></clock-source><sample-rate id="82"><enum value="48 kHz"/></sample-rate></clocking>
  <settings><spdif-mode name="S/PDIF Mode"><mode id="83"><enum value="RCA"/></mode></spdif-mode><phantom-persistence id="84"/></settings>
  <state/><quick-start url="x"><msd-mode id="85"/></quick-start><new-thing id="0"/><odd id="x"/>
</device>`

func mustSchema(t testing.TB, text string) *Schema {
	t.Helper()
	e, err := ParseElement([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSchema(e)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSchemaPaths(t *testing.T) {
	s := mustSchema(t, small)
	if s.Model != "Scarlett Test" || s.Serial != "T0000001" || s.ID != "3" || s.Class != "Scarlett" || s.Version != "2" {
		t.Errorf("%+v", s)
	}
	want := strings.Split(strings.TrimSpace(`
2 nickname text
7 reset-device command
6 preset enum
8 firmware/version integer
90 mixer/available bool
20 mixer/inputs/free-inputs integer
21 mixer/inputs/1/source reference
22 mixer/inputs/1/stereo bool
23 mixer/inputs/2/source reference
24 mixer/inputs/2/stereo bool
30 mixer/mixes/a source
33 mixer/mixes/a/meter decibel
31 mixer/mixes/a/1/gain decibel
32 mixer/mixes/a/1/pan pan
34 mixer/mixes/b source
36 mixer/mixes/b/meter decibel
35 mixer/mixes/b/1/gain decibel
40 inputs/analogue-1 source
41 inputs/analogue-1/available bool
42 inputs/analogue-1/meter decibel
43 inputs/analogue-1/mode enum
44 inputs/analogue-1/air bool
45 inputs/analogue-2 source
46 inputs/analogue-2/available bool
47 inputs/analogue-2/meter decibel
48 inputs/analogue-2/sparkle unknown
49 inputs/analogue-2-2 source
50 inputs/analogue-2-2/meter decibel
60 outputs/monitor-1/mute bool
61 outputs/monitor-1/source reference
62 outputs/monitor-1/stereo bool
63 outputs/monitor-1/gain decibel
64 outputs/monitor-2/mute bool
65 outputs/monitor-2/source reference
66 outputs/monitor-2/stereo bool
67 outputs/monitor-2/gain decibel
68 outputs/loopback-1/source reference
70 monitoring/level decibel
71 monitoring/dim bool
72 monitoring/talkback bool
73 monitoring/preset enum
80 clock/locked bool
81 clock/source enum
82 clock/sample-rate enum
83 settings/spdif-mode/mode enum
84 settings/phantom-persistence bool
85 quick-start/msd-mode bool`), "\n")
	for i := range want { // the slots of a mix stand below inputs
		want[i] = strings.Replace(want[i], "mixes/a/1/", "mixes/a/inputs/1/", 1)
		want[i] = strings.Replace(want[i], "mixes/b/1/", "mixes/b/inputs/1/", 1)
	}
	var got []string
	for i := range s.Items {
		it := &s.Items[i]
		got = append(got, fmt.Sprintf("%d %s %v", it.ID, it.Path, it.Kind))
		if s.ByID(it.ID) != it || s.ByPath(it.Path) != it {
			t.Errorf("%s is not found by its number or path", it.Path)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if s.ByID(1) != nil || s.ByPath("x") != nil {
		t.Error("found what is not there")
	}
	if d := cmp.Diff([]string{"Direct Routing", "Empty"}, s.ByPath("preset").Enum); d != "" {
		t.Error(d)
	}
	var sources []string
	for _, it := range s.Sources() {
		sources = append(sources, it.Label())
	}
	if d := cmp.Diff([]string{"Mix A", "Mix B", "Analogue 1", "Analogue 2", "Analogue 2"}, sources); d != "" {
		t.Error(d)
	}
	if g := s.ByPath("inputs/analogue-1/air").Group; g.Attr("name") != "Analogue 1" {
		t.Errorf("air belongs to %+v", g)
	}
}

func TestStereoPairs(t *testing.T) {
	s := mustSchema(t, small)
	left, linked, ok := s.Left(s.ByPath("outputs/monitor-2/gain"))
	if !ok || left.Path != "outputs/monitor-1/gain" || linked.Path != "outputs/monitor-1/stereo" {
		t.Errorf("%v %v %v", left, linked, ok)
	}
	for _, p := range []string{"outputs/monitor-1/gain", "outputs/loopback-1/source", "inputs/analogue-2/meter", "monitoring/dim"} {
		if _, _, ok := s.Left(s.ByPath(p)); ok {
			t.Errorf("%s follows a left channel", p)
		}
	}
}

func TestSchemaRefuses(t *testing.T) {
	for text, want := range map[string]error{
		`<device/>`:       ErrNotADevice,
		`<thing id="1"/>`: ErrNotADevice,
		`<device id="1"><a id="2"/><b><c id="2"/></b></device>`: ErrTwice,
	} {
		e, err := ParseElement([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := NewSchema(e); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
	if _, err := NewSchema(nil); !errors.Is(err, ErrNotADevice) {
		t.Error(err)
	}
}

// What a server leaves out because it is at rest, and what it always says.
func TestResting(t *testing.T) {
	s := mustSchema(t, small)
	for path, want := range map[string]string{"outputs/monitor-1/mute": "false", "inputs/analogue-1/air": "false", "monitoring/dim": "false",
		"mixer/mixes/a/inputs/1/pan": "0", "outputs/monitor-1/stereo": "false"} {
		if v, ok := s.ByPath(path).Resting(); !ok || v != want {
			t.Errorf("%s rests at %q, %v; want %q", path, v, ok, want)
		}
	}
	if v, ok := s.ByPath("nickname").Resting(); !ok || v != "" {
		t.Errorf("nickname rests at %q, %v", v, ok)
	}
	for _, path := range []string{"outputs/monitor-1/gain", "inputs/analogue-1/mode", "inputs/analogue-1/available", "quick-start/msd-mode",
		"settings/phantom-persistence", "clock/locked", "monitoring/talkback", "outputs/monitor-1/source", "inputs/analogue-2/sparkle"} {
		if _, ok := s.ByPath(path).Resting(); ok {
			t.Errorf("%s is assumed, and a server always says it, or nobody knows", path)
		}
	}
}

func TestDecibels(t *testing.T) {
	for text, want := range map[string]float64{"0": 0, "-12.5": -12.5, "-128": math.Inf(-1), "-200": math.Inf(-1), "-33.355": -33.355,
		"-6.4133": -6.4133, "6": 6, "-127.9": -127.9, " -1 ": -1} {
		if v, ok := ParseDecibel(text); !ok || v != want {
			t.Errorf("%s is %v, %v", text, v, ok)
		}
	}
	for _, text := range []string{"", "x", "NaN", "+Inf", "1,5"} {
		if v, ok := ParseDecibel(text); ok {
			t.Errorf("%q is %v", text, v)
		}
	}
	for v, want := range map[float64]string{0: "0", -12.5: "-12.5", math.Inf(-1): "-128", -500: "-128", -33.35512: "-33.355", -6.41334: "-6.4133"} {
		if got := FormatDecibel(v); got != want {
			t.Errorf("%v is %s, want %s", v, got, want)
		}
	}
	for _, c := range []struct {
		k    Kind
		a, b string
		want bool
	}{{KindDecibel, "-12.50", "-12.5", true}, {KindDecibel, "-12.5", "-12.6", false}, {KindDecibel, "x", "y", false},
		{KindDecibel, "-128", "-130", true}, {KindEnum, "1.0", "1", false}, {KindBool, "true", "true", true}} {
		if got := SameValue(c.k, c.a, c.b); got != c.want {
			t.Errorf("%v %s and %s: %v", c.k, c.a, c.b, got)
		}
	}
	if v, ok := ParseBool("true"); !v || !ok {
		t.Error("true")
	}
	if v, ok := ParseBool("yes"); v || ok {
		t.Error("yes")
	}
}

// What the shape of a tree does to paths, kinds and pairs where the models that are known say nothing.
func TestUnusualTrees(t *testing.T) {
	s := schemaOf(t, `<device id="1"><mixer><mixes><mix id="2"><meter id="3"/></mix></mixes></mixer>`+
		`<settings><port name="Left"><mode id="4"/></port><port name="Right"><mode id="5"/></port></settings>`+
		`<inputs><nickname id="6" name="x"/><analogue id="7" name="A" stereo-name="AB"><stereo id="8"/><mute id="9"/></analogue>`+
		`<adat id="10" name="B" stereo-name=""><stereo id="11"/><mute id="12"/></adat></inputs></device>`)
	for id, want := range map[uint32]string{3: "mixer/mixes/1/meter", 4: "settings/left/mode", 5: "settings/right/mode"} {
		if got := s.ByID(id).Path; got != want {
			t.Errorf("%d: %s, want %s", id, got, want)
		}
	}
	if k := s.ByID(6).Kind; k != KindText {
		t.Errorf("a name that has a name is %v", k)
	}
	if _, _, ok := s.Left(s.ByID(12)); ok {
		t.Error("channels of two sorts are a pair")
	}
}

func schemaOf(t *testing.T, text string) *Schema {
	t.Helper()
	e, err := ParseElement([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSchema(e)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
