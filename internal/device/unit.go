package device

// Unit is one row of the closed table of units. Values stay in the device's own unit; doors convert.
type Unit struct {
	Symbol  string // what Spec.Unit holds and people read
	UCUM    string // Unified Code for Units of Measure
	UNECE   string // UN/ECE Recommendation 20 common code, as OPC UA wants it; empty: none
	MTC     string // MTConnect units name; empty: none
	Meaning string
}

var units = [...]Unit{
	{"mm", "mm", "MMT", "MILLIMETER", "millimetre"},
	{"in", "[in_i]", "INH", "INCH", "inch"},
	{"deg", "deg", "DD", "DEGREE", "degree of angle"},
	{"mm/min", "mm/min", "", "MILLIMETER/MINUTE", "millimetre per minute"},
	{"in/min", "[in_i]/min", "", "INCH/MINUTE", "inch per minute"},
	{"mm/rev", "mm/{rev}", "", "MILLIMETER/REVOLUTION", "millimetre per revolution"},
	{"in/rev", "[in_i]/{rev}", "", "INCH/REVOLUTION", "inch per revolution"},
	{"rpm", "{rev}/min", "RPM", "REVOLUTION/MINUTE", "revolutions per minute"},
	{"%", "%", "P1", "PERCENT", "percent"},
	{"A", "A", "AMP", "AMPERE", "ampere"},
	{"V", "V", "VLT", "VOLT", "volt"},
	{"s", "s", "SEC", "SECOND", "second"},
	{"ms", "ms", "C26", "MILLISECOND", "millisecond"},
	{"µs", "us", "B98", "", "microsecond"},
	{"min", "min", "MIN", "", "minute"},
	{"h", "h", "HUR", "", "hour"},
	{"B", "By", "AD", "", "byte"},
	{"B/s", "By/s", "P93", "", "bytes per second"},
	{"1/s", "/s", "C97", "COUNT/SECOND", "per second"},
	{"Bd", "Bd", "J38", "", "baud"},
	{"Hz", "Hz", "HTZ", "HERTZ", "hertz"},
	{"dB", "dB", "2N", "DECIBEL", "decibel"},
	{"dBFS", "dB", "2N", "DECIBEL", "decibel relative to full scale"},
	{"°C", "Cel", "CEL", "CELSIUS", "degree Celsius"},
	{"frames", "{frame}", "", "", "video frames"},
}

// Units lists the table in its fixed order.
func Units() []Unit { return append([]Unit(nil), units[:]...) }

// UnitOf finds a unit by its symbol.
func UnitOf(symbol string) (Unit, bool) {
	for _, u := range units {
		if u.Symbol == symbol {
			return u, true
		}
	}
	return Unit{}, false
}
