package focassim

// Tool offsets: the kinds of one offset, in least increments.
const (
	toolWearD = iota // cutter radius wear, or X wear on a lathe
	toolGeometryD
	toolWearH // tool length wear, or Z wear on a lathe
	toolGeometryH
	toolKinds
)

// maxTools is the number of tool offsets.
const maxTools = 400

// toolOffset is one tool offset, in thousandths of a millimetre.
type toolOffset struct{ wearD, geometryD, wearH, geometryH int32 }

func (t *toolOffset) kind(k int32) *int32 {
	switch k {
	case toolWearD:
		return &t.wearD
	case toolGeometryD:
		return &t.geometryD
	case toolWearH:
		return &t.wearH
	case toolGeometryH:
		return &t.geometryH
	}
	return nil
}

// toolTable is the tool offset memory.
type toolTable []toolOffset

func newToolTable() toolTable {
	t := make(toolTable, maxTools)
	for i := range 24 {
		t[i] = toolOffset{geometryD: int32(3000 + 500*(i%8)), geometryH: int32(95000 + 7350*(i%11)), wearH: int32(-(i % 5) * 4)}
	}
	return t
}

// get is offset n, 1-based, or nil.
func (t toolTable) get(n int) *toolOffset {
	if n < 1 || n > len(t) {
		return nil
	}
	return &t[n-1]
}

// toolGroup is a group of tools that replace each other.
type toolGroup struct {
	tools []int32
	life  int32 // times of use
	count int32
	at    int // index of the tool in use
}

func newToolLife() []toolGroup {
	return []toolGroup{
		{tools: []int32{1, 101, 201}, life: 500, count: 37},
		{tools: []int32{2, 102}, life: 800, count: 412},
		{tools: []int32{11, 111, 211, 311}, life: 300, count: 12},
	}
}

// use counts a change to tool n; a worn group begins again, as after the operator's reset.
func (g *toolGroup) use(n int) {
	for i, t := range g.tools {
		if int(t) == n {
			g.at = i
			if g.count++; g.count > g.life {
				g.count = 1
			}
		}
	}
}
