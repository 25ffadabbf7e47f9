package focas

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
)

// AppendOpenRequest appends the whole 12-byte frame that opens a channel: [ChannelData] or [ChannelTransfer]. (seen)
func AppendOpenRequest(b []byte, channel uint16) []byte {
	b = AppendHeader(b, Version(RequestVersion), TypeOpen, DirRequest, 2)
	return binary.BigEndian.AppendUint16(b, channel)
}

// ParseOpenRequest reads the channel number from the body of an open request.
func ParseOpenRequest(body []byte) (channel uint16, err error) {
	if len(body) != 2 {
		return 0, fmt.Errorf("open request: body of %d bytes, want 2", len(body))
	}
	return u16(body), nil
}

// AppendCloseRequest appends the whole frame that closes a channel; the control answers with an empty reply. (seen)
func AppendCloseRequest(b []byte) []byte {
	return AppendHeader(b, Version(RequestVersion), TypeClose, DirRequest, 0)
}

// Sizes of the open reply's body in bytes: a head, then one record per path. (seen)
const (
	openHeadClassic   = 16
	openRecordClassic = 8
	openHead30i       = 40
	openRecord30i     = 32
)

// ErrOpenReply is the cause when the body of an open reply does not have the size that its path count asks for.
var ErrOpenReply = errors.New("open reply does not have the size that its path count asks for")

// OpenReply is what a control says about itself when a channel is opened. It has two forms, chosen by the version word of
// its frame; the words that nobody has named are kept, so that a parsed body is written again as the same bytes.
//
//	classic (version <= 2), 16 + 8 x P bytes, u16 each:
//	  0 ?  2 family  4 max axes  6 max spindles  8 P  10 controlled paths  12 ?  14 more paths
//	  per path: system, attribute, axes, spindles
//
//	30i (version >= 3), 40 + 32 x P bytes, u16 each:
//	  0 ?  2 ?  4 ?  6 max axes  8 max spindles  10 P  12 max groups  14 ?  16 axes  18 servo axes  20 spindles
//	  22 controlled paths  24 groups  26 ?  28 options  30 additional info  32..38 ?
//	  per path: system, group, attribute, axes, ?, spindles, machine group, 9 x ?
//
// Places and names are seen (FANUC's library maps them into cnc_sysinfo_ex); what the words marked ? mean is not known,
// and no real control's body has been published, only its length.
type OpenReply struct {
	Version Version // of the frame; selects the form

	MaxAxes         uint16
	MaxSpindles     uint16
	ControlledPaths uint16

	Family    uint16 // classic only: 2 is the Series 15i dialect, 3 and above have the extended functions
	MorePaths uint16 // classic only: added to ControlledPaths; loader paths (guess)

	MaxGroups  uint16 // from here 30i only
	Axes       uint16 // controlled axes of all paths
	ServoAxes  uint16
	Spindles   uint16
	Groups     uint16
	Options    uint16 // bit 0: extended functions, which FANUC's library refuses to send without it
	Additional uint16

	Unknown [9]uint16 // the words marked ?, in order: 2 in classic, 9 in 30i
	Records []PathRecord
}

// PathRecord is one path of an [OpenReply]; record i is path i+1. System 0 means that the control does not have the path.
type PathRecord struct {
	System       uint16
	Attribute    uint16
	Axes         uint16
	Spindles     uint16
	Group        uint16     // 30i only, as the rest
	MachineGroup uint16     //
	Unknown      [10]uint16 // the word at 8, then those from 14 on
}

// Dialect selects by the version.
func (o *OpenReply) Dialect() Dialect { return o.Version.Dialect() }

// Extended reports whether FANUC's library would send the extended functions (cnc_rddynamic2, cnc_rdexecprog, the pdf calls
// and more) without asking the control for a parameter first. (seen)
func (o *OpenReply) Extended() bool {
	if o.Dialect() == Classic {
		return o.Family >= 3
	}
	return o.Options&1 != 0
}

// PathCount is the highest path number that cnc_setpath accepts. (seen)
func (o *OpenReply) PathCount() int {
	if o.Dialect() == Classic {
		return int(o.ControlledPaths) + int(o.MorePaths)
	}
	return int(o.ControlledPaths)
}

// Paths walks over the numbers of the paths that the control has, with their records.
func (o *OpenReply) Paths() iter.Seq2[uint16, PathRecord] {
	return func(yield func(uint16, PathRecord) bool) {
		for i, r := range o.Records {
			if r.System != 0 && !yield(uint16(i+1), r) {
				return
			}
		}
	}
}

// Path is the record of path n, 1-based; ok is false when the control does not have it.
func (o *OpenReply) Path(n uint16) (r PathRecord, ok bool) {
	if n == 0 || int(n) > len(o.Records) {
		return r, false
	}
	r = o.Records[n-1]
	return r, r.System != 0
}

// ParseOpenReply reads the body of an open reply whose frame had version v. It keeps nothing of body.
func ParseOpenReply(v Version, body []byte) (OpenReply, error) {
	o := OpenReply{Version: v}
	head, size, countAt := openHead30i, openRecord30i, 10
	if v.Dialect() == Classic {
		head, size, countAt = openHeadClassic, openRecordClassic, 8
	}
	if len(body) < head {
		return o, fmt.Errorf("%w: %d bytes, at least %d needed for version %d", ErrOpenReply, len(body), head, v)
	}
	paths := int(u16(body[countAt:]))
	if want := head + size*paths; len(body) != want {
		return o, fmt.Errorf("%w: %d bytes, want %d for %d paths of version %d", ErrOpenReply, len(body), want, paths, v)
	}
	if v.Dialect() == Classic {
		o.parseClassic(body)
	} else {
		o.parse30i(body)
	}
	return o, nil
}

func (o *OpenReply) parseClassic(b []byte) {
	o.Family, o.MaxAxes, o.MaxSpindles = u16(b[2:]), u16(b[4:]), u16(b[6:])
	o.ControlledPaths, o.MorePaths = u16(b[10:]), u16(b[14:])
	o.Unknown[0], o.Unknown[1] = u16(b), u16(b[12:])
	for b = b[openHeadClassic:]; len(b) > 0; b = b[openRecordClassic:] {
		o.Records = append(o.Records, PathRecord{System: u16(b), Attribute: u16(b[2:]), Axes: u16(b[4:]), Spindles: u16(b[6:])})
	}
}

func (o *OpenReply) parse30i(b []byte) {
	o.MaxAxes, o.MaxSpindles, o.MaxGroups = u16(b[6:]), u16(b[8:]), u16(b[12:])
	o.Axes, o.ServoAxes, o.Spindles = u16(b[16:]), u16(b[18:]), u16(b[20:])
	o.ControlledPaths, o.Groups = u16(b[22:]), u16(b[24:])
	o.Options, o.Additional = u16(b[28:]), u16(b[30:])
	for i, at := range unknown30i {
		o.Unknown[i] = u16(b[at:])
	}
	for b = b[openHead30i:]; len(b) > 0; b = b[openRecord30i:] {
		r := PathRecord{System: u16(b), Group: u16(b[2:]), Attribute: u16(b[4:]), Axes: u16(b[6:]), Spindles: u16(b[10:]), MachineGroup: u16(b[12:])}
		r.Unknown[0] = u16(b[8:])
		for i := range r.Unknown[1:] {
			r.Unknown[1+i] = u16(b[14+2*i:])
		}
		o.Records = append(o.Records, r)
	}
}

// unknown30i is where the nameless words of the 30i head are.
var unknown30i = [9]int{0, 2, 4, 14, 26, 32, 34, 36, 38}

// Append appends the body in the form of o.Version.
func (o *OpenReply) Append(b []byte) []byte {
	paths := uint16(len(o.Records))
	if o.Dialect() == Classic {
		b = appendWords(b, o.Unknown[0], o.Family, o.MaxAxes, o.MaxSpindles, paths, o.ControlledPaths, o.Unknown[1], o.MorePaths)
		for _, r := range o.Records {
			b = appendWords(b, r.System, r.Attribute, r.Axes, r.Spindles)
		}
		return b
	}
	u := &o.Unknown
	b = appendWords(b, u[0], u[1], u[2], o.MaxAxes, o.MaxSpindles, paths, o.MaxGroups, u[3])
	b = appendWords(b, o.Axes, o.ServoAxes, o.Spindles, o.ControlledPaths, o.Groups, u[4], o.Options, o.Additional)
	b = appendWords(b, u[5:]...)
	for _, r := range o.Records {
		b = appendWords(b, r.System, r.Group, r.Attribute, r.Axes, r.Unknown[0], r.Spindles, r.MachineGroup)
		b = appendWords(b, r.Unknown[1:]...)
	}
	return b
}

// AppendFrame appends the whole reply frame.
func (o *OpenReply) AppendFrame(b []byte) []byte {
	b, at := BeginFrame(b, o.Version, TypeOpen, DirReply)
	return EndFrame(o.Append(b), at)
}

func appendWords(b []byte, words ...uint16) []byte {
	for _, w := range words {
		b = binary.BigEndian.AppendUint16(b, w)
	}
	return b
}

// ErrorBodySize is the size of the body of an error frame, in bytes.
const ErrorBodySize = 8

// ErrorBody is the body of a frame of direction 3: the whole request was refused. (seen)
//
//	0          2      4          6          8
//	| location | code | detail 1 | detail 2 |
type ErrorBody struct {
	Location uint16 // what it counts is not known
	Code     Code
	Detail   [2]int16
}

// ParseErrorBody reads the body of an error frame.
func ParseErrorBody(body []byte) (ErrorBody, error) {
	if len(body) < ErrorBodySize {
		return ErrorBody{}, fmt.Errorf("error frame: body of %d bytes, want %d: %w", len(body), ErrorBodySize, ErrShort)
	}
	return ErrorBody{u16(body), Code(u16(body[2:])), [2]int16{int16(u16(body[4:])), int16(u16(body[6:]))}}, nil
}

// Append appends the body.
func (e ErrorBody) Append(b []byte) []byte {
	return appendWords(b, e.Location, uint16(e.Code), uint16(e.Detail[0]), uint16(e.Detail[1]))
}

// AppendErrorFrame appends a whole frame of direction 3 for a request of type t, as a control of version v sends it.
func AppendErrorFrame(b []byte, v Version, t Type, e ErrorBody) []byte {
	return e.Append(AppendHeader(b, v, t, DirError, ErrorBodySize))
}

// Err is the error of a refused request about function f; 0 when it was no data frame.
func (e ErrorBody) Err(f Func) *Error {
	return &Error{Func: f, Code: e.Code, Detail: e.Detail, Frame: true}
}
