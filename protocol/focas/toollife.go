package focas

// ToolGroupRequest asks for the tool life data of the groups from..to: cnc_rdlife, cnc_rdcount, cnc_rdntool, and
// cnc_rdtlgrp in the classic dialect, answered by [ToolGroup]. Seen.
func ToolGroupRequest(path uint16, from, to int32) Request {
	return cncRequest(path, FuncReadToolGroup, from, to)
}

// ToolGroup is the life data of one tool group, function 0x8b. Seen. Life and Count are in the group's count type:
// minutes, or times of use.
type ToolGroup struct {
	Group, Tools, FreeTools int32
	Life                    int32
	CountType               int32
	Count                   int32
	Rest                    []byte // aliases the payload
}

// ParseToolGroup reads the payload.
func ParseToolGroup(payload []byte) (ToolGroup, error) {
	if len(payload) < 24 {
		return ToolGroup{}, short("tool group", payload, 24)
	}
	return ToolGroup{i32(payload), i32(payload[4:]), i32(payload[8:]), i32(payload[12:]), i32(payload[16:]), i32(payload[20:]), rest(payload, 24)}, nil
}

// Append appends the payload.
func (g ToolGroup) Append(b []byte) []byte {
	for _, n := range [...]int32{g.Group, g.Tools, g.FreeTools, g.Life, g.CountType, g.Count} {
		b = appendI32(b, n)
	}
	return append(b, g.Rest...)
}

// ToolGroupNumRequest asks for the largest number of tool groups, cnc_rdngrp, answered by [Counter]. Seen.
func ToolGroupNumRequest(path uint16) Request { return cncRequest(path, FuncReadToolGroupNum) }

// UseGroupRequest asks which tool groups are next, in use and selected, cnc_rdusegrpid, answered by [UseGroup]. Seen.
func UseGroupRequest(path uint16) Request { return cncRequest(path, FuncReadUseGroupID) }

// UseGroup is the payload of cnc_rdusegrpid. Seen.
type UseGroup struct {
	Next, Use, Selected int32
	Rest                []byte // aliases the payload
}

// ParseUseGroup reads the payload.
func ParseUseGroup(payload []byte) (UseGroup, error) {
	if len(payload) < 12 {
		return UseGroup{}, short("tool group in use", payload, 12)
	}
	return UseGroup{i32(payload), i32(payload[4:]), i32(payload[8:]), rest(payload, 12)}, nil
}

// Append appends the payload.
func (u UseGroup) Append(b []byte) []byte {
	return append(appendI32(appendI32(appendI32(b, u.Next), u.Use), u.Selected), u.Rest...)
}

// ToolNumRequest asks which tool stands at place order (1 and up) of a group, cnc_toolnum, answered by [ToolNum]. Seen.
func ToolNumRequest(path uint16, group, order int32) Request {
	return cncRequest(path, FuncReadToolNum, group, order, order)
}

// ToolNum is the payload of cnc_toolnum. Seen.
type ToolNum struct {
	Group, Order, Tool int32
	Rest               []byte // aliases the payload
}

// ParseToolNum reads the payload.
func ParseToolNum(payload []byte) (ToolNum, error) {
	if len(payload) < 12 {
		return ToolNum{}, short("tool number", payload, 12)
	}
	return ToolNum{i32(payload), i32(payload[4:]), i32(payload[8:]), rest(payload, 12)}, nil
}

// Append appends the payload.
func (t ToolNum) Append(b []byte) []byte {
	return append(appendI32(appendI32(appendI32(b, t.Group), t.Order), t.Tool), t.Rest...)
}

// ToolLifeRequest asks about the tool at place order of a group, cnc_rd1tlifedata, answered by [ToolLife]. Seen.
func ToolLifeRequest(path uint16, group, order int32) Request {
	return cncRequest(path, FuncReadToolLife1, group, order)
}

// ToolLife is the payload of cnc_rd1tlifedata. Seen.
type ToolLife struct {
	Order, Tool int32
	Third       int32 // unknown
	H, D        int32 // codes of length and radius offset
	Status      int32
	Rest        []byte // aliases the payload
}

// ParseToolLife reads the payload.
func ParseToolLife(payload []byte) (ToolLife, error) {
	if len(payload) < 24 {
		return ToolLife{}, short("tool life", payload, 24)
	}
	return ToolLife{i32(payload), i32(payload[4:]), i32(payload[8:]), i32(payload[12:]), i32(payload[16:]), i32(payload[20:]), rest(payload, 24)}, nil
}

// Append appends the payload.
func (t ToolLife) Append(b []byte) []byte {
	for _, n := range [...]int32{t.Order, t.Tool, t.Third, t.H, t.D, t.Status} {
		b = appendI32(b, n)
	}
	return append(b, t.Rest...)
}

// ToolLifeInfoRequest asks about tool life management as a whole, cnc_rdtlinfo, answered by [ToolLifeInfo]. Seen as a
// request; the classic dialect marks it by the flag word of function 0x4a.
func ToolLifeInfoRequest(d Dialect, path uint16) Request {
	if d == Classic {
		q := cncRequest(path, FuncReadToolGroupNum)
		q.Flag = 1
		return q
	}
	return cncRequest(path, FuncReadToolLifeInfo)
}

// ToolLifeInfo is the payload of cnc_rdtlinfo. Seen.
type ToolLifeInfo struct {
	First           int32 // unknown
	MaxGroup        int32
	Tools           int32
	Minutes, Cycles int32
	Rest            []byte // aliases the payload
}

// ParseToolLifeInfo reads the payload.
func ParseToolLifeInfo(payload []byte) (ToolLifeInfo, error) {
	if len(payload) < 20 {
		return ToolLifeInfo{}, short("tool life info", payload, 20)
	}
	return ToolLifeInfo{i32(payload), i32(payload[4:]), i32(payload[8:]), i32(payload[12:]), i32(payload[16:]), rest(payload, 20)}, nil
}

// Append appends the payload.
func (t ToolLifeInfo) Append(b []byte) []byte {
	for _, n := range [...]int32{t.First, t.MaxGroup, t.Tools, t.Minutes, t.Cycles} {
		b = appendI32(b, n)
	}
	return append(b, t.Rest...)
}

// ToolGroups30iRequest asks for count tool groups from number from, cnc_rdtlgrp in the 30i dialect, answered by a list
// of [ToolGroup30i]. Seen.
func ToolGroups30iRequest(path uint16, from, count int32) Request {
	return cncRequest(path, FuncReadToolLifeGroup, from, count)
}

// ToolGroup30iSize is the size of a [ToolGroup30i] in bytes.
const ToolGroup30iSize = 36

// ToolGroup30i is one group of cnc_rdtlgrp, function 0x1c5. Seen.
type ToolGroup30i struct {
	Tools, FreeTools int32
	Life, Count      int32
	UseTool          int32 // place of the tool in use
	OptionalGroup    int32
	LifeRest         int32
	RestSignal       int32
	CountType        int32
}

// Append appends the 36 bytes.
func (g ToolGroup30i) Append(b []byte) []byte {
	for _, n := range [...]int32{g.Tools, g.FreeTools, g.Life, g.Count, g.UseTool, g.OptionalGroup, g.LifeRest, g.RestSignal, g.CountType} {
		b = appendI32(b, n)
	}
	return b
}

// ParseToolGroups30i reads the payload.
func ParseToolGroups30i(payload []byte) (List[ToolGroup30i], error) {
	return parseList(payload, ToolGroup30iSize, func(b []byte) ToolGroup30i {
		return ToolGroup30i{i32(b), i32(b[4:]), i32(b[8:]), i32(b[12:]), i32(b[16:]), i32(b[20:]), i32(b[24:]), i32(b[28:]), i32(b[32:])}
	}), nil
}
