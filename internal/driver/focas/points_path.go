package focas

import (
	"fmt"
	"strings"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/protocol/focas"
)

// Estimates of answers whose size is the control's choice, in bytes.
const (
	execTextSize  = 200 // characters of the executing block and what follows it: as many as leave the fast reads of a control in one frame
	gcodesSize    = 30 * 12
	commandsSize  = 16 * 12
	alarmsAsked   = 10
	messagesAsked = 2
)

// addStatus makes execution, mode and the raw status words.
func (s *session) addStatus(t *table, ctl *control, p *path) {
	words := []struct {
		segment, role, title, doc string
		word                      focas.StatusWord
		of                        func(*focas.Status) uint16
	}{
		{"mode", "cnc.status.mode", "Mode", "selected mode, as the control writes it (cnc_statinfo aut)", focas.WordAut, func(st *focas.Status) uint16 { return st.Aut }},
		{"run", "cnc.status.run", "Run", "state of automatic operation, as the control writes it (cnc_statinfo run)", focas.WordRun, func(st *focas.Status) uint16 { return st.Run }},
		{"motion", "cnc.status.motion", "Motion", "axis motion or dwell (cnc_statinfo motion)", focas.WordMotion, func(st *focas.Status) uint16 { return st.Motion }},
		{"mstb", "cnc.status.mstb", "M, S, T, B", "auxiliary function in progress (cnc_statinfo mstb)", focas.WordMSTB, func(st *focas.Status) uint16 { return st.MSTB }},
		{"emergency", "cnc.status.emergency", "Emergency", "emergency stop state (cnc_statinfo emergency)", focas.WordEmergency, func(st *focas.Status) uint16 { return st.Emergency }},
		{"alarm", "cnc.status.alarm", "Alarm", "alarm state (cnc_statinfo alarm)", focas.WordAlarm, func(st *focas.Status) uint16 { return st.Alarm }},
		{"edit", "cnc.status.edit", "Edit", "edit state (cnc_statinfo edit)", focas.WordEdit, func(st *focas.Status) uint16 { return st.Edit }},
	}
	specs := []device.Spec{
		{Path: p.root.Child("execution"), Kind: device.Enum, Labels: labelsExecution, Role: "cnc.execution", Title: "Execution",
			Doc: "MTConnect Execution, from the run state (cnc_statinfo run)", Grade: device.GradeInferred},
		{Path: p.root.Child("controller-mode"), Kind: device.Enum, Labels: labelsController, Role: "cnc.controller-mode", Title: "Controller mode",
			Doc: "MTConnect ControllerMode, from the selected mode (cnc_statinfo aut)", Grade: device.GradeInferred},
	}
	execution, mode, status := specs[0].Path, specs[1].Path, p.root.Child("status")
	for _, w := range words {
		id := fmt.Sprintf("%s-%d", w.segment, p.number)
		t.labels = append(t.labels, statusLabels(id, w.word, ctl.family, p.lathe))
		specs = append(specs, device.Spec{Path: status.Child(w.segment), Kind: device.Enum, Labels: id, Role: w.role, Title: w.title, Doc: w.doc})
	}
	first := p == ctl.paths[0]
	if first {
		specs = append(specs, device.Spec{Path: "emergency-stop", Kind: device.Enum, Labels: labelsEmergency, Role: "cnc.emergency-stop",
			Title: "Emergency stop", Doc: "MTConnect EmergencyStop, from the first path (cnc_statinfo emergency)", Grade: device.GradeInferred})
	}
	standard := ctl.family != focas.Family15i
	t.add(&source{name: "cnc_statinfo", request: focas.StatusRequest(p.number), payload: focas.StatusSize, rate: device.Fast, steady: true,
		decode: func(b []byte, out *samples) error {
			st, err := focas.ParseStatus(b)
			if err != nil {
				return err
			}
			for i, w := range words {
				out.set(specs[2+i].Path, device.OfEnum(int64(w.of(&st))))
			}
			if !standard {
				return nil // a 15i numbers its states in another way; execution and mode stay not-reported
			}
			if v, ok := executionOf(st.Run); ok {
				out.set(execution, device.OfEnum(v))
			}
			if v, ok := controllerModeOf(st.Aut); ok {
				out.set(mode, device.OfEnum(v))
			}
			if first {
				out.set("emergency-stop", device.OfEnum(emergencyOf(st.Emergency)))
			}
			return nil
		}}, specs...)
}

// addProgram makes what runs and where it is.
func (s *session) addProgram(t *table, ctl *control, p *path) {
	root := p.root.Child("program")
	shown := -int(p.number) // positions have the number itself
	main, number, running := root.Child("main"), root.Child("number"), root.Child("running")
	comment := &source{name: "cnc_rdprogdir2", rate: device.Slow, payload: focas.ProgramEntrySize, steady: true, request: focas.ProgramDirRequest(p.number, 1, 1, focas.DirSizes)}
	note := func(number int32) { s.followComment(comment, p.number, number) }
	t.add(&source{name: "cnc_rdprgnum", request: focas.ProgramNumRequest(p.number), payload: 8, rate: device.Normal, steady: true,
		decode: func(b []byte, out *samples) error {
			n, err := focas.ParseProgramNum(b)
			if err != nil {
				return err
			}
			out.set(main, device.OfString(programName(n.Main)))
			out.set(number, device.OfInt(int64(n.Running)))
			note(n.Running)
			return nil
		}},
		device.Spec{Path: main, Kind: device.String, Role: "cnc.program.main", Title: "Main program", Doc: "number of the selected main program (cnc_rdprgnum)"},
		device.Spec{Path: number, Kind: device.Int, Title: "Running program number", Doc: "O number of the program being executed, 0 for a program with a name (cnc_rdprgnum)"})
	t.add(&source{name: "cnc_exeprgname", request: focas.ExecProgramRequest(p.number), payload: 40, rate: device.Normal, steady: true,
		decode: func(b []byte, out *samples) error {
			x, err := focas.ParseExecProgram(b)
			if err != nil {
				return err
			}
			out.set(running, device.OfString(x.Name.String()))
			return nil
		},
		other: &source{name: "cnc_rdprgnum", request: focas.ProgramNumRequest(p.number), payload: 8,
			decode: func(b []byte, out *samples) error {
				n, err := focas.ParseProgramNum(b)
				if err != nil {
					return err
				}
				out.set(running, device.OfString(programName(n.Running)))
				return nil
			}}},
		device.Spec{Path: running, Kind: device.String, Role: "cnc.program.running", Title: "Running program",
			Doc: "name of the program being executed (cnc_exeprgname, or the number of cnc_rdprgnum)"})
	t.add(&source{name: "cnc_rdblkcount", request: focas.BlockCountRequest(p.number), payload: 4, rate: device.Normal, decode: counter(root.Child("block-count"))},
		device.Spec{Path: root.Child("block-count"), Kind: device.Int, Role: "cnc.program.block-count", Title: "Blocks executed", Doc: "since the program started (cnc_rdblkcount)"})
	// In one frame, so that the number and the text are of the same block.
	t.add(&source{name: "cnc_rdseqnum", request: focas.SequenceNumRequest(p.number), payload: 4, rate: device.Fast, group: shown, decode: counter(root.Child("sequence"))},
		device.Spec{Path: root.Child("sequence"), Kind: device.Int, Role: "cnc.program.sequence", Title: "Sequence number", Doc: "N word of the block being executed (cnc_rdseqnum)"})
	t.add(&source{name: "cnc_rdexecprog", request: focas.ExecTextRequest(p.number, execTextSize), payload: 4 + execTextSize, rate: device.Fast, group: shown, steady: true,
		decode: func(b []byte, out *samples) error {
			x, err := focas.ParseExecText(b)
			if err != nil {
				return err
			}
			block, ahead := splitBlocks(text(x.Text))
			out.set(root.Child("block"), device.OfString(block))
			out.set(root.Child("look-ahead"), device.OfString(ahead))
			return nil
		}},
		device.Spec{Path: root.Child("block"), Kind: device.String, Role: "cnc.program.block", Title: "Block", Doc: "text of the block being executed (cnc_rdexecprog)"},
		device.Spec{Path: root.Child("look-ahead"), Kind: device.String, Role: "cnc.program.look-ahead", Title: "Next blocks", Doc: "what follows the block being executed, one block a line (cnc_rdexecprog)"})
	commentAt := root.Child("comment")
	comment.decode = func(b []byte, out *samples) error {
		dir, err := focas.ParseProgramDir(b)
		if err != nil {
			return err
		}
		c := ""
		if len(dir.Items) > 0 && dir.Items[0].Number == comment.request.Args[0] {
			c = strings.Trim(text([]byte(dir.Items[0].Comment(focas.DirSizes))), "() ")
		}
		out.set(commentAt, device.OfString(c))
		return nil
	}
	t.add(comment, device.Spec{Path: commentAt, Kind: device.String, Role: "cnc.program.comment", Title: "Comment",
		Doc: "comment of the program being executed (cnc_rdprogdir2)"})
}

// followComment points the comment's request at the program that runs now. It runs under s.mu, inside a sweep.
func (s *session) followComment(src *source, path uint16, number int32) {
	if src.request.Args[0] == number || number < 0 {
		return
	}
	src.request = focas.ProgramDirRequest(path, number, 1, focas.DirSizes)
	clear(s.batches) // their items hold the old request
	src.decoded = 0  // the same answer means something else for another program
}

func counter(p device.Path) func([]byte, *samples) error {
	return func(b []byte, out *samples) error {
		c, err := focas.ParseCounter(b)
		if err != nil {
			return err
		}
		out.set(p, device.OfInt(int64(c.N)))
		return nil
	}
}

func programName(n int32) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf("O%04d", n)
}

// splitBlocks cuts the text that the control gives into its first block and the rest, without empty lines.
func splitBlocks(s string) (block, ahead string) {
	var lines []string
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" && line != "%" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return "", ""
	}
	return lines[0], strings.Join(lines[1:], "\n")
}
