package fc2

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/nacl/box"

	"github.com/patchbay-io/patchbay/protocol/ocp1"
)

// AgentONo is the number of the pairing agent in the onboarding endpoint's root block.
const AgentONo ocp1.ONo = 4096

// AgentClass is the class of the pairing agent: OcaAgent, the mark of proprietary classes, Focusrite's number 00-13-0E, 1.
var AgentClass = ocp1.ClassIdentification{Class: ocp1.ClassOf(1, 2, 0xffff, 0x0000, 0x130e, 1), Version: 1}

// The methods of the pairing agent.
var (
	// MethodRequestApproval: blob public key, blob request ([AppendRequest]) → string decision. It is answered when a person has
	// decided.
	MethodRequestApproval = ocp1.ID{Level: 3, Index: 1}
	// MethodSendQRData: blob → string decision.
	MethodSendQRData = ocp1.ID{Level: 3, Index: 2}
	// MethodGetOnboardingState: → string state.
	MethodGetOnboardingState = ocp1.ID{Level: 3, Index: 3}
	// MethodGetAPIVersion: → uint16.
	MethodGetAPIVersion = ocp1.ID{Level: 3, Index: 4}
)

// DecisionApproved is the decision that lets a program in. Every other text is a refusal; what the maker's other texts are is
// not known.
const DecisionApproved = "approved"

// The states of onboarding. In any other state a program cannot be paired now.
const (
	StateReady    = "ready"    // nobody is being paired
	StateScanning = "scanning" // a person has approved, and the code is waited for
)

// Texts of our own servers where the maker's are not known (guess).
const (
	DecisionDenied = "denied"
	StateApproving = "approving" // a person is being asked
)

// Limits of pairing in bytes.
const (
	MaxName = 256 // of a program
	MaxCode = 1024
)

const boxNonce = 24

// Errors of pairing.
var (
	ErrRequest = errors.New("the request for approval cannot be opened: it was made for another server, or is damaged")
	ErrName    = fmt.Errorf("a name is text of at most %d bytes", MaxName)
	ErrCode    = errors.New("a code is an even number of hexadecimal digits")
)

// AppendRequest appends what asks for approval: a random nonce, and the program's name in a NaCl box that the server alone
// can open.
func AppendRequest(dst []byte, id Identity, server PublicKey, name string, random io.Reader) ([]byte, error) {
	if len(name) > MaxName || !utf8.ValidString(name) {
		return dst, ErrName
	}
	if _, err := id.shared(server); err != nil {
		return dst, err
	}
	var nonce [boxNonce]byte
	if _, err := io.ReadFull(random, nonce[:]); err != nil {
		return dst, err
	}
	secret, peer := [KeySize]byte(id.Secret()), [KeySize]byte(server)
	return box.Seal(append(dst, nonce[:]...), []byte(name), &nonce, &peer, &secret), nil
}

// OpenRequest is the name of the program that asks for approval.
func OpenRequest(request []byte, id Identity, client PublicKey) (name string, err error) {
	if len(request) < boxNonce+box.Overhead || len(request) > boxNonce+box.Overhead+MaxName {
		return "", ErrRequest
	}
	if _, err := id.shared(client); err != nil {
		return "", err
	}
	nonce := [boxNonce]byte(request[:boxNonce])
	secret, peer := [KeySize]byte(id.Secret()), [KeySize]byte(client)
	b, ok := box.Open(nil, request[boxNonce:], &nonce, &peer, &secret)
	if !ok {
		return "", ErrRequest
	}
	if !utf8.Valid(b) {
		return "", ErrName
	}
	return string(b), nil
}

// ParseCode reads the text of a QR code: an even number of hexadecimal digits. White space, which people type, is left out.
func ParseCode(text string) ([]byte, error) {
	b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil || len(b) == 0 || len(b) > MaxCode {
		return nil, ErrCode
	}
	return b, nil
}

// FormatCode is the text of a code.
func FormatCode(b []byte) string { return hex.EncodeToString(b) }
