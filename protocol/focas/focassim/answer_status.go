package focassim

import (
	"time"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

func (a *asked) sysInfo() ([]byte, focas.Code) {
	return a.m.prof.sysInfo(a.path.no).Append(nil), 0
}

func (a *asked) status() focas.Status {
	m, p := a.m, a.path
	s := focas.Status{Aut: uint16(m.mode), Run: uint16(p.run), Motion: uint16(p.motionWord()), MSTB: uint16(p.finWord())}
	if m.emergency() {
		s.Emergency = 1
	}
	if len(m.alarms) > 0 {
		s.Alarm = 1
	}
	if m.mode == ModeEdit {
		s.Edit = 1
	}
	return s
}

func (a *asked) statInfo() ([]byte, focas.Code) { return a.status().Append(nil), 0 }

func (a *asked) statInfo2() ([]byte, focas.Code) {
	return focas.Status2{Status: a.status()}.Append(nil), 0
}

func (a *asked) zeroWord() ([]byte, focas.Code) { return focas.Word{}.Append(nil), 0 }

func (a *asked) tmMode() ([]byte, focas.Code) {
	w := focas.Word{Value: 1}
	if a.path.cfg.lathe {
		w.Value = 0
	}
	return w.Append(nil), 0
}

func (a *asked) cncID() ([]byte, focas.Code) {
	r := rng{state: a.s.opts.Seed + 0x5eed}
	id := focas.CNCID{}
	for i := range id.ID {
		r.noise()
		id.ID[i] = uint32(r.state >> 16)
	}
	return id.Append(nil), 0
}

// cncModel has 8 bytes, as FANUC's library was seen to accept; the second half is not known.
func (a *asked) cncModel() ([]byte, focas.Code) {
	return focas.CNCModel{Model: a.m.prof.model, Rest: make([]byte, 4)}.Append(nil), 0
}

func (a *asked) ethernet() ([]byte, focas.Code) {
	return focas.EthernetInfo{Type: 1, Device: 2}.Append(nil), 0
}

func (a *asked) opMode() ([]byte, focas.Code) {
	l := focas.Words{Items: make([]focas.U16, len(a.path.cfg.axes))}
	return l.Append(nil), 0
}

func (a *asked) opSignal() ([]byte, focas.Code) {
	m := a.m
	s := focas.OpSignal{Mode: uint16(m.mode), FeedOverride: uint16(m.pmc.feedPercent(a.path.no) / 10), SpindleOverride: uint16(m.pmc.spindlePercent(a.path.no) / 10)}
	for step, p := range rapidSteps {
		if p == m.pmc.rapidPercent(a.path.no) {
			s.RapidOverride = uint16(3 - step)
		}
	}
	if m.protect {
		s.MemoryProtect = 1
	}
	if m.pmc.feedHold() {
		s.FeedHold = 1
	}
	return s.Append(nil), 0
}

// counter is the timer that a number names.
func (a *asked) counter(which int32) *uint64 {
	t := &a.m.timers
	switch which {
	case focas.TimerPowerOn:
		return &t.power
	case focas.TimerOperating:
		return &t.operating
	case focas.TimerCutting:
		return &t.cutting
	case focas.TimerCycle:
		return &t.cycle
	case focas.TimerFree:
		return &t.free
	}
	return nil
}

func (a *asked) readTimer() ([]byte, focas.Code) {
	c := a.counter(a.arg(1))
	if c == nil {
		return nil, focas.EWNumber
	}
	return focas.NewTimer(time.Duration(*c) * tick).Append(nil), 0
}

func (a *asked) writeTimer() ([]byte, focas.Code) {
	c := a.counter(a.arg(1))
	t, err := focas.ParseTimer(a.q.Data, focas.TimerBigEndian)
	switch {
	case c == nil:
		return nil, focas.EWNumber
	case err != nil || len(t.Rest) > 0:
		return nil, focas.EWLength
	case a.m.protect:
		return nil, focas.EWProt
	case t.Minute < 0 || t.MSec < 0 || t.MSec >= 60000:
		return nil, focas.EWData
	}
	*c = uint64((time.Duration(t.Minute)*time.Minute + time.Duration(t.MSec)*time.Millisecond) / tick)
	return nil, 0
}

func (a *asked) getClock() ([]byte, focas.Code) {
	t, c := a.m.now(), focas.Clock{}
	switch a.arg(1) {
	case focas.ClockDate:
		c.Year, c.Month, c.Day = uint16(t.Year()), uint16(t.Month()), uint16(t.Day())
	case focas.ClockTime:
		c.Hour, c.Minute, c.Second = uint16(t.Hour()), uint16(t.Minute()), uint16(t.Second())
	default:
		return nil, focas.EWNumber
	}
	return c.Append(nil), 0
}

func (a *asked) setClock() ([]byte, focas.Code) {
	c, err := focas.ParseClock(a.q.Data)
	if err != nil || len(c.Rest) > 0 {
		return nil, focas.EWLength
	}
	now := a.m.now()
	to := now
	switch a.arg(1) {
	case focas.ClockDate:
		to = time.Date(int(c.Year), time.Month(c.Month), int(c.Day), now.Hour(), now.Minute(), now.Second(), now.Nanosecond(), now.Location())
		if to.Day() != int(c.Day) || to.Month() != time.Month(c.Month) || c.Year < 1970 || c.Year > 2099 {
			return nil, focas.EWData
		}
	case focas.ClockTime:
		if c.Hour > 23 || c.Minute > 59 || c.Second > 59 {
			return nil, focas.EWData
		}
		to = time.Date(now.Year(), now.Month(), now.Day(), int(c.Hour), int(c.Minute), int(c.Second), 0, now.Location())
	default:
		return nil, focas.EWNumber
	}
	a.m.clock += to.Sub(now)
	return nil, 0
}

func (a *asked) alarmWord() ([]byte, focas.Code) {
	return focas.AlarmBits{Bits: a.m.alarmBits()}.Append(nil), 0
}

func (a *asked) alarmMessages() ([]byte, focas.Code) {
	typ, max, size := a.arg(1), a.arg(2), a.arg(4)
	if size != focas.AlarmText32 && size != focas.AlarmText64 {
		return nil, focas.EWLength
	}
	var b []byte
	for _, x := range a.m.alarms {
		if typ != focas.AllAlarms && typ != int32(x.Type) {
			continue
		}
		if max--; max < 0 {
			break
		}
		b = focas.NewAlarm(x.Number, int32(x.Type), int32(x.Axis), x.Text, int(size)).Append(b)
	}
	return b, 0
}

// clearAlarm clears the alarm with a number, or all with 0. (guess)
func (a *asked) clearAlarm() ([]byte, focas.Code) {
	id := a.arg(1)
	a.m.clear(func(x Alarm) bool { return id == 0 || x.Number == id })
	return nil, 0
}

func (a *asked) opMessage() ([]byte, focas.Code) {
	return a.messages(a.arg(1), 1)
}

func (a *asked) opMessage3() ([]byte, focas.Code) {
	return a.messages(a.arg(2), a.arg(3))
}

// messages are up to max messages of a type, -1 for all. None is one empty record, since FANUC's library reads fixed
// offsets. (guess)
func (a *asked) messages(typ, max int32) ([]byte, focas.Code) {
	if typ < -1 || typ > 4 {
		return nil, focas.EWAttrib
	}
	var b []byte
	for _, x := range a.m.messages {
		if typ != -1 && typ != int32(x.Type) {
			continue
		}
		if max--; max < 0 {
			break
		}
		b = focas.NewOpMessage(x.Number, int32(x.Type), x.Text).Append(b)
	}
	if b == nil {
		b = focas.NewOpMessage(-1, typ, "").Append(nil)
	}
	return b, 0
}

func (a *asked) startCycle() ([]byte, focas.Code) {
	switch {
	case a.m.emergency():
		return nil, focas.EWStop
	case len(a.m.alarms) > 0:
		return nil, focas.EWAlarm
	case a.m.mode != ModeMemory:
		return nil, focas.EWMode
	case a.path.stopping():
		return nil, focas.EWReject
	}
	a.path.start()
	return nil, 0
}

func (a *asked) reset() ([]byte, focas.Code) {
	a.m.resetKey()
	return nil, 0
}
