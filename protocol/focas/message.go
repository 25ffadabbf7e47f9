package focas

import "github.com/patchbay-io/patchbay/wire"

// Sizes of an operator message in bytes. (seen)
const (
	OpMessageSize = 12 + OpMessageText
	OpMessageText = 256
)

// OpMessageRequest asks for the operator message of a type (cnc_rdopmsg, cnc_rdopmsg2; on classic controls also
// cnc_rdopmsg3): function 0x34. Types on a 16i: 0 to 3 external messages, 4 macro message (public); -1 all of them (public).
func OpMessageRequest(path uint16, typ int32) Request {
	return cncRequest(path, FuncReadOpMessage, typ)
}

// OpMessages3Request asks for at most max operator messages of a type (cnc_rdopmsg3 on a 30i): function 0xd0.
func OpMessages3Request(path uint16, typ, max int32) Request {
	return cncRequest(path, FuncReadOpMessage3, 0, typ, max)
}

// OpMessage is one message of the machine's maker to the operator. (seen)
//
//	0        4      8        12
//	| number | type | length | text, 256 bytes
type OpMessage struct {
	Number int32
	Type   int32
	Length int32  // of the text; 0: no message (guess)
	Field  []byte // the whole text field, 256 bytes in the control's code page; aliases the payload
}

// NewOpMessage makes a message.
func NewOpMessage(number, typ int32, text string) OpMessage {
	return OpMessage{number, typ, int32(min(len(text), OpMessageText)), wire.AppendText(make([]byte, 0, OpMessageText), text, OpMessageText)}
}

// Text is the text as bytes of the control's code page, without padding.
func (m OpMessage) Text() string { return fieldText(m.Field, m.Length) }

// Append appends the record.
func (m OpMessage) Append(b []byte) []byte {
	return append(appendI32(appendI32(appendI32(b, m.Number), m.Type), m.Length), m.Field...)
}

// OpMessages is the payload of 0x34 and 0xd0.
type OpMessages = List[OpMessage]

// ParseOpMessages reads the payload.
func ParseOpMessages(payload []byte) (OpMessages, error) {
	return parseList(payload, OpMessageSize, func(b []byte) OpMessage {
		return OpMessage{i32(b), i32(b[4:]), i32(b[8:]), b[12:len(b):len(b)]}
	}), nil
}
