package probe

import (
	"fmt"
	"time"

	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/fcxml"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/openswitcher"
	"github.com/patchbay-io/patchbay/protocol/rfc2217"
)

// The schemes of the protocols, as device URLs have them.
const (
	schemeFOCAS        = "focas"
	schemeATEM         = "atem"
	schemeOpenSwitcher = "openswitcher"
	schemeDeviceMaster = "devicemaster"
	schemeRFC2217      = "rfc2217"
	schemeFCXML        = "fcxml"
	schemeFC2          = "fc2"
	schemeAES70        = "aes70"
	schemeAES70WS      = "aes70+ws"
	schemeIS12         = "is12+ws"
)

// schemes are all of them, in the order in which they are told.
func schemes() []string {
	return []string{schemeFOCAS, schemeATEM, schemeOpenSwitcher, schemeDeviceMaster, schemeRFC2217, schemeFCXML, schemeFC2, schemeAES70, schemeAES70WS, schemeIS12}
}

// httpPaths are those that programs with an HTTP side use, and those of the NMOS control protocols and of AES70.
func httpPaths() []string {
	return []string{"/", "/index.html", "/api", "/device", "/oca", "/ws", "/websocket", "/control", "/aes70", "/connect", "/nmos",
		"/x-nmos/ncp/v1.0/connect", "/focusrite", "/scarlett", "/status", "/info", "/health", "/.well-known", "/device/info", "/api/device"}
}

// upgrades are paths and subprotocols of WebSockets.
func upgrades() [][2]string {
	return [][2]string{{"/", ""}, {"/", "ocp.1"}, {"/", "aes70"}, {"/oca", ""}, {"/ws", ""}, {"/aes70", "aes70"}, {"/x-nmos/ncp/v1.0/connect", ""}, {"/no-such-path", "no-such-protocol"}}
}

// frame is a message of a step.
type frame struct {
	step     string
	binary   bool
	data     []byte
	about    []string // the schemes of the protocols that expect it
	disturbs bool     // none does
}

// The names of frames, by what they are.
const (
	frameOCPKeepAlive = "OCP.1 keep-alive"
	frameOCPMembers   = "OCP.1 command, well-formed"
	frameOCPMalformed = "OCP.1 with sync byte, malformed"
	frameNoSync       = "binary without sync byte"
	frameRawCommand   = "OCA command without header"
	frameByte         = "keep-alive byte 04"
	frameText         = "arbitrary text"
	frameIS12Members  = "IS-12 Get members"
	frameIS12Describe = "IS-12 GetMemberDescriptors"
	frameIS12Role     = "IS-12 Get role"
	frameIS12Sub      = "IS-12 subscription"
)

// members asks the root block for its members.
func members() ocp1.Command {
	return ocp1.Command{Handle: 1, Target: ocp1.RootBlockONo, Method: ocp1.ID{Level: 3, Index: 5}}
}

// frames are the messages for a WebSocket. What disturbs is what the notes on Focusrite Control 2 tried.
func frames() []frame {
	get := func(handle, level, index int, args string) []byte {
		return fmt.Appendf(nil, `{"messageType":0,"commands":[{"handle":%d,"oid":1,"methodId":{"level":%d,"index":%d},"arguments":%s}]}`, handle, level, index, args)
	}
	oca := []string{schemeAES70WS, schemeFC2}
	nmos := []string{schemeIS12}
	// A size that is smaller than a header has: no device can make sense of it, and nothing can be set by it.
	malformed := append([]byte{ocp1.Sync, 0, 1, 0, 0, 0, 1, 1, 0, 1}, make([]byte, 8)...)
	return []frame{
		{step: frameOCPKeepAlive, binary: true, data: ocp1.AppendKeepAliveSeconds(nil, ocp1.Version1, time.Second), about: oca},
		{step: frameOCPMembers, binary: true, data: ocp1.AppendCommands(nil, ocp1.Version1, true, members()), about: oca},
		{step: frameOCPMalformed, binary: true, data: malformed, disturbs: true},
		{step: frameNoSync, binary: true, data: make([]byte, 16), disturbs: true},
		{step: frameRawCommand, binary: true, data: members().Append(nil), disturbs: true},
		{step: frameByte, binary: true, data: []byte{4}, disturbs: true},
		{step: frameText, data: []byte("hello"), disturbs: true},
		{step: frameIS12Members, data: get(1, 1, 1, `{"id":{"level":2,"index":2}}`), about: nmos},
		{step: frameIS12Describe, data: get(2, 2, 1, `{"recurse":true}`), about: nmos},
		{step: frameIS12Role, data: get(3, 1, 1, `{"id":{"level":1,"index":5}}`), about: nmos},
		{step: frameIS12Sub, data: []byte(`{"messageType":3,"subscriptions":[1]}`), about: nmos},
	}
}

// step is the first message of a protocol, without anything around it.
type step struct {
	frame
	network string
	port    uint16                  // the usual one of the protocol; 0: it has none, or HTTP comes first there
	bye     func(got []byte) []byte // what gives back what the answer gave; nil: nothing has to be
}

// The names of the first messages.
const (
	firstFOCAS        = "FOCAS open"
	firstOpenSwitcher = "OpenSwitcher hello"
	firstDeviceMaster = "DeviceMaster who is there"
	firstOCPKeepAlive = "OCP.1 keep-alive"
	firstOCPModel     = "OCP.1 GetModelDescription"
	firstXML          = "Focusrite Control keep-alive"
	firstTelnet       = "telnet, com-port control"
	firstATEM         = "ATEM open"
)

// atemSession is the number that the open request of ATEM proposes; any will do.
const atemSession = 0x1d0b

// first are the first messages. A FOCAS control and a switcher give a session for each, which is given back at once.
func first() []step {
	model := ocp1.Command{Handle: 1, Target: ocp1.DeviceManagerONo, Method: ocp1.ID{Level: 3, Index: 6}}
	hello, err := openswitcher.AppendPacket(nil, openswitcher.AppendHello(nil))
	if err != nil {
		panic("a hello of OpenSwitcher is shorter than a packet") // and always the same
	}
	message := func(name, scheme string, data []byte) frame {
		return frame{step: name, binary: true, data: data, about: []string{scheme}}
	}
	return []step{
		{message(firstFOCAS, schemeFOCAS, focas.AppendOpenRequest(nil, focas.ChannelData)), "tcp", 8193, func([]byte) []byte { return focas.AppendCloseRequest(nil) }},
		{message(firstOpenSwitcher, schemeOpenSwitcher, hello), "tcp", openswitcher.Port, nil},
		{message(firstDeviceMaster, schemeDeviceMaster, devicemaster.ToolRequest{Command: devicemaster.ToolID}.Append(nil)), "tcp", devicemaster.Port, nil},
		{message(firstTelnet, schemeRFC2217, []byte{rfc2217.IAC, rfc2217.DO, rfc2217.OptComPort, rfc2217.IAC, rfc2217.WILL, rfc2217.OptComPort}), "tcp", 2217, nil},
		{message(firstOCPKeepAlive, schemeAES70, ocp1.AppendKeepAliveSeconds(nil, ocp1.Version1, time.Second)), "tcp", 65000, nil},
		{message(firstOCPModel, schemeAES70, ocp1.AppendCommands(nil, ocp1.Version1, true, model)), "tcp", 65000, nil},
		{message(firstXML, schemeFCXML, fcxml.AppendMessage(nil, fcxml.KeepAlive{})), "tcp", 49152, nil},
		{message(firstATEM, schemeATEM, atem.Handshake{Step: atem.StepOpen}.Append(nil, atemSession, 0)), "udp", atem.Port, closeATEM},
	}
}

// closeATEM ends the session that an accept has given.
func closeATEM(got []byte) []byte {
	p, err := atem.ParsePacket(got)
	if err != nil || p.Flags&atem.FlagHandshake == 0 || p.Handshake().Step != atem.StepAccept {
		return nil
	}
	return atem.Handshake{Step: atem.StepClosing}.Append(nil, p.Session, 0)
}
