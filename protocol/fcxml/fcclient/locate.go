package fcclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/protocol/fcxml"
)

// ErrNoServer is the cause when nothing at a host answers a discovery.
var ErrNoServer = errors.New("no Focusrite Control answers there")

// Locate asks one host for the TCP port of its server, which the operating system chooses anew at each start. open makes
// connections of datagrams ("udp"). It gives up when ctx ends, which should have a deadline.
func Locate(ctx context.Context, open Opener, host string) (addr string, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan Found, len(fcxml.DiscoveryPorts()))
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for _, port := range fcxml.DiscoveryPorts() {
		wg.Go(func() { locateOn(ctx, open, net.JoinHostPort(host, strconv.Itoa(int(port))), answers) })
	}
	select {
	case f := <-answers:
		_, port, _ := net.SplitHostPort(f.Addr)
		return net.JoinHostPort(host, port), nil
	case <-ctx.Done():
		return "", fmt.Errorf("fcxml locate %s: %w: %w", host, ErrNoServer, ctx.Err())
	}
}

// locateOn asks at one port until ctx ends.
func locateOn(ctx context.Context, open Opener, addr string, answers chan<- Found) {
	conn, err := open(ctx, "udp", addr)
	if err != nil {
		return
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	ask := fcxml.AppendMessage(nil, fcxml.ClientDiscovery{App: fcxml.App, Version: fcxml.Version})
	buf := make([]byte, 2048)
	for ctx.Err() == nil {
		_, _ = conn.Write(ask) // what nobody hears is asked again
		until := time.Now().Add(discoverEvery)
		conn.SetReadDeadline(until)
		if ctx.Err() != nil {
			return
		}
		n, err := conn.Read(buf)
		if err == nil {
			if f, ok := announced(buf[:n], conn.RemoteAddr()); ok {
				answers <- f
				return
			}
		}
		if wait := time.Until(until); wait > 0 { // an answer of nobody, or a refusal: not faster for that
			t := time.NewTimer(wait)
			select {
			case <-t.C:
			case <-ctx.Done():
			}
			t.Stop()
		}
	}
}
