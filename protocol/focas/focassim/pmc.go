package focassim

import (
	"github.com/patchbay-io/patchbay/protocol/focas"
)

// pmcArea is the memory of one letter.
type pmcArea struct {
	letter   byte
	code     int32
	data     []byte
	readOnly bool // written by the control alone
}

// pmc is the memory of the machine's PMC. It has no ladder: what a real machine's ladder does with the operator's panel is
// done by the methods below, and G is what the machine obeys.
type pmc struct {
	areas []pmcArea
	paths int
}

// signalsPerPath is how far apart the signals of two paths are in G and F, in bytes.
const signalsPerPath = 1000

// pmcSizes are the sizes of the areas in bytes.
var pmcSizes = map[byte]int{'G': 768, 'F': 768, 'Y': 128, 'X': 128, 'A': 250, 'R': 8000, 'T': 500, 'K': 100, 'C': 400,
	'D': 10000, 'M': 768, 'N': 768, 'E': 10000, 'Z': 512}

func newPMC(paths int) *pmc {
	m := &pmc{paths: paths}
	for _, a := range focas.DefaultPMCAreas() {
		size := pmcSizes[a.Letter]
		if a.Letter == 'G' || a.Letter == 'F' {
			size += signalsPerPath * (paths - 1)
		}
		m.areas = append(m.areas, pmcArea{letter: a.Letter, code: a.Code, data: make([]byte, size), readOnly: a.Letter == 'F' || a.Letter == 'X'})
	}
	m.setFeedHold(false)
	m.setEmergency(false)
	return m
}

func (m *pmc) area(code int32) *pmcArea {
	for i := range m.areas {
		if m.areas[i].code == code {
			return &m.areas[i]
		}
	}
	return nil
}

func (m *pmc) letter(l byte) []byte {
	for i := range m.areas {
		if m.areas[i].letter == l {
			return m.areas[i].data
		}
	}
	return nil
}

func setBit(b []byte, at, bit int, on bool) {
	if on {
		b[at] |= 1 << bit
	} else {
		b[at] &^= 1 << bit
	}
}

func (m *pmc) bit(l byte, at, bit int) bool { return m.letter(l)[at]>>bit&1 != 0 }

// The signals that the machine obeys have the addresses of FANUC's connection manuals: G8.4 *ESP, G8.5 *SP, G12 *FV, G14
// ROV, G30 SOV. A star means that 0 is on.
func (m *pmc) emergency() bool { return !m.bit('G', 8, 4) }
func (m *pmc) feedHold() bool  { return !m.bit('G', 8, 5) }

func (m *pmc) setEmergency(on bool) {
	setBit(m.letter('G'), 8, 4, !on)
	setBit(m.letter('X'), 8, 4, !on)
}

func (m *pmc) setFeedHold(on bool) { setBit(m.letter('G'), 8, 5, !on) }

// signal is byte at of G of a path, which counts from 0.
func (m *pmc) signal(path, at int) *byte { return &m.letter('G')[path*signalsPerPath+at] }

func (m *pmc) feedPercent(path int) int    { return int(^*m.signal(path, 12)) }
func (m *pmc) spindlePercent(path int) int { return int(*m.signal(path, 30)) }

func (m *pmc) feedOverride(path int) float64    { return float64(m.feedPercent(path)) / 100 }
func (m *pmc) spindleOverride(path int) float64 { return float64(m.spindlePercent(path)) / 100 }

// rapidSteps are the rapid overrides by ROV2 and ROV1.
var rapidSteps = [4]int{100, 50, 25, 5}

func (m *pmc) rapidPercent(path int) int      { return rapidSteps[*m.signal(path, 14)&3] }
func (m *pmc) rapidOverride(path int) float64 { return float64(m.rapidPercent(path)) / 100 }

// The operator's panel has one switch of each kind for all paths.
func (m *pmc) setFeedOverride(percent int) {
	for p := range m.paths {
		*m.signal(p, 12) = ^byte(min(max(percent, 0), 254))
	}
}

func (m *pmc) setSpindleOverride(percent int) {
	for p := range m.paths {
		*m.signal(p, 30) = byte(min(max(percent, 0), 254))
	}
}

func (m *pmc) setRapidOverride(percent int) {
	step := byte(3)
	for i, p := range rapidSteps {
		if percent >= p {
			step = byte(i)
			break
		}
	}
	for p := range m.paths {
		g := m.signal(p, 14)
		*g = *g&^3 | step
	}
}

// modeBits are the bits of F3 that say the mode.
var modeBits = [...]struct {
	bit  int
	mode int16
}{{1, ModeHandle}, {2, ModeJog}, {3, ModeMDI}, {5, ModeMemory}, {6, ModeEdit}}

// signals writes what the control tells the PMC: F0 operation, F1 alarms, F2 cutting, F3 mode, F7 strobes, F10 M, F22 S,
// F26 T, F94 axes at the reference point.
func (m *machine) signals() {
	f, p := m.pmc.letter('F'), m.paths[0]
	setBit(f, 0, 7, p.run == runStart || p.run == runHold)
	setBit(f, 0, 6, !m.emergency())
	setBit(f, 0, 5, p.run == runStart)
	setBit(f, 0, 4, p.run == runHold)
	setBit(f, 1, 0, len(m.alarms) > 0)
	setBit(f, 1, 7, true)
	setBit(f, 2, 6, p.cuttingNow())
	for _, x := range modeBits {
		setBit(f, 3, x.bit, m.mode == x.mode)
	}
	setBit(f, 7, 0, p.finWord() == 1)
	put32(f[10:], uint32(p.mod.m[0]))
	put32(f[22:], uint32(p.mod.rpm))
	put32(f[26:], uint32(p.mod.tool))
	for i := range p.cfg.axes {
		setBit(f, 94, i, p.pos[i] == 0)
	}
}

func put32(b []byte, v uint32) {
	b[0], b[1], b[2], b[3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
}
