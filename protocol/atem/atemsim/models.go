package atemsim

import (
	"fmt"
	"strings"

	"github.com/patchbay-io/patchbay/protocol/atem"
)

// model is what a product has.
type model struct {
	name, product string
	model         atem.Model
	minor         uint16 // protocol version 2.x
	mode          atem.VideoMode
	inputs        []port
	mes, keyers   uint8
	dsks, auxes   uint8
	players       uint8
	stills, clips uint8
	macros        uint8
	windows       uint8 // of each multiviewer
	multiviewers  uint8
	superSources  uint8
	hyperdecks    uint8
	stinger       bool
	advanced      bool // chroma keys of the newer kind
	clean         uint8
	direct        uint8 // inputs that reach an output directly
	masks         bool  // key masks are sources
	fairlight     bool
	mics          []atem.AudioSource
	streaming     bool
	recording     bool
	talkback      bool
	webcam        bool
}

// port is a connector and what stands before it.
type port struct {
	name, label string
	kind        atem.VideoPort
}

func hdmi(names ...string) (ports []port) { return connectors(atem.VideoPortHdmi, names) }

func sdi(names ...string) (ports []port) { return connectors(atem.VideoPortSDI, names) }

func connectors(kind atem.VideoPort, names []string) (ports []port) {
	for _, n := range names {
		name, label, _ := strings.Cut(n, "/")
		ports = append(ports, port{name, label, kind})
	}
	return ports
}

// models are never changed. What each has is inferred from dumps of the product, the names are made up.
var models = []model{
	{
		name: "mini", product: "ATEM Mini", model: atem.ModelMini, minor: 30, mode: atem.VideoMode1080p50,
		inputs: hdmi("Camera desk/DESK", "Camera wide/WIDE", "Laptop/LAP", "Document cam/DOC"),
		mes:    1, keyers: 1, dsks: 1, auxes: 1, players: 1, stills: 20, macros: 100, hyperdecks: 4, advanced: true, direct: 1,
		fairlight: true, mics: []atem.AudioSource{atem.AudioSourceMic1, atem.AudioSourceMic2},
	}, {
		name: "mini-extreme-iso", product: "ATEM Mini Extreme ISO", model: atem.ModelMiniExtremeISO, minor: 31, mode: atem.VideoMode1080p50,
		inputs: hdmi("Camera left/CAML", "Camera right/CAMR", "Camera wide/WIDE", "Camera hand/HAND", "Slides/SLID", "Video player/PLAY", "Guest call/CALL", "Clock/CLK"),
		mes:    1, keyers: 4, dsks: 2, auxes: 3, players: 2, stills: 20, macros: 100, windows: 16, multiviewers: 1, superSources: 1,
		hyperdecks: 10, advanced: true, clean: 2, direct: 2, fairlight: true, mics: []atem.AudioSource{atem.AudioSourceMic1, atem.AudioSourceMic2},
		streaming: true, recording: true, webcam: true,
	}, {
		name: "television-studio-hd", product: "ATEM Television Studio HD", model: atem.ModelTelevisionStudioHd, minor: 30, mode: atem.VideoMode1080i50,
		inputs: append(hdmi("Pulpit/PULP", "Balcony/BALC", "Band/BAND", "Slides/SLID"), sdi("Steadicam/STEA", "Crane/CRAN", "Titles fill/T-F", "Titles key/T-K")...),
		mes:    1, keyers: 1, dsks: 2, auxes: 1, players: 2, stills: 20, macros: 100, windows: 10, multiviewers: 1, hyperdecks: 4, masks: true, clean: 2,
		mics: []atem.AudioSource{atem.AudioSourceXLR}, talkback: true,
	}, {
		name: "1me-4k", product: "ATEM 1 M/E Production Studio 4K", model: atem.Model1me4k, minor: 29, mode: atem.VideoMode1080i50,
		inputs: append(hdmi("Presenter/PRES"), sdi("Camera 2/CAM2", "Camera 3/CAM3", "Camera 4/CAM4", "Camera 5/CAM5", "Replay/RPLY", "Graphics fill/G-F", "Graphics key/G-K", "Studio B/ST-B", "Line in/LINE")...),
		mes:    1, keyers: 4, dsks: 2, auxes: 3, players: 2, stills: 32, clips: 2, macros: 100, windows: 10, multiviewers: 1, hyperdecks: 4,
		stinger: true, masks: true, clean: 2, mics: []atem.AudioSource{atem.AudioSourceXLR, atem.AudioSourceRCA}, talkback: true,
	}, {
		name: "2me-4k", product: "ATEM 2 M/E Production Studio 4K", model: atem.Model2me4k, minor: 30, mode: atem.VideoMode1080p50,
		inputs: append(hdmi("Host/HOST", "Guests/GUES"), sdi("Wide/WIDE", "Jib/JIB", "Hand held 1/HH1", "Hand held 2/HH2", "Audience/AUD", "Beauty/BEAU", "Replay A/RP-A", "Replay B/RP-B",
			"Weather/WEAT", "Newsroom/NEWS", "Remote 1/REM1", "Remote 2/REM2", "Graphics 1 fill/G1-F", "Graphics 1 key/G1-K", "Graphics 2 fill/G2-F", "Graphics 2 key/G2-K", "Server/SERV", "Test/TEST")...),
		mes: 2, keyers: 2, dsks: 2, auxes: 6, players: 2, stills: 32, clips: 2, macros: 100, windows: 10, multiviewers: 2, superSources: 1, hyperdecks: 4,
		stinger: true, masks: true, clean: 2, mics: []atem.AudioSource{atem.AudioSourceXLR}, talkback: true,
	},
}

// Models are the names of the models that are there.
func Models() []string {
	var names []string
	for i := range models {
		names = append(names, models[i].name)
	}
	return names
}

func build(name string) (*atem.State, error) {
	for i := range models {
		if models[i].name == name {
			b := builder{model: &models[i], st: new(atem.State)}
			b.build()
			return b.st, nil
		}
	}
	return nil, fmt.Errorf("there is no model %q; known: %s", name, strings.Join(Models(), ", "))
}
