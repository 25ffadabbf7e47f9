package focas

import (
	"bytes"
	"testing"
)

// FuzzFrames: any bytes either fail or append as themselves, frame by frame and block by block.
func FuzzFrames(f *testing.F) {
	f.Add(AppendOpenRequest(nil, ChannelData))
	f.Add(AppendErrorFrame(nil, 3, TypeData, ErrorBody{1, EWData, [2]int16{6, 7}}))
	f.Add(AppendRequests(nil, []Request{AlarmBitsRequest(1), {Class: ClassPMC, Func: FuncWritePMC, Data: []byte{1}}}))
	f.Add(AppendReplies(nil, 3, []Reply{{Class: 1, Path: 1, Func: FuncAlarm, Payload: []byte{0, 0, 0, 1}}, {Code: EWFunc}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, rest, err := ParseFrame(b)
		if err != nil {
			return
		}
		whole := b[:len(b)-len(rest)]
		if got := frame.Append(nil); !bytes.Equal(got, whole) {
			t.Fatalf("frame %x appends as %x", whole, got)
		}
		if replies, err := readReplies(frame.Body); err == nil {
			if got := AppendReplies(nil, frame.Version, replies)[HeaderSize:]; !bytes.Equal(got, frame.Body) {
				t.Fatalf("replies %x append as %x", frame.Body, got)
			}
		}
		blocks, err := RequestBlocks(frame.Body)
		var qs []Request
		for err == nil {
			q, ok, e := blocks.NextRequest()
			if err = e; e == nil && !ok {
				if got := AppendRequests(nil, qs)[HeaderSize:]; !bytes.Equal(got, frame.Body) {
					t.Fatalf("requests %x append as %x", frame.Body, got)
				}
				return
			}
			qs = append(qs, q)
		}
	})
}

// FuzzFrameReader: a stream gives frames that append as what was read, and ends.
func FuzzFrameReader(f *testing.F) {
	f.Add(AppendCloseRequest(AppendOpenRequest(nil, ChannelTransfer)))
	f.Fuzz(func(t *testing.T, b []byte) {
		fr := NewFrameReader(bytes.NewReader(b))
		var got []byte
		for {
			frame, err := fr.Next()
			if err != nil {
				break
			}
			got = frame.Append(got)
		}
		if !bytes.HasPrefix(b, got) {
			t.Fatalf("read %x, appended %x", b, got)
		}
	})
}

// FuzzOpenReply: both forms, any version.
func FuzzOpenReply(f *testing.F) {
	f.Add(uint16(2), unhex(f, openClassic))
	f.Add(uint16(3), unhex(f, open30i))
	f.Fuzz(func(t *testing.T, version uint16, b []byte) {
		o, err := ParseOpenReply(Version(version), b)
		if err != nil {
			return
		}
		if got := o.Append(nil); !bytes.Equal(got, b) {
			t.Fatalf("%x appends as %x", b, got)
		}
		o.Extended()
		for n := range o.Paths() {
			o.Path(n)
		}
	})
}

// statusParsers are the parsers of the status, axis, alarm and modal families.
func statusParsers() []func([]byte) (appender, error) {
	return []func([]byte) (appender, error){
		as(ParseWord), as(ParseWords), as(ParseLongs), as(ParseStatus), as(ParseStatus2), as(ParseSysInfo), as(ParseCNCID),
		as(ParseCNCModel), as(ParseEthernetInfo), as(ParseNames), as(ParseNameSets), as(ParseUnitPairs), as(ParseFigures),
		as(ParseAlarmBits), as(ParseClock), as(ParseOpSignal), as(ParseAuxes), as(ParseGCodes), as(ParseCommands), as(ParseOpMessages),
		func(b []byte) (appender, error) { return ParseTimer(b, TimerAuto) },
		func(b []byte) (appender, error) { return ParseTimer(b, TimerLittleEndian) },
		func(b []byte) (appender, error) { return ParseAlarms(b, AlarmText32) },
		func(b []byte) (appender, error) { return ParseAlarms(b, AlarmText64) },
	}
}

// FuzzStatusPayloads: what a parser takes it gives back.
func FuzzStatusPayloads(f *testing.F) {
	for i := range statusParsers() {
		f.Add(uint8(i), bytes.Repeat([]byte{0, 1, 2, 'X'}, 24))
	}
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		parsers := statusParsers()
		x, err := parsers[int(which)%len(parsers)](b)
		if err != nil {
			return
		}
		if got := x.Append(nil); !bytes.Equal(got, b) {
			t.Fatalf("%T: %x appends as %x", x, b, got)
		}
		switch x := x.(type) {
		case Alarms:
			for _, a := range x.Items {
				a.Format(Family30i, "X")
				a.Format(Family16i, "X")
			}
		case OpMessages:
			for _, m := range x.Items {
				m.Text()
			}
		case GCodes:
			for _, g := range x.Items {
				_ = g.String()
			}
		case Commands:
			for _, c := range x.Items {
				_, _ = c.Address(), c.Float()
			}
		}
	})
}

// FuzzAssembled: the sets of blocks that belong together, with payloads cut from one string of bytes.
func FuzzAssembled(f *testing.F) {
	f.Add(uint8(3), bytes.Repeat([]byte{0, 2, 0, 1}, 64))
	f.Fuzz(func(t *testing.T, cut uint8, b []byte) {
		for _, d := range []Dialect{Classic, Series30i} {
			for _, set := range []struct {
				qs    []Request
				parse func([]Reply)
			}{
				{PositionRequests(d, 1), func(p []Reply) { ParsePositions(d, 1<<16, p) }},
				{ServoMeterRequests(d, 1), func(p []Reply) { ParseServoMeter(d, 1<<16, p) }},
				{SpindleMeterRequests(d, 1), func(p []Reply) { ParseSpindleMeter(d, 1<<16, p) }},
				{BracketedSpindleRequests(d, 1, 0, -1), func(p []Reply) { ParseBracketedSpindles(d, -1, 1<<16, p) }},
				{SpeedRequests(d, 1), func(p []Reply) { ParseSpeeds(d, p) }},
				{DynamicRequests(1, -1), func(p []Reply) { ParseDynamic(p) }},
			} {
				rest, replies := b, make([]Reply, len(set.qs))
				for i, q := range set.qs {
					n := min(len(rest), int(cut)*(i+1))
					replies[i] = Reply{Func: q.Func, Payload: rest[:n]}
					rest = rest[n:]
				}
				set.parse(replies)
			}
		}
	})
}
