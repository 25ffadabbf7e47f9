package probe

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/plural"
)

// connectWords say what the outcome of a connect means.
func connectWords(addr string, err error) (Outcome, string, string) {
	switch {
	case err == nil:
		return OK, "the port is open", ""
	case errors.Is(err, syscall.ECONNRESET):
		return Reset, "the connection was broken while it was made",
			"A firewall or a connection limit does this. Try again when other programs have let go of the device."
	}
	switch driver.ClassOf(err) {
	case driver.RefusedConn:
		return Refused, "the host is on and answers, but nothing listens on this port", ""
	case driver.Unreachable:
		return Unreachable, "there is no way to this address: " + reason(err),
			"Check the address and the netmask on both sides, the cable, and that the device is on."
	case driver.Timeout:
		return NoAnswer, "nothing comes back: no host has this address, it is off, or a firewall drops what is sent",
			"Check the address and the cable. If ping answers, a firewall between here and " + addr + " drops this port."
	case driver.Closed:
		return Closed, "the connection did not come to be: " + reason(err), ""
	}
	return Failed, reason(err), ""
}

// reason is the innermost text of an error.
func reason(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}

// protocolWords say why a port does not speak a protocol.
func protocolWords(language string, received Head, err error) (Outcome, string, string) {
	switch {
	case errors.Is(err, errFlood):
		return Different, "it sends bytes without end that are not " + language, ""
	case err == nil:
		return Different, "it does not speak " + language, ""
	}
	switch driver.ClassOf(err) {
	case driver.Timeout:
		if received.Total > 0 {
			return NoAnswer, fmt.Sprintf("%s came and no whole answer in %s", plural.Of(received.Total, "byte"), language),
				"This is no device of this kind, or one that is far too slow: a trap for scanners looks like this."
		}
		return NoAnswer, "it takes the connection and the first message and says nothing",
			"A device that speaks " + language + " and has all its connections in use can stay silent: end another program that uses it and try again. Else the port belongs to something else."
	case driver.Closed:
		how, outcome := "closed", Closed
		if errors.Is(err, syscall.ECONNRESET) {
			how, outcome = "reset", Reset
		}
		return outcome, "the connection was " + how + " after the first message",
			"A device that speaks " + language + " does this when all its connections are in use or when it allows only certain addresses; so does something that does not know the protocol."
	case driver.NotThisProtocol:
		return Different, "something answers, but not in " + language + guess(received.Bytes), ""
	case driver.RefusedConn, driver.Unreachable:
		return Closed, "the port does not open a second time", "The device may allow one connection at a time."
	}
	if errors.Is(err, io.EOF) {
		return Closed, "it closed the connection", ""
	}
	return Failed, reason(err), ""
}

// packetWords say why an address does not speak a protocol over datagrams, where no connection has told more before.
func packetWords(language, addr string, received Head, err error) (Outcome, string, string) {
	switch driver.ClassOf(err) {
	case driver.Timeout:
		if received.Total == 0 {
			return NoAnswer, "nothing comes back to what was sent: nobody has this address, it is off, a firewall drops it, or it is something else",
				"Datagrams are lost in silence. If ping answers, a firewall between here and " + addr + " may drop this port."
		}
	case driver.RefusedConn:
		if err != nil {
			return Refused, "the host is on and answers, but nothing listens on this UDP port", ""
		}
	case driver.Unreachable:
		return Unreachable, "there is no way to this address: " + reason(err), "Check the address and the netmask on both sides, the cable, and that the device is on."
	}
	return protocolWords(language, received, err)
}

// guess names well-known protocols by their first bytes.
func guess(b []byte) string {
	for _, g := range []struct{ head, what string }{
		{"HTTP/", "a web server"}, {"SSH-", "SSH"}, {"220", "FTP or mail"}, {"RFB ", "VNC"}, {"\x16\x03", "TLS"}, {"\x15\x03", "TLS"},
		{"\xff\xfb", "telnet"}, {"\xff\xfd", "telnet"}, {"<?xml", "XML"}, {"{", "JSON"},
	} {
		if bytes.HasPrefix(b, []byte(g.head)) {
			return "; it looks like " + g.what
		}
	}
	return ""
}

// greeter names the driver that is to be asked about a port that speaks first with these bytes; empty: none.
func greeter(first []byte) string {
	if len(first) >= 2 && first[0] == 0xff && first[1] >= 0xfa && first[1] <= 0xfe { // IAC, and WILL, WON'T, DO, DON'T or a sub-negotiation
		return "rfc2217"
	}
	return ""
}

// overTLS are the URLs with which the protocols that were asked for are spoken inside TLS.
func (r *run) overTLS(addr string) string {
	var urls []string
	for _, k := range r.known("tcp") {
		for _, s := range k.driver.Info().Schemes {
			if url := s.Name + "://" + addr; strings.HasSuffix(s.Name, "+tls") && !slices.Contains(urls, url) {
				urls = append(urls, url)
			}
		}
	}
	return strings.Join(urls, " or ")
}

// result sums the steps up.
func (r *run) result(host string) Result {
	out := Result{URLs: r.urls, Match: len(r.urls) > 0, Worst: OK}
	tried := map[string]driver.Info{} // by the name of the step
	for _, k := range append(r.known("tcp"), r.known("udp")...) {
		tried[k.scheme] = k.driver.Info()
	}
	if out.Match {
		var titles []string
		for _, s := range r.steps {
			if s.Protocol != "" {
				titles = append(titles, tried[s.Name].Language())
			}
		}
		out.Verdict = fmt.Sprintf("%s speaks %s.", host, strings.Join(titles, " and "))
		out.Advice = "patchbay run " + r.urls[0]
		return out
	}
	var connect, protocol, packets, web, secured *Step
	others := 0 // protocols that were tried over TCP
	for i := range r.steps {
		switch s := &r.steps[i]; {
		case s.Name == "name" && s.Outcome != OK:
			out.Worst, out.Verdict, out.Advice = s.Outcome, "The name is not known.", s.Advice
			return out
		case s.Name == "connect":
			if connect == nil || s.Outcome == OK || s.Outcome == Refused && connect.Outcome != OK {
				connect = s
			}
		case s.Network == "udp":
			if packets == nil || s.Outcome == Different || s.Outcome == Refused && packets.Outcome == NoAnswer {
				packets = s
			}
		case tried[s.Name].Name != "":
			protocol = s
			others++
		case s.Name == "http" && s.Outcome == OK:
			web = s
		case s.Name == "tls" && s.Outcome == OK:
			secured = s
		case s.Name == "listen" && s.Outcome == Different:
			out.Worst, out.Verdict = Different, "The port is open, and "+s.Meaning+"."
			return out
		}
	}
	switch {
	case secured != nil:
		// What the protocols' steps met is not theirs: they are spoken inside, if at all.
		out.Worst, out.Verdict = Different, "The port is open and speaks TLS; what is spoken inside is not looked at here."
		if urls := r.overTLS(secured.Target); urls != "" {
			out.Advice = "A device is run with TLS in its URL: " + urls + ". Its certificate is above."
		}
	case others > 1:
		out.Worst = Different
		out.Verdict = fmt.Sprintf("The port is open, but it speaks none of the %d protocols that were tried over TCP", others)
		if web != nil {
			out.Verdict += "; " + web.Meaning
		}
		out.Verdict += "."
		out.Advice = "--reactions shows how it takes what it is sent."
	case protocol != nil:
		out.Worst = protocol.Outcome
		out.Verdict = fmt.Sprintf("The port is open, but it does not speak %s: %s.", tried[protocol.Name].Language(), protocol.Meaning)
		out.Advice = protocol.Advice
		if out.Advice == "" {
			out.Advice = "Check that this is the right device, and the port number in its settings."
		}
	case packets != nil && packets.Outcome == Different:
		out.Worst, out.Verdict, out.Advice = Different, "Something answers: "+packets.Meaning+".", packets.Advice
	case connect != nil && connect.Outcome == Refused, packets != nil && packets.Outcome == Refused:
		out.Worst = Refused
		titles, advice := r.unanswered()
		out.Verdict = "The device answers on the network but " + titles + " does not: nothing listens on its port."
		out.Advice = advice
	case connect != nil:
		out.Worst, out.Verdict, out.Advice = connect.Outcome, "Nothing was found: "+connect.Meaning+".", connect.Advice
	case packets != nil:
		out.Worst, out.Verdict, out.Advice = packets.Outcome, "Nothing was found: "+packets.Meaning+".", packets.Advice
	default:
		out.Worst, out.Verdict = Failed, "Nothing was tried."
	}
	return out
}

// unanswered are the names of the protocols that were asked for on ports where nothing listens, and what to look at in such
// devices.
func (r *run) unanswered() (titles, advice string) {
	var asked []driver.Info
	for _, k := range append(r.known("tcp"), r.known("udp")...) {
		was := slices.ContainsFunc(r.steps, func(s Step) bool {
			_, port, _ := net.SplitHostPort(s.Target)
			owned := port == strconv.Itoa(int(k.port))
			return (s.Network == "udp") == (k.network == "udp") && (owned || r.AnyPort && s.Outcome == Refused)
		})
		if was && !slices.ContainsFunc(asked, func(i driver.Info) bool { return i.Name == k.driver.Info().Name }) {
			asked = append(asked, k.driver.Info())
		}
	}
	var names, hints []string
	for _, i := range asked {
		names = append(names, i.Language())
		if h := switchedOff[i.Name]; h != "" {
			hints = append(hints, h)
		}
	}
	return strings.Join(names, " or "), strings.Join(hints, "\n  ")
}

// switchedOff says, by driver, where to look in a device that is there while nothing listens on its port; never changed.
var switchedOff = map[string]string{
	"focas": "On a FANUC control, look at the Ethernet screen: is FOCAS2/Ethernet switched on for the port in use (embedded port, PCMCIA or fast " +
		"Ethernet board), is the TCP port 8193 (0 means off), does the control have the option? If the number there is another one, probe HOST:PORT.",
	"aes70": "AES70 has no port of its own: 65000 is a habit. What a device announces is in its settings, or found by \"patchbay discover\"; probe HOST:PORT.",
	"devicemaster": "A DeviceMaster listens for drivers on TCP port 4606 once it runs SocketServer or NS-Link, not while it is in its boot loader: " +
		"look at its own web page. Ports of a box in secure data mode speak TLS, which is not supported.",
	"openswitcher": "A relay has the port that its configuration says, 4532 only if nothing else is said there: probe HOST:PORT.",
	"atem":         "An ATEM switcher always listens on UDP port 9910: check the address with ATEM Setup, or on the switcher's own screen.",
}
