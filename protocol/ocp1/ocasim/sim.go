// Package ocasim is an audio interface that does not exist: an AES70 device with inputs, outputs, a mixer, a monitor section, a
// clock and meters, all of which work. It is for tests, for trying out programs, and for the demonstration.
//
// What it is made of follows no maker's device: names and ranges are of the kind that audio interfaces have.
package ocasim

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaserver"
)

// Silence is the lowest level of meters and outputs in dB, which stands for silence.
const Silence = -128

// Options of a simulator. The zero value is a small interface.
type Options struct {
	Inputs  int // analogue inputs; 0: 4
	Outputs int // line outputs besides the monitors; 0: 2
	Mixes   int // 0: 2
	Serial  string
	Seed    uint64 // of what the meters do
	// Objects adds that many gains in blocks of 100, for tests of large devices.
	Objects int
	// EV1 refuses events of the second kind, as a device of AES70-2018 does.
	EV1 bool
	// Server are the options of the server.
	Server ocaserver.Options
}

func (o Options) withDefaults() Options {
	if o.Inputs == 0 {
		o.Inputs = 4
	}
	if o.Outputs == 0 {
		o.Outputs = 2
	}
	if o.Mixes == 0 {
		o.Mixes = 2
	}
	if o.Serial == "" {
		o.Serial = "SIM0000001"
	}
	return o
}

// Limits of [Options].
const (
	MaxInputs  = 64
	MaxOutputs = 64
	MaxMixes   = 26
	MaxObjects = 50_000
)

// Check says what is wrong with options.
func (o Options) Check() error {
	for _, l := range []struct {
		name   string
		v, max int
	}{{"inputs", o.Inputs, MaxInputs}, {"outputs", o.Outputs, MaxOutputs}, {"mixes", o.Mixes, MaxMixes}, {"objects", o.Objects, MaxObjects}} {
		if l.v < 0 || l.v > l.max {
			return fmt.Errorf("%s: %d is out of range; give 0 to %d", l.name, l.v, l.max)
		}
	}
	return nil
}

// Input is an analogue input.
type Input struct {
	Block      *ocaserver.Block
	Name       *ocaserver.Value[string]
	Gain       *ocaserver.Value[float32]
	Air        *ocaserver.Value[bool]
	AirMode    *ocaserver.Switch
	Phantom    *ocaserver.Value[bool]
	Instrument *ocaserver.Value[bool]
	Meter      *ocaserver.Value[float32]
	Clip       *ocaserver.Value[bool]
}

// Output is an output, or a side of the monitors.
type Output struct {
	Block  *ocaserver.Block
	Gain   *ocaserver.Value[float32]
	Mute   *ocaserver.Value[bool]
	Source *ocaserver.Switch
	Meter  *ocaserver.Value[float32]
}

// Channel is an input of a mix.
type Channel struct {
	Gain *ocaserver.Value[float32]
	Pan  *ocaserver.Value[float32]
	Mute *ocaserver.Value[bool]
	Solo *ocaserver.Value[bool]
}

// Mix is a mix.
type Mix struct {
	Gain     *ocaserver.Value[float32]
	Mute     *ocaserver.Value[bool]
	Channels []Channel
}

// Monitoring is the monitor section.
type Monitoring struct {
	Level    *ocaserver.Value[float32]
	Dim      *ocaserver.Value[bool]
	Mute     *ocaserver.Value[bool]
	Alt      *ocaserver.Value[bool]
	Talkback *ocaserver.Value[bool]
}

// Clock is the clock.
type Clock struct {
	Rate   *ocaserver.Switch
	Source *ocaserver.Switch
	Locked *ocaserver.Value[bool]
}

// Sim is a simulated audio interface. Its fields are set once; their values may be read and changed at any time.
type Sim struct {
	Device     *ocaserver.Device
	Server     *ocaserver.Server
	Inputs     []Input
	Outputs    []Output // monitors first
	Mixes      []Mix
	Monitoring Monitoring
	Clock      Clock

	mu     sync.Mutex
	random *rand.Rand
	signal []float64 // of the inputs, in dBFS before their gain
}

// New makes a simulator; it starts nothing.
func New(o Options) *Sim {
	o = o.withDefaults()
	d := ocaserver.NewDevice(ocaserver.Info{
		Model:  ocp1.ModelDescription{Manufacturer: "patchbay", Name: "Simulated audio interface", Version: "1.0"},
		Serial: o.Serial, Name: "Simulator", Role: "Audio interface", Revision: "1.0.0"})
	s := &Sim{Device: d, random: rand.New(rand.NewPCG(o.Seed, 0)), signal: make([]float64, o.Inputs)}
	root := d.Root()
	root.TextSensor("Model", "Simulated audio interface")
	root.TextSensor("Serial", o.Serial)
	root.TextSensor("Firmware", "1.0.0")
	s.makeInputs(root.Block("Inputs"), o)
	sources := []string{"Off"}
	for i := range o.Inputs {
		sources = append(sources, fmt.Sprintf("Analogue %d", i+1))
	}
	for i := range o.Mixes {
		sources = append(sources, "Mix "+letter(i))
	}
	s.makeOutputs(root.Block("Outputs"), o, sources)
	s.makeMixes(root.Block("Mixer").Block("Mixes"), o)
	m := root.Block("Monitoring")
	s.Monitoring = Monitoring{Level: m.Gain("Level", -30, Silence, 0), Dim: m.Boolean("Dim", false), Mute: m.Mute("Mute", false), Alt: m.Boolean("Alt", false), Talkback: m.Boolean("Talkback", false)}
	c := root.Block("Clock")
	s.Clock = Clock{Rate: c.Switch("Sample Rate", 1, "44.1 kHz", "48 kHz", "88.2 kHz", "96 kHz", "176.4 kHz", "192 kHz"), Source: c.Switch("Source", 0, "Internal", "S/PDIF", "ADAT"), Locked: c.BooleanSensor("Locked", true)}
	for i := 0; i < o.Objects; {
		b := root.Block(fmt.Sprintf("Bank %d", i/100+1))
		for n := 0; n < 100 && i < o.Objects; n, i = n+1, i+1 {
			b.Gain(fmt.Sprintf("Gain %d", n+1), 0, -80, 12)
		}
	}
	so := o.Server
	so.EV1 = so.EV1 || o.EV1
	s.Server = ocaserver.New(d, so)
	return s
}

func letter(i int) string { return string(rune('A' + i)) }

func (s *Sim) makeInputs(b *ocaserver.Block, o Options) {
	for i := range o.Inputs {
		in := b.Block(fmt.Sprintf("Analogue %d", i+1))
		s.Inputs = append(s.Inputs, Input{Block: in, Name: in.Text("Name", fmt.Sprintf("Input %d", i+1)), Gain: in.Gain("Gain", 20, 0, 69), Air: in.Boolean("Air", false),
			AirMode: in.Switch("Air Mode", 0, "Presence", "Presence & Drive"), Phantom: in.Boolean("48V", false), Instrument: in.Boolean("Inst", false),
			Meter: in.Level("Meter", Silence, Silence, 0), Clip: in.BooleanSensor("Clip", false)})
		s.signal[i] = -50
	}
}

func (s *Sim) makeOutputs(b *ocaserver.Block, o Options, sources []string) {
	add := func(role string, source int) {
		out := b.Block(role)
		s.Outputs = append(s.Outputs, Output{Block: out, Gain: out.Gain("Gain", 0, Silence, 0), Mute: out.Mute("Mute", false), Source: out.Switch("Source", uint16(source), sources...), Meter: out.Level("Meter", Silence, Silence, 0)})
	}
	add("Monitor 1", 1+o.Inputs)
	add("Monitor 2", 1+o.Inputs)
	for i := range o.Outputs {
		add(fmt.Sprintf("Line %d", i+3), 0)
	}
}

func (s *Sim) makeMixes(b *ocaserver.Block, o Options) {
	for i := range o.Mixes {
		m := b.Block(letter(i))
		mix := Mix{Gain: m.Gain("Gain", 0, Silence, 6), Mute: m.Mute("Mute", false)}
		ins := m.Block("Inputs")
		for k := range o.Inputs {
			c := ins.Block(fmt.Sprint(k + 1))
			mix.Channels = append(mix.Channels, Channel{Gain: c.Gain("Gain", -6, Silence, 6), Pan: c.PanBalance("Pan", 0), Mute: c.Mute("Mute", false), Solo: c.Boolean("Solo", false)})
		}
		s.Mixes = append(s.Mixes, mix)
	}
}

// Serve serves TCP until ctx ends.
func (s *Sim) Serve(ctx context.Context, ln net.Listener) error { return s.Server.Serve(ctx, ln) }

// step is how often the meters move.
const step = 40 * time.Millisecond

// Run moves the meters, 25 times a second, until ctx ends.
func (s *Sim) Run(ctx context.Context) error {
	t := time.NewTicker(step)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
			s.Step()
		}
	}
}

// Step moves the meters on by one step.
func (s *Sim) Step() {
	s.mu.Lock()
	defer s.mu.Unlock()
	levels := make([]float64, len(s.Inputs))
	for i := range s.Inputs {
		in := &s.Inputs[i]
		s.signal[i] = min(max(s.signal[i]+s.random.Float64()*6-3, -70), -35)
		v := s.signal[i] + float64(in.Gain.Get())
		if in.Air.Get() {
			v += 2
		}
		if in.Instrument.Get() {
			v -= 6
		}
		in.Clip.Set(v > 0)
		levels[i] = min(v, 0)
		in.Meter.Set(tenth(levels[i]))
	}
	mixes := make([]float64, len(s.Mixes))
	for i := range s.Mixes {
		mixes[i] = s.Mixes[i].level(levels)
	}
	for i := range s.Outputs {
		out := &s.Outputs[i]
		v := float64(Silence)
		switch p := int(out.Source.Get()); {
		case p > 0 && p <= len(levels):
			v = levels[p-1]
		case p > len(levels) && p <= len(levels)+len(mixes):
			v = mixes[p-len(levels)-1]
		}
		v += float64(out.Gain.Get())
		if i < 2 {
			v += float64(s.Monitoring.Level.Get())
			if s.Monitoring.Dim.Get() {
				v -= 18
			}
		}
		if out.Mute.Get() || i < 2 && s.Monitoring.Mute.Get() {
			v = Silence
		}
		out.Meter.Set(tenth(v))
	}
}

// level adds the powers of the channels that are heard.
func (m *Mix) level(levels []float64) float64 {
	solo := false
	for i := range m.Channels {
		solo = solo || m.Channels[i].Solo.Get()
	}
	var power float64
	for i := range m.Channels {
		c := &m.Channels[i]
		if g := c.Gain.Get(); !c.Mute.Get() && (!solo || c.Solo.Get()) && g > Silence {
			power += math.Pow(10, (levels[i]+float64(g))/10)
		}
	}
	if power == 0 || m.Mute.Get() || m.Gain.Get() <= Silence {
		return Silence
	}
	return 10*math.Log10(power) + float64(m.Gain.Get())
}

// tenth rounds a level to tenths of a dB within what a meter shows.
func tenth(v float64) float32 { return float32(math.Round(min(max(v, Silence), 0)*10) / 10) }
