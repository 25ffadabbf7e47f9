package replay

import (
	"strconv"
	"strings"

	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/transcript"
)

// focasFuncs are the functions whose answers differ by their nature; never changed.
var focasFuncs = map[focas.Func]string{
	focas.FuncGetTimer: mayTime, focas.FuncReadTimer: mayTime,
	focas.FuncReadBlockCount: mayCounter, focas.FuncReadSequenceNum: mayCounter,
	focas.FuncReadCNCID: mayID, focas.FuncReadEthernetInfo: mayAddress,
	focas.FuncAlarm: mayLive, focas.FuncReadAlarmMessage: mayLive, focas.FuncReadOpMessage: mayLive, focas.FuncReadOpMessage3: mayLive,
	focas.FuncStatInfo: mayLive, focas.FuncStatInfo2: mayLive, focas.FuncReadAxis: mayLive, focas.FuncActualFeed: mayLive,
	focas.FuncActualSpindle: mayLive, focas.FuncReadSpindle: mayLive, focas.FuncReadServo: mayLive, focas.FuncReadExecProgram: mayLive,
	focas.FuncReadActPoint: mayLive, focas.FuncModalG: mayLive, focas.FuncModalAux: mayLive, focas.FuncReadGCode: mayLive,
	focas.FuncReadCommand: mayLive, focas.FuncReadOpSignal: mayLive, focas.FuncReadPMC: mayLive,
	focas.FuncExecProgramName: mayLive, focas.FuncExecProgramName2: mayLive, focas.FuncReadProgramNum: mayLive,
}

// focasMay looks at the payload of reply blocks, by function.
func focasMay(f *transcript.Frame, field string) string {
	if field == "length" {
		for i := range f.Fields {
			if block, ok := strings.CutSuffix(f.Fields[i].Name, ".function"); ok && focasMay(f, block+".payload") != "" {
				return mayLive
			}
		}
		return ""
	}
	block, rest, ok := strings.Cut(field, ".")
	if !ok || !strings.HasPrefix(rest, "payload") && rest != "size" && rest != unnamed {
		return ""
	}
	text, payload, reply := "", "", false
	for i := range f.Fields {
		switch f.Fields[i].Name {
		case block + ".code": // requests have none
			reply = true
		case block + ".function":
			text = f.Fields[i].Text
		case block + ".payload":
			payload = f.Fields[i].Value
		}
	}
	if !reply {
		return ""
	}
	for fn, why := range focasFuncs {
		if fn.String() == text {
			return why
		}
	}
	if text == focas.FuncReadParam.String() || text == focas.FuncReadParamClassic.String() {
		return counting(payload)
	}
	return ""
}

// counting says why the record of a parameter, as hex, may differ: a few of them are counters and times of the control.
func counting(record string) string {
	if len(record) < 8 {
		return ""
	}
	n, err := strconv.ParseUint(record[:8], 16, 32)
	switch {
	case err != nil:
	case n == 6711 || n == 6712: // parts made, parts in total
		return mayCounter
	case n >= 6750 && n <= 6758: // power on, operating, cutting and cycle times
		return mayTime
	}
	return ""
}
