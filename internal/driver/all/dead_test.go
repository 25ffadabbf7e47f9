package all_test

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"net"
	"net/url"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/all"
	"github.com/patchbay-io/patchbay/internal/gateway"
	"github.com/patchbay-io/patchbay/internal/testnet"
)

var deadFor = flag.Duration("dead", 0, "also hold 100 dead devices on real sockets for so long, such as 2m")

// manyDead is how many devices nobody answers for, a quarter of them in each way.
const manyDead = 100

// dialer is a way to reach dead devices; it counts the connections that are open.
type dialer struct {
	dial func(ctx context.Context, how int) (net.Conn, error)
	open atomic.Int64
	all  atomic.Int64
}

type counted struct {
	net.Conn
	once sync.Once
	open *atomic.Int64
}

func (c *counted) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}

type countedPackets struct {
	net.PacketConn
	once sync.Once
	open *atomic.Int64
}

func (c *countedPackets) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.PacketConn.Close()
}

// gatewayOf runs devices of every driver that all are dead; the number of a device says how.
func gatewayOf(t *testing.T, d *dialer) (stop func()) {
	t.Helper()
	var devices []gateway.DeviceConfig
	drivers := all.Drivers()
	for i := range manyDead {
		dr := drivers[i/4%len(drivers)]
		u := &url.URL{Scheme: dr.Info().Schemes[0].Name, Host: fmt.Sprintf("192.0.2.%d", i%4)}
		devices = append(devices, gateway.DeviceConfig{Name: fmt.Sprintf("d%d", i), Driver: dr, Display: u.String(), Section: u.String(),
			Target: driver.Target{Name: fmt.Sprintf("d%d", i), URL: u, Options: dr.Options()}})
	}
	nobody := new(testnet.Network) // where datagrams are lost, whatever their way to be dead
	g := gateway.New(gateway.Options{Env: func(c gateway.DeviceConfig) driver.Env {
		how := int(c.Target.URL.Host[len("192.0.2.")] - '0')
		return driver.Env{Rand: rand.Reader, ListenPacket: func(ctx context.Context, network, addr string) (net.PacketConn, error) {
			p, err := nobody.ListenPacket(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			d.open.Add(1)
			d.all.Add(1)
			return &countedPackets{PacketConn: p, open: &d.open}, nil
		}, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := d.dial(ctx, how)
			if err != nil {
				return nil, err
			}
			d.open.Add(1)
			d.all.Add(1)
			return &counted{Conn: conn, open: &d.open}, nil
		}}
	}})
	if err := g.SetDevices(devices); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if n := d.open.Load(); n != 0 {
			t.Errorf("%d connections are left behind", n)
		}
	}
}

// look is what must not grow.
type look struct {
	goroutines, conns int
	heap              uint64
}

func (d *dialer) look() look {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return look{runtime.NumGoroutine(), int(d.open.Load()), m.HeapAlloc}
}

// Each device holds a fixed number of goroutines and one connection at most, however long it is dead.
func (l look) check(t *testing.T, first look) {
	t.Helper()
	if l.conns > manyDead {
		t.Errorf("%d connections for %d devices", l.conns, manyDead)
	}
	if limit := first.goroutines + manyDead/2; l.goroutines > limit {
		t.Errorf("%d goroutines, %d at first", l.goroutines, first.goroutines)
	}
	if l.heap > first.heap+8<<20 {
		t.Errorf("heap of %d bytes, %d at first", l.heap, first.heap)
	}
}

// Refused, hanging, silent and closing peers, for a quarter of an hour of simulated time.
func TestDeadDevices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dialer{dial: func(ctx context.Context, how int) (net.Conn, error) {
			switch how {
			case 0:
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
			case 1:
				<-ctx.Done()
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: ctx.Err()}
			}
			near, far := testnet.Pipe(0)
			if how == 3 {
				return near, far.Close()
			}
			return near, nil
		}}
		stop := gatewayOf(t, d)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		first, before := d.look(), d.all.Load()
		for range 3 {
			time.Sleep(5 * time.Minute)
			synctest.Wait()
			d.look().check(t, first)
		}
		if n := d.all.Load() - before; n < 900/40*manyDead/2 {
			t.Errorf("%d attempts reached a peer in a quarter of an hour: the devices are given up", n)
		}
		stop()
	})
}

// The same on real sockets; run it with -dead 2m.
func TestDeadDevicesOnSockets(t *testing.T) {
	if *deadFor == 0 {
		t.Skip("needs -dead DURATION")
	}
	listen := func() net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	closed, hanging, silent, closing := listen(), listen(), listen(), listen()
	closed.Close() // its port refuses; nobody ever accepts from hanging
	var wg sync.WaitGroup
	serve := func(l net.Listener, each func(net.Conn)) {
		wg.Go(func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				wg.Go(func() {
					defer conn.Close()
					each(conn)
				})
			}
		})
	}
	serve(silent, func(c net.Conn) {
		buf := make([]byte, 512)
		for {
			if _, err := c.Read(buf); err != nil {
				return
			}
		}
	})
	serve(closing, func(net.Conn) {})
	where := [...]string{closed.Addr().String(), hanging.Addr().String(), silent.Addr().String(), closing.Addr().String()}
	d := &dialer{dial: func(ctx context.Context, how int) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", where[how])
	}}
	stop := gatewayOf(t, d)
	time.Sleep(min(20*time.Second, *deadFor/2))
	first := d.look()
	for end := time.Now().Add(*deadFor); time.Now().Before(end); {
		time.Sleep(min(5*time.Second, time.Until(end)))
		now := d.look()
		t.Logf("%d goroutines, %d connections, %.1f MB", now.goroutines, now.conns, float64(now.heap)/1e6)
		now.check(t, first)
	}
	stop()
	for _, l := range []net.Listener{hanging, silent, closing} {
		l.Close()
	}
	wg.Wait()
}
