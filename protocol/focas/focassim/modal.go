package focassim

// gGroup is a modal group: the codes (times 10) of one group exclude each other. Group 00 holds the codes that act in
// their block only. The order of the groups and the numbers inside them follow the manual's cnc_modal table as far as it
// is known (guess).
type gGroup struct {
	codes   []int
	initial int // index into codes at power-on
}

// gGroups are the groups in the order of functions 0x21 and 0x96, beginning with the manual's group 01.
var gGroups = [...]gGroup{
	{codes: []int{0, 10, 20, 30, 330}},   // 01 motion
	{codes: []int{170, 180, 190}},        // 02 plane
	{codes: []int{900, 910}},             // 03 absolute, incremental
	{codes: []int{220, 230}, initial: 0}, // 04 stored stroke check
	{codes: []int{940, 950}},             // 05 feed per minute, per revolution
	{codes: []int{210, 200}},             // 06 millimetres, inches
	{codes: []int{400, 410, 420}},        // 07 cutter compensation
	{codes: []int{490, 430, 440}},        // 08 tool length offset
	{codes: []int{800, 730, 740, 760, 810, 820, 830, 840, 850, 860, 870, 880, 890}}, // 09 canned cycle
	{codes: []int{980, 990}},                          // 10 return point
	{codes: []int{500, 510}},                          // 11 scaling
	{codes: []int{670, 660}},                          // 12 modal macro call
	{codes: []int{970, 960}},                          // 13 constant surface speed
	{codes: []int{540, 550, 560, 570, 580, 590, 541}}, // 14 work offset
	{codes: []int{640, 610, 620, 630}},                // 15 cutting mode
	{codes: []int{690, 680}},                          // 16 rotation
	{codes: []int{150, 160}},                          // 17 polar coordinate
	{codes: []int{1600, 1610}},                        // 18 in-feed
	{codes: []int{401, 411, 421}},                     // 19 normal direction
	{codes: []int{250, 260}},                          // 20 spindle speed check
	{codes: []int{131, 121}},                          // 21 polar interpolation
}

// The indexes of the groups that the machine acts on.
const (
	gMotion, gPlane, gDistance, gUnits, gLength, gOffset = 0, 1, 2, 5, 7, 13
)

// oneShot are the codes of group 00 that the control knows.
var oneShot = [...]int{40, 90, 280, 530}

// groupOf gives the group and the index in it; ok is false for a one-shot or unknown code.
func groupOf(code int) (group, index int, ok bool) {
	for g := range gGroups {
		for i, c := range gGroups[g].codes {
			if c == code {
				return g, i, true
			}
		}
	}
	return 0, 0, false
}

// unsupportedG tells codes of known groups that the machine cannot run: a program with them is refused.
func unsupportedG(code int) bool {
	switch code {
	case 330, 200, 950, 410, 420, 510, 660, 960, 680, 160, 1610, 411, 421, 260, 121, 541:
		return true
	}
	return code >= 730 && code <= 890 && code != 800
}

// knownG reports whether a program may contain the code (times 10).
func knownG(code int) bool {
	if unsupportedG(code) {
		return false
	}
	for _, c := range oneShot {
		if c == code {
			return true
		}
	}
	_, _, ok := groupOf(code)
	return ok
}

// modal is the modal state of a path.
type modal struct {
	g    [len(gGroups)]int // index into codes
	feed float64           // F, mm/min
	rpm  float64           // S
	tool int               // T
	m    [3]int            // M codes of the last block that had some
	h, d int
	n    int
}

func newModal() modal {
	m := modal{}
	for i := range gGroups {
		m.g[i] = gGroups[i].initial
	}
	return m
}

// code is the code (times 10) that is in force in a group.
func (m *modal) code(group int) int { return gGroups[group].codes[m.g[group]] }
