package atemsim

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/patchbay-io/patchbay/protocol/atem"
)

// session is what a machine knows of a client.
type session struct {
	classic, fairlight bool // wants meters
	uploads            map[uint16]*upload
	downloads          map[uint16]*download
	out                []byte // what only this client is told
}

// machine is the switcher without clients, lock and clock: commands and time go in, fields come out. Everything that it is
// stands in the state, but for what only moves.
type machine struct {
	st  *atem.State
	ver atem.Version
	now time.Time
	rnd *rand.Rand

	frame      time.Duration
	nextFrame  time.Time // zero: nothing moves
	nextSecond time.Time // zero: neither streaming nor recording
	nextMeters time.Time // zero: nobody wants them
	began      time.Time

	mes  map[uint8]*mixEffect
	dsks map[uint8]*fade
	ftbs map[uint8]*fade

	macros    map[uint16][]step
	run       *macroRun
	recording *macroTake

	stream streamClock
	record recordClock

	store store
	names map[atem.SourceID]atem.InputProperties // as they were at the start

	sessions map[any]*session
	out      []byte // what all clients are told, as one change
	tally    bool   // something that tally follows from has changed
	scratch  []byte
}

// fade is something that runs for some frames.
type fade struct {
	running    bool
	left, rate int
	toward     bool
}

func newMachine(st *atem.State, seed uint64, now time.Time) *machine {
	m := &machine{st: st, ver: st.Version(), now: now, began: now, rnd: rand.New(rand.NewPCG(seed, 1)),
		mes: map[uint8]*mixEffect{}, dsks: map[uint8]*fade{}, ftbs: map[uint8]*fade{}, macros: map[uint16][]step{},
		names: map[atem.SourceID]atem.InputProperties{}, sessions: map[any]*session{}}
	m.store.init()
	for in := range atem.All[atem.InputProperties](st) {
		m.names[in.Source] = in
	}
	m.setRate()
	m.retally()
	m.out = nil
	return m
}

// frameRate is how many frames a video mode has in a second, by its name.
func frameRate(mode atem.VideoMode) float64 {
	name := mode.String()
	i := strings.LastIndexAny(name, "pi")
	if base, _, ok := strings.Cut(name, "-"); ok {
		i = strings.LastIndexAny(base, "pi")
		name = base
	}
	if i < 0 {
		return 25
	}
	fps, err := strconv.ParseFloat(name[i+1:], 64)
	if err != nil || fps <= 0 {
		return 25
	}
	if name[i] == 'i' {
		fps /= 2
	}
	return fps
}

func (m *machine) setRate() {
	v, _ := atem.Get[atem.VideoStandard](m.st)
	m.frame = time.Duration(float64(time.Second) / frameRate(v.Mode))
}

// set puts a message into the state, and tells all clients when it is news. Where the state has a body of the same size,
// bytes that the layout does not name stay as they are.
func (m *machine) set(msg atem.Message) {
	m.scratch = msg.Append(m.scratch[:0], m.ver)
	f, _, err := atem.Next(m.scratch)
	if err != nil {
		return
	}
	if old := m.st.Current(&f); len(old) == len(f.Body) {
		copy(f.Body, old)
		_ = msg.Put(m.ver, f.Body) // the body has the size that Append gave it
	}
	m.put(&f)
}

// put is set for a field.
func (m *machine) put(f *atem.Field) {
	switch m.st.Apply(f) {
	case atem.Added, atem.Changed, atem.Removed, atem.Reset:
		m.out, _ = f.Append(m.out)
		switch f.Code {
		case atem.CodePrgI, atem.CodePrvI, atem.CodeTrPs, atem.CodeTrSS, atem.CodeKeOn, atem.CodeKeBP, atem.CodeDskS, atem.CodeDskB,
			atem.CodeDskP, atem.CodeSSBP, atem.CodeSSrc:
			m.tally = true
		case atem.CodeVidM:
			m.setRate()
		}
	}
}

// tell tells one client.
func (m *machine) tell(s *session, msg atem.Message) { s.out = msg.Append(s.out, m.ver) }

// timecode is the clock now.
func (m *machine) timecode() atem.Timecode {
	d := m.now.Sub(m.began)
	sec := int64(d / time.Second)
	return atem.Timecode{Hour: uint8(sec / 3600 % 24), Minute: uint8(sec / 60 % 60), Second: uint8(sec % 60),
		Frame: uint8((d % time.Second) / max(m.frame, 1))}
}

// change is what has happened since the last call, as one payload that begins with the time; nil: nothing.
func (m *machine) change() []byte {
	if m.tally {
		m.tally = false
		m.retally()
	}
	if len(m.out) == 0 {
		return nil
	}
	t := m.timecode()
	payload := append(t.Append(make([]byte, 0, 16+len(m.out)), m.ver), m.out...)
	m.out = m.out[:0]
	return payload
}

// start makes sure that the next frame comes.
func (m *machine) start() {
	if m.nextFrame.IsZero() {
		m.nextFrame = m.now.Add(m.frame)
	}
}

// due is when something happens by itself; the zero Time: never.
func (m *machine) due() time.Time {
	var due time.Time
	for _, t := range []time.Time{m.nextFrame, m.nextSecond, m.nextMeters} {
		if !t.IsZero() && (due.IsZero() || t.Before(due)) {
			due = t
		}
	}
	return due
}

// maxCatchUp is how much time passes in one go at most; a computer that slept loses the rest.
const maxCatchUp = 10 * time.Second

// advance lets time pass until now. send gets each change on its way.
func (m *machine) advance(now time.Time, send func()) {
	if now.Sub(m.now) > maxCatchUp {
		shift := now.Sub(m.now) - maxCatchUp
		for _, t := range []*time.Time{&m.nextFrame, &m.nextSecond, &m.nextMeters} {
			if !t.IsZero() {
				*t = t.Add(shift)
			}
		}
	}
	for {
		due := m.due()
		if due.IsZero() || due.After(now) {
			break
		}
		m.now = due
		switch {
		case due.Equal(m.nextFrame):
			m.nextFrame = time.Time{}
			if m.step() {
				m.nextFrame = due.Add(m.frame)
			}
		case due.Equal(m.nextSecond):
			m.nextSecond = time.Time{}
			if m.second() {
				m.nextSecond = due.Add(time.Second)
			}
		default:
			m.nextMeters = time.Time{}
			if m.meters() {
				m.nextMeters = due.Add(metersEvery)
			}
		}
		send()
	}
	if now.After(m.now) {
		m.now = now
	}
}

// step is one frame; it reports whether anything still moves.
func (m *machine) step() bool {
	moves := false
	for me, x := range m.mes {
		moves = m.stepMix(me, x) || moves
	}
	for me, x := range m.ftbs {
		moves = m.stepBlack(me, x) || moves
	}
	for dsk, x := range m.dsks {
		moves = m.stepKey(dsk, x) || moves
	}
	return m.stepMacro() || moves
}
