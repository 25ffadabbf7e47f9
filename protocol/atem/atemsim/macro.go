package atemsim

import (
	"bytes"

	"github.com/patchbay-io/patchbay/protocol/atem"
)

// step is one part of a macro.
type step struct {
	command []byte // a field; nil: a pause
	frames  int    // of the pause; -1: until somebody goes on
}

// Limits of a macro.
const (
	maxMacroSteps = 2000
	maxMacroBytes = 1 << 20
)

// noMacro is the number that stands for none.
const noMacro = 0xffff

// macroRun is a macro that runs.
type macroRun struct {
	number uint16
	at     int
	wait   int // frames; -1: until somebody goes on
}

// macroTake is a macro that is being recorded.
type macroTake struct {
	number     uint16
	name, text string
	steps      []step
	size       int
}

// take records a command, when one is being recorded and it is one.
func (m *machine) take(f *atem.Field) {
	t := m.recording
	info, ok := atem.Lookup(f.Code)
	if t == nil || !ok || !info.ToServer || len(t.steps) >= maxMacroSteps || t.size+f.Size() > maxMacroBytes {
		return
	}
	switch f.Code {
	case atem.CodeMSlp:
		if v, ok := read[atem.MacroSleep](m, f); ok {
			t.steps = append(t.steps, step{frames: int(v.Frames)})
		}
		return
	case atem.CodeMAct, atem.CodeMSRc, atem.CodeMRCP, atem.CodeCMPr, atem.CodeSALN, atem.CodeSFLN, atem.CodeTiRq, atem.CodeLOCK,
		atem.CodePLCK, atem.CodeFTSD, atem.CodeFTSU, atem.CodeFTDa, atem.CodeFTFD, atem.CodeFTUA, atem.CodeFTAD, atem.CodeSRDR, atem.CodeRMDR:
		return
	}
	b, err := f.Append(nil)
	if err == nil {
		t.steps = append(t.steps, step{command: b})
		t.size += len(b)
	}
}

// macroCommand carries out a command about macros; false: it is of another kind.
func (m *machine) macroCommand(f *atem.Field) bool {
	switch f.Code {
	case atem.CodeMSRc:
		v, ok := read[atem.RecordMacro](m, f)
		if _, there := atem.Get[atem.MacroProperties](m.st, int64(v.Macro)); ok && there {
			m.recording = &macroTake{number: v.Macro, name: v.Name, text: v.Description}
			m.set(&atem.MacroRecordState{Recording: true, Macro: v.Macro})
		}
	case atem.CodeMAct:
		if v, ok := read[atem.MacroAction](m, f); ok {
			m.act(&v)
		}
	case atem.CodeMRCP:
		if v, ok := read[atem.SetMacroLoop](m, f); ok && v.Mask&atem.SetMacroLoopMaskLoop != 0 {
			run, _ := atem.Get[atem.MacroRunState](m.st)
			run.Loop = v.Loop
			m.set(&run)
		}
	case atem.CodeCMPr:
		v, ok := read[atem.SetMacroProperties](m, f)
		if p, there := atem.Get[atem.MacroProperties](m.st, int64(v.Macro)); ok && there && p.Used {
			if v.Mask&atem.SetMacroPropertiesMaskName != 0 {
				p.Name = v.Name
			}
			if v.Mask&atem.SetMacroPropertiesMaskDescription != 0 {
				p.Description = v.Description
			}
			m.set(&p)
		}
	case atem.CodeMSlp:
	default:
		return false
	}
	return true
}

func (m *machine) act(v *atem.MacroAction) {
	switch v.Action {
	case atem.MacroActionKindRun:
		if p, ok := atem.Get[atem.MacroProperties](m.st, int64(v.Macro)); ok && p.Used {
			m.run = &macroRun{number: v.Macro}
			m.playing()
			m.play()
		}
	case atem.MacroActionKindStop:
		m.run = nil
		m.playing()
	case atem.MacroActionKindContinue:
		if m.run != nil && m.run.wait < 0 {
			m.run.wait = 0
			m.playing()
			m.play()
		}
	case atem.MacroActionKindStopRecording:
		m.endTake()
	case atem.MacroActionKindWait:
		if t := m.recording; t != nil && len(t.steps) < maxMacroSteps {
			t.steps = append(t.steps, step{frames: -1})
		}
	case atem.MacroActionKindDelete:
		if p, ok := atem.Get[atem.MacroProperties](m.st, int64(v.Macro)); ok {
			delete(m.macros, v.Macro)
			m.set(&atem.MacroProperties{Macro: p.Macro})
		}
	}
}

func (m *machine) endTake() {
	t := m.recording
	if t == nil {
		return
	}
	m.recording = nil
	m.macros[t.number] = t.steps
	m.set(&atem.MacroProperties{Macro: t.number, Used: true, Name: t.name, Description: t.text})
	m.set(&atem.MacroRecordState{})
}

// playing puts into the state which macro runs.
func (m *machine) playing() {
	old, ok := atem.Get[atem.MacroRunState](m.st)
	if !ok {
		return
	}
	v := atem.MacroRunState{Loop: old.Loop, Macro: noMacro}
	if m.run != nil {
		v.Running, v.Waiting, v.Macro = true, m.run.wait < 0, m.run.number
	}
	m.set(&v)
}

// play carries out the steps up to the next pause. A macro that is repeated pauses for a frame at its end.
func (m *machine) play() {
	r := m.run
	for steps := m.macros[r.number]; r.at < len(steps); {
		s := steps[r.at]
		r.at++
		if s.command == nil {
			r.wait = s.frames
			m.playing()
			m.start()
			return
		}
		if f, _, err := atem.Next(s.command); err == nil {
			m.command(&session{}, &f)
		}
	}
	if v, _ := atem.Get[atem.MacroRunState](m.st); v.Loop {
		r.at, r.wait = 0, 1
		m.start()
		return
	}
	m.run = nil
	m.playing()
}

// stepMacro lets a frame pass for the macro that runs; it reports whether it waits for the next.
func (m *machine) stepMacro() bool {
	if m.run == nil || m.run.wait < 0 {
		return false
	}
	if m.run.wait--; m.run.wait <= 0 {
		m.run.wait = 0
		m.play()
	}
	return m.run != nil && m.run.wait > 0
}

// macroBytes is a macro as a file, and parseMacro reads it: fields as commands, and MSlp and MAct for pauses. Real switchers
// have another form, which nobody has published.
func (m *machine) macroBytes(number uint16) []byte {
	var b []byte
	for _, s := range m.macros[number] {
		switch {
		case s.command != nil:
			b = append(b, s.command...)
		case s.frames < 0:
			b = (&atem.MacroAction{Macro: noMacro, Action: atem.MacroActionKindWait}).Append(b, m.ver)
		default:
			b = (&atem.MacroSleep{Frames: uint16(s.frames)}).Append(b, m.ver)
		}
	}
	return b
}

func (m *machine) parseMacro(b []byte) (steps []step, ok bool) {
	for f, err := range atem.Fields(b) {
		if err != nil || len(steps) >= maxMacroSteps {
			return nil, false
		}
		switch f.Code {
		case atem.CodeMAct:
			steps = append(steps, step{frames: -1})
		case atem.CodeMSlp:
			v, _ := read[atem.MacroSleep](m, &f)
			steps = append(steps, step{frames: int(v.Frames)})
		default:
			whole, _ := f.Append(nil)
			steps = append(steps, step{command: bytes.Clone(whole)})
		}
	}
	return steps, true
}
