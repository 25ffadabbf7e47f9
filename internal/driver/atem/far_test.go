package atem

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/atem/atemserver"
)

// far is a switcher of few words: it has the state that it is made of, and does the commands that the suite needs.
type far struct {
	server *atemserver.Server
	writes atomic.Int64

	mu     sync.Mutex
	state  atem.State
	conns  map[*atemserver.Conn]bool
	meters map[*atemserver.Conn]bool
}

var farVersion = atem.MakeVersion(2, 30)

func newFar(o atemserver.Options) *far {
	f := &far{conns: map[*atemserver.Conn]bool{}, meters: map[*atemserver.Conn]bool{}}
	f.server = atemserver.New(f, o)
	f.say(&atem.ProtocolVersion{Major: 2, Minor: 30},
		&atem.Product{Name: "ATEM Example", Model: atem.ModelMini},
		&atem.Topology{MEs: 1, Sources: 4, DSKs: 1, Auxes: 1, MediaPlayers: 1},
		&atem.MixEffectConfig{ME: 0, Keyers: 1},
		&atem.VideoStandard{Mode: atem.VideoMode1080p50})
	for id, name := range []string{"Black", "Camera 1", "Camera 2", "Camera 3"} {
		f.say(&atem.InputProperties{Source: atem.SourceID(id), Name: name, Label: name[:1] + name[len(name)-1:], UsableIn: atem.UsableInAll, UsableOnME: atem.UsableOnMEME1})
	}
	f.say(&atem.ProgramSource{Source: 1}, &atem.PreviewSource{Source: 2},
		&atem.TransitionSelection{Layers: 1, NextLayers: 1}, &atem.TransitionPosition{}, &atem.MixSettings{Rate: 25},
		&atem.KeyOnAir{}, &atem.KeyBase{FillSource: 1, KeySource: 2},
		&atem.FadeToBlackState{}, &atem.FadeToBlackRate{Rate: 25},
		&atem.DownstreamKeySources{}, &atem.DownstreamKeyProperties{Rate: 25}, &atem.DownstreamKeyState{},
		&atem.AuxSource{Source: 1},
		&atem.ClassicInput{Source: 1, Mix: atem.ClassicMixOn, Gain: unity}, &atem.ClassicMaster{Gain: unity},
		&atem.TallyByInput{Inputs: []atem.Tally{atem.TallyProgram, atem.TallyPreview, 0}},
		&atem.TallyBySource{Sources: []atem.TallySource{{Source: 0}, {Source: 1, Tally: atem.TallyProgram}, {Source: 2, Tally: atem.TallyPreview}, {Source: 3}}})
	return f
}

// say changes the state and tells everybody.
func (f *far) say(messages ...atem.Message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tell(messages...)
}

func (f *far) tell(messages ...atem.Message) {
	var payload []byte
	for _, m := range messages {
		b := m.Append(nil, farVersion)
		field, _, err := atem.Next(b)
		if err != nil {
			panic(err)
		}
		f.state.Apply(&field)
		payload = append(payload, b...)
	}
	for c := range f.conns {
		_ = c.Send(payload)
	}
}

// Opened implements atemserver.Handler.
func (f *far) Opened(c *atemserver.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conns[c] = true
	_ = c.Send(f.state.Dump(atem.MaxPayload)...)
	_ = c.Send((&atem.InitComplete{Value: 1}).Append(nil, farVersion))
}

// Closed implements atemserver.Handler.
func (f *far) Closed(c *atemserver.Conn, _ error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.conns, c)
	delete(f.meters, c)
}

// parse reads a command; a body that does not fit is no command of ours.
func parse[T any, M interface {
	*T
	atem.Message
}](body []byte) *T {
	v := new(T)
	if err := M(v).Parse(farVersion, body); err != nil {
		panic(err)
	}
	return v
}

// Command implements atemserver.Handler.
func (f *far) Command(c *atemserver.Conn, payload []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for field, err := range atem.Fields(payload) {
		if err != nil {
			return
		}
		body := field.Body
		switch field.Code {
		case atem.CodeSALN:
			f.meters[c] = parse[atem.SendClassicLevels](body).On
			continue
		case atem.CodeCPgI:
			f.tell(&atem.ProgramSource{Source: parse[atem.SetProgramSource](body).Source})
		case atem.CodeCPvI:
			f.tell(&atem.PreviewSource{Source: parse[atem.SetPreviewSource](body).Source})
		case atem.CodeCTMx:
			f.tell(&atem.MixSettings{Rate: parse[atem.SetMixSettings](body).Rate})
		case atem.CodeCAuS:
			f.tell(&atem.AuxSource{Source: parse[atem.SetAuxSource](body).Source})
		case atem.CodeCInL:
			v := parse[atem.SetInputProperties](body)
			now, _ := atem.Get[atem.InputProperties](&f.state, int64(v.Source))
			if v.Mask&atem.SetInputPropertiesMaskName != 0 {
				now.Name = v.Name
			} else {
				now.Label = v.Label
			}
			f.tell(&now)
		case atem.CodeCAMI:
			f.tell(&atem.ClassicInput{Source: 1, Mix: atem.ClassicMixOn, Gain: parse[atem.SetClassicInput](body).Gain})
		case atem.CodeDCut:
			p, _ := atem.Get[atem.ProgramSource](&f.state, 0)
			v, _ := atem.Get[atem.PreviewSource](&f.state, 0)
			f.tell(&atem.ProgramSource{Source: v.Source}, &atem.PreviewSource{Source: p.Source})
		}
		f.writes.Add(1)
	}
}

// servePackets serves the switcher with its meters.
func (f *far) servePackets(ctx context.Context, p net.PacketConn) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	wg.Go(func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for n := uint32(1); ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			level := &atem.ClassicLevels{MasterLeft: n % 100 * 1000, Sources: []atem.AudioSource{1}, Levels: []atem.ClassicLevel{{Left: n % 100 * 2000}}}
			f.mu.Lock()
			for c, on := range f.meters {
				if on {
					_ = c.Send(level.Append(nil, farVersion))
				}
			}
			f.mu.Unlock()
		}
	})
	return f.server.Serve(ctx, p)
}
