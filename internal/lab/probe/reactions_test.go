package probe

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/fc2/fc2sim"
	"github.com/patchbay-io/patchbay/protocol/fcxml/fcsim"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocasim"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaws"
)

// react runs every step against servers by address, made inside the bubble, and gives the reactions of one.
func react(t *testing.T, at string, servers func() map[string]func(context.Context, net.Listener) error) (all []Reaction, g map[string]bool) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := new(testnet.Network)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for addr, serve := range servers() {
			l := n.MustListen(addr)
			wg.Go(func() { _ = serve(ctx, l) })
		}
		p := &Prober{Dial: n.Dial}
		var guesses []Guess
		var err error
		if all, guesses, err = p.React(ctx, at, nil); err != nil {
			t.Error(err)
		}
		g = map[string]bool{}
		for _, x := range guesses {
			g[x.Protocol] = x.Match
			if len(x.Reasons) == 0 {
				t.Errorf("%s without a reason", x.Protocol)
			}
		}
		cancel()
		wg.Wait()
	})
	return all, g
}

func fc2Servers() map[string]func(context.Context, net.Listener) error {
	sim := fc2sim.New(fc2sim.Options{})
	return map[string]func(context.Context, net.Listener) error{"192.0.2.50:58322": sim.ServeSecure, "192.0.2.50:58323": sim.ServeOnboarding}
}

// The table of the probing of Focusrite Control 2 on a real computer, line by line, against the simulator. The wording is that of
// the report; what it calls "no response" and "stays open" is one reaction here.
func TestReactionsOfFocusriteControl2(t *testing.T) {
	const (
		notFound     = "404"
		rejected     = "upgrade rejected"
		accepted     = "accepted"
		closedAtOnce = "connection closed"
		staysOpen    = "accepted, no response, stays open"
		noResponse   = "no response"
	)
	var want []string
	line := func(port, what, result string) { want = append(want, port+" | "+what+" | "+result) }
	// Port 58322: 404 for all tested paths; every upgrade rejected; raw OCP.1 not answered.
	for _, path := range []string{"/", "/index.html", "/api", "/device", "/oca", "/ws", "/websocket", "/control", "/aes70", "/connect", "/nmos",
		"/x-nmos/ncp/v1.0/connect", "/focusrite", "/scarlett", "/status", "/info", "/health", "/.well-known", "/device/info", "/api/device"} {
		line("58322", "GET "+path, notFound)
	}
	for _, u := range []string{"/", "/ as ocp.1", "/ as aes70", "/oca", "/ws", "/aes70 as aes70", "/x-nmos/ncp/v1.0/connect", "/no-such-path as no-such-protocol"} {
		line("58322", "upgrade "+u, rejected)
	}
	line("58322", "OCP.1 keep-alive", noResponse)
	line("58322", "OCP.1 GetModelDescription", noResponse)
	// Port 58323: any path with any subprotocol; then by kind of data.
	for _, u := range []string{"/", "/ as ocp.1", "/ as aes70", "/oca", "/ws", "/aes70 as aes70", "/x-nmos/ncp/v1.0/connect", "/no-such-path as no-such-protocol"} {
		line("58323", "upgrade "+u, accepted)
	}
	line("58323", "Binary OCP.1 with sync byte", closedAtOnce)
	line("58323", "Binary without sync byte", closedAtOnce)
	line("58323", "Raw OCA command", closedAtOnce)
	line("58323", "KeepAlive byte (0x04)", staysOpen)
	line("58323", "Arbitrary text", staysOpen)
	line("58323", "IS-12 NcObject.Get members", staysOpen)
	line("58323", "IS-12 NcBlock.GetMemberDescriptors", staysOpen)
	line("58323", "IS-12 NcObject.Get role", staysOpen)
	line("58323", "IS-12 Subscription", staysOpen)
	line("58323", "OCP.1 keep-alive", noResponse)
	line("58323", "OCP.1 GetModelDescription", noResponse)

	words := map[string]string{frameOCPMalformed: "Binary OCP.1 with sync byte", frameNoSync: "Binary without sync byte", frameRawCommand: "Raw OCA command",
		frameByte: "KeepAlive byte (0x04)", frameText: "Arbitrary text", frameIS12Members: "IS-12 NcObject.Get members",
		frameIS12Describe: "IS-12 NcBlock.GetMemberDescriptors", frameIS12Role: "IS-12 NcObject.Get role", frameIS12Sub: "IS-12 Subscription"}
	var got []string
	for _, port := range []string{"58322", "58323"} {
		all, guess := react(t, "192.0.2.50:"+port, fc2Servers)
		for _, x := range all {
			what, result := x.Step, string(x.Came)+" "+x.Received
			switch {
			case x.Group == "http" && port == "58323", x.Group == "frame" && port == "58322", x.Step == tcpXML:
				continue // the report has no line for it
			case x.Group == "frame" && (x.Step == frameOCPKeepAlive || x.Step == frameOCPMembers):
				continue // well-formed messages were not tried then, and are answered; see below
			case x.Group == "http" && x.Came == Answered && strings.HasPrefix(x.Received, "HTTP/1.1 404"):
				result = notFound
			case x.Group == "websocket" && x.Came == Declined && x.Received == "404":
				result = rejected
			case x.Group == "websocket" && x.Came == Answered:
				result = accepted
			case x.Group == "frame" && x.Came == ClosedIt:
				result = closedAtOnce
			case x.Group == "frame" && x.Came == Absorbed:
				result = staysOpen
			case x.Group == "tcp" && (x.Came == Absorbed || x.Came == ClosedIt):
				result = noResponse
			}
			if w, ok := words[x.Step]; ok && x.Group == "frame" {
				what = w
			}
			got = append(got, fmt.Sprintf("%s | %s | %s", port, what, result))
		}
		if guess["aes70"] || guess["aes70+ws"] || guess["fcxml"] || guess["is12+ws"] {
			t.Errorf("%s: %v", port, guess)
		}
		if guess["fc2"] != (port == "58323") { // the secure endpoint alone looks like any server that has nothing
			t.Errorf("%s: fc2 is %v", port, guess["fc2"])
		}
		if port == "58323" {
			for _, x := range all {
				if x.Group == "frame" && (x.Step == frameOCPKeepAlive || x.Step == frameOCPMembers) && x.Came != Answered {
					t.Errorf("%s: %s", x.Step, x.Came)
				}
			}
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// Each simulator is told from the others.
func TestReactionsNameOneProtocol(t *testing.T) {
	one := func(serve func(context.Context, net.Listener) error) map[string]func(context.Context, net.Listener) error {
		return map[string]func(context.Context, net.Listener) error{"192.0.2.60:1000": serve}
	}
	for want, servers := range map[string]func() map[string]func(context.Context, net.Listener) error{
		"fcxml": func() map[string]func(context.Context, net.Listener) error {
			sim, err := fcsim.New(fcsim.Options{Model: "solo"})
			if err != nil {
				t.Error(err)
			}
			return one(sim.Serve)
		},
		"aes70": func() map[string]func(context.Context, net.Listener) error {
			return one(ocasim.New(ocasim.Options{}).Server.Serve)
		},
		"aes70+ws": func() map[string]func(context.Context, net.Listener) error {
			sim := ocasim.New(ocasim.Options{})
			return one(ocaws.New(func(ctx context.Context, c net.Conn) { _ = sim.Server.ServeConn(ctx, c) }, ocaws.Options{AnyProtocol: true}).Serve)
		},
	} {
		_, got := react(t, "192.0.2.60:1000", servers)
		for protocol, match := range got {
			if match != (protocol == want) {
				t.Errorf("%s is taken for %s: %v", want, protocol, match)
			}
		}
	}
	all, got := react(t, "192.0.2.61:1", func() map[string]func(context.Context, net.Listener) error { return nil })
	for _, x := range all {
		if x.Came != NoWay && x.Came != NotTried {
			t.Errorf("nobody there: %s %s", x.Step, x.Came)
		}
	}
	for protocol, match := range got {
		if match {
			t.Errorf("nobody is %s", protocol)
		}
	}
}
