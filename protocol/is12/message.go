package is12

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// Path is where devices have the WebSocket by habit.
const Path = "/x-nmos/ncp/v1.0/connect"

// MaxMessage is the default limit for a frame in bytes. The standard has none.
const MaxMessage = 4 << 20

// Type is what a message is.
type Type uint8

// The types.
const (
	TypeCommand              Type = 0
	TypeCommandResponse      Type = 1
	TypeNotification         Type = 2
	TypeSubscription         Type = 3
	TypeSubscriptionResponse Type = 4
	TypeError                Type = 5
)

var typeNames = [...]string{"Command", "CommandResponse", "Notification", "Subscription", "SubscriptionResponse", "Error"}

// String is the standard's name, or the number.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "type " + strconv.Itoa(int(t))
}

// ID names a method, property or event: Level is the depth of the class that defines it.
type ID struct {
	Level uint16 `json:"level"`
	Index uint16 `json:"index"`
}

// String is "1m6" in the standard's way of writing without the letter: "1.6".
func (id ID) String() string {
	return strconv.Itoa(int(id.Level)) + "." + strconv.Itoa(int(id.Index))
}

// Command asks an object for something. Arguments is a JSON object.
type Command struct {
	Handle    uint16          `json:"handle"` // 1 to 65,535, the controller's number
	Oid       uint32          `json:"oid"`
	MethodID  ID              `json:"methodId"`
	Arguments json.RawMessage `json:"arguments"`
}

// Result is how a command ended. Value is JSON, nil when there is none.
type Result struct {
	Status       Status          `json:"status"`
	Value        json.RawMessage `json:"value,omitempty"`
	ErrorMessage string          `json:"errorMessage,omitempty"`
}

// Response answers a command.
type Response struct {
	Handle uint16 `json:"handle"`
	Result Result `json:"result"`
}

// ChangeType says what has happened to a property.
type ChangeType uint8

// The change types.
const (
	ValueChanged ChangeType = 0
	ItemAdded    ChangeType = 1
	ItemChanged  ChangeType = 2
	ItemRemoved  ChangeType = 3
)

// PropertyChanged is the event that every object has.
var PropertyChanged = ID{1, 1}

// EventData is what a PropertyChanged event says. Value is JSON.
type EventData struct {
	PropertyID        ID              `json:"propertyId"`
	ChangeType        ChangeType      `json:"changeType"`
	Value             json.RawMessage `json:"value"`
	SequenceItemIndex *uint32         `json:"sequenceItemIndex"`
}

// Notification is an event of an object.
type Notification struct {
	Oid       uint32    `json:"oid"`
	EventID   ID        `json:"eventId"`
	EventData EventData `json:"eventData"`
}

// Message is one frame. Which fields count goes by Type.
type Message struct {
	Type          Type
	Commands      []Command      // TypeCommand
	Responses     []Response     // TypeCommandResponse
	Notifications []Notification // TypeNotification
	Subscriptions []uint32       // TypeSubscription: all objects from now on; TypeSubscriptionResponse: those that the device has taken
	Status        Status         // TypeError
	ErrorMessage  string         // TypeError
}

// Errors of frames.
var (
	ErrJSON    = errors.New("frame is no IS-12 message")
	ErrTooLong = errors.New("frame is longer than the limit")
	// ErrTooMany is the error of a list with more than [MaxItems] items.
	ErrTooMany = fmt.Errorf("list has more than %d items", MaxItems)
)

// MaxItems is how many items a list may have that is read. Handles have 16 bits, so that more commands cannot be meant at a time; an
// empty item has two bytes, and takes fifty times as much when it is read.
const MaxItems = 1 << 16

// List is a JSON array of [MaxItems] items at most.
type List[T any] []T

// UnmarshalJSON implements json.Unmarshaler.
func (l *List[T]) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*l = nil
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(b))
	open, err := d.Token()
	if err != nil {
		return err
	}
	if open != json.Delim('[') {
		return fmt.Errorf("%w: a list is wanted", ErrJSON)
	}
	items := List[T]{}
	for d.More() {
		if len(items) == MaxItems {
			return ErrTooMany
		}
		var item T
		if err := d.Decode(&item); err != nil {
			return err
		}
		items = append(items, item)
	}
	*l = items
	return nil
}

// frame is a message as JSON has it. Pointers tell absent from empty.
type frame struct {
	MessageType   *Type               `json:"messageType"`
	Commands      *List[Command]      `json:"commands,omitempty"`
	Responses     *List[Response]     `json:"responses,omitempty"`
	Notifications *List[Notification] `json:"notifications,omitempty"`
	Subscriptions *List[uint32]       `json:"subscriptions,omitempty"`
	Status        *Status             `json:"status,omitempty"`
	ErrorMessage  *string             `json:"errorMessage,omitempty"`
}

// Parse reads a frame of limit bytes at most; 0 is [MaxMessage]. A message without the field that its type has to have is an error.
// Fields that nobody has defined are passed over, as JSON's users do.
func Parse(b []byte, limit int) (Message, error) {
	if limit <= 0 {
		limit = MaxMessage
	}
	if len(b) > limit {
		return Message{}, fmt.Errorf("%w: %d bytes, limit %d", ErrTooLong, len(b), limit)
	}
	var f frame
	if err := json.Unmarshal(b, &f); err != nil {
		return Message{}, fmt.Errorf("%w: %w", ErrJSON, err)
	}
	if f.MessageType == nil {
		return Message{}, fmt.Errorf("%w: it has no messageType", ErrJSON)
	}
	m := Message{Type: *f.MessageType}
	missing := ""
	switch m.Type {
	case TypeCommand:
		m.Commands, missing = list(f.Commands, "commands")
	case TypeCommandResponse:
		m.Responses, missing = list(f.Responses, "responses")
	case TypeNotification:
		m.Notifications, missing = list(f.Notifications, "notifications")
	case TypeSubscription, TypeSubscriptionResponse:
		m.Subscriptions, missing = list(f.Subscriptions, "subscriptions")
	case TypeError:
		if f.Status == nil {
			missing = "status"
		} else {
			m.Status = *f.Status
		}
		if f.ErrorMessage != nil {
			m.ErrorMessage = *f.ErrorMessage
		}
	default:
		return m, fmt.Errorf("%w: messageType %d", ErrJSON, m.Type)
	}
	if missing != "" {
		return m, fmt.Errorf("%w: a %v without %s", ErrJSON, m.Type, missing)
	}
	return m, nil
}

func list[T any](p *List[T], name string) ([]T, string) {
	if p == nil {
		return nil, name
	}
	return *p, ""
}

// Marshal is the message as a frame.
func (m Message) Marshal() ([]byte, error) {
	f := frame{MessageType: &m.Type}
	switch m.Type {
	case TypeCommand:
		f.Commands = some(m.Commands)
		for i := range *f.Commands {
			if c := &(*f.Commands)[i]; len(c.Arguments) == 0 {
				c.Arguments = json.RawMessage("{}")
			}
		}
	case TypeCommandResponse:
		f.Responses = some(m.Responses)
	case TypeNotification:
		f.Notifications = some(m.Notifications)
	case TypeSubscription, TypeSubscriptionResponse:
		f.Subscriptions = some(m.Subscriptions)
	case TypeError:
		f.Status, f.ErrorMessage = &m.Status, &m.ErrorMessage
	}
	return json.Marshal(f)
}

// some is a list of its own, which JSON does not take for none when it is empty.
func some[T any](list []T) *List[T] {
	own := append(List[T]{}, list...)
	return &own
}

// Status is how a command ended (NcMethodStatus).
type Status int

// The statuses.
const (
	StatusOk                     Status = 200
	StatusPropertyDeprecated     Status = 298
	StatusMethodDeprecated       Status = 299
	StatusBadCommandFormat       Status = 400
	StatusUnauthorized           Status = 401
	StatusBadOid                 Status = 404
	StatusReadonly               Status = 405
	StatusInvalidRequest         Status = 406
	StatusConflict               Status = 409
	StatusBufferOverflow         Status = 413
	StatusIndexOutOfBounds       Status = 414
	StatusParameterError         Status = 417
	StatusLocked                 Status = 423
	StatusDeviceError            Status = 500
	StatusMethodNotImplemented   Status = 501
	StatusPropertyNotImplemented Status = 502
	StatusNotReady               Status = 503
	StatusTimeout                Status = 504
)

var statusNames = map[Status]string{StatusOk: "Ok", StatusPropertyDeprecated: "PropertyDeprecated", StatusMethodDeprecated: "MethodDeprecated",
	StatusBadCommandFormat: "BadCommandFormat", StatusUnauthorized: "Unauthorized", StatusBadOid: "BadOid", StatusReadonly: "Readonly",
	StatusInvalidRequest: "InvalidRequest", StatusConflict: "Conflict", StatusBufferOverflow: "BufferOverflow", StatusIndexOutOfBounds: "IndexOutOfBounds",
	StatusParameterError: "ParameterError", StatusLocked: "Locked", StatusDeviceError: "DeviceError", StatusMethodNotImplemented: "MethodNotImplemented",
	StatusPropertyNotImplemented: "PropertyNotImplemented", StatusNotReady: "NotReady", StatusTimeout: "Timeout"}

// String is the standard's name, or the number.
func (s Status) String() string {
	if n, ok := statusNames[s]; ok {
		return n
	}
	return "status " + strconv.Itoa(int(s))
}

// OK reports whether the command was carried out; deprecated ones are.
func (s Status) OK() bool { return s >= 200 && s < 300 }

// Error is a device's no.
type Error struct {
	Oid     uint32 // 0: it is about no object, as in an error message
	Method  ID
	Status  Status
	Message string // the device's own words; may be empty
}

// Error is "object 1, method 1.2: Readonly (405): its own words".
func (e *Error) Error() string {
	s := fmt.Sprintf("%v (%d)", e.Status, int(e.Status))
	if e.Oid != 0 {
		s = fmt.Sprintf("object %d, method %v: %s", e.Oid, e.Method, s)
	}
	if e.Message != "" {
		s += ": " + e.Message
	}
	return s
}

// Is compares statuses, so that errors.Is(err, &Error{Status: StatusLocked}) asks for the status alone.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Status == e.Status
}
