package transcript

// Dissector takes the bytes of one flow apart. It keeps what it learns about the flow, such as a dialect told by the first
// reply, so each flow needs its own. It is not safe for concurrent use.
type Dissector interface {
	// Feed takes the next bytes of one direction, in the order in which they were recorded, and returns the frames that
	// are now complete. For a datagram protocol each call is one datagram. The dissector keeps no reference to b.
	// Bytes that cannot be understood come back as frames with Err set; dissection never stops.
	Feed(dir Direction, b []byte) []Frame
	// End returns what is left of a direction, as a frame with Err set, when the recording ends inside a message.
	End(dir Direction) []Frame
}

// The grades of evidence behind the reading of a field.
const (
	GradeSpec     = "spec"     // the maker's own public document says so
	GradeSeen     = "seen"     // observed on the maker's own software or hardware
	GradeInferred = "inferred" // follows from what was seen
	GradeGuess    = "guess"    // nobody has checked
)

// Frame is one message, or a stretch of bytes that is none.
type Frame struct {
	Offset  int64   // of its first byte, counted over everything that this direction of the flow sent
	Length  int     // in bytes
	Summary string  // one line
	Fields  []Field // in order of offset; a field may lie inside another
	Unknown []Range // bytes that no field explains
	Err     error   // why the bytes are not a proper message; nil: they are

	// Carried is how many of the bytes belong to another protocol that this frame carries. They count there and not here.
	Carried int
	// Inside are the messages of that protocol which this frame completes, with bytes as that protocol has them: unmasked,
	// unpacked, decrypted. Frame.Offset of each counts over everything that the direction sent in that protocol. A dissector
	// that is told to end a direction may have such messages and no bytes of its own; they come in a frame of length 0.
	Inside []Message
}

// Field is one named part of a frame.
type Field struct {
	Name   string // dotted: "block 1.func"
	Offset int    // from the frame's first byte
	Length int
	Value  string // as a program wants it: "25"
	Text   string // what it means: "cnc_statinfo"; may be empty
	Grade  string // evidence: GradeSpec and so on
}

// Range is a stretch of bytes of a frame.
type Range struct{ Offset, Length int }

// Decoded is how many of the frame's bytes are explained, without those that it carries; none when the frame is faulty.
func (f *Frame) Decoded() int {
	if f.Err != nil {
		return 0
	}
	n := f.Length - f.Carried
	for _, u := range f.Unknown {
		n -= u.Length
	}
	return max(n, 0)
}

// Share counts bytes and how many of them were explained. What one protocol carries for another counts once, as the other's.
type Share struct{ Bytes, Decoded int64 }

// Add counts a frame.
func (s *Share) Add(f *Frame) {
	s.Bytes += int64(f.Length - f.Carried)
	s.Decoded += int64(f.Decoded())
}

// Percent is the decoded share; 100 when there was nothing.
func (s Share) Percent() float64 {
	if s.Bytes == 0 {
		return 100
	}
	return 100 * float64(s.Decoded) / float64(s.Bytes)
}
