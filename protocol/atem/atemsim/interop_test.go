package atemsim_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/atem/atemsim"
)

const peerFolder = "testdata/atem-connection"

// peer is npm atem-connection as a client.
type peer struct {
	*testing.T
	in  io.WriteCloser
	out *bufio.Scanner
}

// missing skips a test for which a program is missing; in CI it fails.
func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

func connect(t *testing.T, addr net.Addr) *peer {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node is missing; install Node.js to run this")
	}
	if _, err := os.Stat(filepath.Join(peerFolder, "node_modules")); err != nil {
		missing(t, "npm atem-connection is missing; run npm ci --prefix protocol/atem/atemsim/%s", peerFolder)
	}
	udp := addr.(*net.UDPAddr)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	cmd := exec.CommandContext(ctx, node, "peer.mjs", udp.IP.String(), fmt.Sprint(udp.Port))
	cmd.Dir = peerFolder
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil && !t.Failed() {
			t.Error("node:", err)
		}
		cancel()
	})
	p := &peer{t, in, bufio.NewScanner(out)}
	p.out.Buffer(nil, 1<<20)
	if got := p.read(); got["connected"] != true {
		t.Fatalf("not connected: %v", got)
	}
	return p
}

func (p *peer) line() any {
	p.Helper()
	for {
		if !p.out.Scan() {
			p.Fatal("the peer is gone:", p.out.Err())
		}
		if b := p.out.Bytes(); len(b) > 0 && bytes.ContainsAny(b[:1], "{[n") {
			break // else one of its libraries says something
		}
	}
	var v any
	if err := json.Unmarshal(p.out.Bytes(), &v); err != nil {
		p.Fatalf("%q: %v", p.out.Text(), err)
	}
	return v
}

func (p *peer) read() map[string]any {
	p.Helper()
	m, _ := p.line().(map[string]any)
	if e := m["error"]; e != nil {
		p.Fatalf("the peer says: %v", e)
	}
	return m
}

func (p *peer) ask(request any) any {
	p.Helper()
	b, err := json.Marshal(request)
	if err != nil {
		p.Fatal(err)
	}
	if _, err := p.in.Write(append(b, '\n')); err != nil {
		p.Fatal(err)
	}
	v := p.line()
	if m, ok := v.(map[string]any); ok && m["error"] != nil {
		p.Fatalf("%s: %v", b, m["error"])
	}
	return v
}

func (p *peer) call(method string, args ...any) {
	p.Helper()
	if args == nil {
		args = []any{}
	}
	p.ask(map[string]any{"call": method, "args": args})
}

// until waits until the peer's state has the values.
func (p *peer) until(what string, want map[string]any) {
	p.Helper()
	paths := slices.Sorted(maps.Keys(want))
	var wrong string
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		got, _ := p.ask(map[string]any{"get": paths}).([]any)
		wrong = ""
		for i, path := range paths {
			if !equal(got[i], want[path]) {
				wrong = fmt.Sprintf("%s is %v, not %v", path, got[i], want[path])
				break
			}
		}
		if wrong == "" {
			return
		}
	}
	p.Fatalf("%s: %s", what, wrong)
}

func equal(got, want any) bool {
	g, isNumber := got.(float64)
	w, err := json.Marshal(want)
	var n float64
	if isNumber && err == nil && json.Unmarshal(w, &n) == nil {
		return math.Abs(g-n) < 1e-6
	}
	var v any
	_ = json.Unmarshal(w, &v)
	return fmt.Sprint(got) == fmt.Sprint(v)
}

// listen serves a switcher on a socket of its own.
func listen(t *testing.T, sw *atemsim.Switcher) net.Addr {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := pc.LocalAddr()
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = sw.ServeUDP(ctx, pc, atemsim.UDPOptions{}) })
	t.Cleanup(func() { stop(); wg.Wait() })
	return addr
}

// values is what a client of npm atem-connection should make of a state.
func values(st *atem.State) map[string]any {
	want := map[string]any{}
	pin, _ := atem.Get[atem.Product](st)
	top, _ := atem.Get[atem.Topology](st)
	want["info.productIdentifier"], want["info.model"], want["info.apiVersion"] = pin.Name, pin.Model, st.Version()
	want["info.capabilities.mixEffects"], want["info.capabilities.sources"], want["info.capabilities.auxilliaries"] = top.MEs, top.Sources, top.Auxes
	want["info.capabilities.downstreamKeyers"], want["info.capabilities.superSources"], want["info.capabilities.mediaPlayers"] = top.DSKs, top.SuperSources, top.MediaPlayers
	mode, _ := atem.Get[atem.VideoStandard](st)
	want["settings.videoMode"] = mode.Mode
	for in := range atem.All[atem.InputProperties](st) {
		at := fmt.Sprintf("inputs.%d.", in.Source)
		want[at+"longName"], want[at+"shortName"], want[at+"internalPortType"] = in.Name, in.Label, in.InternalPort
		want[at+"sourceAvailability"], want[at+"meAvailability"], want[at+"externalPortType"] = in.UsableIn, in.UsableOnME, in.Port
	}
	for p := range atem.All[atem.ProgramSource](st) {
		want[fmt.Sprintf("video.mixEffects.%d.programInput", p.ME)] = p.Source
	}
	for p := range atem.All[atem.PreviewSource](st) {
		want[fmt.Sprintf("video.mixEffects.%d.previewInput", p.ME)] = p.Source
	}
	for p := range atem.All[atem.TransitionPosition](st) {
		at := fmt.Sprintf("video.mixEffects.%d.transitionPosition.", p.ME)
		want[at+"inTransition"], want[at+"handlePosition"], want[at+"remainingFrames"] = p.InTransition, p.Position, p.FramesLeft
	}
	for p := range atem.All[atem.MixSettings](st) {
		want[fmt.Sprintf("video.mixEffects.%d.transitionSettings.mix.rate", p.ME)] = p.Rate
	}
	for p := range atem.All[atem.FadeToBlackState](st) {
		want[fmt.Sprintf("video.mixEffects.%d.fadeToBlack.isFullyBlack", p.ME)] = p.FullyBlack
	}
	for k := range atem.All[atem.KeyBase](st) {
		at := fmt.Sprintf("video.mixEffects.%d.upstreamKeyers.%d.", k.ME, k.Keyer)
		on, _ := atem.Get[atem.KeyOnAir](st, int64(k.ME), int64(k.Keyer))
		want[at+"onAir"], want[at+"fillSource"], want[at+"cutSource"], want[at+"mixEffectKeyType"] = on.OnAir, k.FillSource, k.KeySource, k.KeyType
		dve, _ := atem.Get[atem.DVEKey](st, int64(k.ME), int64(k.Keyer))
		want[at+"dveSettings.sizeX"], want[at+"dveSettings.positionX"], want[at+"dveSettings.borderOpacity"] = dve.Width, dve.X, dve.BorderOpacity
	}
	for d := range atem.All[atem.DownstreamKeyState](st) {
		at := fmt.Sprintf("video.downstreamKeyers.%d.", d.DSK)
		prop, _ := atem.Get[atem.DownstreamKeyProperties](st, int64(d.DSK))
		src, _ := atem.Get[atem.DownstreamKeySources](st, int64(d.DSK))
		want[at+"onAir"], want[at+"isTowardsOnAir"], want[at+"remainingFrames"] = d.OnAir, d.TowardOnAir, d.FramesLeft
		want[at+"properties.tie"], want[at+"properties.rate"], want[at+"sources.fillSource"] = prop.Tie, prop.Rate, src.FillSource
	}
	for a := range atem.All[atem.AuxSource](st) {
		want[fmt.Sprintf("video.auxilliaries.%d", a.Aux)] = a.Source
	}
	for b := range atem.All[atem.SuperSourceBox](st) {
		at := fmt.Sprintf("video.superSources.%d.boxes.%d.", b.SuperSource, b.Box)
		want[at+"enabled"], want[at+"source"], want[at+"x"], want[at+"size"] = b.Enabled, b.Source, b.X, b.Size
	}
	for c := range atem.All[atem.ColourGenerator](st) {
		at := fmt.Sprintf("colorGenerators.%d.", c.Generator)
		want[at+"hue"], want[at+"saturation"], want[at+"luma"] = c.Hue, c.Saturation, c.Luma
	}
	for p := range atem.All[atem.MediaPlayerSource](st) {
		at := fmt.Sprintf("media.players.%d.", p.Player)
		want[at+"sourceType"], want[at+"stillIndex"] = p.Kind, p.Still
	}
	for s := range atem.All[atem.MediaPoolStill](st) {
		if s.Bank == atem.MediaBankStill {
			at := fmt.Sprintf("media.stillPool.%d.", s.Slot)
			want[at+"isUsed"], want[at+"fileName"] = s.Used, s.Name
		}
	}
	for m := range atem.All[atem.MacroProperties](st) {
		at := fmt.Sprintf("macro.macroProperties.%d.", m.Macro)
		want[at+"isUsed"], want[at+"name"], want[at+"description"] = m.Used, m.Name, m.Description
	}
	for s := range atem.All[atem.FairlightStrip](st) {
		at := fmt.Sprintf("fairlight.inputs.%d.sources.%d.properties.", s.Source, s.StripID)
		want[at+"faderGain"], want[at+"gain"], want[at+"mixOption"] = s.Fader, s.Gain, s.Mix
	}
	for in := range atem.All[atem.ClassicInput](st) {
		want[fmt.Sprintf("audio.channels.%d.mixOption", in.Source)] = in.Mix
	}
	if r, ok := atem.Get[atem.RecordingState](st); ok {
		want["recording.status.recordingTimeAvailable"] = r.SecondsLeft
	}
	if s, ok := atem.Get[atem.StreamingService](st); ok {
		want["streaming.service.serviceName"], want["streaming.service.url"], want["streaming.service.bitrates.0"] = s.Service, s.URL, s.Bitrates[0]
	}
	return want
}

// npm atem-connection makes of every model what it is, and its commands take effect.
func TestInteropAtemConnection(t *testing.T) {
	for _, name := range atemsim.Models() {
		t.Run(name, func(t *testing.T) {
			sw, err := atemsim.New(atemsim.Options{Model: name, Dirty: name == "television-studio-hd"})
			if err != nil {
				t.Fatal(err)
			}
			p := connect(t, listen(t, sw))
			p.until("connected", values(sw.State()))

			p.call("changePreviewInput", 3, 0)
			p.call("setMixTransitionSettings", map[string]any{"rate": 5}, 0)
			p.call("autoTransition", 0)
			p.call("setAuxSource", 10011, 0)
			p.call("setColorGeneratorColour", map[string]any{"hue": 1234}, 1)
			p.call("setInputSettings", map[string]any{"longName": "Renamed", "shortName": "REN"}, 2)
			p.call("setDownstreamKeyTie", true, 0)
			p.call("setUpstreamKeyerOnAir", true, 0, 0)
			p.call("macroRun", 1)
			p.call("macroUpdateProperties", map[string]any{"name": "Other"}, 0)
			p.call("setUpstreamKeyerDVESettings", map[string]any{"positionX": -4000, "borderOpacity": 12}, 0, 0)
			p.until("after commands", map[string]any{
				"video.mixEffects.0.programInput": 3, "video.mixEffects.0.previewInput": 1, "video.mixEffects.0.transitionPosition.inTransition": false,
				"video.auxilliaries.0": 10011, "colorGenerators.1.hue": 1234, "inputs.2.longName": "Renamed", "inputs.2.shortName": "REN",
				"video.downstreamKeyers.0.properties.tie": true, "video.mixEffects.0.upstreamKeyers.0.onAir": true, "macro.macroProperties.0.name": "Other",
				"video.mixEffects.0.upstreamKeyers.0.dveSettings.positionX": -4000,
			})
			st := sw.State()
			if in, _ := atem.Get[atem.InputProperties](st, 2); in.Name != "Renamed" {
				t.Errorf("%+v", in)
			}
			p.until("at the end", values(st))
		})
	}
}

// Files of npm atem-connection go both ways.
func TestInteropAtemConnectionFiles(t *testing.T) {
	sw, err := atemsim.New(atemsim.Options{Model: "mini-extreme-iso"})
	if err != nil {
		t.Fatal(err)
	}
	p := connect(t, listen(t, sw))
	got, _ := p.ask(map[string]any{"still": 7, "width": 1920, "height": 1080}).(map[string]any)
	if got["size"] != 1920.0*1080*4 || got["worst"].(float64) > 3 {
		t.Errorf("the still came back as %v", got)
	}
	if s, _ := atem.Get[atem.MediaPoolStill](sw.State(), 0, 7); !s.Used || s.Name != "Two colours" {
		t.Errorf("%+v", s)
	}
	p.ask(map[string]any{"macro": 0, "to": 30})
	if m, _ := atem.Get[atem.MacroProperties](sw.State(), 30); !m.Used || m.Name != "Copy" {
		t.Errorf("%+v", m)
	}
}
