package simulate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/atem/atemsim"
)

// atemSettings are what a simulated switcher takes in a sim+ URL.
var atemSettings = []string{"model", "dump", "scenario", "seed"}

// atemKind is how the simulated switcher is made by name, over its own protocol.
func atemKind() Kind {
	return Kind{
		Driver: "atem", Settings: append(slices.Clone(atemSettings), "sessions"),
		New: func(settings url.Values) (Device, error) {
			o, err := ATEMOptionsOf(settings)
			if err != nil {
				return Device{}, err
			}
			d, err := NewATEM(o)
			if err != nil {
				return Device{}, err
			}
			return d.Device(), nil
		},
		Replay: func(file string) (Device, error) { return replayATEM(file, (*ATEM).Device) },
	}
}

// What happens to a switcher.
const (
	atemQuiet = "quiet" // nothing by itself
	atemShow  = "show"  // somebody cuts, calmly
)

// ATEMScenarios are the names of the scenarios of a switcher.
func ATEMScenarios() []string { return []string{atemQuiet, atemShow} }

// ATEMOptions are those of a simulated switcher.
type ATEMOptions struct {
	Model    string      // of [atemsim.Models]; empty: 2me-4k
	State    *atem.State // instead of a model: that of a dump
	Scenario string      // of [ATEMScenarios]; empty: quiet
	Seed     uint64
	Sessions int        // most clients over UDP; 0: 5
	Faults   ATEMFaults // from the start
}

// ATEMFaults are the ways in which a simulated switcher misbehaves. The yaml tags are the names on the command line and over
// the control interface; those but silent are set when it is made.
type ATEMFaults struct {
	Silent    bool          `yaml:"silent,omitempty"`    // deaf and mute, as one that hangs
	Full      bool          `yaml:"full,omitempty"`      // every session is taken
	Dirty     bool          `yaml:"dirty,omitempty"`     // leaves leftovers where the layouts name nothing, as real ones do
	Loss      float64       `yaml:"loss,omitempty"`      // of all packets, 0 to 1
	Duplicate float64       `yaml:"duplicate,omitempty"` // of all packets
	Reorder   float64       `yaml:"reorder,omitempty"`   // of all packets: each comes after the next
	Delay     time.Duration `yaml:"delay,omitempty"`     // of all packets
}

// ATEMFaultNames are the names of the faults, sorted.
func ATEMFaultNames() []string {
	return []string{"delay", "dirty", "duplicate", "full", "loss", "reorder", "silent"}
}

// Turn turns on one fault of the command line: NAME, or NAME=VALUE.
func (f *ATEMFaults) Turn(arg string) error {
	name, value, given := strings.Cut(arg, "=")
	if !slices.Contains(ATEMFaultNames(), name) {
		return fmt.Errorf("--fault %s is unknown; known: %s", name, strings.Join(ATEMFaultNames(), ", "))
	}
	if !given {
		value = "true"
	}
	next := *f
	err := decodeStrict([]byte(name+": "+value+"\n"), &next)
	if err == nil {
		err = next.Check()
	}
	if err != nil {
		return fmt.Errorf("--fault %s: %s", arg, plainMessage(err))
	}
	*f = next
	return nil
}

// Check says what is wrong with the values, naming the key.
func (f *ATEMFaults) Check() error {
	for _, x := range []struct {
		key   string
		share float64
	}{{"loss", f.Loss}, {"duplicate", f.Duplicate}, {"reorder", f.Reorder}} {
		if !(x.share >= 0 && x.share <= 1) {
			return fmt.Errorf("%s: %v is not between 0 and 1", x.key, x.share)
		}
	}
	if f.Delay < 0 || f.Delay > time.Minute {
		return fmt.Errorf("delay: %v is not between 0 and 1m", f.Delay)
	}
	return nil
}

// ATEMOptionsOf reads the settings of a simulated switcher: model, dump (a file), scenario, seed, sessions.
func ATEMOptionsOf(settings url.Values) (o ATEMOptions, err error) {
	o.Model, o.Scenario = settings.Get("model"), settings.Get("scenario")
	if o.Scenario != "" && !slices.Contains(ATEMScenarios(), o.Scenario) {
		return o, fmt.Errorf("scenario: %q is unknown; known: %s", o.Scenario, strings.Join(ATEMScenarios(), ", "))
	}
	if s := settings.Get("seed"); s != "" {
		if o.Seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			return o, fmt.Errorf("seed: %q is no whole number from 0", s)
		}
	}
	if s := settings.Get("sessions"); s != "" {
		if o.Sessions, err = strconv.Atoi(s); err != nil || o.Sessions < 1 || o.Sessions > 1000 {
			return o, fmt.Errorf("sessions: %q is no number from 1 to 1000", s)
		}
	}
	if file := settings.Get("dump"); file != "" {
		if o.Model != "" {
			return o, errors.New("dump: the model is what the dump says; leave one of model and dump out")
		}
		if o.State, err = ReadDump(file); err != nil {
			return o, err
		}
	}
	return o, nil
}

// ReadDump reads the state of a switcher from a file, see [atem.ReadDump].
func ReadDump(file string) (*atem.State, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("dump: %w", err)
	}
	defer f.Close()
	state, err := atem.ReadDump(f)
	if err != nil {
		return nil, fmt.Errorf("dump %s: %w", file, err)
	}
	return state, nil
}

// ATEM is a simulated video switcher with what happens to it. All methods may be called at the same time; make it with
// [NewATEM].
type ATEM struct {
	Switcher *atemsim.Switcher
	opts     ATEMOptions

	mu     sync.Mutex
	faults ATEMFaults
}

// NewATEM makes a switcher; it starts nothing.
func NewATEM(o ATEMOptions) (*ATEM, error) {
	sim, err := atemsim.New(atemsim.Options{Model: o.Model, State: o.State, Seed: o.Seed, Dirty: o.Faults.Dirty})
	if err != nil {
		return nil, err
	}
	d := &ATEM{Switcher: sim, opts: o, faults: o.Faults}
	sim.Silence(o.Faults.Silent)
	return d, nil
}

// Device is what the switcher serves over its own protocol.
func (d *ATEM) Device() Device {
	return Device{Services: []Service{{Network: "udp", Port: atem.Port, Packets: d.ServePackets}}, Run: d.Run}
}

// ServePackets serves the switcher over UDP until ctx ends; it closes p.
func (d *ATEM) ServePackets(ctx context.Context, p net.PacketConn) error {
	f := d.opts.Faults
	if f.Full {
		return rejectAll(ctx, p)
	}
	return d.Switcher.ServeUDP(ctx, p, atemsim.UDPOptions{MaxSessions: d.opts.Sessions,
		Faults: atemsim.Faults{Loss: f.Loss, Duplicate: f.Duplicate, Reorder: f.Reorder, Delay: f.Delay, Seed: d.opts.Seed}})
}

// rejectAll is a switcher whose sessions are all taken.
func rejectAll(ctx context.Context, p net.PacketConn) error {
	stop := context.AfterFunc(ctx, func() { _ = p.Close() }) // nothing else ends ReadFrom
	defer stop()
	defer p.Close()
	buf := make([]byte, atem.MaxPacket)
	for {
		n, from, err := p.ReadFrom(buf)
		if err != nil {
			return err
		}
		if q, err := atem.ParsePacket(buf[:n]); err == nil && q.Flags&atem.FlagHandshake != 0 && q.Handshake().Step == atem.StepOpen {
			if _, err := p.WriteTo(atem.Handshake{Step: atem.StepReject}.Append(nil, q.Session, 0), from); err != nil {
				return err
			}
		}
	}
}

// FaultsJSON implements [Controlled].
func (d *ATEM) FaultsJSON() ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return yaml.MarshalWithOptions(&d.faults, yaml.JSON())
}

// PatchFaults implements [Controlled]; silent is what can change while the switcher runs.
func (d *ATEM) PatchFaults(text []byte) ([]byte, error) {
	d.mu.Lock()
	next := d.faults
	err := decodeStrict(text, &next)
	if err == nil {
		silent := next
		silent.Silent = d.faults.Silent
		if silent != d.faults {
			err = errors.New("only silent can change while the switcher runs; start it again for the others")
		}
	}
	if err == nil {
		d.faults = next
		d.Switcher.Silence(next.Silent)
	}
	d.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return d.FaultsJSON()
}

// ATEMEvent is one thing that happens to a switcher; exactly one of its keys is given. M/Es count from 1.
type ATEMEvent struct {
	Cut     uint8       `yaml:"cut"`
	Auto    uint8       `yaml:"auto"`
	Fade    uint8       `yaml:"fade"`
	Program *ATEMChoice `yaml:"program"`
	Preview *ATEMChoice `yaml:"preview"`
	Input   *ATEMName   `yaml:"input"`
	Restart bool        `yaml:"restart"`
}

// ATEMChoice is a source on a bus.
type ATEMChoice struct {
	ME     uint8  `yaml:"me"`
	Source uint16 `yaml:"source"`
}

// ATEMName is a name for a source.
type ATEMName struct {
	Source uint16 `yaml:"source"`
	Name   string `yaml:"name"`
}

// Happen implements [Controlled]; the text is an [ATEMEvent].
func (d *ATEM) Happen(text []byte) error {
	var e ATEMEvent
	if err := decodeStrict(text, &e); err != nil {
		return err
	}
	var do []atem.Message
	me := func(n uint8) uint8 { return max(n, 1) - 1 }
	switch {
	case e.Cut > 0:
		do = append(do, &atem.Cut{ME: e.Cut - 1})
	case e.Auto > 0:
		do = append(do, &atem.Auto{ME: e.Auto - 1})
	case e.Fade > 0:
		do = append(do, &atem.FadeToBlackAuto{ME: e.Fade - 1})
	case e.Program != nil:
		do = append(do, &atem.SetProgramSource{ME: me(e.Program.ME), Source: atem.SourceID(e.Program.Source)})
	case e.Preview != nil:
		do = append(do, &atem.SetPreviewSource{ME: me(e.Preview.ME), Source: atem.SourceID(e.Preview.Source)})
	case e.Input != nil:
		do = append(do, &atem.SetInputProperties{Mask: atem.SetInputPropertiesMaskName, Source: atem.SourceID(e.Input.Source), Name: e.Input.Name})
	case e.Restart:
		d.Switcher.Restart()
		return nil
	default:
		return errors.New("nothing happens in it; give one of cut, auto, fade, program, preview, input, restart")
	}
	d.Switcher.Do(do...)
	return nil
}

// Run lets happen what the scenario says, until ctx ends.
func (d *ATEM) Run(ctx context.Context) error {
	if d.opts.Scenario != atemShow {
		<-ctx.Done()
		return nil
	}
	p := &producer{sim: d.Switcher, rng: rand.New(rand.NewPCG(d.opts.Seed, 0x73686f77))}
	for shot := 0; ; shot++ {
		t := time.NewTimer(p.pause())
		select {
		case <-t.C:
			p.shot(shot)
		case <-ctx.Done():
			t.Stop()
			return nil
		}
	}
}

// producer is somebody who makes a show.
type producer struct {
	sim *atemsim.Switcher
	rng *rand.Rand
}

// pause is how long a picture stands.
func (p *producer) pause() time.Duration {
	return time.Duration(4000+p.rng.IntN(6000)) * time.Millisecond
}

// shot goes to the next picture: a camera on preview, and then a cut or a mix; now and then a title comes in or goes.
func (p *producer) shot(n int) {
	state := p.sim.State()
	program, ok := atem.Get[atem.ProgramSource](state, 0)
	if !ok {
		return
	}
	var cameras []atem.SourceID
	for in := range atem.All[atem.InputProperties](state) {
		if in.InternalPort == atem.InternalPortExternal && in.UsableOnME&atem.UsableOnMEME1 != 0 && in.Source != program.Source {
			cameras = append(cameras, in.Source)
		}
	}
	if len(cameras) == 0 {
		return
	}
	do := []atem.Message{&atem.SetPreviewSource{Source: cameras[p.rng.IntN(len(cameras))]}}
	switch {
	case n%5 == 4:
		if dsk, ok := atem.Get[atem.DownstreamKeyState](state, 0); ok && !dsk.InTransition {
			do = append(do, &atem.DownstreamKeyAuto{})
		}
	case p.rng.IntN(3) == 0:
		do = append(do, &atem.Cut{})
	default:
		do = append(do, &atem.Auto{})
	}
	p.sim.Do(do...)
}
