package device

// Point is a consistent copy of one point of the tree. Spec and Labels are shared and must not be changed.
type Point struct {
	Device string
	Spec   *Spec
	Labels *LabelSet // nil unless the point is an enum with labels
	Sample Sample
	Seq    uint64 // of its last change; 0 before the first
}

// Filter selects points. The zero Filter selects everything. Several entries of one field are alternatives; the fields
// narrow each other. Except leaves out roles: a reader who shows no meters keeps them from being produced.
type Filter struct {
	Devices []string
	Under   []Path
	Roles   []string
	Except  []string
}

// Update is what became of one point since a subscriber last looked: its newest state, however often it changed.
type Update struct {
	Point
	SpecChanged bool   // spec or labels are new; always set in a first or reset batch
	Gone        bool   // tombstone: only Device, Spec.Path and Seq are set
	Merged      uint32 // changes of this point that the subscriber did not see one by one
}

// Batch is one delivery to a subscriber, in order of sequence. Seq is the position to resume from.
type Batch struct {
	Reset   bool // forget everything known: Updates hold the whole selection
	Updates []Update
	Seq     uint64
}
