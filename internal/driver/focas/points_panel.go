package focas

import (
	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/protocol/focas"
)

// addPanel makes the switches of the operator's panel and the two words that FANUC's library reads with every status.
func (s *session) addPanel(t *table, p *path) {
	switches := []struct {
		segment, title, doc string
		of                  func(*focas.OpSignal) uint16
	}{
		{"single-block", "Single block", "stops after each block", func(o *focas.OpSignal) uint16 { return o.SingleBlock }},
		{"block-delete", "Block delete", "blocks behind a slash are left out", func(o *focas.OpSignal) uint16 { return o.BlockDelete }},
		{"dry-run", "Dry run", "moves at the dry run feed", func(o *focas.OpSignal) uint16 { return o.DryRun }},
		{"machine-lock", "Machine lock", "the program runs and the axes stand", func(o *focas.OpSignal) uint16 { return o.MachineLock }},
		{"memory-protect", "Memory protect", "programs and data cannot be changed", func(o *focas.OpSignal) uint16 { return o.MemoryProtect }},
		{"feed-hold", "Feed hold", "the axes are held", func(o *focas.OpSignal) uint16 { return o.FeedHold }},
	}
	root := p.root.Child("panel")
	var specs []device.Spec
	for _, x := range switches {
		specs = append(specs, device.Spec{Path: root.Child(x.segment), Kind: device.Bool, Role: "cnc.panel." + x.segment, Title: x.title,
			Doc: x.doc + " (cnc_rdopnlsgnl; a control without a software operator's panel leaves it off or refuses it)"})
	}
	t.add(&source{name: "cnc_rdopnlsgnl", request: focas.OpSignalRequest(p.number, -1), payload: focas.OpSignalSize, rate: device.Normal, steady: true,
		decode: func(b []byte, out *samples) error {
			o, err := focas.ParseOpSignal(b)
			if err != nil {
				return err
			}
			for i, x := range switches {
				out.set(specs[i].Path, device.OfBool(x.of(&o) != 0))
			}
			return nil
		}}, specs...)
	word := func(name string, q focas.Request, at device.Path, title, doc string) {
		t.add(&source{name: name, request: q, payload: 2, rate: device.Normal, steady: true,
			decode: func(b []byte, out *samples) error {
				w, err := focas.ParseWord(b)
				out.set(at, device.OfInt(int64(w.Value)))
				return err
			}}, device.Spec{Path: at, Kind: device.Int, Title: title, Doc: doc})
	}
	word("cnc_statinfo tmmode", focas.TMModeRequest(p.number), p.root.Child("status/tm-mode"), "T or M mode", "0 lathe, 1 machining centre (cnc_statinfo tmmode)")
	word("cnc_statinfo hdck", focas.HandleRetraceRequest(p.number), p.root.Child("status/handle-retrace"), "Handle retrace", "manual handle retrace state (cnc_statinfo hdck)")
	bits := p.root.Child("alarm-bits")
	t.add(&source{name: "cnc_alarm2", request: focas.AlarmBitsRequest(p.number), payload: 4, rate: device.Normal, steady: true,
		decode: func(b []byte, out *samples) error {
			a, err := focas.ParseAlarmBits(b)
			out.set(bits, device.OfInt(int64(a.Bits)))
			return err
		}},
		device.Spec{Path: bits, Kind: device.Int, Title: "Alarm bits", Doc: "which types of alarm are present; which bit is which type is not known (cnc_alarm2)"})
}

// addMemory makes how full the control's program memory is.
func (s *session) addMemory(t *table, p *path) {
	root := p.root.Child("memory")
	values := []struct {
		segment, title, doc string
		of                  func(*focas.ProgramInfo) int32
	}{
		{"programs", "Programs", "registered programs", func(i *focas.ProgramInfo) int32 { return i.Registered }},
		{"programs-free", "Programs free", "programs that can still be registered", func(i *focas.ProgramInfo) int32 { return i.Free }},
		{"used", "Memory used", "program memory in use, in characters", func(i *focas.ProgramInfo) int32 { return i.UsedMemory }},
		{"free", "Memory free", "program memory left, in characters", func(i *focas.ProgramInfo) int32 { return i.FreeMemory }},
	}
	var specs []device.Spec
	for _, x := range values {
		specs = append(specs, device.Spec{Path: root.Child(x.segment), Kind: device.Int, Title: x.title, Doc: x.doc + " (cnc_rdproginfo)"})
	}
	t.add(&source{name: "cnc_rdproginfo", request: focas.ProgramInfoRequest(p.number), payload: 16, rate: device.Slow, steady: true,
		decode: func(b []byte, out *samples) error {
			info, err := focas.ParseProgramInfo(b)
			if err != nil {
				return err
			}
			for i, x := range values {
				out.set(specs[i].Path, device.OfInt(int64(x.of(&info))))
			}
			return nil
		}}, specs...)
}
