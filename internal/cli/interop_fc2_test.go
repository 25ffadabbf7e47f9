package cli

import (
	"context"
	"crypto/rand"
	"net"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/patchbay-io/patchbay/protocol/fc2"
	"github.com/patchbay-io/patchbay/protocol/fc2/fc2sim"
)

// fc2Script is a program with the WebSocket of Node.js: what it hears at both ports of Focusrite Control 2.
const fc2Script = `
import http from 'node:http';
const [secure, onboarding, known] = process.argv.slice(1);
const hex = b => Buffer.from(b).toString('hex');
const say = (what, came) => console.log(what + ': ' + came);
function at(url, protocols, ...send) {
  return new Promise(done => {
    const ws = new WebSocket(url, protocols);
    ws.binaryType = 'arraybuffer';
    let opened = false;
    ws.onopen = () => { opened = true; if (send.length === 0) { done('open ' + ws.protocol); ws.close(); } else send.forEach(s => ws.send(s)); };
    ws.onmessage = e => { done('answer ' + hex(e.data)); ws.close(); };
    ws.onclose = () => done(opened ? 'closed' : 'refused');
    ws.onerror = () => done(opened ? 'closed' : 'refused');
  });
}
// status is that of HTTP, which WebSocket does not tell: of a plain request, or of one that asks for the upgrade.
function status(host, path, headers = {}) {
  return new Promise((done, fail) => {
    const request = http.get('http://' + host + path, {headers}, answer => { answer.resume(); done('HTTP ' + answer.statusCode); });
    request.on('upgrade', (answer, socket) => { socket.destroy(); done('HTTP ' + answer.statusCode); });
    request.on('error', fail);
  });
}
const upgrade = {Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA=='};
const bytes = s => Uint8Array.from(Buffer.from(s.replaceAll(' ', ''), 'hex'));
say('secure', await at('ws://' + secure + '/'));
say('secure with a strange key', await at('ws://' + secure + '/' + '7b'.repeat(32)));
say('secure with a known key', await at('ws://' + secure + '/' + known));
say('secure, plain', await status(secure, '/'));
say('secure, plain with a known key', await status(secure, '/' + known));
say('secure, upgrade', await status(secure, '/', upgrade));
say('secure, upgrade with a strange key', await status(secure, '/' + '7b'.repeat(32), upgrade));
say('secure, upgrade with a known key', await status(secure, '/' + known, upgrade));
say('onboarding, plain', await status(onboarding, '/'));
say('onboarding', await at('ws://' + onboarding + '/'));
say('onboarding, any path and protocol', await at('ws://' + onboarding + '/any/path', ['anything']));
const keepAlive = bytes('3b 0001 0000000b 04 0001 0001');
say('keep-alive', await at('ws://' + onboarding + '/', [], keepAlive));
say('state', await at('ws://' + onboarding + '/', [], bytes('3b 0001 0000001a 01 0001 00000011 00000002 00001000 0003 0003 00')));
say('malformed', await at('ws://' + onboarding + '/', [], bytes('3b 0001 00000001 01 0001 0000000000000000')));
say('text and a keep-alive', await at('ws://' + onboarding + '/', [], 'hello', keepAlive));
`

func TestInteropFC2WithNode(t *testing.T) {
	node := peerProgram(t, "node")
	sim := fc2sim.New(fc2sim.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	var addrs []string
	for _, serve := range []func(context.Context, net.Listener) error{sim.ServeSecure, sim.ServeOnboarding} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addrs = append(addrs, l.Addr().String())
		wg.Go(func() { _ = serve(ctx, l) })
	}
	id, err := fc2.NewIdentity(rand.Reader)
	if err == nil {
		err = sim.Clients().Approve(id.Public(), "Node.js")
	}
	if err != nil {
		t.Fatal(err)
	}
	limited, stop := context.WithTimeout(ctx, peerLimit)
	defer stop()
	cmd := exec.CommandContext(limited, node, "--no-warnings", "--experimental-websocket", "--input-type=module", "-e", fc2Script, "--", addrs[0], addrs[1], id.Public().String())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := `secure: refused
secure with a strange key: refused
secure with a known key: open 
secure, plain: HTTP 404
secure, plain with a known key: HTTP 404
secure, upgrade: HTTP 404
secure, upgrade with a strange key: HTTP 404
secure, upgrade with a known key: HTTP 101
onboarding, plain: HTTP 404
onboarding: open 
onboarding, any path and protocol: open anything
keep-alive: answer 3b00010000000b0400010001
state: answer 3b00010000001a03000100000011000000020001` + "0005" + `7265616479
malformed: closed
text and a keep-alive: answer 3b00010000000b0400010001
`
	if got := string(out); strings.TrimSpace(got) != strings.TrimSpace(want) {
		t.Errorf("Node.js hears\n%s\nwant\n%s", got, want)
	}
}
