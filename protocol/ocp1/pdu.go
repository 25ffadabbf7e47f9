package ocp1

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Sizes in bytes of the PDUs without what varies.
const (
	CommandSize       = 17 // and the parameters
	ResponseSize      = 10 // and the parameters
	NotificationSize  = 23 // and the context and the data
	Notification2Size = 13 // and the data
)

// Command asks an object to do something. Params holds Count encoded parameters and is not copied.
type Command struct {
	Handle uint32 // the asker's number, echoed in the response; 0 is as good as any
	Target ONo
	Method ID
	Count  uint8
	Params []byte
}

// Append appends the PDU.
func (c Command) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(CommandSize+len(c.Params)))
	b = binary.BigEndian.AppendUint32(b, c.Handle)
	b = AppendONo(b, c.Target)
	b = AppendID(b, c.Method)
	b = append(b, c.Count)
	return append(b, c.Params...)
}

// Response answers a command. Params holds Count encoded parameters and is not copied.
type Response struct {
	Handle uint32
	Status Status
	Count  uint8
	Params []byte
}

// Append appends the PDU.
func (r Response) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(ResponseSize+len(r.Params)))
	b = binary.BigEndian.AppendUint32(b, r.Handle)
	b = append(b, byte(r.Status), r.Count)
	return append(b, r.Params...)
}

// Err is nil, or the status as an *[Error] about method of target.
func (r Response) Err(target ONo, method ID) error {
	if r.Status == StatusOK {
		return nil
	}
	return &Error{Target: target, Method: method, Status: r.Status}
}

// Notification is an event of the first kind (EV1): it is sent as if it were a call of the method that the subscriber named, with the context that it
// gave. Context and Data are not copied.
type Notification struct {
	Subscriber ONo
	Method     ID
	Count      uint8 // of parameters; 2 in every event that is known
	Context    []byte
	Event      Event
	Data       []byte
}

// Append appends the PDU.
func (n Notification) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(NotificationSize+len(n.Context)+len(n.Data)))
	b = AppendONo(b, n.Subscriber)
	b = AppendID(b, n.Method)
	b = append(b, n.Count)
	b = AppendBlob(b, n.Context)
	b = AppendEvent(b, n.Event)
	return append(b, n.Data...)
}

// Notification2 is an event of the second kind (EV2). Data is not copied.
type Notification2 struct {
	Event     Event
	Exception uint8 // 0: an event; 1: the end of the subscription
	Data      []byte
}

// Append appends the PDU.
func (n Notification2) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(Notification2Size+len(n.Data)))
	b = AppendEvent(b, n.Event)
	b = append(b, n.Exception)
	return append(b, n.Data...)
}

// PDUs walks over the PDUs of a message, which must be asked for by the message's type. It allocates nothing; what it
// returns aliases the message.
type PDUs struct {
	b    []byte
	left int
	err  error
}

// PDUs starts a walk.
func (m Message) PDUs() PDUs { return PDUs{b: m.Body, left: int(m.Count)} }

// Left is how many PDUs are still to come.
func (p *PDUs) Left() int { return p.left }

// Err is nil, or why the walk ended before the message's last byte: [ErrPDU] or [ErrCount].
func (p *PDUs) Err() error { return p.err }

// next takes a PDU of at least size bytes and returns it without its size word.
func (p *PDUs) next(size int) []byte {
	if p.err != nil {
		return nil
	}
	if p.left == 0 {
		if len(p.b) > 0 {
			p.err = fmt.Errorf("%w: %d bytes are left", ErrCount, len(p.b))
		}
		return nil
	}
	if len(p.b) < 4 {
		p.err = fmt.Errorf("%w: %d bytes are left, %d PDUs are to come", ErrPDU, len(p.b), p.left)
		return nil
	}
	n := binary.BigEndian.Uint32(p.b)
	if int64(n) < int64(size) || int64(n) > int64(len(p.b)) {
		p.err = fmt.Errorf("%w: it says %d bytes, the least is %d, %d are left", ErrPDU, n, size, len(p.b))
		return nil
	}
	pdu := p.b[4:n:n]
	p.b = p.b[n:]
	p.left--
	return pdu
}

// Command is the next PDU of a Command or CommandRrq message; false at the end, or when [PDUs.Err] is set.
func (p *PDUs) Command() (Command, bool) {
	b := p.next(CommandSize)
	if b == nil {
		return Command{}, false
	}
	return Command{Handle: binary.BigEndian.Uint32(b), Target: ONo(binary.BigEndian.Uint32(b[4:])),
		Method: idAt(b[8:]), Count: b[12], Params: b[13:]}, true
}

// Response is the next PDU of a Response message; false at the end, or when [PDUs.Err] is set.
func (p *PDUs) Response() (Response, bool) {
	b := p.next(ResponseSize)
	if b == nil {
		return Response{}, false
	}
	return Response{Handle: binary.BigEndian.Uint32(b), Status: Status(b[4]), Count: b[5], Params: b[6:]}, true
}

// Notification is the next PDU of a Notification message; false at the end, or when [PDUs.Err] is set.
func (p *PDUs) Notification() (Notification, bool) {
	b := p.next(NotificationSize)
	if b == nil {
		return Notification{}, false
	}
	n := Notification{Subscriber: ONo(binary.BigEndian.Uint32(b)), Method: idAt(b[4:]), Count: b[8]}
	length := int(binary.BigEndian.Uint16(b[9:]))
	if length > len(b)-NotificationSize+4 {
		p.err = fmt.Errorf("%w: context of %d bytes in a notification of %d", ErrPDU, length, len(b)+4)
		return Notification{}, false
	}
	n.Context = b[11 : 11+length : 11+length]
	b = b[11+length:]
	n.Event, n.Data = Event{ONo(binary.BigEndian.Uint32(b)), idAt(b[4:])}, b[8:]
	return n, true
}

// Notification2 is the next PDU of a Notification2 message; false at the end, or when [PDUs.Err] is set.
func (p *PDUs) Notification2() (Notification2, bool) {
	b := p.next(Notification2Size)
	if b == nil {
		return Notification2{}, false
	}
	return Notification2{Event: Event{ONo(binary.BigEndian.Uint32(b)), idAt(b[4:])}, Exception: b[8], Data: b[9:]}, true
}

// KeepAlive is the interval that a keep-alive message states, and whether it does so in milliseconds rather than seconds,
// which the size of the message tells.
func (m Message) KeepAlive() (interval time.Duration, millis bool, err error) {
	switch len(m.Body) {
	case 2:
		return time.Duration(binary.BigEndian.Uint16(m.Body)) * time.Second, false, nil
	case 4:
		return time.Duration(binary.BigEndian.Uint32(m.Body)) * time.Millisecond, true, nil
	}
	return 0, false, fmt.Errorf("%w: a keep-alive of %d bytes, which is 2 (seconds) or 4 (milliseconds)", ErrPDU, len(m.Body))
}

// AppendKeepAlive appends a whole keep-alive message: in seconds where interval is a whole number of them and fits, else in
// milliseconds. An interval below a millisecond or over 49 days is cut to that.
func AppendKeepAlive(b []byte, version uint16, interval time.Duration) []byte {
	if interval >= time.Second && interval%time.Second == 0 && interval <= 65535*time.Second {
		return AppendKeepAliveSeconds(b, version, interval)
	}
	return AppendKeepAliveMillis(b, version, interval)
}

// AppendKeepAliveSeconds appends a keep-alive message that states its interval in seconds, 1 to 65,535.
func AppendKeepAliveSeconds(b []byte, version uint16, interval time.Duration) []byte {
	b, at := BeginMessage(b, version, TypeKeepAlive)
	b = binary.BigEndian.AppendUint16(b, uint16(min(max(interval/time.Second, 1), 65535)))
	return EndMessage(b, at, 1)
}

// AppendKeepAliveMillis appends a keep-alive message that states its interval in milliseconds.
func AppendKeepAliveMillis(b []byte, version uint16, interval time.Duration) []byte {
	b, at := BeginMessage(b, version, TypeKeepAlive)
	b = binary.BigEndian.AppendUint32(b, uint32(min(max(interval/time.Millisecond, 1), 1<<32-1)))
	return EndMessage(b, at, 1)
}

// AppendCommands appends one message with the commands, 1 to 65,535 of them; rrq asks for responses.
func AppendCommands(b []byte, version uint16, rrq bool, commands ...Command) []byte {
	t := TypeCommand
	if rrq {
		t = TypeCommandRrq
	}
	b, at := BeginMessage(b, version, t)
	for i := range commands {
		b = commands[i].Append(b)
	}
	return EndMessage(b, at, len(commands))
}

// AppendResponses appends one message with the responses, 1 to 65,535 of them.
func AppendResponses(b []byte, version uint16, responses ...Response) []byte {
	b, at := BeginMessage(b, version, TypeResponse)
	for i := range responses {
		b = responses[i].Append(b)
	}
	return EndMessage(b, at, len(responses))
}

// AppendNotifications appends one message with the events, 1 to 65,535 of them.
func AppendNotifications(b []byte, version uint16, events ...Notification) []byte {
	b, at := BeginMessage(b, version, TypeNotification)
	for i := range events {
		b = events[i].Append(b)
	}
	return EndMessage(b, at, len(events))
}

// AppendNotifications2 appends one message with the events, 1 to 65,535 of them.
func AppendNotifications2(b []byte, version uint16, events ...Notification2) []byte {
	b, at := BeginMessage(b, version, TypeNotification2)
	for i := range events {
		b = events[i].Append(b)
	}
	return EndMessage(b, at, len(events))
}
