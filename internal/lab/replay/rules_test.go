package replay

import (
	"testing"

	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/transcript"
)

// The parameters that the control itself counts in may differ, the others may not.
func TestParametersThatCount(t *testing.T) {
	for number, want := range map[int32]string{6711: mayCounter, 6712: mayCounter, 6713: "", 6710: "", 6749: "", 6750: mayTime, 6758: mayTime, 6759: "", 1320: ""} {
		for _, v := range []focas.Version{1, 3} {
			fn := focas.FuncReadParam
			if v.Dialect() == focas.Classic {
				fn = focas.FuncReadParamClassic
			}
			record := focas.Record{Dialect: v.Dialect(), Number: number, Count: 1, Slots: [focas.MaxSlots]focas.Value{focas.Decimal(137, 0)}}
			frames := focas.NewDissector().Feed(transcript.FromServer, focas.AppendReplies(nil, v, []focas.Reply{
				{Class: focas.ClassCNC, Path: 1, Func: fn, Payload: record.Append(nil)}}))
			if len(frames) != 1 || frames[0].Err != nil {
				t.Fatalf("%+v", frames)
			}
			for _, field := range []string{"block 1.payload", "block 1.size"} {
				if got := focasMay(&frames[0], field); got != want {
					t.Errorf("parameter %d, version %d, %s: %q, want %q", number, v, field, got, want)
				}
			}
			if got := focasMay(&frames[0], "block 1.code"); got != "" {
				t.Errorf("the code may differ: %q", got)
			}
		}
	}
	for _, short := range []string{"", "00001a", "zz001a37"} {
		if got := counting(short); got != "" {
			t.Errorf("%q: %q", short, got)
		}
	}
}
