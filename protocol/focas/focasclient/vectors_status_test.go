package focasclient

import (
	"context"
	"fmt"

	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/internal/vectors"
)

// statusRows makes the call of a vector with our client and renders the result with the field names of FANUC's library. What
// that library narrows or bends (absolute loads, shifted units) is done here, not in the product.
func statusRows() map[string]func(context.Context, *Client, vectors.Vector) (map[string]any, error) {
	rows := map[string]func(context.Context, *Client, vectors.Vector) (map[string]any, error){
		"cnc_statinfo": func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			s, err := c.Path(1).StatInfo(ctx)
			return statusFields(s.Status, s.HandleRetrace, s.TMMode), err
		},
		"cnc_statinfo2": func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			s, err := c.Path(1).StatInfo2(ctx)
			m := statusFields(s.Status, s.HandleRetrace, s.TMMode)
			m["warning"], m["o3dchk"], m["ext_opt"], m["restart"] = s.Warning, s.O3DCheck, s.ExtOpt, s.Restart
			return m, err
		},
		"cnc_rdcncid": func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			x, err := c.Path(1).CNCID(ctx)
			return map[string]any{"id": x.ID}, err
		},
		"cnc_getcncmodel": func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			x, err := c.Path(1).CNCModel(ctx)
			return map[string]any{"model": x.Model}, err
		},
		"cnc_rdetherinfo": func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			x, err := c.Path(1).EthernetInfo(ctx)
			return map[string]any{"type": x.Type, "device": x.Device}, err
		},
		"cnc_rdaxisname": func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			names, err := c.Path(1).AxisNames(ctx)
			return map[string]any{"count": len(names), "names": at(names, 0).String()}, err
		},
		"cnc_rdspdlname": func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			names, err := c.Path(1).SpindleNames(ctx)
			return map[string]any{"count": len(names), "name0": at(names, 0).String()}, err
		},
		"cnc_rdposition": func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			var kinds []focas.AxisKind
			if typ := v.Int("type"); typ >= 0 {
				kinds = append(kinds, focas.AxisKind(typ))
			}
			list, err := c.Path(1).Positions(ctx, kinds...)
			m := map[string]any{"count": len(list)}
			for i, p := range list {
				readingFields(m, fmt.Sprintf("ax%d_abs", i), p.Absolute)
				readingFields(m, fmt.Sprintf("ax%d_mach", i), p.Machine)
				readingFields(m, fmt.Sprintf("ax%d_rel", i), p.Relative)
				readingFields(m, fmt.Sprintf("ax%d_dist", i), p.Distance)
			}
			return m, err
		},
		"cnc_actf": func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			x, err := c.Path(1).ActualFeed(ctx)
			return map[string]any{"data": x.Mantissa}, err
		},
		"cnc_acts": func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			x, err := c.Path(1).ActualSpindle(ctx)
			return map[string]any{"data": x.Mantissa}, err
		},
		"cnc_rdspeed": func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			s, err := c.Path(1).Speeds(ctx)
			s.Feed.Unit -= focas.UnitMMPerMinute // the library counts the units of speeds from 0
			s.Spindle.Unit -= focas.UnitMMPerMinute
			if !v.Classic {
				// The library takes "shown" from the count, of which one example is known: 1 hides the feed rate.
				s.Feed.Shown, s.Spindle.Shown = s.Count&2 != 0, s.Count&1 != 0
			}
			m := map[string]any{}
			readingFields(m, "actf", s.Feed)
			readingFields(m, "acts", s.Spindle)
			return m, err
		},
		"cnc_rdsvmeter": func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			list, err := c.Path(1).ServoMeter(ctx)
			m := map[string]any{"count": len(list)}
			for i, a := range list {
				m[fmt.Sprintf("ax%d_data", i)] = max(a.Load.Mantissa, -a.Load.Mantissa)
				m[fmt.Sprintf("ax%d_dec", i)] = a.Load.Exponent
				m[fmt.Sprintf("ax%d_unit", i)] = 0 // the library's number for percent
				m[fmt.Sprintf("ax%d_name", i)] = a.Name.String()
			}
			return m, err
		},
		"cnc_rdcurrent": func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			list, err := c.Path(1).Current(ctx)
			return map[string]any{"data": mantissas(list)}, err
		},
		"cnc_rdspmeter": func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			list, err := c.Path(1).SpindleMeter(ctx)
			s := at(list, 0)
			return map[string]any{"count": len(list), "load": s.Load.Mantissa, "load_dec": s.Load.Exponent, "load_unit": 0,
				"load_name": string(s.Name[:1]), "speed": s.Speed.Mantissa, "speed_dec": s.Speed.Exponent, "speed_unit": 1}, err
		},
		"cnc_rdaxisdata": axisData,
		"cnc_rddynamic2": func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			d, err := c.Path(1).Dynamic(ctx, v.Int("axis"))
			return map[string]any{"axis": v.Int("axis"), "alarm": d.Alarm.Bits, "prgnum": d.Program.Running,
				"prgmnum": d.Program.Main, "seqnum": d.Sequence, "actf": d.Feed.Mantissa, "acts": d.Speed.Mantissa,
				"absolute": at(d.Absolute, 0).Mantissa, "machine": at(d.Machine, 0).Mantissa,
				"relative": at(d.Relative, 0).Mantissa, "distance": at(d.Distance, 0).Mantissa}, err
		},
		"cnc_getfigure": func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			f, err := c.Path(1).Figures(ctx, v.Int("kind"))
			var in, out []uint16
			for _, x := range f.Items[:min(int(f.Valid), len(f.Items))] {
				in, out = append(in, x.In), append(out, x.Out)
			}
			return map[string]any{"valid": f.Valid, "dec_in": in, "dec_out": out}, err
		},
		"cnc_alarm2": func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			path := max(v.Int("path"), 1)
			bits, err := c.Path(uint16(path)).AlarmBits(ctx)
			return map[string]any{"alarm": bits}, err
		},
		"cnc_alarm": func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			bits, err := c.Path(1).AlarmBits(ctx)
			return map[string]any{"data": uint16(bits)}, err
		},
		"cnc_rdalmmsg": func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			list, err := c.Path(1).Alarms(ctx, v.Int("type"), v.Int("max"))
			return alarmFields(list), err
		},
		"cnc_rdalmmsg2": func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			list, err := c.Path(1).Alarms2(ctx, v.Int("type"), v.Int("max"))
			return alarmFields(list), err
		},
		"cnc_rdopmsg": func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			list, err := c.Path(1).OpMessages(ctx, v.Int("type"))
			return messageFields(list), err
		},
		"cnc_rdopmsg3": func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			list, err := c.Path(1).OpMessages3(ctx, v.Int("type"), v.Int("max"))
			m := messageFields(list)
			m["count"] = len(list)
			return m, err
		},
		"cnc_modal": modal,
		"cnc_rdgcode": func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			list, err := c.Path(1).GCodes(ctx, v.Int("type"), v.Int("block"))
			m := map[string]any{"count": len(list)}
			for i, g := range list {
				m[fmt.Sprintf("g%d_group", i)], m[fmt.Sprintf("g%d_flag", i)], m[fmt.Sprintf("g%d_code", i)] = g.Group, g.Flag, g.String()
			}
			return m, err
		},
		"cnc_rdcommand": func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			list, err := c.Path(1).Commands(ctx, v.Int("type"), v.Int("block"))
			m := map[string]any{"count": len(list)}
			for i, x := range list {
				p := fmt.Sprintf("c%d_", i)
				m[p+"adrs"], m[p+"num"], m[p+"flag"], m[p+"val"], m[p+"dec"] = string(rune(x.Letter)), x.Number, x.Flag, x.Value, x.Decimals
			}
			return m, err
		},
		"cnc_rdtimer": func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			t, err := c.Path(1).Timer(ctx, v.Int("type"))
			return map[string]any{"minute": t.Minute, "msec": t.MSec}, err
		},
		"cnc_gettimer": func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			x, err := c.Path(1).Clock(ctx, v.Int("type"))
			return map[string]any{"type": v.Int("type"), "year": x.Year, "month": x.Month, "date": x.Day,
				"hour": x.Hour, "minute": x.Minute, "second": x.Second}, err
		},
		"cnc_settimer": func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			var x focas.Clock
			if d, ok := v.Args["date"].([]any); ok {
				x.Year, x.Month, x.Day = word(d[0]), word(d[1]), word(d[2])
			}
			if d, ok := v.Args["time"].([]any); ok {
				x.Hour, x.Minute, x.Second = word(d[0]), word(d[1]), word(d[2])
			}
			return nil, c.Path(1).SetClock(ctx, v.Int("type"), x)
		},
		"cnc_rdopnlsgnl": func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			s, err := c.Path(1).OpSignals(ctx, v.Int("mask"))
			return map[string]any{"type": v.Int("mask"), "mode": s.Mode, "hndl_ax": s.HandleAxis, "hndl_mv": s.HandleMove,
				"rpd_ovrd": s.RapidOverride, "jog_ovrd": s.JogOverride, "feed_ovrd": s.FeedOverride, "spdl_ovrd": s.SpindleOverride,
				"blck_del": s.BlockDelete, "sngl_blck": s.SingleBlock, "machn_lock": s.MachineLock, "dry_run": s.DryRun,
				"mem_prtct": s.MemoryProtect, "feed_hold": s.FeedHold}, err
		},
		"cnc_clralm": func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			return nil, c.Path(1).ClearAlarm(ctx, v.Int("id"))
		},
		// The client has no calls that start or reset a machine; the blocks go out as they are.
		"cnc_start": rawOrder(focas.FuncStart),
		"cnc_reset": rawOrder(focas.FuncReset),
	}
	for name, kind := range map[string]focas.AxisKind{"cnc_absolute": focas.AxisAbsoluteOld, "cnc_absolute2": focas.AxisAbsolute,
		"cnc_machine": focas.AxisMachine, "cnc_relative": focas.AxisRelativeOld, "cnc_distance": focas.AxisDistanceOld, "cnc_skip": focas.AxisSkip} {
		rows[name] = func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			m := map[string]any{"type": v.Int("axis")}
			if axis := v.Int("axis"); axis > 0 {
				x, err := c.Path(1).Axis(ctx, kind, int(axis))
				m["data"] = x.Mantissa
				return m, err
			}
			list, err := c.Path(1).Axes(ctx, kind)
			m["data"] = mantissas(list)
			return m, err
		}
	}
	for name, call := range map[string]func(Path, context.Context, int32) ([]focas.Value, error){"cnc_acts2": Path.SpindleSpeeds,
		"cnc_rdspload": Path.SpindleLoads, "cnc_rdspmaxrpm": Path.SpindleMaxRPM, "cnc_rdspgear": Path.SpindleGears} {
		rows[name] = func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
			list, err := call(c.Path(1), ctx, v.Int("spindle"))
			return map[string]any{"datano": v.Int("spindle"), "data": at(list, 0).Mantissa}, err
		}
	}
	return rows
}

func axisData(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
	if v.Int("class") == 2 {
		list, err := c.Path(1).ServoMeter(ctx)
		a := at(list, 0)
		return map[string]any{"count": len(list), "name": a.Name.String(), "data": a.Load.Mantissa, "dec": a.Load.Exponent,
			"unit": uint16(focas.UnitPercent), "flag": 0}, err
	}
	list, err := c.Path(1).Positions(ctx, focas.AxisAbsolute)
	m := map[string]any{}
	readingFields(m, "x", at(list, 0).Absolute)
	return map[string]any{"count": len(list), "name": m["x_name"], "data": m["x_data"], "dec": m["x_dec"], "unit": m["x_unit"], "flag": m["x_disp"]}, err
}

func modal(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
	typ := v.Int("type")
	switch {
	case typ == -1:
		codes, err := c.Path(1).ModalG(ctx, focas.ModalAll, v.Int("block"))
		list := make([]int, len(codes)) // a []uint8 would be rendered as text
		for i, code := range codes {
			list[i] = int(code)
		}
		return map[string]any{"datano": typ, "g_rdata": list}, err
	case typ >= 100:
		letters := []string{"B", "D", "E", "F", "H", "L", "M", "S", "T", "R", "P", "Q", "A", "C", "I", "J", "K", "N", "O", "U", "V", "W", "X", "Y", "Z", "M2", "M3"}
		n, _ := focas.AuxAddress(letters[typ-100])
		list, err := c.Path(1).ModalAux(ctx, n, v.Int("block"))
		a := at(list, 0)
		return map[string]any{"datano": typ, "aux_data": a.Value, "flag1": uint8(a.Flag1), "flag2": uint8(a.Flag2)}, err
	}
	codes, err := c.Path(1).ModalG(ctx, typ, v.Int("block"))
	return map[string]any{"datano": typ, "type": v.Int("block"), "g_data": at(codes, 0)}, err
}

func rawOrder(f focas.Func) func(context.Context, *Client, vectors.Vector) (map[string]any, error) {
	return func(ctx context.Context, c *Client, v vectors.Vector) (map[string]any, error) {
		return nil, order(ctx, c, f.String(), focas.Request{Class: focas.ClassCNC, Path: 1, Func: f})
	}
}

func statusFields(s focas.Status, retrace, mode uint16) map[string]any {
	return map[string]any{"hdck": retrace, "tmmode": mode, "aut": s.Aut, "run": s.Run, "motion": s.Motion, "mstb": s.MSTB,
		"emergency": s.Emergency, "alarm": s.Alarm, "edit": s.Edit}
}

func readingFields(m map[string]any, prefix string, r focas.Reading) {
	shown := 0
	if r.Shown {
		shown = 1
	}
	name := r.Name.String()
	m[prefix+"_data"], m[prefix+"_dec"], m[prefix+"_unit"], m[prefix+"_disp"] = r.Value.Mantissa, r.Value.Exponent, uint16(r.Unit), shown
	m[prefix+"_name"], m[prefix+"_suff"] = name[:min(1, len(name))], name[min(1, len(name)):]
}

func alarmFields(list []focas.Alarm) map[string]any {
	m := map[string]any{"count": len(list)}
	for i, a := range list {
		p := fmt.Sprintf("a%d_", i)
		m[p+"no"], m[p+"type"], m[p+"axis"], m[p+"len"], m[p+"msg"] = a.Number, a.Type, a.Axis, a.Length, a.Text()
	}
	return m
}

func messageFields(list []focas.OpMessage) map[string]any {
	x := at(list, 0)
	return map[string]any{"datano": x.Number, "type": x.Type, "char_num": x.Length, "data": x.Text()}
}

func mantissas(list []focas.Value) []int32 {
	var out []int32
	for _, v := range list {
		out = append(out, v.Mantissa)
	}
	return out
}

// at is item i, zero when there is none.
func at[T any](list []T, i int) (v T) {
	if i < len(list) {
		v = list[i]
	}
	return v
}

func word(v any) uint16 { return uint16(v.(float64)) }
