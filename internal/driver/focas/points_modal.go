package focas

import (
	"strings"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/protocol/focas"
)

// modalWord is a modal word that has a point of its own.
type modalWord struct {
	letter, segment, role, title string
	kind                         device.Kind
}

var modalWords = [...]modalWord{
	{"T", "tool", "cnc.tool", "Tool", device.Int},
	{"F", "feed/commanded", "cnc.feed.commanded", "Commanded feed", device.Float},
	{"M", "modal/m", "cnc.modal", "M code", device.Int},
	{"S", "modal/s", "cnc.modal", "S word", device.Int},
	{"D", "modal/d", "cnc.modal", "D offset", device.Int},
	{"H", "modal/h", "cnc.modal", "H offset", device.Int},
	{"B", "modal/b", "cnc.modal", "B word", device.Int},
}

// addModal makes active G codes and the commanded words.
func (s *session) addModal(t *table, p *path) {
	g := p.root.Child("modal/g")
	t.add(&source{name: "cnc_rdgcode", request: focas.GCodesRequest(p.number, focas.ModalAll, 0), payload: gcodesSize, rate: device.Normal, steady: true,
		decode: func(b []byte, out *samples) error {
			codes, err := focas.ParseGCodes(b)
			if err != nil {
				return err
			}
			words := make([]string, len(codes.Items))
			for i, c := range codes.Items {
				words[i] = c.String()
			}
			out.set(g, device.OfString(strings.Join(words, " ")))
			return nil
		}},
		device.Spec{Path: g, Kind: device.String, Role: "cnc.modal.g", Title: "G codes", Doc: "active G codes, one of each group (cnc_rdgcode)"})

	specs := make([]device.Spec, 0, len(modalWords)+1)
	for _, a := range modalWords {
		specs = append(specs, device.Spec{Path: p.root.Child(a.segment), Kind: a.kind, Role: a.role, Title: a.title,
			Doc: "value commanded at address " + a.letter + " (cnc_rdcommand)"})
	}
	if len(p.spindles) > 0 {
		specs = append(specs, device.Spec{Path: p.spindles[0].path("commanded"), Kind: device.Float, Unit: "rpm", Role: "cnc.spindle.commanded",
			Title: p.spindles[0].name + " commanded", Doc: "S word of the program (cnc_rdcommand)"})
	}
	t.add(&source{name: "cnc_rdcommand", request: focas.CommandsRequest(p.number, focas.ModalAll, 0), payload: commandsSize, rate: device.Normal, steady: true,
		decode: func(b []byte, out *samples) error {
			list, err := focas.ParseCommands(b)
			if err != nil {
				return err
			}
			for _, c := range list.Items {
				s.setWord(p, c.Address(), c.Float(), int(max(0, c.Decimals)), out)
			}
			return nil
		},
		other: &source{name: "cnc_modal aux", request: focas.ModalAuxRequest(p.number, focas.ModalAll, 0), payload: 29 * focas.AuxSize,
			decode: func(b []byte, out *samples) error {
				list, err := focas.ParseAuxes(b)
				if err != nil {
					return err
				}
				for i, x := range list.Items {
					s.setWord(p, focas.AuxLetter(int32(i)), float64(x.Value), 0, out)
				}
				return nil
			}}}, specs...)
}

// setWord sets the point of a modal word, and the commanded speed of the first spindle with S.
func (s *session) setWord(p *path, letter string, v float64, decimals int, out *samples) {
	for _, a := range modalWords {
		if a.letter != letter {
			continue
		}
		at := p.root.Child(a.segment)
		if a.kind == device.Int {
			out.set(at, device.OfInt(int64(v)))
		} else {
			s.amend(at, look{decimals: decimals})
			out.set(at, device.OfFloat(v))
		}
		if letter == "S" && len(p.spindles) > 0 {
			out.set(p.spindles[0].path("commanded"), device.OfFloat(v))
		}
	}
}

// Addresses of the override signals from the machine to the control, for path 1; a path further on has its own 1000
// higher. (spec: FANUC's connection manuals; the codes of PMC areas are public code)
const (
	areaG            int32 = 0
	addrFeedOverride int32 = 12 // *FV0 to *FV7: 0 to 254 % in 1 % steps, inverted
	addrRapid        int32 = 14 // ROV1, ROV2 in bits 0 and 1
	addrSpindle      int32 = 30 // SOV0 to SOV7: 0 to 254 % in 1 % steps
	signalsPerPath   int32 = 1000
)

// rapidSteps is the rapid override by ROV2 ROV1; F0 is a low speed of its own set by parameter.
var rapidSteps = [4]int64{100, 50, 25, 0}

// addOverrides makes the overrides out of the signals that the machine's PMC gives to the control.
func (s *session) addOverrides(t *table, p *path) {
	base := int32(p.number-1) * signalsPerPath
	read := func(name string, first, last int32, decode func([]byte, *samples) error, specs ...device.Spec) {
		r := focas.PMCRange{Area: areaG, Type: focas.PMCByte, First: base + first, Last: base + last}
		t.add(&source{name: name, request: focas.PMCRequest(1, r), payload: r.Len(), rate: device.Normal, steady: true,
			decode: func(b []byte, out *samples) error {
				if len(b) < r.Len() {
					return errShortPMC
				}
				return decode(b, out)
			}}, specs...)
	}
	feed, rapid := p.root.Child("feed/override"), p.root.Child("rapid/override")
	override := func(at device.Path, role, title, doc string) device.Spec {
		return device.Spec{Path: at, Kind: device.Int, Unit: "%", Role: role, Title: title, Doc: doc, Grade: device.GradeSpec}
	}
	read("G12-G14", addrFeedOverride, addrRapid, func(b []byte, out *samples) error {
		out.set(feed, device.OfInt(overrideOf(^b[0])))
		out.set(rapid, device.OfInt(rapidSteps[b[addrRapid-addrFeedOverride]&3]))
		return nil
	},
		override(feed, "cnc.feed.override", "Feed override", "PMC signal *FV of address G12: what the machine asks the control for"),
		override(rapid, "cnc.rapid.override", "Rapid override", "PMC signals ROV1 and ROV2 of address G14; 0 stands for the F0 speed"))
	if len(p.spindles) > 0 {
		at := p.spindles[0].path("override")
		read("G30", addrSpindle, addrSpindle, func(b []byte, out *samples) error {
			out.set(at, device.OfInt(overrideOf(b[0])))
			return nil
		}, override(at, "cnc.spindle.override", p.spindles[0].name+" override", "PMC signal SOV of address G30: what the machine asks the control for"))
	}
}

// overrideOf is the percentage of an override byte: all bits set stands for 0.
func overrideOf(b byte) int64 {
	if b == 255 {
		return 0
	}
	return int64(b)
}
