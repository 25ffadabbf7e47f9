package atem

import (
	"bytes"
	"context"
	"crypto/rand"
	"flag"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/drivertest"
	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/atem/atemserver"
	"github.com/patchbay-io/patchbay/protocol/openswitcher"
	"github.com/patchbay-io/patchbay/protocol/openswitcher/oswserver"
	"github.com/patchbay-io/patchbay/transcript"
	"github.com/patchbay-io/patchbay/transcript/tap"
)

// record makes the recordings in testdata anew: go test ./internal/driver/atem -run Transcripts -record
var record = flag.Bool("record", false, "record the sessions in testdata anew, with the simulator")

// simSuite is what the simulated switchers have, whatever carries it.
func simSuite(d driver.Driver, url, model string) drivertest.Target {
	name := map[string]string{"mini": "ATEM Mini", "television-studio-hd": "ATEM Television Studio HD"}[model]
	return drivertest.Target{
		Driver: d,
		URL:    url,
		Points: []driver.Write{
			{Path: "me/1/program", Value: device.OfEnum(1)},
			{Path: "me/1/preview", Value: device.OfEnum(2)},
			{Path: "inputs/1/tally", Value: device.OfEnum(tallyProgram)},
			{Path: "inputs/3/tally", Value: device.OfEnum(tallyOff)},
			{Path: "identity/model", Value: device.OfString(name)},
		},
		Writes: []driver.Write{
			{Path: "me/1/preview", Value: device.OfEnum(3)},
			{Path: "me/1/program", Value: device.OfEnum(2)},
			{Path: "me/1/transition/rate", Value: device.OfInt(40)},
			{Path: "aux/1/source", Value: device.OfEnum(4)},
			{Path: "inputs/2/name", Value: device.OfString("Stage left")},
			{Path: "audio/1/gain", Value: device.OfFloat(-50.05)},
			{Path: "audio/1/balance", Value: device.OfFloat(-0.5)},
			{Path: "dsk/1/on-air", Value: device.OfBool(true)},
			{Path: "me/1/keyers/1/fill", Value: device.OfEnum(3)},
			{Path: "colours/2/hue", Value: device.OfFloat(123.4)},
			{Path: "media/players/1/source", Value: device.OfEnum(6)},
		},
		Refused: &driver.Write{Path: "inputs/2/label", Value: device.OfString("too long")},
		Except:  map[string]string{"cancel/during": fromMemory, "close/during-read": fromMemory},
		Far: func(t *testing.T) drivertest.Far {
			f := newSimulated(t, model)
			return drivertest.Far{
				ServePackets: f.servePackets(5),
				Serve:        f.serveRelay,
				Change: func() (device.Path, device.Value) {
					f.Set(&atem.PreviewSource{Source: 0})
					return "me/1/preview", device.OfEnum(0)
				},
				ChangeSpecs: func() {
					top, _ := atem.Get[atem.Topology](f.State())
					top.DSKs = 0
					f.Set(&top)
				},
				Writes: func() int { return int(f.writes.Load()) },
			}
		},
	}
}

func relayOptions(password string) func() any {
	return func() any {
		o := relayDefaults()
		o.Password = driver.NewSecret(password)
		return o
	}
}

const (
	udpURL   = "atem://192.0.2.10"
	relayURL = "openswitcher://operator@192.0.2.10/studio"
)

// The driver over UDP against simulated switchers with both kinds of sound.
func TestDriverWithSimulator(t *testing.T) {
	for _, model := range []string{"mini", "television-studio-hd"} {
		t.Run(model, func(t *testing.T) { drivertest.Run(t, simSuite(New(), udpURL, model)) })
	}
}

// The driver over the relay against the same.
func TestRelayWithSimulator(t *testing.T) {
	target := simSuite(NewRelay(), relayURL, "television-studio-hd")
	target.Options, target.BadLogin = relayOptions("on air"), relayOptions("off air")
	drivertest.Run(t, target)
}

// Both drivers against recorded sessions. They were recorded with the simulator, so they are no evidence about a switcher: they
// hold today's drivers to what they understood when they were made.
func TestDriversWithTranscripts(t *testing.T) {
	file := filepath.Join("testdata", "session-mini.transcript")
	if *record {
		recordSession(t, file)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := transcript.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	said := recordedDump(t, tr)
	for _, d := range []struct {
		driver  driver.Driver
		url     string
		options func() any
	}{{New(), udpURL, nil}, {NewRelay(), relayURL, relayOptions("on air")}} {
		t.Run(d.driver.Info().Name, func(t *testing.T) {
			target := simSuite(d.driver, d.url, "mini")
			target.Options = d.options
			target.Groups = []string{"describe", "read", "watch"}
			target.Writes, target.Refused = nil, nil
			target.Except = map[string]string{"watch/first-change": "nobody asked for meters when it was recorded"}
			target.Far = func(*testing.T) drivertest.Far {
				return drivertest.Far{
					ServePackets: func(ctx context.Context, p net.PacketConn) error {
						return atemserver.New(udpEcho{said}, atemserver.Options{}).Serve(ctx, p)
					},
					Serve: func(ctx context.Context, l net.Listener) error {
						return oswserver.New(relayEcho{said}, oswserver.Options{}).Serve(ctx, l)
					},
				}
			}
			drivertest.Run(t, target)
		})
	}
}

// udpEcho and relayEcho say what was recorded to everybody who comes.
type udpEcho struct{ said [][]byte }

func (e udpEcho) Opened(c *atemserver.Conn)        { c.Send(e.said...) }
func (udpEcho) Command(*atemserver.Conn, []byte)   {}
func (udpEcho) Closed(_ *atemserver.Conn, _ error) {}

type relayEcho struct{ said [][]byte }

func (e relayEcho) Login(context.Context, *oswserver.Conn, string, string) error { return nil }
func (e relayEcho) Devices(*oswserver.Conn) []openswitcher.Device {
	return []openswitcher.Device{{ID: "studio"}}
}
func (e relayEcho) Opened(c *oswserver.Conn) error  { return relayed{c}.Send(e.said...) }
func (relayEcho) Command(*oswserver.Conn, []byte)   {}
func (relayEcho) Closed(_ *oswserver.Conn, _ error) {}

// recordedDump is the payloads that the switcher of a recording sent, each once, in order.
func recordedDump(t *testing.T, tr *transcript.Transcript) (out [][]byte) {
	t.Helper()
	next := uint16(0)
	for i := range tr.Events {
		e := &tr.Events[i]
		if e.Kind != transcript.Datagram || e.Dir != transcript.FromServer {
			continue
		}
		p, err := atem.ParsePacket(e.Data)
		if err != nil {
			t.Fatal(err)
		}
		if p.Flags&atem.FlagNumbered != 0 && p.Number > next {
			next = p.Number
			if len(p.Payload) > 0 {
				out = append(out, p.Payload)
			}
		}
	}
	return out
}

// recordSession records what a session over UDP begins with.
func recordSession(t *testing.T, file string) {
	t.Helper()
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		rec, err := tap.NewRecorder(&out, &transcript.Header{Protocol: "atem", Device: "simulated mini",
			Client: transcript.Origin{Producer: transcript.OwnClient}, Server: transcript.Origin{Producer: transcript.OwnSimulator}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		network := new(testnet.Network)
		p, err := network.ListenPacket(ctx, "udp", "192.0.2.10:9910")
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() { newSimulated(t, "mini").servePackets(1)(ctx, rec.PacketConn(p, tap.Server)) })
		s, err := New().Open(ctx, driver.Env{ListenPacket: network.ListenPacket, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)},
			driver.Target{Name: "studio", URL: &url.URL{Scheme: "atem", Host: "192.0.2.10"}, Options: defaults()})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		cancel()
		wg.Wait()
		if err := rec.Err(); err != nil {
			t.Fatal(err)
		}
	})
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestDriverWithDevice runs the groups that only read against a real switcher:
//
//	PATCHBAY_ATEM_DEVICE=atem://192.0.2.10 go test ./internal/driver/atem -run Device
//
// Nothing is written.
func TestDriverWithDevice(t *testing.T) {
	addr := os.Getenv("PATCHBAY_ATEM_DEVICE")
	if addr == "" {
		t.Skip("PATCHBAY_ATEM_DEVICE names no switcher")
	}
	drivertest.Run(t, drivertest.Target{Driver: New(), URL: addr, Real: true,
		Except: map[string]string{"read/known-values": "a real switcher's values are not known beforehand"},
		Points: []driver.Write{{Path: "me/1/program"}, {Path: "me/1/preview"}, {Path: "identity/model"}}})
}
