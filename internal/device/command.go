package device

// Command is an action that is not a point: cut, auto, flush. It shares the name space and the permissions of points.
type Command struct {
	Path        Path
	Args        []Spec // Path holds the argument's name
	Title, Doc  string
	Hazard      string
	Role, Grade string
}
