package dmclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/patchbay-io/patchbay/protocol/devicemaster"
)

// Found is a box that answered the discovery.
type Found struct {
	From     net.Addr // who sent the response
	Response devicemaster.Discovery
}

// scanEvery is how often the question is put: datagrams get lost.
const scanEvery = 700 * time.Millisecond

// Discover asks at the addresses to (port [devicemaster.Port]; a broadcast address asks all boxes of a network) until ctx
// ends, and calls found once for each box, by its MAC address and the host that answers: boxes that are no hardware may have
// been given the same one. It returns nil after ctx has ended, and an error only when nothing could be asked. Tags of a
// response are valid during the call.
func Discover(ctx context.Context, conn net.PacketConn, to []net.Addr, found func(Found)) error {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	type box struct {
		mac  devicemaster.MAC
		host string
	}
	seen := map[box]bool{}
	buf := make([]byte, 2048)
	for seq := uint16(1); ctx.Err() == nil; seq++ {
		var errs []error
		for _, a := range to {
			if _, err := conn.WriteTo(devicemaster.AppendScan(nil, seq), a); err != nil {
				errs = append(errs, err)
			}
		}
		if len(errs) == len(to) {
			return fmt.Errorf("devicemaster discover: %w", errors.Join(errs...))
		}
		_ = conn.SetReadDeadline(time.Now().Add(scanEvery))
		for ctx.Err() == nil {
			n, from, err := conn.ReadFrom(buf)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				break
			}
			if err != nil {
				if ctx.Err() != nil {
					return nil
				}
				return fmt.Errorf("devicemaster discover: %w", err)
			}
			d, err := devicemaster.ParseDiscovery(buf[:n])
			mac, ok := d.MAC()
			host, _, _ := net.SplitHostPort(from.String())
			who := box{mac, host}
			if err != nil || !ok || d.Function != devicemaster.DiscoveryResponse || d.Seq == 0 || d.Seq > seq || seen[who] {
				continue
			}
			seen[who] = true
			found(Found{From: from, Response: d})
		}
	}
	return nil
}

// Release takes a port, counted from 0, from whoever has it, as the maker's release tool does: it connects, asks and waits
// three seconds for the answer, with no session around it.
func Release(ctx context.Context, open Opener, addr string, port int) error {
	fail := func(err error) error { return fmt.Errorf("devicemaster release %s port %d: %w", addr, port+1, err) }
	if port < 0 || port >= devicemaster.MaxPorts {
		return fail(ErrNoPort)
	}
	conn, err := dial(ctx, open, addr, DefaultTimeout)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(releaseWait)) // before the end of ctx may set its own
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := conn.Write(devicemaster.AppendRelease(devicemaster.AppendSelect(nil, uint8(port)))); err != nil {
		return fail(orContext(ctx, err))
	}
	dec := devicemaster.NewDecoder(devicemaster.FromDevice, devicemaster.DecoderOptions{})
	buf := make([]byte, 512)
	for {
		n, err := conn.Read(buf)
		dec.Feed(buf[:n])
		for {
			m, ok, wrong := dec.Next()
			if wrong != nil {
				return fail(fmt.Errorf("%w: %w", ErrNotDeviceMaster, wrong))
			}
			if !ok {
				break
			}
			if m.Op == devicemaster.OpStatus && m.Selected && int(m.Port) == port && devicemaster.Status(m.Value) == devicemaster.Released {
				return nil
			}
		}
		switch {
		case err == io.EOF:
			return fail(fmt.Errorf("%w: it closed the connection", ErrNoAnswer))
		case err != nil:
			return fail(orContext(ctx, noAnswer(err)))
		}
	}
}
