package cli

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/tty"
	"github.com/patchbay-io/patchbay/protocol/rfc2217/rfc2217client"
)

// The doors beside other programs, all on the same terms: each is a process of its own between this one and a PTY whose other end this
// process echoes. Ours has the PTY as a serial port of the computer. Programs that are not installed are left out. The benchmarks of
// internal/north/serial measure the doors alone, without a device behind them.
//
//	go test -run '^$' -bench SerialDoors ./internal/cli -benchtime 20000x
//	go test -run '^$' -bench SerialBulk ./internal/cli -benchtime 1x -bulk 100

var bulk = flag.Int("bulk", 4, "megabytes each way of BenchmarkSerialBulk")

// between is a program under measurement: how to reach it, and its process.
type between struct {
	io.ReadWriteCloser
	pid int // 0: this process
}

// lineWithEcho makes a PTY whose master echoes, and names the other end. It takes everything at once and keeps what is not taken back
// yet: a program that writes and reads by turns, such as socat, would else stand still when both ways are full.
func lineWithEcho(b *testing.B) string {
	b.Helper()
	m, s, err := pty.Open()
	if err != nil {
		b.Skip(err)
	}
	plain(b, s)
	var echo sync.WaitGroup
	pieces := make(chan []byte, 1<<20)
	echo.Go(func() {
		defer close(pieces)
		for {
			buf := make([]byte, 4<<10)
			n, err := m.Read(buf)
			if err != nil {
				return
			}
			pieces <- buf[:n]
		}
	})
	echo.Go(func() {
		var err error
		for p := range pieces {
			if err == nil {
				_, err = m.Write(p)
			}
		}
	})
	b.Cleanup(func() { s.Close(); m.Close(); echo.Wait() })
	return s.Name()
}

// plain makes a terminal pass bytes as they are.
func plain(b *testing.B, f *os.File) {
	b.Helper()
	t, err := tty.Get(int(f.Fd()))
	if err != nil {
		b.Fatal(err)
	}
	tty.Raw(t)
	tty.Put(t, driver.Line{Baud: 921600, Data: 8, Parity: 'N', HalfStops: 2, Flow: driver.FlowNone})
	if err := tty.Set(int(f.Fd()), t); err != nil {
		b.Fatal(err)
	}
}

// startBetween starts a program that ends with the benchmark.
func startBetween(b *testing.B, name string, args ...string) int {
	b.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		b.Skipf("%s is missing", name)
	}
	c := exec.Command(path, args...)
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	return c.Process.Pid
}

// reach tries until what was started is there.
func reach(b *testing.B, open func() (io.ReadWriteCloser, error)) io.ReadWriteCloser {
	b.Helper()
	var err error
	for range 1000 {
		var c io.ReadWriteCloser
		if c, err = open(); err == nil {
			b.Cleanup(func() { c.Close() })
			return c
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.Fatal(err)
	return nil
}

func openTCP(addr string) func() (io.ReadWriteCloser, error) {
	return func() (io.ReadWriteCloser, error) { return net.Dial("tcp", addr) }
}

func openRFC2217(b *testing.B, addr string) func() (io.ReadWriteCloser, error) {
	return func() (io.ReadWriteCloser, error) {
		return rfc2217client.Dial(b.Context(), new(net.Dialer).DialContext, addr, rfc2217client.Options{NoTimingMark: true})
	}
}

func openPTY(b *testing.B, name string) func() (io.ReadWriteCloser, error) {
	return func() (io.ReadWriteCloser, error) {
		f, err := os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY, 0)
		if err == nil {
			plain(b, f)
		}
		return f, err
	}
}

func freeAddr(b *testing.B) string {
	return fmt.Sprint("127.0.0.1:", freePorts(b, 1))
}

// ours starts a gateway with one door.
func ours(b *testing.B, door string, open func(addr string) func() (io.ReadWriteCloser, error)) between {
	dir, addr := b.TempDir(), freeAddr(b)
	where := addr
	if door == "pty" {
		addr = filepath.Join(dir, "port")
		where = addr
	}
	file := filepath.Join(dir, "bench.yaml")
	text := fmt.Sprintf("listen: %s\nserial: {ports: {line/ports/1: {%s: '%s', line: 921600n81}}}\ndevices: {line: 'serial:%s'}\n", freeAddr(b), door, where, lineWithEcho(b))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	pid := startBetween(b, "patchbay", "run", file)
	return between{reach(b, open(addr)), pid}
}

// ser2netDoor starts ser2net without its wait for more characters.
func ser2netDoor(b *testing.B, over string, open func(addr string) func() (io.ReadWriteCloser, error)) between {
	addr := freeAddr(b)
	host, port, _ := net.SplitHostPort(addr)
	conf := filepath.Join(b.TempDir(), "ser2net.yaml")
	text := fmt.Sprintf("connection: &c\n  accepter: %stcp,%s,%s\n  connector: serialdev,%s,921600n81,local\n  options:\n    chardelay: false\n", over, host, port, lineWithEcho(b))
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	pid := startBetween(b, "ser2net", "-n", "-c", conf)
	return between{reach(b, open(addr)), pid}
}

var doors = []struct {
	name string
	open func(b *testing.B) between
}{
	{"none", func(b *testing.B) between { return between{reach(b, openPTY(b, lineWithEcho(b))), 0} }},
	{"go-bridge", func(b *testing.B) between {
		addr := freeAddr(b)
		pid := startBetween(b, "bare-bridge", addr, lineWithEcho(b))
		return between{reach(b, openTCP(addr)), pid}
	}},
	{"patchbay-raw", func(b *testing.B) between { return ours(b, "raw", openTCP) }},
	{"ser2net-raw", func(b *testing.B) between { return ser2netDoor(b, "", openTCP) }},
	{"socat-raw", func(b *testing.B) between {
		addr := freeAddr(b)
		host, port, _ := net.SplitHostPort(addr)
		pid := startBetween(b, "socat", "TCP-LISTEN:"+port+",bind="+host+",reuseaddr,nodelay", lineWithEcho(b)+",raw,echo=0")
		return between{reach(b, openTCP(addr)), pid}
	}},
	{"patchbay-rfc2217", func(b *testing.B) between {
		return ours(b, "rfc2217", func(addr string) func() (io.ReadWriteCloser, error) { return openRFC2217(b, addr) })
	}},
	{"ser2net-rfc2217", func(b *testing.B) between {
		return ser2netDoor(b, "telnet(rfc2217),", func(addr string) func() (io.ReadWriteCloser, error) { return openRFC2217(b, addr) })
	}},
	{"patchbay-pty", func(b *testing.B) between {
		return ours(b, "pty", func(addr string) func() (io.ReadWriteCloser, error) { return openPTY(b, addr) })
	}},
	{"socat-pty", func(b *testing.B) between {
		name := filepath.Join(b.TempDir(), "port")
		pid := startBetween(b, "socat", "pty,raw,echo=0,link="+name, lineWithEcho(b)+",raw,echo=0")
		return between{reach(b, openPTY(b, name)), pid}
	}},
}

// cpuOf is the processor time that a process has used, in the kernel's ticks of 10 ms; of this one when pid is 0.
func cpuOf(b *testing.B, pid int) time.Duration {
	if pid == 0 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	f := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(f) < 13 {
		b.Fatalf("/proc/%d/stat is %q", pid, text)
	}
	user, err := strconv.Atoi(f[11])
	if err != nil {
		b.Fatal(err)
	}
	system, err := strconv.Atoi(f[12])
	if err != nil {
		b.Fatal(err)
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}

// BenchmarkSerialDoors is one byte there and back.
func BenchmarkSerialDoors(b *testing.B) {
	for _, d := range doors {
		b.Run(d.name, func(b *testing.B) {
			c := d.open(b)
			p := make([]byte, 1)
			turn := func(i int) {
				p[0] = byte(i)
				if _, err := c.Write(p); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(c, p); err != nil || p[0] != byte(i) {
					b.Fatal(err, p[0])
				}
			}
			for i := range 200 {
				turn(i)
			}
			var took []time.Duration
			before := cpuOf(b, c.pid)
			for i := 0; b.Loop(); i++ {
				began := time.Now()
				turn(i)
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-p50")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs-p99")
			b.ReportMetric(float64((cpuOf(b, c.pid)-before).Microseconds())/float64(len(took)), "cpu-µs/op")
		})
	}
}

// BenchmarkSerialBulk is -bulk megabytes there and back at once. cpu-s/op is of the program in between alone; without one it is that of
// this process, which echoes, sends and compares.
func BenchmarkSerialBulk(b *testing.B) {
	for _, d := range doors {
		b.Run(d.name, func(b *testing.B) {
			c := d.open(b)
			size := *bulk << 20
			piece := make([]byte, 1<<20)
			for i := range piece {
				piece[i] = byte(i ^ i>>8 ^ i>>16)
			}
			back := make([]byte, 64<<10)
			b.SetBytes(int64(size))
			before := cpuOf(b, c.pid)
			for b.Loop() {
				sent := make(chan error, 1)
				go func() {
					for range *bulk {
						if _, err := c.Write(piece); err != nil {
							sent <- err
							return
						}
					}
					sent <- nil
				}()
				for at := 0; at < size; {
					n, err := c.Read(back)
					if from := at % len(piece); n > 0 && !bytes.Equal(back[:min(n, len(piece)-from)], piece[from:min(from+n, len(piece))]) {
						b.Fatalf("after %d bytes they come back changed, lost, doubled or in another order", at)
					}
					if at += n; err != nil {
						b.Fatalf("after %d of %d bytes: %v", at, size, err)
					}
				}
				if err := <-sent; err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((cpuOf(b, c.pid)-before).Seconds()/float64(b.N), "cpu-s/op")
		})
	}
}
