package driver

import (
	"fmt"
	"strconv"
	"strings"
)

// ParseLine reads settings as people write them: "9600n81", "9600 8N1", "115200-7e2", "9600n81.5"; the speed alone keeps the
// rest as it is. The order of parity, data bits and stop bits may be n81 or 8n1.
func ParseLine(text string) (Line, error) {
	bad := func(why string) (Line, error) {
		return Line{}, fmt.Errorf("%q is no line setting: %s; write it like 9600n81", text, why)
	}
	s := strings.ToLower(strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -,/:", r) {
			return -1
		}
		return r
	}, text))
	digits := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	speed, rest := s, ""
	var l Line
	if digits >= 0 {
		speed, rest = s[:digits], s[digits:]
		if i := strings.IndexByte("noems", rest[0]); i < 0 {
			return bad("the parity is none of n, e, o, m, s")
		}
		l.Parity = rest[0] - 'a' + 'A'
		rest = rest[1:]
		switch {
		case len(rest) >= 2 && rest[0] >= '5' && rest[0] <= '8': // n81
			l.Data, rest = rest[0]-'0', rest[1:]
		case len(speed) >= 2: // 8n1: the data bits stand behind the speed
			l.Data, speed = speed[len(speed)-1]-'0', speed[:len(speed)-1]
		}
		if l.Data < 5 || l.Data > 8 {
			return bad("data bits are 5, 6, 7 or 8")
		}
		switch rest {
		case "1":
			l.HalfStops = 2
		case "1.5":
			l.HalfStops = 3
		case "2":
			l.HalfStops = 4
		default:
			return bad("stop bits are 1, 1.5 or 2")
		}
	}
	baud, err := strconv.ParseUint(speed, 10, 32)
	if err != nil || baud == 0 {
		return bad("the speed is no number of bits per second")
	}
	l.Baud = uint32(baud)
	return l, nil
}

// Format is data bits, parity and stop bits as people write them, "8N1", with "?" for what is not known; "" when nothing is.
func (l Line) Format() string {
	if l.Data == 0 && l.Parity == 0 && l.HalfStops == 0 {
		return ""
	}
	p := l.Parity
	if p == 0 {
		p = '?'
	}
	data, stops := "?", "?"
	if l.Data > 0 {
		data = strconv.FormatUint(uint64(l.Data), 10)
	}
	if l.HalfStops > 0 {
		stops = strconv.FormatFloat(float64(l.HalfStops)/2, 'f', -1, 64)
	}
	return fmt.Sprintf("%s%c%s", data, p, stops)
}

// String is the settings as [ParseLine] reads them: "9600n81". Where a part of the format is open, as those of a PTY are, it is for
// people alone: "9600 ??1".
func (l Line) String() string {
	switch {
	case l.Format() == "":
		return strconv.FormatUint(uint64(l.Baud), 10)
	case l.Data == 0 || l.Parity == 0 || l.HalfStops == 0:
		return fmt.Sprintf("%d %s", l.Baud, l.Format())
	}
	return fmt.Sprintf("%d%c%d%s", l.Baud, l.Parity-'A'+'a', l.Data, strconv.FormatFloat(float64(l.HalfStops)/2, 'f', -1, 64))
}

// Over is l with what it leaves open taken from base.
func (l Line) Over(base Line) Line {
	out := l
	if out.Baud == 0 {
		out.Baud = base.Baud
	}
	if out.Data == 0 {
		out.Data = base.Data
	}
	if out.HalfStops == 0 {
		out.HalfStops = base.HalfStops
	}
	if out.Parity == 0 {
		out.Parity = base.Parity
	}
	if out.Flow == FlowAsIs {
		out.Flow = base.Flow
	}
	if out.Mode == "" {
		out.Mode = base.Mode
	}
	if out.RTS == nil {
		out.RTS = base.RTS
	}
	if out.DTR == nil {
		out.DTR = base.DTR
	}
	if out.Break == nil {
		out.Break = base.Break
	}
	return out
}
