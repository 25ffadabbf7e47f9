package atemsim

import (
	"time"

	"github.com/patchbay-io/patchbay/protocol/atem"
)

// streamClock is streaming; connecting lasts until live.
type streamClock struct {
	on          bool
	since, live time.Time
}

// recordClock is recording.
type recordClock struct {
	on    bool
	since time.Time
	left  uint32 // seconds that fit when it began
}

// connects is how long it takes to reach a streaming server.
const connects = 2 * time.Second

func (m *machine) setStream(on bool) {
	if _, ok := atem.Get[atem.StreamingState](m.st); !ok || m.stream.on == on {
		return
	}
	m.stream = streamClock{on: on, since: m.now, live: m.now.Add(connects)}
	if !on {
		m.set(&atem.StreamingState{Status: atem.StreamStateIdle})
		m.set(&atem.StreamingStatistics{})
		m.set(&atem.StreamingTime{})
		return
	}
	m.set(&atem.StreamingState{Status: atem.StreamStateConnecting})
	m.set(&atem.StreamingTime{})
	m.startSeconds()
}

func (m *machine) startSeconds() {
	if m.nextSecond.IsZero() {
		m.nextSecond = m.now.Add(time.Second)
	}
}

func (m *machine) setRecord(on bool) {
	s, ok := atem.Get[atem.RecordingState](m.st)
	if !ok || m.record.on == on {
		return
	}
	if on && s.Status&atem.RecordStateMediaOk == 0 {
		return // no medium
	}
	m.recordTime()
	m.record = recordClock{on: on, since: m.now, left: s.SecondsLeft}
	if on {
		s.Status |= atem.RecordStateRecording
		m.recordTime()
		m.startSeconds()
	} else {
		s.Status &^= atem.RecordStateRecording
	}
	m.set(&s)
	for d := range atem.All[atem.RecordingDisk](m.st) {
		if d.Status&atem.DiskStateActive == 0 {
			continue
		}
		d.Status &^= atem.DiskStateIdle | atem.DiskStateRecording
		if on {
			d.Status |= atem.DiskStateRecording
		} else {
			d.Status |= atem.DiskStateIdle
		}
		m.set(&d)
	}
}

// switchDisk goes on with the next disk that has room.
func (m *machine) switchDisk() {
	var disks []atem.RecordingDisk
	active := -1
	for d := range atem.All[atem.RecordingDisk](m.st) {
		if d.Status&atem.DiskStateActive != 0 {
			active = len(disks)
		}
		disks = append(disks, d)
	}
	if active < 0 || len(disks) < 2 {
		return
	}
	next := (active + 1) % len(disks)
	work := disks[active].Status & (atem.DiskStateIdle | atem.DiskStateRecording)
	disks[active].Status = atem.DiskStateIdle
	disks[next].Status = atem.DiskStateActive | work
	m.set(&disks[active])
	m.set(&disks[next])
	if s, ok := atem.Get[atem.RecordingState](m.st); ok {
		s.SecondsLeft = disks[next].SecondsLeft
		m.record.since, m.record.left = m.now, s.SecondsLeft
		m.set(&s)
	}
}

func (m *machine) clock(since time.Time) (h, min, s, f uint8) {
	d := m.now.Sub(since)
	sec := int64(d / time.Second)
	return uint8(sec / 3600 % 24), uint8(sec / 60 % 60), uint8(sec % 60), uint8(d % time.Second / max(m.frame, 1))
}

// streamTime and recordTime put how long it has run into the state.
func (m *machine) streamTime() {
	if m.stream.on && m.now.After(m.stream.live) {
		h, mi, s, f := m.clock(m.stream.live)
		m.set(&atem.StreamingTime{Hour: h, Minute: mi, Second: s, Frame: f})
	}
}

func (m *machine) recordTime() {
	if m.record.on {
		h, mi, s, f := m.clock(m.record.since)
		m.set(&atem.RecordingTime{Hour: h, Minute: mi, Second: s, Frame: f})
	}
}

// second is what streaming and recording do each second; it reports whether either goes on.
func (m *machine) second() bool {
	if m.stream.on && !m.now.Before(m.stream.live) {
		m.set(&atem.StreamingState{Status: atem.StreamStateStreaming})
		svc, _ := atem.Get[atem.StreamingService](m.st)
		rate := (svc.Bitrates[0] + svc.Bitrates[1]) / 2
		m.set(&atem.StreamingStatistics{Bitrate: rate - rate/50 + m.rnd.Uint32N(rate/25+1), CachePercent: uint16(m.rnd.Uint32N(4))})
	}
	if m.record.on {
		s, _ := atem.Get[atem.RecordingState](m.st)
		used := uint32(m.now.Sub(m.record.since) / time.Second)
		if used >= m.record.left {
			m.setRecord(false)
			s.Status = s.Status&^(atem.RecordStateRecording|atem.RecordStateMediaOk) | atem.RecordStateFull
			s.SecondsLeft = 0
			m.set(&s)
			return m.stream.on
		}
		s.SecondsLeft = m.record.left - used
		m.set(&s)
		for d := range atem.All[atem.RecordingDisk](m.st) {
			if d.Status&atem.DiskStateRecording != 0 {
				d.SecondsLeft = s.SecondsLeft
				m.set(&d)
			}
		}
	}
	return m.stream.on || m.record.on
}
