package rfc2217

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

var full = Settings{Baud: 115200, Data: 7, Parity: ParityEven, Stop: Stop2, Flow: ControlFlowRtsCts, In: ControlInXonXoff, Break: ControlBreakOff,
	DTR: ControlDTROn, RTS: ControlRTSOff}

func TestSettings(t *testing.T) {
	var back Settings
	for _, m := range full.Messages() {
		if !back.Take(&m) {
			t.Errorf("%+v is no setting", m)
		}
	}
	if diff := cmp.Diff(full, back); diff != "" {
		t.Error(diff)
	}
	if n := len(full.Messages()); n != 9 || len(Settings{}.Messages()) != 0 {
		t.Errorf("%d messages", n)
	}
	if got := (Settings{}).Over(full); got != full {
		t.Errorf("%+v", got)
	}
	other := Settings{Baud: 1, Data: 5, Parity: 1, Stop: 1, Flow: 1, In: 14, Break: 5, DTR: 9, RTS: 11}
	if got := other.Over(full); got != other {
		t.Errorf("%+v", got)
	}
	for _, bad := range []Message{{Code: SetDataSize, Value: 4}, {Code: SetDataSize, Value: 9}, {Code: SetParity, Value: 6}, {Code: SetStopSize, Value: 4},
		{Code: SetControl, Value: 20}, {Code: PurgeData, Value: 1}} {
		s := full
		if s.Take(&bad) || s != full {
			t.Errorf("%+v is taken", bad)
		}
	}
}

// Every request has an answer with the same code, also when nothing is known.
func TestAnswers(t *testing.T) {
	for _, row := range []struct {
		asked       Message
		known, none uint32
	}{
		{Message{Code: SetBaudRate, Value: 9600}, 115200, 9600}, {Message{Code: SetBaudRate}, 115200, 0},
		{Message{Code: SetDataSize, Value: 8}, 7, 8}, {Message{Code: SetParity, Value: 1}, 3, 1}, {Message{Code: SetStopSize, Value: 1}, 2, 1},
		{Message{Code: SetControl, Value: 0}, 3, 0}, {Message{Code: SetControl, Value: 2}, 3, 2}, {Message{Code: SetControl, Value: 4}, 6, 4},
		{Message{Code: SetControl, Value: 5}, 6, 5}, {Message{Code: SetControl, Value: 7}, 8, 7}, {Message{Code: SetControl, Value: 9}, 8, 9},
		{Message{Code: SetControl, Value: 10}, 12, 10}, {Message{Code: SetControl, Value: 13}, 15, 13}, {Message{Code: SetControl, Value: 77}, 15, 77},
	} {
		for s, want := range map[Settings]uint32{full: row.known, {}: row.none} {
			got := s.Answer(&row.asked)
			if got.Value != want || got.Code != row.asked.Code || !got.Server {
				t.Errorf("%v %d: %d, want %d", row.asked.Code, row.asked.Value, got.Value, want)
			}
		}
	}
	if got := (Settings{Flow: ControlFlowRtsCts}).Answer(&Message{Code: SetControl, Value: uint32(ControlInAsk)}); Control(got.Value) != ControlInRtsCts {
		t.Errorf("inbound flow control is %v", Control(got.Value))
	}
}

func TestKnows(t *testing.T) {
	for _, topic := range []Control{ControlFlowAsk, ControlBreakAsk, ControlDTRAsk, ControlRTSAsk, ControlInAsk} {
		s := full
		if !s.Knows(topic) || (&Settings{}).Knows(topic) {
			t.Errorf("%v", topic)
		}
		if !s.Take(&Message{Code: SetControl, Value: uint32(topic)}) || s.Knows(topic) { // an answer that is the question is none
			t.Errorf("%v is known after all", topic)
		}
	}
}
