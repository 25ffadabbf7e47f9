package probe

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/patchbay-io/patchbay/internal/driver"
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
func protocolWords(title string, received Head, err error) (Outcome, string, string) {
	switch {
	case errors.Is(err, errFlood):
		return Different, "it sends bytes without end that are not " + title, ""
	case err == nil:
		return Different, "it does not speak " + title, ""
	}
	switch driver.ClassOf(err) {
	case driver.Timeout:
		if received.Total > 0 {
			return NoAnswer, fmt.Sprintf("%d bytes came and no whole answer in %s", received.Total, title),
				"This is no device of this kind, or one that is far too slow: a trap for scanners looks like this."
		}
		return NoAnswer, "it takes the connection and the first message and says nothing",
			"A " + title + " device with all its connections in use can stay silent: end another program that uses it and try again. Else the port belongs to something else."
	case driver.Closed:
		how, outcome := "closed", Closed
		if errors.Is(err, syscall.ECONNRESET) {
			how, outcome = "reset", Reset
		}
		return outcome, "the connection was " + how + " after the first message",
			"A " + title + " device does this when all its connections are in use or when it allows only certain addresses; so does something that does not know the protocol."
	case driver.NotThisProtocol:
		return Different, "something answers, but not in " + title + guess(received.Bytes), ""
	case driver.RefusedConn, driver.Unreachable:
		return Closed, "the port does not open a second time", "The device may allow one connection at a time."
	}
	if errors.Is(err, io.EOF) {
		return Closed, "it closed the connection", ""
	}
	return Failed, reason(err), ""
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

// result sums the steps up.
func (r *run) result(host string) Result {
	out := Result{URLs: r.urls, Match: len(r.urls) > 0, Worst: OK}
	titles := map[string]string{}
	var all []string
	for _, k := range r.ports() {
		titles[k.scheme] = k.driver.Info().Title
		all = append(all, k.driver.Info().Title)
	}
	what := strings.Join(all, " or ")
	if out.Match {
		for _, s := range r.steps {
			if s.Protocol != "" {
				out.Verdict = fmt.Sprintf("%s speaks %s.", host, titles[s.Name])
				out.Advice = "patchbay run " + r.urls[0]
			}
		}
		return out
	}
	var connect, protocol *Step
	for i := range r.steps {
		switch s := &r.steps[i]; {
		case s.Name == "name" && s.Outcome != OK:
			out.Worst, out.Verdict, out.Advice = s.Outcome, "The name is not known.", s.Advice
			return out
		case s.Name == "connect":
			if connect == nil || s.Outcome == OK || s.Outcome == Refused && connect.Outcome != OK {
				connect = s
			}
		case titles[s.Name] != "":
			protocol = s
		case s.Name == "listen" && s.Outcome == Different:
			out.Worst, out.Verdict = Different, "The port is open, and "+s.Meaning+"."
			return out
		}
	}
	switch {
	case connect == nil:
		out.Worst, out.Verdict = Failed, "Nothing was tried."
	case protocol != nil:
		out.Worst = protocol.Outcome
		out.Verdict = fmt.Sprintf("The port is open, but it does not speak %s: %s.", titles[protocol.Name], protocol.Meaning)
		out.Advice = protocol.Advice
		if out.Advice == "" {
			out.Advice = "Check that this is the right device, and the port number in its settings."
		}
	case connect.Outcome == Refused:
		out.Worst = Refused
		out.Verdict = "The device answers on the network but " + what + " does not: nothing listens on its port."
		out.Advice = "On a FANUC control, look at the Ethernet screen: is FOCAS2/Ethernet switched on for the port in use (embedded port, PCMCIA or fast " +
			"Ethernet board), is the TCP port 8193 (0 means off), does the control have the option? If the number there is another one, probe HOST:PORT."
	default:
		out.Worst, out.Verdict, out.Advice = connect.Outcome, "Nothing was found: "+connect.Meaning+".", connect.Advice
	}
	return out
}
