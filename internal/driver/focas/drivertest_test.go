package focas

import (
	"bytes"
	"context"
	"flag"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/goccy/go-yaml"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/drivertest"
	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focassim"
	"github.com/patchbay-io/patchbay/transcript"
	"github.com/patchbay-io/patchbay/transcript/tap"
)

// record makes the recordings in testdata anew: go test ./internal/driver/focas -run Transcripts -record
var record = flag.Bool("record", false, "record the sessions in testdata anew, with the simulator")

// suiteOptions name memory of the control that is the same at each power-on.
func suiteOptions() any {
	o := defaults()
	o.Macros = Numbers{{500, 501}, {9999, 9999}}
	o.Parameters = Numbers{{6711, 6711}, {1320, 1320}}
	o.PMC = Addresses{pmcAddress("D100:word"), pmcAddress("K5")}
	o.ToolOffsets = Numbers{{1, 2}}
	return o
}

func pmcAddress(s string) focas.PMCAddress {
	a, err := focas.ParsePMCAddress(s)
	if err != nil {
		panic(err)
	}
	return a
}

// still makes a simulated control that nobody starts.
func still(t *testing.T, profile string, writes *atomic.Int64) *focassim.Sim {
	t.Helper()
	sim, err := focassim.New(focassim.Options{Profile: profile, Seed: 1, Manual: true, WrapConn: func(c net.Conn) net.Conn {
		return &writeCounter{Conn: c, writes: writes}
	}})
	if err != nil {
		t.Fatal(err)
	}
	return sim
}

// writeCounter counts the blocks that change something among what a control reads.
type writeCounter struct {
	net.Conn
	rest   []byte
	writes *atomic.Int64
}

func (c *writeCounter) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.rest = append(c.rest, p[:n]...)
	for {
		f, rest, err := focas.ParseFrame(c.rest)
		if err != nil {
			break
		}
		if blocks, err := focas.RequestBlocks(f.Body); err == nil && f.Type == focas.TypeData {
			for q, ok, err := blocks.NextRequest(); ok && err == nil; q, ok, err = blocks.NextRequest() {
				if q.Func.Info().Effect != focas.EffectRead {
					c.writes.Add(1)
				}
			}
		}
		c.rest = rest
	}
	return n, err
}

// suite is the target with a simulated control behind far, which is the server that the driver meets.
func suite(profile string, far func(t *testing.T, sim *focassim.Sim) func(context.Context, net.Listener) error) drivertest.Target {
	return drivertest.Target{
		Driver:  New(),
		URL:     "focas://192.0.2.21",
		Options: suiteOptions,
		Far: func(t *testing.T) drivertest.Far {
			writes := new(atomic.Int64)
			sim := still(t, profile, writes)
			return drivertest.Far{
				Serve: far(t, sim),
				Change: func() (device.Path, device.Value) {
					sim.Do(focassim.Event{Kind: focassim.FeedOverride, Value: 70})
					return "path/1/feed/override", device.OfInt(70)
				},
				Writes: func() int { return int(writes.Load()) },
			}
		},
		Points: []driver.Write{
			{Path: "path/1/feed/override", Value: device.OfInt(100)},
			{Path: "emergency-stop", Value: device.OfEnum(eStopArmed)},
			{Path: "identity/model", Value: device.OfString(profile + "-B")},
			{Path: "path/1/execution", Value: device.OfEnum(execReady)},
			{Path: "alarm-count", Value: device.OfInt(0)},
		},
		Writes: []driver.Write{
			{Path: "macros/500", Value: device.OfFloat(12.5)},
			{Path: "macros/501", Value: device.OfFloat(-3)},
			{Path: "parameters/6711", Value: device.OfFloat(77)},
			{Path: "pmc/d100-word", Value: device.OfInt(1234)},
		},
		Refused: &driver.Write{Path: "macros/9999", Value: device.OfFloat(1)},
	}
}

func direct(_ *testing.T, sim *focassim.Sim) func(context.Context, net.Listener) error {
	return sim.Serve
}

// The driver against the simulated controls of both dialects.
func TestDriverWithSimulator(t *testing.T) {
	for _, profile := range []string{"30i", "16i"} {
		t.Run(profile, func(t *testing.T) { drivertest.Run(t, suite(profile, direct)) })
	}
}

// The driver against recorded sessions. They were recorded with the simulator, so they are no evidence about a control:
// they hold today's driver to what it asked and understood when they were made.
func TestDriverWithTranscripts(t *testing.T) {
	for _, profile := range []string{"30i", "16i"} {
		t.Run(profile, func(t *testing.T) {
			file := filepath.Join("testdata", "session-"+profile+".transcript")
			if *record {
				recordSession(t, profile, file)
			}
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			recorded, err := transcript.Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			oneFlow(recorded)
			target := suite(profile, direct)
			target.Groups = []string{"describe", "read"}
			target.Writes, target.Refused = nil, nil
			target.Far = func(*testing.T) drivertest.Far {
				replay := tap.Answering(recorded, splitFrames)
				return drivertest.Far{Dial: replay.Dial, Done: replay.Err}
			}
			drivertest.Run(t, target)
		})
	}
}

// splitFrames cuts what a client sends into frames.
func splitFrames(b []byte) (int, error) {
	if len(b) < focas.HeaderSize {
		return 0, nil
	}
	h, err := focas.ParseHeader(b)
	if err != nil {
		return 0, err
	}
	if n := focas.HeaderSize + int(h.Length); n <= len(b) {
		return n, nil
	}
	return 0, nil
}

// recordSession records what the groups of TestDriverWithTranscripts ask: the same points, all points, and one, each twice
// in a session of its own.
func recordSession(t *testing.T, profile, file string) {
	t.Helper()
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		rec, err := tap.NewRecorder(&out, &transcript.Header{Protocol: "focas", Device: "simulated " + profile,
			Client: transcript.Origin{Producer: transcript.OwnClient}, Server: transcript.Origin{Producer: transcript.OwnSimulator}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		network := new(testnet.Network)
		l, sim := network.MustListen(simAddr), still(t, profile, new(atomic.Int64))
		served := make(chan error, 1)
		go func() { served <- sim.Serve(ctx, l) }()
		target := suite(profile, direct)
		var known []device.Path
		for _, p := range target.Points {
			known = append(known, p.Path)
		}
		for _, paths := range [][]device.Path{known, known[:1], nil} {
			s, err := New().Open(ctx, driver.Env{Dial: rec.Dial(network.Dial)},
				driver.Target{Name: "mill", URL: &url.URL{Scheme: "focas", Host: "192.0.2.21"}, Options: target.Options()})
			if err != nil {
				t.Fatal(err)
			}
			if paths == nil {
				for _, sp := range s.(*session).allSpecs() {
					paths = append(paths, sp.Path)
				}
			}
			for range 2 {
				if _, err := s.Read(ctx, paths); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		cancel()
		<-served
		if err := rec.Err(); err != nil {
			t.Fatal(err)
		}
	})
	if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// oneFlow puts the data of all flows into one, so that every connection of a replay can be answered from all of them.
func oneFlow(t *transcript.Transcript) {
	t.Events = slices.DeleteFunc(t.Events, func(e transcript.Event) bool { return e.Kind != transcript.Data })
	for i := range t.Events {
		t.Events[i].Flow = 1
	}
}

// TestDriverWithDevice runs the groups that only read against a real control:
//
//	PATCHBAY_FOCAS_DEVICE=focas://192.0.2.21 go test ./internal/driver/focas -run Device
//
// PATCHBAY_FOCAS_OPTIONS may hold options as YAML ("macros: 500-503"). Nothing is written.
func TestDriverWithDevice(t *testing.T) {
	addr := os.Getenv("PATCHBAY_FOCAS_DEVICE")
	if addr == "" {
		t.Skip("PATCHBAY_FOCAS_DEVICE names no control")
	}
	options := func() any {
		o := defaults()
		if text := os.Getenv("PATCHBAY_FOCAS_OPTIONS"); text != "" {
			if err := yaml.NewDecoder(strings.NewReader(text), yaml.Strict()).Decode(o); err != nil {
				t.Fatalf("PATCHBAY_FOCAS_OPTIONS: %v", err)
			}
		}
		return o
	}
	drivertest.Run(t, drivertest.Target{Driver: New(), URL: addr, Options: options, Real: true,
		Except: map[string]string{"read/known-values": "a real control's values are not known beforehand"},
		Points: []driver.Write{{Path: "path/1/execution"}, {Path: "emergency-stop"}, {Path: "alarm-count"}}})
}
