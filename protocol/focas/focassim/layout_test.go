package focassim

import (
	"testing"

	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/internal/vectors"
)

// variable are functions whose payload is as long as what there is to say.
var variable = map[focas.Func]string{
	focas.FuncReadAlarmMessage: "one record per alarm",
	focas.FuncReadProgramDir:   "one record per program",
	focas.FuncReadPDFAllDir:    "one record per file",
	focas.FuncReadPDFSubDir:    "one record per folder",
	focas.FuncReadPDFDrive:     "one name per drive",
	focas.FuncReadExecProgram:  "program text",
	focas.FuncReadGCode:        "one record per group",
	focas.FuncReadCommand:      "one record per address",
	focas.FuncModalG:           "measured with one group and one word more",
	focas.FuncReadSpindleName:  "measured with one name and with two",
}

// TestLayoutOfMeasuredExchanges sends what FANUC's library sent and compares the sizes of the answers with those that it
// accepted.
func TestLayoutOfMeasuredExchanges(t *testing.T) {
	all, err := vectors.Load()
	if err != nil {
		t.Fatal(err)
	}
	checked := map[focas.Func]bool{}
	for _, v := range all {
		t.Run(v.Name(), func(t *testing.T) {
			profile := "30i"
			if v.Classic {
				profile = "16i"
			}
			s, _ := newSim(t, Options{Profile: profile, Manual: true})
			s.Do(Event{Kind: SetMode, Value: int(ModeEdit)})
			s.Do(Event{Kind: ShowMessage, Message: Message{Number: 2001, Text: "TOOL CHANGE!"}})
			var requests []focas.Request
			for _, step := range v.Steps {
				f, _, err := focas.ParseFrame(step.Frame)
				if err != nil {
					t.Fatal(err)
				}
				switch {
				case f.Type != focas.TypeData || f.Dir == focas.DirError:
				case step.Request:
					requests = requestsOf(t, f.Body)
				default:
					compareReplies(t, s, requests, f.Body, checked)
				}
			}
		})
	}
	if len(checked) < 70 {
		t.Errorf("only %d functions are compared", len(checked))
	}
}

func requestsOf(t *testing.T, body []byte) []focas.Request {
	bs, err := focas.RequestBlocks(body)
	if err != nil {
		t.Fatal(err)
	}
	var all []focas.Request
	for {
		q, ok, err := bs.NextRequest()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return all
		}
		all = append(all, q)
	}
}

func compareReplies(t *testing.T, s *Sim, requests []focas.Request, body []byte, checked map[focas.Func]bool) {
	bs, err := focas.ReplyBlocks(body)
	if err != nil {
		t.Fatal(err)
	}
	for i := range requests {
		want, ok, err := bs.NextReply()
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		q := requests[i]
		q.Path = 1
		var got focas.Reply
		s.do(func(m *machine) { got = (&asked{s: s, m: m, q: &q}).answer() })
		if want.Code != 0 || variable[q.Func] != "" || got.Code != 0 && missing(q) {
			continue
		}
		if got.Code != 0 {
			t.Errorf("%v%v: code %v", q.Func, q.Args, got.Code)
			continue
		}
		checked[q.Func] = true
		if len(got.Payload) != len(want.Payload) {
			t.Errorf("%v%v: %d bytes, measured %d", q.Func, q.Args, len(got.Payload), len(want.Payload))
		}
	}
}

// missing tells what the exchanges name and this machine does not have.
func missing(q focas.Request) bool {
	switch q.Func {
	case focas.FuncSearch, focas.FuncSelectPDFMain, focas.FuncDeletePDF:
		return true // their programs
	case focas.FuncReadMacro:
		return q.Args[0] == 1695
	case focas.FuncReadSetting, focas.FuncReadSettingClassic:
		return true
	case focas.FuncReadPMC:
		return q.Args[2] == 9 && q.Args[0] >= 10000
	}
	return false
}
