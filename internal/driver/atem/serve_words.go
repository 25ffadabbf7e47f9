package atem

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/plural"
	"github.com/patchbay-io/patchbay/protocol/atem"
)

// Native clients command by code. These are the words for a command: the text in the log and in rights, and the path of the
// points that it is about.

// fromOne are the items that count things from 0 on the wire. People, and the paths of points, count them from 1.
func fromOne(item string) bool {
	switch item {
	case "me", "keyer", "dsk", "aux", "player", "slot", "macro", "multiviewer", "window", "generator", "super_source", "box", "band", "hyperdeck":
		return true
	}
	return false
}

// maxSaid is how many values of a command its text shows.
const maxSaid = 12

// say is a command in words: "CPgI me=1 source=3010". Secrets are not shown.
func say(ver atem.Version, f *atem.Field) string {
	text := f.Code.String()
	layout, ok := atem.LayoutOf(f.Code, ver, f.Body)
	if !ok {
		if len(f.Body) > 0 {
			text += fmt.Sprintf(" (%s)", plural.Of(len(f.Body), "byte"))
		}
		return text
	}
	n := 0
	for v := range layout.Values(f.Body) {
		if v.IsLength() {
			continue
		}
		if n++; n > maxSaid {
			return text + " …"
		}
		text += " " + v.Name() + "=" + sayValue(f.Code, &v)
	}
	return text
}

func sayValue(c atem.Code, v *atem.Value) string {
	if atem.Secret(c, v.Name()) {
		return "***"
	}
	if fromOne(v.Name()) && v.IsNumber() {
		if n := counted(v); n > 0 {
			return strconv.FormatInt(n, 10)
		}
		return "none"
	}
	s := v.String()
	if t := v.Text(); t != "" && (v.Unit() != "" || v.IsMask()) {
		s = t
	}
	if len(s) > 40 {
		s = s[:40] + "…"
	}
	if !v.IsNumber() || strings.ContainsAny(s, " =") {
		s = strconv.Quote(s)
	}
	return s
}

// itemOf is an item of a command as people count it.
func itemOf(layout *atem.Layout, body []byte, item string) (int64, bool) {
	v, ok := layout.Value(body, item)
	if !ok || !v.IsNumber() {
		return 0, false
	}
	if fromOne(item) {
		return counted(&v), true
	}
	return v.Int(), true
}

// counted is an item that people count from 1; 0 is none.
func counted(v *atem.Value) int64 {
	if v.Int() == noMacro && v.Name() == "macro" {
		return 0
	}
	return v.Int() + 1
}

// about is the path of what a command is about, in the words of the points: "me/1/program", "aux/2". It is empty for what is
// no part of the switcher that could be named.
func about(ver atem.Version, f *atem.Field) device.Path {
	layout, ok := atem.LayoutOf(f.Code, ver, f.Body)
	if !ok {
		return ""
	}
	at := func(item string) (string, bool) {
		n, ok := itemOf(&layout, f.Body, item)
		return strconv.FormatInt(n, 10), ok
	}
	me, hasME := at("me")
	info, _ := atem.Lookup(f.Code)
	switch f.Code {
	case atem.CodeFtbA, atem.CodeFtbC, atem.CodeFCut:
		return device.Join("ftb", me)
	case atem.CodeCPgI:
		return device.Join("me", me, "program")
	case atem.CodeCPvI:
		return device.Join("me", me, "preview")
	case atem.CodeDCut:
		return device.Join("me", me, "cut")
	case atem.CodeDAut:
		return device.Join("me", me, "auto")
	case atem.CodeMAct, atem.CodeCMPr, atem.CodeMSRc:
		if v, ok := layout.Value(f.Body, "macro"); ok && v.Int() != noMacro {
			return device.Join("macros", strconv.FormatInt(v.Int()+1, 10))
		}
		return "macros"
	case atem.CodeMRCP:
		return "macros"
	case atem.CodeCSTL, atem.CodeSMPS:
		slot, _ := at("slot")
		return device.Join("media/stills", slot)
	case atem.CodeSMPC, atem.CodeCMPC, atem.CodeCMPA:
		slot, _ := at("slot")
		return device.Join("media/clips", slot)
	case atem.CodeLOCK, atem.CodePLCK, atem.CodeFTSD, atem.CodeFTSU:
		return "media"
	}
	if hasME {
		if keyer, ok := at("keyer"); ok {
			return device.Join("me", me, "keyers", keyer)
		}
		return device.Join("me", me, "transition")
	}
	for _, x := range []struct{ item, path, then, more string }{
		{"dsk", "dsk", "", ""}, {"aux", "aux", "", ""}, {"generator", "colours", "", ""}, {"player", "media/players", "", ""},
		{"super_source", "supersource", "box", "boxes"}, {"multiviewer", "multiviewers", "window", "windows"}, {"hyperdeck", "hyperdecks", "", ""},
	} {
		n, ok := at(x.item)
		if !ok {
			continue
		}
		if m, ok := at(x.then); ok {
			return device.Join(x.path, n, x.more, m)
		}
		return device.Join(x.path, n)
	}
	return aboutTopic(&layout, f, info.Name)
}

// aboutTopic tells by the name of the type, and by a source where there is one.
func aboutTopic(layout *atem.Layout, f *atem.Field, name string) device.Path {
	source, hasSource := "", false
	if v, ok := layout.Value(f.Body, "source"); ok && v.IsKey() {
		source, hasSource = strconv.FormatInt(v.Int(), 10), true
	}
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(name, w) {
				return true
			}
		}
		return false
	}
	topic := device.Path("")
	switch {
	case has("SuperSource"):
		return "supersource/1" // before 2.28 there was one
	case has("Macro"):
		return "macros"
	case has("Clip", "Still", "MediaPool"):
		return "media"
	case has("Multiview"):
		return "multiviewers"
	case has("Fairlight", "Classic", "Audio", "MixMinus", "Talkback", "Headphone", "Monitor"):
		topic = "audio"
	case has("Input"):
		topic = "inputs"
	case has("Stream"):
		return "stream"
	case has("Record"):
		return "record"
	case has("Camera"):
		topic = "cameras"
	case has("Video", "Mode"):
		return "video-mode"
	}
	if topic != "" && hasSource {
		return topic.Child(source)
	}
	return topic
}
