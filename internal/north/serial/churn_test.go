package serial

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
	"github.com/patchbay-io/patchbay/protocol/rfc2217"
)

// recordSize divides every buffer that pieces for observers pass through, so these lose whole records.
const recordSize = 8

// appendRecord appends a record with a number. Its first byte is escaped in telnet.
func appendRecord(dst []byte, number int) []byte { return fmt.Appendf(dst, "\xff%07d", number) }

// records checks what somebody gets from the line.
type records struct {
	gaps bool // some may be missing
	seen int  // how many
	next int  // the number that comes next
	part []byte
}

var errRefused = errors.New("the door refuses")

func (r *records) take(b []byte) error {
	r.part = append(r.part, b...)
	if r.seen == 0 && bytes.HasPrefix(r.part, []byte("patchbay:")) {
		return errRefused
	}
	rest := r.part
	for ; len(rest) >= recordSize; rest = rest[recordSize:] {
		number, err := strconv.Atoi(string(rest[1:recordSize]))
		switch {
		case err != nil || rest[0] != 0xff:
			return fmt.Errorf("%q is no record, after %d records", rest[:recordSize], r.seen)
		case r.seen > 0 && number < r.next:
			return fmt.Errorf("record %d comes after %d", number, r.next-1)
		case r.seen > 0 && !r.gaps && number > r.next:
			return fmt.Errorf("%d records are missing in front of %d", number-r.next, number)
		}
		r.seen, r.next = r.seen+1, number+1
	}
	r.part = append(r.part[:0], rest...)
	return nil
}

// feed is a line on which numbered records come, and somebody who holds its port open and sees all of them.
type feed struct {
	t    *testing.T
	box  north.Streams
	hold north.Stream
	stop atomic.Bool
	fed  chan int // how many records there were
	bad  chan error
	saw  atomic.Int64 // bytes
	more chan struct{}
}

// startFeed sends records to ports/1 until stop.
func startFeed(t *testing.T, r *rig) *feed {
	t.Helper()
	f := &feed{t: t, box: r.box.Gateway, fed: make(chan int, 1), bad: make(chan error, 1), more: make(chan struct{}, 1)}
	witness := &records{}
	var err error
	f.hold, err = f.box.OpenStream(t.Context(), driver.Who{Door: "hold"}, "box", "ports/1", north.StreamOptions{Hold: true, Granted: true, Wait: true,
		Trace: func(toLine bool, b []byte) {
			if toLine {
				return
			}
			if err := witness.take(b); err != nil {
				select {
				case f.bad <- err:
				default:
				}
			}
			f.saw.Add(int64(len(b)))
			f.wake()
		}})
	if err != nil {
		t.Fatal(err)
	}
	far, err := f.box.OpenStream(t.Context(), driver.Who{Door: "far"}, "box", "ports/2", north.StreamOptions{Own: true, Granted: true, Wait: true})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = io.Copy(io.Discard, far) }) // what clients send
	wg.Go(func() {
		number := 0
		var b []byte
		for !f.stop.Load() {
			b = b[:0]
			for range 1 + rand.IntN(1<<rand.IntN(9)) { // most are short enough to be passed on at once
				b = appendRecord(b, number)
				number++
			}
			if _, err := far.Write(b); err != nil {
				t.Error(err)
				break
			}
			if rand.IntN(10) > 0 { // else they pile up
				for f.saw.Load() < int64(number*recordSize) && !f.stop.Load() {
					<-f.more
				}
			}
		}
		f.fed <- number
	})
	t.Cleanup(func() { far.Close(); f.hold.Close(); wg.Wait() })
	return f
}

// end stops the feed and returns how many records there were.
func (f *feed) end() int {
	f.stop.Store(true)
	f.wake()
	return <-f.fed
}

func (f *feed) wake() {
	select {
	case f.more <- struct{}{}:
	default:
	}
}

// check says what was lost of everything that was fed.
func (f *feed) check(fed int) {
	f.t.Helper()
	want := int64(fed * recordSize)
	until(f.t, "the end of what comes from the line", func() bool { return f.saw.Load() >= want })
	st, err := f.state()
	if err != nil || st.Counts.In != uint64(want) || f.saw.Load() != want || st.Counts.Dropped+st.Counts.Uncertain > 0 {
		f.t.Errorf("of %d bytes: %+v, and the witness saw %d, %v", want, st.Counts, f.saw.Load(), err)
	}
	select {
	case err := <-f.bad:
		f.t.Errorf("the witness: %v", err)
	default:
	}
}

// state is how the port is, for somebody who comes and goes.
func (f *feed) state() (north.StreamState, error) {
	s, err := f.box.OpenStream(f.t.Context(), driver.Who{Door: "look"}, "box", "ports/1", north.StreamOptions{Granted: true})
	if err != nil {
		return north.StreamState{}, err
	}
	defer s.Close()
	return s.State(f.t.Context())
}

// visitor is a TCP client of a door.
type visitor struct {
	net.Conn
	door string
	dec  rfc2217.Decoder
	got  records
}

// read takes one piece of at most n bytes and checks it.
func (v *visitor) read(n int) error {
	b := make([]byte, n)
	n, err := v.Read(b)
	if v.door != "rfc2217" {
		return errors.Join(v.got.take(b[:n]), err)
	}
	for rest := b[:n]; len(rest) > 0; {
		var it rfc2217.Item
		if it, rest = v.dec.Next(rest); it.Kind == rfc2217.Data {
			if err := v.got.take(it.Data); err != nil {
				return err
			}
		}
	}
	return err
}

// isEnd reports whether err is how a connection may end; what is wrong with the bytes or takes for ever is not.
func isEnd(err error) bool {
	var op *net.OpError
	return (errors.Is(err, io.EOF) || errors.Is(err, errRefused) || errors.As(err, &op)) && !errors.Is(err, os.ErrDeadlineExceeded)
}

// visit is one client: it comes, reads for a while in its own way, and goes.
func (f *feed) visit(v *visitor) error {
	defer v.Close()
	v.SetDeadline(time.Now().Add(patience))
	tcp := v.Conn.(*net.TCPConn)
	v.got.gaps = true
	how := rand.IntN(4)
	if how > 1 {
		_ = tcp.SetReadBuffer(64 << 10) // with less the kernel itself drops small pieces, and sends them again late
	}
	for v.got.seen == 0 {
		if err := v.read(64); err != nil {
			return err
		}
	}
	st, err := f.state()
	if err != nil {
		return err
	}
	v.got.gaps = st.Owner != v.door+" "+v.LocalAddr().String()
	if rand.IntN(2) == 0 {
		if _, err := v.Write([]byte("for the line")); err != nil {
			return err
		}
	}
	switch how {
	case 0, 1: // fast
		for range rand.IntN(200) {
			if err := v.read(4096); err != nil {
				return err
			}
		}
	case 2: // slow
		for range rand.IntN(500) {
			if err := v.read(1 + rand.IntN(100)); err != nil {
				return err
			}
			for range rand.IntN(20) {
				runtime.Gosched()
			}
		}
	case 3: // it takes nothing more; others come and go all the same
		for range 500 {
			if _, err := f.state(); err != nil {
				return err
			}
		}
	}
	if rand.IntN(2) == 0 {
		_ = tcp.SetLinger(0) // it ends with a reset
	}
	return nil
}

// Whoever comes, goes, reads slowly or not at all, while the door itself is configured anew: every owner gets all bytes from the line
// in their order, observers some, and nobody who takes nothing holds up others but through the line.
func TestChurn(t *testing.T) {
	for _, door := range []string{"raw", "rfc2217"} {
		for _, kick := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s kick=%v", door, kick), func(t *testing.T) {
				t.Parallel()
				churn(t, door, kick)
			})
		}
	}
}

func churn(t *testing.T, door string, kick bool) {
	p := Port{Device: "box", Path: "ports/1", MaxClients: 3, KickOld: kick}
	if kick {
		p.MaxClients = 1
	}
	if door == "raw" {
		p.Raw = "127.0.0.1:0"
	} else {
		p.RFC2217 = "127.0.0.1:0"
	}
	r := newRig(t, Config{}, p)
	f := startFeed(t, r)
	var moving sync.RWMutex // held to dial, so that nobody calls at an address of before
	addr := <-r.addr
	come := func() *visitor {
		moving.RLock()
		defer moving.RUnlock()
		return &visitor{Conn: dial(t, addr), door: door}
	}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for range 6 {
				if err := f.visit(come()); err != nil && !isEnd(err) {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		for i := range 3 {
			for range 100 {
				if _, err := f.state(); err != nil {
					t.Error(err)
				}
			}
			moving.Lock()
			p.KeepAlive = time.Duration(i+20) * time.Second
			r.door.Set([]Port{p})
			addr = <-r.addr
			moving.Unlock()
		}
	})
	wg.Wait()
	until(t, "the last has gone", func() bool { st, err := f.state(); return err == nil && st.Owner == "" })
	last := come()
	for last.got.seen < 10 {
		if err := last.read(4096); err != nil {
			t.Fatal(err)
		}
	}
	fed := f.end()
	for last.got.next < fed {
		if err := last.read(4096); err != nil {
			t.Fatalf("record %d of %d: %v", last.got.next, fed, err)
		}
	}
	f.check(fed)
}
