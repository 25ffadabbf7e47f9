package focas

// Kinds of [ServoRequest]. (seen)
const (
	ServoLoopGain int32 = 0 // cnc_rdloopgain
	ServoLoad     int32 = 1 // cnc_rdsvmeter, percent; cnc_rdcurrent sends the same
)

// ServoRequest asks for [Values] of all servo axes: function 0x56. Loads carry their sign on the wire (a public capture
// shows -3 %); FANUC's cnc_rdsvmeter returns them without.
func ServoRequest(path uint16, kind int32) Request { return cncRequest(path, FuncReadServo, kind) }

// AxisLoad is one line of the servo meter.
type AxisLoad struct {
	Name Name
	Load Value // percent, with its sign
}

// ServoMeterRequests are the blocks of cnc_rdsvmeter, for one frame: on a 30i count, names, loads, count; on classic controls
// loads, names. (seen)
func ServoMeterRequests(d Dialect, path uint16) []Request {
	names, loads := AxisNamesRequest(path), ServoRequest(path, ServoLoad)
	if d == Classic {
		return []Request{loads, names}
	}
	count := CountRequest(path, CountServo)
	return []Request{count, names, loads, count}
}

// ParseServoMeter puts the answers to [ServoMeterRequests] together. On classic controls axes is the number of controlled
// axes of the path. Names that the control refuses are left out.
func ParseServoMeter(d Dialect, axes int, replies []Reply) ([]AxisLoad, error) {
	names, loads := 1, 0
	if d == Classic {
		if err := wantReplies("servo meter", replies, 2); err != nil {
			return nil, err
		}
	} else {
		names, loads = 1, 2
		if err := wantReplies("servo meter", replies, 4); err != nil {
			return nil, err
		}
		n, err := bracketCount(replies)
		if err != nil {
			return nil, err
		}
		axes = n
	}
	values, err := needItems(&replies[loads], ParseValues)
	if err != nil {
		return nil, err
	}
	known := goodItems(&replies[names], ParseNames)
	list := make([]AxisLoad, max(0, min(axes, len(values))))
	for i := range list {
		list[i] = AxisLoad{at(known, i), values[i]}
	}
	return list, nil
}
