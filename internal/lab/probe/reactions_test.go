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
)

// servers is a network with what serves on it.
type servers struct {
	n   *testnet.Network
	ctx context.Context
	wg  *sync.WaitGroup
}

// stream serves a TCP address.
func (s servers) stream(addr string, serve func(context.Context, net.Listener) error) {
	l := s.n.MustListen(addr)
	s.wg.Go(func() { _ = serve(s.ctx, l) })
}

// react runs every step against an address of servers that are made inside the bubble.
func react(t *testing.T, at string, thorough bool, make func(t *testing.T, s servers)) (all []Reaction, guessed []Guess) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := servers{new(testnet.Network), ctx, new(sync.WaitGroup)}
		make(t, s)
		synctest.Wait()
		p := &Prober{Dial: s.n.Dial, ListenPacket: s.n.ListenPacket}
		var err error
		told := 0
		if all, guessed, err = p.React(ctx, at, thorough, func(Reaction) { told++ }); err != nil || told != len(all) {
			t.Errorf("%v, %d of %d were told", err, told, len(all))
		}
		for _, g := range guessed {
			if len(g.Reasons) == 0 {
				t.Errorf("%s: no reason for %s", at, g.Protocol)
			}
		}
		synctest.Wait()
		cancel()
		s.wg.Wait()
	})
	return all, guessed
}

// matches are the protocols that were recognised.
func matches(guessed []Guess) (out []string) {
	for _, g := range guessed {
		if g.Match {
			out = append(out, g.Protocol)
		}
	}
	return out
}

func fc2Servers(_ *testing.T, s servers) {
	sim := fc2sim.New(fc2sim.Options{})
	s.stream("192.0.2.50:58322", sim.ServeSecure)
	s.stream("192.0.2.50:58323", sim.ServeOnboarding)
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
		all, guessed := react(t, "192.0.2.50:"+port, true, fc2Servers)
		for _, x := range all {
			what, result := x.Step, string(x.Came)+" "+x.Received
			switch {
			case x.Group == "http" && port == "58323", x.Group == "frame" && port == "58322", x.Group == "udp",
				x.Group == "tcp" && x.Step != firstOCPKeepAlive && x.Step != firstOCPModel:
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
		var want []string
		if port == "58323" { // the secure endpoint alone looks like any server that has nothing
			want = []string{schemeFC2}
		}
		if d := cmp.Diff(want, matches(guessed)); d != "" {
			t.Errorf("%s: %s", port, d)
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
