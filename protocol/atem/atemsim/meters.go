package atemsim

import (
	"math"
	"time"

	"github.com/patchbay-io/patchbay/protocol/atem"
)

// metersEvery is how often meters are told; that of hardware is not known.
const metersEvery = 100 * time.Millisecond

// level is how loud a source is now, in decibels.
func (m *machine) level(source uint16, side float64) float64 {
	t := m.now.Sub(m.began).Seconds()
	return -24 + 8*math.Sin(t*1.3+float64(source)+side) + 4*m.rnd.Float64()
}

func hundredths(db float64) int16 { return int16(math.Round(max(db, -100) * 100)) }

// meters tells the meters to those who asked; it reports whether anybody did.
func (m *machine) meters() bool {
	var classic, fairlight []byte
	wanted := false
	for _, s := range m.sessions {
		if s.classic {
			if classic == nil {
				classic = m.classicMeters()
			}
			s.out = append(s.out, classic...)
			wanted = true
		}
		if s.fairlight {
			if fairlight == nil {
				fairlight = m.fairlightMeters()
			}
			s.out = append(s.out, fairlight...)
			wanted = true
		}
	}
	return wanted
}

func (m *machine) wantMeters() {
	if m.nextMeters.IsZero() {
		m.nextMeters = m.now.Add(metersEvery)
	}
}

func (m *machine) fairlightMeters() []byte {
	var b []byte
	for s := range atem.All[atem.FairlightStrip](m.st) {
		l, r := m.level(uint16(s.Source), 0), m.level(uint16(s.Source), 1)
		gain := float64(s.Gain) / 100
		fader := float64(s.Fader) / 100
		b = (&atem.FairlightStripLevels{StripID: s.StripID, Source: s.Source,
			InputLeftLevel: hundredths(l), InputRightLevel: hundredths(r), InputLeftPeak: hundredths(l + 3), InputRightPeak: hundredths(r + 3),
			OutputLeftLevel: hundredths(l + gain), OutputRightLevel: hundredths(r + gain), OutputLeftPeak: hundredths(l + gain + 3), OutputRightPeak: hundredths(r + gain + 3),
			LeftLevel: hundredths(l + gain + fader), RightLevel: hundredths(r + gain + fader), LeftPeak: hundredths(l + gain + fader + 3), RightPeak: hundredths(r + gain + fader + 3),
		}).Append(b, m.ver)
	}
	master, ok := atem.Get[atem.FairlightMaster](m.st)
	if !ok {
		return b
	}
	l, r, g := m.level(0, 0), m.level(0, 1), float64(master.Gain)/100
	return (&atem.FairlightMasterLevels{
		InputLeftLevel: hundredths(l), InputRightLevel: hundredths(r), InputLeftPeak: hundredths(l + 3), InputRightPeak: hundredths(r + 3),
		OutputLeftLevel: hundredths(l), OutputRightLevel: hundredths(r), OutputLeftPeak: hundredths(l + 3), OutputRightPeak: hundredths(r + 3),
		LeftLevel: hundredths(l + g), RightLevel: hundredths(r + g), LeftPeak: hundredths(l + g + 3), RightPeak: hundredths(r + g + 3),
	}).Append(b, m.ver)
}

// linear is a level as the classic mixer tells it.
func linear(db float64) uint32 { return uint32(math.Round(8388608 * math.Pow(10, db/20))) }

func (m *machine) classicMeters() []byte {
	v := atem.ClassicLevels{}
	v.MasterLeft, v.MasterRight = linear(m.level(0, 0)), linear(m.level(0, 1))
	v.MasterLeftPeak, v.MasterRightPeak = linear(-12), linear(-12)
	v.MonitorLeft, v.MonitorRight, v.MonitorLeftPeak, v.MonitorRightPeak = v.MasterLeft, v.MasterRight, v.MasterLeftPeak, v.MasterRightPeak
	for in := range atem.All[atem.ClassicInput](m.st) {
		v.Sources = append(v.Sources, in.Source)
		l, r := m.level(uint16(in.Source), 0), m.level(uint16(in.Source), 1)
		v.Levels = append(v.Levels, atem.ClassicLevel{Left: linear(l), Right: linear(r), LeftPeak: linear(l + 3), RightPeak: linear(r + 3)})
	}
	return v.Append(nil, m.ver)
}
