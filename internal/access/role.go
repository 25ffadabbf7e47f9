package access

import "fmt"

// Role is what somebody may do at all.
type Role uint8

// The roles; each may do what those before it may.
const (
	Viewer   Role = iota + 1 // read everything
	Operator                 // write what the devices and the user's own patterns allow
	Admin                    // the same without patterns of its own, read the audit, reload the configuration
)

// RoleNames are the roles as configuration writes them, the weakest first.
func RoleNames() []string { return []string{"viewer", "operator", "admin"} }

// ParseRole reads a role as configuration writes it.
func ParseRole(s string) (Role, error) {
	for i, name := range RoleNames() {
		if s == name {
			return Role(i + 1), nil
		}
	}
	return 0, fmt.Errorf("role %q is none of viewer, operator, admin", s)
}

// String is the role as configuration writes it; empty for none.
func (r Role) String() string {
	if r < Viewer || r > Admin {
		return ""
	}
	return RoleNames()[r-1]
}
