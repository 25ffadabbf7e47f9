package focasclient

import (
	"context"
	"fmt"

	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/internal/vectors"
)

func programRows() map[string]row {
	numbers := func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
		n, err := c.Path(1).ProgramNum(ctx)
		if v.Call == "cnc_rdprgnum" {
			return fields{"data": int16(n.Running), "mdata": int16(n.Main)}, err
		}
		return fields{"data": n.Running, "mdata": n.Main}, err
	}
	return map[string]row{
		"cnc_rdprgnum":   numbers,
		"cnc_rdprgnumo8": numbers,
		"cnc_rdseqnum": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			n, err := c.Path(1).SequenceNum(ctx)
			return fields{"data": n}, err
		},
		"cnc_rdblkcount": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			n, err := c.Path(1).BlockCount(ctx)
			return fields{"count": n}, err
		},
		"cnc_exeprgname": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			e, err := c.Path(1).ExecProgram(ctx)
			return fields{"name": e.Name.String(), "o_num": e.Number}, err
		},
		"cnc_exeprgname2": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			s, err := c.Path(1).ExecProgramPath(ctx)
			return fields{"path": s}, err
		},
		"cnc_rdexecprog": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			e, err := c.Path(1).ExecText(ctx, v.Int("length"))
			return fields{"length": len(e.Text), "blknum": e.Block, "text": string(e.Text)}, err
		},
		"cnc_rdmdipntr": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			_, err := c.Path(1).MDIPointer(ctx)
			return fields{}, err
		},
		"cnc_rdactpt": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			a, err := c.Path(1).ActPoint(ctx)
			return fields{"prog_no": a.Program, "blk_no": a.Block}, err
		},
		"cnc_rdproginfo": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			i, err := c.Path(1).ProgramInfo(ctx)
			return fields{"reg_prg": i.Registered, "unreg_prg": i.Free, "used_mem": i.UsedMemory, "unused_mem": i.FreeMemory}, err
		},
		"cnc_search": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			return fields{}, c.Path(1).Search(ctx, v.Int("number"))
		},
		"cnc_delete": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			return fields{}, c.Path(1).DeleteProgram(ctx, v.Int("number"))
		},
		"cnc_rewind": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			return fields{}, c.Path(1).Rewind(ctx)
		},
	}
}

func directoryRows() map[string]row {
	dir := func(kind int32) row {
		return func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			l, err := c.Path(1).ProgramDir(ctx, v.Int("top"), v.Int("max"), kind)
			m := fields{"count": len(l)}
			for i := range l {
				p := fmt.Sprintf("p%d_", i)
				m[p+"number"], m[p+"length"], m[p+"comment"] = l[i].Number, l[i].Size, l[i].Comment(kind)
				m[p+"mdate"] = dateFields(l[i].Date())
			}
			if len(l) > 0 {
				m["top"] = l[0].Number
			}
			return m, err
		}
	}
	return map[string]row{
		"cnc_rdprogdir2": dir(focas.DirSizes),
		"cnc_rdprogdir3": dir(focas.DirDates),
		"cnc_rdpdf_drive": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			l, err := c.Path(1).Drives(ctx)
			m := fields{"max_num": len(l)}
			numbered(m, "d", l)
			return m, err
		},
		"cnc_rdpdf_curdir": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			s, err := c.Path(1).CurrentDir(ctx, v.Int("type"))
			return fields{"dir": s}, err
		},
		"cnc_wrpdf_curdir": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			return fields{}, c.Path(1).SetCurrentDir(ctx, v.Int("type"), v.Text("dir"))
		},
		"cnc_pdf_rdmain": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			s, err := c.Path(1).MainProgram(ctx)
			return fields{"path": s}, err
		},
		"cnc_pdf_slctmain": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			return fields{}, c.Path(1).SelectMain(ctx, v.Text("path"))
		},
		"cnc_pdf_del": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			return fields{}, c.Path(1).DeleteFile(ctx, v.Text("path"))
		},
		"cnc_rdpdf_subdirn": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			n, err := c.Path(1).DirCount(ctx, v.Text("path"))
			return fields{"dirs": n.Dirs, "files": n.Files}, err
		},
		"cnc_rdpdf_subdir": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			l, err := c.Path(1).SubDirs(ctx, v.Text("path"), v.Int("first"), v.Int("max"))
			m := fields{"count": len(l)}
			for i, s := range l {
				m[fmt.Sprintf("s%d_exist", i)], m[fmt.Sprintf("s%d_name", i)] = s.HasSubDirs, s.Name.String()
			}
			return m, err
		},
		"cnc_rdpdf_alldir": func(ctx context.Context, c *Client, v vectors.Vector) (fields, error) {
			l, err := c.Path(1).AllDir(ctx, v.Text("path"), v.Int("first"), v.Int("max"))
			if err != nil || len(l) == 0 {
				return nil, err
			}
			e := l[0]
			return fields{"count": len(l), "data_kind": e.Kind, "date": dateFields(e.Date), "size": e.Size, "attr": e.Attribute,
				"name": e.Name.String(), "comment": e.CommentText()}, nil
		},
	}
}

func dateFields(d focas.Date) []uint16 {
	return []uint16{d.Year, d.Month, d.Day, d.Hour, d.Minute, d.Second}
}
