package focas

import "github.com/patchbay-io/patchbay/wire"

// payloadText reads the payload of a function into something that fmt prints.
type payloadText func(d Dialect, q Request, b []byte) (any, error)

func textOf[T any](parse func([]byte) (T, error)) payloadText {
	return func(_ Dialect, _ Request, b []byte) (any, error) { return parse(b) }
}

func recordText(d Dialect, _ Request, b []byte) (any, error) { return ParseRecord(d, b) }

func rawText(_ Dialect, _ Request, b []byte) (any, error) { return b, nil }

// replyTexts are the readers of the reply payloads whose layout is known; never changed.
var replyTexts = map[Func]payloadText{
	FuncSysInfo: textOf(ParseSysInfo), FuncReadCNCID: textOf(ParseCNCID), FuncGetCNCModel: textOf(ParseCNCModel), FuncReadEthernetInfo: textOf(ParseEthernetInfo),
	FuncStatInfo: textOf(ParseStatus), FuncStatInfo2: textOf(ParseStatus2), FuncStatInfoHandle: textOf(ParseWord), FuncStatInfoTM: textOf(ParseWord),
	FuncActualFeed: textOf(ParseValues), FuncActualSpindle: textOf(ParseValues), FuncReadAxis: textOf(ParseValues),
	FuncReadSpindle: textOf(ParseValues), FuncReadServo: textOf(ParseValues), FuncReadUnits: textOf(ParseUnitPairs),
	FuncReadSpindleName: textOf(ParseNames), FuncReadAxisName: axisNameText, FuncReadDisplayFlags: textOf(ParseLongs), FuncReadCount: textOf(ParseWord),
	FuncGetFigure: textOf(ParseFigures), FuncModalG: textOf(ParseWords), FuncModalAux: textOf(ParseAuxes),
	FuncReadGCode: textOf(ParseGCodes), FuncReadCommand: textOf(ParseCommands),
	FuncAlarm: textOf(ParseAlarmBits), FuncReadAlarmMessage: alarmText, FuncReadOpMessage: textOf(ParseOpMessages), FuncReadOpMessage3: textOf(ParseOpMessages),
	FuncReadOpSignal: textOf(ParseOpSignal), FuncReadOpMode: textOf(ParseWords), FuncGetTimer: textOf(ParseClock), FuncReadTimer: timerText(TimerAuto),

	FuncReadParam: recordText, FuncReadParamClassic: recordText, FuncReadParamInfo: textOf(ParseNumberInfos), FuncReadParamInfo2: textOf(ParseNumberInfos2), FuncReadParamNum: textOf(ParseNumberRange),
	FuncReadDiag: recordText, FuncReadDiagClassic: recordText, FuncReadDiagInfo: textOf(ParseNumberInfos), FuncReadDiagInfo2: textOf(ParseNumberInfos2), FuncReadDiagNum: textOf(ParseNumberRange),
	FuncReadSetting: recordText, FuncReadSettingClassic: recordText, FuncReadSettingInfo2: textOf(ParseNumberInfos2),
	FuncReadMacro: textOf(ParseValues), FuncReadPMacro: textOf(ParseValues), FuncReadMacroInfo: textOf(ParseMacroInfo),
	FuncReadMacroDouble: textOf(ParseDoubles), FuncReadMacroNamed: textOf(ParseNamedMacros),
	FuncReadToolOffset: textOf(ParseValues), FuncReadToolOffsetInfo: textOf(ParseToolOffsetInfo), FuncReadWorkOffset: textOf(ParseValues), FuncReadWorkOffsetInfo: textOf(ParseCounter),

	FuncReadProgramDir: textOf(ParseProgramDir), FuncReadProgramInfo: textOf(ParseProgramInfo), FuncReadProgramNum: textOf(ParseProgramNum),
	FuncReadSequenceNum: textOf(ParseCounter), FuncReadBlockCount: textOf(ParseCounter), FuncReadExecProgram: textOf(ParseExecText), FuncReadMDIPointer: textOf(ParseMDIPointer),
	FuncExecProgramName: textOf(ParseExecProgram), FuncExecProgramName2: pathText, FuncReadActPoint: textOf(ParseActPoint),
	FuncReadPDFDrive: textOf(ParseDrives), FuncReadPDFCurDir: pathText, FuncReadPDFMain: pathText,
	FuncReadPDFSubDir: textOf(ParseSubDirs), FuncReadPDFAllDir: textOf(ParseAllDir), FuncReadPDFSubDirNum: textOf(ParseDirCount),
	FuncReadUseGroupID: textOf(ParseUseGroup), FuncReadToolGroupNum: textOf(ParseCounter), FuncReadToolNum: textOf(ParseToolNum),
	FuncReadToolLife1: textOf(ParseToolLife), FuncReadToolGroup: textOf(ParseToolGroup), FuncReadToolLifeInfo: textOf(ParseToolLifeInfo), FuncReadToolLifeGroup: textOf(ParseToolGroups30i),

	FuncReadPMC: rawText, FuncReadPMCInfo: textOf(ParsePMCInfo), FuncReadPMCCount: textOf(ParseCounter), FuncReadPMCUnitTypes: textOf(ParsePMCUnitTypes),
}

// dataTexts are the readers of the data of requests whose layout is known; never changed.
var dataTexts = map[Func]payloadText{
	FuncWriteMacro: textOf(ParseValues), FuncWritePMacro: textOf(ParseValues), FuncWriteMacroDouble: textOf(ParseDoubles),
	FuncWriteToolOffset: textOf(ParseValues), FuncWriteWorkOffset: textOf(ParseValues),
	FuncWriteParam: recordText, FuncWriteParamClassic: recordText, FuncWritePMC: rawText,
	FuncWritePDFCurDir: pathText, FuncReadPDFSubDir: pathText, FuncReadPDFAllDir: pathText, FuncReadPDFSubDirNum: pathText,
	FuncAddPDF: pathText, FuncDeletePDF: pathText, FuncSelectPDFMain: pathText,
	FuncWriteTimer: timerText(TimerBigEndian), FuncSetTimer: textOf(ParseClock),
}

func pathText(_ Dialect, _ Request, b []byte) (any, error) { return wire.Text(b), nil }

func timerText(order TimerOrder) payloadText {
	return textOf(func(b []byte) (Timer, error) { return ParseTimer(b, order) })
}

// alarmText needs the length of the texts that the request asked for.
func alarmText(_ Dialect, q Request, b []byte) (any, error) { return ParseAlarms(b, int(q.Args[3])) }

// axisNameText has another layout when all paths were asked for.
func axisNameText(_ Dialect, q Request, b []byte) (any, error) {
	if q.Args[0] == -1 {
		return ParseNameSets(b)
	}
	return ParseNames(b)
}
