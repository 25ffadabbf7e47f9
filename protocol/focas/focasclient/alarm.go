package focasclient

import (
	"context"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// AlarmBits reads which types of alarm are present (cnc_alarm2, cnc_alarm).
func (p Path) AlarmBits(ctx context.Context) (uint32, error) {
	a, err := call(ctx, p.c, "cnc_alarm2", focas.AlarmBitsRequest(p.n), focas.ParseAlarmBits)
	return a.Bits, err
}

// Alarms reads at most max alarms of a type or of [focas.AllAlarms] with texts of up to 32 bytes (cnc_rdalmmsg).
func (p Path) Alarms(ctx context.Context, typ, max int32) ([]focas.Alarm, error) {
	return p.alarms(ctx, "cnc_rdalmmsg", typ, max, focas.AlarmText32)
}

// Alarms2 is [Path.Alarms] with texts of up to 64 bytes (cnc_rdalmmsg2).
func (p Path) Alarms2(ctx context.Context, typ, max int32) ([]focas.Alarm, error) {
	return p.alarms(ctx, "cnc_rdalmmsg2", typ, max, focas.AlarmText64)
}

func (p Path) alarms(ctx context.Context, op string, typ, max int32, textSize int) ([]focas.Alarm, error) {
	list, err := call(ctx, p.c, op, focas.AlarmsRequest(p.n, typ, max, textSize), func(b []byte) (focas.Alarms, error) {
		return focas.ParseAlarms(b, textSize)
	})
	return list.Items, err
}

// AlarmInfo reads alarms as cnc_rdalminfo does, with texts of up to 32 bytes or without.
func (p Path) AlarmInfo(ctx context.Context, typ, max int32, texts bool) ([]focas.Alarm, error) {
	flag := int32(0)
	if texts {
		flag = 1
	}
	list, err := call(ctx, p.c, "cnc_rdalminfo", focas.AlarmInfoRequest(p.n, typ, max, flag), func(b []byte) (focas.Alarms, error) {
		return focas.ParseAlarms(b, focas.AlarmText32)
	})
	return list.Items, err
}

// ClearAlarm asks the control to clear an alarm (cnc_clralm).
func (p Path) ClearAlarm(ctx context.Context, id int32) error {
	return order(ctx, p.c, "cnc_clralm", focas.ClearAlarmRequest(p.n, id))
}

// AlarmHistoryCount says how many alarms the history holds (cnc_rdalmhisno), as the control sends it; its layout is unknown.
func (p Path) AlarmHistoryCount(ctx context.Context) ([]byte, error) {
	return call(ctx, p.c, "cnc_rdalmhisno", focas.AlarmHistoryCountRequest(p.n), raw)
}

// AlarmHistory is the entries first..last of the alarm history as the control sends them (cnc_rdalmhistry); their layout is
// unknown.
func (p Path) AlarmHistory(ctx context.Context, first, last int32) ([]byte, error) {
	return call(ctx, p.c, "cnc_rdalmhistry", focas.AlarmHistoryRequest(p.n, first, last), raw)
}
