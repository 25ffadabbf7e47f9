package atem

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/atem/atemserver"
	"github.com/patchbay-io/patchbay/protocol/openswitcher"
	"github.com/patchbay-io/patchbay/protocol/openswitcher/oswserver"
)

// far is a switcher of few words: it has the state that it is made of, and does the commands that the suite needs.
type far struct {
	server *atemserver.Server
	writes atomic.Int64

	mu     sync.Mutex
	state  atem.State
	conns  map[farConn]bool
	meters map[farConn]bool
	asked  func()                     // it was asked for the time; nil: nobody counts
	more   func(farConn, *atem.Field) // what it does besides; nil: nothing
}

// farConn is a client, however it has come.
type farConn interface{ tell(payload []byte) }

type udpConn struct{ *atemserver.Conn }

func (c udpConn) tell(payload []byte) { _ = c.Send(payload) }

type tcpConn struct{ *oswserver.Conn }

func (c tcpConn) tell(payload []byte) {
	packets, err := openswitcher.Packets(payload)
	if err != nil {
		panic(err)
	}
	_ = c.Send(packets...)
}

var farVersion = atem.MakeVersion(2, 30)

func newFar(o atemserver.Options) *far {
	f := &far{conns: map[farConn]bool{}, meters: map[farConn]bool{}}
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
		c.tell(payload)
	}
}

func (f *far) opened(c farConn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conns[c] = true
	for _, payload := range f.state.Dump(atem.MaxPayload) {
		c.tell(payload)
	}
}

func (f *far) closed(c farConn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.conns, c)
	delete(f.meters, c)
}

// Opened implements atemserver.Handler.
func (f *far) Opened(c *atemserver.Conn) { f.opened(udpConn{c}) }

// Closed implements atemserver.Handler.
func (f *far) Closed(c *atemserver.Conn, _ error) { f.closed(udpConn{c}) }

// Command implements atemserver.Handler.
func (f *far) Command(c *atemserver.Conn, payload []byte) { f.command(udpConn{c}, payload) }

// relay is the switcher behind a relay that wants a login.
type relay struct{ *far }

// Login implements oswserver.Handler.
func (r relay) Login(_ context.Context, _ *oswserver.Conn, user, password string) error {
	if user != "operator" || password != "on air" {
		return errors.New("no")
	}
	return nil
}

// Devices implements oswserver.Handler.
func (r relay) Devices(*oswserver.Conn) []openswitcher.Device {
	return []openswitcher.Device{{ID: "device", Label: "Studio"}, {ID: "spare", Label: "Spare"}}
}

// Opened implements oswserver.Handler.
func (r relay) Opened(c *oswserver.Conn) error {
	r.opened(tcpConn{c})
	return nil
}

// Closed implements oswserver.Handler.
func (r relay) Closed(c *oswserver.Conn, _ error) { r.closed(tcpConn{c}) }

// Command implements oswserver.Handler.
func (r relay) Command(c *oswserver.Conn, payload []byte) { r.command(tcpConn{c}, payload) }

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

// command carries out a packet of commands.
func (f *far) command(c farConn, payload []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for field, err := range atem.Fields(payload) {
		if err != nil {
			return
		}
		body := field.Body
		if field.Code != atem.CodeSALN && field.Code != atem.CodeTiRq {
			f.writes.Add(1) // before anybody can see what comes of it
		}
		switch field.Code {
		case atem.CodeSALN:
			f.meters[c] = parse[atem.SendClassicLevels](body).On
			continue
		case atem.CodeTiRq:
			if f.asked != nil {
				f.asked()
			}
			c.tell((&atem.Timecode{Hour: 12}).Append(nil, farVersion))
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
		if f.more != nil {
			f.more(c, &field)
		}
	}
}

// serveRelay serves the switcher over the relay, with its meters.
func (f *far) serveRelay(ctx context.Context, l net.Listener) error {
	return f.withMeters(ctx, func(ctx context.Context) error {
		return oswserver.New(relay{f}, oswserver.Options{Logins: true}).Serve(ctx, l)
	})
}

// servePackets serves the switcher over UDP, with its meters.
func (f *far) servePackets(ctx context.Context, p net.PacketConn) error {
	return f.withMeters(ctx, func(ctx context.Context) error { return f.server.Serve(ctx, p) })
}

func (f *far) withMeters(ctx context.Context, serve func(context.Context) error) error {
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
					c.tell(level.Append(nil, farVersion))
				}
			}
			f.mu.Unlock()
		}
	})
	return serve(ctx)
}
