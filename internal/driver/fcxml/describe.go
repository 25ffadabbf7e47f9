package fcxml

import (
	"strings"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/protocol/fcxml"
)

// look is how a control is shown.
type look struct {
	role, title, doc, hazard string
	rate                     device.Rate
	readOnly                 bool
	max                      float64 // of a level, when it is not 0
}

// looks are the controls by the name of their element, and where it matters by the part of the device before it.
// It is never changed.
var looks = map[string]look{
	"meter":                          {role: "audio.meter", title: "Level", doc: "level of the channel; -128 is silence", rate: device.Meter, readOnly: true},
	"available":                      {title: "Available", doc: "the channel can be used with the present clock and settings", readOnly: true},
	"nickname":                       {role: "audio.name", title: "Name", doc: "name that somebody gave"},
	"air":                            {role: "audio.air", title: "Air", doc: "Air circuit of the preamplifier", hazard: device.HazardLive},
	"pad":                            {role: "audio.pad", title: "Pad", doc: "attenuator of the preamplifier", hazard: device.HazardLive},
	"phantom":                        {role: "audio.phantom", title: "48 V", doc: "phantom power", hazard: device.HazardMove},
	"inputs/mode":                    {role: "audio.line-mode", title: "Mode", doc: "what the input is set for", hazard: device.HazardLive},
	"outputs/mute":                   {role: "audio.mute", title: "Mute", doc: "the output is muted", hazard: device.HazardLive},
	"outputs/gain":                   {role: "audio.gain", title: "Level", doc: "level of the output; -128 is off", hazard: device.HazardLive},
	"outputs/source":                 {role: "audio.output.source", title: "Source", doc: "what the output is fed from", hazard: device.HazardLive},
	"outputs/stereo":                 {title: "Linked", doc: "the output and the next are a pair: the left one counts for both", hazard: device.HazardLive},
	"outputs/assign-mix":             {title: "Mix", doc: "the mix that the output is assigned to", hazard: device.HazardLive},
	"outputs/hardware-control":       {title: "Hardware control", doc: "the monitor knob of the device sets the level", hazard: device.HazardLive},
	"mixer/source":                   {role: "audio.mix.source", title: "Source", doc: "what the slot of the mixer is fed from", hazard: device.HazardLive},
	"mixer/stereo":                   {title: "Linked", doc: "the slot and the next are a pair", hazard: device.HazardLive},
	"mixer/gain":                     {role: "audio.mix.gain", title: "Level", doc: "level of the slot in the mix; -128 is off", hazard: device.HazardLive, max: 6},
	"mixer/pan":                      {title: "Pan", doc: "place of the slot in the mix, in the device's own steps, whose size nobody knows", hazard: device.HazardLive},
	"mixer/mute":                     {role: "audio.mix.mute", title: "Mute", doc: "the slot is muted in the mix", hazard: device.HazardLive},
	"mixer/solo":                     {role: "audio.mix.solo", title: "Solo", doc: "the slot is heard alone in the mix", hazard: device.HazardLive},
	"mixer/talkback":                 {title: "Talkback", doc: "talkback goes to the mix", hazard: device.HazardLive},
	"mixer/free-inputs":              {title: "Free slots", doc: "slots of the mixer that are not in use", readOnly: true},
	"monitoring/gain":                {role: "audio.monitor.level", title: "Monitor level", doc: "where the monitor knob of the device stands; the knob alone moves it", readOnly: true},
	"monitoring/dim":                 {role: "audio.monitor.dim", title: "Dim", doc: "the monitors are dimmed", hazard: device.HazardLive},
	"monitoring/mute":                {role: "audio.monitor.mute", title: "Mute", doc: "the monitors are muted", hazard: device.HazardLive},
	"monitoring/alt":                 {role: "audio.monitor.alt", title: "Alt", doc: "the second pair of monitors is in use", hazard: device.HazardLive},
	"monitoring/alt-enable":          {title: "Alt enabled", doc: "a second pair of monitors is set up", hazard: device.HazardLive},
	"monitoring/talkback":            {role: "audio.monitor.talkback", title: "Talkback", doc: "talkback is open", hazard: device.HazardLive},
	"monitoring/preset":              {role: "audio.monitor.preset", title: "Knob", doc: "outputs that the monitor knob controls", hazard: device.HazardLive},
	"clocking/locked":                {role: "audio.clock.locked", title: "Locked", doc: "the clock is locked to its source", readOnly: true},
	"clocking/clock-source":          {role: "audio.clock.source", title: "Clock source", doc: "where the clock comes from", hazard: device.HazardMove},
	"clocking/sample-rate":           {title: "Sample rate", doc: "sample rate of the device; programs that play or record stop when it changes", hazard: device.HazardMove},
	"clocking/clock-master":          {title: "Clock master", doc: "the device gives the clock", readOnly: true},
	"firmware/version":               {title: "Firmware", doc: "version of the firmware", readOnly: true},
	"firmware/needs-update":          {title: "Update due", doc: "Focusrite Control has newer firmware", readOnly: true},
	"firmware/firmware-progress":     {title: "Update progress", doc: "of an update that runs", readOnly: true},
	"seal-broken":                    {title: "Seal broken", doc: "the device's own word; nobody knows what it means", readOnly: true},
	"preset":                         {title: "Preset", doc: "overwrites routing and mixer with a preset of the device", hazard: device.HazardMove},
	"settings/mode":                  {title: "S/PDIF mode", doc: "which socket S/PDIF uses", hazard: device.HazardMove},
	"settings/buffer-size":           {title: "Buffer size", doc: "of the driver, in samples", readOnly: true},
	"settings/phantom-persistence":   {title: "Phantom persistence", doc: "48 V stays on over a restart", hazard: device.HazardMove},
	"settings/source-attenuation":    {title: "Dim while talking", doc: "how far sources go down while talkback is open", hazard: device.HazardLive},
	"settings/talkback-input-source": {title: "Talkback microphone", doc: "input that talkback uses", hazard: device.HazardLive},
	"settings/talkback-available":    {title: "Talkback available", doc: "the device has talkback now", readOnly: true},
	"msd-mode":                       {title: "Mass storage mode", doc: "the device shows itself as a drive, as when it is new; it is no interface then", hazard: device.HazardMove},
	"mixer/available":                {title: "Available", doc: "the mixer can be used at the present sample rate", readOnly: true},
}

// describe gives a point its titles, role and hazard.
func (t *table) describe(p *point) {
	it := p.item
	part, _, _ := strings.Cut(it.Path, "/")
	if part == "clock" {
		part = "clocking"
	}
	l, ok := looks[part+"/"+it.Name()]
	if !ok {
		l, ok = looks[it.Name()]
	}
	if !ok {
		if p.spec.Title == "" {
			p.spec.Title, p.spec.Doc = channel(it)+words(it.Name()), "a setting of the device"
		}
		return
	}
	sp := &p.spec
	sp.Title, sp.Doc, sp.Role, sp.Hazard = channel(it)+l.title, l.doc, l.role, l.hazard
	if l.rate != 0 {
		sp.Rate = l.rate
	}
	if l.readOnly {
		sp.Access = device.R
	}
	if sp.Role == "audio.monitor.level" {
		sp.Attributes[device.AttrReadOnly] = "the monitor knob of the device alone moves it"
	}
	if l.max != 0 {
		sp.Max = l.max
	}
	switch {
	case it.Name() == "meter":
		sp.Unit = "dBFS"
	case it.Name() == "nickname":
		sp.Path = device.Path(strings.TrimSuffix(it.Path, "nickname") + "name")
	case it.Path == "firmware/version":
		sp.Kind, sp.Role, sp.Path = device.String, "id.version", "firmware"
	case part == "outputs" && it.Name() == "gain":
		p.owner = t.schema.ByPath(strings.TrimSuffix(it.Path, "gain") + "hardware-control")
	}
}

// monitorLevel reports whether a point sets how loud the monitors are.
func (p *point) monitorLevel() bool {
	return p.item != nil && p.item.Kind == fcxml.KindDecibel && p.item.Name() == "gain" && p.item.Group.Attr("monitor") == "true"
}
