package focas

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/goccy/go-yaml"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/drivertest"
	"github.com/patchbay-io/patchbay/internal/driver/serving"
	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focasserver"
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
		ServeOptions: func(listen string) any {
			o := serveDefaults()
			o.Listen, o.From = listen, serving.Networks{netip.MustParsePrefix("192.0.2.0/24")}
			o.Allow = everything()
			return o
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
			target := suite(profile, direct)
			target.Groups = []string{"describe", "read"}
			target.Writes, target.Refused = nil, nil
			target.Far = func(t *testing.T) drivertest.Far {
				far := recordedControl(t, recorded)
				return drivertest.Far{Serve: focasserver.New(far, focasserver.Options{}).Serve, Done: far.done}
			}
			drivertest.Run(t, target)
		})
	}
}

// recorded answers each block as a recording did, in whatever frames they come.
type recorded struct {
	open    focas.OpenReply
	answers map[string]focas.Reply

	mu      sync.Mutex
	missing []string
}

func recordedControl(t *testing.T, tr *transcript.Transcript) *recorded {
	t.Helper()
	r := &recorded{answers: map[string]focas.Reply{}}
	for _, flow := range tr.Flows() {
		asked, said := tr.Bytes(flow, transcript.FromClient), tr.Bytes(flow, transcript.FromServer)
		for len(asked) > 0 && len(said) > 0 {
			q, rest, err := focas.ParseFrame(asked)
			if err != nil {
				t.Fatal(err)
			}
			p, restSaid, err := focas.ParseFrame(said)
			if err != nil {
				t.Fatal(err)
			}
			asked, said = rest, restSaid
			switch q.Type {
			case focas.TypeOpen:
				if r.open, err = focas.ParseOpenReply(p.Version, p.Body); err != nil {
					t.Fatal(err)
				}
			case focas.TypeData:
				r.learn(t, q.Body, p.Body)
			}
		}
	}
	return r
}

func (r *recorded) learn(t *testing.T, asked, said []byte) {
	t.Helper()
	qs, err := focas.RequestBlocks(asked)
	if err != nil {
		t.Fatal(err)
	}
	ps, err := focas.ReplyBlocks(said)
	if err != nil {
		t.Fatal(err)
	}
	for {
		q, ok, err := qs.NextRequest()
		p, _, err2 := ps.NextReply()
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		if !ok {
			return
		}
		r.answers[string(appendKey(nil, &q))] = p
	}
}

func (r *recorded) Open(context.Context, *focasserver.Conn) (focas.OpenReply, error) {
	return r.open, nil
}

func (r *recorded) Data(_ context.Context, _ *focasserver.Conn, blocks []focas.Request, replies []focas.Reply) ([]focas.Reply, error) {
	for i := range blocks {
		p, ok := r.answers[string(appendKey(nil, &blocks[i]))]
		if !ok {
			p.Code = focas.EWFunc
			r.mu.Lock()
			r.missing = append(r.missing, fmt.Sprintf("%v %d", blocks[i].Func, blocks[i].Args))
			r.mu.Unlock()
		}
		replies = append(replies, p)
	}
	return replies, nil
}

// done fails when the driver asked what the recording does not hold: it must be made anew then.
func (r *recorded) done() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.missing) > 0 {
		return fmt.Errorf("the recording has no answer to %v; make it anew with -record", r.missing)
	}
	return nil
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
