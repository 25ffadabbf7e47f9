package focasclient

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"math"

	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/internal/vectors"
)

type fields = map[string]any

// dataRows are the rows of parameters, diagnosis, macros, PMC, programs, offsets, tool life and transfers.
func dataRows() map[string]row {
	rows := map[string]row{}
	for _, family := range []map[string]row{recordRows(), macroRows(), pmcRows(), programRows(), directoryRows(), offsetRows(), toolRows(), transferRows()} {
		for name, r := range family {
			rows[name] = r
		}
	}
	return rows
}

func recordRows() map[string]row {
	return map[string]row{
		"cnc_rdparam": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			r, err := c.Path(1).Param(ctx, v.Int("number"), int16(v.Int("axis")))
			return recordFields(&r, focas.ParamType(r.Type).Of, paramFields()), err
		},
		"cnc_diagnoss": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			r, err := c.Path(1).Diag(ctx, v.Int("number"), int16(v.Int("axis")))
			return recordFields(&r, focas.DiagType(r.Type).Of, map[uint16]string{2: "ldata"}), err
		},
		"cnc_wrparam": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			value := focas.Decimal(v.Int("value"), int16(v.Int("dec")))
			return fields{}, c.Path(1).WriteParam(ctx, v.Int("number"), int16(v.Int("axis")), value)
		},
		"cnc_rdparanum": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			n, err := c.Path(1).ParamNumbers(ctx)
			return fields{"para_min": n.Min, "para_max": n.Max, "total_no": n.Total}, err
		},
		"cnc_rddiagnum": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			n, err := c.Path(1).DiagNumbers(ctx)
			return fields{"diag_min": n.Min, "diag_max": n.Max, "total_no": n.Total}, err
		},
		"cnc_rdparainfo": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			l, err := c.Path(1).ParamInfo(ctx, v.Int("from"), v.Int("count"))
			if err != nil || len(l.Items) == 0 {
				return nil, err
			}
			return fields{"info_no": len(l.Items), "prev_no": l.Previous, "next_no": l.Next, "prm_no": l.Items[0].Number, "prm_type": l.Items[0].Type}, nil
		},
		"cnc_rdparainfo2": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			l, err := c.Path(1).ParamInfo2(ctx, v.Int("from"), v.Int("count"))
			if err != nil || len(l.Items) == 0 {
				return nil, err
			}
			i := l.Items[0]
			return fields{"prev_no": l.Previous, "next_no": l.Next, "prm_no": i.Number, "size": i.Size, "array": i.Array,
				"unit": i.Unit, "dim": i.Dim, "input": i.Input, "display": i.Display, "others": i.Other}, nil
		},
	}
}

func paramFields() map[uint16]string { return map[uint16]string{0: "cdata", 2: "idata", 3: "ldata"} }

// recordFields names the first slot by its type, as the union of the library's structure does; with every axis it lists the
// control's three.
func recordFields(r *focas.Record, of func(focas.Value) focas.Value, names map[uint16]string) fields {
	m := fields{"datano": r.Number, "type": r.Axis}
	if r.Axis == focas.EveryAxis {
		var all []int32
		for _, s := range r.Values()[:3] {
			all = append(all, of(s).Mantissa)
		}
		m[names[r.Type]+"s"] = all
		return m
	}
	v := of(r.Slots[0])
	if name, ok := names[r.Type]; ok {
		m[name] = v.Mantissa
	} else {
		m["prm_val"], m["dec_val"] = v.Mantissa, v.Exponent
	}
	return m
}

func macroRows() map[string]row {
	return map[string]row{
		"cnc_rdmacro": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			value, err := c.Path(1).Macro(ctx, v.Int("number"))
			m, d := libraryValue(value)
			return fields{"datano": v.Int("number"), "mcr_val": m, "dec_val": d}, err
		},
		"cnc_rdpmacro": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			value, err := c.Path(1).PMacro(ctx, v.Int("number"))
			m, d := libraryValue(value)
			return fields{"datano": v.Int("number"), "mcr_val": m, "dec_val": d}, err
		},
		"cnc_rdmacror": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			values, err := c.Path(1).Macros(ctx, v.Int("from"), v.Int("to"))
			m := fields{"datano_s": v.Int("from"), "datano_e": v.Int("to")}
			for i, value := range values {
				m[fmt.Sprintf("v%d", i)], m[fmt.Sprintf("d%d", i)] = libraryValue(value)
			}
			return m, err
		},
		"cnc_wrmacro": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			return fields{}, c.Path(1).WriteMacro(ctx, v.Int("number"), focas.Decimal(v.Int("mcr_val"), int16(v.Int("dec_val"))))
		},
		"cnc_wrpmacro": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			return fields{}, c.Path(1).WritePMacro(ctx, v.Int("number"), focas.Decimal(v.Int("mcr_val"), int16(v.Int("dec_val"))))
		},
		"cnc_wrmacror": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			var values []focas.Value
			for _, pair := range v.Args["values"].([]any) {
				p := pair.([]any)
				values = append(values, focas.Decimal(int32(p[0].(float64)), int16(p[1].(float64))))
			}
			return fields{}, c.Path(1).WriteMacros(ctx, v.Int("from"), values...)
		},
		"cnc_rdmacror2": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			values, err := c.Path(1).MacroDoubles(ctx, v.Int("from"), v.Int("count"))
			return fields{"values": values}, err
		},
		"cnc_wrmacror2": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			var values []float64
			for _, f := range v.Args["values"].([]any) {
				values = append(values, f.(float64))
			}
			return fields{}, c.Path(1).WriteMacroDoubles(ctx, v.Int("from"), values...)
		},
		"cnc_rdmacror3": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			l, err := c.Path(1).NamedMacros(ctx, v.Int("from"), v.Int("count"))
			m := fields{}
			for i, named := range l {
				m[fmt.Sprintf("v%d", i)], m[fmt.Sprintf("n%d", i)] = float64(named.Value), named.Name.String()
			}
			return m, err
		},
		"cnc_rdmacroinfo": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			i, err := c.Path(1).MacroInfo(ctx)
			return fields{"use_no1": i.Local, "use_no2": i.Common}, err
		},
	}
}

// libraryValue is how FANUC's library gives a value out: decimal ones as they are, binary ones as nine significant digits.
func libraryValue(v focas.Value) (mantissa int32, decimals int16) {
	if v.Base == 10 || v.IsVacant() {
		return v.Mantissa, v.Exponent
	}
	f := v.Float()
	digits := int(math.Floor(math.Log10(math.Abs(f)))) + 1
	return int32(math.Round(f * math.Pow(10, float64(9-digits)))), int16(9 - digits)
}

func pmcRows() map[string]row {
	rangeOf := func(v vectors.Vector) focas.PMCRange {
		return focas.PMCRange{Area: v.Int("adr_type"), Type: focas.PMCType(v.Int("data_type")), First: v.Int("start"), Last: v.Int("end")}
	}
	return map[string]row{
		"pmc_rdpmcrng": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			r := rangeOf(v)
			b, err := c.PMC(1).Read(ctx, r)
			m := fields{"type_a": r.Area, "type_d": r.Type, "datano_s": r.First, "datano_e": r.Last}
			var items []float64
			for ; len(b) > 0; b = b[r.Type.Size():] {
				f, _ := r.Type.Float(b)
				items = append(items, f)
			}
			name := map[focas.PMCType]string{focas.PMCByte: "cdata", focas.PMCWord: "idata", focas.PMCLong: "ldata", focas.PMCFloat32: "fdata"}[r.Type]
			if r.Type == focas.PMCFloat64 && len(items) > 0 {
				m["dfdata"] = items[0]
			} else {
				m[name] = items
			}
			return m, err
		},
		"pmc_wrpmcrng": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			r := rangeOf(v)
			host, err := hex.DecodeString(v.Text("data_host_le"))
			if err != nil {
				return nil, err
			}
			var data []byte // the library was given little-endian items
			for n := r.Type.Size(); len(host) > 0; host = host[n:] {
				for i := n - 1; i >= 0; i-- {
					data = append(data, host[i])
				}
			}
			return fields{}, c.PMC(1).Write(ctx, r, data)
		},
		"pmc_rdpmcinfo": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			i, err := c.PMC(1).Info(ctx, v.Int("adr_type"))
			if err != nil || len(i.Items) == 0 {
				return nil, err
			}
			a := i.Items[0]
			return fields{"datano": i.Count, "pmc_adr": a.Letter, "adr_attr": a.Attribute, "top_num": a.First, "last_num": a.Last}, nil
		},
	}
}

func offsetRows() map[string]row {
	list := func(v vectors.Vector, second string, values []focas.Value) fields {
		var data []int32
		for _, x := range values {
			data = append(data, x.Mantissa)
		}
		return fields{"datano_s": v.Int("from"), "datano_e": v.Int("to"), "type": v.Int(second), "data": data}
	}
	ints := func(v vectors.Vector) (out []int32) {
		for _, f := range v.Args["data"].([]any) {
			out = append(out, int32(f.(float64)))
		}
		return out
	}
	return map[string]row{
		"cnc_rdtofs": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			x, err := c.Path(1).ToolOffset(ctx, v.Int("number"), v.Int("type"))
			return fields{"datano": v.Int("number"), "type": v.Int("type"), "data": x.Mantissa}, err
		},
		"cnc_rdtofsr": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			l, err := c.Path(1).ToolOffsets(ctx, v.Int("from"), v.Int("to"), v.Int("type"))
			return list(v, "type", l), err
		},
		"cnc_wrtofs": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			return fields{}, c.Path(1).WriteToolOffset(ctx, v.Int("number"), v.Int("type"), v.Int("data"))
		},
		"cnc_wrtofsr": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			return fields{}, c.Path(1).WriteToolOffsets(ctx, v.Int("from"), v.Int("type"), ints(v)...)
		},
		"cnc_rdtofsinfo": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			i, err := c.Path(1).ToolOffsetInfo(ctx)
			// The library copies the two words as one, so that a little-endian host sees them exchanged.
			return fields{"ofs_type": i.Memory, "use_no": i.Count}, err
		},
		"cnc_rdzofs": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			x, err := c.Path(1).WorkOffset(ctx, v.Int("number"), v.Int("axis"))
			return fields{"datano": v.Int("number"), "type": v.Int("axis"), "data": x.Mantissa}, err
		},
		"cnc_rdzofsr": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			l, err := c.Path(1).WorkOffsets(ctx, v.Int("from"), v.Int("to"), v.Int("axis"))
			return list(v, "axis", l), err
		},
		"cnc_wrzofs": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			return fields{}, c.Path(1).WriteWorkOffset(ctx, v.Int("number"), v.Int("axis"), v.Int("data"))
		},
		"cnc_rdzofsinfo": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			n, err := c.Path(1).WorkOffsetMax(ctx)
			return fields{"max": n}, err
		},
	}
}

func toolRows() map[string]row {
	group := func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
		g, err := c.Path(1).ToolGroup(ctx, v.Int("group"))
		return fields{"datano": g.Group, "life": g.Life, "count": g.Count, "ntool": g.Tools}, err
	}
	return map[string]row{
		"cnc_rdlife":  group,
		"cnc_rdcount": group,
		"cnc_rdntool": group,
		"cnc_rdngrp": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			n, err := c.Path(1).ToolGroupMax(ctx)
			return fields{"data": n}, err
		},
		"cnc_rdusegrpid": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			u, err := c.Path(1).UseGroup(ctx)
			return fields{"next": u.Next, "use": u.Use, "slct": u.Selected}, err
		},
		"cnc_toolnum": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			n, err := c.Path(1).ToolNum(ctx, v.Int("group"), v.Int("tool"))
			return fields{"datano": n.Group, "type": n.Order, "data": n.Tool}, err
		},
		"cnc_rd1tlifedata": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			l, err := c.Path(1).ToolLife(ctx, v.Int("group"), v.Int("tool"))
			return fields{"datano": l.Order, "tool_num": l.Tool, "h_code": l.H, "d_code": l.D, "tool_inf": l.Status}, err
		},
		"cnc_rdtlgrp": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			l, err := c.Path(1).ToolGroups30i(ctx, v.Int("from"), v.Int("count"))
			if err != nil || len(l) == 0 {
				return nil, err
			}
			g := l[0]
			return fields{"ntool": g.Tools, "nfree": g.FreeTools, "life": g.Life, "count": g.Count, "use_tool": g.UseTool,
				"opt_grpno": g.OptionalGroup, "life_rest": g.LifeRest, "rest_sig": g.RestSignal, "count_type": g.CountType}, nil
		},
	}
}

func transferRows() map[string]row {
	return map[string]row{
		"cnc_upstart4+cnc_upload4+cnc_upend4": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			var text bytes.Buffer
			_, err := c.Path(1).Upload(ctx, Transfer{Kind: focas.TransferKind(v.Int("type")), File: focas.NamedFile(v.Text("file"))}, &text)
			return fields{"data_hex": hex.EncodeToString(text.Bytes())}, err
		},
		"cnc_dwnstart4+cnc_download4+cnc_dwnend4": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			text, err := hex.DecodeString(v.Text("data_hex"))
			if err != nil {
				return nil, err
			}
			n, err := c.Path(1).Download(ctx, Transfer{Kind: focas.TransferKind(v.Int("type")), File: focas.NamedFile(v.Text("dir"))}, bytes.NewReader(text))
			return fields{"sent": n}, err
		},
	}
}
