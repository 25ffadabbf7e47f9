package probe

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
)

// listen waits for what comes unasked.
func (r *reactor) listen(ctx context.Context) {
	began := time.Now()
	x := Reaction{Group: "tcp", Step: "listen", Sent: ""}
	defer func() { r.done(x, began) }()
	conn, err := r.dial(ctx)
	if err != nil {
		x.Came = NoWay
		_, x.Suggests, _ = connectWords(r.addr, err)
		return
	}
	r.reached = true
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	_ = conn.SetDeadline(began.Add(listenFor))
	buf := make([]byte, headSize)
	n, err := conn.Read(buf)
	if x.Came = how(err); n > 0 {
		r.speaks = true
		x.Came, x.Received = Answered, shown(buf[:n])
		if x.Protocol, x.Suggests = suggests("", buf[:n]); x.Suggests == "" {
			x.Suggests = "none of these protocols"
		}
	}
}

// first sends the first message of a protocol.
func (r *reactor) first(ctx context.Context, s step) {
	x := Reaction{Group: s.network, Step: s.step, Sent: shown(s.data), about: s.about}
	needs := r.must(&x)
	if needs == "" && r.web && !r.thorough && !slices.Contains(s.about, schemeAES70) && s.network == "tcp" {
		needs = "--thorough: it is a web server"
	}
	if needs != "" {
		r.skip(x, needs)
		return
	}
	began := time.Now()
	defer func() { r.done(x, began) }()
	open := r.dial
	if s.network == "udp" {
		open = r.dialPacket
	}
	conn, err := open(ctx)
	if err != nil {
		x.Came = NoWay
		return
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	_ = conn.SetDeadline(time.Now().Add(silence))
	_, err = conn.Write(s.data)
	var got []byte
	buf := make([]byte, 2048)
	for err == nil && x.Protocol == "" && len(got) < maxAnswer {
		var n int
		n, err = conn.Read(buf)
		got = append(got, buf[:n]...)
		x.Protocol, x.Suggests = suggests(s.step, got)
	}
	if x.Came = how(err); len(got) == 0 {
		return
	}
	x.Came, x.Received = Answered, shown(got)
	if s.bye != nil && x.Protocol != "" {
		_ = conn.SetDeadline(time.Now().Add(silence))
		if _, err := conn.Write(s.bye(got)); err == nil && s.network == "tcp" {
			_, _ = conn.Read(buf) // a control that has answered has let go
		}
	}
}

// maxAnswer is how many bytes of an answer are read while nobody knows what it is.
const maxAnswer = 4096

// packetConn is a packet connection to one address.
type packetConn struct {
	net.PacketConn
	to net.Addr
}

func (c packetConn) Read(p []byte) (int, error) {
	for {
		n, from, err := c.ReadFrom(p)
		if err != nil || from.String() == c.to.String() {
			return n, err
		}
	}
}

func (c packetConn) Write(p []byte) (int, error)   { return c.WriteTo(p, c.to) }
func (c packetConn) RemoteAddr() net.Addr          { return c.to }
func (c packetConn) SetDeadline(t time.Time) error { return c.PacketConn.SetDeadline(t) }
func (c packetConn) LocalAddr() net.Addr           { return c.PacketConn.LocalAddr() }

// dialPacket is for steps over datagrams.
func (r *reactor) dialPacket(ctx context.Context) (net.Conn, error) {
	if r.ListenPacket == nil {
		return nil, errors.New("no datagrams here")
	}
	host, port, err := net.SplitHostPort(r.addr)
	if err != nil {
		return nil, err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, err
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		if r.Resolve == nil {
			return nil, err
		}
		addrs, err := r.Resolve(ctx, host)
		if err != nil || len(addrs) == 0 {
			return nil, errors.Join(errors.New("no address"), err)
		}
		ip = addrs[0]
	}
	p, err := r.ListenPacket(ctx, "udp", ":0")
	if err != nil {
		return nil, err
	}
	return packetConn{p, net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip.Unmap(), uint16(n)))}, nil
}

// how tells an end of a connection from the error of a read.
func how(err error) Came {
	switch {
	case err == nil:
		return Answered
	case driver.ClassOf(err) == driver.Timeout:
		return Absorbed
	case isReset(err):
		return ResetIt
	}
	return ClosedIt
}
