package openswitcher

import (
	"errors"
	"fmt"
	"strings"

	"github.com/patchbay-io/patchbay/protocol/atem"
)

// Limits of texts, in bytes.
const (
	MaxName       = 20  // of a device's id and label; longer ones are cut
	MaxCredential = 255 // of a user's name and of a password that a server takes in
	// OldCredential is what the existing relay takes in; it closes the connection of a client that sends more.
	OldCredential = 32
)

// ErrHandshake says that a packet is not the one that the handshake wants in this place.
var ErrHandshake = errors.New("this is not what the handshake wants here")

// Device is a switcher that a server offers.
type Device struct {
	ID    string // what a client chooses it by; 20 bytes at most
	Label string // what people choose it by; 20 bytes at most
}

// AppendHello adds the payload of a client's first packet.
func AppendHello(b []byte) []byte { return (&atem.OSWHello{}).Append(b, 0) }

// AppendLoginWanted adds the payload of the answer that asks for a login.
func AppendLoginWanted(b []byte) []byte { return (&atem.OSWLogin{}).Append(b, 0) }

// AppendLogin adds the payload of a login.
func AppendLogin(b []byte, user, password string) []byte {
	b = (&atem.OSWUser{User: user}).Append(b, 0)
	return (&atem.OSWPassword{Password: password}).Append(b, 0)
}

// AppendDevices adds the payload that offers devices, one field each.
func AppendDevices(b []byte, devices []Device) []byte {
	for _, d := range devices {
		b = (&atem.OSWDevice{ID: d.ID, Label: d.Label}).Append(b, 0)
	}
	return b
}

// AppendChoice adds the payload of the choice of a device.
func AppendChoice(b []byte, id string) []byte { return (&atem.OSWChoose{ID: id}).Append(b, 0) }

// ParseHello accepts a client's first packet: *SW* alone, whatever its body and padding. The error is [ErrHandshake].
func ParseHello(payload []byte) error {
	_, err := fields(payload, atem.CodeOSWSW)
	return err
}

// ParseLogin reads a login: user and password in one packet, in either order. The error is [ErrHandshake].
func ParseLogin(payload []byte) (user, password string, err error) {
	first, second := atem.CodeOSWUSR, atem.CodeOSWPWD
	if f, _, err := atem.Next(payload); err == nil && f.Code == second {
		first, second = second, first
	}
	f, err := fields(payload, first, second)
	if err != nil {
		return "", "", err
	}
	for _, x := range f {
		if len(x.Body) > MaxCredential {
			return "", "", fmt.Errorf("%v has %d bytes, %d at most: %w", x.Code, len(x.Body), MaxCredential, ErrHandshake)
		}
		if x.Code == atem.CodeOSWUSR {
			user = string(x.Body)
		} else {
			password = string(x.Body)
		}
	}
	return user, password, nil
}

// ParseChoice reads the choice of a device; NULs at its end are no part of it. The error is [ErrHandshake].
func ParseChoice(payload []byte) (id string, err error) {
	f, err := fields(payload, atem.CodeOSWDEV)
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(f[0].Body), "\x00"), nil
}

// ParseAnswer reads what a server says to a hello or to a login: that it wants a login, or which devices there are. The error
// is [ErrHandshake] for anything else; an empty packet offers nothing.
func ParseAnswer(payload []byte) (devices []Device, login bool, err error) {
	for f, err := range atem.Fields(payload) {
		if err != nil {
			return nil, false, fmt.Errorf("%w: %w", ErrHandshake, err)
		}
		var d atem.OSWDevice
		switch {
		case f.Code == atem.CodeOSWAUTH && devices == nil:
			login = true
		case f.Code == atem.CodeOSWHW && !login && d.Parse(0, f.Body) == nil:
			devices = append(devices, Device{ID: d.ID, Label: d.Label})
		default:
			return nil, false, fmt.Errorf("%v: %w", f.Code, ErrHandshake)
		}
	}
	return devices, login, nil
}

// fields are the fields of a payload, which must be those codes and no others.
func fields(payload []byte, codes ...atem.Code) ([]atem.Field, error) {
	out := make([]atem.Field, 0, len(codes))
	for f, err := range atem.Fields(payload) {
		switch {
		case err != nil:
			return nil, fmt.Errorf("%w: %w", ErrHandshake, err)
		case len(out) == len(codes) || f.Code != codes[len(out)]:
			return nil, fmt.Errorf("%v: %w", f.Code, ErrHandshake)
		}
		out = append(out, f)
	}
	if len(out) < len(codes) {
		return nil, fmt.Errorf("%v is missing: %w", codes[len(out)], ErrHandshake)
	}
	return out, nil
}
