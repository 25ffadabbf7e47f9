package atemsim_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/atem/atemclient"
	"github.com/patchbay-io/patchbay/protocol/atem/atemsim"
)

// viewer is a client over UDP with a state of its own.
type viewer struct {
	*atemclient.Client
	mu sync.Mutex
	st atem.State
	on []bool // whether input 1 was on program, change by change
}

func (v *viewer) handle(payload []byte) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for f := range atem.Fields(payload) {
		v.st.Apply(&f)
	}
	if t, ok := atem.Get[atem.TallyByInput](&v.st); ok {
		v.on = append(v.on, t.Inputs[0]&atem.TallyProgram != 0)
	}
}

func (v *viewer) dump() [][]byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.st.Dump(1410)
}

func (v *viewer) send(t *testing.T, m atem.Message) {
	t.Helper()
	v.mu.Lock()
	payload := m.Append(nil, v.st.Version())
	v.mu.Unlock()
	if err := v.SendPayload(payload); err != nil {
		t.Fatal(err)
	}
}

func dial(ctx context.Context, n *testnet.Network) (*viewer, error) {
	v := &viewer{}
	c, err := atemclient.Dial(ctx, n.ListenPacket, "192.0.2.10:9910", atemclient.Options{Handle: v.handle, Opens: 1})
	v.Client = c
	return v, err
}

// serve serves a switcher in memory for as long as the test runs.
func serve(t *testing.T, o atemsim.Options, u atemsim.UDPOptions) (*testnet.Network, *atemsim.Switcher) {
	t.Helper()
	sw, err := atemsim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	n := new(testnet.Network)
	pc, err := n.ListenPacket(t.Context(), "udp", "192.0.2.10:9910")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := sw.ServeUDP(ctx, pc, u); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	t.Cleanup(func() { stop(); wg.Wait() })
	return n, sw
}

func same(t *testing.T, what string, sw *atemsim.Switcher, v *viewer) {
	t.Helper()
	if !slices.EqualFunc(sw.State().Dump(1410), v.dump(), bytes.Equal) {
		t.Errorf("%s: the client's state is not the switcher's", what)
	}
}

func TestServeUDP(t *testing.T) {
	for _, name := range atemsim.Models() {
		synctest.Test(t, func(t *testing.T) {
			n, sw := serve(t, atemsim.Options{Model: name, Dirty: name == "mini"}, atemsim.UDPOptions{MaxSessions: 2})
			a, err := dial(t.Context(), n)
			if err != nil {
				t.Fatal(err)
			}
			b, err := dial(t.Context(), n)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := dial(t.Context(), n); !errors.Is(err, atem.ErrFull) {
				t.Errorf("%s: a third client: %v", name, err)
			}
			<-a.Ready()
			<-b.Ready()
			a.send(t, &atem.SetPreviewSource{Source: 4})
			a.send(t, &atem.Auto{})
			time.Sleep(2 * time.Second)
			b.mu.Lock()
			if p, _ := atem.Get[atem.ProgramSource](&b.st, 0); p.Source != 4 {
				t.Errorf("%s: the other client sees %v on program", name, p.Source)
			}
			b.mu.Unlock()
			if name != "mini" { // whose bytes without meaning differ
				same(t, name, sw, a)
				same(t, name, sw, b)
			}
			a.Close()
			b.Close()
			synctest.Wait()
			if sw.Clients() != 0 {
				t.Errorf("%s: %d clients are left", name, sw.Clients())
			}
		})
	}
}

// Over a bad network nothing is lost and everything is in order.
func TestBadNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, sw := serve(t, atemsim.Options{Model: "mini"}, atemsim.UDPOptions{Faults: atemsim.Faults{
			Loss: 0.05, Duplicate: 0.05, Reorder: 0.05, Delay: 3 * time.Millisecond, Seed: 7,
		}})
		v, err := dial(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		<-v.Ready()
		v.mu.Lock()
		v.on = nil
		v.mu.Unlock()
		const changes = 300
		for range changes {
			v.send(t, &atem.Cut{})
			time.Sleep(200 * time.Millisecond)
		}
		time.Sleep(3 * time.Second)
		same(t, "bad network", sw, v)
		for i, on := range v.on {
			if on != (i%2 == 1) {
				t.Fatalf("change %d of %d is out of order", i, len(v.on))
			}
		}
		if len(v.on) != changes {
			t.Errorf("%d changes of %d", len(v.on), changes)
		}
		if s := v.Stats(); s.Resent == 0 || s.Repeated == 0 {
			t.Errorf("the network was too good: %+v", s)
		}
		v.Close()
	})
}

func TestNothingArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, sw := serve(t, atemsim.Options{Model: "mini"}, atemsim.UDPOptions{Faults: atemsim.Faults{Loss: 1}})
		if _, err := dial(t.Context(), n); !errors.Is(err, atem.ErrNoAnswer) || sw.Clients() != 0 {
			t.Errorf("over a network that loses everything: %v, %d clients", err, sw.Clients())
		}
	})
}

func TestSilenceAndRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, sw := serve(t, atemsim.Options{}, atemsim.UDPOptions{})
		v, err := dial(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		<-v.Ready()
		sw.Silence(true)
		<-v.Done()
		if !errors.Is(v.Err(), atem.ErrSilent) && !errors.Is(v.Err(), atem.ErrUnacknowledged) {
			t.Errorf("silence ends with %v", v.Err())
		}
		sw.Silence(false)
		time.Sleep(10 * time.Second) // the switcher notices too
		if v, err = dial(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		<-v.Ready()
		sw.Restart()
		<-v.Done()
		if v, err = dial(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		<-v.Ready()
		v.Close()
	})
}

// Files go both ways over a bad network, two at a time, with progress; one that is called off leaves no lock.
func TestTransfersOverUDP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, sw := serve(t, atemsim.Options{}, atemsim.UDPOptions{Faults: atemsim.Faults{Loss: 0.02, Reorder: 0.02, Delay: time.Millisecond, Seed: 3}})
		v, err := dial(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		<-v.Ready()
		data := make([]byte, 200000)
		for i := range data {
			data[i] = byte(i / 3)
		}
		ver := sw.State().Version()
		label := bytes.Repeat([]byte("label"), 3000)
		var wg sync.WaitGroup
		wg.Go(func() {
			tr, _ := atem.NewUpload(2, atem.File{Store: atem.StoreMacrosAndLabels, Slot: 4, Mode: atem.TransferModeLabel, Name: "Label", Data: label}, ver)
			if err := v.Transfer(t.Context(), tr, nil); err != nil {
				t.Error(err)
			}
		})
		tr, _ := atem.NewUpload(1, atem.File{Slot: 11, Mode: atem.TransferModeStill, Name: "Noise", Data: data}, ver)
		last := 0
		if err := v.Transfer(t.Context(), tr, func(n, total int) {
			if n < last || total < len(data)/2 || n > total {
				t.Errorf("%d of %d bytes after %d", n, total, last)
			}
			last = n
		}); err != nil || last == 0 {
			t.Fatal(err, last)
		}
		wg.Wait()
		down := atem.NewDownload(3, atem.StoreStills, 11, atem.DownloadStill, ver)
		if err := v.Transfer(t.Context(), down, nil); err != nil || !bytes.Equal(down.Data(), data) {
			t.Errorf("%d bytes, %v", len(down.Data()), err)
		}
		if err := v.Transfer(t.Context(), atem.NewDownload(4, atem.StoreStills, 15, atem.DownloadStill, ver), nil); !errors.Is(err, atem.TransferErrorCodeNotFound) {
			t.Error(err)
		}

		ctx, cancel := context.WithCancel(t.Context())
		tr, _ = atem.NewUpload(5, atem.File{Slot: 12, Mode: atem.TransferModeStill, Data: data}, ver)
		if err := v.Transfer(ctx, tr, func(n, _ int) {
			if n > 0 {
				cancel()
			}
		}); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		time.Sleep(time.Second)
		if l, _ := atem.Get[atem.LockState](sw.State(), 0); l.Locked {
			t.Error("the store stays locked")
		}
		tr, _ = atem.NewUpload(6, atem.File{Slot: 12, Mode: atem.TransferModeStill, Data: data}, ver)
		go func() { time.Sleep(20 * time.Millisecond); v.Close() }()
		if err := v.Transfer(t.Context(), tr, nil); err == nil {
			t.Error("a session that ends carries a transfer on")
		}
		<-v.Done()
	})
}
