package focas

import "fmt"

// Func is the function code of a block. The constants are ours, named after what they do; [FuncInfo] has the names of
// the FOCAS calls that send them. Codes of the PMC class have bit 15 set.
type Func uint16

// The function codes whose arguments and payload this package knows.
const (
	FuncStart               Func = 0x01 // cnc_start
	FuncReset               Func = 0x02 // cnc_reset
	FuncSearch              Func = 0x03 // cnc_search
	FuncDelete              Func = 0x05 // cnc_delete
	FuncReadProgramDir      Func = 0x06 // cnc_rdprogdir2, cnc_rdprogdir3, cnc_rdprogdir
	FuncReadProgramInfo     Func = 0x07 // cnc_rdproginfo
	FuncReadToolOffset      Func = 0x08 // cnc_rdtofs, cnc_rdtofsr
	FuncWriteToolOffset     Func = 0x09 // cnc_wrtofs, cnc_wrtofsr
	FuncReadToolOffsetInfo  Func = 0x0a // cnc_rdtofsinfo
	FuncReadWorkOffset      Func = 0x0b // cnc_rdzofs, cnc_rdzofsr
	FuncWriteWorkOffset     Func = 0x0c // cnc_wrzofs, cnc_wrzofsr
	FuncReadWorkOffsetInfo  Func = 0x0d // cnc_rdzofsinfo
	FuncReadParamClassic    Func = 0x0e // cnc_rdparam
	FuncWriteParamClassic   Func = 0x0f // cnc_wrparam
	FuncReadParamInfo       Func = 0x10 // cnc_rdparainfo
	FuncReadParamNum        Func = 0x11 // cnc_rdparanum
	FuncReadMacro           Func = 0x15 // cnc_rdmacro, cnc_rdmacror
	FuncWriteMacro          Func = 0x16 // cnc_wrmacro, cnc_wrmacror
	FuncReadMacroInfo       Func = 0x17 // cnc_rdmacroinfo
	FuncSysInfo             Func = 0x18 // cnc_sysinfo
	FuncStatInfo            Func = 0x19 // cnc_statinfo
	FuncAlarm               Func = 0x1a // cnc_alarm, cnc_alarm2
	FuncGetFigure           Func = 0x1b // cnc_getfigure
	FuncReadProgramNum      Func = 0x1c // cnc_rdprgnum, cnc_rdprgnumo8
	FuncReadSequenceNum     Func = 0x1d // cnc_rdseqnum
	FuncRewind              Func = 0x1f // cnc_rewind
	FuncReadExecProgram     Func = 0x20 // cnc_rdexecprog
	FuncModalG              Func = 0x21 // cnc_modal
	FuncModalAux            Func = 0x22 // cnc_modal
	FuncReadAlarmMessage    Func = 0x23 // cnc_rdalmmsg, cnc_rdalmmsg2, cnc_rdalminfo
	FuncActualFeed          Func = 0x24 // cnc_actf
	FuncActualSpindle       Func = 0x25 // cnc_acts
	FuncReadAxis            Func = 0x26 // cnc_absolute, cnc_absolute2, cnc_machine, cnc_relative, cnc_relative2, cnc_distance, cnc_skip, cnc_srvdelay, cnc_accdecdly, cnc_rdposition
	FuncReadSettingClassic  Func = 0x29 // cnc_rdset
	FuncReadPMacro          Func = 0x2d // cnc_rdpmacro
	FuncWritePMacro         Func = 0x2e // cnc_wrpmacro
	FuncReadDiagClassic     Func = 0x30 // cnc_diagnoss
	FuncReadDiagInfo        Func = 0x31 // cnc_rddiaginfo
	FuncReadDiagNum         Func = 0x32 // cnc_rddiagnum
	FuncReadOpMessage       Func = 0x34 // cnc_rdopmsg, cnc_rdopmsg2
	FuncReadBlockCount      Func = 0x35 // cnc_rdblkcount
	FuncReadMDIProgram      Func = 0x36 // cnc_rdmdiprog
	FuncReadMDIPointer      Func = 0x38 // cnc_rdmdipntr
	FuncReadSpindle         Func = 0x40 // cnc_acts2, cnc_rdspload, cnc_rdspmaxrpm, cnc_rdspgear, cnc_rdspmeter
	FuncReadSysSoft         Func = 0x41 // cnc_rdsyssoft2
	FuncGetTimer            Func = 0x45 // cnc_gettimer
	FuncSetTimer            Func = 0x46 // cnc_settimer
	FuncReadUseGroupID      Func = 0x48 // cnc_rdusegrpid
	FuncReadToolGroupNum    Func = 0x4a // cnc_rdngrp
	FuncReadToolNum         Func = 0x4d // cnc_toolnum
	FuncReadToolLife1       Func = 0x4f // cnc_rd1tlifedata
	FuncReadServo           Func = 0x56 // cnc_rdsvmeter, cnc_rdcurrent, cnc_rdloopgain
	FuncReadOpMode          Func = 0x57 // cnc_rdopmode
	FuncReadOpSignal        Func = 0x5d // cnc_rdopnlsgnl
	FuncReadAlarmHistoryNum Func = 0x6b // cnc_rdalmhisno
	FuncReadAlarmHistory    Func = 0x6c // cnc_rdalmhistry
	FuncClearAlarm          Func = 0x87 // cnc_clralm
	FuncReadUnits           Func = 0x88
	FuncReadAxisName        Func = 0x89 // cnc_rdaxisname, cnc_exaxisname
	FuncReadSpindleName     Func = 0x8a // cnc_rdspdlname, cnc_exaxisname
	FuncReadToolGroup       Func = 0x8b // cnc_rdlife, cnc_rdcount, cnc_rdntool, cnc_rdtlgrp
	FuncReadParam           Func = 0x8d // cnc_rdparam
	FuncWriteParam          Func = 0x8e // cnc_wrparam
	FuncReadSetting         Func = 0x90 // cnc_rdset
	FuncReadDiag            Func = 0x93 // cnc_diagnoss
	FuncReadGCode           Func = 0x96 // cnc_rdgcode
	FuncReadCommand         Func = 0x97 // cnc_rdcommand
	FuncStatInfoTM          Func = 0x98 // cnc_statinfo
	FuncReadParamInfo2      Func = 0xa0 // cnc_rdparainfo2, cnc_rdparainfo3
	FuncReadSettingInfo2    Func = 0xa1 // cnc_rdsetinfo2
	FuncReadDiagInfo2       Func = 0xa2 // cnc_rddiaginfo2
	FuncReadDisplayFlags    Func = 0xa3
	FuncReadCount           Func = 0xa4
	FuncReadMacroDouble     Func = 0xa7   // cnc_rdmacror2
	FuncWriteMacroDouble    Func = 0xa8   // cnc_wrmacror2
	FuncReadPDFDrive        Func = 0xae   // cnc_rdpdf_drive
	FuncReadPDFCurDir       Func = 0xb0   // cnc_rdpdf_curdir
	FuncWritePDFCurDir      Func = 0xb1   // cnc_wrpdf_curdir
	FuncReadPDFSubDir       Func = 0xb2   // cnc_rdpdf_subdir
	FuncReadPDFAllDir       Func = 0xb3   // cnc_rdpdf_alldir
	FuncReadPDFSubDirNum    Func = 0xb4   // cnc_rdpdf_subdirn
	FuncAddPDF              Func = 0xb5   // cnc_pdf_add
	FuncDeletePDF           Func = 0xb6   // cnc_pdf_del
	FuncReadPDFMain         Func = 0xb9   // cnc_pdf_rdmain
	FuncSelectPDFMain       Func = 0xba   // cnc_pdf_slctmain
	FuncExecProgramName     Func = 0xcf   // cnc_exeprgname
	FuncReadOpMessage3      Func = 0xd0   // cnc_rdopmsg3
	FuncStatInfoHandle      Func = 0xe1   // cnc_statinfo
	FuncStatInfo2           Func = 0xe2   // cnc_statinfo2
	FuncReadCNCID           Func = 0xe8   // cnc_rdcncid
	FuncExecProgramName2    Func = 0xfc   // cnc_exeprgname2
	FuncReadTimer           Func = 0x120  // cnc_rdtimer
	FuncWriteTimer          Func = 0x121  // cnc_wrtimer
	FuncReadEthernetInfo    Func = 0x159  // cnc_rdetherinfo
	FuncReadActPoint        Func = 0x162  // cnc_rdactpt
	FuncWriteActPoint       Func = 0x163  // cnc_wractpt
	FuncGetCNCModel         Func = 0x16f  // cnc_getcncmodel
	FuncReadToolLifeInfo    Func = 0x1c4  // cnc_rdtlinfo
	FuncReadToolLifeGroup   Func = 0x1c5  // cnc_rdtlgrp
	FuncReadMacroNamed      Func = 0x275  // cnc_rdmacror3
	FuncReadMacroByName     Func = 0x29f  // cnc_rdmacronum
	FuncReadPMC             Func = 0x8001 // pmc_rdpmcrng
	FuncWritePMC            Func = 0x8002 // pmc_wrpmcrng
	FuncReadPMCInfo         Func = 0x8003 // pmc_rdpmcinfo
	FuncReadPMCTitle        Func = 0x800b // pmc_rdpmctitle
	FuncSelectPMCUnit       Func = 0x800c // pmc_select_pmc_unit
	FuncReadPMCCount        Func = 0x800e // pmc_get_number_of_pmc
	FuncReadPMCUnitTypes    Func = 0x800f // pmc_get_pmc_unit_types
	FuncReadPMCAlarm        Func = 0x8010 // pmc_rdalmmsg
)

// Effect says what a function does to the control.
type Effect uint8

// The effects.
const (
	EffectUnknown Effect = iota // not in the table: treat as dangerous
	EffectRead
	EffectWrite
	EffectAction // starts, stops, resets or moves something
)

// FuncInfo describes a function code.
type FuncInfo struct {
	Func   Func
	Name   string   // our name
	FOCAS  []string // the FOCAS calls that send it; empty: sent as part of others
	Effect Effect
}

var funcs = map[Func]FuncInfo{
	FuncStart:               {FuncStart, "Start", []string{"cnc_start"}, EffectAction},
	FuncReset:               {FuncReset, "Reset", []string{"cnc_reset"}, EffectAction},
	FuncSearch:              {FuncSearch, "Search", []string{"cnc_search"}, EffectAction},
	FuncDelete:              {FuncDelete, "Delete", []string{"cnc_delete"}, EffectWrite},
	FuncReadProgramDir:      {FuncReadProgramDir, "ReadProgramDir", []string{"cnc_rdprogdir2", "cnc_rdprogdir3", "cnc_rdprogdir"}, EffectRead},
	FuncReadProgramInfo:     {FuncReadProgramInfo, "ReadProgramInfo", []string{"cnc_rdproginfo"}, EffectRead},
	FuncReadToolOffset:      {FuncReadToolOffset, "ReadToolOffset", []string{"cnc_rdtofs", "cnc_rdtofsr"}, EffectRead},
	FuncWriteToolOffset:     {FuncWriteToolOffset, "WriteToolOffset", []string{"cnc_wrtofs", "cnc_wrtofsr"}, EffectWrite},
	FuncReadToolOffsetInfo:  {FuncReadToolOffsetInfo, "ReadToolOffsetInfo", []string{"cnc_rdtofsinfo"}, EffectRead},
	FuncReadWorkOffset:      {FuncReadWorkOffset, "ReadWorkOffset", []string{"cnc_rdzofs", "cnc_rdzofsr"}, EffectRead},
	FuncWriteWorkOffset:     {FuncWriteWorkOffset, "WriteWorkOffset", []string{"cnc_wrzofs", "cnc_wrzofsr"}, EffectWrite},
	FuncReadWorkOffsetInfo:  {FuncReadWorkOffsetInfo, "ReadWorkOffsetInfo", []string{"cnc_rdzofsinfo"}, EffectRead},
	FuncReadParamClassic:    {FuncReadParamClassic, "ReadParamClassic", []string{"cnc_rdparam"}, EffectRead},
	FuncWriteParamClassic:   {FuncWriteParamClassic, "WriteParamClassic", []string{"cnc_wrparam"}, EffectWrite},
	FuncReadParamInfo:       {FuncReadParamInfo, "ReadParamInfo", []string{"cnc_rdparainfo"}, EffectRead},
	FuncReadParamNum:        {FuncReadParamNum, "ReadParamNum", []string{"cnc_rdparanum"}, EffectRead},
	FuncReadMacro:           {FuncReadMacro, "ReadMacro", []string{"cnc_rdmacro", "cnc_rdmacror"}, EffectRead},
	FuncWriteMacro:          {FuncWriteMacro, "WriteMacro", []string{"cnc_wrmacro", "cnc_wrmacror"}, EffectWrite},
	FuncReadMacroInfo:       {FuncReadMacroInfo, "ReadMacroInfo", []string{"cnc_rdmacroinfo"}, EffectRead},
	FuncSysInfo:             {FuncSysInfo, "SysInfo", []string{"cnc_sysinfo"}, EffectRead},
	FuncStatInfo:            {FuncStatInfo, "StatInfo", []string{"cnc_statinfo"}, EffectRead},
	FuncAlarm:               {FuncAlarm, "Alarm", []string{"cnc_alarm", "cnc_alarm2"}, EffectRead},
	FuncGetFigure:           {FuncGetFigure, "GetFigure", []string{"cnc_getfigure"}, EffectRead},
	FuncReadProgramNum:      {FuncReadProgramNum, "ReadProgramNum", []string{"cnc_rdprgnum", "cnc_rdprgnumo8"}, EffectRead},
	FuncReadSequenceNum:     {FuncReadSequenceNum, "ReadSequenceNum", []string{"cnc_rdseqnum"}, EffectRead},
	FuncRewind:              {FuncRewind, "Rewind", []string{"cnc_rewind"}, EffectAction},
	FuncReadExecProgram:     {FuncReadExecProgram, "ReadExecProgram", []string{"cnc_rdexecprog"}, EffectRead},
	FuncModalG:              {FuncModalG, "ModalG", []string{"cnc_modal"}, EffectRead},
	FuncModalAux:            {FuncModalAux, "ModalAux", []string{"cnc_modal"}, EffectRead},
	FuncReadAlarmMessage:    {FuncReadAlarmMessage, "ReadAlarmMessage", []string{"cnc_rdalmmsg", "cnc_rdalmmsg2", "cnc_rdalminfo"}, EffectRead},
	FuncActualFeed:          {FuncActualFeed, "ActualFeed", []string{"cnc_actf"}, EffectRead},
	FuncActualSpindle:       {FuncActualSpindle, "ActualSpindle", []string{"cnc_acts"}, EffectRead},
	FuncReadAxis:            {FuncReadAxis, "ReadAxis", []string{"cnc_absolute", "cnc_absolute2", "cnc_machine", "cnc_relative", "cnc_relative2", "cnc_distance", "cnc_skip", "cnc_srvdelay", "cnc_accdecdly", "cnc_rdposition"}, EffectRead},
	FuncReadSettingClassic:  {FuncReadSettingClassic, "ReadSettingClassic", []string{"cnc_rdset"}, EffectRead},
	FuncReadPMacro:          {FuncReadPMacro, "ReadPMacro", []string{"cnc_rdpmacro"}, EffectRead},
	FuncWritePMacro:         {FuncWritePMacro, "WritePMacro", []string{"cnc_wrpmacro"}, EffectWrite},
	FuncReadDiagClassic:     {FuncReadDiagClassic, "ReadDiagClassic", []string{"cnc_diagnoss"}, EffectRead},
	FuncReadDiagInfo:        {FuncReadDiagInfo, "ReadDiagInfo", []string{"cnc_rddiaginfo"}, EffectRead},
	FuncReadDiagNum:         {FuncReadDiagNum, "ReadDiagNum", []string{"cnc_rddiagnum"}, EffectRead},
	FuncReadOpMessage:       {FuncReadOpMessage, "ReadOpMessage", []string{"cnc_rdopmsg", "cnc_rdopmsg2"}, EffectRead},
	FuncReadBlockCount:      {FuncReadBlockCount, "ReadBlockCount", []string{"cnc_rdblkcount"}, EffectRead},
	FuncReadMDIProgram:      {FuncReadMDIProgram, "ReadMDIProgram", []string{"cnc_rdmdiprog"}, EffectRead},
	FuncReadMDIPointer:      {FuncReadMDIPointer, "ReadMDIPointer", []string{"cnc_rdmdipntr"}, EffectRead},
	FuncReadSpindle:         {FuncReadSpindle, "ReadSpindle", []string{"cnc_acts2", "cnc_rdspload", "cnc_rdspmaxrpm", "cnc_rdspgear", "cnc_rdspmeter"}, EffectRead},
	FuncReadSysSoft:         {FuncReadSysSoft, "ReadSysSoft", []string{"cnc_rdsyssoft2"}, EffectRead},
	FuncGetTimer:            {FuncGetTimer, "GetTimer", []string{"cnc_gettimer"}, EffectRead},
	FuncSetTimer:            {FuncSetTimer, "SetTimer", []string{"cnc_settimer"}, EffectWrite},
	FuncReadUseGroupID:      {FuncReadUseGroupID, "ReadUseGroupID", []string{"cnc_rdusegrpid"}, EffectRead},
	FuncReadToolGroupNum:    {FuncReadToolGroupNum, "ReadToolGroupNum", []string{"cnc_rdngrp"}, EffectRead},
	FuncReadToolNum:         {FuncReadToolNum, "ReadToolNum", []string{"cnc_toolnum"}, EffectRead},
	FuncReadToolLife1:       {FuncReadToolLife1, "ReadToolLife1", []string{"cnc_rd1tlifedata"}, EffectRead},
	FuncReadServo:           {FuncReadServo, "ReadServo", []string{"cnc_rdsvmeter", "cnc_rdcurrent", "cnc_rdloopgain"}, EffectRead},
	FuncReadOpMode:          {FuncReadOpMode, "ReadOpMode", []string{"cnc_rdopmode"}, EffectRead},
	FuncReadOpSignal:        {FuncReadOpSignal, "ReadOpSignal", []string{"cnc_rdopnlsgnl"}, EffectRead},
	FuncReadAlarmHistoryNum: {FuncReadAlarmHistoryNum, "ReadAlarmHistoryNum", []string{"cnc_rdalmhisno"}, EffectRead},
	FuncReadAlarmHistory:    {FuncReadAlarmHistory, "ReadAlarmHistory", []string{"cnc_rdalmhistry"}, EffectRead},
	FuncClearAlarm:          {FuncClearAlarm, "ClearAlarm", []string{"cnc_clralm"}, EffectAction},
	FuncReadUnits:           {FuncReadUnits, "ReadUnits", nil, EffectRead},
	FuncReadAxisName:        {FuncReadAxisName, "ReadAxisName", []string{"cnc_rdaxisname", "cnc_exaxisname"}, EffectRead},
	FuncReadSpindleName:     {FuncReadSpindleName, "ReadSpindleName", []string{"cnc_rdspdlname", "cnc_exaxisname"}, EffectRead},
	FuncReadToolGroup:       {FuncReadToolGroup, "ReadToolGroup", []string{"cnc_rdlife", "cnc_rdcount", "cnc_rdntool", "cnc_rdtlgrp"}, EffectRead},
	FuncReadParam:           {FuncReadParam, "ReadParam", []string{"cnc_rdparam"}, EffectRead},
	FuncWriteParam:          {FuncWriteParam, "WriteParam", []string{"cnc_wrparam"}, EffectWrite},
	FuncReadSetting:         {FuncReadSetting, "ReadSetting", []string{"cnc_rdset"}, EffectRead},
	FuncReadDiag:            {FuncReadDiag, "ReadDiag", []string{"cnc_diagnoss"}, EffectRead},
	FuncReadGCode:           {FuncReadGCode, "ReadGCode", []string{"cnc_rdgcode"}, EffectRead},
	FuncReadCommand:         {FuncReadCommand, "ReadCommand", []string{"cnc_rdcommand"}, EffectRead},
	FuncStatInfoTM:          {FuncStatInfoTM, "StatInfoTM", []string{"cnc_statinfo"}, EffectRead},
	FuncReadParamInfo2:      {FuncReadParamInfo2, "ReadParamInfo2", []string{"cnc_rdparainfo2", "cnc_rdparainfo3"}, EffectRead},
	FuncReadSettingInfo2:    {FuncReadSettingInfo2, "ReadSettingInfo2", []string{"cnc_rdsetinfo2"}, EffectRead},
	FuncReadDiagInfo2:       {FuncReadDiagInfo2, "ReadDiagInfo2", []string{"cnc_rddiaginfo2"}, EffectRead},
	FuncReadDisplayFlags:    {FuncReadDisplayFlags, "ReadDisplayFlags", nil, EffectRead},
	FuncReadCount:           {FuncReadCount, "ReadCount", nil, EffectRead},
	FuncReadMacroDouble:     {FuncReadMacroDouble, "ReadMacroDouble", []string{"cnc_rdmacror2"}, EffectRead},
	FuncWriteMacroDouble:    {FuncWriteMacroDouble, "WriteMacroDouble", []string{"cnc_wrmacror2"}, EffectWrite},
	FuncReadPDFDrive:        {FuncReadPDFDrive, "ReadPDFDrive", []string{"cnc_rdpdf_drive"}, EffectRead},
	FuncReadPDFCurDir:       {FuncReadPDFCurDir, "ReadPDFCurDir", []string{"cnc_rdpdf_curdir"}, EffectRead},
	FuncWritePDFCurDir:      {FuncWritePDFCurDir, "WritePDFCurDir", []string{"cnc_wrpdf_curdir"}, EffectWrite},
	FuncReadPDFSubDir:       {FuncReadPDFSubDir, "ReadPDFSubDir", []string{"cnc_rdpdf_subdir"}, EffectRead},
	FuncReadPDFAllDir:       {FuncReadPDFAllDir, "ReadPDFAllDir", []string{"cnc_rdpdf_alldir"}, EffectRead},
	FuncReadPDFSubDirNum:    {FuncReadPDFSubDirNum, "ReadPDFSubDirNum", []string{"cnc_rdpdf_subdirn"}, EffectRead},
	FuncAddPDF:              {FuncAddPDF, "AddPDF", []string{"cnc_pdf_add"}, EffectWrite},
	FuncDeletePDF:           {FuncDeletePDF, "DeletePDF", []string{"cnc_pdf_del"}, EffectWrite},
	FuncReadPDFMain:         {FuncReadPDFMain, "ReadPDFMain", []string{"cnc_pdf_rdmain"}, EffectRead},
	FuncSelectPDFMain:       {FuncSelectPDFMain, "SelectPDFMain", []string{"cnc_pdf_slctmain"}, EffectWrite},
	FuncExecProgramName:     {FuncExecProgramName, "ExecProgramName", []string{"cnc_exeprgname"}, EffectRead},
	FuncReadOpMessage3:      {FuncReadOpMessage3, "ReadOpMessage3", []string{"cnc_rdopmsg3"}, EffectRead},
	FuncStatInfoHandle:      {FuncStatInfoHandle, "StatInfoHandle", []string{"cnc_statinfo"}, EffectRead},
	FuncStatInfo2:           {FuncStatInfo2, "StatInfo2", []string{"cnc_statinfo2"}, EffectRead},
	FuncReadCNCID:           {FuncReadCNCID, "ReadCNCID", []string{"cnc_rdcncid"}, EffectRead},
	FuncExecProgramName2:    {FuncExecProgramName2, "ExecProgramName2", []string{"cnc_exeprgname2"}, EffectRead},
	FuncReadTimer:           {FuncReadTimer, "ReadTimer", []string{"cnc_rdtimer"}, EffectRead},
	FuncWriteTimer:          {FuncWriteTimer, "WriteTimer", []string{"cnc_wrtimer"}, EffectWrite},
	FuncReadEthernetInfo:    {FuncReadEthernetInfo, "ReadEthernetInfo", []string{"cnc_rdetherinfo"}, EffectRead},
	FuncReadActPoint:        {FuncReadActPoint, "ReadActPoint", []string{"cnc_rdactpt"}, EffectRead},
	FuncWriteActPoint:       {FuncWriteActPoint, "WriteActPoint", []string{"cnc_wractpt"}, EffectWrite},
	FuncGetCNCModel:         {FuncGetCNCModel, "GetCNCModel", []string{"cnc_getcncmodel"}, EffectRead},
	FuncReadToolLifeInfo:    {FuncReadToolLifeInfo, "ReadToolLifeInfo", []string{"cnc_rdtlinfo"}, EffectRead},
	FuncReadToolLifeGroup:   {FuncReadToolLifeGroup, "ReadToolLifeGroup", []string{"cnc_rdtlgrp"}, EffectRead},
	FuncReadMacroNamed:      {FuncReadMacroNamed, "ReadMacroNamed", []string{"cnc_rdmacror3"}, EffectRead},
	FuncReadMacroByName:     {FuncReadMacroByName, "ReadMacroByName", []string{"cnc_rdmacronum"}, EffectRead},
	FuncReadPMC:             {FuncReadPMC, "ReadPMC", []string{"pmc_rdpmcrng"}, EffectRead},
	FuncWritePMC:            {FuncWritePMC, "WritePMC", []string{"pmc_wrpmcrng"}, EffectWrite},
	FuncReadPMCInfo:         {FuncReadPMCInfo, "ReadPMCInfo", []string{"pmc_rdpmcinfo"}, EffectRead},
	FuncReadPMCTitle:        {FuncReadPMCTitle, "ReadPMCTitle", []string{"pmc_rdpmctitle"}, EffectRead},
	FuncSelectPMCUnit:       {FuncSelectPMCUnit, "SelectPMCUnit", []string{"pmc_select_pmc_unit"}, EffectRead},
	FuncReadPMCCount:        {FuncReadPMCCount, "ReadPMCCount", []string{"pmc_get_number_of_pmc"}, EffectRead},
	FuncReadPMCUnitTypes:    {FuncReadPMCUnitTypes, "ReadPMCUnitTypes", []string{"pmc_get_pmc_unit_types"}, EffectRead},
	FuncReadPMCAlarm:        {FuncReadPMCAlarm, "ReadPMCAlarm", []string{"pmc_rdalmmsg"}, EffectRead},
}

// Info describes f; for a code that is not in the table, Name is empty and Effect is [EffectUnknown].
func (f Func) Info() FuncInfo {
	if i, ok := funcs[f]; ok {
		return i
	}
	return FuncInfo{Func: f}
}

// String is the first FOCAS call of the function, our own name, or the number.
func (f Func) String() string {
	i := f.Info()
	switch {
	case len(i.FOCAS) > 0:
		return i.FOCAS[0]
	case i.Name != "":
		return i.Name
	}
	return fmt.Sprintf("func(%#04x)", uint16(f))
}
