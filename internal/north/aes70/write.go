package aes70

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
	"github.com/patchbay-io/patchbay/internal/oca"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaserver"
)

// write carries out what a controller wants, when serve.aes70.allow, the gate and the device agree, and waits for the device's word.
func (f *face) write(ctx context.Context, c *ocaserver.Conn, path device.Path, v device.Value) error {
	pt, ok := f.door.cfg.Tree.Point(f.name, path)
	if !ok {
		return f.refuse(ocp1.StatusBadONo) // it has just gone
	}
	a := driver.Action{Device: f.name, Path: path, Value: v, Old: pt.Sample.Value}
	var err error
	switch {
	case pt.Spec.Access&device.W == 0:
		return f.refuse(ocp1.StatusPermissionDenied)
	case !f.opts.Allow.Allow(path, pt.Spec.Hazard):
		err = &driver.Error{Op: "write", Target: f.name, Class: driver.Auth, Err: fmt.Errorf("a controller may not change %s", path),
			Hint: fmt.Sprintf("add it to the device's section to allow it: devices.%s.serve.%s.allow: [%s]", f.name, Name, path)}
	default:
		err = f.door.cfg.Gate.Allow(who(c), a)
	}
	if err != nil {
		if f.first(c, path) {
			f.log.Warn("refused what a controller wanted", "client", who(c).Addr, "point", path, "why", err, "hint", driver.HintOf(err))
			f.door.cfg.Gate.Done(who(c), a, driver.Outcome{Stage: driver.Refused, Err: err})
		}
		return f.refuse(statusOf(err))
	}
	if pt.Spec.Unit == "dB" && pt.Spec.Decimals == 0 { // devices round what faders say, and none is finer
		v = device.OfFloat(math.Round(v.Float()*100) / 100)
	}
	state, err := f.door.cfg.Writes.Write(ctx, who(c), []north.WriteItem{{Device: f.name, Path: path, Value: v}},
		north.WriteOptions{Wait: true, Nameless: true})
	if err != nil {
		return f.refuse(statusOf(err))
	}
	if s := outcome(&state); s != ocp1.StatusOK {
		return f.refuse(s)
	}
	f.carried.Add(1)
	f.mu.Lock()
	defer f.mu.Unlock()
	if now, ok := f.door.cfg.Tree.Point(f.name, path); ok {
		f.mirror.Apply(&driver.Change{Samples: f.newer([]device.Point{now})})
	}
	return nil
}

func (f *face) refuse(s ocp1.Status) error {
	f.refused.Add(1)
	return &ocp1.Error{Status: s}
}

// outcome is what a controller is told about a write that was accepted.
func outcome(w *north.WriteState) ocp1.Status {
	if len(w.Items) != 1 {
		return ocp1.StatusProcessingFailed
	}
	switch last := w.Items[0].Last(); last.Stage {
	case north.StageConfirmed, north.StageAcknowledged, north.StageSent: // the last two are the end where a device cannot say more
		if last.Final || last.Stage == north.StageConfirmed {
			return ocp1.StatusOK
		}
		return ocp1.StatusTimeout // whoever waited had no more time
	case north.StageTimedOut:
		return ocp1.StatusTimeout
	case north.StageFailed:
		return ocp1.StatusProcessingFailed
	case north.StageRefused:
		return oca.StatusOf(last.Class)
	}
	return ocp1.StatusDeviceError
}

// statusOf is what a controller is told when a write was not accepted.
func statusOf(err error) ocp1.Status {
	var e *north.WriteError
	if !errors.As(err, &e) {
		return oca.StatusOf(driver.ClassOf(err))
	}
	switch e.Code {
	case "unknown-device", "unknown-point":
		return ocp1.StatusBadONo
	case "read-only", "not-writable", "forbidden":
		return ocp1.StatusPermissionDenied
	case "out-of-range":
		return ocp1.StatusParameterOutOfRange
	case "too-many-writes":
		return ocp1.StatusBusy
	case "link-down":
		return ocp1.StatusDeviceError
	}
	return oca.StatusOf(e.Class)
}
