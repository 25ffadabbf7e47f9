package serial

import (
	"context"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// watched is a listener that shows what it has accepted.
type watched struct {
	net.Listener
	accepted chan net.Conn
}

func (w watched) Accept() (net.Conn, error) {
	c, err := w.Listener.Accept()
	if err == nil {
		w.accepted <- c
	}
	return c, err
}

// user_timeout and keep_alive reach the kernel, and nothing waits for more.
func TestTCPSettings(t *testing.T) {
	for _, tt := range []struct {
		port                Port
		user, idle, nodelay int
	}{
		{Port{UserTimeout: 7 * time.Second, KeepAlive: 20 * time.Second}, 7000, 20, 1},
		{Port{}, 0, 15, 1},
	} {
		p := tt.port
		p.Device, p.Path, p.Raw = "box", "ports/3", "127.0.0.1:0"
		addr, accepted := make(chan string, 1), make(chan net.Conn, 1)
		r := newRig(t, Config{})
		r.door.cfg.Listen = func(ctx context.Context, network, at string) (net.Listener, error) {
			l, err := new(net.ListenConfig).Listen(ctx, network, at)
			if err != nil {
				return nil, err
			}
			addr <- l.Addr().String()
			return watched{l, accepted}, nil
		}
		r.door.Set([]Port{p})
		c := dial(t, <-addr)
		c.Write([]byte("x"))
		expect(t, c, "x") // it is served
		raw, err := (<-accepted).(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range []struct {
			name string
			opt  int
			want int
		}{{"user timeout", unix.TCP_USER_TIMEOUT, tt.user}, {"keep-alive", unix.TCP_KEEPIDLE, tt.idle},
			{"pause between questions", unix.TCP_KEEPINTVL, tt.idle}, {"questions", unix.TCP_KEEPCNT, 3}, {"no delay", unix.TCP_NODELAY, tt.nodelay}} {
			var got int
			if e := raw.Control(func(fd uintptr) { got, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, o.opt) }); e != nil || err != nil || got != o.want {
				t.Errorf("%s is %d, want %d (%v, %v)", o.name, got, o.want, e, err)
			}
		}
	}
}
