package dmserver_test

import (
	"bytes"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmserver"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmsim"
)

// written keeps what a box writes, write by write.
type written struct {
	mu     sync.Mutex
	writes [][]byte
}

type writtenConn struct {
	net.Conn
	to *written
}

func (c writtenConn) Write(b []byte) (int, error) {
	c.to.mu.Lock()
	c.to.writes = append(c.to.writes, bytes.Clone(b))
	c.to.mu.Unlock()
	return c.Conn.Write(b)
}

// take gives what was written since the last call.
func (w *written) take() [][]byte {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.writes
	w.writes = nil
	return out
}

// What the maker's programs need of single writes: the ID response is one, with program 1 and the recorded tags at its end; so is
// the answer to a release, of exactly four bytes; and every write can be read alone, with its own selection in front of each message
// about a port and nothing in between.
func TestSingleWrites(t *testing.T) {
	var out written
	onWire(t, dmsim.Options{Layout: "null,null,echo,instrument", WrapConn: func(c net.Conn) net.Conn { return writtenConn{c, &out} }}, func(w *wire) {
		c := w.dial()
		defer c.c.Close()
		say := func(s string) [][]byte {
			if _, err := c.c.Write(unhex(s)); err != nil {
				t.Fatal(err)
			}
			return out.take()
		}
		began := time.Now()
		id := say(identify)
		if len(id) != 1 || len(id[0]) != 147 || time.Since(began) > 200*time.Millisecond {
			t.Fatalf("the ID response is %d writes: % x", len(id), id)
		}
		if b := id[0]; !bytes.Equal(b[100:102], []byte{0, 1}) || !bytes.Equal(b[110:], unhex(`00 ff 02 01 01 03 01 2d 04 01 00 05 04 00 00 00 00 06
			10 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00`)) {
			t.Errorf("% x", b[98:])
		}
		if got := say("62 03 78"); len(got) != 1 || !bytes.Equal(got[0], unhex("62 03 76 21")) {
			t.Errorf("a release is answered with % x", got)
		}
		var all [][]byte
		for _, s := range []string{"73", "62 00 76 01", "62 01 76 01 62 02 76 01", "62 03 76 01", "62 00 79 01 00 00 00 62 01 79 01 00 00 00 62 02 79 01 00 00 00",
			"62 00 64 03 00 61 02 00 68 69", "62 01 64 0b 00 61 01 00 41 62 02 61 01 00 42 fd", "62 03 61 06 00 2a 49 44 4e 3f 0d", "62 00 66 03 00 62 02 66 01 00",
			"62 01 78", "62 00 76 02 62 02 63 00 00", "62 01 61 01 00 41 62 00 61 01 00 41"} {
			all = append(all, say(s)...)
			w.sim.SetInputs(2, devicemaster.RI)
			w.sim.Report(3, devicemaster.ParityError)
			time.Sleep(1500 * time.Millisecond) // silences, readings
			all = append(all, out.take()...)
		}
		seen := map[devicemaster.Op]int{}
		for _, b := range all {
			dec := devicemaster.NewDecoder(devicemaster.FromDevice, devicemaster.DecoderOptions{Strict: true})
			dec.Feed(b)
			for {
				m, ok, err := dec.Next()
				if err != nil {
					t.Fatalf("% x: %v", b, err)
				}
				if !ok {
					break
				}
				seen[m.Op]++
				if m.Op.PortScope() && !m.Selected {
					t.Errorf("% x: %v before a port is chosen", b, m.Op)
				}
			}
			if dec.Pending() != 0 || dec.Stats().Zeros != 0 {
				t.Errorf("% x: %d bytes are left, %d zeros between messages", b, dec.Pending(), dec.Stats().Zeros)
			}
		}
		for _, op := range []devicemaster.Op{devicemaster.OpAssigned, devicemaster.OpStatus, devicemaster.OpTotal, devicemaster.OpData, devicemaster.OpInputs,
			devicemaster.OpErrors, devicemaster.OpIdle, devicemaster.OpActionDone, devicemaster.OpPing} {
			if seen[op] == 0 {
				t.Errorf("no %v was said: %v", op, seen)
			}
		}
	})
}

// A burst of settings means the same in any order, in one write or in many, and said twice.
func TestBurstsInAnyOrder(t *testing.T) {
	parts := []string{"60 00 00", "66 03 00", "63 97 00", "64 03 00", "70 00 c2 01 00", "71 01 02 03 04 05 06", "75 85", "79 0a 00 00 00"}
	want := dmserver.Settings{Baud: 115200, Line: devicemaster.Stop2 | devicemaster.Data7 | devicemaster.ParityEven | devicemaster.RTSCTS, Mode: devicemaster.RS485,
		Outputs: devicemaster.RTS | devicemaster.DTR, Chars: devicemaster.Chars{RxXon: 1, RxXoff: 2, TxXon: 3, TxXoff: 4, ErrorChar: 5, EventChar: 6}, Idle: 10, Given: 0x3f}
	onWire(t, dmsim.Options{Layout: "sink"}, func(w *wire) {
		c := w.dial()
		defer c.c.Close()
		random := rand.New(rand.NewPCG(1, 2))
		for range 100 {
			order := append(slices.Clone(parts), parts[random.IntN(len(parts))])
			random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			c.ask("62 00 76 01", "62 00 76 10 38 00 60 00 00")
			if random.IntN(2) == 0 {
				if _, err := c.c.Write(unhex("62 00 " + strings.Join(order, " "))); err != nil {
					t.Fatal(err)
				}
			} else {
				for _, p := range order {
					if _, err := c.c.Write(unhex("62 00 " + p)); err != nil {
						t.Fatal(err)
					}
				}
			}
			synctest.Wait()
			if got := w.sim.Ports()[0].Settings; got != want {
				t.Fatalf("%q: %+v", order, got)
			}
			if b := c.read(); !bytes.Contains(b, unhex("67 03 00")) {
				t.Errorf("%q: % x", order, b)
			}
			c.ask("62 00 76 02", "62 00 76 20")
		}
	})
}

// Who had a port that another host takes is told at once, and may then open it again.
func TestFormerOwnerIsTold(t *testing.T) {
	onWire(t, dmsim.Options{Layout: "sink"}, func(w *wire) {
		owner, tool := w.dial(), w.dial()
		owner.ask("62 00 76 01", "62 00 76 10 38 00 60 00 00")
		tool.ask("62 00 78", "62 00 76 21")
		owner.hear("the release", "62 00 76 21")
		owner.ask("62 00 76 01", "62 00 76 10 38 00 60 00 00")
		owner.c.Close()
		tool.c.Close()
	})
}
