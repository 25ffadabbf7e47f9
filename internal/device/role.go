package device

import "slices"

// Role is one row of the table of semantic tags. Doors and panels find points by role, because they do not know drivers.
type Role struct {
	Name    string
	Kind    Kind
	Meaning string
}

var generalRoles = [...]Role{
	{"link.state", Enum, "state of the connection to the device"},
	{"link.error", String, "why the connection is not up"},
	{"id.model", String, "model as the device reports it"},
	{"id.series", String, "series or firmware family"},
	{"id.version", String, "firmware version"},
	{"id.serial", String, "serial number or identity"},
}

// Roles lists the table in its fixed order.
func Roles() []Role {
	return slices.Concat(generalRoles[:], cncRoles[:], avRoles[:], serialRoles[:], audioRoles[:])
}

// RoleOf finds a role by its name.
func RoleOf(name string) (Role, bool) {
	for _, r := range Roles() {
		if r.Name == name {
			return r, true
		}
	}
	return Role{}, false
}
