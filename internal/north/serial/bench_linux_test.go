package serial

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north/northtest"
	"github.com/patchbay-io/patchbay/internal/tty"
	"github.com/patchbay-io/patchbay/protocol/rfc2217/rfc2217client"
)

// The doors against other programs, in one run: behind ours is the echo of a simulated port in the same process, behind theirs a
// PTY whose other end echoes. Programs that are not installed are left out.
//
//	go test -run '^$' -bench Serial ./internal/north/serial

// benchDoor offers the echo in every way.
func benchDoor(b *testing.B) (raw, rfc2217, link string) {
	b.Helper()
	box, err := northtest.NewBox()
	if err != nil {
		b.Fatal(err)
	}
	raw, rfc2217 = freeAddr(b), freeAddr(b)
	link = filepath.Join(b.TempDir(), "port")
	d := New(Config{Streams: box.Gateway})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- box.Gateway.Run(ctx) }()
	go func() { done <- d.Run(ctx) }()
	b.Cleanup(func() { cancel(); <-done; <-done })
	for len(box.Gateway.Streams(northtest.BoxName)) == 0 {
		time.Sleep(time.Millisecond)
	}
	d.Set([]Port{{Device: northtest.BoxName, Path: "ports/3", Raw: raw, RFC2217: rfc2217, PTY: link, PTYOwner: -1, PTYGroup: -1}})
	for {
		if _, err := os.Stat(link); err == nil {
			time.Sleep(50 * time.Millisecond) // the listeners are started at the same time
			return raw, rfc2217, link
		}
		time.Sleep(time.Millisecond)
	}
}

// echoPTY is a PTY whose master echoes; the name is the slave's.
func echoPTY(b *testing.B) string {
	b.Helper()
	m, s, err := pty.Open()
	if err != nil {
		b.Skip(err)
	}
	rawTTY(b, s)
	go io.Copy(m, m)
	b.Cleanup(func() { m.Close(); s.Close() })
	return s.Name()
}

func rawTTY(b *testing.B, f *os.File) {
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

func openRaw(b *testing.B, name string) io.ReadWriteCloser {
	b.Helper()
	f, err := os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		b.Fatal(err)
	}
	rawTTY(b, f)
	return f
}

func dialBench(b *testing.B, addr string) net.Conn {
	b.Helper()
	for range 300 {
		if c, err := net.Dial("tcp", addr); err == nil {
			return c
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.Skipf("nothing listens on %s", addr)
	return nil
}

func freeAddr(b *testing.B) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func startBench(b *testing.B, name string, args ...string) {
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
}

// ways are all ends that echo.
var ways = []struct {
	name string
	open func(b *testing.B) io.ReadWriteCloser
}{
	{"bridge", func(b *testing.B) io.ReadWriteCloser { // the least that Go can do between TCP and a PTY
		f, err := os.OpenFile(echoPTY(b), os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
		if err != nil {
			b.Fatal(err)
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { l.Close(); f.Close() })
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			pass := func(to io.Writer, from io.Reader) {
				buf := make([]byte, 16<<10)
				for {
					n, err := from.Read(buf)
					if _, werr := to.Write(buf[:n]); err != nil || werr != nil {
						return
					}
				}
			}
			go pass(f, c)
			pass(c, f)
		}()
		return dialBench(b, l.Addr().String())
	}},
	{"raw", func(b *testing.B) io.ReadWriteCloser { raw, _, _ := benchDoor(b); return dialBench(b, raw) }},
	{"rfc2217", func(b *testing.B) io.ReadWriteCloser {
		_, addr, _ := benchDoor(b)
		c, err := rfc2217client.Dial(b.Context(), new(net.Dialer).DialContext, addr, rfc2217client.Options{NoTimingMark: true})
		if err != nil {
			b.Fatal(err)
		}
		return c
	}},
	{"pty", func(b *testing.B) io.ReadWriteCloser { _, _, link := benchDoor(b); return openRaw(b, link) }},
	{"ser2net", func(b *testing.B) io.ReadWriteCloser { return ser2net(b, "") }},
	{"ser2net-tuned", func(b *testing.B) io.ReadWriteCloser { return ser2net(b, "  options:\n    chardelay: false\n") }},
	{"socat", func(b *testing.B) io.ReadWriteCloser {
		addr := freeAddr(b)
		_, port, _ := net.SplitHostPort(addr)
		startBench(b, "socat", "TCP-LISTEN:"+port+",bind=127.0.0.1,nodelay", echoPTY(b)+",raw,echo=0")
		return dialBench(b, addr)
	}},
}

func ser2net(b *testing.B, options string) io.ReadWriteCloser {
	addr := freeAddr(b)
	_, port, _ := net.SplitHostPort(addr)
	conf := filepath.Join(b.TempDir(), "ser2net.yaml")
	text := fmt.Sprintf("connection: &c\n  accepter: tcp,127.0.0.1,%s\n  connector: serialdev,%s,921600n81,local\n%s", port, echoPTY(b), options)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	startBench(b, "ser2net", "-n", "-c", conf)
	return dialBench(b, addr)
}

// BenchmarkSerialRoundTrip is one byte there and back.
func BenchmarkSerialRoundTrip(b *testing.B) {
	for _, w := range ways {
		b.Run(w.name, func(b *testing.B) {
			c := w.open(b)
			defer c.Close()
			p := make([]byte, 1)
			for range 200 {
				c.Write(p)
				if _, err := io.ReadFull(c, p); err != nil {
					b.Fatal(err)
				}
			}
			took := make([]time.Duration, 0, b.N)
			b.ResetTimer()
			for i := range b.N {
				began := time.Now()
				p[0] = byte(i)
				if _, err := c.Write(p); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(c, p); err != nil || p[0] != byte(i) {
					b.Fatal(err, p[0])
				}
				took = append(took, time.Since(began))
			}
			b.StopTimer()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-p50")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs-p99")
		})
	}
}

func cpu() time.Duration {
	var own, children syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &own) != nil || syscall.Getrusage(syscall.RUSAGE_CHILDREN, &children) != nil {
		return 0
	}
	return time.Duration(own.Utime.Nano() + own.Stime.Nano() + children.Utime.Nano() + children.Stime.Nano())
}

// BenchmarkSerialBulk is 4 MB there and back for each operation; the CPU time holds both ends and, of other programs, what they
// have used is counted when they end.
func BenchmarkSerialBulk(b *testing.B) {
	const size = 4 << 20
	for _, w := range ways {
		b.Run(w.name, func(b *testing.B) {
			c := w.open(b)
			defer c.Close()
			data := everyByte(size)
			back := make([]byte, size)
			b.SetBytes(size)
			began := cpu()
			for b.Loop() {
				go c.Write(data)
				if _, err := io.ReadFull(c, back); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((cpu()-began).Milliseconds())/float64(b.N), "cpu-ms/op")
		})
	}
}
