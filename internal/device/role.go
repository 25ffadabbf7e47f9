package device

// Role is one row of the table of semantic tags. Doors and panels find points by role, because they do not know drivers.
type Role struct {
	Name    string
	Kind    Kind
	Meaning string
}

var roles = [...]Role{
	{"link.state", Enum, "state of the connection to the device"},
	{"link.error", String, "why the connection is not up"},
	{"id.model", String, "model as the device reports it"},
	{"id.series", String, "series or firmware family"},
	{"id.version", String, "firmware version"},
	{"id.serial", String, "serial number or identity"},
	{"cnc.execution", Enum, "MTConnect Execution of a path"},
	{"cnc.controller-mode", Enum, "MTConnect ControllerMode of a path"},
	{"cnc.emergency-stop", Enum, "MTConnect EmergencyStop"},
	{"cnc.status.mode", Enum, "mode as the control writes it (MEM, MDI, EDIT, …)"},
	{"cnc.status.run", Enum, "run state as the control writes it (STRT, HOLD, STOP, ****)"},
	{"cnc.status.motion", Enum, "motion or dwell"},
	{"cnc.status.mstb", Enum, "M, S, T, B function in progress"},
	{"cnc.status.emergency", Enum, "emergency stop state word"},
	{"cnc.status.alarm", Enum, "alarm state word"},
	{"cnc.status.edit", Enum, "edit state word"},
	{"cnc.panel.single-block", Bool, "switch of the operator's panel: stops after each block"},
	{"cnc.panel.block-delete", Bool, "switch of the operator's panel: blocks behind a slash are left out"},
	{"cnc.panel.dry-run", Bool, "switch of the operator's panel: moves at the dry run feed"},
	{"cnc.panel.machine-lock", Bool, "switch of the operator's panel: the program runs and the axes stand"},
	{"cnc.panel.memory-protect", Bool, "switch of the operator's panel: programs and data cannot be changed"},
	{"cnc.panel.feed-hold", Bool, "switch of the operator's panel: the axes are held"},
	{"cnc.program.main", String, "main program"},
	{"cnc.program.running", String, "program being executed"},
	{"cnc.program.comment", String, "comment of the program being executed"},
	{"cnc.program.block", String, "text of the block being executed"},
	{"cnc.program.look-ahead", String, "blocks that follow the one being executed, one a line"},
	{"cnc.program.block-count", Int, "blocks executed"},
	{"cnc.program.sequence", Int, "sequence number (N word)"},
	{"cnc.part-count", Int, "parts made"},
	{"cnc.part-target", Int, "parts required"},
	{"cnc.part-total", Int, "parts made in total"},
	{"cnc.feed.actual", Float, "actual path feed rate"},
	{"cnc.feed.commanded", Float, "commanded path feed rate"},
	{"cnc.feed.override", Int, "feed rate override"},
	{"cnc.rapid.override", Int, "rapid traverse override"},
	{"cnc.tool", Int, "tool number (T word)"},
	{"cnc.modal.g", String, "active G codes"},
	{"cnc.modal", Int, "a modal word (M, S, F, D, H, …)"},
	{"cnc.position.absolute", Float, "axis position in the work coordinate system"},
	{"cnc.position.relative", Float, "axis position relative to where it was zeroed"},
	{"cnc.position.machine", Float, "axis position in the machine coordinate system"},
	{"cnc.position.distance-to-go", Float, "axis distance to go in this block"},
	{"cnc.axis.load", Float, "axis load"},
	{"cnc.axis.current", Float, "axis motor current"},
	{"cnc.spindle.speed", Float, "actual spindle speed"},
	{"cnc.spindle.commanded", Float, "commanded spindle speed"},
	{"cnc.spindle.load", Float, "spindle load"},
	{"cnc.spindle.override", Int, "spindle override"},
	{"cnc.spindle.gear", Int, "spindle gear"},
	{"cnc.spindle.max-speed", Float, "maximum spindle speed"},
	{"cnc.alarms", List, "active alarms, newest first"},
	{"cnc.alarm-count", Int, "number of active alarms"},
	{"cnc.messages", List, "operator messages"},
	{"cnc.message-count", Int, "number of operator messages"},
	{"cnc.timer.power-on", Float, "time powered on"},
	{"cnc.timer.operating", Float, "time in automatic operation"},
	{"cnc.timer.cutting", Float, "time cutting"},
	{"cnc.timer.cycle", Float, "time of this cycle"},
	{"cnc.clock", String, "the control's own date and time"},
	{"cnc.macro", Float, "custom macro variable"},
	{"cnc.parameter", Float, "parameter"},
	{"cnc.diagnosis", Float, "diagnosis number"},
	{"cnc.pmc", Int, "PMC address"},
	{"cnc.offset", Float, "tool or work offset"},
}

// Roles lists the table in its fixed order.
func Roles() []Role { return append([]Role(nil), roles[:]...) }

// RoleOf finds a role by its name.
func RoleOf(name string) (Role, bool) {
	for _, r := range roles {
		if r.Name == name {
			return r, true
		}
	}
	return Role{}, false
}
