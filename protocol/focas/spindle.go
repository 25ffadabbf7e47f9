package focas

// Kinds of [SpindleRequest]. (seen)
const (
	SpindleLoad       int32 = 0 // cnc_rdspload, percent
	SpindleMaxRPM     int32 = 1 // cnc_rdspmaxrpm
	SpindleGear       int32 = 2 // cnc_rdspgear
	SpindleSpeed      int32 = 3 // cnc_acts2, rpm
	SpindleMeterLoad  int32 = 4 // cnc_rdspmeter, percent
	SpindleMeterSpeed int32 = 5 // cnc_rdspmeter, rpm
)

// FeedRequest asks for the actual feed rate (cnc_actf), one [Value].
func FeedRequest(path uint16) Request { return cncRequest(path, FuncActualFeed) }

// SpindleSpeedRequest asks for the actual speed of the main spindle (cnc_acts), one [Value]. A 160i refuses it. (public)
func SpindleSpeedRequest(path uint16) Request { return cncRequest(path, FuncActualSpindle) }

// SpindleRequest asks for a kind of one spindle, 1-based, or of [AllAxes]: [Values]. Function 0x40.
func SpindleRequest(path uint16, kind, spindle int32) Request {
	return cncRequest(path, FuncReadSpindle, kind, spindle)
}

// Kinds of [SpindleNamesRequest]: the meter and the speed display ask with other numbers, the answers have one layout. (seen)
const (
	SpindleNames      int32 = 0  // cnc_rdspdlname, classic meter
	SpindleNamesSpeed int32 = 1  // cnc_rdspeed
	SpindleNamesMeter int32 = -1 // cnc_rdspmeter on a 30i
)

// SpindleNamesRequest asks for the [Names] of the spindles: function 0x8a.
func SpindleNamesRequest(path uint16, kind int32) Request {
	return cncRequest(path, FuncReadSpindleName, kind)
}

// ParseValue reads a payload of one 8-byte number; what follows it is not looked at.
func ParseValue(payload []byte) (Value, error) {
	if len(payload) < ValueSize {
		return Value{}, short("Value", payload, ValueSize)
	}
	return valueAt(payload), nil
}

// SpindleReading is one line of the spindle meter.
type SpindleReading struct {
	Name  Name
	Load  Value // percent
	Speed Value // rpm
}

// SpindleMeterRequests are the blocks of cnc_rdspmeter for load and speed, for one frame: on a 30i count, names, loads, speeds,
// count; on classic controls loads, speeds, names. (seen)
func SpindleMeterRequests(d Dialect, path uint16) []Request {
	loads, speeds := SpindleRequest(path, SpindleMeterLoad, AllAxes), SpindleRequest(path, SpindleMeterSpeed, AllAxes)
	if d == Classic {
		return []Request{loads, speeds, SpindleNamesRequest(path, SpindleNames)}
	}
	count := CountRequest(path, CountSpindles)
	return []Request{count, SpindleNamesRequest(path, SpindleNamesMeter), loads, speeds, count}
}

// ParseSpindleMeter puts the answers to [SpindleMeterRequests] together. On classic controls spindles is the number of
// spindles of the path. Names that the control refuses are left out.
func ParseSpindleMeter(d Dialect, spindles int, replies []Reply) ([]SpindleReading, error) {
	loads, speeds, names := 0, 1, 2
	if d == Classic {
		if err := wantReplies("spindle meter", replies, 3); err != nil {
			return nil, err
		}
	} else {
		loads, speeds, names = 2, 3, 1
		if err := wantReplies("spindle meter", replies, 5); err != nil {
			return nil, err
		}
		n, err := bracketCount(replies)
		if err != nil {
			return nil, err
		}
		spindles = n
	}
	load, err := needItems(&replies[loads], ParseValues)
	if err != nil {
		return nil, err
	}
	speed, err := needItems(&replies[speeds], ParseValues)
	if err != nil {
		return nil, err
	}
	known := goodItems(&replies[names], ParseNames)
	list := make([]SpindleReading, max(0, min(spindles, len(load), len(speed))))
	for i := range list {
		list[i] = SpindleReading{at(known, i), load[i], speed[i]}
	}
	return list, nil
}

// BracketedSpindleRequests are the blocks of cnc_acts2, cnc_rdspload, cnc_rdspmaxrpm and cnc_rdspgear: on a 30i the count, the
// values, the count; on classic controls the values alone. (seen)
func BracketedSpindleRequests(d Dialect, path uint16, kind, spindle int32) []Request {
	values := SpindleRequest(path, kind, spindle)
	if d == Classic {
		return []Request{values}
	}
	count := CountRequest(path, CountSpindles)
	return []Request{count, values, count}
}

// ParseBracketedSpindles reads the answers to [BracketedSpindleRequests]: one value for one spindle; for all of them as many as
// the control has, which on classic controls is spindles.
func ParseBracketedSpindles(d Dialect, spindle int32, spindles int, replies []Reply) ([]Value, error) {
	values := 0
	if d == Classic {
		if err := wantReplies("spindle values", replies, 1); err != nil {
			return nil, err
		}
	} else {
		if err := wantReplies("spindle values", replies, 3); err != nil {
			return nil, err
		}
		n, err := bracketCount(replies)
		if err != nil {
			return nil, err
		}
		values, spindles = 1, n
	}
	if spindle != AllAxes {
		spindles = 1
	}
	list, err := needItems(&replies[values], ParseValues)
	if err != nil {
		return nil, err
	}
	return list[:max(0, min(spindles, len(list)))], nil
}

// Speeds is the speed display: feed rate and spindle speed.
type Speeds struct {
	Feed    Reading
	Spindle Reading
	Count   uint16 // what 0xa4(3) says on a 30i; 0 on classic controls
}

// Classic controls are asked for these as well; what FANUC's library makes of the answers is not known. (seen)
const (
	speedParam1, speedParam2, speedParam3 int32 = 3106, 3107, 9936
	speedGroup                            int32 = 4
	speedSignal                           int32 = 28 // PMC address G28
)

// SpeedRequests are the blocks of cnc_rdspeed for both speeds, in the order that FANUC's library sends them, for one frame.
// (seen)
func SpeedRequests(d Dialect, path uint16) []Request {
	if d == Classic {
		return []Request{FeedRequest(path), SpindleSpeedRequest(path), UnitsRequest(path, UnitsClassicSpeed),
			cncRequest(path, FuncReadParamClassic, speedParam1, speedParam1),
			cncRequest(path, FuncReadParamClassic, speedParam2, speedParam2),
			cncRequest(path, FuncReadParamClassic, speedParam3, speedParam3),
			ModalGRequest(path, speedGroup, 0),
			{Class: ClassPMC, Path: 1, Func: FuncReadPMC, Args: [4]int32{speedSignal, speedSignal}}}
	}
	count := CountRequest(path, CountSpeed)
	return []Request{count, SpindleNamesRequest(path, SpindleNamesSpeed), UnitsRequest(path, UnitsFeed),
		UnitsRequest(path, UnitsSpindle), FeedRequest(path), SpindleSpeedRequest(path), count}
}

// ParseSpeeds puts the answers to [SpeedRequests] together. A refused speed is zero and not shown; the error is that of the
// feed rate when both are refused.
func ParseSpeeds(d Dialect, replies []Reply) (Speeds, error) {
	s := Speeds{Feed: Reading{Name: NewName("F"), Unit: UnitMMPerMinute}, Spindle: Reading{Name: NewName("S"), Unit: UnitRPM}}
	feed, speed := 0, 1
	if d == Classic {
		if err := wantReplies("speeds", replies, 8); err != nil {
			return s, err
		}
		if units := goodItems(&replies[2], ParseUnitPairs); len(units) > 0 {
			s.Feed.Unit = UnitMMPerMinute + units[0].First
		}
	} else {
		if err := wantReplies("speeds", replies, 7); err != nil {
			return s, err
		}
		n, err := bracketCount(replies)
		if err != nil {
			return s, err
		}
		feed, speed, s.Count = 4, 5, uint16(n)
		if names := goodItems(&replies[1], ParseNames); len(names) > 0 {
			s.Spindle.Name = names[0]
		}
		if units := goodItems(&replies[2], ParseUnitPairs); len(units) > 0 {
			s.Feed.Unit = units[0].First
		}
		if units := goodItems(&replies[3], ParseUnitPairs); len(units) > 0 {
			s.Spindle.Unit = units[0].First
		}
	}
	feedErr, speedErr := s.Feed.set(&replies[feed]), s.Spindle.set(&replies[speed])
	if feedErr != nil && speedErr != nil {
		return s, feedErr
	}
	return s, nil
}

// set takes the value of a reply.
func (r *Reading) set(p *Reply) error {
	if err := p.Err(); err != nil {
		return err
	}
	v, err := ParseValue(p.Payload)
	r.Value, r.Shown = v, err == nil
	return err
}
