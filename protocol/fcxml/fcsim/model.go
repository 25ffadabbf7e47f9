package fcsim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/patchbay-io/patchbay/protocol/fcxml"
)

// model is what a kind of interface has.
type model struct {
	name    string // as an option names it
	title   string
	mics    int // analogue inputs with preamplifiers
	lines   int // analogue inputs without
	air     bool
	pad     bool
	inst    int // how many of the first inputs switch between line and instrument
	spdif   int
	adat    int
	play    int // playback channels
	outs    int // analogue outputs
	phones  int // how many of the last of them are headphones
	mons    int // how many of the first are monitors
	loop    int
	slots   int
	mixes   int
	knob    bool // a monitor section with its own knob
	halo    bool
	phantom bool // the setting that keeps 48 V over a restart
}

func models() []model {
	return []model{
		{name: "solo", title: "Scarlett Solo", mics: 1, lines: 1, air: true, inst: 2, play: 2, outs: 2, mons: 2, loop: 2, halo: true},
		{name: "2i2", title: "Scarlett 2i2", mics: 2, air: true, inst: 2, play: 2, outs: 2, mons: 2, loop: 2, halo: true, phantom: true},
		{name: "4i4", title: "Scarlett 4i4", mics: 2, lines: 2, air: true, pad: true, inst: 2, play: 4, outs: 4, mons: 2, phones: 0, loop: 2, slots: 8, mixes: 6, phantom: true},
		{name: "8i6", title: "Scarlett 8i6", mics: 2, lines: 4, air: true, pad: true, inst: 2, spdif: 2, play: 6, outs: 4, mons: 2, phones: 2, loop: 2, slots: 8, mixes: 8, phantom: true},
		{name: "18i8", title: "Scarlett 18i8", mics: 4, lines: 4, air: true, pad: true, inst: 2, spdif: 2, adat: 8, play: 8, outs: 6, mons: 2, phones: 4, loop: 2, slots: 18, mixes: 10, phantom: true},
		{name: "18i20", title: "Scarlett 18i20", mics: 8, air: true, pad: true, inst: 2, spdif: 2, adat: 16, play: 18, outs: 10, mons: 4, phones: 4, loop: 2, slots: 24, mixes: 12, knob: true, phantom: true},
	}
}

// Models are the names of the models.
func Models() []string {
	var out []string
	for _, m := range models() {
		out = append(out, m.name)
	}
	return out
}

func modelOf(name string) (model, error) {
	for _, m := range models() {
		if m.name == strings.ToLower(name) {
			return m, nil
		}
	}
	return model{}, fmt.Errorf("there is no model %q; known: %s", name, strings.Join(Models(), ", "))
}

// el makes an element; attrs are names and values in turn.
func el(name string, attrs []string, children ...*fcxml.Element) *fcxml.Element {
	e := &fcxml.Element{Name: name, Children: children}
	for i := 0; i+1 < len(attrs); i += 2 {
		e.Attrs = append(e.Attrs, fcxml.Attr{Name: attrs[i], Value: attrs[i+1]})
	}
	return e
}

// unnumbered is the id of a control before the numbers are given.
const unnumbered = "?"

func item(name string, children ...*fcxml.Element) *fcxml.Element {
	return el(name, []string{"id", unnumbered}, children...)
}

func items(names ...string) []*fcxml.Element {
	var out []*fcxml.Element
	for _, n := range names {
		out = append(out, item(n))
	}
	return out
}

func enum(name string, values ...string) *fcxml.Element {
	e := item(name)
	for _, v := range values {
		e.Children = append(e.Children, el("enum", []string{"value", v}))
	}
	return e
}

// pair names the channels of a pair: the left one has the name of both.
func pair(kind string, n, of int) (name, stereo string) {
	name = fmt.Sprintf("%s %d", kind, n)
	if n%2 == 1 && n < of {
		stereo = fmt.Sprintf("%s-%d", name, n+1)
	}
	return name, stereo
}

// device makes the document of a model with all its numbers.
func (m *model) device(id, serial string) *fcxml.Element {
	d := el("device", []string{"id", id, "protocol", "USB", "model", m.title, "class", "Scarlett", "bus-id", "0", "serial-number", serial, "version", "2"})
	d.Children = append(items("nickname", "seal-broken", "snapshot", "save-snapshot", "reset-device"), enum("preset", "Direct Routing", "Empty"))
	d.Children = append(d.Children,
		el("firmware", nil, items("version", "needs-update", "firmware-progress", "update-firmware", "restore-factory")...),
		m.mixer(), m.inputs(), m.outputs(), el("record-outputs", nil), m.monitoring(), m.clocking(), m.settings(),
		el("dante", nil), el("state", nil), el("quick-start", []string{"url", "https://quickstart.example"}, item("msd-mode")))
	if m.halo {
		d.Children = append(d.Children, m.haloSettings())
	}
	d.Children = append(d.Children, el("pairable-devices", nil))
	number(d)
	return d
}

func (m *model) mixer() *fcxml.Element {
	inputs := el("inputs", nil, items("add-input", "add-input-without-reset", "add-stereo-input", "remove-input", "free-inputs")...)
	for range m.slots {
		inputs.Children = append(inputs.Children, el("input", nil, items("source", "stereo")...))
	}
	mixes := el("mixes", nil)
	for i := range m.mixes {
		stereo := ""
		if i%2 == 0 {
			stereo = fmt.Sprintf("Mix %c-%c", 'A'+i, 'B'+i)
		}
		mix := el("mix", []string{"id", unnumbered, "name", fmt.Sprintf("Mix %c", 'A'+i), "stereo-name", stereo}, item("meter"))
		if m.knob {
			mix.Children = append(mix.Children, item("talkback"))
		}
		for range m.slots {
			mix.Children = append(mix.Children, el("input", nil, items("gain", "pan", "mute", "solo")...))
		}
		mixes.Children = append(mixes.Children, mix)
	}
	return el("mixer", nil, item("available"), inputs, mixes)
}

func (m *model) inputs() *fcxml.Element {
	out := el("inputs", nil)
	add := func(tag, name, stereo string, port string, talkback bool, more ...*fcxml.Element) {
		attrs := []string{"id", unnumbered, "supports-talkback", strconv.FormatBool(talkback), "hidden", "false", "name", name, "stereo-name", stereo}
		if port != "" {
			attrs = append(attrs, "port", port)
		}
		out.Children = append(out.Children, el(tag, attrs, append(items("available", "meter", "nickname"), more...)...))
	}
	for i := range m.mics + m.lines {
		var more []*fcxml.Element
		if i < m.inst {
			more = append(more, enum("mode", "Line", "Inst"))
		}
		if i < m.mics && m.air {
			more = append(more, item("air"))
		}
		if i < m.mics && m.pad {
			more = append(more, item("pad"))
		}
		name, stereo := pair("Analogue", i+1, m.mics+m.lines)
		add("analogue", name, stereo, "", i < m.mics && m.knob, more...)
	}
	for i := range m.spdif {
		name, stereo := pair("S/PDIF", i+1, m.spdif)
		add("spdif-rca", name, stereo, "", false)
	}
	for i := range m.adat {
		name, stereo := pair(fmt.Sprintf("ADAT %d.", i/8+1), i%8+1, 8)
		add("adat", strings.Replace(name, ". ", ".", 1), strings.Replace(stereo, ". ", ".", 1), strconv.Itoa(i/8+1), false)
	}
	for i := range m.play {
		name, stereo := pair("Playback", i+1, m.play)
		add("playback", name, stereo, "", false)
	}
	return out
}

func (m *model) outputs() *fcxml.Element {
	out := el("outputs", nil)
	add := func(tag, name, stereo string, attrs []string, more ...*fcxml.Element) {
		children := append(items("available", "meter", "assign-mix", "assign-talkback-mix", "mute", "source", "stereo", "nickname"), more...)
		out.Children = append(out.Children, el(tag, append([]string{"name", name, "stereo-name", stereo}, attrs...), children...))
	}
	for i := range m.outs {
		kind, n, of := "Line Output", i+1, m.outs
		switch {
		case i < m.mons:
			kind = "Monitor Output"
		case i >= m.outs-m.phones:
			kind, n, of = "Headphones", i+1-(m.outs-m.phones), m.phones
		}
		name, stereo := pair(kind, n, of)
		var more []*fcxml.Element
		if m.knob && i < m.mons {
			more = append(more, item("hardware-control"))
		}
		add("analogue", name, stereo, []string{"headphone", strconv.FormatBool(kind == "Headphones"), "independent", "true",
			"monitor", strconv.FormatBool(i < m.mons), "hardware-controls", strconv.FormatBool(m.knob && i < m.mons)}, append(more, item("gain"))...)
	}
	for i := range m.spdif {
		name, stereo := pair("S/PDIF", i+1, m.spdif)
		add("spdif-rca", name, stereo, nil)
	}
	for i := range min(m.adat, 8) {
		name, stereo := pair("ADAT", i+1, min(m.adat, 8))
		add("adat", name, stereo, nil)
	}
	for i := range m.loop {
		name, stereo := pair("Loopback", i+1, m.loop)
		add("loopback", name, stereo, nil)
	}
	return out
}

func (m *model) monitoring() *fcxml.Element {
	out := el("monitoring", nil)
	if m.knob {
		inner := el("hardware-controls", []string{"exclusive", "false", "min-gain", "-127", "max-gain", "0"}, items("gain", "dim", "mute", "alt-enable", "alt")...)
		out.Children = append(out.Children, el("hardware-controls", nil, inner), item("talkback"), enum("preset", "1-2", "1-4"))
	}
	out.Children = append(out.Children, el("monitor-group-pairs", nil))
	return out
}

func (m *model) clocking() *fcxml.Element {
	sources := []string{"Internal"}
	if m.spdif > 0 {
		sources = append(sources, "S/PDIF")
	}
	if m.adat > 0 {
		sources = append(sources, "ADAT")
	}
	return el("clocking", nil, item("locked"), enum("clock-source", sources...),
		enum("sample-rate", "44.1 kHz", "48 kHz", "88.2 kHz", "96 kHz", "176.4 kHz", "192 kHz"), item("clock-master"))
}

func (m *model) settings() *fcxml.Element {
	out := el("settings", nil)
	if m.spdif > 0 {
		out.Children = append(out.Children, el("spdif-mode", []string{"name", "S/PDIF Mode"}, enum("mode", "RCA", "Optical")))
	}
	if m.phantom {
		out.Children = append(out.Children, item("phantom-persistence"))
	}
	if m.knob {
		out.Children = append(out.Children, el("talkback", nil, items("talkback-input-source", "source-attenuation", "talkback-available")...))
	}
	out.Children = append(out.Children, el("delay-compensation", nil))
	return out
}

func (m *model) haloSettings() *fcxml.Element {
	colours := []string{"red", "amber", "green", "light blue", "blue", "pink", "light pink"}
	available := el("available-colours", nil)
	for _, c := range colours {
		available.Children = append(available.Children, el("enum", []string{"value", c}))
	}
	return el("halo-settings", nil, available, enum("good-meter-colour", colours...), enum("pre-clip-meter-colour", colours...),
		enum("clipping-meter-colour", colours...), item("enable-preview-mode"), item("halos"))
}

// number gives the controls their numbers. The order is that of all recorded devices, and not the order of the document.
func number(d *fcxml.Element) {
	next := 2
	give := func(e *fcxml.Element) {
		if e == nil {
			return
		}
		for i := range e.Attrs {
			if e.Attrs[i].Name == "id" && e.Attrs[i].Value == unnumbered {
				e.Attrs[i].Value = strconv.Itoa(next)
				next++
			}
		}
	}
	var all func(e *fcxml.Element)
	all = func(e *fcxml.Element) { // what has a number already keeps it
		give(e)
		for _, c := range e.Children {
			all(c)
		}
	}
	for _, name := range []string{"nickname", "seal-broken", "snapshot", "save-snapshot", "preset", "reset-device"} {
		give(d.Child(name))
	}
	all(d.Child("firmware"))
	mixer := d.Child("mixer")
	all(mixer.Child("inputs"))
	for _, mix := range mixer.Child("mixes").Children {
		give(mix)
		give(mix.Child("talkback"))
		for _, c := range mix.Children {
			if c.Name == "input" {
				all(c)
			}
		}
		give(mix.Child("meter"))
	}
	give(mixer.Child("available"))
	for _, in := range d.Child("inputs").Children {
		give(in)
		for _, name := range []string{"nickname", "available", "meter"} {
			give(in.Child(name))
		}
		all(in)
	}
	for _, name := range []string{"outputs", "record-outputs", "monitoring", "clocking", "settings"} {
		all(d.Child(name))
	}
	if state := d.Child("state"); state == nil || !slices.ContainsFunc(state.Children, func(*fcxml.Element) bool { return true }) {
		next += 4 // the places of power-mode and its neighbours, which older servers have
	}
	all(d.Child("quick-start"))
	if h := d.Child("halo-settings"); h != nil {
		all(h)
	}
}
