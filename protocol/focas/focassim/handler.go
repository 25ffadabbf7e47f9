package focassim

import (
	"context"
	"errors"
	"time"

	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focasserver"
)

// handler answers frames from the machine.
type handler Sim

var (
	errSessions  = errors.New("focassim: session limit reached")
	errMisplaced = errors.New("focassim: data frame on channel 1")
)

// Open admits a connection.
func (h *handler) Open(_ context.Context, c *focasserver.Conn) (focas.OpenReply, error) {
	s := (*Sim)(h)
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Channel() == focas.ChannelData {
		if s.opts.MaxSessions > 0 && s.sessions >= s.opts.MaxSessions {
			return focas.OpenReply{}, errSessions
		}
		s.sessions++
	}
	return s.prof.openReply(), nil
}

// Closed frees what a connection held.
func (h *handler) Closed(c *focasserver.Conn) {
	s := (*Sim)(h)
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Channel() == focas.ChannelData {
		s.sessions--
	}
	delete(s.dirs, c.ID())
}

// Data answers a data frame. All its blocks see the machine at one instant.
func (h *handler) Data(_ context.Context, c *focasserver.Conn, blocks []focas.Request, replies []focas.Reply) ([]focas.Reply, error) {
	s := (*Sim)(h)
	if c.Channel() == focas.ChannelTransfer && s.faults.get().ResetMisplaced {
		return replies, errMisplaced
	}
	var raw map[int][]byte
	s.do(func(m *machine) {
		for i := range blocks {
			q := &blocks[i]
			if a, ok := s.answers.find(q); ok {
				if a.Block {
					if raw == nil {
						raw = make(map[int][]byte)
					}
					raw[i] = a.Data
				}
				replies = append(replies, a.reply())
				continue
			}
			replies = append(replies, (&asked{s: s, m: m, conn: c.ID(), q: q}).answer())
		}
	})
	if raw != nil {
		return replies, rawFrame(s.prof.version, blocks, replies, raw)
	}
	return replies, nil
}

// reply is the block of an exact answer.
func (a *Answer) reply() focas.Reply { return focas.Reply{Code: a.Code, Payload: a.Data} }

// rawFrame puts whole blocks from the answers and the machine's own replies into one frame.
func rawFrame(v focas.Version, blocks []focas.Request, replies []focas.Reply, raw map[int][]byte) focasserver.RawFrame {
	b, at := focas.BeginFrame(nil, v, focas.TypeData, focas.DirReply)
	b = focas.U16(len(replies)).Append(b)
	for i := range replies {
		if block, ok := raw[i]; ok {
			b = append(b, block...)
			continue
		}
		p := &replies[i]
		p.Class, p.Path, p.Func = blocks[i].Class, blocks[i].Path, blocks[i].Func
		b = p.Append(b)
	}
	return focas.EndFrame(b, at)
}

// asked is one request block in work.
type asked struct {
	s    *Sim
	m    *machine
	conn uint64
	q    *focas.Request
	path *pathState
}

// answerFunc gives the payload, or the code of a refusal.
type answerFunc func(*asked) ([]byte, focas.Code)

// answer dispatches on class and function.
func (a *asked) answer() focas.Reply {
	f := lookup(a.m.prof.dialect(), a.q.Class, a.q.Func)
	if f == nil {
		return focas.Reply{Code: focas.EWFunc}
	}
	if a.q.Class == focas.ClassCNC {
		n := int(a.q.Path)
		if n < 1 || n > len(a.m.paths) {
			return focas.Reply{Code: focas.EWPath}
		}
		a.path = a.m.paths[n-1]
	}
	payload, code := f(a)
	if code != 0 {
		return focas.Reply{Code: code}
	}
	return focas.Reply{Payload: payload}
}

// arg is argument i, counted from 1 as the manuals do.
func (a *asked) arg(i int) int32 { return a.q.Args[i-1] }

func (a *asked) classic() bool { return a.m.prof.dialect() == focas.Classic }

// text is the NUL-padded text that came with the request.
func (a *asked) text() string { p, _ := focas.ParsePathText(a.q.Data); return p.String() }

// dialects in which a function exists.
type dialects uint8

const (
	both dialects = iota
	only30i
	onlyClassic
)

type entry struct {
	in dialects
	f  answerFunc
}

// lookup is the answer to a function, or nil when this control does not have it.
func lookup(d focas.Dialect, class focas.Class, f focas.Func) answerFunc {
	table := &cncFuncs
	if class == focas.ClassPMC {
		table = &pmcFuncs
	} else if class != focas.ClassCNC {
		return nil
	}
	e, ok := (*table)[f]
	if !ok || e.in == only30i && d == focas.Classic || e.in == onlyClassic && d != focas.Classic {
		return nil
	}
	return e.f
}

// cncFuncs and pmcFuncs are all functions that the control has. What a classic control lacks follows what FANUC's library
// sends to it.
var cncFuncs = map[focas.Func]entry{
	focas.FuncSysInfo:            {both, (*asked).sysInfo},
	focas.FuncStatInfo:           {both, (*asked).statInfo},
	focas.FuncStatInfo2:          {only30i, (*asked).statInfo2},
	focas.FuncStatInfoHandle:     {both, (*asked).zeroWord},
	focas.FuncStatInfoTM:         {both, (*asked).tmMode},
	focas.FuncReadCNCID:          {both, (*asked).cncID},
	focas.FuncGetCNCModel:        {both, (*asked).cncModel},
	focas.FuncReadEthernetInfo:   {both, (*asked).ethernet},
	focas.FuncReadOpMode:         {both, (*asked).opMode},
	focas.FuncReadOpSignal:       {both, (*asked).opSignal},
	focas.FuncReadTimer:          {both, (*asked).readTimer},
	focas.FuncWriteTimer:         {both, (*asked).writeTimer},
	focas.FuncGetTimer:           {both, (*asked).getClock},
	focas.FuncSetTimer:           {both, (*asked).setClock},
	focas.FuncReadAxis:           {both, (*asked).axes},
	focas.FuncActualFeed:         {both, (*asked).feed},
	focas.FuncActualSpindle:      {both, (*asked).spindleSpeed},
	focas.FuncReadSpindle:        {both, (*asked).spindle},
	focas.FuncReadServo:          {both, (*asked).servo},
	focas.FuncReadAxisName:       {both, (*asked).axisNames},
	focas.FuncReadSpindleName:    {both, (*asked).spindleNames},
	focas.FuncReadUnits:          {both, (*asked).units},
	focas.FuncReadDisplayFlags:   {only30i, (*asked).displayFlags},
	focas.FuncReadCount:          {only30i, (*asked).count},
	focas.FuncGetFigure:          {both, (*asked).figure},
	focas.FuncAlarm:              {both, (*asked).alarmWord},
	focas.FuncReadAlarmMessage:   {both, (*asked).alarmMessages},
	focas.FuncClearAlarm:         {both, (*asked).clearAlarm},
	focas.FuncReadOpMessage:      {both, (*asked).opMessage},
	focas.FuncReadOpMessage3:     {only30i, (*asked).opMessage3},
	focas.FuncModalG:             {both, (*asked).modalG},
	focas.FuncModalAux:           {both, (*asked).modalAux},
	focas.FuncReadGCode:          {both, (*asked).gCodes},
	focas.FuncReadCommand:        {both, (*asked).commands},
	focas.FuncReadParam:          {only30i, (*asked).readParam},
	focas.FuncReadParamClassic:   {onlyClassic, (*asked).readParam},
	focas.FuncReadSetting:        {only30i, (*asked).readSetting},
	focas.FuncReadSettingClassic: {onlyClassic, (*asked).readSetting},
	focas.FuncWriteParam:         {only30i, (*asked).writeParam},
	focas.FuncWriteParamClassic:  {onlyClassic, (*asked).writeParam},
	focas.FuncReadParamInfo:      {both, (*asked).paramInfo},
	focas.FuncReadParamInfo2:     {only30i, (*asked).paramInfo2},
	focas.FuncReadSettingInfo2:   {only30i, (*asked).paramInfo2},
	focas.FuncReadParamNum:       {both, (*asked).paramNum},
	focas.FuncReadDiag:           {only30i, (*asked).readDiag},
	focas.FuncReadDiagClassic:    {onlyClassic, (*asked).readDiag},
	focas.FuncReadDiagInfo:       {both, (*asked).diagInfo},
	focas.FuncReadDiagInfo2:      {only30i, (*asked).diagInfo2},
	focas.FuncReadDiagNum:        {both, (*asked).diagNum},
	focas.FuncReadMacro:          {both, (*asked).readMacro},
	focas.FuncWriteMacro:         {both, (*asked).writeMacro},
	focas.FuncReadMacroInfo:      {both, (*asked).macroInfo},
	focas.FuncReadPMacro:         {both, (*asked).readPMacro},
	focas.FuncWritePMacro:        {both, (*asked).writePMacro},
	focas.FuncReadMacroDouble:    {only30i, (*asked).readMacroDouble},
	focas.FuncWriteMacroDouble:   {only30i, (*asked).writeMacroDouble},
	focas.FuncReadMacroNamed:     {only30i, (*asked).readMacroNamed},
	focas.FuncReadToolOffset:     {both, (*asked).readToolOffset},
	focas.FuncWriteToolOffset:    {both, (*asked).writeToolOffset},
	focas.FuncReadToolOffsetInfo: {both, (*asked).toolOffsetInfo},
	focas.FuncReadWorkOffset:     {both, (*asked).readWorkOffset},
	focas.FuncWriteWorkOffset:    {both, (*asked).writeWorkOffset},
	focas.FuncReadWorkOffsetInfo: {both, (*asked).workOffsetInfo},
	focas.FuncReadToolGroup:      {both, (*asked).toolGroup},
	focas.FuncReadToolGroupNum:   {both, (*asked).toolGroupNum},
	focas.FuncReadUseGroupID:     {both, (*asked).useGroup},
	focas.FuncReadToolNum:        {both, (*asked).toolNum},
	focas.FuncReadToolLife1:      {both, (*asked).toolLife},
	focas.FuncReadToolLifeInfo:   {only30i, (*asked).toolLifeInfo},
	focas.FuncReadToolLifeGroup:  {only30i, (*asked).toolGroups},
	focas.FuncReadProgramNum:     {both, (*asked).programNum},
	focas.FuncReadSequenceNum:    {both, (*asked).sequenceNum},
	focas.FuncReadBlockCount:     {both, (*asked).blockCount},
	focas.FuncExecProgramName:    {both, (*asked).execName},
	focas.FuncExecProgramName2:   {both, (*asked).execPath},
	focas.FuncReadExecProgram:    {both, (*asked).execText},
	focas.FuncReadMDIPointer:     {both, (*asked).mdiPointer},
	focas.FuncReadActPoint:       {both, (*asked).actPoint},
	focas.FuncReadProgramInfo:    {both, (*asked).programInfo},
	focas.FuncReadProgramDir:     {both, (*asked).programDir},
	focas.FuncSearch:             {both, (*asked).search},
	focas.FuncDelete:             {both, (*asked).deleteProgram},
	focas.FuncRewind:             {both, (*asked).rewindProgram},
	focas.FuncStart:              {both, (*asked).startCycle},
	focas.FuncReset:              {both, (*asked).reset},
	focas.FuncReadPDFDrive:       {only30i, (*asked).drives},
	focas.FuncReadPDFCurDir:      {only30i, (*asked).currentDir},
	focas.FuncWritePDFCurDir:     {only30i, (*asked).setCurrentDir},
	focas.FuncReadPDFSubDir:      {only30i, (*asked).subDirs},
	focas.FuncReadPDFAllDir:      {only30i, (*asked).allDir},
	focas.FuncReadPDFSubDirNum:   {only30i, (*asked).dirCount},
	focas.FuncAddPDF:             {only30i, (*asked).addFile},
	focas.FuncDeletePDF:          {only30i, (*asked).deleteFile},
	focas.FuncReadPDFMain:        {only30i, (*asked).mainProgram},
	focas.FuncSelectPDFMain:      {only30i, (*asked).selectMain},
}

var pmcFuncs = map[focas.Func]entry{
	focas.FuncReadPMC:          {both, (*asked).readPMC},
	focas.FuncWritePMC:         {both, (*asked).writePMC},
	focas.FuncReadPMCInfo:      {both, (*asked).pmcInfo},
	focas.FuncSelectPMCUnit:    {both, (*asked).selectUnit},
	focas.FuncReadPMCCount:     {both, (*asked).pmcCount},
	focas.FuncReadPMCUnitTypes: {both, (*asked).pmcTypes},
}

// date is a time as the program directory writes it.
func date(t time.Time) focas.Date {
	return focas.Date{Year: uint16(t.Year()), Month: uint16(t.Month()), Day: uint16(t.Day()),
		Hour: uint16(t.Hour()), Minute: uint16(t.Minute()), Second: uint16(t.Second())}
}
