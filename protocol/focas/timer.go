package focas

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"time"
)

// Timers of function 0x120. (seen)
const (
	TimerPowerOn   int32 = 0 // minutes only
	TimerOperating int32 = 1
	TimerCutting   int32 = 2
	TimerCycle     int32 = 3
	TimerFree      int32 = 4
)

// TimerSize is the size of a [Timer] in bytes.
const TimerSize = 8

// TimerOrder is the byte order of a control's timers.
type TimerOrder uint8

// The orders. FANUC's library reads timers big-endian for every control it was tried with (seen); an author who has a 31i-B
// found only little-endian in range there (public). TimerAuto reads big-endian unless the milliseconds are a minute or more
// that way and less than a minute the other way.
const (
	TimerAuto TimerOrder = iota
	TimerBigEndian
	TimerLittleEndian
)

// Timer is a counter of time (cnc_rdtimer): minutes and the milliseconds of the running minute.
type Timer struct {
	Minute int32
	MSec   int32
	Little bool   // it was little-endian on the wire, and is appended so
	Rest   []byte // aliases the payload
}

// TimerRequest asks for a [Timer].
func TimerRequest(path uint16, which int32) Request { return cncRequest(path, FuncReadTimer, which) }

// WriteTimerRequest sets a timer (cnc_wrtimer): function 0x121.
func WriteTimerRequest(path uint16, which int32, t Timer) Request {
	q := cncRequest(path, FuncWriteTimer, which)
	q.Data = t.Append(nil)
	return q
}

// ParseTimer reads the payload of 0x120, or the data of 0x121, in the given order.
func ParseTimer(payload []byte, order TimerOrder) (Timer, error) {
	if len(payload) < TimerSize {
		return Timer{}, short("Timer", payload, TimerSize)
	}
	t := Timer{Minute: i32(payload), MSec: i32(payload[4:]), Rest: rest(payload, TimerSize)}
	swapped := int32(bits.ReverseBytes32(uint32(t.MSec)))
	if order == TimerLittleEndian || order == TimerAuto && !inMinute(t.MSec) && inMinute(swapped) {
		t.Minute, t.MSec, t.Little = int32(bits.ReverseBytes32(uint32(t.Minute))), swapped, true
	}
	return t, nil
}

func inMinute(msec int32) bool { return msec >= 0 && msec < 60_000 }

// Append appends the payload in the order that it came in.
func (t Timer) Append(b []byte) []byte {
	if t.Little {
		b = binary.LittleEndian.AppendUint32(b, uint32(t.Minute))
		b = binary.LittleEndian.AppendUint32(b, uint32(t.MSec))
	} else {
		b = appendI32(appendI32(b, t.Minute), t.MSec)
	}
	return append(b, t.Rest...)
}

// Duration is the time.
func (t Timer) Duration() time.Duration {
	return time.Duration(t.Minute)*time.Minute + time.Duration(t.MSec)*time.Millisecond
}

// NewTimer is d as minutes and milliseconds.
func NewTimer(d time.Duration) Timer {
	return Timer{Minute: int32(d / time.Minute), MSec: int32(d % time.Minute / time.Millisecond)}
}

// Halves of the control's clock, which are read and set one at a time. (seen)
const (
	ClockDate int32 = 0
	ClockTime int32 = 1
)

// ClockSize is the size of a [Clock] in bytes.
const ClockSize = 12

// Clock is the control's date or time of day (cnc_gettimer): both have six words, and the words of the other half are 0.
// Big-endian in the library (seen), though a public sample of a date is printed little-endian.
type Clock struct {
	Year, Month, Day     uint16
	Hour, Minute, Second uint16
	Rest                 []byte // aliases the payload
}

// ClockRequest asks for [ClockDate] or [ClockTime].
func ClockRequest(path uint16, half int32) Request { return cncRequest(path, FuncGetTimer, half) }

// SetClockRequest sets one half of the clock (cnc_settimer); the words of the other half are sent as 0.
func SetClockRequest(path uint16, half int32, c Clock) Request {
	if half == ClockDate {
		c.Hour, c.Minute, c.Second = 0, 0, 0
	} else {
		c.Year, c.Month, c.Day = 0, 0, 0
	}
	q := cncRequest(path, FuncSetTimer, half)
	q.Data = c.Append(nil)
	return q
}

// ParseClock reads the payload of 0x45, or the data of 0x46.
func ParseClock(payload []byte) (Clock, error) {
	if len(payload) < ClockSize {
		return Clock{}, short("Clock", payload, ClockSize)
	}
	return Clock{u16(payload), u16(payload[2:]), u16(payload[4:]), u16(payload[6:]), u16(payload[8:]), u16(payload[10:]), rest(payload, ClockSize)}, nil
}

// Append appends the payload.
func (c Clock) Append(b []byte) []byte {
	return append(appendWords(b, c.Year, c.Month, c.Day, c.Hour, c.Minute, c.Second), c.Rest...)
}

// In is the moment in the control's time zone, which the control does not tell. The error says which field is out of range.
func (c Clock) In(zone *time.Location) (time.Time, error) {
	t := time.Date(int(c.Year), time.Month(c.Month), int(c.Day), int(c.Hour), int(c.Minute), int(c.Second), 0, zone)
	if t.Month() != time.Month(c.Month) || t.Day() != int(c.Day) || c.Hour > 23 || c.Minute > 59 || c.Second > 59 {
		return time.Time{}, fmt.Errorf("clock: %04d-%02d-%02d %02d:%02d:%02d is not a date and time", c.Year, c.Month, c.Day, c.Hour, c.Minute, c.Second)
	}
	return t, nil
}
