package atemserver_test

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/atem/atemclient"
	"github.com/patchbay-io/patchbay/protocol/atem/atemserver"
)

// lossy loses, repeats and reorders one datagram in twenty each.
func lossy(seed uint64) func([]byte, net.Addr) [][]byte {
	r := rand.New(rand.NewPCG(seed, 2))
	var mu sync.Mutex
	var held []byte
	return func(b []byte, _ net.Addr) [][]byte {
		mu.Lock()
		defer mu.Unlock()
		out := [][]byte{append([]byte(nil), b...)}
		switch x := r.Float64(); {
		case x < 0.05:
			out = nil
		case x < 0.10:
			out = append(out, out[0])
		case x < 0.15 && held == nil:
			held, out = out[0], nil
		}
		if held != nil && len(out) > 0 {
			out = append(out, held)
			held = nil
		}
		return out
	}
}

// A minute of changes over a network that loses, repeats and reorders both ways: nothing is lost, nothing out of order, for
// each of several clients.
func TestLossyMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, newHub(dump()...), atemserver.Options{})
		w.pc.Filter(lossy(1))
		const clients, changes = 5, 1500
		var all []*atemclient.Client
		var got []*collector
		for i := range clients {
			open := func(ctx context.Context, network, addr string) (net.PacketConn, error) {
				pc, err := w.net.ListenPacket(ctx, network, addr)
				if err == nil {
					pc.(*testnet.PacketConn).Filter(lossy(uint64(10 + i)))
				}
				return pc, err
			}
			c := &collector{}
			cl, err := atemclient.Dial(t.Context(), open, where, atemclient.Options{Handle: c.handle})
			if err != nil {
				t.Fatal(err)
			}
			all, got = append(all, cl), append(got, c)
		}
		for _, c := range all {
			<-c.Ready()
		}
		began := time.Now()
		for i := range changes {
			w.hub.mu.Lock()
			w.hub.say(field("PrgI", binary.BigEndian.AppendUint32(nil, uint32(i))...))
			w.hub.mu.Unlock()
			if i%100 == 0 {
				for _, c := range all {
					if err := c.SendPayload(field("CPgI", binary.BigEndian.AppendUint32(nil, uint32(i))...)); err != nil {
						t.Fatal(err)
					}
				}
			}
			time.Sleep(40 * time.Millisecond)
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		t.Logf("%v simulated", time.Since(began))
		want := ""
		for i, c := range got {
			numbers := map[atem.Code]uint32{}
			n, echoes := 0, 0
			for f, err := range atem.Fields(c.all) {
				if err != nil {
					t.Fatal(err)
				}
				switch f.Code.String() {
				case "PrgI":
					if n > 0 && binary.BigEndian.Uint32(f.Body) != numbers[f.Code]+1 && n > 1 {
						t.Fatalf("client %d: %d after %d", i, binary.BigEndian.Uint32(f.Body), numbers[f.Code])
					}
					numbers[f.Code] = binary.BigEndian.Uint32(f.Body)
					n++
				case "CPgI":
					echoes++
				}
			}
			if n != changes+1 || echoes != clients*changes/100 {
				t.Errorf("client %d has %d of %d changes, %d of %d echoes", i, n-1, changes, echoes, clients*changes/100)
			}
			if i == 0 {
				want = c.codes()
			} else if c.codes() != want {
				t.Errorf("client %d has another order than client 0", i)
			}
		}
		for _, c := range all {
			if st := c.Stats(); st.Gaps == 0 || st.Repeated == 0 || st.Malformed+st.Strangers+st.Unsent != 0 {
				t.Errorf("%+v", st)
			}
			c.Close()
		}
		w.stop()
	})
}
