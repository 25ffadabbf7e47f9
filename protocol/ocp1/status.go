package ocp1

import (
	"fmt"
	"strconv"
)

// Status is how a command ended (OcaStatus).
type Status uint8

// The statuses.
const (
	StatusOK Status = iota
	StatusProtocolVersionError
	StatusDeviceError
	StatusLocked
	StatusBadFormat
	StatusBadONo
	StatusParameterError
	StatusParameterOutOfRange
	StatusNotImplemented
	StatusInvalidRequest
	StatusProcessingFailed
	StatusBadMethod
	StatusPartiallySucceeded
	StatusTimeout
	StatusBufferOverflow
	StatusPermissionDenied
	StatusOutOfMemory
	StatusBusy
)

var statuses = [...]struct{ name, meaning string }{
	{"OK", "done"},
	{"ProtocolVersionError", "the device does not speak this version of the protocol"},
	{"DeviceError", "the device has failed"},
	{"Locked", "another controller has locked the object"},
	{"BadFormat", "the parameters are too short or cannot be read"},
	{"BadONo", "the device has no such object"},
	{"ParameterError", "a parameter is wrong"},
	{"ParameterOutOfRange", "a parameter is out of range"},
	{"NotImplemented", "the device does not have this function"},
	{"InvalidRequest", "the request does not fit the state of the object"},
	{"ProcessingFailed", "the device could not carry it out"},
	{"BadMethod", "the object has no such method"},
	{"PartiallySucceeded", "only a part has been done"},
	{"Timeout", "the device gave up waiting"},
	{"BufferOverflow", "the request or the answer is too long for the device"},
	{"PermissionDenied", "this controller may not do that"},
	{"OutOfMemory", "the device has no memory left"},
	{"Busy", "the device is busy"},
}

// String is the standard's name ("ParameterOutOfRange"), or the number.
func (s Status) String() string {
	if int(s) < len(statuses) {
		return statuses[s].name
	}
	return "status " + strconv.Itoa(int(s))
}

// Meaning is the status in plain words; empty when unknown.
func (s Status) Meaning() string {
	if int(s) < len(statuses) {
		return statuses[s].meaning
	}
	return ""
}

// Error is a device's no.
type Error struct {
	Target ONo
	Method ID
	Status Status
}

// Error is "object 4118, method 4.2: ParameterOutOfRange (7): a parameter is out of range".
func (e *Error) Error() string {
	s := fmt.Sprintf("object %d, method %v: %v (%d)", e.Target, e.Method, e.Status, uint8(e.Status))
	if m := e.Status.Meaning(); m != "" {
		s += ": " + m
	}
	return s
}

// Is compares statuses, so that errors.Is(err, &Error{Status: StatusLocked}) asks for the status alone.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Status == e.Status && (t.Target == 0 || t.Target == e.Target)
}
