package repocheck

import (
	"regexp"
	"strings"
	"testing"
)

// rule says what the packages that match may import of this module. What is not allowed is forbidden; std and other
// modules are free unless std is false or deny names them.
type rule struct {
	packages string // regular expression of the whole path below the module
	allow    string // the same, of what may be imported of this module; "" allows nothing
	std      bool   // only the standard library besides
	deny     string // regular expression of other import paths that are forbidden
	why      string
}

const noLog = `^log(/.*)?$`

// rules are the import directions of ARCHITECTURE.md. The first that matches a package counts.
var rules = []rule{
	{`wire`, ``, true, `^net(/.*)?$|` + noLog, "the byte cursor is plain"},
	{`transcript`, ``, true, `^net(/.*)?$|` + noLog, "recordings know no network"},
	{`transcript/.*`, `wire|transcript(/.*)?`, true, noLog, ""},
	{`protocol/internal/tcpserver`, ``, true, noLog, "nothing under protocol/ logs"},
	{`protocol/internal/wsdial`, ``, false, noLog, "the upgrade to WebSocket"},
	{`protocol/is12/is12client`, `protocol/is12|protocol/internal/wsdial`, false, noLog, "JSON over WebSocket"},
	{`protocol/[a-z0-9]+/internal/.*`, `wire|protocol/.*|transcript(/.*)?`, true, noLog, ""},
	{`protocol/fc2/fc2(client|server|sim)`, `wire|protocol/(fc2|ocp1)(/.*)?|protocol/internal/tcpserver`, true, noLog, "Focusrite Control 2 is a tunnel around OCP.1: its sides stand on those of OCP.1"},
	{`protocol/[a-z0-9]+`, `wire|transcript|protocol/[a-z0-9]+`, true, `^net(/.*)?$|` + noLog, "a codec is usable alone: no network, no log"},
	{`protocol/[a-z0-9]+/[a-z0-9]+client`, `wire|protocol/[a-z0-9]+`, true, noLog, "a client knows its codec only"},
	{`protocol/[a-z0-9]+/[a-z0-9]+server`, `wire|protocol/[a-z0-9]+|protocol/internal/tcpserver`, true, noLog, "a server knows its codec only"},
	{`protocol/ocp1/ocaws`, `protocol/internal/(tcpserver|wsdial)`, false, noLog, "WebSocket below OCP.1, for both sides"},
	{`protocol/[a-z0-9]+/[a-z0-9]+sim`, `wire|protocol/[a-z0-9]+|protocol/[a-z0-9]+/[a-z0-9]+server`, true, noLog, "a simulator sits on the server"},
	{`internal/device`, ``, true, noLog, "the tree of points knows no protocol"},
	{`internal/testnet`, ``, true, noLog, ""},
	{`internal/testpeer`, ``, true, noLog, "C programs around foreign libraries, for tests"},
	{`internal/driver`, `internal/device`, true, ``, "the contract knows points only"},
	{`internal/driver/wrap`, `internal/device|internal/driver`, true, ``, ""},
	{`internal/driver/drivertest`, `internal/device|internal/driver|internal/testnet|transcript(/.*)?`, false, ``, ""},
	{`internal/driver/all`, `internal/driver(/[a-z0-9]+)?`, true, ``, "a list and nothing else"},
	{`internal/tcpstate`, ``, false, noLog, "it asks the kernel"},
	{`internal/tty`, `internal/driver`, false, noLog, "terminals as serial lines"},
	{`internal/driver/serialport`, `internal/device|internal/driver`, true, noLog, "what drivers of one serial port share"},
	{`internal/driver/serving`, `internal/device|internal/driver`, false, noLog, "what native servers share"},
	{`internal/oca`, `internal/device|internal/driver(/serving)?|protocol/ocp1(/(ocaserver|ocaws))?`, false, noLog, "points as AES70 objects, for the native servers of drivers and for the door"},
	{`internal/driver/aes70`, `internal/device|internal/driver(/serving)?|internal/oca|protocol/ocp1(/(ocaclient|ocaserver|ocaws))?`, false, noLog, "a driver maps; bytes belong to protocol/"},
	{`internal/driver/fc2`, `internal/device|internal/driver(/(aes70|serving))?|internal/oca|protocol/(fc2|ocp1)(/([a-z0-9]+(client|server)|ocaws))?`, false, noLog, "inside the tunnel is AES70"},
	{`internal/driver/[a-z0-9]+`, `internal/device|internal/driver(/(serialport|serving))?|internal/(plural|tcpstate|tty)|protocol/[a-z0-9]+(/([a-z0-9]+(client|server)|ocaws))?`, false, noLog, "a driver maps; bytes belong to protocol/"},
	{`internal/access`, `internal/device|internal/driver`, false, ``, "who may do what, for every door"},
	{`internal/audit`, ``, true, ``, ""},
	{`internal/certs`, ``, true, ``, ""},
	{`internal/keys`, ``, true, ``, ""},
	{`internal/plural`, ``, true, ``, ""},
	{`internal/mdns`, ``, false, ``, "one protocol of the network, for whoever serves something"},
	{`internal/config`, `internal/driver|internal/access`, false, ``, "configuration knows drivers as a list"},
	{`internal/gateway`, `internal/device|internal/driver(/wrap)?|internal/north|internal/access|internal/audit`, false, ``, "the gateway never names a protocol"},
	{`internal/north`, `internal/device|internal/driver`, true, ``, "interfaces only"},
	{`internal/north/northtest`, `internal/device|internal/driver|internal/north|internal/gateway`, false, ``, ""},
	{`internal/north/all`, `internal/device|internal/driver|internal/north(/.*)?`, false, ``, ""},
	{`internal/north/serial`, `internal/device|internal/driver|internal/north|internal/access|internal/(tcpstate|tty)|protocol/rfc2217(/rfc2217server)?`, false, ``, "its own wire protocol and nothing of the devices"},
	{`internal/north/aes70`, `internal/device|internal/driver(/serving)?|internal/north|internal/oca|protocol/ocp1(/(ocaserver|ocaws))?`, false, ``, "its own wire protocol and nothing of the devices"},
	{`internal/north/.*`, `internal/device|internal/driver|internal/north|internal/access|internal/audit`, false, ``, "a door sees the interfaces of internal/north"},
	{`internal/lab/.*`, `wire|transcript(/.*)?|internal/(driver|device|testnet|lab)(/.*)?|internal/(plural|tty)|protocol/.*`, false, ``, ""},
	{`internal/obs`, ``, true, ``, ""},
	{`internal/obs/notify`, ``, false, noLog, "it asks the kernel for the clock"},
	{`internal/cli/gatewayclient`, ``, false, ``, "it speaks the documented HTTP interface and nothing else"},
	{`internal/cli`, `web|transcript/tap|transcript|internal/(access|audit|certs|cli|config|device|driver|gateway|keys|lab|mdns|north|obs|oca|plural|testnet)(/.*)?|protocol/[a-z0-9]+(/[a-z0-9]+sim)?`, false, ``, "the sim command has the flags of each simulator"},
	{`internal/tools/.*`, `.*`, false, ``, ""},
	{`internal/repocheck`, ``, true, ``, ""},
	{`web`, ``, true, ``, "the page is files"},
	{`cmd/patchbay`, `internal/cli`, true, ``, "main is a signal and an exit code"},
	{`examples/.*`, `wire|transcript(/.*)?|protocol/.*`, false, ``, "examples use what is public"},
}

func whole(pattern, s string) bool { return regexp.MustCompile(`^(?:` + pattern + `)$`).MatchString(s) }

func TestImportDirections(t *testing.T) {
	// What a package needs besides, with the decision that says why.
	besides := map[string]string{"protocol/secretstream": "golang.org/x/sys/cpu"} // docs/decisions/0016-assembly.md
	for _, p := range packages(t) {
		var r *rule
		for i := range rules {
			if whole(rules[i].packages, p.rel) {
				r = &rules[i]
				break
			}
		}
		if r == nil {
			t.Errorf("%s has no rule of what it may import; add one to internal/repocheck and ARCHITECTURE.md", p.rel)
			continue
		}
		for _, path := range p.Imports {
			own, isOwn := strings.CutPrefix(path, module+"/")
			switch {
			case isOwn && !whole(r.allow, own):
				t.Errorf("%s must not import %s; %s", p.rel, own, r.why)
			case !isOwn && r.std && strings.Contains(strings.Split(path, "/")[0], ".") && !strings.HasPrefix(path, "golang.org/x/crypto") && path != besides[p.rel]:
				t.Errorf("%s must not import %s: standard library only", p.rel, path)
			case !isOwn && r.deny != "" && regexp.MustCompile(r.deny).MatchString(path):
				t.Errorf("%s must not import %s; %s", p.rel, path, r.why)
			}
		}
	}
}

// A protocol must not reach into another one, except where one is built on the other.
func TestProtocolsAreIndependent(t *testing.T) {
	builtOn := map[string]string{"openswitcher": "atem", "fc2": "ocp1 secretstream", "is12": "ocp1"}
	for _, p := range packages(t) {
		rest, ok := strings.CutPrefix(p.rel, "protocol/")
		if !ok || strings.HasPrefix(rest, "internal/") {
			continue
		}
		mine, _, _ := strings.Cut(rest, "/")
		for _, path := range p.Imports {
			other, ok := strings.CutPrefix(path, module+"/protocol/")
			if !ok || strings.HasPrefix(other, "internal/") {
				continue
			}
			other, _, _ = strings.Cut(other, "/")
			if other != mine && !strings.Contains(" "+builtOn[mine]+" ", " "+other+" ") {
				t.Errorf("%s must not import protocol/%s", p.rel, other)
			}
		}
	}
}
