//go:build unix

package cli

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/protocol/rfc2217/rfc2217client"
)

var loadFor = flag.Duration("load", time.Second, "how long 32 ports are busy; 1m is the full test")

const (
	loadPorts = 32
	loadBaud  = 921600
)

// loadRig is a gateway over a simulated box of the largest kind, whose paced ports echo, with all its ports offered in both ways. The box may
// be as slow as the machine makes it: bytes for a port that could not be opened in time would be dropped.
func loadRig(t *testing.T) (rfc2217, raw int) {
	t.Helper()
	rfc2217, raw = freePorts(t, loadPorts), freePorts(t, loadPorts)
	layout := "echo"
	for range loadPorts - 1 {
		layout += ",echo"
	}
	file := filepath.Join(t.TempDir(), "load.yaml")
	text := fmt.Sprintf("listen: 127.0.0.1:0\nserial:\n  ports:\n    box/*: {rfc2217: %d+, raw: %d+, line: %dn81, keep: true}\ndevices:\n  box: 'sim+devicemaster:?paced=true&timeout=1m&link_timeout=1h&layout=%s'\n",
		rfc2217, raw, loadBaud, layout)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	startGateway(t, "run", file)
	return rfc2217, raw
}

// All ports of a box at 921,600 baud, both ways at once, for as long as -load says, through the client of the protocol, the driver, the
// gateway and its doors, over TCP on this computer: nothing is lost, doubled or moved, nor gets to another port. The figures are those
// of one process that holds the box and the programs at the doors too.
//
//	go test -run SerialLoad -v ./internal/cli -load 1m
func TestSerialLoad(t *testing.T) {
	rfc2217, raw := loadRig(t)
	for _, door := range []struct {
		name string
		base int
		open func(context.Context, string) (io.ReadWriteCloser, error)
	}{
		{"rfc2217", rfc2217, func(ctx context.Context, addr string) (io.ReadWriteCloser, error) {
			return rfc2217client.Dial(ctx, new(net.Dialer).DialContext, addr, rfc2217client.Options{Timeout: time.Minute})
		}},
		{"raw", raw, func(ctx context.Context, addr string) (io.ReadWriteCloser, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", addr)
		}},
	} {
		t.Run(door.name, func(t *testing.T) {
			var before, after syscall.Rusage
			if err := syscall.Getrusage(syscall.RUSAGE_SELF, &before); err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(uint64(door.base), 1))
			data := make([]byte, 1<<20+1)
			for i := range data {
				data[i] = byte(r.Uint32())
			}
			ends := make([]io.ReadWriteCloser, loadPorts)
			for n := range ends {
				addr := fmt.Sprint("127.0.0.1:", door.base+n)
				eventually(t, "the port is offered", func() (err error) {
					ends[n], err = door.open(t.Context(), addr)
					return err
				})
			}
			var wg sync.WaitGroup
			var total, inTime atomic.Uint64
			for n, end := range ends {
				p := &loadPort{end: end, data: data, start: n * 32749}
				wg.Go(func() {
					if err := p.run(*loadFor); err != nil {
						t.Errorf("port %d: %v", n+1, err)
					}
					total.Add(p.back)
					inTime.Add(p.inTime)
				})
			}
			wg.Wait()
			for _, end := range ends {
				end.Close()
			}
			if err := syscall.Getrusage(syscall.RUSAGE_SELF, &after); err != nil {
				t.Fatal(err)
			}
			cpu := time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
			t.Logf("%d ports: %.1f MB each way, in %v %.1f %% of what the lines carry; %.1f s of CPU, at most %d MB of memory in the process so far", loadPorts,
				float64(total.Load())/1e6, *loadFor, 100*float64(inTime.Load())/(loadPorts*loadBaud/10*loadFor.Seconds()), cpu.Seconds(), after.Maxrss>>10)
		})
	}
}

// loadWindow is how much a program has under way: much more than a line needs, and less than the network would take.
const loadWindow = 32 << 10

// loadPort is one program at one door: it sends the bytes of data round and round from its own place on, and wants them back.
type loadPort struct {
	end   io.ReadWriteCloser
	data  []byte
	start int

	back, inTime uint64 // bytes that came back, and those that did while the load lasted
}

func (p *loadPort) run(d time.Duration) error {
	stop := time.Now().Add(d)
	room := make(chan int, loadWindow) // bytes that came back, at least one each
	sent, failed := make(chan uint64, 1), make(chan error, 1)
	var writer sync.WaitGroup
	defer writer.Wait()
	defer close(room)
	writer.Go(func() {
		n, credit := uint64(0), loadWindow
		for {
			at := (p.start + int(n%uint64(len(p.data)))) % len(p.data)
			piece := p.data[at:min(at+min(credit, 4096), len(p.data))]
			last := !time.Now().Before(stop)
			if last {
				sent <- n + uint64(len(piece)) // before the last byte can be back, so that nobody waits for more
			}
			k, err := p.end.Write(piece)
			n, credit = n+uint64(k), credit-k
			if err != nil {
				failed <- err
				p.end.Close() // ends the reading
				return
			}
			if last {
				return
			}
			for credit == 0 || len(room) > 0 {
				k, ok := <-room
				if !ok {
					return
				}
				credit += k
			}
		}
	})
	buf := make([]byte, 16<<10)
	at, want := p.start, ^uint64(0)
	for p.back < want {
		if c, ok := p.end.(interface{ SetReadDeadline(time.Time) error }); ok {
			if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil { // of silence, which ends a test that has lost bytes
				return err
			}
		}
		n, err := p.end.Read(buf)
		for got := buf[:n]; len(got) > 0; {
			k := min(len(got), len(p.data)-at)
			if !bytes.Equal(got[:k], p.data[at:at+k]) {
				p.end.Close()
				return fmt.Errorf("after %d bytes they come back changed, lost, doubled or in another order", p.back)
			}
			got, at, p.back = got[k:], (at+k)%len(p.data), p.back+uint64(k)
		}
		if time.Now().Before(stop) {
			p.inTime = p.back
		}
		if err != nil {
			select {
			case err = <-failed:
			default:
			}
			return fmt.Errorf("after %d bytes of %d: %w", p.back, want, err)
		}
		select {
		case want = <-sent:
		default:
		}
		room <- n // has room for every byte that is under way
	}
	if p.back > want {
		return fmt.Errorf("%d bytes went and %d came back", want, p.back)
	}
	return nil
}
