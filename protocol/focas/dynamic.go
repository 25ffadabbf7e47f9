package focas

// Dynamic is what cnc_rddynamic2 reads in one frame.
type Dynamic struct {
	Alarm       AlarmBits
	Program     ProgramNum
	Sequence    int32
	Feed, Speed Value
	Absolute    []Value // kind 4; one axis or as many as the control sends
	Machine     []Value // kind 1
	Relative    []Value // kind 6
	Distance    []Value // kind 7
}

// dynamicKinds in the order of the blocks. (seen)
var dynamicKinds = [4]AxisKind{AxisAbsoluteOld, AxisMachine, AxisRelativeOld, AxisDistanceOld}

// DynamicRequests are the nine blocks of cnc_rddynamic2 and cnc_rddynamic for an axis or [AllAxes], for one frame. (seen)
func DynamicRequests(path uint16, axis int32) []Request {
	qs := []Request{AlarmBitsRequest(path), ProgramNumRequest(path), cncRequest(path, FuncReadSequenceNum),
		FeedRequest(path), SpindleSpeedRequest(path)}
	for _, k := range dynamicKinds {
		qs = append(qs, AxisRequest(path, k, axis))
	}
	return qs
}

// ParseDynamic puts the answers to [DynamicRequests] together. The first refused block is the error; what the others say is
// in the result all the same.
func ParseDynamic(replies []Reply) (Dynamic, error) {
	var d Dynamic
	if err := wantReplies("dynamic data", replies, 9); err != nil {
		return d, err
	}
	var first error
	note := func(err error) {
		if first == nil {
			first = err
		}
	}
	note(good(&replies[0], &d.Alarm, ParseAlarmBits))
	note(good(&replies[1], &d.Program, ParseProgramNum))
	var sequence Counter
	note(good(&replies[2], &sequence, ParseCounter))
	d.Sequence = sequence.N
	note(good(&replies[3], &d.Feed, ParseValue))
	note(good(&replies[4], &d.Speed, ParseValue))
	for i, into := range []*[]Value{&d.Absolute, &d.Machine, &d.Relative, &d.Distance} {
		var list Values
		note(good(&replies[5+i], &list, ParseValues))
		*into = list.Items
	}
	return d, first
}

// good parses a reply into v unless it was refused.
func good[T any](p *Reply, v *T, parse func([]byte) (T, error)) error {
	if err := p.Err(); err != nil {
		return err
	}
	got, err := parse(p.Payload)
	*v = got
	return err
}
