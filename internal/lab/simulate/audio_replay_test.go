package simulate

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/lab/replay"
	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/fcxml"
	"github.com/patchbay-io/patchbay/protocol/fcxml/fcclient"
	"github.com/patchbay-io/patchbay/protocol/fcxml/fcsim"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaclient"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocasim"
	"github.com/patchbay-io/patchbay/transcript"
	"github.com/patchbay-io/patchbay/transcript/tap"
)

// recording is the file of what f says to the device through the dialer that it is given.
func recording(t *testing.T, protocol string, serve func(ctx context.Context, l *testnet.Listener) error, f func(dial tap.Dialer)) string {
	t.Helper()
	var b bytes.Buffer
	rec, err := tap.NewRecorder(&b, &transcript.Header{Protocol: protocol})
	if err != nil {
		t.Fatal(err)
	}
	n := new(testnet.Network)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	l := n.MustListen("192.0.2.1:1")
	wg.Go(func() { _ = serve(ctx, l) })
	f(rec.Dial(n.Dial))
	cancel()
	wg.Wait()
	if err := rec.Err(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "audio.transcript")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// played runs the recording as a device of the kind.
func played(t *testing.T, kind, file string) (l *Local, end func()) {
	t.Helper()
	l, err := NewLocal(kind, url.Values{"file": {file}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = l.Run(ctx) }()
	return l, func() { cancel(); <-done }
}

// desk is a program for Focusrite Control with one device.
type desk struct {
	*testing.T
	c      *fcclient.Client
	schema *fcxml.Schema
}

func fcxmlDesk(t *testing.T, dial fcclient.Opener, addr string) desk {
	t.Helper()
	c, err := fcclient.Dial(t.Context(), dial, addr, fcclient.Options{Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	d := desk{T: t, c: c}
	d.find()
	return d
}

// find waits for the device and its values.
func (d *desk) find() {
	d.Helper()
	schema, err := d.c.Device(d.Context(), func(*fcxml.Schema) bool { return true })
	if err == nil {
		err = d.c.Subscribe(d.Context(), schema)
	}
	if err != nil {
		d.Fatal(err)
	}
	d.schema = schema
}

func (d *desk) want(path, value string) {
	d.Helper()
	synctest.Wait()
	if v, s := d.c.Value(d.schema, d.schema.ByPath(path)); v != value || s == fcclient.Unknown {
		d.Errorf("%s is %q (%v), want %q", path, v, s, value)
	}
}

// A recording of Focusrite Control is a device: what it is, what it was worth, what changed and when, and what a program wishes.
func TestFCXMLReplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, err := fcsim.New(fcsim.Options{Model: "2i2", Serial: "X42", Approved: true, MeterEvery: -1})
		if err != nil {
			t.Fatal(err)
		}
		const air, gain, mode = "inputs/analogue-1/air", "monitoring/level", "clock/sample-rate"
		turn := func(path, value string) {
			t.Helper()
			if err := sim.Turn(path, value); err != nil {
				t.Fatal(err)
			}
		}
		turn(mode, "96 kHz")
		file := recording(t, "fcxml", func(ctx context.Context, l *testnet.Listener) error { return sim.Serve(ctx, l) }, func(dial tap.Dialer) {
			d := fcxmlDesk(t, dial, "192.0.2.1:1")
			defer d.c.Close()
			time.Sleep(10 * time.Second)
			turn(air, "true")
			time.Sleep(10 * time.Second)
			sim.Unplug()
			time.Sleep(10 * time.Second)
			sim.Plug()
			d.find()
			time.Sleep(10 * time.Second)
			turn(mode, "44.1 kHz")
			synctest.Wait()
		})

		l, end := played(t, "fcxml", file)
		defer end()
		d := fcxmlDesk(t, l.Dial, l.Host()+":49152")
		defer d.c.Close()
		if d.schema.Serial != "X42" || len(d.schema.Items) != len(sim.Schema().Items) {
			t.Errorf("the device is %s with %d controls", d.schema.Serial, len(d.schema.Items))
		}
		d.want(mode, "96 kHz")
		d.want(air, "false")
		if r := d.c.Set(t.Context(), d.schema, []fcclient.Write{{Item: d.schema.ByPath("inputs/analogue-2/air"), Value: "true"}}); r[0].Err != nil {
			t.Errorf("a wish: %v", r[0].Err)
		}
		time.Sleep(15 * time.Second)
		d.want(air, "true")
		time.Sleep(10 * time.Second)
		if n := len(d.c.Devices()); n != 0 {
			t.Errorf("%d devices are there after the removal", n)
		}
		time.Sleep(10 * time.Second)
		d.find()
		d.want(mode, "96 kHz")
		d.want("inputs/analogue-2/air", "true")
		time.Sleep(10 * time.Second)
		d.want(mode, "44.1 kHz")
	})
}

// A recording of an AES70 device answers as that did, announces what that announced, and does not know what nobody asked.
func TestAES70Replay(t *testing.T) {
	for _, ev1 := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			sim := ocasim.New(ocasim.Options{Inputs: 2, EV1: ev1})
			serve := func(ctx context.Context, l *testnet.Listener) error { return sim.Serve(ctx, l) }
			id := func(level, index uint16) ocp1.ID { return ocp1.ID{Level: level, Index: index} }
			var air, gain, label *ocaclient.Object
			var objects int
			use := func(dial ocaclient.Opener, addr string, events chan string) *ocaclient.Client {
				t.Helper()
				c, err := ocaclient.Dial(t.Context(), dial, addr, ocaclient.Options{Events: func(e ocaclient.Event) { events <- string(e.Change.Value) }})
				if err != nil {
					t.Fatal(err)
				}
				tree, err := c.Tree(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				objects = 0
				tree.Walk(func(o *ocaclient.Object) bool {
					objects++
					switch o.RolePath() {
					case "Inputs/Analogue 1/Air":
						air = o
					case "Inputs/Analogue 1/Gain":
						gain = o
					case "Inputs/Analogue 1/Name":
						label = o
					}
					return true
				})
				if air == nil || gain == nil || label == nil {
					t.Fatalf("objects are missing of %d", objects)
				}
				if errs, err := c.Subscribe(t.Context(), air.ONo, gain.ONo); err != nil || errors.Join(errs...) != nil {
					t.Fatal(errs, err)
				}
				if c.EV2() == ev1 {
					t.Errorf("events of the second kind: %v, EV1: %v", c.EV2(), ev1)
				}
				return c
			}
			get := func(c *ocaclient.Client, o *ocaclient.Object, m ocp1.ID) string {
				t.Helper()
				b, err := c.Do(t.Context(), o.ONo, m, 0, nil)
				if err != nil {
					t.Error(err)
				}
				return string(b)
			}
			var was string
			file := recording(t, "aes70", serve, func(dial tap.Dialer) {
				events := make(chan string, 10)
				c := use(dial, "192.0.2.1:1", events)
				defer c.Close()
				was = get(c, gain, id(4, 1))
				get(c, air, id(5, 1))
				time.Sleep(10 * time.Second)
				sim.Inputs[0].Air.Set(true)
				if e := <-events; e != "\x01" {
					t.Errorf("event %q", e)
				}
				if _, err := c.Do(t.Context(), 9999, id(1, 1), 0, nil); err == nil {
					t.Error("an object that is not there answers")
				}
				if _, err := c.Do(t.Context(), gain.ONo, id(4, 2), 1, ocp1.AppendF32(nil, 1000)); err == nil {
					t.Error("1000 dB")
				}
			})
			recorded := objects

			l, end := played(t, "aes70", file)
			defer end()
			events := make(chan string, 10)
			c := use(l.Dial, l.Host()+":65000", events)
			defer c.Close()
			if objects != recorded {
				t.Errorf("%d objects, %d were recorded", objects, recorded)
			}
			if v := get(c, gain, id(4, 1)); v != was {
				t.Errorf("the gain is %x, was %x", v, was)
			}
			if v := get(c, air, id(5, 1)); v != "\x00" {
				t.Errorf("air is %x before it was put on", v)
			}
			began := time.Now()
			if e := <-events; e != "\x01" || time.Since(began) != 10*time.Second {
				t.Errorf("event %q after %v", e, time.Since(began))
			}
			if v := get(c, air, id(5, 1)); v != "\x01" {
				t.Errorf("air is %x afterwards", v)
			}
			// A controller sets what the recording knows the value of, and all hear of it; the limits stay.
			if _, err := c.Do(t.Context(), gain.ONo, id(4, 2), 1, ocp1.AppendF32(nil, 12)); err != nil {
				t.Error(err)
			}
			if e := <-events; e != string(ocp1.AppendF32(nil, 12)) {
				t.Errorf("event %x", e)
			}
			if v := get(c, gain, id(4, 1)); v != string(ocp1.AppendF32(nil, 12))+was[4:] {
				t.Errorf("the gain is %x, was %x", v, was)
			}
			for what, call := range map[string]struct {
				target ocp1.ONo
				method ocp1.ID
				count  uint8
				params []byte
				want   ocp1.Status
			}{
				"was refused":           {gain.ONo, id(4, 2), 1, ocp1.AppendF32(nil, 1000), ocp1.StatusParameterOutOfRange},
				"of another length":     {gain.ONo, id(4, 2), 1, []byte{1}, ocp1.StatusNotImplemented},
				"was not there":         {9999, id(1, 1), 0, nil, ocp1.StatusBadONo},
				"was not asked":         {label.ONo, id(5, 1), 0, nil, ocp1.StatusNotImplemented},
				"of an unknown value":   {label.ONo, id(5, 2), 1, ocp1.AppendString(nil, "x"), ocp1.StatusNotImplemented},
				"is no method of these": {air.ONo, id(9, 9), 0, nil, ocp1.StatusNotImplemented},
			} {
				var refusal *ocp1.Error
				if _, err := c.Do(t.Context(), call.target, call.method, call.count, call.params); !errors.As(err, &refusal) || refusal.Status != call.want {
					t.Errorf("what %s: %v, want %v", what, err, call.want)
				}
			}
		})
	}
}

// A recording that cannot stand for a device is refused with what is missing in it.
func TestAudioReplayRefusals(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.transcript")
	for _, x := range []struct{ kind, text, want string }{
		{"fcxml", "protocol: fcxml\n", replay.ErrNoArrival.Error()},
		{"aes70", "protocol: aes70\n", replay.ErrNoObjects.Error()},
		{"fcxml", "protocol: aes70\n", "the recording is of aes70, not of Focusrite Control"},
		{"aes70", "protocol: fcxml\n", "the recording is of fcxml, not of AES70"},
		{"aes70", "\n< 1 +0.000000 data\n  3b 00 01 00 00 00 09 09\n", replay.ErrNoObjects.Error()},
		{"fcxml", "\n< 1 +0.000000 data\n  |Length=000040 <device-arriv|\n", replay.ErrNoArrival.Error()},
	} {
		if err := os.WriteFile(name, []byte("patchbay transcript 1\n"+x.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := New(x.kind, url.Values{"file": {name}}); err == nil || !strings.Contains(err.Error(), x.want) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s of %q: %v, want %s", x.kind, x.text, err, x.want)
		}
	}
}
