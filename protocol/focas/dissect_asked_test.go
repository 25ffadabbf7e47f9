package focas

import (
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/transcript"
)

// What an answer means depends on its question, also for the last block of a frame and for the only one.
func TestAnswersAreReadByTheirQuestion(t *testing.T) {
	alarm := NewAlarm(417, 6, 1, "SERVO ALARM", AlarmText64).Append(nil)
	for _, before := range []int{0, 1, 3} {
		var qs []Request
		var ps []Reply
		for range before {
			qs = append(qs, StatusRequest(1))
			ps = append(ps, Reply{Class: ClassCNC, Path: 1, Func: FuncStatInfo, Payload: Status{}.Append(nil)})
		}
		qs = append(qs, AlarmsRequest(1, AllAlarms, 5, AlarmText64))
		ps = append(ps, Reply{Class: ClassCNC, Path: 1, Func: FuncReadAlarmMessage, Payload: alarm})
		d := NewDissector()
		d.Feed(transcript.FromClient, AppendRequests(nil, qs))
		frames := d.Feed(transcript.FromServer, AppendReplies(nil, 3, ps))
		if len(frames) != 1 || frames[0].Err != nil {
			t.Fatalf("%+v", frames)
		}
		last := frames[0].Fields[len(frames[0].Fields)-1]
		if last.Length != len(alarm) || strings.Count(last.Text, "Number:") != 1 || !strings.Contains(last.Text, "Number:417") {
			t.Errorf("behind %d other blocks: %+v, want one alarm 417", before, last)
		}
	}
}
