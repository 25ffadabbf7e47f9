package probe

import (
	"bytes"
	"errors"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/fc2"
	"github.com/patchbay-io/patchbay/protocol/fcxml"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/is12"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/openswitcher"
	"github.com/patchbay-io/patchbay/protocol/rfc2217"
)

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || strings.Contains(err.Error(), "reset")
}

// suggests is what an answer means: the scheme of the protocol that it is in, which may be empty, and words. Where an answer has
// no mark of its own it counts only behind the question.
func suggests(step string, b []byte) (protocol, words string) {
	if m, _, err := ocp1.ParseMessage(b, 0); err == nil {
		if step == frameOCPMembers && m.Type == ocp1.TypeResponse && hasAgent(m) {
			return schemeFC2, "Focusrite Control 2: its pairing agent"
		}
		return schemeAES70, "AES70"
	}
	if f, _, err := fcxml.ParseFrame(b); err == nil {
		if m, err := fcxml.Parse(f.Payload); err == nil && m == (fcxml.KeepAlive{}) {
			return schemeFCXML, "Focusrite Control"
		}
	}
	if f, _, err := focas.ParseFrame(b); err == nil && f.Dir != focas.DirRequest {
		return schemeFOCAS, "FANUC FOCAS"
	}
	if _, err := is12.Parse(b, 0); err == nil {
		return schemeIS12, "IS-12"
	}
	switch {
	case step == firstOpenSwitcher && isRelay(b):
		return schemeOpenSwitcher, "OpenSwitcher"
	case step == firstDeviceMaster && isBox(b):
		return schemeDeviceMaster, "DeviceMaster"
	case step == firstATEM && isSwitcher(b):
		return schemeATEM, "ATEM"
	}
	return telnet(b)
}

// hasAgent looks for the pairing agent in the answer to a question for members.
func hasAgent(m ocp1.Message) bool {
	pdus := m.PDUs()
	resp, ok := pdus.Response()
	if !ok {
		return false
	}
	p := ocp1.NewParams("members", resp.Params)
	for _, o := range ocp1.ListOf(&p, "members", p.ObjectIdentification) {
		if o.Class.Class == fc2.AgentClass.Class {
			return true
		}
	}
	return false
}

// isRelay reports whether b answers a hello of OpenSwitcher: with devices, or with the wish for a login.
func isRelay(b []byte) bool {
	payload, err := openswitcher.NewReader(bytes.NewReader(b)).Next(maxAnswer)
	if err != nil || len(payload) == 0 {
		return false
	}
	_, _, err = openswitcher.ParseAnswer(payload)
	return err == nil
}

// isBox reports whether b is what a DeviceMaster says it is: its structure ends where b does, and it has a MAC and a name.
func isBox(b []byte) bool {
	if n, done := devicemaster.ScanIDResponse(b); done {
		b = b[:n]
	}
	id, err := devicemaster.ParseIDResponse(b)
	name := id.FirmwareText()
	return err == nil && id.MAC != (devicemaster.MAC{}) && name != "" && utf8.ValidString(name) && !strings.ContainsFunc(name, func(c rune) bool { return c < ' ' })
}

// isSwitcher reports whether b answers the open request of ATEM.
func isSwitcher(b []byte) bool {
	p, err := atem.ParsePacket(b)
	if err != nil || p.Flags&atem.FlagHandshake == 0 {
		return false
	}
	s := p.Handshake().Step
	return p.Session == atemSession && (s == atem.StepAccept || s == atem.StepReject)
}

// telnet tells option negotiation, and com-port control among it; what else speaks first may have a name too.
func telnet(b []byte) (protocol, words string) {
	for _, verb := range []byte{rfc2217.WILL, rfc2217.DO} {
		if bytes.Contains(b, []byte{rfc2217.IAC, verb, rfc2217.OptComPort}) {
			return schemeRFC2217, "serial port over telnet (RFC 2217)"
		}
	}
	if len(b) > 1 && b[0] == rfc2217.IAC && b[1] >= rfc2217.WILL {
		return "", "telnet, not (yet) with com-port control"
	}
	return "", strings.TrimPrefix(guess(b), "; it looks like ")
}
