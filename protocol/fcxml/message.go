package fcxml

import (
	"errors"
	"fmt"
	"strconv"
)

// Message is what one frame says. AppendXML writes the payload of its frame.
type Message interface {
	AppendXML(dst []byte) []byte
}

// KeepAlive is sent by the program every three seconds, and echoed by the server, also before anything else was said.
type KeepAlive struct{}

// ClientDetails begins a session. The program sends Hostname, which the user is shown, and Key, under which the server keeps
// the user's approval. The server answers with ID alone, the identity that its approvals name: up to 20 decimal digits.
type ClientDetails struct{ Hostname, Key, ID string }

// Approval says whether a program may change anything. The server sends one for each program that it knows, not only the
// one that it talks to; ID tells which. Type is "response".
type Approval struct {
	Hostname, ID, Type string
	Authorised         bool
}

// DeviceArrival announces devices: the tree of their controls without values. A device that is plugged in again has another
// number.
type DeviceArrival struct{ Devices []*Element }

// DeviceRemoval says that a device is gone.
type DeviceRemoval struct{ Device string }

// DeviceSubscribe asks for the values of a device, all at first and then changes, or for no more of them. Bare leaves out
// the word subscribe, as some programs do; it means on.
type DeviceSubscribe struct {
	Device   string
	On, Bare bool
}

// Set carries values: from the server what is, from a program what should be. There is no other answer to it than the
// server's own Set.
type Set struct {
	Device string
	Items  []Assign
	Odd    int // items whose number is none, or whose value is longer than MaxValue; they are left out of Items
}

// MaxValue is the longest value of a control in bytes. The longest seen are names that people give.
const MaxValue = 4096

// Assign is the value of one control.
type Assign struct {
	ID    uint32
	Value string
}

// ClientDiscovery asks for servers, in a datagram. Device is "" or "iOS"; a server does not answer another word.
type ClientDiscovery struct{ App, Version, Device string }

// ServerAnnouncement answers a ClientDiscovery: the TCP port of the server. Its host is where the datagram came from;
// Hostname is only a label.
type ServerAnnouncement struct {
	App, Version, Hostname string
	Port                   uint16
}

// Unknown is an element that this package has no name for.
type Unknown struct{ Root *Element }

// App and Version are what every program and server sends in discovery.
const (
	App     = "SAFFIRE-CONTROL"
	Version = "4"
)

// DiscoveryPorts are the UDP ports of which a server takes the first free one.
func DiscoveryPorts() []uint16 { return []uint16{30096, 30097, 30098} }

// Errors of messages whose element is known and whose content is not.
var (
	ErrNoDevice  = errors.New("it names no device")
	ErrNoKey     = errors.New("it has neither a client-key nor an id")
	ErrNoPort    = errors.New("it names no port")
	ErrNotToldIt = errors.New("authorised is neither true nor false")
)

// Parse reads the payload of a frame. An element that is not known comes back as [Unknown] without an error.
func Parse(payload []byte) (Message, error) {
	s := string(payload) // everything that the message holds is a part of it
	if len(s) > 5 && s[:5] == "<set " {
		return parseSet(s)
	}
	root, err := parseElement(s)
	if err != nil {
		return nil, err
	}
	m, err := messageOf(root)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", root.Name, err)
	}
	return m, nil
}

func messageOf(e *Element) (Message, error) {
	switch e.Name {
	case "keep-alive":
		return KeepAlive{}, nil
	case "client-details":
		m := ClientDetails{Hostname: e.Attr("hostname"), Key: e.Attr("client-key"), ID: e.Attr("id")}
		if m.Key == "" && m.ID == "" {
			return nil, ErrNoKey
		}
		return m, nil
	case "approval":
		m := Approval{Hostname: e.Attr("hostname"), ID: e.Attr("id"), Type: e.Attr("type")}
		switch e.Attr("authorised") {
		case "true":
			m.Authorised = true
		case "false":
		default:
			return nil, ErrNotToldIt
		}
		return m, nil
	case "device-arrival":
		var m DeviceArrival
		for _, c := range e.Children {
			if c.Name == "device" {
				m.Devices = append(m.Devices, c)
			}
		}
		if len(m.Devices) == 0 {
			return nil, ErrNoDevice
		}
		return m, nil
	case "device-removal":
		m := DeviceRemoval{Device: e.Attr("id")}
		if m.Device == "" {
			return nil, ErrNoDevice
		}
		return m, nil
	case "device-subscribe":
		on, said := e.Lookup("subscribe")
		m := DeviceSubscribe{Device: e.Attr("devid"), On: on == "true" || !said, Bare: !said}
		if m.Device == "" {
			return nil, ErrNoDevice
		}
		return m, nil
	case "client-discovery":
		return ClientDiscovery{App: e.Attr("app"), Version: e.Attr("version"), Device: e.Attr("device")}, nil
	case "server-announcement":
		port, err := strconv.ParseUint(e.Attr("port"), 10, 16)
		if err != nil || port == 0 {
			return nil, ErrNoPort
		}
		return ServerAnnouncement{App: e.Attr("app"), Version: e.Attr("version"), Hostname: e.Attr("hostname"), Port: uint16(port)}, nil
	case "set":
		m := Set{Device: e.Attr("devid")}
		if m.Device == "" {
			return nil, ErrNoDevice
		}
		for _, c := range e.Children {
			if c.Name == "item" {
				m.item(c.Attrs)
			}
		}
		return m, nil
	}
	return Unknown{e}, nil
}

// parseSet reads a set without making its tree: meters make up nearly all of what a server sends.
func parseSet(s string) (Message, error) {
	sc := scanner{s: s}
	var m Set
	depth := 0
	for {
		switch sc.next() {
		case tokenStart:
			if depth == 0 {
				if sc.name != "set" || m.Device != "" {
					return nil, sc.fail("a second element")
				}
				for i := range sc.attrs {
					if sc.attrs[i].Name == "devid" {
						m.Device = sc.attrs[i].Value
					}
				}
				if m.Device == "" {
					return nil, fmt.Errorf("set: %w", ErrNoDevice)
				}
			} else if depth == 1 && sc.name == "item" {
				m.item(sc.attrs)
			}
			if !sc.empty {
				depth++
			}
		case tokenEnd:
			if depth--; depth < 0 {
				return nil, sc.fail("</" + sc.name + "> closes nothing")
			}
			if want := [...]string{"set", "item"}; depth < len(want) && sc.name != want[depth] {
				return nil, sc.fail("</" + sc.name + "> closes another element")
			}
		case tokenText:
			if depth == 0 {
				return nil, sc.fail("text outside of an element")
			}
		case tokenEnded:
			if depth > 0 {
				return nil, sc.fail("<set> is not closed")
			}
			return m, nil
		default:
			return nil, sc.err
		}
	}
}

func (m *Set) item(attrs []Attr) {
	var id, value string
	has := false
	for i := range attrs {
		switch attrs[i].Name {
		case "id":
			id = attrs[i].Value
		case "value":
			value, has = attrs[i].Value, true
		}
	}
	n, err := strconv.ParseUint(id, 10, 32)
	if err != nil || !has || len(value) > MaxValue {
		m.Odd++
		return
	}
	if m.Items == nil {
		m.Items = make([]Assign, 0, 24)
	}
	m.Items = append(m.Items, Assign{ID: uint32(n), Value: value})
}

// AppendXML implements Message.
func (KeepAlive) AppendXML(dst []byte) []byte { return append(dst, "<keep-alive/>"...) }

// AppendXML implements Message. A Hostname or Key that is empty is left out.
func (m ClientDetails) AppendXML(dst []byte) []byte {
	dst = append(dst, "<client-details"...)
	dst = appendSome(dst, "hostname", m.Hostname)
	dst = appendSome(dst, "client-key", m.Key)
	return append(appendSome(dst, "id", m.ID), "/>"...)
}

// AppendXML implements Message. An empty Type is written as "response".
func (m Approval) AppendXML(dst []byte) []byte {
	if m.Type == "" {
		m.Type = "response"
	}
	dst = appendAttr(append(dst, "<approval"...), "hostname", m.Hostname)
	dst = appendAttr(dst, "id", m.ID)
	dst = appendAttr(dst, "type", m.Type)
	return append(appendAttr(dst, "authorised", strconv.FormatBool(m.Authorised)), "/>"...)
}

// AppendXML implements Message.
func (m DeviceArrival) AppendXML(dst []byte) []byte {
	dst = append(dst, "<device-arrival>"...)
	for _, d := range m.Devices {
		dst = d.AppendXML(dst)
	}
	return append(dst, "</device-arrival>"...)
}

// AppendXML implements Message.
func (m DeviceRemoval) AppendXML(dst []byte) []byte {
	return append(appendAttr(append(dst, "<device-removal"...), "id", m.Device), "/>"...)
}

// AppendXML implements Message.
func (m DeviceSubscribe) AppendXML(dst []byte) []byte {
	dst = appendAttr(append(dst, "<device-subscribe"...), "devid", m.Device)
	if !m.Bare {
		dst = appendAttr(dst, "subscribe", strconv.FormatBool(m.On))
	}
	return append(dst, "/>"...)
}

// AppendXML implements Message.
func (m Set) AppendXML(dst []byte) []byte {
	dst = appendAttr(append(dst, "<set"...), "devid", m.Device)
	if len(m.Items) == 0 {
		return append(dst, "/>"...)
	}
	dst = append(dst, '>')
	for _, it := range m.Items {
		dst = append(strconv.AppendUint(append(dst, `<item id="`...), uint64(it.ID), 10), '"')
		dst = append(appendAttr(dst, "value", it.Value), "/>"...)
	}
	return append(dst, "</set>"...)
}

// AppendXML implements Message.
func (m ClientDiscovery) AppendXML(dst []byte) []byte {
	dst = appendAttr(append(dst, "<client-discovery"...), "app", m.App)
	dst = appendAttr(dst, "version", m.Version)
	return append(appendSome(dst, "device", m.Device), "/>"...)
}

// AppendXML implements Message, in single quotes, as servers do.
func (m ServerAnnouncement) AppendXML(dst []byte) []byte {
	e := Element{Name: "server-announcement", Attrs: []Attr{{"app", m.App, true}, {"version", m.Version, true},
		{"hostname", m.Hostname, true}, {"port", strconv.Itoa(int(m.Port)), true}}}
	return e.AppendXML(dst)
}

// AppendXML implements Message.
func (m Unknown) AppendXML(dst []byte) []byte { return m.Root.AppendXML(dst) }

func appendAttr(dst []byte, name, value string) []byte {
	dst = append(append(append(dst, ' '), name...), '=', '"')
	return append(appendEscaped(dst, value), '"')
}

func appendSome(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	return appendAttr(dst, name, value)
}
