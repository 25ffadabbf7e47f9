package focas

// OpSignalSize is the size of [OpSignal] in bytes.
const OpSignalSize = 26

// OpSignal is the state of the software operator's panel (cnc_rdopnlsgnl, function 0x5d): 13 words. Order is seen; a control
// without a software panel refuses it or leaves the words at 0 (public).
type OpSignal struct {
	Mode            uint16
	HandleAxis      uint16
	HandleMove      uint16
	RapidOverride   uint16 // in steps
	JogOverride     uint16
	FeedOverride    uint16 // in steps of 10 %
	SpindleOverride uint16 // in steps of 10 %
	BlockDelete     uint16
	SingleBlock     uint16
	MachineLock     uint16
	DryRun          uint16
	MemoryProtect   uint16
	FeedHold        uint16
	Rest            []byte // aliases the payload
}

// OpSignalRequest asks for the signals in mask, -1 for all of them.
func OpSignalRequest(path uint16, mask int32) Request {
	return cncRequest(path, FuncReadOpSignal, mask)
}

// ParseOpSignal reads the payload.
func ParseOpSignal(payload []byte) (OpSignal, error) {
	if len(payload) < OpSignalSize {
		return OpSignal{}, short("OpSignal", payload, OpSignalSize)
	}
	w := func(i int) uint16 { return u16(payload[2*i:]) }
	return OpSignal{w(0), w(1), w(2), w(3), w(4), w(5), w(6), w(7), w(8), w(9), w(10), w(11), w(12), rest(payload, OpSignalSize)}, nil
}

// Append appends the payload.
func (s OpSignal) Append(b []byte) []byte {
	b = appendWords(b, s.Mode, s.HandleAxis, s.HandleMove, s.RapidOverride, s.JogOverride, s.FeedOverride, s.SpindleOverride,
		s.BlockDelete, s.SingleBlock, s.MachineLock, s.DryRun, s.MemoryProtect, s.FeedHold)
	return append(b, s.Rest...)
}

// OpModeRequest asks for the operation mode of each axis (cnc_rdopmode): function 0x57, [Words]. (seen)
func OpModeRequest(path uint16) Request { return cncRequest(path, FuncReadOpMode) }
