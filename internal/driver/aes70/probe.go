package aes70

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaclient"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaws"
)

// Probe asks the device manager at addr what the device is: over TCP, and where that is not understood over WebSocket; on port 80 over
// WebSocket alone. It changes nothing. ctx bounds it.
func (Driver) Probe(ctx context.Context, env driver.Env, addr string) (driver.Finding, error) {
	_, port, _ := net.SplitHostPort(addr)
	if port == strconv.Itoa(PortWS) {
		return probe(ctx, env, addr, schemeWS)
	}
	f, err := probe(ctx, env, addr, schemeTCP)
	if err == nil {
		return f, nil
	}
	switch driver.ClassOf(err) {
	case driver.NotThisProtocol, driver.Closed, driver.Timeout: // a web server may wait for the end of a line
	default:
		return f, err
	}
	if g, e := probe(ctx, env, addr, schemeWS); e == nil {
		g.Scheme = schemeWS
		return g, nil
	}
	return f, err
}

// probeTimeout leaves room for both ways within what a prober waits.
const probeTimeout = 1500 * time.Millisecond

func probe(ctx context.Context, env driver.Env, addr, scheme string) (driver.Finding, error) {
	how := "TCP"
	var conn net.Conn
	var err error
	ctx, cancel := context.WithTimeout(ctx, probeTimeout) // a client waits as long as its caller does
	defer cancel()
	if scheme == schemeWS {
		how = "WebSocket: " + schemeWS + "://" + addr
		conn, err = ocaws.Dial(ctx, ocaws.Opener(env.Dial), addr, ocaws.DialOptions{})
	} else {
		conn, err = env.Dial(ctx, "tcp", addr)
	}
	if err != nil {
		return driver.Finding{}, wrap("probe", addr, err)
	}
	c := ocaclient.New(conn, addr, ocaclient.Options{Timeout: probeTimeout})
	m, err := c.Model(ctx)
	var no *ocp1.Error
	switch {
	case errors.As(err, &no):
		return driver.Finding{Match: true, Reasons: []string{"speaks OCP.1 over " + how + " and refused to say what it is: " + no.Error()}}, c.Close()
	case err != nil:
		return driver.Finding{}, errors.Join(wrap("probe", addr, err), c.Close())
	}
	return driver.Finding{Match: true, Reasons: []string{strings.TrimSpace(fmt.Sprintf("%s %s, version %s", m.Manufacturer, m.Name, m.Version)), "AES70 (OCP.1) over " + how}}, c.Close()
}
