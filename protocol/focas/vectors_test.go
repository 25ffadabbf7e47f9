package focas

import (
	"bytes"
	"testing"

	"github.com/patchbay-io/patchbay/protocol/focas/internal/vectors"
)

// payloadForm parses a payload as its typed form and appends that again.
type payloadForm func(d Dialect, q Request, payload []byte) ([]byte, error)

// form is a payloadForm that needs nothing but the payload.
func form[T interface{ Append([]byte) []byte }](parse func([]byte) (T, error)) payloadForm {
	return func(_ Dialect, _ Request, payload []byte) ([]byte, error) {
		v, err := parse(payload)
		if err != nil {
			return nil, err
		}
		return v.Append(nil), nil
	}
}

func bare(_ Dialect, _ Request, payload []byte) ([]byte, error) { return payload, nil }

func recordForm(d Dialect, _ Request, payload []byte) ([]byte, error) {
	r, err := ParseRecord(d, payload)
	if err != nil {
		return nil, err
	}
	return r.Append(nil), nil
}

// replyForms are the typed forms of the payloads of all functions whose layout is known.
func replyForms() map[Func]payloadForm {
	m := map[Func]payloadForm{
		FuncReadProgramDir: form(ParseProgramDir), FuncReadProgramInfo: form(ParseProgramInfo),
		FuncReadToolOffset: form(ParseValues), FuncReadToolOffsetInfo: form(ParseToolOffsetInfo),
		FuncReadWorkOffset: form(ParseValues), FuncReadWorkOffsetInfo: form(ParseCounter),
		FuncReadParamInfo: form(ParseNumberInfos), FuncReadParamNum: form(ParseNumberRange),
		FuncReadDiagInfo: form(ParseNumberInfos), FuncReadDiagNum: form(ParseNumberRange),
		FuncReadParamInfo2: form(ParseNumberInfos2), FuncReadSettingInfo2: form(ParseNumberInfos2), FuncReadDiagInfo2: form(ParseNumberInfos2),
		FuncReadMacro: form(ParseValues), FuncReadPMacro: form(ParseValues), FuncReadMacroInfo: form(ParseMacroInfo),
		FuncReadMacroDouble: form(ParseDoubles), FuncReadMacroNamed: form(ParseNamedMacros),
		FuncReadProgramNum: form(ParseProgramNum), FuncReadSequenceNum: form(ParseCounter), FuncReadBlockCount: form(ParseCounter),
		FuncReadExecProgram: form(ParseExecText), FuncReadMDIPointer: form(ParseMDIPointer),
		FuncExecProgramName: form(ParseExecProgram), FuncExecProgramName2: form(ParsePathText), FuncReadActPoint: form(ParseActPoint),
		FuncReadPDFDrive: form(ParseDrives), FuncReadPDFCurDir: form(ParsePathText), FuncReadPDFMain: form(ParsePathText),
		FuncReadPDFSubDir: form(ParseSubDirs), FuncReadPDFAllDir: form(ParseAllDir), FuncReadPDFSubDirNum: form(ParseDirCount),
		FuncReadUseGroupID: form(ParseUseGroup), FuncReadToolGroupNum: form(ParseCounter), FuncReadToolNum: form(ParseToolNum),
		FuncReadToolLife1: form(ParseToolLife), FuncReadToolGroup: form(ParseToolGroup), FuncReadToolLifeInfo: form(ParseToolLifeInfo),
		FuncReadToolLifeGroup: form(ParseToolGroups30i),
		FuncReadPMC:           bare, FuncReadPMCInfo: form(ParsePMCInfo), FuncReadPMCCount: form(ParseCounter), FuncReadPMCUnitTypes: form(ParsePMCUnitTypes),

		FuncSysInfo: form(ParseSysInfo), FuncReadCNCID: form(ParseCNCID), FuncGetCNCModel: form(ParseCNCModel), FuncReadEthernetInfo: form(ParseEthernetInfo),
		FuncStatInfo: form(ParseStatus), FuncStatInfo2: form(ParseStatus2), FuncStatInfoHandle: form(ParseWord), FuncStatInfoTM: form(ParseWord),
		FuncAlarm: form(ParseAlarmBits), FuncGetFigure: form(ParseFigures), FuncModalG: form(ParseWords), FuncModalAux: form(ParseAuxes),
		FuncReadGCode: form(ParseGCodes), FuncReadCommand: form(ParseCommands),
		FuncActualFeed: form(ParseValues), FuncActualSpindle: form(ParseValues), FuncReadAxis: form(ParseValues),
		FuncReadSpindle: form(ParseValues), FuncReadServo: form(ParseValues), FuncReadUnits: form(ParseUnitPairs),
		FuncReadSpindleName: form(ParseNames), FuncReadDisplayFlags: form(ParseLongs), FuncReadCount: form(ParseWord),
		FuncReadOpSignal: form(ParseOpSignal), FuncReadOpMode: form(ParseWords), FuncGetTimer: form(ParseClock),
		FuncReadOpMessage: form(ParseOpMessages), FuncReadOpMessage3: form(ParseOpMessages),
		FuncReadAlarmMessage: func(d Dialect, q Request, payload []byte) ([]byte, error) {
			return form(func(b []byte) (Alarms, error) { return ParseAlarms(b, int(q.Args[3])) })(d, q, payload)
		},
		FuncReadAxisName: func(d Dialect, q Request, payload []byte) ([]byte, error) {
			if q.Args[0] == -1 {
				return form(ParseNameSets)(d, q, payload)
			}
			return form(ParseNames)(d, q, payload)
		},
		FuncReadTimer: form(func(b []byte) (Timer, error) { return ParseTimer(b, TimerAuto) }),
	}
	for _, f := range []Func{FuncReadParam, FuncReadParamClassic, FuncReadDiag, FuncReadDiagClassic, FuncReadSetting, FuncReadSettingClassic} {
		m[f] = recordForm
	}
	return m
}

// dataForms are the typed forms of the data of requests.
func dataForms() map[Func]payloadForm {
	return map[Func]payloadForm{
		FuncWriteMacro: form(ParseValues), FuncWritePMacro: form(ParseValues), FuncWriteToolOffset: form(ParseValues), FuncWriteWorkOffset: form(ParseValues),
		FuncWriteMacroDouble: form(ParseDoubles), FuncWriteParam: recordForm, FuncWriteParamClassic: recordForm, FuncWritePMC: bare,
		FuncWritePDFCurDir: form(ParsePathText), FuncReadPDFSubDir: form(ParsePathText), FuncReadPDFAllDir: form(ParsePathText), FuncReadPDFSubDirNum: form(ParsePathText),
		FuncAddPDF: form(ParsePathText), FuncDeletePDF: form(ParsePathText), FuncSelectPDFMain: form(ParsePathText),
		FuncWriteTimer: form(func(b []byte) (Timer, error) { return ParseTimer(b, TimerBigEndian) }), FuncSetTimer: form(ParseClock),
	}
}

// measured are the exchanges that were measured with FANUC's library.
func measured(tb testing.TB) []vectors.Vector {
	tb.Helper()
	vs, err := vectors.Load()
	if err != nil {
		tb.Fatal(err)
	}
	return vs
}

// TestVectors decodes every frame of the measured exchanges and encodes it again: frame, blocks and typed payloads.
func TestVectors(t *testing.T) {
	replies, datas := replyForms(), dataForms()
	for _, v := range measured(t) {
		t.Run(v.Name(), func(t *testing.T) {
			var asked []Request
			for _, s := range v.Steps {
				f, left, err := ParseFrame(s.Frame)
				if err != nil || len(left) != 0 {
					t.Fatalf("frame %x: %v, %d bytes left", s.Frame, err, len(left))
				}
				same(t, "frame", f.Append(nil), s.Frame)
				switch {
				case f.Type == TypeData && f.Dir == DirRequest:
					asked = checkRequestFrame(t, f, s.Frame, datas)
				case f.Type == TypeData && f.Dir == DirReply:
					checkReplyFrame(t, f, s.Frame, asked, replies)
				default:
					same(t, "body of "+f.Type.String(), bodyAgain(t, f), f.Body)
				}
			}
		})
	}
}

// bodyAgain decodes and encodes the body of a frame that holds no blocks.
func bodyAgain(t *testing.T, f Frame) []byte {
	switch {
	case f.Dir == DirError:
		e, err := ParseErrorBody(f.Body)
		if err != nil {
			t.Fatal(err)
		}
		return e.Append(nil)
	case f.Type == TypeOpen && f.Dir == DirRequest:
		channel, err := ParseOpenRequest(f.Body)
		if err != nil {
			t.Fatal(err)
		}
		return AppendOpenRequest(nil, channel)[HeaderSize:]
	case f.Type == TypeOpen:
		o, err := ParseOpenReply(f.Version, f.Body)
		if err != nil {
			t.Fatal(err)
		}
		return o.Append(nil)
	case f.Dir == DirRequest && (f.Type == TypeUploadStart || f.Type == TypeDownloadStart):
		s, err := ParseTransferStart(f.Body)
		if err != nil {
			t.Fatal(err)
		}
		return s.Append(nil)
	case f.Type == TypeUploadData || f.Type == TypeDownloadData:
		return AppendDownloadData(nil, f.Body)[HeaderSize:]
	}
	return nil // the other frames are empty
}

func checkRequestFrame(t *testing.T, f Frame, frame []byte, forms map[Func]payloadForm) []Request {
	t.Helper()
	blocks, err := RequestBlocks(f.Body)
	if err != nil {
		t.Fatal(err)
	}
	var qs []Request
	for {
		q, ok, err := blocks.NextRequest()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		qs = append(qs, q)
		if q.Data == nil {
			continue
		}
		typed, ok := forms[q.Func]
		if !ok {
			t.Fatalf("no typed form for the data of %v", q.Func)
		}
		again, err := typed(dialectOf(q.Func), q, q.Data)
		if err != nil {
			t.Fatalf("data of %v: %v", q.Func, err)
		}
		same(t, "data of "+q.Func.String(), again, q.Data)
	}
	same(t, "request", AppendRequests(nil, qs), frame)
	return qs
}

// dialectOf is the dialect of a function that only one dialect has.
func dialectOf(f Func) Dialect {
	switch f {
	case FuncWriteParamClassic, FuncReadParamClassic, FuncReadDiagClassic, FuncReadSettingClassic:
		return Classic
	}
	return Series30i
}

func checkReplyFrame(t *testing.T, f Frame, frame []byte, asked []Request, forms map[Func]payloadForm) {
	t.Helper()
	ps, err := replyBlocks(f.Body)
	if err != nil {
		t.Fatal(err)
	}
	if len(ps) != len(asked) {
		t.Fatalf("%d replies to %d requests", len(ps), len(asked))
	}
	for i, p := range ps {
		if p.Func != asked[i].Func {
			t.Errorf("block %d: reply of %v to %v", i+1, p.Func, asked[i].Func)
		}
		if p.Payload == nil {
			continue
		}
		typed, ok := forms[p.Func]
		if !ok {
			t.Errorf("no typed form for the payload of %v", p.Func)
			continue
		}
		again, err := typed(f.Version.Dialect(), asked[i], p.Payload)
		if err != nil {
			t.Errorf("payload of %v: %v", p.Func, err)
		}
		same(t, "payload of "+p.Func.String(), again, p.Payload)
	}
	same(t, "reply", AppendReplies(nil, f.Version, ps), frame)
}

func same(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s\n got %x\nwant %x", what, got, want)
	}
}

// FuzzPayload feeds any bytes to the typed form of any function: it must not panic, and what it accepts must come back as
// the same bytes.
func FuzzPayload(f *testing.F) {
	for _, v := range measured(f) {
		for _, s := range v.Steps {
			frame, _, err := ParseFrame(s.Frame)
			if err != nil || frame.Type != TypeData || frame.Dir != DirReply {
				continue
			}
			ps, err := replyBlocks(frame.Body)
			if err != nil {
				f.Fatal(err)
			}
			for _, p := range ps {
				f.Add(uint16(p.Func), v.Classic, int32(32), p.Payload)
			}
		}
	}
	replies, datas := replyForms(), dataForms()
	f.Fuzz(func(t *testing.T, fn uint16, classic bool, arg int32, payload []byte) {
		d := Series30i
		if classic {
			d = Classic
		}
		q := Request{Func: Func(fn), Args: [4]int32{arg, arg, arg, arg % 4096}}
		for _, forms := range []map[Func]payloadForm{replies, datas} {
			typed, ok := forms[q.Func]
			if !ok {
				continue
			}
			again, err := typed(d, q, payload)
			if err == nil && !bytes.Equal(again, payload) {
				t.Errorf("%v\n got %x\nwant %x", q.Func, again, payload)
			}
		}
		if l, err := ParseRecords(d, int(uint32(arg)%40), payload); err == nil && !bytes.Equal(l.Append(nil), payload) {
			t.Errorf("records of %d slots are not the same bytes", arg)
		}
		if s, err := ParseTransferStart(payload); err == nil && !bytes.Equal(s.Append(nil), payload) {
			t.Error("transfer start is not the same bytes")
		}
	})
}

func replyBlocks(body []byte) (ps []Reply, err error) {
	blocks, err := ReplyBlocks(body)
	for err == nil {
		p, ok, e := blocks.NextReply()
		if e != nil || !ok {
			return ps, e
		}
		ps = append(ps, p)
	}
	return nil, err
}
