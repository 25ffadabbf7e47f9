package focas

// Sizes of the status payloads in bytes. FANUC's library copies as many words as the payload holds, so a control must
// send exactly these. (seen)
const (
	StatusSize  = 14
	Status2Size = 22
)

// Status is the state of a path (cnc_statinfo, function 0x19): seven words, whose texts [StatusText] has. (seen)
type Status struct {
	Aut       uint16 // selected mode
	Run       uint16 // state of automatic operation
	Motion    uint16 // axis motion, dwell
	MSTB      uint16 // M, S, T or B function in progress
	Emergency uint16
	Alarm     uint16
	Edit      uint16
	Rest      []byte // what follows; aliases the payload
}

// StatusRequest asks for [Status].
func StatusRequest(path uint16) Request { return cncRequest(path, FuncStatInfo) }

// ParseStatus reads the payload of 0x19.
func ParseStatus(payload []byte) (Status, error) {
	if len(payload) < StatusSize {
		return Status{}, short("Status", payload, StatusSize)
	}
	s := statusAt(payload)
	s.Rest = rest(payload, StatusSize)
	return s, nil
}

func statusAt(b []byte) Status {
	return Status{Aut: u16(b), Run: u16(b[2:]), Motion: u16(b[4:]), MSTB: u16(b[6:]), Emergency: u16(b[8:]), Alarm: u16(b[10:]), Edit: u16(b[12:])}
}

// Append appends the payload.
func (s Status) Append(b []byte) []byte {
	return append(appendWords(b, s.Aut, s.Run, s.Motion, s.MSTB, s.Emergency, s.Alarm, s.Edit), s.Rest...)
}

// Status2 is [Status] with four words more (cnc_statinfo2, function 0xe2). (seen)
type Status2 struct {
	Status          // its Rest is nil
	Warning  uint16 // 0 none, 1 a warning is there, 2 started with a warning (public)
	O3DCheck uint16 // interference check
	ExtOpt   uint16
	Restart  uint16
	More     []byte // what follows; aliases the payload
}

// Status2Request asks for [Status2].
func Status2Request(path uint16) Request { return cncRequest(path, FuncStatInfo2) }

// ParseStatus2 reads the payload of 0xe2.
func ParseStatus2(payload []byte) (Status2, error) {
	if len(payload) < Status2Size {
		return Status2{}, short("Status2", payload, Status2Size)
	}
	return Status2{Status: statusAt(payload), Warning: u16(payload[14:]), O3DCheck: u16(payload[16:]),
		ExtOpt: u16(payload[18:]), Restart: u16(payload[20:]), More: rest(payload, Status2Size)}, nil
}

// Append appends the payload.
func (s Status2) Append(b []byte) []byte {
	b = s.Status.Append(b)
	return append(appendWords(b, s.Warning, s.O3DCheck, s.ExtOpt, s.Restart), s.More...)
}

// HandleRetraceRequest asks for the manual handle retrace state, a [Word]; FANUC's library sends it with every status read.
func HandleRetraceRequest(path uint16) Request { return cncRequest(path, FuncStatInfoHandle) }

// TMModeRequest asks whether the path runs as a lathe (0) or a machining centre (1), a [Word].
func TMModeRequest(path uint16) Request { return cncRequest(path, FuncStatInfoTM) }
